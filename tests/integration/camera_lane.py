"""A lane in memory behind the real web server: what `see_plate` promises, without the car park."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from devices.types import LoopSeen, PlateSeen
from edge.errors import Unavailable
from edge.services.box import Box
from edge.services.lane_answer import LaneAnswer, LaneOutcome
from edge.services.take_camera_news import LaneCameras
from edge.web.camera import MAX_BODY_BYTES, CameraDesk
from edge.web.camera.door import BoundCamera, CameraDoor
from edge.web.desk import WebSettings
from edge.web.factory import create_web
from edge.web.serving import WebServer
from sim.fakes.box import FakePorts, fake_box
from sim.fakes.photos import FakePhotos
from tests.browser.desk_fake import DeskFake

TOKEN = "kQ3vD9xT7mZ1pL8sW2bYcA"


@dataclass(slots=True)
class Lane:
    """Takes each read once by camera and key and opens for it, unless it is a back-fill or seen before."""

    reads: dict[tuple[str, str], PlateSeen] = field(default_factory=dict)
    photos: dict[str, tuple[str, ...]] = field(default_factory=dict)
    loops: list[LoopSeen] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    store_is_down: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def see(self, box: Box, lane_name: str, seen: PlateSeen, photos: tuple[str, ...]) -> LaneAnswer:
        if self.store_is_down:
            raise Unavailable("the disk is full")
        with self.lock:
            key = (seen.device, seen.key)
            if key in self.reads:
                return LaneAnswer("r", LaneOutcome.REPEAT)
            self.reads[key] = seen
            self.photos[seen.key] = photos
            if seen.backfill or seen.trigger != "auto":
                return LaneAnswer("r", LaneOutcome.RECORDED)
            self.opened.append(seen.plate)
            return LaneAnswer("r", LaneOutcome.OPEN, True, (seen.plate, "请通行"), "请通行")


@dataclass(frozen=True, slots=True)
class Site:
    """A running server with its lane, its door and its pictures."""

    server: WebServer
    lane: Lane
    door: CameraDoor
    photos: FakePhotos
    alarms: list[str]

    def post(
        self, path: str, body: bytes, content_type: str = "application/json", **headers: str
    ) -> tuple[int, bytes]:
        """Post as a camera does; return status and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=10)
        try:
            connection.request("POST", path, body, {"Content-Type": content_type, **headers})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def get(self, path: str) -> int:
        """Return the status of a page."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=10)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        finally:
            connection.close()


@contextmanager
def site(cameras: Sequence[BoundCamera], held: int = 8, threads: int = 12) -> Iterator[Site]:
    """Run a server on a free port with these cameras."""
    lane, photos, alarms = Lane(), FakePhotos(), list[str]()
    box = fake_box(FakePorts(), lambda workstation: None)
    lanes = LaneCameras(box, photos, lane.see, lambda name, loop: lane.loops.append(loop))
    door = CameraDoor(cameras, alarms.append)
    settings = WebSettings(
        port=0, threads=threads, max_streams=2, trusted_networks=(), max_camera_body_bytes=MAX_BODY_BYTES
    )
    app = create_web(DeskFake(), settings, (), CameraDesk(door, lanes.take, held, hold_s=5.0))
    server = WebServer(app, settings)
    server.start()
    try:
        yield Site(server, lane, door, photos, alarms)
    finally:
        for one in cameras:
            one.camera.close()
        server.close()


Headers = Mapping[str, str]
