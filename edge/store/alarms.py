"""Alarms that are open."""

from __future__ import annotations

import sqlite3

from edge.services.alarm_records import Alarm

_PUT = """
INSERT INTO alarms (name, level, detail, raised_at) VALUES (?, ?, ?, ?)
ON CONFLICT (name) DO UPDATE SET level = excluded.level, detail = excluded.detail
"""


class AlarmTable:
    """Implements alarm_records.Alarms."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, name: str) -> Alarm | None:
        """Return the open alarm of that name."""
        statement = "SELECT name, level, detail, raised_at FROM alarms WHERE name = ?"
        row = self._connection.execute(statement, (name,)).fetchone()
        return None if row is None else Alarm(*row)

    def all(self) -> tuple[Alarm, ...]:
        """Return all open alarms in the order of their names."""
        rows = self._connection.execute("SELECT name, level, detail, raised_at FROM alarms ORDER BY name")
        return tuple(Alarm(*row) for row in rows)

    def put(self, alarm: Alarm) -> None:
        """Write an open alarm; the moment at which an older one of its name was raised stays."""
        self._connection.execute(_PUT, (alarm.name, alarm.level, alarm.detail, alarm.raised_at))

    def drop(self, name: str) -> None:
        """Take an alarm away; nothing happens when it is not open."""
        self._connection.execute("DELETE FROM alarms WHERE name = ?", (name,))
