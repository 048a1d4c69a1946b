"""Counter tickets and payment by phone for the screens of tills."""

from __future__ import annotations

from flask import Blueprint, Response, abort, jsonify, request

from edge.retail.attempt import PayWay
from edge.services.box import Box
from edge.services.records import Unit
from edge.services.show_tickets import search_tickets
from edge.services.workstation import load
from edge.web.phone.qr_picture import qr_picture

#: The longest search: a whole link from a QR code.
MAX_TEXT = 200


def blueprint(box: Box) -> Blueprint:
    """Return GET /api/kiosk/<workstation>/tickets?text=... and .../payment.svg, what a phone scans to pay."""
    routes = Blueprint("tickets", __name__, url_prefix="/api/kiosk")

    @routes.get("/<workstation>/tickets")
    def tickets(workstation: str) -> Response:
        _known(workstation)
        return jsonify(search_tickets(box, workstation, request.args.get("text", "")[:MAX_TEXT]))

    @routes.get("/<workstation>/payment.svg")
    def payment(workstation: str) -> Response:
        _known(workstation)
        url = box.store.read(lambda unit: _code_url(unit, workstation))
        if not url:
            abort(404, "No payment by phone is open here.")
        answer = qr_picture(url)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def _known(workstation: str) -> None:
        if workstation not in box.workstations:
            abort(404, f"There is no workstation {workstation}.")

    def _code_url(unit: Unit, workstation: str) -> str:
        attempt = load(unit, box, workstation).attempt
        shown = attempt is not None and attempt.is_open and attempt.way is PayWay.NATIVE
        return attempt.pay_url if attempt is not None and shown else ""

    return routes
