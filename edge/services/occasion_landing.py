"""Pages after other things than a payment: after joining, and on the receipt of what was given back.

Both are shown only where one was published for just that occasion; the order's own page stays otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping

from edge.clock import Instant
from edge.members.conversion import ConversionStep, is_correlation
from edge.members.landing import LandingPage
from edge.members.landing_version import Occasion, choose_version
from edge.members.touchpoint import TouchpointKind, touchpoint_id
from edge.retail.order import Order
from edge.services.box import PHONE, Box
from edge.services.events import EventKind, Surface, record_event
from edge.services.landing_events import occasion_data
from edge.services.landing_records import ShownLanding
from edge.services.offer_landing import (
    assign_variant,
    current_versions,
    page_of,
    refund_key,
    shopper_key,
    way_of,
)
from edge.services.record_conversion import Details, record_conversion
from edge.services.records import Unit
from edge.services.show_landing import show_landing


def join_key(member_id: str) -> str:
    """Return by what the page is kept that a member saw after joining."""
    return f"{member_id}.join"


def offer_refund_page(unit: Unit, box: Box, order: Order, now: Instant) -> ShownLanding | None:
    """Have a refunded order's receipt end on the refund's page from now on; None without one.

    Call it in the unit that approves the refund; another refund of the order keeps the page.
    """
    way = way_of(unit, order)
    return _offer(unit, box, Occasion.REFUND, refund_key(order.order_id), order, way, way, now)


def offer_join_page(
    unit: Unit, box: Box, member_id: str, order: Order | None, way: str, now: Instant
) -> ShownLanding | None:
    """Choose and keep what a new member sees, of the tenant where they bought; None without one."""
    return _offer(unit, box, Occasion.JOIN, join_key(member_id), order, way, member_id, now)


def join_page(unit: Unit, member_id: str) -> Mapping[str, object] | None:
    """Return what a new member saw after joining as JSON, None for nothing."""
    shown = unit.landings.shown_of(join_key(member_id))
    page = page_of(unit, shown) if shown else None
    return None if page is None else show_landing(page)


def _offer(
    unit: Unit,
    box: Box,
    occasion: Occasion,
    key: str,
    order: Order | None,
    way: str,
    who: str,
    now: Instant,
) -> ShownLanding | None:
    known = unit.landings.shown_of(key)
    if known is not None:
        return known
    spent: dict[str, int] = {}
    for line in order.lines if order else ():
        spent[line.tenant_id] = spent.get(line.tenant_id, 0) + line.amount_fen
    journey = unit.journeys.get(way) if way else None
    held = [one for one in current_versions(unit, spent, now.wall_at) if one.slot.occasion is occasion]
    version = choose_version(held, spent, occasion, journey.campaign if journey else "")
    if version is None:
        return None
    shopper = shopper_key("member" if occasion is Occasion.JOIN else "way", who) if who else key
    shown = ShownLanding(
        key, version.slot, version.number, assign_variant(unit, version, shopper), shopper, now.wall_at
    )
    unit.landings.put_shown(shown)
    page = page_of(unit, shown)
    if page is not None:
        _tell(unit, box, page, order, shown, way, now)
    return shown


def _tell(
    unit: Unit, box: Box, page: LandingPage, order: Order | None, shown: ShownLanding, way: str, now: Instant
) -> None:
    order_id, workstation = (order.order_id, order.workstation) if order else ("", PHONE)
    data = occasion_data(page, order_id, workstation, Surface.PHONE, shown)
    record_event(unit, box.ids, now, box.origin, EventKind.LANDING_SHOWN, shown.order_id, data, way)
    if is_correlation(way):
        place = touchpoint_id(TouchpointKind.LANDING, page.tenant_id or "mall")
        told = Details(
            tenant_id=page.tenant_id,
            variant=shown.label,
            order_id=order_id,
            subject=shown.slot.occasion.value,
        )
        record_conversion(unit, box, ConversionStep.SHOWN, way, place, now, told)
