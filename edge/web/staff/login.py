"""Signing in with a PIN, and out."""

from __future__ import annotations

import re

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from edge.web.desk import Desk, WebSettings
from edge.web.staff.frame import show
from edge.web.staff.sessions import StaffSessions

_STAFF_PAGE = re.compile(r"/staff(?:/[\w.-]+){1,6}", re.ASCII)

#: The cookie that holds a session's token.
COOKIE = "staff"


def add(routes: Blueprint, desk: Desk, settings: WebSettings, sessions: StaffSessions) -> None:
    """Put /staff/login and /staff/logout on the blueprint."""

    @routes.route("/login", methods=["GET", "POST"])
    def login() -> Response | tuple[str, int] | str:
        if request.method == "GET":
            return show("login", refused=False, to=_asked_page())
        person = desk.staff_login(request.form.get("pin", "")[:32])
        if person is None:
            return show("login", refused=True, to=_asked_page()), 403
        answer = redirect(_asked_page() or url_for("staff.devices"), 303)
        answer.set_cookie(
            COOKIE,
            sessions.open(person),
            httponly=True,
            samesite="Strict",
            secure=settings.secure_cookies,
            path="/staff",
        )
        return answer

    @routes.post("/logout")
    def logout() -> Response:
        sessions.close(request.cookies.get(COOKIE, ""))
        answer = redirect(url_for("staff.login"), 303)
        answer.delete_cookie(COOKIE, path="/staff", httponly=True, samesite="Strict")
        return answer


def _asked_page() -> str:
    """Return the staff page that somebody wanted before signing in, "" for none of ours."""
    wanted = request.args.get("to", "")
    return wanted if _STAFF_PAGE.fullmatch(wanted) else ""
