"""The Camera port over OpenCV frame sources: newest frame, re-opened for ever, alive or not."""

from __future__ import annotations

import threading
from collections.abc import Callable

from devices.camera.pictures import Picture
from devices.camera.sources import Source, open_source, shown
from devices.runtime import Backoff, HealthRecord, boottime_ns
from devices.types import DeviceAbsent, DeviceStatus, Frame

_CLOSE_S = 6.0
_SILENT_FRAMES = 3


class OpenCvCamera:
    """A camera that a thread of its own keeps reading, so that `frame` gives the newest picture.

    A live source drops what nobody fetched in time. Pictures and videos are waited for, one after
    another, and played again and again where `repeat` is set.
    """

    def __init__(
        self,
        name: str,
        port: str,
        *,
        repeat: bool = False,
        backoff: Backoff | None = None,
        opener: Callable[[str], Source] = open_source,
        now_ns: Callable[[], int] = boottime_ns,
    ) -> None:
        """Return at once; opening goes on inside. port: see devices.camera.sources.open_source."""
        self.name = name
        self._port = port
        self._repeat = repeat
        self._backoff = backoff or Backoff(0.5, 10.0)
        self._opener = opener
        self._now_ns = now_ns
        self._health = HealthRecord(name, "camera", shown(port), now_ns)
        self._changed = threading.Condition()
        self._newest: Frame | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"camera-{name}", daemon=True)
        self._thread.start()

    def frame(self, timeout_s: float) -> Frame | None:
        """Return the newest picture that was not fetched yet; None after `timeout_s`, at once when closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._newest is not None or self._stop.is_set(), timeout_s)
            frame, self._newest = self._newest, None
            self._changed.notify_all()
            return None if self._stop.is_set() else frame

    def status(self) -> DeviceStatus:
        """Return the camera's health; callable from any thread."""
        return self._health.status()

    def close(self) -> None:
        """Stop reading and release the device; waits 6 s at most for a read that hangs."""
        self._stop.set()
        with self._changed:
            self._changed.notify_all()
        self._thread.join(_CLOSE_S)
        self._health.absent("closed")

    def _work(self) -> None:
        while not self._stop.is_set():
            if self._stop.wait(self._backoff.wait_s(self._now_ns())):
                return
            try:
                source = self._opener(self._port)
            except DeviceAbsent as error:
                self._health.absent(str(error))
                self._backoff.failed(self._now_ns())
                continue
            try:
                if not self._play(source):
                    return
            finally:
                source.release()

    def _play(self, source: Source) -> bool:
        """Read one opened source until it ends; return whether to open it again."""
        frames = missed = 0
        while not self._stop.is_set() and missed < (_SILENT_FRAMES if source.live else 1):
            picture = source.next()
            if picture is None:
                missed += 1
                continue
            missed = 0
            frames += 1
            if frames == 1:
                self._backoff.succeeded()
                self._health.connected(f"pictures of {picture.shape[1]} x {picture.shape[0]} pixels")
            self._offer(picture, source.live)
        return not self._stop.is_set() and self._ended(source.live, frames)

    def _ended(self, live: bool, frames: int) -> bool:
        if live:
            self._health.absent("the camera gives no pictures any more; it is opened again")
            self._backoff.failed(self._now_ns())
            return True
        if frames and self._repeat:
            return True
        self._health.absent("all pictures were played" if frames else "not one readable picture")
        return False

    def _offer(self, picture: Picture, live: bool) -> None:
        taken_ns = self._now_ns()
        self._health.heard(taken_ns)
        with self._changed:
            if not live:
                self._changed.wait_for(lambda: self._newest is None or self._stop.is_set())
            self._newest = Frame(self.name, picture, taken_ns)
            self._changed.notify_all()
