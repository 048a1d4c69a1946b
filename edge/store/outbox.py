"""Events on their way to HQ; a row leaves only on HQ's own word."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from edge.errors import Corrupt
from edge.services.records import OutboxDepth, OutboxMessage

_WINDOW = """
SELECT sequence, event_id, kind, source, body, created_at FROM outbox
WHERE sequence > ? ORDER BY sequence LIMIT ?
"""
_DEPTH = """
SELECT (SELECT count(*) FROM outbox), (SELECT created_at FROM outbox ORDER BY sequence LIMIT 1),
       last_sequence, acked_through, last_ack_at
FROM outbox_head
"""
_DELETE = """
DELETE FROM outbox WHERE sequence <= ? AND sequence NOT IN (SELECT value FROM json_each(?))
"""


class OutboxTable:
    """Implements records.Outbox."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def next_sequence(self) -> int:
        """Return the sequence that the next appended event must carry."""
        return self._last_sequence() + 1

    def append(self, message: OutboxMessage) -> None:
        """Add an event; raise Corrupt unless its sequence is the next one."""
        moved = self._connection.execute(
            "UPDATE outbox_head SET last_sequence = ?1 WHERE last_sequence = ?1 - 1", (message.sequence,)
        ).rowcount
        if moved != 1:
            raise Corrupt(
                f"event {message.event_id} has sequence {message.sequence} after {self._last_sequence()}"
            )
        self._connection.execute(
            "INSERT INTO outbox (sequence, event_id, kind, source, body, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                message.sequence,
                message.event_id,
                message.kind,
                message.source,
                message.body,
                message.created_at,
            ),
        )

    def window(self, after_sequence: int, limit: int) -> tuple[OutboxMessage, ...]:
        """Return unacknowledged events with a sequence above `after_sequence`, oldest first."""
        rows = self._connection.execute(_WINDOW, (after_sequence, limit))
        return tuple(OutboxMessage(*row) for row in rows)

    def acknowledge(self, through_sequence: int, holes: Iterable[int], at: int) -> int:
        """Remove what HQ has applied; raise Corrupt for an ack of what was never written."""
        last = self._last_sequence()
        if through_sequence > last:
            raise Corrupt(
                f"HQ acknowledged {through_sequence}, the newest event is {last}; is HQ another box's?"
            )
        kept = "[" + ",".join(str(int(hole)) for hole in holes) + "]"
        removed = self._connection.execute(_DELETE, (through_sequence, kept)).rowcount
        self._connection.execute(
            "UPDATE outbox_head SET acked_through = max(acked_through, ?), last_ack_at = ?",
            (through_sequence, at),
        )
        return removed

    def depth(self) -> OutboxDepth:
        """Return how far HQ is behind."""
        return OutboxDepth(*self._connection.execute(_DEPTH).fetchone())

    def _last_sequence(self) -> int:
        return int(self._connection.execute("SELECT last_sequence FROM outbox_head").fetchone()[0])
