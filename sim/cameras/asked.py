"""Simulated cameras that are asked: a web server with Digest, an endless stream of events, and a barrier.

    with SimAskedCamera("hikvision", AskedHabits(), unix_ms, opens) as camera: camera.see(read)

Hikvision: GET /ISAPI/Event/notification/alertStream with a videoloss event as sign of life, and
PUT /ISAPI/Parking/channels/1/barrierGate. Dahua: GET /cgi-bin/snapManager.cgi with Heartbeat parts. A nonce
is good for a number of requests, then the camera says that it is stale (RFC 7616).
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

from sim.cameras.dahua import COLOURS
from sim.cameras.hikvision import HikvisionHabits, event_parts
from sim.cameras.sight import CameraCounts, CameraFaults, Read

REALM = "sim-camera"
#: Listeners at once; each event waits in a queue of this many for each of them.
LISTENERS, WAITING = 4, 64
_MAX_BODY_BYTES = 4096
_FIELD = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,]+))')

_LOSS = """<?xml version="1.0" encoding="UTF-8"?>
<EventNotificationAlert version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema">
<ipAddress>192.168.1.64</ipAddress><macAddress>{mac}</macAddress>
<channelID>1</channelID><dateTime>{at}</dateTime>
<activePostCount>0</activePostCount><eventType>videoloss</eventType><eventState>inactive</eventState>
<eventDescription>videoloss alarm</eventDescription></EventNotificationAlert>
"""


@dataclass(frozen=True, slots=True)
class AskedHabits:
    """How it is set. nonce_good_for: requests until a nonce is stale. alive_s: between signs of life."""

    username: str = "admin"
    password: str = "sim-not-a-secret"
    port: int = 0
    alive_s: float = 5.0
    nonce_good_for: int = 3


class SimAskedCamera:
    """The camera of one maker. counts.opened: how often its barrier was told to open."""

    def __init__(
        self,
        maker: Literal["hikvision", "dahua"],
        habits: AskedHabits | None = None,
        now_ms: Callable[[], int] = lambda: 0,
        opens: Callable[[], None] = lambda: None,
    ) -> None:
        """opens: what the barrier relay does."""
        self.maker, self.habits = maker, habits or AskedHabits()
        self.faults, self.counts = CameraFaults(), CameraCounts()
        self._now_ms, self._opens = now_ms, opens
        self._listeners: list[deque[Read]] = []
        self._wake, self._stop = threading.Condition(), threading.Event()
        self._nonce, self._used = 1, 0
        self._http = _Server(self)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """The address of its web server."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> SimAskedCamera:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        with self._wake:
            self._wake.notify_all()
        self._http.shutdown()
        self._http.server_close()

    def see(self, read: Read) -> None:
        """Report a recognition to those who listen now; nobody else ever hears of it."""
        with self._wake:
            for waiting in self._listeners:
                waiting.append(read)
            self.counts.lost += not self._listeners
            self._wake.notify_all()

    def listeners(self) -> int:
        """Return how many listen."""
        with self._wake:
            return len(self._listeners)

    def let_in(self, method: str, target: str, header: str) -> str:
        """Return "" for a right answer to a nonce that is good, else the challenge."""
        given = {name: quoted or bare for name, quoted, bare in _FIELD.findall(header)}
        with self._wake:
            nonce = f"n{self._nonce:08d}"
            right = self._expected(given, method, target) == given.get("response")
            if right and given.get("nonce") == nonce and self._used < self.habits.nonce_good_for:
                self._used += 1
                return ""
            stale = right and bool(given)
            if stale:
                self._nonce, self._used = self._nonce + 1, 0
            told = f'Digest realm="{REALM}", nonce="n{self._nonce:08d}", qop="auth", algorithm=MD5'
            return told + (", stale=true" if stale else "")

    def _expected(self, given: dict[str, str], method: str, target: str) -> str:
        habits = self.habits
        first = _md5(f"{habits.username}:{REALM}:{habits.password}")
        second = _md5(f"{method}:{target}")
        middle = ":".join(given.get(one, "") for one in ("nonce", "nc", "cnonce", "qop"))
        return _md5(f"{first}:{middle}:{second}")

    def opened(self, body: bytes) -> bool:
        """Obey the barrier's order; return whether it was one."""
        mode = re.search(rb"<ctrlMode>\s*(open|close)\s*</ctrlMode>", body)
        if mode is None:
            return False
        if mode[1] == b"open":
            self.counts.opened += 1
            self._opens()
        return True

    def stream(self, write: Callable[[bytes], object]) -> None:
        """Write parts until the camera stops or its line is out; OSError when nobody reads any more."""
        waiting: deque[Read] = deque(maxlen=WAITING)
        with self._wake:
            if len(self._listeners) >= LISTENERS:
                return
            self._listeners.append(waiting)
        try:
            write(self._alive())
            while not self._stop.is_set() and not self.faults.outage:
                with self._wake:
                    self._wake.wait_for(lambda: bool(waiting) or self._stop.is_set(), self.habits.alive_s)
                    read = waiting.popleft() if waiting else None
                write(self._event(read) if read is not None else self._alive())
                self.counts.posts += read is not None
        finally:
            with self._wake:
                self._listeners.remove(waiting)

    def _alive(self) -> bytes:
        if self.maker == "dahua":
            return _part("text/plain", b"Heartbeat\r\n")
        at = datetime.fromtimestamp(self._now_ms() / 1000, UTC) + timedelta(hours=8)
        told = _LOSS.format(mac="44:19:b6:00:00:01", at=at.strftime("%Y-%m-%dT%H:%M:%S+08:00"))
        return _part("application/xml", told.encode())

    def _event(self, read: Read) -> bytes:
        if self.maker == "dahua":
            return _part("text/plain", _traffic(read, self.faults.clock_ms)) + (
                _part("image/jpeg", read.scene) if read.scene else b""
            )
        parts = event_parts(read, HikvisionHabits(""), self.faults.clock_ms)
        return b"".join(_part(one.content_type, one.body, one.name, one.file) for one in parts)


def _traffic(read: Read, clock_ms: int) -> bytes:
    at_ms = read.at_ms + clock_ms
    lines = {
        "Code": "TrafficJunction", "UTC": at_ms // 1000, "UTCMS": at_ms % 1000, "GroupID": read.number,
        "Lane": 1,
        "CommInfo.ParkType": 0, "JunctionDirection": 0, "TrafficCar.PlateNumber": read.text,
        "TrafficCar.PlateColor": COLOURS.get(read.colour, "Other"), "TrafficCar.VehicleSize": "Light-duty",
    }  # fmt: skip
    return "".join(f"Events[0].{name}={value}\r\n" for name, value in lines.items()).encode()


def _part(kind: str, body: bytes, name: str = "", file: str = "") -> bytes:
    named = f'Content-Disposition: form-data; name="{name}"; filename="{file}"\r\n' if name else ""
    head = f"--myboundary\r\n{named}Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body + b"\r\n"


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


_STREAMS = {"hikvision": "/ISAPI/Event/notification/alertStream", "dahua": "/cgi-bin/snapManager.cgi"}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, camera: SimAskedCamera) -> None:
        self.camera = camera
        super().__init__(("127.0.0.1", camera.habits.port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 30.0

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path != _STREAMS[self.server.camera.maker]:
            self._say(404)
        elif self._known():
            self.send_response(200)
            self.send_header("Content-Type", "multipart/mixed; boundary=myboundary")
            self.end_headers()
            try:
                self.server.camera.stream(self.wfile.write)
            except OSError:
                self.close_connection = True

    def do_PUT(self) -> None:
        length = self.headers.get("Content-Length", "0")
        body = self.rfile.read(min(int(length), _MAX_BODY_BYTES) if length.isdigit() else 0)
        if self.server.camera.maker != "hikvision" or not self.path.endswith("/barrierGate"):
            self._say(404)
        elif self._known():
            self._say(200 if self.server.camera.opened(body) else 400)

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent: a header holds the answer to a challenge."""

    def _known(self) -> bool:
        challenge = self.server.camera.let_in(self.command, self.path, self.headers.get("Authorization", ""))
        if challenge:
            self._say(401, challenge)
        return not challenge

    def _say(self, status: int, challenge: str = "") -> None:
        self.send_response(status)
        if challenge:
            self.send_header("WWW-Authenticate", challenge)
        self.send_header("Content-Length", "0")
        self.end_headers()
