"""The calls of phones, for the mini-program and for pages in a browser; see docs/protocols/phone-api.md.

Each module has `add(routes, box, settings)` and belongs to one part of that page. They answer in JSON, raise
the errors of the use cases or PhoneProblem, and are reached through HQ's relay as well.
"""

from __future__ import annotations

from flask import Blueprint, Response, current_app, request
from werkzeug.exceptions import HTTPException

from edge.clock import utc_offset_minutes
from edge.errors import EdgeError
from edge.services.box import Box
from edge.web.desk import WebSettings
from edge.web.phone.api import cart, exit, kiosk, landing, me, orders, parking, session, tickets, touch
from edge.web.phone.api.asking import PhoneProblem, answer_problem, problem_of, problem_of_status

__all__ = ["OFFSET_HEADER", "blueprint"]

#: By how many minutes the mall's clocks are ahead of UTC, so that phones show instants as the box's texts do.
OFFSET_HEADER = "Mall-Utc-Offset"

_PARTS = (session, orders, cart, kiosk, exit, me, parking, landing, touch, tickets)


def blueprint(box: Box, settings: WebSettings) -> Blueprint:
    """Return the routes under /phone/api/v1."""
    routes = Blueprint("phone_api", __name__, url_prefix="/phone/api/v1")
    for part in _PARTS:
        part.add(routes, box, settings)

    @routes.errorhandler(PhoneProblem)
    def refused(problem: PhoneProblem) -> Response:
        return answer_problem(problem)

    @routes.errorhandler(EdgeError)
    def failed(error: EdgeError) -> Response:
        answer = answer_problem(problem_of(error))
        if answer.status_code >= 500:
            current_app.logger.warning("%s %s: %s", request.method, request.path, error)
        return answer

    @routes.errorhandler(HTTPException)
    def impossible(error: HTTPException) -> Response:
        return answer_problem(problem_of_status(error))

    @routes.after_request
    def timed(answer: Response) -> Response:
        now = box.clock.now().wall_at
        answer.headers[OFFSET_HEADER] = str(utc_offset_minutes(now, box.rules.zone))
        return answer

    return routes
