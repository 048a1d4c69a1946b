"""A shopper at a till pays with the phone: the till shows a code, and several tenants are paid at once."""

from __future__ import annotations

from edge.clock import Instant
from edge.errors import Declined, Unavailable
from edge.services.box import Box, WorkstationKind
from edge.services.pay_by_phone import begin_order_payment, close_phone_payment
from edge.services.records import Unit
from edge.services.workstation import Busy, act, load, need_order, show_notice


def begin(box: Box, workstation: str) -> None:
    """Show the code by which any phone pays what is due; the same one again while it can be paid.

    Raises Declined at a place that is no till or while it is paid in another way, Unavailable when the
    gateway cannot be reached, Invalid without an order.
    """
    if box.workstation(workstation).kind is not WorkstationKind.TILL:
        raise Declined(f"{workstation} is no till; phones pay by the code on the kiosk's screen")
    begin_order_payment(box, _order_at(box, workstation))


def give_up(box: Box, workstation: str) -> None:
    """Close what a phone was to pay at a till or kiosk, so that another way may charge.

    The shopper may have been faster: look at the order.

    Raises Unavailable while it cannot be closed for sure.
    """
    if not close_phone_payment(box, _order_at(box, workstation)):
        raise Unavailable("the payment by phone is still being closed; try again in a moment")

    def quiet(unit: Unit, busy: Busy, now: Instant) -> None:
        # The cashier wanted it closed: no banner need say that it was.
        if busy.screen == "checkout":
            show_notice(unit, busy, now, None)

    act(box, workstation, quiet)


def _order_at(box: Box, workstation: str) -> str:
    return box.store.read(lambda unit: need_order(load(unit, box, workstation)).order_id)
