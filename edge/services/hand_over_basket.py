"""A basket goes from a kiosk's screen to a phone and back, or stays there while the phone pays it.

The kiosk's code is bound to the workstation and the basket: it follows from both under the box's key, so that
nothing is kept of it and it ends with the basket. There is one order at a time and one open payment of it, so
whichever pays first wins; what a phone was to pay is closed at the gateway before anything else is charged.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, replace
from enum import StrEnum

from edge.clock import Instant
from edge.codes.signed_token import TokenKind, read_token, sign_token
from edge.errors import Declined, Invalid, Unavailable
from edge.members.conversion import ConversionStep, is_correlation
from edge.members.touchpoint import TouchpointKind, touchpoint_id
from edge.retail.attempt import PaymentAttempt
from edge.retail.basket import Basket, BasketState, LineItem, add_line, change_state
from edge.retail.order import Order, OrderState
from edge.services.box import PHONE, Box, WorkstationKind
from edge.services.cart_events import basket_handed_over
from edge.services.cart_records import CartCode
from edge.services.check_out import freeze_basket, reopen, to_start
from edge.services.complete_order import complete_if_covered
from edge.services.earn_points import claim_member_of
from edge.services.events import EventKind, record_event
from edge.services.journey_records import LinkKind
from edge.services.pay_by_phone import begin_order_payment, close_phone_payment, hurry_closing
from edge.services.phone_cart import Cart, join_way, keep_cart, load_cart, reopen_cart
from edge.services.phone_records import PhoneSession
from edge.services.phone_session import busy_with, first_tap, member_of_session
from edge.services.record_conversion import adopt_way, record_conversion
from edge.services.records import Unit
from edge.services.scan_and_go_rules import MINUTE_MS
from edge.services.workstation import Busy, Notice, NoticeCode, load, need_basket, save, show_notice

IDENT_CHARS = 15


class KioskState(StrEnum):
    """What a phone sees of a kiosk's basket. GONE: it was taken away, given up or paid long ago."""

    BASKET = "basket"
    CHECKOUT = "checkout"
    PAYING = "paying"
    PAID = "paid"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class KioskBasket:
    """What is on a kiosk's screen, as a phone sees it. workstation: "" for a basket that is gone.

    mine: this phone pays the order, paid it, or was to. on_phone: the basket is in this phone's own cart.
    elsewhere: it was paid, but by no phone.
    """

    workstation: str
    state: KioskState
    lines: tuple[LineItem, ...] = ()
    total_fen: int = 0
    order: Order | None = None
    mine: bool = False
    on_phone: bool = False
    elsewhere: bool = False


def hand_over_token(box: Box, workstation: str, basket_id: str) -> str:
    """Return the code of a basket on a workstation's screen, "" on a box that signs none."""
    if not box.phone.key:
        return ""
    return sign_token(TokenKind.HAND_OVER, _ident(box, workstation, basket_id), box.phone.key)


def kiosk_link(box: Box, busy: Busy) -> str:
    """Return the address that a kiosk shows as a QR code, "" while there is nothing to hand over."""
    kiosk = box.workstation(busy.state.workstation).kind is WorkstationKind.KIOSK
    shows = busy.screen in {"basket", "checkout", "waiting"} and busy.basket is not None and busy.basket.lines
    if not (kiosk and shows and busy.basket and box.rules.public_url.startswith(("https://", "http://"))):
        return ""
    token = hand_over_token(box, busy.state.workstation, busy.basket.basket_id)
    return token and f"{box.rules.public_url.rstrip('/')}/phone/k/{token}"


def see_kiosk(unit: Unit, box: Box, token: str, session: PhoneSession | None) -> KioskBasket:
    """Return what a kiosk's code leads to; raise Invalid for a code that this box did not sign."""
    ident = _read(box, token)
    busy = _busy_of(unit, box, ident)
    if busy is not None:
        return _on_screen(unit, busy, session)
    return _after(unit, box, ident, session)


def take_over(box: Box, session_id: str, token: str, key: str = "") -> None:
    """Move the kiosk's basket into the phone's cart; goods that are in it already stay.

    Raises Invalid for a foreign or ended code, Declined while money moves or for goods with an age limit.
    """
    if not box.scan_and_go.is_open:
        raise Declined("goods are not bought by phone here; pay at the kiosk, the phone can pay there")
    now = box.clock.now()

    def work(unit: Unit) -> str:
        cart = load_cart(unit, session_id)
        ident = _read(box, token)
        if cart.basket is not None and _was_of(unit, box, ident, cart.basket.basket_id):
            return ""
        if key and not first_tap(unit, cart.session, key, now):
            return ""
        busy = _need_screen(unit, box, ident)
        basket = _freed(unit, box, busy, now)
        moved = replace(basket, workstation=PHONE, changed_at=now.wall_at)
        if cart.basket is not None:
            own = reopen_cart(unit, box, cart, now)
            for line in own.lines:
                moved = add_line(moved, line, now.wall_at)
            unit.baskets.put(change_state(own, BasketState.ABANDONED, now.wall_at))
        keep_cart(unit, cart.session, moved, now)
        join_way(unit, box, cart.session, moved.basket_id, now)
        told = Notice(box.ids.new_id(), "info", NoticeCode.TAKEN_OVER, {"count": basket.count})
        to_start(unit, box, busy, now)
        show_notice(unit, load(unit, box, busy.state.workstation), now, told)
        _tell(unit, box, moved, busy.state.workstation, PHONE, now)
        return busy.state.workstation

    place = box.store.write(work)
    if place:
        box.changed(place)


def pay_at_kiosk(box: Box, session_id: str, token: str, gateway: str = "wechat_pay") -> PaymentAttempt | None:
    """Have the phone pay what is on the kiosk's screen, where it stays; None when nothing was due.

    Raises Invalid for a foreign or ended code, Declined while it is paid in another way, Unavailable or
    OutcomeUnknown when the gateway does not answer.
    """
    now = box.clock.now()
    order, openid = box.store.write(lambda unit: _ordered_at(unit, box, session_id, token, now))
    box.changed(order.workstation)
    if not order.due_fen:
        return None
    return begin_order_payment(box, order.order_id, gateway, openid)


def give_cart(box: Box, session_id: str) -> tuple[str, int]:
    """Return the code by which a kiosk takes the phone's cart over, and when it ends (Unix milliseconds).

    What the phone could still pay is closed at the gateway first. Asking again is the same code as long as it
    is good. Raises Invalid for an empty cart, Unavailable while what was to be paid cannot be closed.
    """
    if not box.phone.key:
        raise Declined("this box signs no codes; show the goods at a till")
    cart = box.store.read(lambda unit: load_cart(unit, session_id))
    if (
        cart.order is not None
        and cart.attempt is not None
        and not close_phone_payment(box, cart.order.order_id)
    ):
        raise Unavailable(f"the payment of order {cart.order.number} is still being closed; try again")
    now = box.clock.now()
    code = box.store.write(lambda unit: _code(unit, box, session_id, now))
    return sign_token(TokenKind.CART, code.ident, box.phone.key), code.expires_at


def cart_code(box: Box, text: str) -> str:
    """Return what a scanned text is the cart code of, "" for any other text."""
    if not box.phone.key:
        return ""
    try:
        return read_token(TokenKind.CART, text, box.phone.key)
    except Invalid:
        return ""


def receive_cart(unit: Unit, box: Box, busy: Busy, ident: str, notice_id: str, now: Instant) -> NoticeCode:
    """Put a phone's cart on the workstation that has scanned its code; return what its screen says.

    The code is good once. Nothing changes while goods or money are on the screen, or money of the cart moves.
    """
    place = busy.state.workstation
    code = unit.carts.code(ident)
    if code is not None and code.used_at is not None and code.place == place:
        return NoticeCode.CART_TAKEN
    cart = _cart_of(unit, code, now)
    if code is None or cart is None:
        return NoticeCode.CART_GONE
    if not _is_free(busy):
        return NoticeCode.CART_BUSY
    if cart.money_moves:
        if cart.attempt is not None:
            hurry_closing(unit, cart.attempt, now)
        return NoticeCode.PHONE_ENDING
    if busy.screen == "basket" and busy.basket is not None:
        unit.baskets.put(change_state(busy.basket, BasketState.ABANDONED, now.wall_at))
    basket = replace(reopen_cart(unit, box, cart, now), workstation=place, changed_at=now.wall_at)
    keep_cart(unit, cart.session, None, now)
    unit.carts.put_code(replace(code, used_at=now.wall_at, place=place))
    told = Notice(notice_id, "info", NoticeCode.CART_TAKEN, {"count": basket.count})
    spoken = replace(busy.state, language=cart.session.language)
    save(unit, replace(busy, state=spoken), now, basket=basket, notice=told)
    _tell(unit, box, basket, PHONE, place, now)
    return NoticeCode.CART_TAKEN


def given_lately(unit: Unit, box: Box, session_id: str, now: Instant) -> str:
    """Return the workstation that has just taken the phone's cart over, "" for none."""
    code = unit.carts.last_code(session_id)
    if code is None or code.used_at is None:
        return ""
    lately = 0 <= now.wall_at - code.used_at <= box.scan_and_go.code_minutes * MINUTE_MS
    return code.place if lately else ""


def _ident(box: Box, workstation: str, basket_id: str) -> str:
    said = f"hand-over/{workstation}/{basket_id}".encode()
    digest = hmac.digest(box.phone.key, said, hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode("ascii")[:IDENT_CHARS]


def _read(box: Box, token: str) -> str:
    if not box.phone.key:
        raise Invalid("this box signs no codes; pay at the kiosk")
    return read_token(TokenKind.HAND_OVER, token, box.phone.key)


def _kiosks(box: Box) -> list[str]:
    return [name for name, one in box.workstations.items() if one.kind is WorkstationKind.KIOSK]


def _busy_of(unit: Unit, box: Box, ident: str) -> Busy | None:
    for name in _kiosks(box):
        state = unit.workstations.get(name)
        if state is not None and state.basket_id and _ident(box, name, state.basket_id) == ident:
            return load(unit, box, name)
    return None


def _was_of(unit: Unit, box: Box, ident: str, basket_id: str | None) -> bool:
    return bool(basket_id) and any(_ident(box, name, basket_id or "") == ident for name in _kiosks(box))


def _on_screen(unit: Unit, busy: Busy, session: PhoneSession | None) -> KioskBasket:
    states = {"basket": KioskState.BASKET, "checkout": KioskState.CHECKOUT, "waiting": KioskState.PAYING}
    order = busy.order
    lines = order.lines if order is not None else busy.basket.lines if busy.basket is not None else ()
    mine = order is not None and session is not None and unit.phones.has_order(session, order.order_id)
    return KioskBasket(
        busy.state.workstation,
        states.get(busy.screen, KioskState.PAID),
        lines,
        order.due_fen if order is not None and order.due_fen else sum(line.amount_fen for line in lines),
        order,
        mine,
        elsewhere=busy.screen == "paid" and not _paid_by_phone(unit, busy.order),
    )


def _after(unit: Unit, box: Box, ident: str, session: PhoneSession | None) -> KioskBasket:
    """Return what became of a basket that is on no screen any more, as far as this phone may know."""
    gone = KioskBasket("", KioskState.GONE)
    if session is None:
        return gone
    if _was_of(unit, box, ident, session.basket_id):
        return replace(gone, on_phone=True)
    order = unit.orders.get(session.order_id) if session.order_id else None
    if order is None or not _was_of(unit, box, ident, order.basket_id):
        return gone
    if order.state is not OrderState.PAID:
        return replace(gone, mine=True)
    elsewhere = not _paid_by_phone(unit, order)
    return KioskBasket(
        order.workstation, KioskState.PAID, order.lines, order.total_fen, order, True, elsewhere=elsewhere
    )


def _paid_by_phone(unit: Unit, order: Order | None) -> bool:
    attempts = (unit.attempts.get(one.attempt_id) for one in order.tenders if one.attempt_id) if order else ()
    return any(one is not None and one.pay_url for one in attempts)


def _need_screen(unit: Unit, box: Box, ident: str) -> Busy:
    busy = _busy_of(unit, box, ident)
    if busy is None or busy.screen == "paid":
        raise Invalid("this basket is no longer on the kiosk; scan the code on its screen")
    return busy


def _freed(unit: Unit, box: Box, busy: Busy, now: Instant) -> Basket:
    """Return the basket on the screen, open; raise Declined for one that has to stay there."""
    if busy.money_in_flight or (busy.order is not None and busy.order.tenders):
        raise Declined("a payment at the kiosk is on its way; wait for its end")
    if busy.screen == "checkout":
        busy = reopen(unit, box, busy, now)
    basket = need_basket(busy)
    if not basket.lines:
        raise Declined("the basket on the kiosk is empty; scan goods there or with the phone")
    if any(line.age_min for line in basket.lines):
        raise Declined("there are goods with an age limit in it; pay it at the kiosk, where a cashier comes")
    return basket


def _ordered_at(unit: Unit, box: Box, session_id: str, token: str, now: Instant) -> tuple[Order, str]:
    session = load_cart(unit, session_id).session
    busy = _need_screen(unit, box, _read(box, token))
    order = busy.order
    if order is None:
        place = busy.state.workstation
        frozen, order = freeze_basket(unit, box, need_basket(busy), place, now)
        save(unit, busy, now, basket=frozen, order=order)
    busy_with(unit, session, now, basket_id=session.basket_id, order_id=order.order_id)
    _join_kiosk(unit, box, session, order, now)
    return complete_if_covered(unit, box, order, now), session.openid


def _join_kiosk(unit: Unit, box: Box, session: PhoneSession, order: Order, now: Instant) -> None:
    """Have the kiosk's basket go on with the phone's way, as who pays is known now, and note whose it is."""
    if is_correlation(session.correlation):
        adopt_way(unit, box, LinkKind.BASKET, order.basket_id, session.correlation, now)
        place = touchpoint_id(TouchpointKind.WORKSTATION, order.workstation)
        record_conversion(unit, box, ConversionStep.SCANNED, session.correlation, place, now)
    member = member_of_session(unit, box, session, now)
    if member is not None:
        claim_member_of(unit, order.basket_id, member.member_id, now)


def _code(unit: Unit, box: Box, session_id: str, now: Instant) -> CartCode:
    cart = load_cart(unit, session_id)
    if cart.basket is None or not cart.basket.lines:
        raise Invalid("the cart is empty; there is nothing to hand over")
    basket = reopen_cart(unit, box, cart, now)
    known = unit.carts.last_code(session_id)
    if known is not None and _is_good(known, basket, now):
        return known
    code = CartCode(
        box.ids.new_token()[-IDENT_CHARS:],
        session_id,
        basket.basket_id,
        now.wall_at,
        now.wall_at + box.scan_and_go.code_minutes * MINUTE_MS,
    )
    unit.carts.put_code(code)
    return code


def _is_good(code: CartCode, basket: Basket, now: Instant) -> bool:
    return code.used_at is None and code.basket_id == basket.basket_id and now.wall_at < code.expires_at


def _cart_of(unit: Unit, code: CartCode | None, now: Instant) -> Cart | None:
    """Return the cart of a code that is good, None for any other."""
    if code is None or unit.phones.get(code.session_id) is None:
        return None
    cart = load_cart(unit, code.session_id)
    return cart if cart.basket is not None and _is_good(code, cart.basket, now) else None


def _is_free(busy: Busy) -> bool:
    """Return whether a screen shows nobody's goods and asks for nobody's money."""
    if busy.screen == "basket":
        return busy.basket is None or not busy.basket.lines
    return busy.screen in {"attract", "paid"}


def _tell(unit: Unit, box: Box, basket: Basket, came_from: str, goes_to: str, now: Instant) -> None:
    data = basket_handed_over(basket, came_from, goes_to, now.wall_at)
    kind = EventKind.BASKET_HANDED_OVER
    record_event(unit, box.ids, now, box.origin, kind, basket.basket_id, data)
