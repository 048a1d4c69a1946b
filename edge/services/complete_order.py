"""Money arrived: cover the order, and once nothing is due close it with books, receipt and events."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from edge.clock import Instant
from edge.retail.ledger import post_sale, post_tender
from edge.retail.order import Order, OrderState, Tender, add_tender
from edge.retail.receipt import Receipt
from edge.services.attribute_sale import note_sale
from edge.services.box import Box
from edge.services.earn_points import earn_for_order
from edge.services.events import EventKind, order_paid, receipt_issued, record_event
from edge.services.hand_over_notices import note_paid
from edge.services.offer_landing import landing_of, offer_landing
from edge.services.open_shift import ensure_shift
from edge.services.records import Unit
from edge.services.settle_stays import settle_stays
from edge.services.settle_tenants import settle_tenants
from edge.services.settle_tickets import settle_tickets
from edge.services.validate_purchase import validate_purchase


def take_tender(unit: Unit, box: Box, order: Order, tender: Tender, now: Instant) -> Order:
    """Book `tender` for `order` and complete the order when it covers the rest; return the order."""
    covered = add_tender(order, tender)
    ensure_shift(unit, box, order.workstation, now)
    unit.orders.put(covered)
    unit.ledger.post(post_tender(box.ids.new_id(), covered, tender))
    if covered.state is OrderState.PAID:
        _complete(unit, box, covered, now)
    return covered


def complete_if_covered(unit: Unit, box: Box, order: Order, now: Instant) -> Order:
    """Complete an order on which nothing is due, such as one of free samples."""
    if order.due_fen or order.state is not OrderState.AWAITING:
        return order
    ensure_shift(unit, box, order.workstation, now)
    paid = replace(order, state=OrderState.PAID, closed_at=now.wall_at)
    unit.orders.put(paid)
    _complete(unit, box, paid, now)
    return paid


def _complete(unit: Unit, box: Box, order: Order, now: Instant) -> None:
    unit.ledger.post(post_sale(box.ids.new_id(), order, now.wall_at))
    receipt = Receipt(
        receipt_id=box.ids.new_id(),
        order_id=order.order_id,
        workstation=order.workstation,
        token=box.ids.new_token(),
        issued_at=now.wall_at,
    )
    unit.receipts.put(receipt)
    tell = partial(record_event, unit, box.ids, now, box.origin)
    tell(EventKind.ORDER_PAID, order.order_id, order_paid(order))
    tell(EventKind.RECEIPT_ISSUED, receipt.receipt_id, receipt_issued(receipt, order), order.order_id)
    settle_stays(unit, box, order, now)
    settle_tickets(unit, box, order, now)
    settle_tenants(unit, box, order, now)
    offer_landing(unit, box, order, now)
    validated = validate_purchase(unit, box, order, now)
    note_sale(unit, box, order, now, landing_of(unit, order), parked=bool(validated.validations))
    earn_for_order(unit, box, order, now)
    note_paid(unit, box, order, now)
