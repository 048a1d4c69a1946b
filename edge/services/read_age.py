"""How old a camera's read is, by what is known of its clock and of ours, and what it teaches of them.

Neither clock is trusted: ours may have been set since the camera's last read, or have begun anew.
"""

from __future__ import annotations

from dataclasses import dataclass

from devices.types import PlateSeen
from edge.clock import Instant
from edge.elapsed import STEP_MS, Boot, ran_ms
from edge.parking.camera_clock import LastRead, age_of
from edge.parking.facility import Lane
from edge.services.passage_records import CameraClock
from edge.services.records import Unit
from edge.services.stay_time import MAX_BOOTS

#: A read may have been overtaken by one that its camera made so much later; else that camera's clock was set.
_OVERTAKEN_MS = 10_000


@dataclass(frozen=True, slots=True)
class ReadAge:
    """age_ms: from the moment that the camera saw it until now. first: its camera's first since a restart."""

    age_ms: int
    first: bool


def read_age(unit: Unit, lane: Lane, seen: PlateSeen, now: Instant) -> ReadAge:
    """Return how old a read is, and remember what it says of its camera's clock."""
    # What the wire and our own queue took is part of its age.
    waited_ms = max(0, (now.boottime_ns - seen.read_ns) // 1_000_000)
    received_at = now.wall_at - waited_ms
    known = unit.plate_reads.clock_of(seen.device)
    age = age_of(received_at, seen.camera_at_ms, _last(unit, known, seen, now), seen.backfill)
    if seen.camera_at_ms is not None and not seen.backfill:
        off_ms = received_at - seen.camera_at_ms
        clock = CameraClock(seen.device, age.error_ms, off_ms, received_at, now.boot_id, now.boottime_ns)
        unit.plate_reads.set_clock(clock)
    age_ms = age.age_ms + waited_ms
    first = known is not None and known.last_boot != now.boot_id
    if first and not seen.backfill and _was_set(unit.boots.last(), now):
        # By how much the camera's clock is off nobody can say any more: it opens nothing, it costs nothing.
        age_ms = min(age_ms, lane.stale_read_s * 1000 + 1)
    return ReadAge(age_ms, first)


def _was_set(boot: Boot | None, now: Instant) -> bool:
    """Whether the wall clock was set in this boot after a time source had set it right: one was wrong."""
    return boot is not None and boot.boot_id == now.boot_id and boot.is_doubted_at(now)


def _last(unit: Unit, known: CameraClock | None, seen: PlateSeen, now: Instant) -> LastRead | None:
    if known is None:
        return None
    gap_ms, set_ms = None, 0
    if known.last_boot == now.boot_id:
        gap_ms = (now.boottime_ns - known.last_ns) // 1_000_000
        # Our own clock was set since: the camera is behind it by so much more or less, its reads no older.
        set_ms = now.wall_at - known.last_received_at - gap_ms
    elif known.last_boot:
        set_ms = min(0, _set_over_restart(unit, known, seen, now))
    if abs(set_ms) <= STEP_MS:
        set_ms = 0
    error_ms = None if known.error_ms is None else known.error_ms + set_ms
    return LastRead(error_ms, known.last_error_ms + set_ms, gap_ms)


def _set_over_restart(unit: Unit, known: CameraClock, seen: PlateSeen, now: Instant) -> int:
    """Return by how much our clock was set at most since a camera's last read: it ran so long for certain.

    Below 0 it went back by that much or more, and a read that the camera kept is older than it looks. Of a
    camera that went back as well nobody can say.
    """
    last_at = known.last_received_at - known.last_error_ms
    if seen.camera_at_ms is None or seen.camera_at_ms < last_at - _OVERTAKEN_MS:
        return 0
    before = Instant(known.last_received_at, known.last_boot, known.last_ns, trusted=False)
    return now.wall_at - known.last_received_at - ran_ms(unit.boots.recent(MAX_BOOTS), before, now)
