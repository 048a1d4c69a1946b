"""Orders of phones: who is busy with one, and how one that nobody pays is given up.

A phone's session is to its order what a workstation's screen is: as long as it is busy with it, a payment
that came to nothing leaves the order to be paid again.
"""

from __future__ import annotations

from edge.clock import Instant
from edge.retail.basket import BasketState, change_state
from edge.retail.order import Order, OrderState
from edge.services.box import PHONE, Box
from edge.services.charge_stay import forget_order
from edge.services.check_out import cancel_order
from edge.services.phone_records import PhoneSession
from edge.services.phone_session import busy_with
from edge.services.records import Unit
from edge.services.stay_lines import asks_for_stays

#: Sessions that are looked at in one go.
MAX_AT_ONCE = 200


def phone_waits(unit: Unit, order: Order) -> bool:
    """Return whether a phone is busy with this order of its own."""
    if order.workstation != PHONE or asks_for_stays(order.lines):
        return False
    session = unit.phones.by_order(order.order_id)
    return session is not None and session.order_id == order.order_id


def cancel_phone_order(unit: Unit, box: Box, order: Order, now: Instant) -> None:
    """Cancel a phone's order for which no money moves: the phone has its cart again, tickets are free.

    Goods of a phone that is gone are held, as those of any forsaken basket are.
    """
    if asks_for_stays(order.lines):
        forget_order(unit, box, order, now)
        return
    tickets = unit.tickets.of_order(order.order_id)
    cancel_order(unit, box, order, now)
    session = unit.phones.by_order(order.order_id)
    keeps = session is not None and session.basket_id == order.basket_id
    basket = unit.baskets.get(order.basket_id)
    if basket is not None and basket.state is BasketState.ORDERED:
        opened = change_state(basket, BasketState.OPEN, now.wall_at)
        if tickets:
            opened = change_state(opened, BasketState.ABANDONED, now.wall_at)
        elif not keeps:
            opened = change_state(opened, BasketState.HELD, now.wall_at)
        unit.baskets.put(opened)
    if session is not None and session.order_id == order.order_id:
        busy_with(unit, session, now, basket_id=session.basket_id, order_id=None)


def end_forsaken_orders(box: Box) -> int:
    """Cancel what phones have left unpaid for long, and have them be busy with nothing; return how many."""
    now = box.clock.now()
    before = now.wall_at - box.phone.order_idle_ms
    sessions = box.store.read(lambda unit: unit.phones.busy(before, MAX_AT_ONCE))
    return sum(box.store.write(lambda unit, one=one: _end(unit, box, one, now)) for one in sessions)  # type: ignore[misc]


def _end(unit: Unit, box: Box, seen: PhoneSession, now: Instant) -> bool:
    session = unit.phones.get(seen.session_id)
    if session is None or session != seen or session.order_id is None:
        return False
    order = unit.orders.get(session.order_id)
    if order is not None and order.state is OrderState.AWAITING and order.workstation == PHONE:
        if order.tenders or any(one.is_open for one in unit.attempts.of_order(order.order_id)):
            return False
        cancel_phone_order(unit, box, order, now)
        return True
    busy_with(unit, session, now, basket_id=session.basket_id, order_id=None)
    return False
