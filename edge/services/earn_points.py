"""Points follow the money: earned in the unit that pays an order, taken back in the unit that refunds it.

Everything here can be done again without changing anything: what an order has moved stands in the ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from edge.clock import Instant, local
from edge.members.points import (
    PointsEntry,
    PointsKind,
    account,
    by_source,
    due_back,
    earned,
    split_back,
    unspend_lease,
)
from edge.parking.validation import Holder
from edge.retail.order import Order, OrderState
from edge.retail.refund import Refund
from edge.services.box import Box
from edge.services.circle_points import queue_notices
from edge.services.events import EventKind
from edge.services.identify_member import known_member, note_seen, order_member, standing_for
from edge.services.member_events import points_changed, tell
from edge.services.records import Unit
from edge.services.validate_purchase import spent_by_tenant
from edge.services.validation_records import Claim

DAY_MS = 86_400_000


def earn_for_order(unit: Unit, box: Box, order: Order, now: Instant) -> int:
    """Give an order's member its points, in the unit that paid it or when the member is known later.

    Returns the points; 0 for nobody's order and for one that has earned before.
    """
    plan = box.members.points
    if not plan.rules or order.state is not OrderState.PAID:
        return 0
    if any(one.kind is PointsKind.EARN for one in unit.points.of_source(order.order_id)):
        return 0
    member = known_member(unit, order_member(unit, order.order_id) or "-")
    if member is None:
        return 0
    since = _day_began(box, now)
    expires_at = now.wall_at + plan.life_days * DAY_MS if plan.life_days else None
    entries = []
    for tenant, fen in sorted(spent_by_tenant(unit, order).items()):
        today = unit.points.earned_since(member.member_id, tenant, since)
        points = earned(plan, tenant, fen, member.tier, today)
        if points:
            line = _line(box, member.member_id, PointsKind.EARN, points, order.order_id, now)
            entries.append(replace(line, tenant_id=tenant, basis_fen=fen, expires_at=expires_at))
    note_seen(unit, member.member_id, now)
    given = sum(one.points for one in entries)
    post(unit, box, [*entries, *_towards_owed(unit, box, member.member_id, given, order, now)], now)
    queue_notices(unit, box, order, now)
    return given


def credit_order(unit: Unit, box: Box, order_id: str, member_id: str, now: Instant) -> int:
    """Give a paid order's points to a member who is known only after payment; 0 when it is another's."""
    order = unit.orders.get(order_id)
    owner = order_member(unit, order_id)
    if order is None or (owner and owner != standing_for(unit, member_id)):
        return 0
    if not owner:
        claim_member_of(unit, order.basket_id, standing_for(unit, member_id), now)
    return earn_for_order(unit, box, order, now)


def claim_member_of(unit: Unit, basket_id: str, member_id: str, now: Instant) -> None:
    """Note whose a basket is, beside whatever else was said of it."""
    claim = unit.validations.claim(basket_id) or Claim(basket_id, Holder(), now.wall_at)
    unit.validations.put_claim(replace(claim, holder=replace(claim.holder, member_id=member_id)))


def reverse_for_refund(unit: Unit, box: Box, refund: Refund, now: Instant) -> None:
    """Take back what a refunded order earned, and give back what was spent on it, by what is left of it."""
    order = unit.orders.get(refund.order_id)
    if order is not None:
        settle_points(unit, box, order, now)


def settle_points(unit: Unit, box: Box, order: Order, now: Instant) -> None:
    """Bring an order's points in line with what is left of it; once more changes nothing."""
    lines = unit.points.of_source(order.order_id)
    if not lines:
        return
    left = {} if order.state is OrderState.CANCELLED else spent_by_tenant(unit, order)
    back = by_source(lines, PointsKind.REVERSE_EARN)
    for one in lines:
        if one.kind is PointsKind.EARN:
            done = back.get((one.source, one.tenant_id), 0)
            _take_back(
                unit, box, one, due_back(one.points, one.basis_fen, left.get(one.tenant_id, 0), done), now
            )
    _give_back(unit, box, lines, sum(left.values()), now)
    queue_notices(unit, box, order, now)


def return_points(unit: Unit, box: Box, source: str, now: Instant) -> None:
    """Give back all that was spent on something; once more changes nothing."""
    _give_back(unit, box, unit.points.of_source(source), 0, now)


def post(unit: Unit, box: Box, entries: Sequence[PointsEntry], now: Instant) -> None:
    """Write lines of one member together, and tell HQ of them; nothing for no lines."""
    for entry in entries:
        unit.points.post(entry)
    if entries:
        first = entries[0]
        told = points_changed(entries)
        tell(unit, box, EventKind.POINTS_CHANGED, first.member_id, told, now, first.source)


def _towards_owed(
    unit: Unit, box: Box, member_id: str, given: int, order: Order, now: Instant
) -> list[PointsEntry]:
    pays = min(unit.points.balance(member_id)[1], given)
    if not pays:
        return []
    return [replace(_line(box, member_id, PointsKind.OWED, -pays, order.order_id, now), owed=-pays)]


def _take_back(unit: Unit, box: Box, earning: PointsEntry, points: int, now: Instant) -> None:
    if not points:
        return
    member_id = standing_for(unit, earning.member_id)
    there, owed = split_back(account(unit.points.entries(member_id)), points)
    line = _line(box, member_id, PointsKind.REVERSE_EARN, -there, earning.source, now)
    post(unit, box, [replace(line, tenant_id=earning.tenant_id, owed=owed)], now)


def _give_back(unit: Unit, box: Box, lines: Sequence[PointsEntry], left_fen: int, now: Instant) -> None:
    for one in lines:
        if one.kind is PointsKind.SPEND:
            same = [each for each in lines if each.lease_id == one.lease_id]
            back = sum(each.points for each in same if each.kind is PointsKind.REVERSE_SPEND)
            points = due_back(-one.points, one.basis_fen, left_fen, back)
            if points:
                _return_spent(unit, box, one, points, now)


def _return_spent(unit: Unit, box: Box, spending: PointsEntry, points: int, now: Instant) -> None:
    """Give spent points back to their lease; when that has ended, HQ gives them back by the event."""
    lease = unit.points.lease(spending.lease_id) if spending.lease_id else None
    if lease is not None and lease.closed_at is None:
        unit.points.put_lease(unspend_lease(lease, points))
    member_id = standing_for(unit, spending.member_id)
    life = box.members.points.life_days
    line = _line(box, member_id, PointsKind.REVERSE_SPEND, points, spending.source, now)
    expires_at = now.wall_at + life * DAY_MS if life and not spending.lease_id else None
    post(unit, box, [replace(line, lease_id=spending.lease_id, expires_at=expires_at)], now)


def _line(box: Box, member_id: str, kind: PointsKind, points: int, source: str, now: Instant) -> PointsEntry:
    return PointsEntry(box.ids.new_id(), member_id, kind, points, now.wall_at, source)


def _day_began(box: Box, now: Instant) -> int:
    """Return the first moment of the business day."""
    hours = timedelta(hours=box.rules.day_starts_h)
    began = (local(now.wall_at, box.rules.zone) - hours).replace(hour=0, minute=0, second=0, microsecond=0)
    return int((began + hours).timestamp()) * 1000
