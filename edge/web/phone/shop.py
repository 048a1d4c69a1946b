"""Scan and go in a phone's browser: scan, count, pay, hand the cart to a kiosk.

It works without a script, but for the camera; a page that waits for money or for a kiosk loads itself again.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, abort, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from edge.codes.signed_token import TokenKind, sign_token
from edge.errors import Declined, Invalid, OutcomeUnknown, Unavailable
from edge.retail.exit_pass import ExitState
from edge.retail.order import OrderState
from edge.services.box import Box
from edge.services.cart_notices import CartNotice
from edge.services.hand_over_basket import give_cart, given_lately
from edge.services.pay_by_phone import PaymentShown, phone_payment
from edge.services.phone_records import PhoneSession
from edge.services.picture_ports import MAX_PICTURE_BYTES
from edge.services.records import Unit
from edge.services.scan_and_go import (
    MAX_CODE,
    CartStep,
    back_to_cart,
    change_in_cart,
    pay_cart,
    picture_into_cart,
    scan_into_cart,
)
from edge.services.show_cart import Json, show_cart
from edge.web.desk import WebSettings
from edge.web.phone.api.asking import asked_language
from edge.web.phone.cart_limit import CartLimit
from edge.web.phone.page import REFRESH_S, PhonePages, way_on
from edge.web.phone.qr_picture import qr_picture

#: A form around a picture takes this much more.
_FORM_BYTES = 2_048

#: The page that scans asks for the camera; no other does.
_CAMERA = "camera=(self), microphone=(), geolocation=(), payment=()"

_PROBLEMS: dict[type[Exception], str] = {
    Invalid: "shop_invalid",
    Declined: "shop_declined",
    Unavailable: "phone_unavailable",
}


def blueprint(box: Box, settings: WebSettings) -> Blueprint:
    """Return the routes under /phone/shop."""
    pages, routes = _Pages(box, settings), Blueprint("shop", __name__, url_prefix="/phone/shop")
    routes.add_url_rule("", view_func=pages.show)
    for name, act in pages.taps().items():
        routes.add_url_rule(f"/{name}", view_func=act, methods=["POST"], endpoint=name)
    routes.add_url_rule("/give", view_func=pages.given, endpoint="given")
    routes.add_url_rule("/give.svg", view_func=pages.code)
    return routes


class _Pages:
    def __init__(self, box: Box, settings: WebSettings) -> None:
        self._box = box
        self._pages = PhonePages(box, settings)
        self._limit = CartLimit(lambda: box.clock.now().boottime_ns)

    def taps(self) -> dict[str, Callable[[], AnyResponse]]:
        """Return what forms post to."""
        return {
            "scan": self._scan,
            "photo": self._photo,
            "line": self._line,
            "pay": self._pay,
            "back": self._back,
            "give": self._give,
        }

    def show(self) -> AnyResponse:
        """Show the cart, or what is to be paid; an order that is paid leads to the way out."""
        if not self._box.scan_and_go.is_open:
            return self._pages.show("phone_closed.html", 404, refresh_s=0)
        asked = self._pages.open()
        paid = self._box.store.read(lambda unit: _paid(unit, asked, request.args.get("order", "")[:64]))
        if paid:
            return redirect(f"{request.script_root}/phone/exit/{paid}{way_on()}", 303)
        cart, payment = self._box.store.read(lambda unit: self._cart(unit, asked))
        last = self._box.store.read(lambda unit: _not_out_yet(unit, asked))
        answer = self._pages.show(
            "phone_shop.html",
            cart=cart,
            # A cart that was begun goes on.
            paused=bool(self._box.closed()) and not cart["lines"],
            payment=payment,
            said=_said(),
            last=last,
            added=request.args.get("added", "")[:64],
            key=self._box.ids.new_token(),
            query=way_on(),
            refresh_s=REFRESH_S if payment is not None and payment.state in ("open", "unsure") else 0,
        )
        answer.headers["Permissions-Policy"] = _CAMERA
        return answer

    def given(self) -> AnyResponse:
        """Show the code that a kiosk's scanner takes, until it has."""
        asked = self._pages.open()
        now = self._box.clock.now()
        place = self._box.store.read(lambda unit: given_lately(unit, self._box, asked.session_id, now))
        waits = not place and self._code_of(asked)
        if not place and not waits:
            return self._to_shop()
        return self._pages.show(
            "phone_give.html", place=place, query=way_on(), refresh_s=REFRESH_S if waits else 0
        )

    def code(self) -> Response:
        """Show the code as a picture."""
        asked = self._pages.session()
        code = "" if asked is None else self._code_of(asked)
        if not code:
            abort(404, "There is no cart to hand over.")
        return qr_picture(code)

    def _code_of(self, asked: PhoneSession) -> str:
        found = self._box.store.read(lambda unit: unit.carts.last_code(asked.session_id))
        good = (
            found is not None and found.used_at is None and found.expires_at > self._box.clock.now().wall_at
        )
        return sign_token(TokenKind.CART, found.ident, self._box.phone.key) if found and good else ""

    def _cart(self, unit: Unit, asked: PhoneSession) -> tuple[Json, PaymentShown | None]:
        cart = show_cart(unit, self._box, asked.session_id, asked_language(), self._box.clock.now())
        order = unit.orders.get(str(cart["order_id"])) if cart["order_id"] else None
        return cart, phone_payment(unit, self._box, order) if order is not None else None

    def _scan(self) -> AnyResponse:
        asked, form = self._pages.open(), request.form
        wait_s = self._limit.tap(asked.session_id)
        if wait_s:
            return self._to_shop(problem="phone_too_often")
        code, key = form.get("code", "")[:MAX_CODE], form.get("key", "")
        return self._done(lambda: scan_into_cart(self._box, asked.session_id, code, key))

    def _photo(self) -> AnyResponse:
        request.max_content_length = MAX_PICTURE_BYTES + _FORM_BYTES
        request.max_form_memory_size = MAX_PICTURE_BYTES + _FORM_BYTES
        asked = self._pages.open()
        if self._limit.picture(asked.session_id):
            return self._to_shop(problem="phone_too_often")
        sent = request.files.get("picture")
        jpeg = sent.read(MAX_PICTURE_BYTES + 1) if sent is not None else b""
        key = request.form.get("key", "")
        return self._done(lambda: picture_into_cart(self._box, asked.session_id, jpeg, key))

    def _line(self) -> AnyResponse:
        asked, form = self._pages.open(), request.form
        line, quantity = form.get("line", "")[:64], form.get("quantity", "")
        if not (quantity.isascii() and quantity.isdigit() and len(quantity) <= 3):
            return self._to_shop(problem="shop_invalid")
        if self._limit.tap(asked.session_id):
            return self._to_shop(problem="phone_too_often")
        key = form.get("key", "")
        return self._done(lambda: change_in_cart(self._box, asked.session_id, line, int(quantity), key))

    def _pay(self) -> AnyResponse:
        asked = self._pages.open()
        try:
            attempt = pay_cart(self._box, asked.session_id)
        except (Invalid, Declined, Unavailable, OutcomeUnknown) as error:
            return self._to_shop(problem=_problem(error))
        session = self._pages_session(asked)
        order_id = attempt.order_id if attempt is not None else session.order_id or ""
        return self._to_shop(order=order_id)

    def _back(self) -> AnyResponse:
        asked = self._pages.open()
        return self._done(lambda: back_to_cart(self._box, asked.session_id))

    def _give(self) -> AnyResponse:
        asked = self._pages.open()
        try:
            give_cart(self._box, asked.session_id)
        except (Invalid, Declined, Unavailable, OutcomeUnknown) as error:
            return self._to_shop(problem=_problem(error))
        return redirect(f"{request.script_root}/phone/shop/give{way_on()}", 303)

    def _done(self, act: Callable[[], CartStep]) -> AnyResponse:
        try:
            step = act()
        except (Invalid, Declined, Unavailable, OutcomeUnknown) as error:
            return self._to_shop(problem=_problem(error))
        if step.word is not None:
            return self._to_shop(notice=step.word.code.value)
        return self._to_shop(added=step.line_id) if step.line_id else self._to_shop()

    def _to_shop(self, **more: str) -> AnyResponse:
        return self._pages.keep(_away(f"{request.script_root}/phone/shop{way_on(**more)}"))

    def _pages_session(self, asked: PhoneSession) -> PhoneSession:
        return self._box.store.read(lambda unit: unit.phones.get(asked.session_id)) or asked


def _away(address: str) -> Response:
    answer = redirect(address, 303)
    assert isinstance(answer, Response)
    return answer


def _paid(unit: Unit, asked: PhoneSession, order_id: str) -> str:
    """Return the order that the page waited for, once it is paid and can leave."""
    order = unit.orders.get(order_id) if order_id and unit.phones.has_order(asked, order_id) else None
    if order is None or order.state is not OrderState.PAID or unit.exits.get(order_id) is None:
        return ""
    return order_id


def _not_out_yet(unit: Unit, asked: PhoneSession) -> str:
    """Return the order that this phone has paid and not yet left with, "" for none."""
    present = unit.phones.get(asked.session_id) or asked
    paid = _paid(unit, present, present.order_id or "")
    one = unit.exits.get(paid) if paid else None
    return paid if one is not None and one.state is not ExitState.PASSED else ""


def _said() -> str:
    """Return the key of the text that a redirect asked for, "" for none and for what is no text of ours."""
    notice, problem = request.args.get("notice", ""), request.args.get("problem", "")
    if notice in set(CartNotice) - {CartNotice.HANDED_OVER}:
        return f"cart_{notice}"
    return problem if problem in (*_PROBLEMS.values(), "phone_too_often") else ""


def _problem(error: Exception) -> str:
    return _PROBLEMS.get(type(error), "phone_unavailable")
