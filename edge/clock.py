"""Time: an instant is wall time, boot id, boot-time nanoseconds and whether wall time is trusted.

The pure packages never read a clock: they take instants as `int` Unix milliseconds (UTC) in fields
that end in `_at`. A Pi has no battery clock, so durations inside one boot use the boot-time counter.
Source: clock_gettime(2) CLOCK_BOOTTIME; systemd-timesyncd(8) /run/systemd/timesync/synchronized.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_SYNCHRONIZED = Path("/run/systemd/timesync/synchronized")

#: How long the file system's word on trust is believed; asking anew for each instant is dear.
TRUST_FOR_NS = 1_000_000_000

#: 2025-01-01 UTC: what a clock shows before that is not the time.
WRITTEN_AT = 1_735_689_600_000

_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Instant:
    """One moment as this box saw it.

    wall_at: Unix milliseconds, UTC. boot_id: the kernel's id of this boot. boottime_ns: nanoseconds
    since boot, counting suspend. trusted: wall time was synchronised with a time source.
    """

    wall_at: int
    boot_id: str
    boottime_ns: int
    trusted: bool

    def since_ms(self, earlier: Instant) -> int:
        """Milliseconds from `earlier` to here: by boot time within one boot, else by wall time."""
        if self.boot_id == earlier.boot_id:
            return (self.boottime_ns - earlier.boottime_ns) // 1_000_000
        return self.wall_at - earlier.wall_at


class SystemClock:
    """The machine's own clock; the only place that reads or waits on time."""

    def __init__(self) -> None:
        self._boot_id = _BOOT_ID.read_text(encoding="ascii").strip()
        # When and what, in one, for threads that ask at the same time.
        self._trust = (boottime_ns(), _SYNCHRONIZED.exists())

    def now(self) -> Instant:
        """Return the present instant; its trust is a second old at most."""
        at_ns = boottime_ns()
        looked_ns, trusted = self._trust
        if at_ns - looked_ns >= TRUST_FOR_NS:
            trusted = _SYNCHRONIZED.exists()
            self._trust = (at_ns, trusted)
        return Instant(wall_ms(), self._boot_id, at_ns, trusted)


def wall_ms() -> int:
    """Return Unix milliseconds alone, without the file system's word on whether they are trusted."""
    return time.time_ns() // 1_000_000


def boottime_ns() -> int:
    """Return nanoseconds since boot, counting suspend."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def wait(stop: threading.Event, seconds: float) -> bool:
    """Wait until `stop` is set or `seconds` have passed; return whether it was set."""
    return stop.wait(seconds)


def pause(seconds: float) -> None:
    """Let some seconds pass where nobody has to be woken; what may be told to stop waits on its event."""
    time.sleep(seconds)


def was_lost(at: int) -> bool:
    """Return whether a moment was told by a clock without time: it lies before this service was written."""
    return at < WRITTEN_AT


def boottime_of(at: int, now: Instant) -> int:
    """Return the boot time, below 0 for a moment before this boot, of a wall time as it is told now."""
    return now.boottime_ns - (now.wall_at - at) * _MS


def iso(at: int) -> str:
    """Return Unix milliseconds as RFC 3339 UTC with milliseconds, e.g. 2026-11-22T08:00:00.123Z."""
    moment = datetime.fromtimestamp(at // 1000, tz=UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at % 1000:03d}Z"


def local(at: int, zone: tzinfo) -> datetime:
    """Return Unix milliseconds as a date and time in `zone`, for people and business days only."""
    return datetime.fromtimestamp(at / 1000, tz=zone)


def utc_offset_minutes(at: int, zone: tzinfo) -> int:
    """Return by how many whole minutes `zone` is ahead of UTC at an instant of Unix milliseconds."""
    offset = local(at, zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds() // 60)
