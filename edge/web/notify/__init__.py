"""Where gateways call back, mostly through HQ's relay: /notify/<gateway>.

A call is believed by its own signature alone, so it needs no session and no Origin; it is answered 204 once
what it tells is written.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Response, abort, current_app, request

from edge.services.box import Box
from edge.services.hear_gateway import hear_gateway
from edge.services.payment_ports import CallbackReader, CallbackRefused

#: The gateway's name by the last part of the address.
ADDRESSES = {"wechat": "wechat_pay"}


def blueprint(box: Box, readers: Mapping[str, CallbackReader]) -> Blueprint:
    """Return the routes under /notify. readers: by the gateway's name."""
    routes = Blueprint("notify", __name__, url_prefix="/notify")

    @routes.post("/<address>")
    def heard(address: str) -> Response:
        reader = readers.get(ADDRESSES.get(address, ""))
        if reader is None:
            abort(404, "No gateway calls back here.")
        try:
            hear_gateway(box, reader, dict(request.headers), request.get_data())
        except CallbackRefused as refusal:
            current_app.logger.warning("%s: %s", request.path, refusal)
            return Response(refusal.body, status=refusal.status, mimetype="application/json")
        return Response(status=204)

    return routes
