"""The basket on a kiosk's screen, by the code that is shown there."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from edge.codes.signed_token import MAX_TOKEN
from edge.services.box import Box
from edge.services.hand_over_basket import pay_at_kiosk, see_kiosk, take_over
from edge.services.phone_cart import load_cart
from edge.services.show_cart import show_kiosk_basket
from edge.web.desk import WebSettings
from edge.web.phone.api.asking import PhoneProblem, asked_language, session
from edge.web.phone.api.orders import answer_payment
from edge.web.phone.cart_words import cart_shown


def add(routes: Blueprint, box: Box, settings: WebSettings) -> None:
    """Put /k/... on the blueprint."""

    @routes.get("/k/<token>")
    def see_basket(token: str) -> Response:
        asked = session(box)
        seen = box.store.read(lambda unit: see_kiosk(unit, box, token[: MAX_TOKEN + 1], asked))
        return jsonify(show_kiosk_basket(seen, asked_language()))

    @routes.post("/k/<token>/take")
    def take_basket(token: str) -> Response:
        asked = session(box).session_id
        take_over(box, asked, token[: MAX_TOKEN + 1])
        return jsonify(cart_shown(box, asked, asked_language()))

    @routes.post("/k/<token>/pay")
    def pay_basket(token: str) -> Response:
        asked = session(box).session_id
        pay_at_kiosk(box, asked, token[: MAX_TOKEN + 1])
        order_id = box.store.read(lambda unit: load_cart(unit, asked).session.order_id)
        if order_id is None:
            raise PhoneProblem("not_found")
        return answer_payment(box, order_id)
