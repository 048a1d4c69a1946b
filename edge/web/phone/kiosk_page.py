"""What a phone sees after it has scanned the code on a kiosk: the basket, to take it over or to pay it."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, abort, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from edge.codes.signed_token import MAX_TOKEN
from edge.errors import Declined, Invalid, OutcomeUnknown, Unavailable
from edge.services.box import Box
from edge.services.hand_over_basket import KioskBasket, KioskState, pay_at_kiosk, see_kiosk, take_over
from edge.services.pay_by_phone import PaymentShown, close_phone_payment, phone_payment
from edge.services.phone_records import PhoneSession
from edge.services.records import Unit
from edge.services.show_cart import show_lines
from edge.web.desk import WebSettings
from edge.web.phone.api.asking import asked_language
from edge.web.phone.page import REFRESH_S, PhonePages, way_on
from edge.web.phone.qr_picture import qr_picture

_PROBLEMS: dict[type[Exception], str] = {
    Invalid: "kiosk_gone",
    Declined: "kiosk_declined",
    Unavailable: "phone_unavailable",
}


def blueprint(box: Box, settings: WebSettings) -> Blueprint:
    """Return the routes under /phone/k."""
    pages, routes = _Pages(box, settings), Blueprint("kiosk_basket", __name__, url_prefix="/phone/k")
    routes.add_url_rule("/<token>", view_func=pages.show)
    routes.add_url_rule("/<token>/qr.svg", view_func=pages.picture)
    routes.add_url_rule("/<token>/take", view_func=pages.take, methods=["POST"])
    routes.add_url_rule("/<token>/pay", view_func=pages.pay, methods=["POST"])
    routes.add_url_rule("/<token>/back", view_func=pages.back, methods=["POST"])
    return routes


class _Pages:
    def __init__(self, box: Box, settings: WebSettings) -> None:
        self._box = box
        self._pages = PhonePages(box, settings)

    def show(self, token: str) -> AnyResponse:
        """Show the kiosk's basket and what can be done with it; one in this phone's cart leads there."""
        asked = self._pages.open()
        seen, payment = self._see(token, asked)
        if seen.on_phone:
            return self._away(f"/phone/shop{way_on()}")
        problem = request.args.get("problem", "")
        return self._pages.show(
            "phone_kiosk.html",
            token=token,
            seen=seen,
            lines=show_lines(seen.lines, asked_language()),
            payment=payment,
            takes=self._takes(seen),
            pays=bool(self._box.prepayers),
            problem=problem if problem in _PROBLEMS.values() else "",
            query=way_on(),
            refresh_s=0 if seen.state in (KioskState.GONE, KioskState.PAID) else REFRESH_S,
        )

    def picture(self, token: str) -> Response:
        """Show the address of this page as a QR code, for the kiosk's screen."""
        public = self._box.rules.public_url
        seen = self._see(token, None)[0]
        if not public or seen.state is KioskState.GONE:
            abort(404, "This box has no public address (public_url), or there is no such basket.")
        return qr_picture(f"{public.rstrip('/')}/phone/k/{token}")

    def take(self, token: str) -> AnyResponse:
        """Take the basket over."""
        return self._do(token, f"/phone/shop{way_on()}", lambda asked: take_over(self._box, asked, token))

    def pay(self, token: str) -> AnyResponse:
        """Begin to pay what stays on the kiosk."""
        return self._do(token, "", lambda asked: pay_at_kiosk(self._box, asked, token))

    def back(self, token: str) -> AnyResponse:
        """Do not pay by phone after all; the order stays on the kiosk."""

        def act(session_id: str) -> None:
            seen = self._see(token, self._pages.open())[0]
            if seen.order is not None and seen.mine:
                close_phone_payment(self._box, seen.order.order_id)

        return self._do(token, "", act)

    def _do(self, token: str, to: str, act: Callable[[str], object]) -> AnyResponse:
        here = f"/phone/k/{token[: MAX_TOKEN + 1]}"
        try:
            act(self._pages.open().session_id)
        except (Invalid, Declined, Unavailable, OutcomeUnknown) as error:
            problem = _PROBLEMS.get(type(error), "phone_unavailable")
            return self._away(f"{here}{way_on(problem=problem)}")
        return self._away(to or f"{here}{way_on()}")

    def _see(self, token: str, asked: PhoneSession | None) -> tuple[KioskBasket, PaymentShown | None]:
        def query(unit: Unit) -> tuple[KioskBasket, PaymentShown | None]:
            seen = see_kiosk(unit, self._box, token[: MAX_TOKEN + 1], asked)
            own = seen.order is not None and seen.mine
            return seen, phone_payment(unit, self._box, seen.order) if own and seen.order else None

        try:
            return self._box.store.read(query)
        except Invalid:
            abort(404, "This is not a code of a kiosk here. Scan the one on its screen again.")

    def _takes(self, seen: KioskBasket) -> bool:
        free = seen.state in (KioskState.BASKET, KioskState.CHECKOUT)
        return free and self._box.scan_and_go.is_open and not any(line.age_min for line in seen.lines)

    def _away(self, path: str) -> AnyResponse:
        answer = redirect(f"{request.script_root}{path}", 303)
        assert isinstance(answer, Response)
        return self._pages.keep(answer)
