"""The exit code of a paid order of scan and go."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from edge.services.box import Box
from edge.services.pass_exit import ExitShown, show_exit
from edge.services.phone_records import PhoneSession
from edge.services.records import Unit
from edge.services.show_cart import show_pass
from edge.web.desk import WebSettings
from edge.web.phone.api.asking import PhoneProblem, session
from edge.web.phone.qr_picture import with_qr

_MAX_ID = 64


def add(routes: Blueprint, box: Box, settings: WebSettings) -> None:
    """Put /exit/... on the blueprint."""

    @routes.get("/exit/<order_id>")
    def way_out(order_id: str) -> Response:
        return jsonify(with_qr(show_pass(own_exit(box, session(box), order_id))))


def own_exit(box: Box, asked: PhoneSession, order_id: str) -> ExitShown:
    """Return the way out of an order that this phone paid; raise PhoneProblem for any other."""
    now = box.clock.now()

    def query(unit: Unit) -> tuple[ExitShown | None, bool]:
        return show_exit(unit, box, order_id[:_MAX_ID], now), unit.phones.has_order(asked, order_id[:_MAX_ID])

    shown, own = box.store.read(query)
    if shown is None:
        raise PhoneProblem("not_found")
    if not own:
        raise PhoneProblem("not_yours")
    return shown
