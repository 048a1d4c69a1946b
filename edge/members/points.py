"""Points as a ledger: what was earned, spent, expired, adjusted and taken back; a balance is their sum.

Points that are taken back and were spent already are owed, and go off the next ones that are earned: no
balance is ever below zero, and an order that goes back closes to zero. Points for which HQ answers are spent
here under a lease alone: HQ sets them aside for this box, so that several boxes cannot spend the same ones.
Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from edge.errors import Declined, Invalid

#: The most points of one entry or lease.
MAX_POINTS = 10**9


class PointsKind(StrEnum):
    """What happened. MOVED: two members became one. OWED: an earning went towards what was owed."""

    EARN = "earn"
    SPEND = "spend"
    EXPIRE = "expire"
    ADJUST = "adjust"
    REVERSE_EARN = "reverse_earn"
    REVERSE_SPEND = "reverse_spend"
    OWED = "owed"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class PointsEntry:
    """One line of the ledger; never changed. points: signed; owed: signed change of what is owed.

    source: the order or other thing behind it. basis_fen: for EARN and SPEND, of what money. expires_at: for
    points that were added. lease_id: of a spending under a lease, which does not touch the balance here.
    """

    entry_id: str
    member_id: str
    kind: PointsKind
    points: int
    at: int
    source: str = ""
    tenant_id: str = ""
    basis_fen: int = 0
    expires_at: int | None = None
    owed: int = 0
    lease_id: str = ""
    by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PointsLot:
    """Points that were added together and are still there. source, expires_at: as in their entry."""

    source: str
    points: int
    expires_at: int | None


@dataclass(frozen=True, slots=True)
class PointsAccount:
    """What entries come to. lots: those with points left, the first to expire first."""

    balance: int = 0
    owed: int = 0
    lots: tuple[PointsLot, ...] = ()


@dataclass(frozen=True, slots=True)
class PointsRule:
    """What spending at a tenant earns; tenant_id "" is for all that have no rule of their own.

    points for each whole per_fen; 0 points: nothing. most_per_order, most_per_day: 0 is without limit.
    """

    tenant_id: str
    points: int
    per_fen: int = 100
    most_per_order: int = 0
    most_per_day: int = 0


@dataclass(frozen=True, slots=True)
class PointsPlan:
    """All rules. tier_percent: what members of a tier earn, 100 for others. life_days: 0 never expires.

    keeper_here: this box answers for the points itself, as there is no HQ that does.
    """

    rules: tuple[PointsRule, ...] = ()
    tier_percent: Mapping[str, int] = field(default_factory=dict)
    life_days: int = 0
    keeper_here: bool = False

    def rule(self, tenant_id: str) -> PointsRule | None:
        """Return the rule for a tenant."""
        found = {one.tenant_id: one for one in self.rules}
        return found.get(tenant_id) or found.get("")


@dataclass(frozen=True, slots=True)
class PointsLease:
    """Points that HQ set aside for this box. spent: of them; closed_at: when the rest went back."""

    lease_id: str
    member_id: str
    points: int
    granted_at: int
    expires_at: int
    spent: int = 0
    closed_at: int | None = None

    @property
    def left(self) -> int:
        """What can still be spent, or went back."""
        return self.points - self.spent

    def is_open(self, at: int) -> bool:
        """Whether it can be spent at a moment."""
        return self.closed_at is None and at < self.expires_at


def account(entries: Iterable[PointsEntry]) -> PointsAccount:
    """Return what entries come to, in their order; raise Invalid when they take more than was there."""
    lots: list[PointsLot] = []
    owed = 0
    for one in entries:
        if one.lease_id:
            continue
        owed += one.owed
        if one.points > 0:
            lots.append(PointsLot(one.source or one.entry_id, one.points, one.expires_at))
        elif one.points < 0:
            lots = _without(lots, -one.points, one.source)
        if owed < 0:
            raise Invalid(f"points entry {one.entry_id} pays more than is owed")
    return PointsAccount(sum(one.points for one in lots), owed, tuple(sorted(lots, key=_expiry)))


def earned(plan: PointsPlan, tenant_id: str, spent_fen: int, tier: str, today: int = 0) -> int:
    """Return the points for money spent at a tenant; today: what it gave this member that day already."""
    rule = plan.rule(tenant_id)
    if rule is None or spent_fen <= 0:
        return 0
    points = spent_fen // rule.per_fen * rule.points * plan.tier_percent.get(tier, 100) // 100
    if rule.most_per_order:
        points = min(points, rule.most_per_order)
    if rule.most_per_day:
        points = min(points, max(0, rule.most_per_day - today))
    return min(points, MAX_POINTS)


def due_back(points: int, basis_fen: int, left_fen: int, back: int) -> int:
    """Return what goes back now of points that came from basis_fen, of which left_fen are left.

    back: what went back before. The whole is shared out by money and rounded once, so that any refunds
    in any order that leave nothing take all of it back.
    """
    kept = points * max(0, left_fen) // basis_fen if basis_fen > 0 else 0
    return max(0, points - kept - back)


def split_back(held: PointsAccount, points: int) -> tuple[int, int]:
    """Return how many points can be taken back at once, and how many are owed from now on."""
    there = min(points, held.balance)
    return there, points - there


def is_over(lot: PointsLot, at: int) -> bool:
    """Whether points have expired."""
    return lot.expires_at is not None and lot.expires_at <= at


def spend_lease(lease: PointsLease, points: int, at: int) -> PointsLease:
    """Return the lease after spending; raise Declined for more than is left or after its end."""
    if not 0 < points <= MAX_POINTS:
        raise Invalid(f"spend 1 to {MAX_POINTS} points, not {points}")
    if not lease.is_open(at):
        raise Declined("the points set aside for this box have gone back; ask for them again online")
    if points > lease.left:
        raise Declined(f"{points} points are needed, {lease.left} are set aside for this box")
    return replace(lease, spent=lease.spent + points)


def unspend_lease(lease: PointsLease, points: int) -> PointsLease:
    """Return an open lease after spending was taken back; raise Invalid when it is closed or for too much."""
    if lease.closed_at is not None or not 0 < points <= lease.spent:
        raise Invalid(f"{points} points cannot go back to lease {lease.lease_id}")
    return replace(lease, spent=lease.spent - points)


def close_lease(lease: PointsLease, at: int) -> PointsLease:
    """Return the lease ended: what is left goes back to HQ. Ended before, it stays as it is."""
    return lease if lease.closed_at is not None else replace(lease, closed_at=at)


def by_source(entries: Sequence[PointsEntry], kind: PointsKind) -> dict[tuple[str, str], int]:
    """Return what entries of a kind moved, by (source, tenant), owed points with them; never negative."""
    moved: dict[tuple[str, str], int] = {}
    for one in entries:
        if one.kind is kind:
            key = (one.source, one.tenant_id)
            moved[key] = moved.get(key, 0) + abs(one.points) + max(0, one.owed)
    return moved


def _without(lots: list[PointsLot], points: int, source: str) -> list[PointsLot]:
    """Take points off: of the same source first, then what expires first."""
    kept: list[PointsLot] = []
    for lot in sorted(lots, key=lambda one: (one.source != source, _expiry(one))):
        taken = min(lot.points, points)
        points -= taken
        if lot.points > taken:
            kept.append(replace(lot, points=lot.points - taken))
    if points:
        raise Invalid(f"{points} points more were taken than were there")
    return kept


def _expiry(lot: PointsLot) -> tuple[bool, int, str]:
    return lot.expires_at is None, lot.expires_at or 0, lot.source
