"""The runs of the machine."""

from __future__ import annotations

import sqlite3
from operator import attrgetter

from edge.elapsed import Boot

_COLUMNS = "number, boot_id, seen_ns, wall_at, synced_ns, zero_at, stepped_ns, begun_ns"
_RECENT = f"SELECT {_COLUMNS} FROM boots ORDER BY number DESC LIMIT ?"
_PUT = f"""
INSERT INTO boots ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (number) DO UPDATE SET
    seen_ns = excluded.seen_ns, wall_at = excluded.wall_at, synced_ns = excluded.synced_ns,
    zero_at = excluded.zero_at, stepped_ns = excluded.stepped_ns
"""
_FORGET = "DELETE FROM boots WHERE number <= (SELECT max(number) FROM boots) - ?"
_row = attrgetter(*_COLUMNS.split(", "))


class BootTable:
    """Implements boot_records.Boots."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def last(self) -> Boot | None:
        """Return the newest run that is known."""
        return next(iter(self.recent(1)), None)

    def recent(self, limit: int) -> tuple[Boot, ...]:
        """Return the newest runs, the oldest of them first."""
        rows = self._connection.execute(_RECENT, (limit,)).fetchall()
        return tuple(Boot(*row) for row in reversed(rows))

    def put(self, boot: Boot) -> None:
        """Write a run, new or as a later heartbeat found it."""
        self._connection.execute(_PUT, _row(boot))

    def forget(self, keep: int) -> int:
        """Delete all but the newest runs; return how many went."""
        return self._connection.execute(_FORGET, (keep,)).rowcount
