"""Pages for cashiers and technicians behind a PIN: devices, outbox, scans."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from edge.clock import boottime_ns, local
from edge.ids import TimeOrderedIds
from edge.web.desk import LANGUAGES, Desk, WebSettings
from edge.web.staff.sessions import StaffSessions
from edge.web.texts import load_texts

_COOKIE = "staff"


def blueprint(desk: Desk, settings: WebSettings) -> Blueprint:
    """Return the routes under /staff."""
    routes = Blueprint("staff", __name__, url_prefix="/staff")
    tokens = TimeOrderedIds(lambda: boottime_ns() // 1_000_000)
    sessions = StaffSessions(settings.staff_idle_s, lambda: boottime_ns() / 1e9, tokens.new_token)

    @routes.before_request
    def signed_in() -> Response | None:
        g.language = _language()
        g.person = sessions.find(request.cookies.get(_COOKIE, ""))
        if g.person is None and request.endpoint != "staff.login":
            return redirect(url_for("staff.login"), 303)
        return None

    @routes.after_request
    def remember_language(response: Response) -> Response:
        if request.args.get("language") in LANGUAGES:
            response.set_cookie("language", g.language, samesite="Strict", path="/staff")
        return response

    _add_login(routes, desk, settings, sessions)
    _add_pages(routes, desk, settings)
    return routes


def _add_login(routes: Blueprint, desk: Desk, settings: WebSettings, sessions: StaffSessions) -> None:
    @routes.route("/login", methods=["GET", "POST"])
    def login() -> Response | tuple[str, int] | str:
        if request.method == "GET":
            return _page("login", refused=False)
        person = desk.staff_login(request.form.get("pin", "")[:32])
        if person is None:
            return _page("login", refused=True), 403
        answer = redirect(url_for("staff.devices"), 303)
        answer.set_cookie(
            _COOKIE,
            sessions.open(person),
            httponly=True,
            samesite="Strict",
            secure=settings.secure_cookies,
            path="/staff",
        )
        return answer

    @routes.post("/logout")
    def logout() -> Response:
        sessions.close(request.cookies.get(_COOKIE, ""))
        answer = redirect(url_for("staff.login"), 303)
        answer.delete_cookie(_COOKIE, path="/staff", httponly=True, samesite="Strict")
        return answer


def _add_pages(routes: Blueprint, desk: Desk, settings: WebSettings) -> None:
    zone = ZoneInfo(settings.zone)

    def local_time(at: int) -> str:
        return f"{local(at, zone):%m-%d %H:%M:%S}.{at % 1000:03d}"

    @routes.get("/")
    def home() -> Response:
        return redirect(url_for("staff.devices"), 303)

    @routes.get("/devices")
    def devices() -> str:
        return _page("devices", status=desk.status(), workstations=desk.workstations())

    @routes.get("/outbox")
    def outbox() -> str:
        return _page("outbox", status=desk.status(), workstations=desk.workstations())

    @routes.get("/scans/<workstation>")
    def scans(workstation: str) -> str:
        if workstation not in desk.workstations():
            abort(404, f"There is no workstation {workstation}.")
        return _page(
            "scans",
            scans=desk.scans(workstation),
            local_time=local_time,
            workstation=workstation,
            workstations=desk.workstations(),
        )


def _page(name: str, **values: object) -> str:
    texts = load_texts(g.language)
    return render_template(
        f"staff_{name}.html", texts=texts, language=g.language, person=g.person, page=name, **values
    )


def _language() -> str:
    asked = request.args.get("language") or request.cookies.get("language", "")
    return asked if asked in LANGUAGES else LANGUAGES[0]
