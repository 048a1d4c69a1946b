"""A receipt's page for phones, and the steps of a conversion that happen on it."""

from __future__ import annotations

from collections.abc import Mapping

from edge.clock import iso
from edge.members.conversion import ConversionStep
from edge.members.landing import BlockKind
from edge.members.touchpoint import TouchpointKind, touchpoint_id
from edge.retail.refund import Refund, RefundPhase
from edge.services.box import Box
from edge.services.claim_parking import show_parking
from edge.services.events import EventKind, Surface, record_event
from edge.services.landing_events import landing_data
from edge.services.offer_landing import landing_of
from edge.services.receipt_paper import receipt_url
from edge.services.record_conversion import Details, record_conversion, way_of_order
from edge.services.records import Unit
from edge.services.show_landing import order_landing
from edge.services.show_screen import show_line, show_tenders

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
            "landing": order_landing(unit, box, order),
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
        page = landing_of(unit, order)
        if page is not None and unit.receipts.mark_touched(receipt.receipt_id, touchpoint, now.wall_at):
            if touchpoint in ACTS:
                unit.landings.mark_acted(order.order_id, now.wall_at)
            if kind is not None:
                shown = unit.landings.shown_of(order.order_id)
                step = landing_data(page, order, Surface.PHONE, shown, block)
                record_event(unit, box.ids, now, box.origin, kind, order.order_id, step)
            place = touchpoint_id(TouchpointKind.LANDING, page.tenant_id or "mall")
            opened = Details(tenant_id=page.tenant_id, subject=touchpoint)
            way = way_of_order(unit, box, order, now)
            if way:
                record_conversion(unit, box, ConversionStep.OPENED, way, place, now, opened)

    box.store.write(work)


def _refund(refund: Refund) -> Mapping[str, object]:
    done = refund.phase is RefundPhase.DONE
    return {"number": refund.number, "amount_fen": refund.amount_fen, "done": done}
