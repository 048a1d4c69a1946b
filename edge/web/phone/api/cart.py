"""Scan and go: the cart of a phone."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from edge.services.box import Box
from edge.services.hand_over_basket import give_cart
from edge.services.phone_cart import load_cart
from edge.services.picture_ports import MAX_PICTURE_BYTES
from edge.services.scan_and_go import (
    MAX_CODE,
    CartStep,
    back_to_cart,
    change_in_cart,
    pay_cart,
    picture_into_cart,
    scan_into_cart,
)
from edge.web.desk import WebSettings
from edge.web.phone.api.asking import PhoneProblem, asked_language, body, number_in, session, text_in
from edge.web.phone.api.orders import answer_payment
from edge.web.phone.cart_limit import CartLimit
from edge.web.phone.cart_words import cart_shown
from edge.web.phone.qr_picture import with_qr

_MAX_KEY = 40
_MAX_LINE = 64
_MAX_PIECES = 999


def add(routes: Blueprint, box: Box, settings: WebSettings) -> None:
    """Put /cart/... on the blueprint."""
    limit = CartLimit(lambda: box.clock.now().boottime_ns)

    @routes.get("/cart")
    def see_cart() -> Response:
        return _cart(box, session(box).session_id)

    @routes.post("/cart/scan")
    def scan_one() -> Response:
        asked, given = session(box).session_id, body()
        _hold_back(limit.tap(asked))
        code, key = text_in(given, "code", MAX_CODE), text_in(given, "key", _MAX_KEY)
        return _cart(box, asked, scan_into_cart(box, asked, code, key))

    @routes.post("/cart/photo")
    def send_picture() -> Response:
        asked = session(box).session_id
        request.max_content_length = MAX_PICTURE_BYTES
        key = request.args.get("key", "")
        _hold_back(limit.picture(asked))
        return _cart(box, asked, picture_into_cart(box, asked, request.get_data(cache=False), key))

    @routes.post("/cart/lines/<line_id>")
    def change_line(line_id: str) -> Response:
        asked, given = session(box).session_id, body()
        _hold_back(limit.tap(asked))
        quantity = number_in(given, "quantity", 0, _MAX_PIECES)
        key = text_in(given, "key", _MAX_KEY)
        return _cart(box, asked, change_in_cart(box, asked, line_id[:_MAX_LINE], quantity, key))

    @routes.post("/cart/back")
    def go_back() -> Response:
        asked = session(box).session_id
        return _cart(box, asked, back_to_cart(box, asked))

    _add_ends(routes, box)


def _add_ends(routes: Blueprint, box: Box) -> None:
    @routes.post("/cart/pay")
    def pay_the_cart() -> Response:
        asked = session(box).session_id
        pay_cart(box, asked)
        order_id = box.store.read(lambda unit: load_cart(unit, asked).session.order_id)
        if order_id is None:
            raise PhoneProblem("not_found")
        return answer_payment(box, order_id)

    @routes.post("/cart/give")
    def give_the_cart() -> Response:
        code, expires_at = give_cart(box, session(box).session_id)
        return jsonify(with_qr({"code": code, "expires_at": expires_at}))


def _cart(box: Box, session_id: str, step: CartStep | None = None) -> Response:
    shown = cart_shown(box, session_id, asked_language(), step.word if step is not None else None)
    return jsonify(shown)


def _hold_back(wait_s: int) -> None:
    if wait_s:
        raise PhoneProblem("too_often", retry_s=wait_s)
