"""Serves the requests that HQ relays from the same pages that the box's own network sees.

The link's thread takes a request and never waits; a few workers run the pages. A retry carries the same
correlation and is answered from memory when it could have an effect, so that it has it once.
"""

from __future__ import annotations

import io
import logging
import queue
import re
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from edge.errors import Invalid
from edge.hq.connection import Incoming, Saying
from edge.hq.relay_codec import (
    MAX_ANSWER_BODY,
    MAX_REQUEST_BYTES,
    RelayedAnswer,
    RelayedRequest,
    decode_request,
    encode_answer,
    is_public,
)
from edge.hq.topics import Topics
from edge.services.admit_request import Admission, AdmissionLimits, Verdict
from edge.services.ports import Clock

_log = logging.getLogger(__name__)

#: Threads that run pages for the relay, and the longest correlation.
WORKERS = 4
MAX_CORRELATION = 64

#: How long an answer may be on its way: no phone waits longer.
ANSWER_EXPIRY_S = 30

#: How long a worker may take to end, in seconds.
STOP_S = 5.0

#: Where a page finds by what HQ tells phones apart, "" without; no header can set it.
CALLER = "mall.relay_caller"

WsgiApp = Callable[..., Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class RelayCounts:
    """Totals since the start, for metrics.

    served: run. repeated: answered from memory or joined. late: nobody waited any more. refused: too
    many at once. junk: could not be answered at all. lost: the answer found no connection.
    """

    served: int = 0
    repeated: int = 0
    late: int = 0
    refused: int = 0
    junk: int = 0
    lost: int = 0
    faults: int = 0


@dataclass(frozen=True, slots=True)
class _Task:
    correlation: bytes
    payload: bytes


class RequestDesk:
    """Takes relayed requests (`take`, any thread, never blocks) and answers through `say`."""

    def __init__(
        self,
        app: WsgiApp,
        topics: Topics,
        say: Callable[[Saying], bool],
        clock: Clock,
        limits: AdmissionLimits | None = None,
    ) -> None:
        """app: the box's pages. say: hands an answer to the link, False when it cannot be taken."""
        self._app = app
        self._topic = re.compile(re.escape(topics.replies) + r"(/[a-z0-9-]{1,40})?")
        self._say = say
        self._clock = clock
        limits = limits or AdmissionLimits()
        self._admission = Admission(limits)
        self._lock = threading.Lock()
        self._counts = RelayCounts()
        # Every open request has its place here, and each worker one more word to end.
        self._tasks: queue.Queue[_Task | None] = queue.Queue(limits.open + WORKERS)
        self._workers = [
            threading.Thread(target=self._work, name=f"relay-{number}", daemon=True)
            for number in range(WORKERS)
        ]

    def start(self) -> None:
        """Begin to serve."""
        for worker in self._workers:
            worker.start()

    def close(self) -> None:
        """End; what waits is left: whoever asked will ask again."""
        for _ in self._workers:
            try:
                self._tasks.put_nowait(None)
            except queue.Full:
                break
        for worker in self._workers:
            if worker.ident is not None:
                worker.join(STOP_S)

    def counts(self) -> RelayCounts:
        """Return the totals since the start."""
        with self._lock:
            return self._counts

    def waiting(self) -> int:
        """Return how many requests are served or wait for their turn."""
        with self._lock:
            return self._admission.waiting

    def take(self, incoming: Incoming) -> None:
        """Take one message of the requests' topic."""
        correlation, topic = incoming.correlation, incoming.response_topic
        usable = 1 <= len(correlation) <= MAX_CORRELATION and self._topic.fullmatch(topic)
        if incoming.retained or not usable:
            self._count("junk")
            _log.warning("a relayed request without a usable correlation or response topic was dropped")
            return
        now_ns = self._clock.now().boottime_ns
        with self._lock:
            verdict = self._admission.admit(correlation, topic, incoming.expiry_s, now_ns)
            known = self._admission.answer_of(correlation) if verdict is Verdict.REPEAT else b""
        if verdict is Verdict.RUN:
            self._tasks.put_nowait(_Task(correlation, incoming.payload))
        elif verdict is Verdict.REPEAT:
            self._count("repeated")
            self._answer(correlation, topic, known)
        else:
            self._decline(verdict, correlation, topic)

    def _decline(self, verdict: Verdict, correlation: bytes, topic: str) -> None:
        if verdict is Verdict.JOIN:
            self._count("repeated")
        elif verdict is Verdict.LATE:
            self._count("late")
        else:
            self._count("refused")
            status = 429 if verdict is Verdict.TOO_FAST else 503
            self._answer(correlation, topic, encode_answer(_problem(status)))

    def _work(self) -> None:
        while True:
            task = self._tasks.get()
            if task is None:
                return
            try:
                self._serve(task)
            except Exception:
                # A supervisor: a fault costs one request, which is then tried again, not the worker.
                self._count("faults")
                _log.exception("a relayed request failed")

    def _serve(self, task: _Task) -> None:
        with self._lock:
            wanted = self._admission.still_wanted(task.correlation, self._clock.now().boottime_ns)
        if not wanted:
            self._count("late")
            return
        keep, answer = True, _problem(500)
        try:
            keep, answer = self._run(task.payload)
        finally:
            encoded = encode_answer(answer)
            with self._lock:
                now_ns = self._clock.now().boottime_ns
                topics = self._admission.finish(task.correlation, encoded, keep, now_ns)
            self._count("served")
            for topic in topics:
                self._answer(task.correlation, topic, encoded)

    def _run(self, payload: bytes) -> tuple[bool, RelayedAnswer]:
        """Return whether the answer must be remembered, and the answer."""
        if len(payload) > MAX_REQUEST_BYTES:
            return False, _problem(413)
        try:
            request = decode_request(payload)
        except Invalid as error:
            _log.warning("relayed request: %s", error)
            return False, _problem(400)
        if not is_public(request):
            return False, _problem(404)
        return request.method == "POST", call_app(self._app, request)

    def _answer(self, correlation: bytes, topic: str, encoded: bytes) -> None:
        saying = Saying(topic, encoded, correlation=correlation, expiry_s=ANSWER_EXPIRY_S)
        if not self._say(saying):
            self._count("lost")

    def _count(self, name: str) -> None:
        with self._lock:
            self._counts = replace(self._counts, **{name: getattr(self._counts, name) + 1})


def call_app(app: WsgiApp, request: RelayedRequest) -> RelayedAnswer:
    """Run a WSGI application on one request; an answer that is too large becomes a 502."""
    begun: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Any:
        begun[:] = [status, headers]
        return lambda data: None

    parts = app(make_environ(request), start_response)
    try:
        body = _gather(parts)
    finally:
        close = getattr(parts, "close", None)
        if close is not None:
            close()
    if body is None:
        _log.error("the answer to %s is larger than the relay takes", request.target)
        return _problem(502)
    status, headers = begun
    return RelayedAnswer(int(status[:3]), tuple(headers), b"" if request.method == "HEAD" else body)


def make_environ(request: RelayedRequest) -> dict[str, Any]:
    """Return the WSGI environment (PEP 3333) of a request; its caller is nobody that the box trusts."""
    name, _, port = request.host.rpartition(":") if ":" in request.host else (request.host, "", "")
    scheme = "https" if request.secure else "http"
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": request.prefix,
        "PATH_INFO": request.path.decode("latin-1"),
        "QUERY_STRING": request.query,
        "SERVER_NAME": name,
        "SERVER_PORT": port or ("443" if request.secure else "80"),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "0.0.0.0",
        "HTTP_HOST": request.host,
        "CONTENT_LENGTH": str(len(request.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scheme,
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        CALLER: request.caller,
    }
    for header, value in request.headers:
        key = header.upper().replace("-", "_")
        key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
        joint = "; " if key == "HTTP_COOKIE" else ", "
        environ[key] = f"{environ[key]}{joint}{value}" if key in environ else value
    return environ


def _gather(parts: Iterable[bytes]) -> bytes | None:
    """Return the whole body, None when it is too large."""
    body = bytearray()
    for part in parts:
        body += part
        if len(body) > MAX_ANSWER_BODY:
            return None
    return bytes(body)


_PROBLEMS = {
    400: ("请求无法识别。", "The request cannot be understood."),
    404: ("没有这个页面，请重新扫码。", "There is no such page. Please scan the code again."),
    413: ("提交的内容太大。", "What was sent is too large."),
    429: ("访问的人太多，请稍候重试。", "Too many people at once. Please try again in a moment."),
    500: ("出了点问题，请重试或联系收银员。", "Something went wrong. Try again, or ask a cashier."),
    502: ("页面太大，无法显示。", "The page is too large to be shown here."),
    503: ("正忙，请稍候重试。", "Busy. Please try again in a moment."),
}


def _problem(status: int) -> RelayedAnswer:
    zh, en = _PROBLEMS[status]
    page = (
        '<!doctype html><html lang="zh-CN"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>智慧商场</title>'
        f'<body><h1>{zh}</h1><p lang="en">{en}</p></body></html>'
    )
    headers: list[tuple[str, str]] = [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Cache-Control", "no-store"),
    ]
    if status in (429, 503):
        headers.append(("Retry-After", "2"))
    return RelayedAnswer(status, tuple(headers), page.encode())
