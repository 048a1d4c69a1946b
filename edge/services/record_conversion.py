"""Record the steps of shoppers' ways: once each, counted and told to HQ in the same transaction.

A box without touch rules records nothing, and everything here is then without effect.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from edge.clock import Instant, local
from edge.errors import Invalid
from edge.members.conversion import (
    Conversion,
    ConversionStep,
    Journey,
    check_correlation,
    is_correlation,
    step_key,
)
from edge.members.touchpoint import Touchpoint, TouchpointKind, touchpoint_id
from edge.retail.order import Order
from edge.services.box import Box
from edge.services.business_day import business_day
from edge.services.conversion_events import conversion_step
from edge.services.events import EventKind, record_event
from edge.services.journey_records import LinkKind
from edge.services.records import Unit


@dataclass(frozen=True, slots=True)
class Details:
    """What is known of a step besides where it happened; "" for what is not.

    subject: what makes it another one of the same kind at the same place, such as a coupon's code.
    """

    tenant_id: str = ""
    guide: str = ""
    campaign: str = ""
    variant: str = ""
    member_id: str = ""
    order_id: str = ""
    amount_fen: int = 0
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Scanned:
    """What came of a scanned code: the way to go on with, "" when none was recorded, and the touchpoint."""

    correlation: str
    touchpoint: Touchpoint


def record_conversion(
    unit: Unit,
    box: Box,
    step: ConversionStep,
    correlation: str,
    touchpoint: str,
    now: Instant,
    details: Details | None = None,
) -> Conversion | None:
    """Write, count and tell one step; None for one that its way has already, and without touch rules.

    The way is begun when it is not known. What the details leave open is taken from the touchpoint and from
    the way. Raises Invalid for what is no correlation id.
    """
    if box.touch is None:
        return None
    told = details or Details()
    place = box.touch.book.find(touchpoint)
    known = unit.journeys.get(check_correlation(correlation))
    way = _learned(known or Journey(correlation, now.wall_at, touchpoint), told, place)
    one = Conversion(
        conversion_id=box.ids.new_id(),
        key=step_key(step, touchpoint, told.subject or told.order_id),
        correlation=correlation,
        step=step,
        at=now.wall_at,
        day=business_day(box, now),
        hour=local(now.wall_at, box.rules.zone).hour,
        touchpoint=touchpoint,
        origin=way.origin,
        first=not unit.journeys.has(correlation, step),
        tenant_id=told.tenant_id or (place.tenant_id if place else ""),
        guide=way.guide,
        campaign=told.campaign or (place.campaign if place else ""),
        variant=way.variant,
        member_id=way.member_id,
        order_id=told.order_id,
        amount_fen=told.amount_fen,
        served=bool(told.guide or (place.guide if place else "")),
    )
    if not unit.journeys.add(one):
        return None
    if way != known:
        unit.journeys.put(way)
    data = conversion_step(one)
    record_event(
        unit, box.ids, now, box.origin, EventKind.CONVERSION_STEP, one.conversion_id, data, correlation
    )
    return one


def scan_touchpoint(
    box: Box, touchpoint: str, correlation: str = "", *, record: bool = True
) -> Scanned | None:
    """Record that somebody's phone followed a touchpoint's code; None for an unknown touchpoint.

    correlation: of the way that they are on; without one, or with what is none, a new way begins. The same
    way scans the same code once. record: False leads on and records nothing.
    """
    found = box.touch.book.find(touchpoint) if box.touch else None
    if found is None:
        return None
    if not record:
        return Scanned(correlation if is_correlation(correlation) else "", found)
    now = box.clock.now()
    way = correlation if is_correlation(correlation) else box.ids.new_token()
    box.store.write(
        lambda unit: record_conversion(unit, box, ConversionStep.SCANNED, way, found.touchpoint_id, now)
    )
    return Scanned(way, found)


def record_step(box: Box, step: ConversionStep, correlation: str, touchpoint: str) -> None:
    """Record one step by itself, for pages; an unknown touchpoint or correlation id is ignored."""
    if box.touch is None or box.touch.book.find(touchpoint) is None or not is_correlation(correlation):
        return
    now = box.clock.now()
    box.store.write(lambda unit: record_conversion(unit, box, step, correlation, touchpoint, now))


def record_join(
    unit: Unit,
    box: Box,
    member_id: str,
    touchpoint: str,
    now: Instant,
    order_id: str = "",
    correlation: str = "",
) -> None:
    """Record that somebody became a member: on the way that is told, else on their order's; else nothing."""
    if box.touch is None:
        return
    order = unit.orders.get(order_id) if order_id and not correlation else None
    way = correlation if order is None else way_of_order(unit, box, order, now)
    if way and box.touch.book.find(touchpoint) is None:
        journey = unit.journeys.get(way)
        touchpoint = journey.origin if journey else ""
    if is_correlation(way) and touchpoint:
        told = Details(member_id=member_id, order_id=order_id)
        record_conversion(unit, box, ConversionStep.JOINED, way, touchpoint, now, told)


def touch_basket(unit: Unit, box: Box, basket_id: str, workstation: str, now: Instant) -> str:
    """Return the way that a basket belongs to; it is begun at the workstation when there is none.

    Call it where a basket is begun, in the same transaction. "" without touch rules.
    """
    if box.touch is None:
        return ""
    known = unit.journeys.linked(LinkKind.BASKET, basket_id)
    if known:
        return known
    correlation = box.ids.new_token()
    unit.journeys.link(LinkKind.BASKET, basket_id, correlation, now.wall_at)
    place = touchpoint_id(TouchpointKind.WORKSTATION, workstation)
    record_conversion(unit, box, ConversionStep.OPENED, correlation, place, now)
    return correlation


def adopt_way(unit: Unit, box: Box, kind: LinkKind, reference: str, correlation: str, now: Instant) -> None:
    """Have a basket, order or ticket go on with the way of a phone; the last one that is said before payment.

    Raises Invalid for what is no correlation id and once the sale was credited.
    """
    if box.touch is None:
        return
    check_correlation(correlation)
    if kind is LinkKind.ORDER and unit.credits.get(reference) is not None:
        raise Invalid(f"order {reference} is paid and credited; its way stays as it is")
    unit.journeys.link(kind, reference, correlation, now.wall_at, replace=True)


def way_of_order(unit: Unit, box: Box, order: Order, now: Instant) -> str:
    """Return the way of an order: its own, its basket's, or a new one; "" without rules."""
    if box.touch is None:
        return ""
    known = unit.journeys.linked(LinkKind.ORDER, order.order_id)
    if known:
        return known
    correlation = touch_basket(unit, box, order.basket_id, order.workstation, now)
    unit.journeys.link(LinkKind.ORDER, order.order_id, correlation, now.wall_at)
    return correlation


def _learned(way: Journey, told: Details, place: Touchpoint | None) -> Journey:
    """Return the way with what a step tells of it; what it does not tell stays."""
    return replace(
        way,
        guide=told.guide or (place.guide if place else "") or way.guide,
        campaign=told.campaign or (place.campaign if place else "") or way.campaign,
        variant=told.variant or way.variant,
        member_id=told.member_id or way.member_id,
    )
