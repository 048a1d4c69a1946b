"""Points are spent under leases: HQ sets points aside for this box, so that no two boxes spend the same ones.

HQ counts the rest of a lease back only when this box has told that it is closed; so neither a clock that is
wrong nor a box that was away can spend a point twice. Where no HQ keeps points, the balance here is spent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from edge.clock import Instant
from edge.errors import Declined, Invalid
from edge.members.points import (
    MAX_POINTS,
    PointsEntry,
    PointsKind,
    PointsLease,
    account,
    close_lease,
    is_over,
    spend_lease,
)
from edge.services.box import Box
from edge.services.earn_points import post
from edge.services.events import EventKind
from edge.services.identify_member import known_member, standing_for
from edge.services.member_events import lease_changed, tell
from edge.services.records import Unit

#: Leases and members that one look ends, the longest lease, and leases that one member may hold here.
MAX_AT_ONCE = 100
MAX_LEASE_MS = 31 * 86_400_000
MAX_LEASES = 20


@dataclass(frozen=True, slots=True)
class SpendAsk:
    """What points are spent on. source: its id, by which it is spent once and given back by a refund.

    basis_fen: the money that a refund shares it out by; for an order its total.
    """

    member_id: str
    points: int
    source: str
    basis_fen: int = 0


def spendable(unit: Unit, box: Box, member_id: str, now: Instant) -> int:
    """Return how many points a member can spend here and now."""
    one = standing_for(unit, member_id)
    if box.members.points.keeper_here:
        return unit.points.balance(one)[0]
    return sum(lease.left for lease in unit.points.leases(one) if lease.is_open(now.wall_at))


def spend_points(unit: Unit, box: Box, ask: SpendAsk, now: Instant) -> int:
    """Spend points, in the unit of what they pay for; the same source again is the same spending.

    Raises Invalid for a strange number or member, Declined for more than can be spent here.
    """
    if not 0 < ask.points <= MAX_POINTS or not ask.source:
        raise Invalid(f"spend 1 to {MAX_POINTS} points on something with an id")
    known = known_member(unit, ask.member_id)
    if known is None:
        raise Invalid("there is no such member (any more); identify again")
    before = [one for one in unit.points.of_source(ask.source) if one.kind is PointsKind.SPEND]
    if before:
        return -sum(one.points for one in before)
    there = spendable(unit, box, known.member_id, now)
    if ask.points > there:
        raise Declined(f"{ask.points} points are needed, {there} can be spent here now")
    if box.members.points.keeper_here:
        entries = [_spending(box, known.member_id, ask, ask.points, ask.basis_fen, "", now)]
    else:
        entries = _from_leases(unit, box, known.member_id, ask, now)
    post(unit, box, entries, now)
    return ask.points


def grant_lease(unit: Unit, box: Box, given: Mapping[str, str], now: Instant) -> PointsLease:
    """Take in a lease of HQ: lease_id, member_id, points, expires_at; a known one stays as it is.

    Raises Invalid for what cannot be and for a member whom this box does not know.
    """
    known = unit.points.lease(given["lease_id"])
    if known is not None:
        return known
    member = known_member(unit, given["member_id"])
    if member is None:
        raise Invalid(f"this box does not know member {given['member_id'][:32]}")
    points, expires_at = _number("points", given["points"]), _number("expires_at", given["expires_at"])
    if not 0 < points <= MAX_POINTS or not now.wall_at < expires_at <= now.wall_at + MAX_LEASE_MS:
        raise Invalid("a lease is of 1 point at least and ends within 31 days from now")
    if not 0 < len(given["lease_id"]) <= 64:
        raise Invalid("lease_id has 1 to 64 characters")
    if len(unit.points.leases(member.member_id)) >= MAX_LEASES:
        raise Invalid(f"member {member.member_id} has {MAX_LEASES} leases here already")
    lease = PointsLease(given["lease_id"], member.member_id, points, now.wall_at, expires_at)
    unit.points.put_lease(lease)
    tell(unit, box, EventKind.POINTS_LEASE, member.member_id, lease_changed(lease), now, lease.lease_id)
    return lease


def end_leases(box: Box) -> int:
    """Give the rest of leases whose time is over back to HQ; return how many ended."""
    now = box.clock.now()

    def work(unit: Unit) -> int:
        over = unit.points.overdue_leases(now.wall_at, MAX_AT_ONCE)
        for lease in over:
            closed = close_lease(lease, now.wall_at)
            unit.points.put_lease(closed)
            tell(
                unit, box, EventKind.POINTS_LEASE, lease.member_id, lease_changed(closed), now, lease.lease_id
            )
        return len(over)

    if not box.store.read(lambda unit: unit.points.overdue_leases(now.wall_at, 1)):
        return 0
    return box.store.write(work)


def expire_points(box: Box) -> int:
    """Take off points whose life is over, where this box keeps them; return of how many members."""
    now = box.clock.now()
    if not box.members.points.keeper_here:
        return 0

    def work(unit: Unit) -> int:
        members = unit.points.expiring(now.wall_at, MAX_AT_ONCE)
        for member_id in members:
            over = [one for one in account(unit.points.entries(member_id)).lots if is_over(one, now.wall_at)]
            for lot in over:
                entry_id = box.ids.new_id()
                kind = PointsKind.EXPIRE
                line = PointsEntry(entry_id, member_id, kind, -lot.points, now.wall_at, lot.source)
                post(unit, box, [line], now)
            unit.points.mark_expired(member_id, now.wall_at)
        return len(members)

    return box.store.write(work)


def adjust_points(
    unit: Unit, box: Box, member_id: str, points: int, by: str, reason: str, now: Instant
) -> None:
    """Add or take points by a person's word, with a reason; raises Invalid, or Declined below zero."""
    known = known_member(unit, member_id)
    if known is None or not points or abs(points) > MAX_POINTS or not reason.strip():
        raise Invalid("adjusting needs a member, points other than 0 and a reason")
    if unit.points.balance(known.member_id)[0] + points < 0:
        raise Declined(f"{-points} points cannot be taken: fewer are kept here")
    line = PointsEntry(box.ids.new_id(), known.member_id, PointsKind.ADJUST, points, now.wall_at)
    post(unit, box, [replace(line, by=by, reason=reason.strip()[:80])], now)


def _from_leases(unit: Unit, box: Box, member_id: str, ask: SpendAsk, now: Instant) -> list[PointsEntry]:
    """Take from the leases that end first; each part goes back by the same share of the money."""
    wanted, basis_fen = ask.points, ask.basis_fen
    entries = []
    for lease in unit.points.leases(member_id):
        part = min(wanted, lease.left) if lease.is_open(now.wall_at) else 0
        if part:
            unit.points.put_lease(spend_lease(lease, part, now.wall_at))
            entries.append(_spending(box, member_id, ask, part, basis_fen, lease.lease_id, now))
            wanted -= part
    return entries


def _spending(
    box: Box, member_id: str, ask: SpendAsk, points: int, basis_fen: int, lease_id: str, now: Instant
) -> PointsEntry:
    line = PointsEntry(box.ids.new_id(), member_id, PointsKind.SPEND, -points, now.wall_at, ask.source)
    return replace(line, basis_fen=basis_fen, lease_id=lease_id)


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise Invalid(f"{name} must be digits, not {text[:20]!r}")
    return int(text)
