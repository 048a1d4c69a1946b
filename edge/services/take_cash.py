"""Cash at a staffed till: what is received covers what is due, the rest is change."""

from __future__ import annotations

from edge.clock import Instant
from edge.errors import Declined, Invalid
from edge.retail.order import cash_tender
from edge.services.box import Box
from edge.services.complete_order import take_tender
from edge.services.open_shift import need_cash_shift
from edge.services.pay_by_phone import PHONE_WAYS, hurry_closing
from edge.services.records import Unit
from edge.services.workstation import Busy, Notice, NoticeCode, act, need_order, save, show_notice


def take_cash(box: Box, workstation: str, received_fen: int, due_fen: int | None = None) -> int:
    """Book cash for the order on this till; return the change in fen.

    due_fen: what the cashier saw as due; when something else is due by now, as after a second tap or
    another tender, nothing is booked and Invalid says so. What a phone could still pay is closed first, and
    Declined says to take the cash in a moment.
    """
    if not box.workstation(workstation).cash:
        raise Declined(f"workstation {workstation} takes no cash; pay by code or at a staffed till")

    def step(unit: Unit, busy: Busy, now: Instant) -> int | None:
        order = need_order(busy)
        need_cash_shift(unit, box, workstation)
        if busy.attempt is not None and busy.attempt.is_open and busy.attempt.way in PHONE_WAYS:
            hurry_closing(unit, busy.attempt, now)
            show_notice(unit, busy, now, Notice(box.ids.new_id(), "info", NoticeCode.PHONE_ENDING))
            return None
        if busy.money_in_flight:
            raise Invalid(f"a payment for order {order.number} is on its way; wait for its end")
        if due_fen is not None and due_fen != order.due_fen:
            raise Invalid(
                f"order {order.number} has {order.due_fen} fen due by now; look at the screen again"
            )
        tender = cash_tender(order, box.ids.new_id(), received_fen, now.wall_at)
        covered = take_tender(unit, box, order, tender, now)
        save(unit, busy, now, basket=busy.basket, order=covered)
        return tender.change_fen

    change_fen = act(box, workstation, step)
    if change_fen is None:
        raise Declined("the phone's payment is being closed; take the cash when the screen asks for it again")
    return change_fen
