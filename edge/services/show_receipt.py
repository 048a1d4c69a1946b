"""A receipt's page for phones, and the steps of a conversion that happen on it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from edge.clock import Instant, iso
from edge.members.conversion import ConversionStep
from edge.members.landing import BlockKind
from edge.members.touchpoint import TouchpointKind, touchpoint_id
from edge.retail.order import Order
from edge.retail.refund import Refund, RefundPhase, refunded_fen
from edge.services.box import PHONE, Box
from edge.services.claim_parking import show_parking
from edge.services.events import EventKind, Surface, record_event
from edge.services.landing_events import landing_data
from edge.services.landing_records import ShownLanding
from edge.services.offer_landing import landing_of, shown_now, way_of
from edge.services.paid_stays import paid_stays
from edge.services.receipt_paper import receipt_url
from edge.services.record_conversion import Details, record_conversion, way_of_order
from edge.services.records import Unit
from edge.services.show_landing import order_landing
from edge.services.show_screen import show_line, show_tenders
from edge.services.show_tickets import paid_tickets

#: The touchpoints that a page may report, and the event that each becomes.
TOUCHPOINT_EVENTS = {
    "opened": (EventKind.LANDING_OPENED, None),
    "join": (EventKind.LANDING_JOIN, BlockKind.JOIN),
    "follow": (EventKind.LANDING_FOLLOW, BlockKind.FOLLOW),
}

#: What counts as an act on a page, by which its variants are told apart; opening it is none.
ACTS = frozenset({"join", "follow", "offer", "coupon", "parking", "guide", "next_store"})


def show_receipt(box: Box, token: str) -> Mapping[str, object] | None:
    """Return the receipt and landing page behind `token`, None when there is none."""

    now = box.clock.now()

    def query(unit: Unit) -> Mapping[str, object] | None:
        receipt = unit.receipts.by_token(token)
        order = unit.orders.get(receipt.order_id) if receipt else None
        if receipt is None or order is None:
            return None
        return {
            "number": order.number,
            "shop": box.rules.shop_name,
            "token": receipt.token,
            "url": receipt_url(receipt, box.rules) or f"/phone/r/{receipt.token}",
            "issued_at": receipt.issued_at,
            "issued_iso": iso(receipt.issued_at),
            "lines": [show_line(line) for line in order.lines],
            "tenders": show_tenders(order),
            "refunds": [_refund(one) for one in unit.refunds.of_order(order.order_id) if one.holds_money],
            "total_fen": order.total_fen,
            "refunded_fen": refunded_fen(unit.refunds.of_order(order.order_id)),
            "stays": paid_stays(unit, box, order, now),
            "landing": order_landing(unit, box, order),
            "way": way_of(unit, order),
            "tickets": paid_tickets(unit, box, order),
            "parking": show_parking(unit, box, order.basket_id, order.order_id),
        }

    return box.store.read(query)


def record_touchpoint(box: Box, token: str, touchpoint: str) -> None:
    """Count and tell once of each kind of step on a receipt's page; unknown tokens and steps are ignored."""
    if touchpoint not in {*TOUCHPOINT_EVENTS, *ACTS}:
        return
    kind, block = TOUCHPOINT_EVENTS.get(touchpoint, (None, None))
    now = box.clock.now()

    def work(unit: Unit) -> None:
        receipt = unit.receipts.by_token(token)
        order = unit.orders.get(receipt.order_id) if receipt else None
        if receipt is None or order is None:
            return
        page, shown = landing_of(unit, order), shown_now(unit, order.order_id)
        mark = _mark(touchpoint, order, shown)
        if not unit.receipts.mark_touched(receipt.receipt_id, mark, now.wall_at):
            return
        if shown is not None and touchpoint in ACTS:
            unit.landings.mark_acted(shown.order_id, now.wall_at)
        if page is not None and kind is not None:
            step = landing_data(page, order, Surface.PHONE, shown, block)
            record_event(unit, box.ids, now, box.origin, kind, order.order_id, step)
        _step(unit, box, order, touchpoint, now)

    box.store.write(work)


def _mark(touchpoint: str, order: Order, shown: ShownLanding | None) -> str:
    """Return what makes a step one: the same on the page that came after a refund is another."""
    again = shown is not None and shown.order_id != order.order_id
    return f"{touchpoint}.refund" if again else touchpoint


def _step(unit: Unit, box: Box, order: Order, touchpoint: str, now: Instant) -> None:
    """Record what was done on a receipt's page as steps of the order's way: the receipt's, and the page's."""
    way = way_of_order(unit, box, order, now)
    if not way:
        return
    step = partial(record_conversion, unit, box, correlation=way, now=now)
    if touchpoint == "opened":
        scanned = ConversionStep.OPENED if order.workstation == PHONE else ConversionStep.SCANNED
        step(scanned, touchpoint=touchpoint_id(TouchpointKind.RECEIPT, order.workstation))
    page, shown = landing_of(unit, order), shown_now(unit, order.order_id)
    if page is not None:
        place = touchpoint_id(TouchpointKind.LANDING, page.tenant_id or "mall")
        about = _mark(touchpoint, order, shown)
        told = Details(page.tenant_id, variant=shown.label if shown else "", subject=about)
        step(ConversionStep.OPENED, touchpoint=place, details=told)


def _refund(refund: Refund) -> Mapping[str, object]:
    done = refund.phase is RefundPhase.DONE
    return {"number": refund.number, "amount_fen": refund.amount_fen, "done": done}
