"""The stays whose parking an order paid, for the page after payment: whose car, and until when to leave."""

from __future__ import annotations

from edge.clock import Instant
from edge.codes.sheet import MAX_AT
from edge.parking.plate import mask_plate
from edge.parking.quote_words import note
from edge.parking.stay_charge import PARKING_SKU
from edge.retail.order import Order
from edge.services.box import Box
from edge.services.charge_stay import due_of_stay
from edge.services.records import Unit
from edge.services.stay_lines import kept_quote


def paid_stays(unit: Unit, box: Box, order: Order, now: Instant) -> list[dict[str, object]]:
    """Return [{"plate", "leave_by"}] of an order's stays, plates masked.

    leave_by: Unix milliseconds; None for a stay that is over, that owes again, and without an end.
    """
    stays = dict.fromkeys(one.session_id for one in unit.settlements.of_order(order.order_id))
    return [_shown(unit, box, one, now) for one in stays if unit.sessions.get(one) is not None]


def doubts_of(unit: Unit, order: Order) -> tuple[tuple[str, str], ...]:
    """Return what a receipt says of the clocks behind an order's parking fees, in Chinese and English."""
    charges = (unit.stay_charges.get(line.line_id) for line in order.lines if line.sku == PARKING_SKU)
    notes = dict.fromkeys(str(kept_quote(one).get("clock_note", "")) for one in charges if one is not None)
    return tuple((note(one, "zh"), note(one, "en")) for one in notes if one)


def _shown(unit: Unit, box: Box, session_id: str, now: Instant) -> dict[str, object]:
    due = due_of_stay(unit, box, session_id, now)
    quote = due.quote
    until = quote.allowed_exit_at if quote is not None and not quote.due_fen else None
    open_end = until is None or until >= MAX_AT
    return {"plate": mask_plate(due.session.plate), "leave_by": None if open_end else until}
