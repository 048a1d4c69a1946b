"""Members, lists of plates and tariffs in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from edge.errors import Invalid
from edge.members.member_snapshot import Member
from edge.parking.calendar import CalendarDay
from edge.parking.plate_list import PlateEntry
from edge.parking.tariff_document import Tariff, tariff_at
from edge.services.member_records import MemberChange, MemberImport, MemberKey, key_hash, keys_of

MAX_FOUND = 10


@dataclass(slots=True)
class MemberRows:
    """members: those that are seen. staged: rows of the import under way, None for one who is removed.

    keys: candidates of hashes. left: staged rows of an import that was ended.
    """

    members: dict[str, Member] = field(default_factory=dict)
    staged: dict[str, Member | None] = field(default_factory=dict)
    keys: frozenset[tuple[int, str]] = frozenset()
    left: int = 0
    number: int = 0
    importing: bool = False
    token: str = ""
    after: str = ""
    change: MemberChange = field(default_factory=MemberChange)

    def copy(self) -> MemberRows:
        """Return rows that can be changed without changing these."""
        return replace(self, members=dict(self.members), staged=dict(self.staged))


class FakeMembers:
    """Implements member_records.Members."""

    def __init__(self, rows: MemberRows, writing: Callable[[], None]) -> None:
        self._rows = rows
        self.intake = FakeMemberIntake(rows, writing)

    def get(self, member_id: str) -> Member | None:
        """Return a member."""
        return self._rows.members.get(member_id)

    def by_key(self, kind: MemberKey, value: str) -> tuple[Member, ...]:
        """Return the members with that card, phone_hmac or plate_hmac, by member_id, 10 at most."""
        ids = sorted(one for hashed, one in self._rows.keys if hashed == key_hash(kind, value))
        found = [self._rows.members[one] for one in ids if one in self._rows.members]
        return tuple(one for one in found if (kind, value) in keys_of(one))[:MAX_FOUND]

    def count(self) -> int:
        """Return how many members there are."""
        return len(self._rows.members)


class FakeMemberIntake:
    """Implements member_records.MemberIntake; the row of a member is their place among the staged."""

    def __init__(self, rows: MemberRows, writing: Callable[[], None]) -> None:
        self._rows = rows
        self._writing = writing

    def end_other(self, token: str) -> None:
        """End an import under way that has another token; what it staged is for `tidy`."""
        self._writing()
        if self._rows.importing and self._rows.token != token:
            self._rows.importing, self._rows.left = False, len(self._rows.staged)

    def begin(self, token: str) -> MemberImport:
        """Start or go on with an import."""
        self._writing()
        rows = self._rows
        if rows.importing and rows.token != token:
            raise Invalid("another import of members is under way; end it first")
        if not rows.importing:
            rows.importing, rows.token, rows.after, rows.number = True, token, "", rows.number + 1
            rows.staged, rows.change = {}, MemberChange()
        return MemberImport(rows.number, rows.after, 1)

    def stage(self, number: int, after: str, members: Sequence[Member], last: str | None) -> MemberChange:
        """Write, unseen, that from above `after` to `last` there are these members alone."""
        self._require_present(number)
        rows = self._rows
        seen = {i: m for i, m in rows.members.items() if i > after and (last is None or i <= last)}
        new = {one.member_id: one for one in members if seen.get(one.member_id) != one}
        gone = [one for one in seen if one not in {each.member_id for each in members}]
        added = sum(one not in seen for one in new)
        change = MemberChange(added, len(new) - added, len(gone))
        rows.staged |= {**new, **dict.fromkeys(gone)}
        if new or gone:
            rows.after = last or max((*new, *gone))
        was = rows.change
        rows.change = MemberChange(
            was.added + change.added, was.changed + change.changed, was.removed + change.removed
        )
        return change

    def rows(self, number: int, from_row: int, limit: int) -> tuple[tuple[int, tuple[int, ...]], ...]:
        """Return (row, its `key_hash`es) of an import in order, from a row on."""
        numbered = list(enumerate(self._rows.staged.values(), 1))[from_row - 1 :]
        there = [(row, one) for row, one in numbered if one is not None][:limit]
        return tuple((row, tuple(key_hash(*key) for key in keys_of(one))) for row, one in there)

    def put_keys(self, number: int, keys: Sequence[tuple[int, int]]) -> None:
        """Write look-ups from (hash, row), unseen; what is there stays."""
        self._require_present(number)
        ids = list(self._rows.staged)
        self._rows.keys |= {(hashed, ids[row - 1]) for hashed, row in keys}

    def finish(self, number: int) -> MemberChange:
        """Show everything that was staged; return what the whole import changed."""
        self._require_present(number)
        rows = self._rows
        for member_id, member in rows.staged.items():
            if member is None:
                del rows.members[member_id]
            else:
                rows.members[member_id] = member
        rows.importing, rows.token, rows.staged = False, "", {}
        return rows.change

    def tidy(self, limit: int) -> bool:
        """Let go of what an ended import staged; return whether there may be more."""
        self._writing()
        more = not self._rows.importing and self._rows.left > 0
        self._rows.left = max(0, self._rows.left - limit) if more else self._rows.left
        return more

    def _require_present(self, number: int) -> None:
        self._writing()
        if not self._rows.importing or self._rows.number != number:
            raise Invalid(f"member import {number} was ended by a newer one; start it again if still wanted")


@dataclass(slots=True)
class ListRows:
    """Entries by number of their set and place, tariffs, and the calendar."""

    entries: dict[tuple[int, int], PlateEntry] = field(default_factory=dict)
    active: int = 0
    last: int = 0
    importing: int | None = None
    tariffs: tuple[Tariff, ...] = ()
    calendar: tuple[CalendarDay, ...] = ()

    def copy(self) -> ListRows:
        """Return rows that can be changed without changing these."""
        return replace(self, entries=dict(self.entries))


class FakePlateLists:
    """Implements list_records.PlateLists."""

    def __init__(self, rows: ListRows, writing: Callable[[], None]) -> None:
        self._rows = rows
        self._writing = writing

    def find(self, plate: str) -> tuple[PlateEntry, ...]:
        """Return what the lists in force say of a plate, in their order."""
        return tuple(one for one in self._active() if one.plate == plate)

    def all(self, after: str, limit: int) -> tuple[PlateEntry, ...]:
        """Return entries in force by plate, of plates above `after`."""
        there = sorted((one for one in self._active() if one.plate > after), key=lambda one: one.plate)
        last = there[limit - 1].plate if len(there) >= limit else None
        return tuple(one for one in there if last is None or one.plate <= last)

    def count(self) -> int:
        """Return how many entries are in force."""
        return len(self._active())

    def begin(self) -> int:
        """Start a new set and end any other that is under way; return its number."""
        self._writing()
        self._rows.last += 1
        self._rows.importing = self._rows.last
        return self._rows.last

    def stage(self, number: int, first: int, entries: Sequence[PlateEntry]) -> None:
        """Write entries, unseen."""
        self._require_present(number)
        self._rows.entries |= {(number, first + place): entry for place, entry in enumerate(entries)}

    def finish(self, number: int, entries: int) -> None:
        """Show the set that was staged in place of the one before."""
        self._require_present(number)
        self._rows.active, self._rows.importing = number, None

    def tidy(self, limit: int) -> bool:
        """Delete up to `limit` entries of other sets; return whether there may be more."""
        self._writing()
        kept = (self._rows.active, self._rows.importing)
        old = [key for key in self._rows.entries if key[0] not in kept][:limit]
        for key in old:
            del self._rows.entries[key]
        return len(old) == limit

    def _active(self) -> list[PlateEntry]:
        return [one for (number, _), one in sorted(self._rows.entries.items()) if number == self._rows.active]

    def _require_present(self, number: int) -> None:
        self._writing()
        if self._rows.importing != number:
            raise Invalid(f"set {number} of plates was ended by a newer one; start it again if still wanted")


class FakeTariffs:
    """Implements list_records.Tariffs."""

    def __init__(self, rows: ListRows, writing: Callable[[], None]) -> None:
        self._rows = rows
        self._writing = writing

    def all(self) -> tuple[Tariff, ...]:
        """Return all, by id and moment."""
        return tuple(sorted(self._rows.tariffs, key=lambda one: (one.tariff_id, one.valid_from)))

    def in_force(self, tariff_id: str, at: int) -> Tariff | None:
        """Return the tariff of that id in force at a moment; before the first one, the first."""
        of_id = [one for one in self.all() if one.tariff_id == tariff_id]
        return tariff_at(of_id, tariff_id, at) or next(iter(of_id), None)

    def replace(self, tariffs: Sequence[Tariff]) -> None:
        """Write these in place of all others."""
        self._writing()
        self._rows.tariffs = tuple(tariffs)


class FakeCalendarDays:
    """Implements list_records.CalendarDays."""

    def __init__(self, rows: ListRows, writing: Callable[[], None]) -> None:
        self._rows = rows
        self._writing = writing

    def all(self) -> tuple[CalendarDay, ...]:
        """Return all, by date."""
        return tuple(sorted(self._rows.calendar, key=lambda one: one.day))

    def replace(self, days: Sequence[CalendarDay]) -> None:
        """Write these in place of all others."""
        self._writing()
        self._rows.calendar = tuple(days)
