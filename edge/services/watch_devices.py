"""Watch the devices: whoever can help is told of one that does not work, and again when it does.

A device must be bad for a while before that is worth an alarm (a cable that is put in anew, a camera that
starts again), and good for a while before the alarm is over, so that a loose contact does not fill HQ's page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from devices.types import DeviceStatus, Health
from edge.clock import Instant
from edge.errors import Unavailable
from edge.services.events import Origin
from edge.services.ports import Clock, IdSource, Store
from edge.services.raise_alarm import MAX_NAME, clear_alarm, raise_alarm
from edge.services.records import Unit

#: How the names of devices' alarms begin; the device's name follows.
ALARM = "device:"

#: A device that was not opened or did not call yet is no trouble: some cameras are silent until a car comes.
BAD = frozenset({Health.ABSENT, Health.FAULT})

#: So long a device is bad before an alarm, and good before it is over.
BAD_MS = 3_000
GOOD_MS = 5_000

#: The level of an alarm that is over.
OVER = "connected"

#: A device with the place that it belongs to: a workstation, a lane, or "".
Placed = tuple[str, str, DeviceStatus]


@dataclass(frozen=True, slots=True)
class DeviceWatch:
    """What the last look found: by a device's name its health and since when it is bad, or good, in boot-time
    nanoseconds. told: names of devices of which HQ knows how they are. A new process starts with
    `DeviceWatch()`."""

    health: Mapping[str, Health] = field(default_factory=dict)
    since_ns: Mapping[str, int] = field(default_factory=dict)
    told: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeviceLook:
    """What one look did. places: where a device became another; lost: devices of which an alarm was raised;
    back: of which one was cleared."""

    watch: DeviceWatch
    places: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    back: tuple[str, ...] = ()


def watch_devices(
    store: Store, clock: Clock, ids: IdSource, origin: Origin, devices: Sequence[Placed], before: DeviceWatch
) -> DeviceLook:
    """Look once; an alarm that cannot be written is told at a later look.

    The first look after a start ends alarms of devices that are not configured any more.
    """
    now = clock.now()
    seen = {status.name: (place, role, status) for place, role, status in devices}
    health = {name: status.health for name, (_, _, status) in seen.items()}
    since = {name: _since(name, one, before, now.boottime_ns) for name, one in health.items()}
    changed = (seen[name][0] for name, one in health.items() if before.health.get(name) is not one)
    places = tuple(sorted(set(changed)))
    watch = DeviceWatch(health, since, before.told)
    due = _due(watch, now)
    if not due and before.health:
        return DeviceLook(watch, places)

    def work(unit: Unit) -> tuple[tuple[str, ...], tuple[str, ...]]:
        gone = () if before.health else _strangers(unit, seen)
        bad = [name for name, is_bad in due.items() if is_bad]
        good = (*(name for name, is_bad in due.items() if not is_bad), *gone)
        lost = (name for name in bad if _raise(unit, ids, now, origin, seen[name]))
        back = (name for name in good if _clear(unit, ids, now, origin, name))
        return tuple(lost), tuple(back)

    try:
        lost, back = store.write(work)
    except Unavailable:
        return DeviceLook(watch, places)
    return DeviceLook(DeviceWatch(health, since, {**before.told, **due}), places, lost, back)


def _due(watch: DeviceWatch, now: Instant) -> dict[str, bool]:
    """Return of which devices HQ is to be told, with whether each is bad: long enough to be sure."""
    found = {}
    for name, health in watch.health.items():
        bad = health in BAD
        long_ms = BAD_MS if bad else GOOD_MS
        if watch.told.get(name) is not bad and now.boottime_ns - watch.since_ns[name] >= long_ms * 1_000_000:
            found[name] = bad
    return found


def _raise(unit: Unit, ids: IdSource, now: Instant, origin: Origin, device: Placed) -> bool:
    place, role, status = device
    where = f" of {place}" if place else ""
    detail = f"{role} {status.name}{where}: {status.detail or status.health.value}"
    return raise_alarm(unit, ids, now, origin, ALARM + status.name, status.health.value, detail)


def _clear(unit: Unit, ids: IdSource, now: Instant, origin: Origin, name: str) -> bool:
    return clear_alarm(unit, ids, now, origin, ALARM + name, OVER, f"{name} works again")


def _since(name: str, health: Health, before: DeviceWatch, now_ns: int) -> int:
    was = before.health.get(name)
    same = was is not None and (was in BAD) is (health in BAD)
    return before.since_ns[name] if same else now_ns


def _strangers(unit: Unit, known: Mapping[str, Placed]) -> tuple[str, ...]:
    """Return the devices with an open alarm that are not here any more."""
    names = {(ALARM + name)[:MAX_NAME] for name in known}
    open_ones = (one.name for one in unit.alarms.all() if one.name.startswith(ALARM))
    return tuple(name.removeprefix(ALARM) for name in open_ones if name not in names)
