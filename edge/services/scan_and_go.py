"""Scan and go (扫码购): a phone scans goods into its cart and pays them; see pass_exit for the way out.

Only goods of tenants that allow it. Goods with an age limit, weighed goods without a label and goods that
nobody knows go to a till; the shopper is told so, and nothing of the cart is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edge.clock import Instant
from edge.codes.classify import classify
from edge.codes.gs1 import Gs1Message
from edge.codes.reading import CodeKind, CodeReading, Context
from edge.codes.scale_label import ScaleLabel
from edge.errors import Declined, Invalid
from edge.parking.stay_charge import PARKING_SKU
from edge.retail.attempt import PaymentAttempt
from edge.retail.basket import Basket, add_line, find_line, set_quantity
from edge.retail.catalogue import Product, SoldBy
from edge.retail.order import Order
from edge.services.box import PHONE, Box
from edge.services.cart_notices import CartNotice, CartWord
from edge.services.check_out import freeze_basket
from edge.services.complete_order import complete_if_covered
from edge.services.earn_points import claim_member_of
from edge.services.pass_exit import prepare_exit
from edge.services.pay_by_phone import begin_order_payment, close_phone_payment
from edge.services.phone_cart import Cart, join_way, keep_cart, load_cart, open_cart, reopen_cart
from edge.services.phone_session import busy_with, first_tap, member_of_session
from edge.services.picture_ports import PictureCode
from edge.services.receive_scan import GOODS
from edge.services.records import Unit
from edge.services.scan_item import find_product, line_of

#: The longest code that a phone may send.
MAX_CODE = 256


@dataclass(frozen=True, slots=True)
class CartStep:
    """What became of a tap. word: what the shopper is told, None for nothing. line_id: what was added."""

    word: CartWord | None = None
    line_id: str = ""


def scan_into_cart(box: Box, session_id: str, code: str, key: str = "", aim: str = "") -> CartStep:
    """Add one article by its code, typed, scanned or seen; the same key again adds nothing.

    Raises Declined where nothing is sold so, Invalid for a session that has ended.
    """
    _require_open(box)
    now = box.clock.now()

    def work(unit: Unit) -> CartStep:
        cart = load_cart(unit, session_id)
        if key and not first_tap(unit, cart.session, key, now):
            return CartStep()
        return _add(unit, box, cart, now, code.strip()[:MAX_CODE], aim)

    return box.store.write(work)


def picture_into_cart(box: Box, session_id: str, jpeg: bytes, key: str = "") -> CartStep:
    """Add the article whose code fills most of a picture; raises as scan_into_cart, or Unavailable."""
    _require_open(box)
    if box.pictures is None:
        return CartStep(CartWord(CartNotice.BAD_PICTURE))
    try:
        found = box.pictures.read(jpeg)
    except Invalid:
        return CartStep(CartWord(CartNotice.BAD_PICTURE))
    if not found:
        return CartStep(CartWord(CartNotice.NOTHING_SEEN))
    best = box.store.read(lambda unit: next((one for one in found if _is_sold(unit, box, one)), found[0]))
    return scan_into_cart(box, session_id, best.text, key, best.aim)


def change_in_cart(box: Box, session_id: str, line_id: str, quantity: int, key: str = "") -> CartStep:
    """Set a line's quantity, 0 removes it. Raises Invalid for a line that is gone or a quantity too large."""

    def step(unit: Unit, cart: Cart, now: Instant) -> CartStep:
        if cart.basket is None:
            return CartStep(CartWord(CartNotice.EMPTY))
        if cart.money_moves:
            return CartStep(CartWord(CartNotice.PAYING))
        basket = reopen_cart(unit, box, cart, now)
        if quantity > 1 and find_line(basket, line_id).sku == PARKING_SKU:
            raise Invalid("a parking fee is paid once; take it out of the basket or leave it")
        keep_cart(unit, cart.session, set_quantity(basket, line_id, quantity, now.wall_at), now)
        return CartStep(line_id=line_id if quantity else "")

    return _once(box, session_id, key, step)


def pay_cart(box: Box, session_id: str, gateway: str = "wechat_pay") -> PaymentAttempt | None:
    """Make the cart an order if it is none and have the phone pay it; None for one on which nothing is due.

    Raises Declined when it cannot be paid so, Invalid for an empty cart, Unavailable or OutcomeUnknown when
    the gateway does not answer; the cart stays, and asking again goes on.
    """
    now = box.clock.now()
    order, openid = box.store.write(lambda unit: _ordered(unit, box, session_id, now))
    if not order.due_fen:
        return None
    return begin_order_payment(box, order.order_id, gateway, openid)


def back_to_cart(box: Box, session_id: str) -> CartStep:
    """Go on scanning: an order that the phone could still pay is closed at the gateway first.

    Raises Unavailable or OutcomeUnknown when the gateway does not say that nothing can be paid any more.
    """
    cart = box.store.read(lambda unit: load_cart(unit, session_id))
    if cart.order is not None and cart.attempt is not None:
        close_phone_payment(box, cart.order.order_id)

    def step(unit: Unit, cart: Cart, now: Instant) -> CartStep:
        if cart.money_moves:
            return CartStep(CartWord(CartNotice.PAYING))
        if cart.basket is not None:
            reopen_cart(unit, box, cart, now)
        return CartStep()

    return _once(box, session_id, "", step)


def _once(box: Box, session_id: str, key: str, step: Callable[[Unit, Cart, Instant], CartStep]) -> CartStep:
    now = box.clock.now()

    def work(unit: Unit) -> CartStep:
        cart = load_cart(unit, session_id)
        if key and not first_tap(unit, cart.session, key, now):
            return CartStep()
        return step(unit, cart, now)

    return box.store.write(work)


def _add(unit: Unit, box: Box, cart: Cart, now: Instant, code: str, aim: str) -> CartStep:
    reading = classify(code, aim or None, box.rules.codes, Context.BASKET)
    found = find_product(unit, reading, now.wall_at) if reading.kind in GOODS else None
    if found is None:
        return CartStep(_why_no_goods(reading))
    product, used = found
    refusal = _refusal(box, product, used)
    if refusal is not None:
        return CartStep(CartWord(refusal, {"name": product.name, "name_en": product.name_en or product.name}))
    if cart.money_moves:
        return CartStep(CartWord(CartNotice.PAYING))
    if cart.basket is None and box.closed():
        return CartStep(CartWord(CartNotice.CLOSED))
    basket = open_cart(unit, box, cart, now)
    try:
        fuller = add_line(basket, line_of(box.ids.new_id(), product, used), now.wall_at)
    except Invalid as error:
        return CartStep(CartWord(CartNotice.CANNOT_ADD, {"problem": str(error)[:200]}))
    keep_cart(unit, cart.session, fuller, now)
    if cart.basket is None:
        join_way(unit, box, cart.session, fuller.basket_id, now)
    return CartStep(line_id=fuller.lines[-1].line_id)


def _why_no_goods(reading: CodeReading) -> CartWord:
    if reading.kind is CodeKind.PAYMENT:
        return CartWord(CartNotice.PAYMENT_CODE)
    if reading.kind not in GOODS:
        return CartWord(CartNotice.NOT_GOODS)
    return CartWord(CartNotice.UNKNOWN, {"text": reading.text[:64]})


def _refusal(box: Box, product: Product, reading: CodeReading) -> CartNotice | None:
    """Return why an article is not sold this way, None when it is."""
    if not box.scan_and_go.allows(product.tenant_id):
        return CartNotice.NOT_THIS_WAY
    if product.age_min:
        return CartNotice.AGE
    payload = reading.payload
    labelled = isinstance(payload, ScaleLabel) or (
        isinstance(payload, Gs1Message) and payload.weight_g is not None
    )
    return CartNotice.WEIGH if product.sold_by is SoldBy.WEIGHT and not labelled else None


def _is_sold(unit: Unit, box: Box, seen: PictureCode) -> bool:
    reading = classify(seen.text, seen.aim or None, box.rules.codes, Context.BASKET)
    return reading.kind in GOODS and find_product(unit, reading, box.clock.now().wall_at) is not None


def _ordered(unit: Unit, box: Box, session_id: str, now: Instant) -> tuple[Order, str]:
    """Return the order of the cart, made now if there is none, and whose wallet pays."""
    cart = load_cart(unit, session_id)
    if cart.basket is None:
        raise Invalid("the cart is empty; scan something first")
    if cart.order is not None:
        return cart.order, cart.session.openid
    frozen, order = freeze_basket(unit, box, cart.basket, PHONE, now)
    unit.baskets.put(frozen)
    unit.orders.put(order)
    busy_with(unit, cart.session, now, basket_id=frozen.basket_id, order_id=order.order_id)
    _note_member(unit, box, cart, frozen, now)
    prepare_exit(unit, box, order, now)
    return complete_if_covered(unit, box, order, now), cart.session.openid


def _note_member(unit: Unit, box: Box, cart: Cart, basket: Basket, now: Instant) -> None:
    """Note whose a cart is, so that points and parking follow it."""
    member = member_of_session(unit, box, cart.session, now)
    if member is not None:
        claim_member_of(unit, basket.basket_id, member.member_id, now)


def _require_open(box: Box) -> None:
    if not box.scan_and_go.is_open:
        raise Declined("scan and go is not offered here; take the goods to a kiosk or a till")
