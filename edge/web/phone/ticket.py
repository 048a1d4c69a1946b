"""A counter ticket in a phone's browser: what was sold, the code that pays it, and the release code.

It works without a script: a page that waits for money or for the counter loads itself again.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from edge.clock import local
from edge.codes.signed_token import MAX_TOKEN
from edge.errors import Declined, Invalid, OutcomeUnknown, Unavailable
from edge.services.box import Box
from edge.services.hand_over_ticket import RELEASE_PREFIX
from edge.services.issue_ticket import ticket_of_token
from edge.services.pay_by_phone import PaymentShown, phone_payment
from edge.services.pay_ticket import begin_ticket_payment, give_up_ticket_payment, meet_ticket
from edge.services.phone_records import PhoneSession
from edge.services.records import Unit
from edge.services.show_ticket import show_ticket
from edge.web.desk import WebSettings
from edge.web.phone.api.asking import asked_language
from edge.web.phone.page import REFRESH_S, PhonePages, way_on
from edge.web.phone.qr_picture import qr_picture

#: What went wrong with a tap, by the name of its text.
_PROBLEMS = ("ticket_declined", "ticket_no_gateway")

_UNKNOWN = "There is no such ticket. Scan the code on the counter's tablet again."


def blueprint(box: Box, settings: WebSettings) -> Blueprint:
    """Return the routes under /phone/t."""
    pages, routes = _Pages(box, settings), Blueprint("ticket", __name__, url_prefix="/phone/t")
    routes.add_url_rule("/<token>", view_func=pages.show)
    routes.add_url_rule("/<token>/pay", view_func=pages.pay, methods=["POST"])
    routes.add_url_rule("/<token>/back", view_func=pages.back, methods=["POST"])
    routes.add_url_rule("/<token>/release.svg", view_func=pages.release)
    return routes


class _Pages:
    def __init__(self, box: Box, settings: WebSettings) -> None:
        self._box = box
        self._pages = PhonePages(box, settings)
        self._zone = ZoneInfo(settings.zone)

    def show(self, token: str) -> AnyResponse:
        """Show the ticket and how its payment stands; the payer sees the release code."""
        asked = self._pages.open()
        try:
            meet_ticket(self._box, token[: MAX_TOKEN + 1], asked)
        except Invalid:
            abort(404, _UNKNOWN)
        ticket, payment = self._see(token, asked)
        problem = request.args.get("problem", "")
        moves = payment is not None and payment.state in ("open", "unsure")
        waits = ticket["state"] == "paying" or moves
        return self._pages.show(
            "phone_ticket.html",
            token=token,
            ticket=ticket,
            payment=payment,
            moves=moves,
            problem=problem if problem in _PROBLEMS else "",
            until=self._until(ticket["expires_at"]),
            query=way_on(),
            refresh_to=f"{request.script_root}{request.path}{way_on()}",
            refresh_s=REFRESH_S if waits or ticket["release_code"] else 0,
        )

    def pay(self, token: str) -> AnyResponse:
        """Begin to pay; the page then shows the code."""
        asked = self._pages.open()
        try:
            begin_ticket_payment(self._box, token[: MAX_TOKEN + 1], asked)
        except (Invalid, Declined):
            return self._back_to(token, "ticket_declined")
        except (Unavailable, OutcomeUnknown):
            return self._back_to(token, "ticket_no_gateway")
        return self._back_to(token)

    def back(self, token: str) -> AnyResponse:
        """Do not pay after all, unless it is paid already."""
        asked = self._pages.open()
        try:
            give_up_ticket_payment(self._box, token[: MAX_TOKEN + 1], asked)
        except (Invalid, Declined):
            return self._back_to(token, "ticket_declined")
        except (Unavailable, OutcomeUnknown):
            return self._back_to(token, "ticket_no_gateway")
        return self._back_to(token)

    def release(self, token: str) -> Response:
        """Show the release code as a QR code, for the counter's scanner."""
        asked = self._pages.session()
        code = self._see(token, asked)[0]["release_code"] if asked else None
        if not code:
            abort(404, "There is no release code on this phone.")
        return qr_picture(f"{RELEASE_PREFIX}{code}")

    def _see(self, token: str, asked: PhoneSession) -> tuple[dict[str, object], PaymentShown | None]:
        language, now = asked_language(), self._box.clock.now()

        def query(unit: Unit) -> tuple[dict[str, object], PaymentShown | None]:
            found = ticket_of_token(unit, self._box, token[: MAX_TOKEN + 1])
            shown = show_ticket(unit, self._box, found, asked, language, now)
            order = unit.orders.get(found.order_id) if shown["order_id"] else None
            return shown, phone_payment(unit, self._box, order) if order else None

        try:
            return self._box.store.read(query)
        except Invalid:
            abort(404, _UNKNOWN)

    def _until(self, at: object) -> str:
        return f"{local(at, self._zone):%H:%M}" if isinstance(at, int) else ""

    def _back_to(self, token: str, problem: str = "") -> AnyResponse:
        query = way_on(problem=problem) if problem else way_on()
        answer = redirect(f"{request.script_root}/phone/t/{token[: MAX_TOKEN + 1]}{query}", 303)
        assert isinstance(answer, Response)
        return self._pages.keep(answer)
