"""A simulated camera that only sees: MJPEG over HTTP, of a lane into which vehicles come, stand and leave.

    with SimFramesCamera() as camera: camera.come("粤B12345"); cv2.VideoCapture(camera.url)

As IP cameras and webcam servers send it: multipart/x-mixed-replace, a JPEG with its length in each part.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import urlsplit

from sim.plates import Conditions, Light, Plate, Sight, lane_picture, plate_kind_of, still

BOUNDARY = "sim-frame"
PATH = "/video.mjpg"
#: Pictures that may wait to be shown; who lets more vehicles come is told so.
MOST_WAITING = 1000
HELP = "come PLATE | outage on|off | status"

_SIZE = (960, 540)
_GRAINS = 3
_COMING_PX = (80, 110, 150)


@dataclass(frozen=True, slots=True)
class FramesHabits:
    """How it is set. fps: pictures a second. stand_s: how long a vehicle stands; gap_s: the lane is empty
    after it. plate_px: how wide the plate is where the vehicle stands."""

    port: int = 0
    fps: float = 12.5
    stand_s: float = 2.0
    gap_s: float = 1.0
    plate_px: int = 190
    light: Light = Light.DAY


class SimFramesCamera:
    """The camera. served: pictures that went over the wire; outage: while set nobody gets any."""

    def __init__(self, habits: FramesHabits | None = None) -> None:
        """Bind the port; raise OSError when it is taken."""
        self.habits = habits or FramesHabits()
        self.outage = threading.Event()
        self.stop = threading.Event()
        self.served = 0
        self._empty = lane_picture(self._sight(None, 0)).jpeg()
        self._waiting: deque[bytes] = deque()
        self._shown, self._number = self._empty, 0
        self._turn = threading.Condition()
        self._http = _Server(self)
        self._threads = [
            threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True),
            threading.Thread(target=self._play, daemon=True),
        ]

    @property
    def url(self) -> str:
        """Where its pictures are to be had."""
        return f"http://127.0.0.1:{self._http.server_address[1]}{PATH}"

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        with self._turn:
            self._turn.notify_all()
        self._http.shutdown()
        self._http.server_close()

    def come(self, text: str) -> None:
        """Let a vehicle come after those before it, stand and leave.

        Raises ValueError for what is no plate or while `MOST_WAITING` pictures wait.
        """
        if not 7 <= len(text) <= 8:
            raise ValueError(f"{text!r} is no plate of 7 or 8 characters, such as 粤B12345")
        if len(self._waiting) > MOST_WAITING:
            raise ValueError("many vehicles wait already; let them pass first")
        self._waiting.extend(self._passing(Plate(text, plate_kind_of(text))))

    def waiting(self) -> int:
        """Return how many pictures are still to be shown until the lane is empty."""
        return len(self._waiting)

    def next_after(self, number: int) -> tuple[int, bytes] | None:
        """Return the picture that follows number `number` and its own number; None at the end."""
        with self._turn:
            self._turn.wait_for(lambda: self._number > number or self.stop.is_set())
            if self.stop.is_set() or self.outage.is_set():
                return None
            self.served += 1
            return self._number, self._shown

    def _passing(self, plate: Plate) -> Iterator[bytes]:
        seed = sum(map(ord, plate.text))
        coming = [lane_picture(self._sight(plate, seed, px)).jpeg() for px in _COMING_PX]
        there = self._sight(plate, seed)
        grains = [lane_picture(still(there, seed + one)).jpeg() for one in range(_GRAINS)]
        stands = round(self.habits.stand_s * self.habits.fps)
        yield from coming
        yield from (grains[one % _GRAINS] for one in range(stands))
        yield from (self._empty for _ in range(round(self.habits.gap_s * self.habits.fps)))

    def _sight(self, plate: Plate | None, seed: int, plate_px: int = 0) -> Sight:
        conditions = Conditions(light=self.habits.light, plate_px=plate_px or self.habits.plate_px)
        return Sight(plate, conditions, seed, size=_SIZE)

    def _play(self) -> None:
        while not self.stop.wait(1 / self.habits.fps):
            with self._turn:
                self._shown = self._waiting.popleft() if self._waiting else self._empty
                self._number += 1
                self._turn.notify_all()


class FramesConsole:
    """The camera worked by words, for `python -m sim camera frames URL`."""

    def __init__(self, camera: SimFramesCamera) -> None:
        self._camera = camera

    def command(self, line: str) -> str:
        """Do what a line says, see HELP; return what to tell the person."""
        match line.split():
            case ["come", plate]:
                try:
                    self._camera.come(plate)
                except ValueError as error:
                    return f"{line!r} is not understood: {error}; {HELP}"
            case ["outage", "on"]:
                self._camera.outage.set()
            case ["outage", "off"]:
                self._camera.outage.clear()
            case [] | ["status"]:
                pass
            case _:
                return f"unknown: {line!r}; {HELP}"
        out = ", outage" if self._camera.outage.is_set() else ""
        return f"{self._camera.served} pictures sent, {self._camera.waiting()} to be shown{out}"


def run(url: str, commands: Iterable[str] | None = None) -> None:
    """Serve pictures at `url` (its port is what counts) until `commands` (default: standard input) end.

    Raises ValueError for an address without a port.
    """
    port = urlsplit(url).port
    if port is None:
        raise ValueError(f"{url} has no port; give one, such as http://127.0.0.1:8095")
    with SimFramesCamera(replace(FramesHabits(), port=port)) as camera:
        print(f"pictures at {camera.url}; commands: {HELP}", flush=True)
        console = FramesConsole(camera)
        for line in sys.stdin if commands is None else commands:
            print(console.command(line.strip()), flush=True)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, camera: SimFramesCamera) -> None:
        self.camera = camera
        super().__init__(("127.0.0.1", camera.habits.port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Who goes away in the middle of a picture is no fault."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        """Send pictures until the client goes or the camera's outage begins."""
        camera: SimFramesCamera = self.server.camera  # type: ignore[attr-defined]
        if self.path != PATH or camera.outage.is_set():
            self.send_error(404 if self.path != PATH else 503)
            return
        self.send_response(200)
        self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={BOUNDARY}")
        self.end_headers()
        number = 0
        while (shown := camera.next_after(number)) is not None:
            number, jpeg = shown
            head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            self.wfile.write(head.encode() + jpeg + b"\r\n")

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads a simulated camera's log."""
