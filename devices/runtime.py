"""What every driver keeps beside its wire: when to try again, and how the device is doing.

backoff = Backoff(0.2, 5.0)
health = HealthRecord("scanner-1", "scanner", "/dev/serial/by-id/...")
if backoff.wait_s(boottime_ns()) == 0.0:
    try: port = open_it(); backoff.succeeded(); health.connected("open at 9600 8N1")
    except OSError as error: backoff.failed(boottime_ns()); health.absent(f"no such port: {error}")
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from devices.types import DeviceStatus, Health

_NS_PER_S = 1_000_000_000


def boottime_ns() -> int:
    """Return nanoseconds since boot, counting suspend (clock_gettime(2) CLOCK_BOOTTIME)."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


class Backoff:
    """Delays between attempts that may fail for ever: first_s, doubled each time, up to last_s.

    No jitter: a box has few devices, and a technician can predict the next attempt. Not thread safe:
    it belongs to the one thread that opens the device.
    """

    def __init__(self, first_s: float = 0.2, last_s: float = 5.0) -> None:
        """Raise ValueError unless 0 < first_s <= last_s (seconds)."""
        if not 0 < first_s <= last_s:
            raise ValueError(f"back-off needs 0 < first_s <= last_s, got {first_s} and {last_s}")
        self._first_s = first_s
        self._last_s = last_s
        self._next_s = first_s
        self._due_ns: int | None = None

    def failed(self, now_ns: int) -> float:
        """Note a failed attempt at `now_ns`; return the seconds until the next one is due."""
        delay_s = self._next_s
        self._next_s = min(self._last_s, delay_s * 2)
        self._due_ns = now_ns + round(delay_s * _NS_PER_S)
        return delay_s

    def succeeded(self) -> None:
        """Start again at first_s, and be due at once."""
        self._next_s = self._first_s
        self._due_ns = None

    def wait_s(self, now_ns: int) -> float:
        """Return the seconds until the next attempt is due; 0.0 when it is due now."""
        if self._due_ns is None:
            return 0.0
        return max(0, self._due_ns - now_ns) / _NS_PER_S


class HealthRecord:
    """One device's health, written by its driver and read by anybody; thread safe.

    `since_ns` moves only when the health itself changes; `reopened` counts each return to CONNECTED
    after the device had been connected and was lost.
    """

    def __init__(self, name: str, kind: str, port: str, now_ns: Callable[[], int] = boottime_ns) -> None:
        """Begin as STARTING. name, kind, port: as in DeviceStatus. now_ns: the clock, for tests."""
        self._lock = threading.Lock()
        self._now_ns = now_ns
        self._was_connected = False
        self._status = DeviceStatus(name, kind, Health.STARTING, port, "not opened yet", now_ns())

    def connected(self, detail: str, port: str | None = None) -> None:
        """The device is open. port: what was really opened, when that is worth showing."""
        self._become(Health.CONNECTED, detail, port)

    def absent(self, detail: str, port: str | None = None) -> None:
        """The device is not there: unplugged, powered off, no such port, closed by us."""
        self._become(Health.ABSENT, detail, port)

    def fault(self, detail: str, port: str | None = None) -> None:
        """The device is there but cannot be used: no permission, busy, wrong answers."""
        self._become(Health.FAULT, detail, port)

    def heard(self, at_ns: int | None = None) -> None:
        """The device sent something at `at_ns` (default: now)."""
        with self._lock:
            self._status = replace(self._status, last_heard_ns=self._now_ns() if at_ns is None else at_ns)

    def status(self) -> DeviceStatus:
        """Return the present state."""
        with self._lock:
            return self._status

    def _become(self, health: Health, detail: str, port: str | None) -> None:
        with self._lock:
            before = self._status
            changed = before.health is not health
            came_back = changed and health is Health.CONNECTED and self._was_connected
            self._was_connected = self._was_connected or health is Health.CONNECTED
            self._status = replace(
                before,
                health=health,
                detail=detail,
                port=before.port if port is None else port,
                since_ns=self._now_ns() if changed else before.since_ns,
                reopened=before.reopened + came_back,
            )
