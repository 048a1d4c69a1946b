"""Cameras that we ask: an endless multipart answer over HTTP with Digest, opened again for ever.

camera = StreamedCamera("in-1", access, HIKVISION); seen = camera.read(0.5)
"""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import httpx

from devices.camera.dahua import codec as dahua
from devices.camera.hikvision import codec as hikvision
from devices.camera.hikvision.gate import CameraAccess
from devices.camera.multipart import MultipartReader, Part, boundary_of
from devices.runtime import Backoff, HealthRecord, boottime_ns
from devices.types import BadPush, CameraNews, DeviceStatus, LoopSeen, PlateSeen

#: News that nobody fetched; the oldest goes first.
MOST_WAITING = 64
#: How long an event waits for pictures that it announced.
PICTURES_S = 0.5

_CLOSE_S = 6.0
_NS_PER_S = 1_000_000_000


class Builder(Protocol):
    """Puts the parts of a maker's stream together."""

    @property
    def waits(self) -> bool:
        """Whether an event waits for pictures."""

    def part(self, part: Part, read_ns: int) -> list[CameraNews]:
        """Take one part; return what is complete. Raises BadPush."""

    def rest(self) -> list[CameraNews]:
        """Return what waits, as it is."""


@dataclass(frozen=True, slots=True)
class StreamHabits:
    """One maker's stream. boundary: where the content type names none. silence_s: longer is a dead line."""

    path: str
    builder: Callable[[str], Builder]
    boundary: str
    silence_s: float


HIKVISION = StreamHabits(hikvision.STREAM, hikvision.EventBuilder, "boundary", 60.0)
DAHUA = StreamHabits(dahua.STREAM, dahua.EventBuilder, "myboundary", 15.0)


class _Refused(Exception):
    """The camera answered, and not with a stream."""


class StreamedCamera:
    """Port PlateCamera: a thread of its own keeps the stream, `read` gives what it told."""

    def __init__(
        self,
        name: str,
        access: CameraAccess,
        habits: StreamHabits,
        backoff: Backoff | None = None,
        refused: Backoff | None = None,
        now_ns: Callable[[], int] = boottime_ns,
    ) -> None:
        """Return at once; opening goes on inside. refused: the pauses after a refusal, long because cameras
        lock an account that is tried too often."""
        self.name = name
        self._access = access
        self._habits = habits
        self._lost = backoff or Backoff(0.5, 10.0)
        self._refused = refused or Backoff(30.0, 300.0)
        self._now_ns = now_ns
        self._health = HealthRecord(name, "camera", access.url, now_ns)
        self._changed = threading.Condition()
        self._waiting: deque[PlateSeen | LoopSeen] = deque(maxlen=MOST_WAITING)
        self._builder: Builder | None = None
        self._due_ns = 0
        self._dropped = 0
        self._socket: socket.socket | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"camera-{name}", daemon=True)
        self._thread.start()

    def read(self, timeout_s: float) -> PlateSeen | LoopSeen | None:
        """Return the oldest news not fetched yet; None after `timeout_s`, at once when closed."""
        until_ns = self._now_ns() + round(timeout_s * _NS_PER_S)
        with self._changed:
            while not self._stop.is_set():
                self._give_up_pictures()
                if self._waiting:
                    return self._waiting.popleft()
                left_ns = until_ns - self._now_ns()
                if left_ns <= 0:
                    return None
                due_ns = self._due_ns - self._now_ns() if self._pictures_missing() else left_ns
                self._changed.wait(max(1_000_000, min(left_ns, due_ns)) / _NS_PER_S)
            return None

    def done(self, news: PlateSeen | LoopSeen) -> None:
        """Nothing: what was read is not kept here."""

    def status(self) -> DeviceStatus:
        """Return the camera's health; callable from any thread."""
        return self._health.status()

    def close(self) -> None:
        """Stop reading; waits 6 s at most for a connection that is being made."""
        self._stop.set()
        with self._changed:
            self._changed.notify_all()
            self._wake()
        self._thread.join(_CLOSE_S)
        self._health.absent("closed")

    def _wake(self) -> None:
        """End a read that waits for bytes; closing a socket alone would not."""
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                return

    def _work(self) -> None:
        pause_s = 0.0
        while not self._stop.wait(pause_s):
            try:
                with self._access.client(self._habits.silence_s) as client:
                    self._listen(client)
                pause_s = self._absent("the camera ended its stream; it is opened again")
            except _Refused as error:
                self._health.fault(str(error))
                pause_s = self._refused.failed(self._now_ns())
            except BadPush as error:
                self._health.fault(f"its stream could not be read: {error}")
                pause_s = self._lost.failed(self._now_ns())
            except httpx.HTTPError as error:
                pause_s = self._absent(f"not reached: {str(error) or type(error).__name__}")

    def _absent(self, detail: str) -> float:
        self._health.absent(detail)
        return self._lost.failed(self._now_ns())

    def _listen(self, client: httpx.Client) -> None:
        with client.stream("GET", self._habits.path) as answer:
            reader = MultipartReader(_boundary(answer, self._habits.boundary))
            with self._changed:
                self._socket = answer.extensions["network_stream"].get_extra_info("socket")
                # What the lost stream left half told is told without its pictures.
                self._put([] if self._builder is None else self._builder.rest())
                self._builder = self._habits.builder(self.name)
                if self._stop.is_set():
                    return
            self._health.connected("the stream is open")
            self._refused.succeeded()
            try:
                for data in answer.iter_bytes():
                    self._take(reader.feed(data))
                    if self._stop.is_set():
                        return
            finally:
                with self._changed:
                    self._socket = None

    def _take(self, parts: list[Part]) -> None:
        if not parts:
            return
        read_ns = self._now_ns()
        self._health.heard(read_ns)
        self._lost.succeeded()
        with self._changed:
            assert self._builder is not None
            for part in parts:
                waited = self._builder.waits
                try:
                    self._put(self._builder.part(part, read_ns))
                except BadPush as error:
                    # The stream itself goes on: what follows may well be readable.
                    self._health.connected(f"an event could not be read: {error}")
                if self._builder.waits and not waited:
                    self._due_ns = read_ns + round(PICTURES_S * _NS_PER_S)
            self._changed.notify_all()

    def _put(self, news: list[CameraNews]) -> None:
        for one in news:
            if not isinstance(one, (PlateSeen, LoopSeen)):
                continue
            if len(self._waiting) == MOST_WAITING:
                self._dropped += 1
                self._health.connected(f"{self._dropped} reads were not fetched in time and are lost")
            self._waiting.append(one)

    def _pictures_missing(self) -> bool:
        return self._builder is not None and self._builder.waits

    def _give_up_pictures(self) -> None:
        if self._builder is not None and self._builder.waits and self._now_ns() >= self._due_ns:
            self._put(self._builder.rest())


def _boundary(answer: httpx.Response, usual: str) -> str:
    if answer.status_code in (401, 403):
        raise _Refused("the camera refused the user and password; it is tried again after a long pause")
    if answer.status_code != 200:
        raise _Refused(f"the camera answered {answer.status_code} instead of a stream")
    kind = answer.headers.get("Content-Type", "")
    if not kind.lower().startswith("multipart/"):
        raise _Refused(f"the camera answered {kind[:40] or 'nothing'} instead of a stream")
    try:
        return boundary_of(kind)
    except BadPush:
        return usual
