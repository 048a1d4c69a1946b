"""Pages for cashiers and technicians behind a PIN: devices, service, outbox, scans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from edge.clock import boottime_ns, local
from edge.ids import TimeOrderedIds
from edge.web.desk import LANGUAGES, Desk, Json, WebSettings
from edge.web.staff.plot import plot_depth
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
        # A page that refreshes itself must not keep a session alive that nobody uses.
        used = "X-Refresh" not in request.headers
        g.person = sessions.find(request.cookies.get(_COOKIE, ""), used=used)
        if g.person is None and request.endpoint != "staff.login":
            return redirect(url_for("staff.login"), 303)
        return None

    @routes.after_request
    def remember_language(response: Response) -> Response:
        if request.args.get("language") in LANGUAGES:
            response.set_cookie("language", g.language, samesite="Strict", path="/staff")
        return response

    routes.add_app_template_filter(_visible, "visible")
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

    @routes.get("/service")
    def service() -> str:
        return _page("service", status=desk.status(), workstations=desk.workstations())

    @routes.get("/outbox")
    def outbox() -> str:
        status = desk.status()
        history = cast("Mapping[str, Sequence[tuple[int, int]]]", status["outbox"])["history"]
        plot = plot_depth(history)
        return _page("outbox", status=status, workstations=desk.workstations(), plot=plot)

    @routes.get("/scans/<workstation>")
    def scans(workstation: str) -> str:
        if workstation not in desk.workstations():
            abort(404, f"There is no workstation {workstation}.")
        found = desk.scans(workstation)
        return _page(
            "scans",
            scans=[scan for scan in found if _wanted(scan)],
            all=len(found),
            asked={name: request.args.get(name, "") for name in ("class", "outcome", "text")},
            classes=sorted({str(scan["class"]) for scan in found}),
            outcomes=sorted({str(scan["outcome"]) for scan in found}),
            local_time=local_time,
            workstation=workstation,
            workstations=desk.workstations(),
        )


def _page(name: str, **values: object) -> str:
    texts = load_texts(g.language)
    return render_template(
        f"staff_{name}.html", texts=texts, language=g.language, person=g.person, page=name, **values
    )


def _wanted(scan: Json) -> bool:
    """Return whether a scan passes the filters in the address."""
    asked = request.args
    return (
        asked.get("class", "") in ("", scan["class"])
        and asked.get("outcome", "") in ("", scan["outcome"])
        and asked.get("text", "").strip() in str(scan["text"])
    )


def _visible(text: str) -> str:
    """Return a scanned text with its control characters as signs, e.g. a group separator as U+241D."""
    return "".join(chr(0x2400 + ord(each)) if ord(each) < 32 else each for each in text)


def _language() -> str:
    asked = request.args.get("language") or request.cookies.get("language", "")
    return asked if asked in LANGUAGES else LANGUAGES[0]
