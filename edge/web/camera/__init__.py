"""Where cameras post: /camera/TOKEN, and the fixed paths of makers that know no other.

The read is committed before the answer goes out; an answer other than 200 has the camera send it again.
docs/protocols/cameras.md describes it. Of a post only the camera's name and what became of it are logged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import structlog
from flask import Blueprint, Response, jsonify, make_response, request
from werkzeug.exceptions import HTTPException

from devices.types import (
    BadPush,
    CameraAlive,
    CameraAnswer,
    CameraNews,
    CameraPost,
    CameraRequest,
    CameraWish,
    PlateSeen,
)
from edge.clock import boottime_ns, pause
from edge.errors import EdgeError
from edge.services.lane_answer import LaneAnswer
from edge.services.take_camera_news import wish_of
from edge.web.api.slots import Slots
from edge.web.camera.door import BoundCamera, CameraDoor, Refused

#: The largest post: two pictures in base64 and room to spare.
MAX_BODY_BYTES = 4 * 1024 * 1024

#: The paths that are open to any network and any origin, as they bind who posts by themselves.
PATHS = ("/camera/", "/NotificationInfo/")

#: The pause before a stored record is answered, which has the camera send the next one: 9,000 of them must
#: not keep live vehicles from being written.
BACKFILL_S = 0.05

#: How long a camera that asks for commands is kept waiting; it asks again at once.
HOLD_S = 20.0

_log = structlog.get_logger("camera")


@dataclass(frozen=True, slots=True)
class CameraDesk:
    """What the cameras' paths need. take: takes a lane and one thing that its camera told. held: how many
    requests may be kept waiting at a time, far fewer than there are threads."""

    door: CameraDoor
    take: Callable[[str, CameraNews], LaneAnswer | None]
    held: int = 8
    hold_s: float = HOLD_S


def blueprint(desk: CameraDesk) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("camera", __name__)
    slots = Slots(desk.held)

    @routes.post("/camera/<token>")
    @routes.post("/camera/<token>/<path:rest>")
    def by_token(token: str, rest: str = "") -> Response:
        return _guarded(lambda: _take(desk, slots, desk.door.by_token(token, _address()), rest))

    @routes.post("/NotificationInfo/<path:rest>")
    def by_path(rest: str) -> Response:
        return _guarded(lambda: _by_serial(desk, slots, f"NotificationInfo/{rest}"))

    return routes


def _guarded(answer: Callable[[], Response]) -> Response:
    """Answer, or say what is wrong without repeating the address, which holds the token."""
    try:
        return answer()
    except Refused as refused:
        _log.warning("refused", status=refused.status, why=str(refused))
        words = {404: "there is nothing here", 403: "this camera is bound otherwise", 429: "too many posts"}
        return _problem(refused.status, refused.reason, words[refused.status])
    except BadPush as error:
        return _problem(400, "bad_push", str(error))
    except EdgeError as error:
        _log.warning("not taken", kind=type(error).__name__, why=str(error))
        return _problem(503, "not_taken", "it was not taken; send it again")
    except HTTPException:
        raise
    except Exception as error:
        # Flask would log the address, and with it the token.
        _log.exception("failed", kind=type(error).__name__)
        return _problem(500, "failed", "it was not taken; send it again")


def _by_serial(desk: CameraDesk, slots: Slots, rest: str) -> Response:
    """Take a post to a fixed path: whose it is says its serial number, among the cameras of that address."""
    found = desk.door.by_address(_address())
    post = _read(desk, found[0], rest)
    named = [one for one in found if one.serial.casefold() == post.serial.casefold()]
    if not named:
        desk.door.check_serial(found[0], post.serial)
    camera = named[0]
    return _answer(desk, slots, camera, post if camera is found[0] else _read(desk, camera, rest))


def _take(desk: CameraDesk, slots: Slots, camera: BoundCamera, rest: str) -> Response:
    post = _read(desk, camera, rest)
    desk.door.check_serial(camera, post.serial)
    return _answer(desk, slots, camera, post)


def _read(desk: CameraDesk, camera: BoundCamera, rest: str) -> CameraPost:
    read_ns = boottime_ns()
    request.max_content_length = MAX_BODY_BYTES
    body = request.get_data(cache=True, parse_form_data=False)
    try:
        return camera.camera.take(CameraRequest(rest, request.content_type or "", body, read_ns))
    except BadPush as error:
        desk.door.refuse(400, "unreadable", f"camera {camera.name}: {error}", camera.name)
        _log.warning("unreadable", camera=camera.name, why=str(error), size=len(body))
        raise


def _answer(desk: CameraDesk, slots: Slots, camera: BoundCamera, post: CameraPost) -> Response:
    wish = CameraWish()
    for news in post.news:
        answer = desk.take(camera.lane, news)
        if answer is not None:
            wish = wish_of(answer, camera.words)
            _log.info(
                "read", camera=camera.name, lane=camera.lane, outcome=answer.outcome, read=answer.read_id
            )
    desk.door.count_post(camera.name)
    if any(isinstance(one, PlateSeen) and one.backfill for one in post.news):
        pause(BACKFILL_S)
    asks = any(isinstance(one, CameraAlive) and one.asks for one in post.news)
    if not (asks and slots.take()):
        return _carried(camera, camera.camera.answer(post, wish))
    try:
        answered = camera.camera.answer(post, wish, desk.hold_s)
    finally:
        slots.give()
    return _carried(camera, answered)


def _carried(camera: BoundCamera, answer: CameraAnswer) -> Response:
    if not answer.commands:
        return Response(answer.body, content_type=answer.content_type)
    told = _Told(answer, lambda whole: camera.camera.sent(answer, whole))
    return Response(told, content_type=answer.content_type, headers={"Content-Length": str(len(answer.body))})


class _Told:
    """An answer's body that says whether the server took all of it for the wire."""

    def __init__(self, answer: CameraAnswer, tell: Callable[[bool], None]) -> None:
        self._parts = [answer.body]
        self._tell: Callable[[bool], None] | None = tell

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._parts:
            return self._parts.pop()
        # It asks for more only when it could write what it had.
        self._say(True)
        raise StopIteration

    def close(self) -> None:
        """The server is done; what was not asked for to the end may not have gone out."""
        self._say(False)

    def _say(self, whole: bool) -> None:
        tell, self._tell = self._tell, None
        if tell is not None:
            tell(whole)


def _address() -> str:
    return request.remote_addr or ""


def _problem(status: int, word: str, message: str) -> Response:
    return make_response(jsonify(error=word, message=message), status)
