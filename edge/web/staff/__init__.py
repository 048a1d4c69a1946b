"""Pages for cashiers and technicians behind a PIN; pages.py lists them, one small module each."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, g, redirect, request, url_for
from werkzeug.wrappers import Response

from edge.clock import boottime_ns
from edge.ids import TimeOrderedIds
from edge.web.desk import LANGUAGES, Desk, WebSettings
from edge.web.staff import login
from edge.web.staff.frame import StaffPage, asked_language
from edge.web.staff.pages import desk_pages
from edge.web.staff.sessions import StaffSessions


def blueprint(desk: Desk, settings: WebSettings, more: Sequence[StaffPage] = ()) -> Blueprint:
    """Return the routes under /staff. more: the pages that are not over the desk."""
    routes = Blueprint("staff", __name__, url_prefix="/staff")
    tokens = TimeOrderedIds(lambda: boottime_ns() // 1_000_000)
    sessions = StaffSessions(settings.staff_idle_s, lambda: boottime_ns() / 1e9, tokens.new_token)
    pages = (*desk_pages(desk, settings), *more)

    @routes.before_request
    def signed_in() -> Response | None:
        g.language = asked_language()
        # A page that refreshes itself must not keep a session alive that nobody uses.
        used = "X-Refresh" not in request.headers
        g.person = sessions.find(request.cookies.get(login.COOKIE, ""), used=used)
        g.navigation = [link for page in pages for link in page.links()] if g.person else []
        if g.person is None and request.endpoint != "staff.login":
            to = request.path if request.method == "GET" and request.path != "/staff/" else None
            return redirect(url_for("staff.login", to=to), 303)
        return None

    @routes.after_request
    def remember_language(response: Response) -> Response:
        if request.args.get("language") in LANGUAGES:
            response.set_cookie("language", g.language, samesite="Strict", path="/staff")
        return response

    @routes.get("/")
    def home() -> Response:
        return redirect(url_for("staff.devices"), 303)

    routes.add_app_template_filter(_visible, "visible")
    login.add(routes, desk, settings, sessions)
    for page in pages:
        page.add(routes)
    return routes


def _visible(text: str) -> str:
    """Return a scanned text with its control characters as signs, e.g. a group separator as U+241D."""
    return "".join(chr(0x2400 + ord(each)) if ord(each) < 32 else each for each in text)
