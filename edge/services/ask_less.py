"""Ask for less of a fee that is on a screen, or for nothing: what was granted meanwhile counts at once."""

from __future__ import annotations

from edge.clock import Instant
from edge.errors import Declined
from edge.services.box import Box
from edge.services.charge_stay import due_of_stay, forget_order, open_orders, put_charge
from edge.services.records import Unit
from edge.services.release_lane import note_settled


def ask_less(unit: Unit, box: Box, session_id: str, now: Instant, workstation: str = "") -> None:
    """Ask for what is still due of a stay where it is asked for; when nothing is, let its lane go.

    workstation: where it is to be asked for, "" for the place that asks already. Raises Declined while a
    payment for it is on its way.
    """
    due = due_of_stay(unit, box, session_id, now)
    orders = open_orders(unit, due)
    for order in orders:
        if order.tenders or any(one.is_open for one in unit.attempts.of_order(order.order_id)):
            raise Declined("a payment for this fee is on its way; wait for its end")
    place = workstation or next((order.workstation for order in orders), "")
    if due.due_fen:
        if place:
            put_charge(unit, box, session_id, place, now)
        return
    for order in orders:
        forget_order(unit, box, order, now)
    note_settled(unit, box, session_id, now)
