"""Fakes of the cameras that recognise plates: one that is asked, one that calls."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable

from devices.runtime import HealthRecord, boottime_ns
from devices.types import (
    BadPush,
    CameraAlive,
    CameraAnswer,
    CameraPost,
    CameraRequest,
    CameraWish,
    DeviceStatus,
    LoopSeen,
    PlateSeen,
)


class FakePlateCamera:
    """Port PlateCamera; the test tells what it sees. kept: what was said to be kept."""

    def __init__(self, name: str = "camera-1", now_ns: Callable[[], int] = boottime_ns) -> None:
        """Begin connected."""
        self.name = name
        self._health = HealthRecord(name, "camera", f"fake:{name}", now_ns)
        self._health.connected("fake")
        self._changed = threading.Condition()
        self._waiting: deque[PlateSeen | LoopSeen] = deque(maxlen=64)
        self._lost = self._closed = False
        self.kept: list[PlateSeen | LoopSeen] = []

    def see(self, news: PlateSeen | LoopSeen) -> None:
        """Tell of something; nothing comes through while the line is lost."""
        with self._changed:
            if not self._lost and not self._closed:
                self._waiting.append(news)
                self._health.heard()
                self._changed.notify_all()

    def lose(self) -> None:
        """Cut the line."""
        self._lost = True
        self._health.absent("lost")

    def return_(self) -> None:
        """Mend the line."""
        self._lost = False
        self._health.connected("fake")

    def read(self, timeout_s: float) -> PlateSeen | LoopSeen | None:
        """Return the oldest news, or None."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._waiting) or self._closed, timeout_s)
            return None if self._closed or not self._waiting else self._waiting.popleft()

    def done(self, news: PlateSeen | LoopSeen) -> None:
        """Note that it is kept."""
        self.kept.append(news)

    def status(self) -> DeviceStatus:
        """Return the health."""
        return self._health.status()

    def close(self) -> None:
        """Release it."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._health.absent("closed")


class FakePushCamera:
    """Port PushCamera: a post is JSON {"key", "plate", "serial"}, or {"serial"} alone, or {"asks": true}.

    wishes: what was asked of it, in order. settled: (answer, whole) as told.
    """

    def __init__(self, name: str = "camera-1") -> None:
        self.name = name
        self.wishes: list[CameraWish | None] = []
        self.settled: list[tuple[CameraAnswer, bool]] = []
        self._health = HealthRecord(name, "camera", f"fake:{name}")
        self._ended = threading.Event()

    def take(self, request: CameraRequest) -> CameraPost:
        """Return what was posted."""
        try:
            said = json.loads(request.body)
            serial = str(said.get("serial", ""))
        except (ValueError, AttributeError, RecursionError):
            self._health.fault("its last post could not be read")
            raise BadPush("the body must be a JSON object") from None
        self._health.heard(request.read_ns)
        self._health.connected("it calls")
        if "plate" not in said:
            alive = CameraAlive(self.name, request.read_ns, bool(said.get("asks")))
            return CameraPost((alive,), serial)
        seen = PlateSeen(self.name, str(said["key"]), str(said["plate"]), request.read_ns)
        return CameraPost((seen,), serial, "plate")

    def answer(self, post: CameraPost, wish: CameraWish | None = None, wait_s: float = 0.0) -> CameraAnswer:
        """Note the wish; hold a post that asks."""
        self.wishes.append(wish)
        if any(isinstance(one, CameraAlive) and one.asks for one in post.news):
            self._ended.wait(wait_s)
        said = {"ok": True, "open": bool(wish and wish.opens and post.mark)}
        return CameraAnswer(json.dumps(said).encode(), "application/json")

    def sent(self, answer: CameraAnswer, whole: bool) -> None:
        """Note it."""
        self.settled.append((answer, whole))

    def status(self) -> DeviceStatus:
        """Return the health."""
        return self._health.status()

    def close(self) -> None:
        """End what is held."""
        self._ended.set()
        self._health.absent("closed")
