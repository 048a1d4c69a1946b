"""A fake of the Scanner port: a queue of scans, honest about time-outs, loss and closing."""

from __future__ import annotations

import queue
from collections.abc import Callable

from devices.runtime import HealthRecord, boottime_ns
from devices.types import DeviceStatus, Scan

_MOST = 10_000
_LOST = "the scanner was lost in the middle of a code; the code was cut off, scan it again"


class FakeScanner:
    """A scanner whose codes come from the test; one thread reads, any thread scans."""

    def __init__(self, name: str = "scanner-1", now_ns: Callable[[], int] = boottime_ns) -> None:
        """Begin plugged in. now_ns: the clock that stamps scans."""
        self.name = name
        self._now_ns = now_ns
        self._health = HealthRecord(name, "scanner", f"fake:{name}", now_ns)
        self._health.connected("fake")
        # None wakes a waiting reader at `close`.
        self._queue: queue.Queue[Scan | None] = queue.Queue(maxsize=_MOST)
        self._plugged = True
        self._closed = False

    def scan(self, text: str, aim: str | None = None, problem: str | None = None) -> None:
        """Scan one code; lost when unplugged, as with a real one. Raises queue.Full after 10,000 unread."""
        if not self._plugged:
            return
        raw = ((aim or "") + text).encode()
        now_ns = self._now_ns()
        self._health.heard(now_ns)
        self._queue.put_nowait(Scan(self.name, raw, "" if problem else text, aim, now_ns, problem))

    def cut_off(self, text: str) -> None:
        """Pull the cable in the middle of this code."""
        self.scan(text, problem=_LOST)
        self.unplug()

    def unplug(self) -> None:
        """Pull the cable: status ABSENT; scans are lost until `plug`."""
        self._plugged = False
        self._health.absent("unplugged")

    def plug(self) -> None:
        """Put the cable back."""
        self._plugged = True
        self._health.connected("fake")

    def read(self, timeout_s: float) -> Scan | None:
        """Return the next scan; None after `timeout_s`, or at once when closed."""
        if self._closed:
            return None
        try:
            return self._queue.get(timeout=timeout_s) if timeout_s > 0 else self._queue.get_nowait()
        except queue.Empty:
            return None

    def status(self) -> DeviceStatus:
        """Return the scanner's health; callable from any thread."""
        return self._health.status()

    def close(self) -> None:
        """Give up for good; a waiting `read` returns None."""
        if self._closed:
            return
        self._closed = True
        self._health.absent("closed by this service")
        self._queue.put_nowait(None)
