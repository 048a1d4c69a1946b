"""The cart of a phone: what it is busy with, loaded, changed and given up as one step."""

from __future__ import annotations

from dataclasses import dataclass

from edge.clock import Instant
from edge.errors import Declined, Invalid
from edge.members.conversion import ConversionStep, is_correlation
from edge.members.touchpoint import TouchpointKind, touchpoint_id
from edge.retail.attempt import PaymentAttempt
from edge.retail.basket import Basket, BasketState, change_state
from edge.retail.order import Order, OrderState
from edge.services.box import PHONE, Box
from edge.services.check_out import cancel_order
from edge.services.journey_records import LinkKind
from edge.services.phone_records import PhoneSession
from edge.services.phone_session import busy_with
from edge.services.record_conversion import adopt_way, record_conversion, touch_basket
from edge.services.records import Unit


@dataclass(frozen=True, slots=True)
class Cart:
    """A phone with its basket. basket: open, or ordered and not paid; None for an empty cart.

    order: that waits for the basket's money. attempt: its payment that is open, None without one.
    """

    session: PhoneSession
    basket: Basket | None
    order: Order | None
    attempt: PaymentAttempt | None

    @property
    def money_moves(self) -> bool:
        """Whether money of the order was taken or may still move."""
        return self.attempt is not None or (self.order is not None and bool(self.order.tenders))


def load_cart(unit: Unit, session_id: str) -> Cart:
    """Return what a phone has in its cart; raise Invalid for a session that has ended."""
    session = unit.phones.get(session_id)
    if session is None:
        raise Invalid("this session has ended; open the page again")
    basket = unit.baskets.get(session.basket_id) if session.basket_id else None
    if basket is None or basket.workstation != PHONE:
        return Cart(session, None, None, None)
    order = order_of_cart(unit, basket) if basket.state is BasketState.ORDERED else None
    if order is None or order.state is not OrderState.AWAITING:
        over = order is not None and order.state is OrderState.PAID
        return Cart(session, None if over else _opened(basket), None, None)
    moving = next((one for one in unit.attempts.of_order(order.order_id) if one.is_open), None)
    return Cart(session, basket, order, moving)


def _opened(basket: Basket) -> Basket | None:
    """Return a basket whose order came to nothing as it goes on, None for one that was given up."""
    if basket.state in (BasketState.OPEN, BasketState.ABANDONED):
        return basket if basket.state is BasketState.OPEN else None
    return change_state(basket, BasketState.OPEN, basket.changed_at)


def order_of_cart(unit: Unit, basket: Basket) -> Order | None:
    """Return the newest order of a phone's basket."""
    order_id = unit.carts.order_of(basket.basket_id)
    return None if order_id is None else unit.orders.get(order_id)


def open_cart(unit: Unit, box: Box, cart: Cart, now: Instant) -> Basket:
    """Return the basket to add to: the open one, the ordered one opened again, or a new one.

    Raises Declined while money moves, and while no new sale is begun.
    """
    if cart.basket is not None and cart.order is not None:
        return reopen_cart(unit, box, cart, now)
    if cart.basket is not None:
        return cart.basket
    reason = box.closed()
    if reason:
        raise Declined(f"no new sale is begun: {reason}")
    return Basket(
        basket_id=box.ids.new_id(), workstation=PHONE, opened_at=now.wall_at, changed_at=now.wall_at
    )


def reopen_cart(unit: Unit, box: Box, cart: Cart, now: Instant) -> Basket:
    """Cancel the order that waits and return its basket, open again; raise Declined while money moves."""
    assert cart.basket is not None
    if cart.order is None:
        return cart.basket
    if cart.money_moves:
        raise Declined(f"a payment for order {cart.order.number} is on its way; wait for its end")
    cancel_order(unit, box, cart.order, now)
    basket = change_state(cart.basket, BasketState.OPEN, now.wall_at)
    keep_cart(unit, cart.session, basket, now)
    return basket


def keep_cart(unit: Unit, session: PhoneSession, basket: Basket | None, now: Instant) -> None:
    """Write what a phone is busy with from now on; of an order that it pays nothing changes."""
    if basket is not None:
        unit.baskets.put(basket)
    present = unit.phones.get(session.session_id) or session
    basket_id = basket.basket_id if basket is not None else None
    busy_with(unit, present, now, basket_id=basket_id, order_id=present.order_id)


def join_way(unit: Unit, box: Box, session: PhoneSession, basket_id: str, now: Instant) -> None:
    """Have a cart go on with the way on which its phone came, and note that its phone began to shop.

    It is noted where the way began: the cart itself has brought nobody here.
    """
    if not is_correlation(session.correlation):
        touch_basket(unit, box, basket_id, PHONE, now)
        return
    adopt_way(unit, box, LinkKind.BASKET, basket_id, session.correlation, now)
    way = unit.journeys.get(session.correlation)
    place = way.origin if way is not None and way.origin else touchpoint_id(TouchpointKind.WORKSTATION, PHONE)
    record_conversion(unit, box, ConversionStep.OPENED, session.correlation, place, now)
