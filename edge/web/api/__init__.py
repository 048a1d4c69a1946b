"""The kiosk API: view, live stream, actions. docs/protocols/kiosk-api.md describes it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from flask import Blueprint, Response, abort, jsonify, request
from werkzeug.exceptions import ServiceUnavailable

from edge.errors import Invalid
from edge.web.api.slots import Slots
from edge.web.desk import LANGUAGES, Desk, Json, WebSettings

#: After how many seconds a page that got no stream may ask for one again.
RETRY_STREAM_S = 15


def blueprint(desk: Desk, settings: WebSettings) -> Blueprint:
    """Return the routes under /api/kiosk."""
    routes = Blueprint("api", __name__, url_prefix="/api/kiosk")
    slots = Slots(settings.max_streams)

    @routes.get("/<workstation>/view")
    def view(workstation: str) -> Response:
        _known(desk, workstation)
        return jsonify(desk.view(workstation, _language()))

    @routes.get("/<workstation>/stream")
    def stream(workstation: str) -> Response:
        _known(desk, workstation)
        language = _language()
        if not slots.take():
            raise ServiceUnavailable(
                f"all {settings.max_streams} live streams are taken; poll the view instead",
                retry_after=RETRY_STREAM_S,
            )
        events = _Stream(_events(desk, workstation, language, settings.keep_alive_s), slots)
        return Response(events, mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"})

    @routes.post("/<workstation>/<action>")
    def act(workstation: str, action: str) -> Response:
        _known(desk, workstation)
        desk.act(workstation, action, _arguments())
        return jsonify(version=desk.changes.version(workstation))

    return routes


class _Stream:
    """Events that hold a slot until they are closed, also when they were never begun."""

    def __init__(self, events: Iterator[str], slots: Slots) -> None:
        self._events = events
        self._slots = slots
        self._open = True

    def __iter__(self) -> _Stream:
        return self

    def __next__(self) -> str:
        return next(self._events)

    def close(self) -> None:
        """Give the slot back; the server calls it when the client is gone or the stream has ended."""
        if self._open:
            self._open = False
            self._slots.give()


def _events(desk: Desk, workstation: str, language: str, keep_alive_s: float) -> Iterator[str]:
    yield "retry: 1000\n\n"
    seen = desk.changes.version(workstation)
    yield _event(desk.view(workstation, language))
    while not desk.changes.closed:
        version = desk.changes.wait(workstation, seen, keep_alive_s)
        if version == seen:
            # A page cannot see comments; the named event lets it notice a link that died silently.
            yield f": keep-alive\nevent: alive\ndata: {seen}\n\n"
            continue
        seen = version
        yield _event(desk.view(workstation, language))


def _event(view: Json) -> str:
    data = json.dumps(view, ensure_ascii=False, separators=(",", ":"))
    return f"id: {view['version']}\nevent: view\ndata: {data}\n\n"


def _known(desk: Desk, workstation: str) -> None:
    if workstation not in desk.workstations():
        abort(404, f"There is no workstation {workstation}; there are {', '.join(desk.workstations())}.")


def _language() -> str:
    language = request.args.get("language", "")
    if language and language not in LANGUAGES:
        raise Invalid(f"language must be one of {', '.join(LANGUAGES)}, got {language!r}")
    return language


def _arguments() -> Mapping[str, object]:
    if not request.get_data():
        return {}
    arguments = request.get_json(force=False, silent=True)
    if not isinstance(arguments, dict):
        raise Invalid("the body must be a JSON object sent as application/json")
    return arguments
