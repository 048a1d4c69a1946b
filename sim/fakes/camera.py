"""A fake of the Camera port: pictures from the test, newest first, with loss and closing."""

from __future__ import annotations

import threading
from collections.abc import Callable

from devices.runtime import HealthRecord, boottime_ns
from devices.types import DeviceStatus, Frame


class FakeCamera:
    """A camera whose pictures come from the test; one thread fetches, any thread shows."""

    def __init__(self, name: str = "camera-1", now_ns: Callable[[], int] = boottime_ns) -> None:
        """Begin plugged in. now_ns: the clock that stamps frames."""
        self.name = name
        self._now_ns = now_ns
        self._health = HealthRecord(name, "camera", f"fake:{name}", now_ns)
        self._health.connected("fake")
        self._changed = threading.Condition()
        self._newest: Frame | None = None
        self._plugged = True
        self._closed = False

    def show(self, image: object, taken_ns: int | None = None) -> None:
        """Hold `image` before the camera: it replaces one not fetched yet, and is lost when unplugged."""
        with self._changed:
            if not self._plugged or self._closed:
                return
            moment = self._now_ns() if taken_ns is None else taken_ns
            self._health.heard(moment)
            self._newest = Frame(self.name, image, moment)
            self._changed.notify_all()

    def unplug(self) -> None:
        """Pull the cable: status ABSENT."""
        with self._changed:
            self._plugged = False
            self._newest = None
        self._health.absent("unplugged")

    def plug(self) -> None:
        """Put the cable back."""
        with self._changed:
            self._plugged = True
        self._health.connected("fake")

    def frame(self, timeout_s: float) -> Frame | None:
        """Return the newest picture not fetched yet; None after `timeout_s`, at once when closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._newest is not None or self._closed, timeout_s)
            frame, self._newest = self._newest, None
            return None if self._closed else frame

    def status(self) -> DeviceStatus:
        """Return the camera's health."""
        return self._health.status()

    def close(self) -> None:
        """Release the camera; a waiting `frame` returns None."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._health.absent("closed")
