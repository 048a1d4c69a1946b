"""Open alarms in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from edge.services.alarm_records import Alarm


class FakeAlarms:
    """Implements alarm_records.Alarms."""

    def __init__(self, rows: dict[str, Alarm], writing: Callable[[], None]) -> None:
        self._rows = rows
        self._writing = writing

    def get(self, name: str) -> Alarm | None:
        """Return the open alarm of that name."""
        return self._rows.get(name)

    def all(self) -> tuple[Alarm, ...]:
        """Return all open alarms in the order of their names."""
        return tuple(self._rows[name] for name in sorted(self._rows))

    def put(self, alarm: Alarm) -> None:
        """Write an open alarm."""
        self._writing()
        known = self._rows.get(alarm.name)
        self._rows[alarm.name] = alarm if known is None else replace(alarm, raised_at=known.raised_at)

    def drop(self, name: str) -> None:
        """Take an alarm away."""
        self._writing()
        self._rows.pop(name, None)
