"""Puts the pages together."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Flask

from edge.web import api, camera, health, kiosk, staff
from edge.web.camera import CameraDesk
from edge.web.desk import Desk, WebSettings
from edge.web.guard import install_guard
from edge.web.phone import receipt
from edge.web.problems import install_problems
from edge.web.staff.frame import StaffPage


def create_web(
    desk: Desk,
    settings: WebSettings,
    more: Sequence[StaffPage] = (),
    cameras: CameraDesk | None = None,
    apart: Sequence[Blueprint] = (),
) -> Flask:
    """Return the WSGI application over `desk`: kiosk, till, phone and staff pages, API, health.

    more: staff pages over use cases of their own, as of web.staff.pages.box_pages. cameras: those that
    post here. apart: pages of their own over use cases, as of web.phone.parking and web.notify.
    """
    app = Flask("edge.web")
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.config["MAX_FORM_MEMORY_SIZE"] = settings.max_body_bytes
    install_guard(app, settings)
    install_problems(app)
    app.register_blueprint(kiosk.blueprint(desk, settings))
    app.register_blueprint(api.blueprint(desk, settings))
    app.register_blueprint(receipt.blueprint(desk, settings))
    app.register_blueprint(staff.blueprint(desk, settings, more))
    app.register_blueprint(health.blueprint(desk))
    if cameras is not None:
        app.register_blueprint(camera.blueprint(cameras))
    for routes in apart:
        app.register_blueprint(routes)
    return app
