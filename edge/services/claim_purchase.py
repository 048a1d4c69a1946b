"""A purchase becomes a member's after it was paid: its points are given, its parking is validated."""

from __future__ import annotations

from dataclasses import dataclass

from edge.clock import Instant
from edge.errors import Declined
from edge.members.member_snapshot import plate_hmac
from edge.parking.session import Session
from edge.parking.validation import Holder
from edge.retail.order import Order, OrderState
from edge.services.attribute_sale import note_buyer
from edge.services.box import Box
from edge.services.earn_points import credit_order
from edge.services.identify_member import order_member, standing_for
from edge.services.records import Unit
from edge.services.validate_purchase import count_paid

DAY_MS = 86_400_000

#: Stays inside that are held against a member's plates.
MAX_INSIDE = 6_000


@dataclass(frozen=True, slots=True)
class Claimed:
    """What came of it. points: given now. parked: a car's parking is validated, or will be when it comes."""

    points: int = 0
    parked: bool = False


def claim_purchase(unit: Unit, box: Box, order: Order, member_id: str, now: Instant) -> Claimed:
    """Make a paid order a member's, with its points and parking; again it changes nothing.

    Raises Declined for an order that is not paid, that is somebody else's, or that is too long ago.
    """
    one = standing_for(unit, member_id)
    owner = order_member(unit, order.order_id)
    if order.state is not OrderState.PAID:
        raise Declined(f"order {order.number} is not paid")
    if owner not in ("", one):
        raise Declined(f"order {order.number} is another member's already")
    if now.wall_at - (order.closed_at or 0) > box.members.late_days * DAY_MS:
        raise Declined(f"order {order.number} is older than {box.members.late_days} days")
    points, parked = credit_order(unit, box, order.order_id, one, now), _park(unit, box, order, one, now)
    note_buyer(unit, box, order, one, now, parked=parked)
    return Claimed(points, parked)


def cars_inside(unit: Unit, box: Box, member_id: str) -> tuple[Session, ...]:
    """Return the stays inside of a member's bound plates, the latest entry first."""
    one = standing_for(unit, member_id)
    told = unit.members.get(one)
    hashes = {each.plate_hmac for each in unit.people.plates(one)} | set(told.plate_hmacs if told else ())
    key = box.members.key
    if not hashes or not key:
        return ()
    inside = unit.sessions.all_inside(MAX_INSIDE)
    return tuple(each for each in inside if each.plate and plate_hmac(key, each.plate) in hashes)


def _park(unit: Unit, box: Box, order: Order, member_id: str, now: Instant) -> bool:
    if not box.parking.validation.rules:
        return False
    known = unit.validations.purchase(order.order_id)
    if known is None:
        cars = cars_inside(unit, box, member_id)
        holder = Holder(plate=cars[0].plate if cars else "", member_id=member_id)
        count_paid(unit, box, order, holder, now)
    return any(one.counts for one in unit.validations.of_order(order.order_id))
