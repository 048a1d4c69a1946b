"""What a wallet shows of an order, and keeps in the shopper's bill: who sold it, and its number there."""

from __future__ import annotations

from edge.retail.order import Order
from edge.services.box import PHONE, Box
from edge.services.records import Unit
from edge.services.stay_lines import asks_for_stays

#: The longest description that all wallets show whole, in characters.
LONGEST = 40


def describe_order(unit: Unit, box: Box, order: Order | None) -> str:
    """Return an order's description; the same for an order whenever it is asked.

    A counter's ticket is told by its tenant and number, a phone's own cart as scan and go.
    """
    shop = box.rules.shop_name or box.origin.site
    return f"{shop} {_what(unit, box, order)}".replace(",", " ").replace("`", " ").strip()[:LONGEST]


def _what(unit: Unit, box: Box, order: Order | None) -> str:
    if order is None:
        return ""
    if asks_for_stays(order.lines):
        return "停车费"
    tickets = unit.tickets.of_order(order.order_id)
    if len(tickets) == 1:
        return f"{box.tenant(tickets[0].tenant_id).name} {tickets[0].number}"
    return f"扫码购 {order.number}" if order.workstation == PHONE and not tickets else order.number
