"""The tablet of a tenant's counter: guides sign in with a PIN, write tickets and hand goods over.

The page asks for its view every moment and is answered only when something has changed; looking keeps nobody
signed in, doing does. docs/operations/counter.md has the shapes.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, abort, jsonify, make_response, render_template, request

from devices.types import Scan
from edge.clock import boottime_ns
from edge.ids import TimeOrderedIds
from edge.services.box import Box, WorkstationKind
from edge.services.show_counter import guides_of, show_counter, show_entry, sign_in
from edge.services.staff import StaffBook
from edge.web.changes import Changes
from edge.web.counter.actions import ACTIONS, Act, arguments, text
from edge.web.desk import LANGUAGES, WebSettings
from edge.web.phone.qr_picture import qr_picture
from edge.web.staff.sessions import StaffSessions
from edge.web.texts import load_texts

#: The cookie that holds a guide's session, and after how many idle seconds it ends.
COOKIE = "guide"
GUIDE_IDLE_S = 1_800


def blueprint(
    box: Box,
    settings: WebSettings,
    staff: StaffBook,
    changes: Changes,
    on_scan: Callable[[str, Scan], None],
) -> Blueprint:
    """Return /counter/<counter> and its calls under /api/counter.

    staff: whose PINs approve. on_scan: takes what was typed on a screen, as if a scanner had read it.
    """
    routes, tablets = Blueprint("counter", __name__), _Tablets(box, settings, staff, changes, on_scan)
    routes.add_url_rule("/counter/<counter>", view_func=tablets.page)
    routes.add_url_rule("/api/counter/<counter>/view", view_func=tablets.view)
    routes.add_url_rule("/api/counter/<counter>/code.svg", view_func=tablets.code)
    routes.add_url_rule("/api/counter/<counter>/sign-in", view_func=tablets.enter, methods=["POST"])
    routes.add_url_rule("/api/counter/<counter>/sign-out", view_func=tablets.leave, methods=["POST"])
    routes.add_url_rule("/api/counter/<counter>/<action>", view_func=tablets.act, methods=["POST"])
    return routes


class _Tablets:
    def __init__(
        self,
        box: Box,
        settings: WebSettings,
        staff: StaffBook,
        changes: Changes,
        on_scan: Callable[[str, Scan], None],
    ) -> None:
        self._box, self._settings, self._staff = box, settings, staff
        self._changes, self._on_scan = changes, on_scan
        tokens = TimeOrderedIds(lambda: boottime_ns() // 1_000_000)
        self._sessions = StaffSessions(GUIDE_IDLE_S, lambda: boottime_ns() / 1e9, tokens.new_token)

    def page(self, counter: str) -> str:
        """Show the tablet's page."""
        self._need(counter)
        texts = {language: load_texts(language) for language in LANGUAGES}
        return render_template("counter.html", counter=counter, settings=self._settings, texts=texts)

    def view(self, counter: str) -> Response:
        """Answer with what the tablet shows; 204 when it is what the page has already."""
        self._need(counter)
        guide, version = self._guide(counter, used=False), self._changes.version(counter)
        tag = f"{version}-{guide or ''}"
        if request.args.get("seen") == tag:
            return Response(status=204)
        if guide is None:
            return jsonify({**show_entry(self._box, counter), "tag": tag, "guide": None})
        shown = show_counter(self._box, counter)
        return jsonify({**shown, "guides": guides_of(self._box, counter), "tag": tag, "guide": guide})

    def code(self, counter: str) -> Response:
        """Show the code of the ticket on the tablet."""
        self._need(counter)
        if self._guide(counter, used=False) is None:
            abort(401, "Sign in first.")
        url = show_counter(self._box, counter)["url"]
        if not isinstance(url, str):
            abort(404, "No ticket is shown that can be paid.")
        return qr_picture(url)

    def enter(self, counter: str) -> Response:
        """Sign a guide in."""
        self._need(counter)
        given = arguments()
        guide = text(given, "guide")
        if not sign_in(self._box, counter, guide, text(given, "pin")[:32]):
            abort(403, "This PIN is not known; after five wrong ones wait a minute.")
        answer = make_response(jsonify(guide=guide))
        answer.set_cookie(
            COOKIE,
            self._sessions.open(f"{counter}/{guide}"),
            httponly=True,
            samesite="Strict",
            secure=self._settings.secure_cookies,
            path="/api/counter",
        )
        return answer

    def leave(self, counter: str) -> Response:
        """Sign the guide out; nothing of a ticket is left on the tablet."""
        self._need(counter)
        guide = self._guide(counter, used=False)
        self._sessions.close(request.cookies.get(COOKIE, ""))
        if guide is not None:
            ACTIONS["pick"](Act(self._box, counter, "", {"ticket": ""}, self._staff))
        answer = make_response(jsonify(guide=None))
        answer.delete_cookie(COOKIE, path="/api/counter", httponly=True, samesite="Strict")
        return answer

    def act(self, counter: str, action: str) -> Response:
        """Do what was touched."""
        self._need(counter)
        guide = self._guide(counter)
        if guide is None:
            abort(401, "Sign in first.")
        given = arguments()
        if action == "type-code":
            typed = text(given, "text").strip()[:256]
            self._on_scan(counter, Scan("screen", typed.encode(), typed, None, boottime_ns()))
        elif action in ACTIONS:
            ACTIONS[action](Act(self._box, counter, guide, given, self._staff))
        else:
            abort(404, f"There is no action {action}.")
        return jsonify(version=self._changes.version(counter))

    def _need(self, counter: str) -> None:
        place = self._box.workstations.get(counter)
        if place is None or place.kind is not WorkstationKind.COUNTER:
            abort(404, f"There is no counter {counter}.")

    def _guide(self, counter: str, *, used: bool = True) -> str | None:
        """Return who is signed in at this counter; a session of one counter is none at another."""
        found = self._sessions.find(request.cookies.get(COOKIE, ""), used=used)
        place, _, guide = (found or "").partition("/")
        return guide if found and place == counter else None
