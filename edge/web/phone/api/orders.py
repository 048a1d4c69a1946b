"""Orders that a phone pays: how one stands, begin to pay, give up, and which messages are wanted."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from edge.clock import Instant
from edge.retail.order import Order
from edge.services.box import Box
from edge.services.hand_over_notices import want_messages
from edge.services.pay_by_phone import begin_order_payment, give_up_order, phone_payment
from edge.services.phone_records import PhoneSession
from edge.services.phone_session import busy_with, note_identified
from edge.services.records import Unit
from edge.web.desk import WebSettings
from edge.web.phone.api.asking import PhoneProblem, asked_language, body, session, text_in
from edge.web.phone.qr_picture import with_qr
from edge.web.texts import load_texts

MAX_ID = 64

#: Templates that one call may name; WeChat asks about five at a time.
MAX_TEMPLATES = 5


def add(routes: Blueprint, box: Box, settings: WebSettings) -> None:
    """Put /orders/... and /subscribe on the blueprint."""

    @routes.get("/orders/<order_id>")
    def order(order_id: str) -> Response:
        _own(box, order_id)
        return answer_payment(box, order_id)

    @routes.post("/orders/<order_id>/pay")
    def pay(order_id: str) -> Response:
        return pay_order(box, _own(box, order_id), order_id)

    @routes.post("/orders/<order_id>/cancel")
    def give_up(order_id: str) -> Response:
        _own(box, order_id)
        give_up_order(box, order_id)
        return answer_payment(box, order_id)

    @routes.post("/subscribe")
    def subscribe() -> Response:
        given = body()
        order_id = text_in(given, "order_id", MAX_ID)
        asked, templates = _own(box, order_id), given.get("templates")
        if not isinstance(templates, dict) or len(templates) > MAX_TEMPLATES:
            raise PhoneProblem("invalid")
        wanted = tuple(str(one)[:MAX_ID] for one, said in templates.items() if said == "accept")
        want_messages(box, order_id, asked.openid, wanted)
        return Response(status=204)


def pay_order(box: Box, asked: PhoneSession, order_id: str) -> Response:
    """Begin to pay an order, or go on with what is begun, and answer with its payment.

    For calls that make an order of something. The phone is busy with the order from then on.
    """
    begin_paying(box, asked, order_id)
    return answer_payment(box, order_id)


def begin_paying(box: Box, asked: PhoneSession, order_id: str) -> None:
    """Have a phone be busy with an order and begin to pay it; raises as begin_order_payment."""
    now = box.clock.now()
    box.store.write(lambda unit: _take_up(unit, box, asked, order_id, now))
    begin_order_payment(box, order_id, openid=asked.openid)


def answer_payment(box: Box, order_id: str) -> Response:
    """Answer with an order's payment as it stands."""
    texts = load_texts(asked_language())

    def query(unit: Unit) -> dict[str, object]:
        found = unit.orders.get(order_id)
        if found is None:
            raise PhoneProblem("not_found")
        shown = phone_payment(unit, box, found)
        problem = texts[f"phone_pay_{shown.problem}"] if shown.problem else None
        return {**shown.as_json(), "problem": problem}

    return jsonify(with_qr(box.store.read(query), "code_url"))


def _take_up(unit: Unit, box: Box, asked: PhoneSession, order_id: str, now: Instant) -> None:
    present = unit.phones.get(asked.session_id) or asked
    note_identified(unit, box, present, now)
    if present.order_id != order_id:
        busy_with(unit, present, now, basket_id=present.basket_id, order_id=order_id)


def _own(box: Box, order_id: str) -> PhoneSession:
    """Return who asks; raise PhoneProblem unless the order is one that they pay or paid."""
    asked = session(box)

    def check(unit: Unit) -> tuple[Order | None, bool]:
        return unit.orders.get(order_id[:MAX_ID]), unit.phones.has_order(asked, order_id)

    found, own = box.store.read(check)
    if found is None:
        raise PhoneProblem("not_found")
    if not own:
        raise PhoneProblem("not_yours")
    return asked
