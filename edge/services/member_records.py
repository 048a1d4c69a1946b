"""Members as records, and how a million come in: staged unseen in short units, shown by one number."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from edge.members.member_snapshot import Member


class MemberKey(StrEnum):
    """What a member can be looked up by, beside their id."""

    CARD = "card"
    PHONE = "phone"
    PLATE = "plate"


@dataclass(frozen=True, slots=True)
class MemberImport:
    """An import that is under way. after: the last member_id that is staged, "" for none.

    first_row: rows from that number on are of this import.
    """

    number: int
    after: str
    first_row: int


@dataclass(frozen=True, slots=True)
class MemberChange:
    """What one stretch of an import changed."""

    added: int = 0
    changed: int = 0
    removed: int = 0


class Members(Protocol):
    """The members that this box knows."""

    @property
    def intake(self) -> MemberIntake: ...

    def get(self, member_id: str) -> Member | None:
        """Return a member."""

    def by_key(self, kind: MemberKey, value: str) -> tuple[Member, ...]:
        """Return the members with that card, phone_hmac or plate_hmac, by member_id, 10 at most."""

    def count(self) -> int:
        """Return how many members there are, without counting them."""


class MemberIntake(Protocol):
    """How all members come in: end_other, tidy, begin, stage in order of member_id, put_keys, finish, tidy.

    An import has a token. To begin it again with the same token goes on where it was cut off. Every write
    with the number of an import that is not the present one raises Invalid and keeps nothing.
    """

    def end_other(self, token: str) -> None:
        """End an import under way that has another token; what it staged is for `tidy`."""

    def begin(self, token: str) -> MemberImport:
        """Start or go on with an import, after `tidy`. Raises Invalid while another is under way."""

    def stage(self, number: int, after: str, members: Sequence[Member], last: str | None) -> MemberChange:
        """Write, unseen, that from above `after` to `last` (None: to the end) there are these members alone.

        Rows are written only where they differ from what is seen.
        """

    def rows(self, number: int, from_row: int, limit: int) -> tuple[tuple[int, tuple[int, ...]], ...]:
        """Return (row, its `key_hash`es) of an import in order, from a row on, where any may be new."""

    def put_keys(self, number: int, keys: Sequence[tuple[int, int]]) -> None:
        """Write look-ups from (hash, row), unseen; what is there stays. In order of hashes it is quickest."""

    def finish(self, number: int) -> MemberChange:
        """Show everything that was staged; return what the whole import changed."""

    def tidy(self, limit: int) -> bool:
        """Delete up to `limit` rows that nobody can see any more; return whether there may be others.

        Does nothing while an import is under way.
        """


def key_hash(kind: MemberKey, value: str) -> int:
    """Return the 64-bit number under which a look-up finds candidates; those are then compared."""
    digest = hashlib.blake2b(f"{kind.value}:{value}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def keys_of(member: Member) -> tuple[tuple[MemberKey, str], ...]:
    """Return everything that a member can be looked up by."""
    single = ((MemberKey.CARD, member.card), (MemberKey.PHONE, member.phone_hmac))
    plates = ((MemberKey.PLATE, plate) for plate in member.plate_hmacs)
    return tuple((kind, value) for kind, value in (*single, *plates) if value)
