"""Sessions of phones: for nobody yet, and signed in by the mini-program."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from flask import Blueprint, Response, jsonify

from edge.services.box import Box
from edge.services.limit_rate import RateKeeper, RateLimit
from edge.services.phone_records import PhoneSession
from edge.services.phone_session import MAX_SCENE, log_in, open_session
from edge.web.desk import WebSettings
from edge.web.phone.api.asking import PhoneProblem, asked_language, bearer, body, number_in, text_in

_MAX_WORD = 64
_MAX_CODE = 512

#: Log-ins of all phones together; each is a call to WeChat, which has a limit of its own.
LOGINS_PER_MINUTE = 600


class Doorkeeper:
    """Counts sessions that are opened for nobody yet, and log-ins; usable from any thread."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._keeper = RateKeeper(RateLimit(box.phone.opens_per_minute, keys=1))
        self._logins = RateKeeper(RateLimit(LOGINS_PER_MINUTE, keys=1))
        self._lock = threading.Lock()

    def count_login(self) -> None:
        """Count a log-in, which WeChat is asked about; raise PhoneProblem for too many in this minute."""
        self._count(self._logins)

    def open(self, language: str, way: str = "", scene: int = 0) -> tuple[str, PhoneSession]:
        """Begin a session; raise PhoneProblem when too many were begun in this minute."""
        self._count(self._keeper)
        return open_session(self._box, language, way, scene)

    def _count(self, keeper: RateKeeper) -> None:
        now_ns = self._box.clock.now().boottime_ns
        with self._lock:
            wait_ms = keeper.wait_ms("", now_ns)
            if wait_ms > 0:
                raise PhoneProblem("too_often", retry_s=-(-wait_ms // 1000))
            keeper.count("", now_ns)


def add(routes: Blueprint, box: Box, settings: WebSettings) -> None:
    """Put /session and /login on the blueprint."""
    door = Doorkeeper(box)

    @routes.post("/session")
    def begin() -> Response:
        given = body()
        language = text_in(given, "language", 8, "") or asked_language()
        return _shown(box, *door.open(language, *_way(given)))

    @routes.post("/login")
    def login() -> Response:
        given = body()
        code = text_in(given, "code", _MAX_CODE)
        door.count_login()
        return _shown(box, *log_in(box, code, bearer(), asked_language(), *_way(given)))


def _way(given: Mapping[str, object]) -> tuple[str, int]:
    return text_in(given, "c", _MAX_WORD, ""), number_in(given, "scene", 0, MAX_SCENE, 0)


def _shown(box: Box, token: str, session: PhoneSession) -> Response:
    return jsonify(
        token=token,
        expires_at=session.seen_at + box.phone.session_ms,
        c=session.correlation,
        signed_in=session.signed_in,
        templates=[box.phone.paid_template] if box.phone.paid_template else [],
    )
