"""What this box itself knows of members, and their points, as records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from edge.members.consent import Consent
from edge.members.identity import Identity
from edge.members.member import MemberMerge, MemberNote, MemberProfile, PlateBinding
from edge.members.points import PointsEntry, PointsLease

#: Ledger lines of one member that are read at once; more than a lifetime at one box.
MAX_ENTRIES = 5_000


@dataclass(frozen=True, slots=True)
class CircleNotice:
    """What WeChat's business circle (智慧商圈) is to be told that a payment earned.

    told: the points that it was told last, -1 before the first time. next_at: when it is told (again).
    why: the gateway's last word; refused: it will not take it, a person may look.
    """

    transaction_id: str
    order_id: str
    openid: str
    points: int
    changed_at: int
    next_at: int
    told: int = -1
    tries: int = 0
    refused: bool = False
    why: str = ""

    @property
    def is_due(self) -> bool:
        """Whether the gateway does not know yet what is so."""
        return not self.refused and self.told != self.points


class People(Protocol):
    """Members as this box met them. Everything of one is moved when two become one."""

    def profile(self, member_id: str) -> MemberProfile | None:
        """Return a profile, merged and erased ones too."""

    def put_profile(self, profile: MemberProfile) -> None:
        """Write a profile."""

    def by_identity(self, identity: Identity) -> str:
        """Return whose identity it is, "" for nobody's."""

    def put_identity(self, identity: Identity, member_id: str, at: int) -> None:
        """Note whose identity it is; raise Corrupt when it is another member's."""

    def drop_identity(self, identity: Identity) -> None:
        """Delete an identity, whosesoever it is."""

    def identities(self, member_id: str) -> tuple[Identity, ...]:
        """Return a member's identities, by kind and value."""

    def move(self, absorbed_id: str, member_id: str) -> None:
        """Make identities, consents and plates of one member those of another."""

    def forget(self, member_id: str) -> None:
        """Delete identities and plates of a member; consents stay as proof, without anything personal."""

    def put_merge(self, merge: MemberMerge) -> None:
        """Add to the audit of mergers; raise Corrupt when that member was absorbed before."""

    def merges(self, member_id: str) -> tuple[MemberMerge, ...]:
        """Return which members one has absorbed, oldest first."""

    def consents(self, member_id: str) -> tuple[Consent, ...]:
        """Return all consents of a member, oldest first."""

    def put_consent(self, consent: Consent) -> None:
        """Write a consent; only its withdrawal may be new."""

    def plates(self, member_id: str) -> tuple[PlateBinding, ...]:
        """Return the plates that a member has bound and not unbound, oldest first."""

    def by_plate(self, plate_hmac: str) -> tuple[str, ...]:
        """Return which members have bound a plate, by number; 10 at most."""

    def put_plate(self, binding: PlateBinding) -> None:
        """Write a binding; there is one for each member and plate."""

    def by_tail(self, phone_tail: str, limit: int) -> tuple[MemberProfile, ...]:
        """Return members who are there, by the last digits of their phone, the last met first."""

    def unseen_since(self, at: int, limit: int) -> tuple[MemberProfile, ...]:
        """Return members who are there and were last met before a moment, longest ago first."""

    def put_note(self, note: MemberNote) -> None:
        """Add to the audit of what staff did."""

    def notes(self, member_id: str, limit: int) -> tuple[MemberNote, ...]:
        """Return what staff did with a member's data, newest first."""


class PointsBook(Protocol):
    """The points' ledger, leases, and what the business circle is to be told."""

    def post(self, entry: PointsEntry) -> None:
        """Append a line; raise Corrupt for an id twice and for a balance or a debt below zero."""

    def entries(self, member_id: str) -> tuple[PointsEntry, ...]:
        """Return a member's lines, oldest first, MAX_ENTRIES at most."""

    def of_source(self, source: str) -> tuple[PointsEntry, ...]:
        """Return the lines of an order, of any member, oldest first."""

    def balance(self, member_id: str) -> tuple[int, int]:
        """Return a member's points here and what is owed, without adding up."""

    def earned_since(self, member_id: str, tenant_id: str, at: int) -> int:
        """Return what a tenant has given a member since a moment."""

    def expiring(self, at: int, limit: int) -> tuple[str, ...]:
        """Return members with a balance who have a line that expired by then and was not looked at."""

    def mark_expired(self, member_id: str, at: int) -> None:
        """Note that a member's lines that expired by then were looked at."""

    def lease(self, lease_id: str) -> PointsLease | None:
        """Return a lease."""

    def put_lease(self, lease: PointsLease) -> None:
        """Write a lease."""

    def leases(self, member_id: str) -> tuple[PointsLease, ...]:
        """Return a member's leases that are not closed, the first to end first."""

    def overdue_leases(self, at: int, limit: int) -> tuple[PointsLease, ...]:
        """Return leases whose time is over and that are not closed."""

    def notice(self, transaction_id: str) -> CircleNotice | None:
        """Return what the business circle is to be told of a payment."""

    def put_notice(self, notice: CircleNotice) -> None:
        """Write it."""

    def due_notices(self, at: int, far_at: int, limit: int) -> tuple[CircleNotice, ...]:
        """Return what is to be told by now, or only after far_at; the one planned first first."""

    def waiting_notices(self) -> tuple[int, int]:
        """Return how many notices wait, and how many were refused."""
