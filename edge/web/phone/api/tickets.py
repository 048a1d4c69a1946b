"""Counter tickets: what one holds, and paying it."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from edge.codes.signed_token import MAX_TOKEN
from edge.errors import Declined
from edge.services.box import Box
from edge.services.issue_ticket import ticket_of_token
from edge.services.pay_ticket import begin_ticket_payment, meet_ticket
from edge.services.phone_records import PhoneSession
from edge.services.records import Unit
from edge.services.show_ticket import show_ticket
from edge.web.desk import WebSettings
from edge.web.phone.api.asking import PhoneProblem, asked_language, session
from edge.web.phone.api.orders import answer_payment


def add(routes: Blueprint, box: Box, settings: WebSettings) -> None:
    """Put /t/... on the blueprint."""

    @routes.get("/t/<token>")
    def see_ticket(token: str) -> Response:
        asked = session(box)
        meet_ticket(box, token[: MAX_TOKEN + 1], asked)
        return jsonify(ticket_shown(box, token, asked, asked_language()))

    @routes.post("/t/<token>/pay")
    def pay_ticket(token: str) -> Response:
        try:
            shown = begin_ticket_payment(box, token[: MAX_TOKEN + 1], session(box))
        except Declined as error:
            raise PhoneProblem("declined", "ticket_declined") from error
        return answer_payment(box, shown.order_id)


def ticket_shown(box: Box, token: str, asked: PhoneSession | None, language: str) -> dict[str, object]:
    """Return what a phone sees of the ticket of a code; raise Invalid for a code that is none of ours."""
    now = box.clock.now()

    def query(unit: Unit) -> dict[str, object]:
        found = ticket_of_token(unit, box, token[: MAX_TOKEN + 1])
        return show_ticket(unit, box, found, asked, language, now)

    return box.store.read(query)
