"""Members and their points in memory, with the rules that the tables enforce."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from edge.errors import Corrupt
from edge.members.consent import Consent
from edge.members.identity import Identity
from edge.members.member import MemberMerge, MemberNote, MemberProfile, PlateBinding
from edge.members.points import PointsEntry, PointsKind, PointsLease
from edge.services.people_records import MAX_ENTRIES, CircleNotice


@dataclass(slots=True)
class PeopleRows:
    """All rows; values are frozen."""

    profiles: dict[str, MemberProfile] = field(default_factory=dict)
    identities: dict[Identity, str] = field(default_factory=dict)
    merges: dict[str, MemberMerge] = field(default_factory=dict)
    consents: dict[str, Consent] = field(default_factory=dict)
    plates: dict[tuple[str, str], PlateBinding] = field(default_factory=dict)
    notes: dict[str, MemberNote] = field(default_factory=dict)
    entries: dict[str, PointsEntry] = field(default_factory=dict)
    expired: dict[str, bool] = field(default_factory=dict)
    leases: dict[str, PointsLease] = field(default_factory=dict)
    notices: dict[str, CircleNotice] = field(default_factory=dict)

    def copy(self) -> PeopleRows:
        """Return rows that can be changed without changing these."""
        return PeopleRows(
            dict(self.profiles),
            dict(self.identities),
            dict(self.merges),
            dict(self.consents),
            dict(self.plates),
            dict(self.notes),
            dict(self.entries),
            dict(self.expired),
            dict(self.leases),
            dict(self.notices),
        )


class FakePeople:
    """Implements people_records.People."""

    def __init__(self, rows: PeopleRows, writing: Callable[[], None]) -> None:
        self._rows = rows
        self._writing = writing

    def profile(self, member_id: str) -> MemberProfile | None:
        """Return a profile."""
        return self._rows.profiles.get(member_id)

    def put_profile(self, profile: MemberProfile) -> None:
        """Write a profile."""
        self._writing()
        self._rows.profiles[profile.member_id] = profile

    def by_identity(self, identity: Identity) -> str:
        """Return whose identity it is."""
        return self._rows.identities.get(identity, "")

    def put_identity(self, identity: Identity, member_id: str, at: int) -> None:
        """Note whose identity it is."""
        self._writing()
        if self._rows.identities.setdefault(identity, member_id) != member_id:
            raise Corrupt(f"a {identity.kind} of member {member_id} is another's; merge them first")
        if member_id not in self._rows.profiles:
            raise Corrupt(f"member {member_id} is not there")

    def drop_identity(self, identity: Identity) -> None:
        """Delete an identity."""
        self._writing()
        self._rows.identities.pop(identity, None)

    def identities(self, member_id: str) -> tuple[Identity, ...]:
        """Return a member's identities."""
        mine = [one for one, owner in self._rows.identities.items() if owner == member_id]
        return tuple(sorted(mine, key=lambda one: (one.kind.value, one.value)))

    def move(self, absorbed_id: str, member_id: str) -> None:
        """Make identities, consents and plates of one member those of another."""
        self._writing()
        rows = self._rows
        rows.identities = {
            one: member_id if owner == absorbed_id else owner for one, owner in rows.identities.items()
        }
        for key, consent in list(rows.consents.items()):
            if consent.member_id == absorbed_id:
                rows.consents[key] = replace(consent, member_id=member_id)
        for owner, plate in list(rows.plates):
            if owner == absorbed_id:
                moved = replace(rows.plates.pop((owner, plate)), member_id=member_id)
                rows.plates.setdefault((member_id, plate), moved)

    def forget(self, member_id: str) -> None:
        """Delete identities and plates of a member."""
        self._writing()
        rows = self._rows
        rows.identities = {one: owner for one, owner in rows.identities.items() if owner != member_id}
        rows.plates = {key: one for key, one in rows.plates.items() if key[0] != member_id}

    def put_merge(self, merge: MemberMerge) -> None:
        """Add to the audit of mergers."""
        self._writing()
        if merge.absorbed_id in self._rows.merges:
            raise Corrupt(f"member {merge.absorbed_id} was absorbed before")
        self._rows.merges[merge.absorbed_id] = merge

    def merges(self, member_id: str) -> tuple[MemberMerge, ...]:
        """Return which members one has absorbed."""
        mine = [one for one in self._rows.merges.values() if one.member_id == member_id]
        return tuple(sorted(mine, key=lambda one: (one.merged_at, one.absorbed_id)))

    def consents(self, member_id: str) -> tuple[Consent, ...]:
        """Return all consents of a member."""
        mine = [one for one in self._rows.consents.values() if one.member_id == member_id]
        return tuple(sorted(mine, key=lambda one: (one.given_at, one.consent_id)))

    def put_consent(self, consent: Consent) -> None:
        """Write a consent."""
        self._writing()
        known = self._rows.consents.get(consent.consent_id, consent)
        self._rows.consents[consent.consent_id] = replace(known, withdrawn_at=consent.withdrawn_at)

    def plates(self, member_id: str) -> tuple[PlateBinding, ...]:
        """Return the plates that a member has bound."""
        held = [
            one for one in self._rows.plates.values() if one.member_id == member_id and not one.unbound_at
        ]
        return tuple(sorted(held, key=lambda one: (one.bound_at, one.plate_hmac)))

    def by_plate(self, plate_hmac: str) -> tuple[str, ...]:
        """Return which members have bound a plate."""
        rows = self._rows.plates.values()
        return tuple(
            sorted(one.member_id for one in rows if one.plate_hmac == plate_hmac and not one.unbound_at)
        )[:10]

    def put_plate(self, binding: PlateBinding) -> None:
        """Write a binding."""
        self._writing()
        self._rows.plates[binding.member_id, binding.plate_hmac] = binding

    def by_tail(self, phone_tail: str, limit: int) -> tuple[MemberProfile, ...]:
        """Return members by the last digits of their phone."""
        rows = self._rows.profiles.values()
        found = [one for one in rows if one.is_there and phone_tail and one.phone_tail == phone_tail]
        return tuple(sorted(found, key=lambda one: (-one.seen_at, one.member_id))[:limit])

    def unseen_since(self, at: int, limit: int) -> tuple[MemberProfile, ...]:
        """Return members who were last met before a moment."""
        found = [one for one in self._rows.profiles.values() if one.is_there and one.seen_at < at]
        return tuple(sorted(found, key=lambda one: (one.seen_at, one.member_id))[:limit])

    def put_note(self, note: MemberNote) -> None:
        """Add to the audit of what staff did."""
        self._writing()
        self._rows.notes[note.note_id] = note

    def notes(self, member_id: str, limit: int) -> tuple[MemberNote, ...]:
        """Return what staff did with a member's data."""
        mine = [one for one in self._rows.notes.values() if one.member_id == member_id]
        return tuple(sorted(mine, key=lambda one: (one.at, one.note_id), reverse=True)[:limit])


class FakePoints:
    """Implements people_records.PointsBook."""

    def __init__(self, rows: PeopleRows, writing: Callable[[], None]) -> None:
        self._rows = rows
        self._writing = writing

    def post(self, entry: PointsEntry) -> None:
        """Append a line."""
        self._writing()
        if entry.entry_id in self._rows.entries:
            raise Corrupt(f"points entry {entry.entry_id} is there already")
        same = (PointsKind.EARN, entry.source, entry.tenant_id)
        if entry.kind is PointsKind.EARN and same in (
            (one.kind, one.source, one.tenant_id) for one in self._rows.entries.values()
        ):
            raise Corrupt(f"order {entry.source} has earned its points already")
        self._rows.entries[entry.entry_id] = entry
        if min(self.balance(entry.member_id)) < 0:
            raise Corrupt(f"member {entry.member_id} would have less than nothing")

    def entries(self, member_id: str) -> tuple[PointsEntry, ...]:
        """Return a member's lines."""
        mine = [one for one in self._rows.entries.values() if one.member_id == member_id]
        return tuple(mine[:MAX_ENTRIES])

    def of_source(self, source: str) -> tuple[PointsEntry, ...]:
        """Return the lines of an order."""
        return tuple(one for one in self._rows.entries.values() if source and one.source == source)

    def balance(self, member_id: str) -> tuple[int, int]:
        """Return a member's points here and what is owed."""
        own = [one for one in self.entries(member_id) if not one.lease_id]
        return sum(one.points for one in own), sum(one.owed for one in own)

    def earned_since(self, member_id: str, tenant_id: str, at: int) -> int:
        """Return what a tenant has given a member since a moment."""
        mine = (one for one in self.entries(member_id) if one.kind is PointsKind.EARN and one.at >= at)
        return sum(one.points for one in mine if one.tenant_id == tenant_id)

    def expiring(self, at: int, limit: int) -> tuple[str, ...]:
        """Return members of whom some line expired by then."""
        over = {
            one.member_id
            for one in self._rows.entries.values()
            if one.expires_at is not None and one.expires_at <= at and one.entry_id not in self._rows.expired
        }
        return tuple(sorted(one for one in over if self.balance(one)[0] > 0)[:limit])

    def mark_expired(self, member_id: str, at: int) -> None:
        """Note that a member's lines that expired by then were looked at."""
        self._writing()
        for one in self.entries(member_id):
            if one.expires_at is not None and one.expires_at <= at:
                self._rows.expired[one.entry_id] = True

    def lease(self, lease_id: str) -> PointsLease | None:
        """Return a lease."""
        return self._rows.leases.get(lease_id)

    def put_lease(self, lease: PointsLease) -> None:
        """Write a lease."""
        self._writing()
        if not 0 <= lease.spent <= lease.points:
            raise Corrupt(f"lease {lease.lease_id} would be overspent")
        self._rows.leases[lease.lease_id] = lease

    def leases(self, member_id: str) -> tuple[PointsLease, ...]:
        """Return a member's leases that are not closed."""
        return tuple(one for one in self._open() if one.member_id == member_id)

    def overdue_leases(self, at: int, limit: int) -> tuple[PointsLease, ...]:
        """Return leases whose time is over and that are not closed."""
        return tuple(one for one in self._open() if one.expires_at <= at)[:limit]

    def notice(self, transaction_id: str) -> CircleNotice | None:
        """Return what the business circle is to be told of a payment."""
        return self._rows.notices.get(transaction_id)

    def put_notice(self, notice: CircleNotice) -> None:
        """Write it."""
        self._writing()
        self._rows.notices[notice.transaction_id] = notice

    def due_notices(self, at: int, far_at: int, limit: int) -> tuple[CircleNotice, ...]:
        """Return what is to be told by now, or only after far_at; the one planned first first."""
        planned = [one for one in self._rows.notices.values() if one.is_due]
        due = [one for one in planned if one.next_at <= at or one.next_at > far_at]
        return tuple(sorted(due, key=lambda one: (one.next_at, one.transaction_id))[:limit])

    def waiting_notices(self) -> tuple[int, int]:
        """Return how many notices wait, and how many were refused."""
        rows = self._rows.notices.values()
        return sum(one.is_due for one in rows), sum(one.refused for one in rows)

    def _open(self) -> list[PointsLease]:
        held = [one for one in self._rows.leases.values() if one.closed_at is None]
        return sorted(held, key=lambda one: (one.expires_at, one.lease_id))
