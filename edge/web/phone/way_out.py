"""The exit code of a paid order of scan and go, as a page that a guard's scanner reads."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, request
from werkzeug.wrappers import Response as AnyResponse

from edge.clock import local
from edge.retail.exit_pass import ExitState
from edge.services.box import Box
from edge.services.pass_exit import ExitShown
from edge.services.show_cart import show_lines, show_pass
from edge.web.desk import WebSettings
from edge.web.phone.api.asking import PhoneProblem, asked_language
from edge.web.phone.api.exit import own_exit
from edge.web.phone.page import PhonePages, way_on
from edge.web.phone.qr_picture import qr_picture

#: How often the page looks whether the guard has scanned it, in seconds.
REFRESH_S = 4


def blueprint(box: Box, settings: WebSettings) -> Blueprint:
    """Return the routes under /phone/exit."""
    pages, routes = _Pages(box, settings), Blueprint("way_out", __name__, url_prefix="/phone/exit")
    routes.add_url_rule("/<order_id>", view_func=pages.show)
    routes.add_url_rule("/<order_id>/code.svg", view_func=pages.code)
    return routes


class _Pages:
    def __init__(self, box: Box, settings: WebSettings) -> None:
        self._box = box
        self._pages = PhonePages(box, settings)
        self._zone = ZoneInfo(settings.zone)

    def show(self, order_id: str) -> AnyResponse:
        """Show the code, or that it was used."""
        shown = self._own(order_id)
        seen = show_pass(shown)
        receipt = self._box.store.read(lambda unit: unit.receipts.of_order(shown.order.order_id))
        return self._pages.show(
            "phone_exit.html",
            seen=seen,
            lines=show_lines(shown.order.lines, asked_language()),
            order_id=shown.order.order_id,
            groups=_groups(str(seen["code"] or "")),
            until=self._clock(shown.expires_at),
            left_at=self._clock(shown.one.checked_at),
            place=shown.one.place,
            receipt=receipt.token if receipt is not None else "",
            query=way_on(),
            refresh_s=0 if shown.one.state is ExitState.PASSED else REFRESH_S,
        )

    def code(self, order_id: str) -> Response:
        """Show the code as a picture, only while it is good."""
        code = show_pass(self._own(order_id))["code"]
        if not code:
            abort(404, "This exit code is not good any more, or not yet.")
        return qr_picture(str(code))

    def _own(self, order_id: str) -> ExitShown:
        session = self._pages.session()
        if session is None:
            abort(404, f"Open {request.path} on the phone that has paid.")
        try:
            return own_exit(self._box, session, order_id)
        except PhoneProblem:
            abort(404, "This order was paid on another phone, or it has no exit code.")

    def _clock(self, at: int | None) -> str:
        return "" if at is None else f"{local(at, self._zone):%H:%M}"


def _groups(code: str) -> list[str]:
    """Return a code in fours, as a guard types it; spaces between them are passed over."""
    return [code[at : at + 4] for at in range(0, len(code), 4)]
