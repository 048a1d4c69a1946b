"""From basket to order and back: freeze and number it, or give it up before any money moved."""

from __future__ import annotations

from dataclasses import replace

from edge.clock import Instant
from edge.errors import Invalid
from edge.retail.basket import Basket, BasketState, change_state
from edge.retail.order import Order, cancel, freeze
from edge.services.box import Box
from edge.services.business_day import business_day
from edge.services.charge_stay import refresh_stays
from edge.services.collected import bind_collected, refresh_tickets
from edge.services.complete_order import complete_if_covered
from edge.services.earn_points import settle_points
from edge.services.events import EventKind, order_cancelled, record_event
from edge.services.records import Unit
from edge.services.settle_tickets import release_tickets
from edge.services.workstation import Busy, act, need_basket, need_order, save


def check_out(box: Box, workstation: str) -> None:
    """Freeze the basket into a numbered order that waits for payment, and have it pay the tickets in it.

    When a ticket has changed since it was collected, the basket shows that first.
    """

    def step(unit: Unit, busy: Busy, now: Instant) -> None:
        basket = refresh_tickets(unit, box, busy, need_basket(busy), now)
        if basket is None:
            return
        frozen, order = freeze_basket(unit, box, basket, workstation, now)
        save(unit, busy, now, basket=frozen, order=order)
        bind_collected(unit, box, order, now)
        complete_if_covered(unit, box, order, now)

    act(box, workstation, step)


def freeze_basket(unit: Unit, box: Box, basket: Basket, place: str, now: Instant) -> tuple[Basket, Order]:
    """Return an open basket as it is now with its numbered order; neither is written yet.

    Raises Invalid for an empty basket and for one that waits for an age check.
    """
    order_id = box.ids.new_id()
    basket = refresh_stays(unit, box, basket, order_id, now)
    day = business_day(box, now)
    number = f"{place}-{unit.orders.take_number(day):04d}"
    order = freeze(basket, order_id, number, day, now.wall_at)
    return change_state(basket, BasketState.ORDERED, now.wall_at), order


def cancel_order(unit: Unit, box: Box, order: Order, now: Instant) -> Order:
    """Cancel an order that no money was taken for, tell of it, and return it; raise Invalid otherwise."""
    cancelled = cancel(order, now.wall_at)
    unit.orders.put(cancelled)
    data = order_cancelled(cancelled)
    record_event(unit, box.ids, now, box.origin, EventKind.ORDER_CANCELLED, order.order_id, data)
    settle_points(unit, box, cancelled, now)
    release_tickets(unit, box, cancelled)
    return cancelled


def back_to_basket(box: Box, workstation: str) -> None:
    """Go on scanning: the order is cancelled, its basket is open again."""
    act(box, workstation, lambda unit, busy, now: _give_up(unit, box, busy, now, keep_basket=True))


def cancel_sale(box: Box, workstation: str) -> None:
    """Give everything up; refused while money is on its way or was taken."""
    act(box, workstation, lambda unit, busy, now: _give_up(unit, box, busy, now, keep_basket=False))


def leave(box: Box, workstation: str) -> None:
    """The shopper has seen the paid screen and goes; the next one starts in the usual language."""

    def step(unit: Unit, busy: Busy, now: Instant) -> None:
        if busy.screen != "paid":
            raise Invalid(f"workstation {workstation} is not finished; pay or cancel first")
        to_start(unit, box, busy, now)

    act(box, workstation, step)


def to_start(unit: Unit, box: Box, busy: Busy, now: Instant) -> None:
    """Show the attract screen to the next shopper, in the workstation's own language."""
    language = box.workstation(busy.state.workstation).language
    save(unit, replace(busy, state=replace(busy.state, language=language)), now, basket=None)


def reopen(unit: Unit, box: Box, busy: Busy, now: Instant) -> Busy:
    """Cancel the order that waits and open its basket again; raise Invalid when money moves.

    Of an order that a counter made of its ticket nothing goes back into a basket: it can be paid again.
    Tickets that a till has collected stay in its basket.
    """
    order = need_order(busy)
    if busy.money_in_flight:
        raise Invalid(f"a payment for order {order.number} is on its way; wait for its end")
    if busy.basket is None:
        raise Invalid(f"order {order.number} has no basket to go back to; cancel it")
    basket = change_state(busy.basket, BasketState.OPEN, now.wall_at)
    collected = unit.collections.of_basket(basket.basket_id)
    if unit.tickets.of_order(order.order_id) and not collected:
        unit.baskets.put(change_state(basket, BasketState.ABANDONED, now.wall_at))
        save(unit, busy, now, basket=None)
        cancel_order(unit, box, order, now)
        return Busy(replace(busy.state, basket_id=None, order_id=None, notice=""), None, None, None)
    save(unit, busy, now, basket=basket)
    cancel_order(unit, box, order, now)
    state = replace(busy.state, order_id=None, notice="")
    return Busy(state, basket, None, None)


def _give_up(unit: Unit, box: Box, busy: Busy, now: Instant, *, keep_basket: bool) -> None:
    if busy.screen in {"checkout", "waiting"}:
        busy = reopen(unit, box, busy, now)
        if busy.basket is None:
            to_start(unit, box, busy, now)
            return
    basket = need_basket(busy)
    if keep_basket:
        return
    unit.baskets.put(change_state(basket, BasketState.ABANDONED, now.wall_at))
    to_start(unit, box, busy, now)
