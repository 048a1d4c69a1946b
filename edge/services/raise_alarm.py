"""Raise and clear alarms: each is told to HQ once when it begins, gets another level, and is over."""

from __future__ import annotations

from edge.clock import Instant
from edge.services.alarm_records import Alarm
from edge.services.events import EventKind, Origin, alarm, record_event
from edge.services.ports import IdSource
from edge.services.records import Unit

#: Letters of an alarm's name at most; what is longer is cut.
MAX_NAME = 64


def raise_alarm(
    unit: Unit, ids: IdSource, now: Instant, origin: Origin, name: str, level: str, detail: str
) -> bool:
    """Open the alarm of that name, or change its level; return whether that was news.

    What is open at that level already is not told again, not even by a service that was started anew.
    """
    name = name[:MAX_NAME]
    known = unit.alarms.get(name)
    if known is not None and known.level == level:
        return False
    unit.alarms.put(Alarm(name, level, detail, now.wall_at))
    record_event(unit, ids, now, origin, EventKind.ALARM_RAISED, origin.edge, alarm(name, level, detail))
    return True


def clear_alarm(
    unit: Unit, ids: IdSource, now: Instant, origin: Origin, name: str, level: str, detail: str
) -> bool:
    """End the alarm of that name; return False when none is open, which is not told. level: as it is now."""
    name = name[:MAX_NAME]
    if unit.alarms.get(name) is None:
        return False
    unit.alarms.drop(name)
    record_event(unit, ids, now, origin, EventKind.ALARM_CLEARED, origin.edge, alarm(name, level, detail))
    return True
