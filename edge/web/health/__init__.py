"""Whether the process lives and the service is ready, and its metrics."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, make_response

from edge.web.desk import Desk


def blueprint(desk: Desk) -> Blueprint:
    """Return /health/live, /health/ready and /metrics."""
    routes = Blueprint("health", __name__)

    @routes.get("/health/live")
    def live() -> Response:
        return jsonify(live=True)

    @routes.get("/health/ready")
    def ready() -> Response:
        health = desk.health()
        return make_response(jsonify(health), 200 if health.get("ready") else 503)

    @routes.get("/metrics")
    def metrics() -> Response:
        return Response(desk.metrics(), content_type="text/plain; version=0.0.4; charset=utf-8")

    return routes
