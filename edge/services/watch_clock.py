"""Watch the clock: pin boot time to wall time every minute, tell of steps, and of a clock that nobody sets.

What it writes is the evidence by which stays are measured over a restart (edge.services.stay_time).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from edge.clock import Instant
from edge.elapsed import DRIFT_PERCENT, STEP_MS, Boot
from edge.services.clock_events import clock_stepped
from edge.services.events import EventKind, Origin, record_event
from edge.services.ports import Clock, IdSource, Store
from edge.services.raise_alarm import clear_alarm, raise_alarm
from edge.services.records import Unit
from edge.services.stay_time import MAX_BOOTS

#: The name of the alarm that HQ gets, and its only level.
ALARM, LEVEL = "clock", "unsynchronised"

#: How often the clock is looked at, and how often a heartbeat is written.
LOOK_MS, BEAT_MS = 10_000, 60_000

#: Hours without a time source after which HQ and staff are told, unless the configuration says other.
ALARM_AFTER_H = 12

_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class ClockWatch:
    """What the last look found; a new process starts with `ClockWatch()`.

    boot: as it was written last. seen: the last look. loose_ms: how long the runs before this one lasted
    since the clock was last synchronised. alarmed: the alarm is open.
    """

    boot: Boot | None = None
    seen: Instant | None = None
    loose_ms: int = 0
    alarmed: bool = False


def watch_clock(
    store: Store, clock: Clock, ids: IdSource, origin: Origin, alarm_after_h: int, watch: ClockWatch
) -> ClockWatch:
    """Look once; write the heartbeat, the step and the alarm that are due in one unit, return what was found.

    alarm_after_h: hours without synchronised time, over restarts, until the alarm; 0 for never.
    """
    now = clock.now()
    if watch.boot is None or watch.boot.boot_id != now.boot_id:
        return store.write(lambda unit: _begin(unit, ids, origin, alarm_after_h, now))
    if not _is_due(watch, watch.boot, alarm_after_h, now):
        return replace(watch, seen=now)
    return store.write(lambda unit: _beat(unit, ids, origin, alarm_after_h, now, watch))


def unsynchronised_ms(watch: ClockWatch, now: Instant) -> int:
    """Return how long the service has seen no time source set the clock, over restarts; 0 once one has."""
    if now.trusted or (watch.boot is not None and watch.boot.synced_ns is not None):
        return 0
    begun_ns = now.boottime_ns if watch.boot is None else watch.boot.begun_ns
    return watch.loose_ms + (now.boottime_ns - begun_ns) // _MS


def _is_due(watch: ClockWatch, boot: Boot, alarm_after_h: int, now: Instant) -> bool:
    synced = now.trusted and boot.synced_ns is None
    late = (now.boottime_ns - boot.seen_ns) // _MS >= BEAT_MS
    return synced or late or _step(watch, now) != 0 or _alarms(watch, alarm_after_h, now) is not watch.alarmed


def _begin(unit: Unit, ids: IdSource, origin: Origin, alarm_after_h: int, now: Instant) -> ClockWatch:
    """Take up the run that this process is in: a new one, or the one that a process before it has begun."""
    runs = unit.boots.recent(MAX_BOOTS)
    last = runs[-1] if runs else None
    alarmed = unit.alarms.get(ALARM) is not None
    if last is not None and last.boot_id == now.boot_id:
        seen = Instant(last.wall_at, last.boot_id, last.seen_ns, last.synced_ns is not None)
        watch = ClockWatch(last, seen, _loose_ms(runs[:-1]), alarmed)
        return _beat(unit, ids, origin, alarm_after_h, now, watch)
    # One that only stood still while the machine was off is put right when it is synchronised.
    if last is not None and now.wall_at < last.wall_at - STEP_MS:
        least_at = last.wall_at + now.boottime_ns // _MS
        _tell_step(unit, ids, origin, now, least_at, now.wall_at, over_restart=True)
    boot = Boot((last.number if last else 0) + 1, now.boot_id, now.boottime_ns, now.wall_at)
    boot = replace(boot, begun_ns=now.boottime_ns)
    unit.boots.forget(MAX_BOOTS - 1)
    return _beat(unit, ids, origin, alarm_after_h, now, ClockWatch(boot, None, _loose_ms(runs), alarmed))


def _beat(
    unit: Unit, ids: IdSource, origin: Origin, alarm_after_h: int, now: Instant, watch: ClockWatch
) -> ClockWatch:
    boot = watch.boot
    assert boot is not None
    step = _step(watch, now)
    if step:
        _tell_step(unit, ids, origin, now, now.wall_at - step, now.wall_at, over_restart=False)
    boot = replace(
        boot,
        seen_ns=now.boottime_ns,
        wall_at=now.wall_at,
        stepped_ns=now.boottime_ns if step else boot.stepped_ns,
    )
    if now.trusted:
        synced = now.boottime_ns if boot.synced_ns is None else boot.synced_ns
        boot = replace(boot, synced_ns=synced, zero_at=now.wall_at - now.boottime_ns // _MS)
    unit.boots.put(boot)
    after = ClockWatch(boot, now, watch.loose_ms, watch.alarmed)
    alarms = _alarms(after, alarm_after_h, now)
    if alarms:
        hours = unsynchronised_ms(after, now) // 3_600_000
        words = f"no time source has set the clock for {hours} h; connect the box to one, see clocks.md"
        raise_alarm(unit, ids, now, origin, ALARM, LEVEL, words)
    else:
        clear_alarm(unit, ids, now, origin, ALARM, "synchronised", "the clock is set by a time source")
    return replace(after, alarmed=alarms)


def _step(watch: ClockWatch, now: Instant) -> int:
    """Return by how many milliseconds the wall clock was set since the last look; 0 for none or a little."""
    if watch.seen is None or watch.seen.boot_id != now.boot_id:
        return 0
    run_ms = now.since_ms(watch.seen)
    moved = now.wall_at - watch.seen.wall_at - run_ms
    # What a bad crystal may have drifted meanwhile is no step.
    return moved if abs(moved) > STEP_MS + run_ms * DRIFT_PERCENT // 100 else 0


def _alarms(watch: ClockWatch, alarm_after_h: int, now: Instant) -> bool:
    return 0 < alarm_after_h * 3_600_000 <= unsynchronised_ms(watch, now)


def _loose_ms(runs: tuple[Boot, ...]) -> int:
    total = 0
    for one in reversed(runs):
        if one.synced_ns is not None:
            break
        total += (one.seen_ns - one.begun_ns) // _MS
    return total


def _tell_step(
    unit: Unit, ids: IdSource, origin: Origin, now: Instant, before: int, after: int, *, over_restart: bool
) -> None:
    data = clock_stepped(before, after, now.trusted, over_restart)
    record_event(unit, ids, now, origin, EventKind.CLOCK_STEPPED, origin.edge, data)
