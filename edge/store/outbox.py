"""Events on their way to HQ; a row leaves only on HQ's own word."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any

from edge.errors import Corrupt
from edge.services.outbox_records import DeadLetter, DeadState, OutboxDepth, OutboxMessage, OutboxPace

#: How long the notes of the pace are kept: a week of hours.
PACE_MS = 7 * 24 * 3_600_000

_COLUMNS = "sequence, event_id, kind, source, body, created_at, urgent"
_WINDOW = f"SELECT {_COLUMNS} FROM outbox WHERE sequence > ? ORDER BY sequence LIMIT ?"
_ORDINARY = f"SELECT {_COLUMNS} FROM outbox WHERE sequence > ? AND urgent = 0 ORDER BY sequence LIMIT ?"
_URGENT = f"""
SELECT {_COLUMNS} FROM outbox INDEXED BY outbox_urgent
WHERE sequence > ? AND urgent = 1 ORDER BY sequence LIMIT ?
"""
_COUNT = "SELECT count(*) FROM (SELECT 1 FROM outbox WHERE sequence <= ? AND urgent = 0 LIMIT ?)"
_COUNT_URGENT = "SELECT count(*) FROM (SELECT 1 FROM outbox WHERE sequence <= ? AND urgent = 1 LIMIT ?)"
_DEPTH = """
SELECT waiting, (SELECT created_at FROM outbox ORDER BY sequence LIMIT 1),
       last_sequence, acked_through, last_ack_at,
       (SELECT sequence FROM outbox ORDER BY sequence LIMIT 1), waiting_bytes, dead
FROM outbox_head
"""
_APPEND = """
UPDATE outbox_head SET last_sequence = ?1, waiting = waiting + 1, waiting_bytes = waiting_bytes + ?2
WHERE last_sequence = ?1 - 1
"""
_LEAVE = "UPDATE outbox_head SET waiting = waiting - ?, waiting_bytes = waiting_bytes - ?"
_DELETE = """
DELETE FROM outbox WHERE sequence <= ? AND sequence NOT IN (SELECT value FROM json_each(?))
RETURNING length(body)
"""
_DELETE_ALSO = """
DELETE FROM outbox WHERE sequence IN (SELECT value FROM json_each(?)) RETURNING length(body)
"""
_ACKED = "UPDATE outbox_head SET acked_through = max(acked_through, ?), last_ack_at = ?"
_SET_ASIDE = f"""
INSERT INTO dead_letters ({_COLUMNS}, reason, rejected_at, state, note)
SELECT {_COLUMNS}, ?2, ?3, 'dead', '' FROM outbox WHERE sequence = ?1
"""
_LETTER = (
    f"SELECT {_COLUMNS}, reason, rejected_at, state, closed_at, note, resent_as, closed_by FROM dead_letters"
)
_CLOSED = f"{_LETTER} WHERE state <> 'dead' ORDER BY closed_at DESC, sequence DESC LIMIT ?"
_CLOSE = """
UPDATE dead_letters SET state = ?, closed_at = ?, note = ?, resent_as = ?, closed_by = ?
WHERE sequence = ? AND state = 'dead'
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
        moved = self._connection.execute(_APPEND, (message.sequence, len(message.body))).rowcount
        if moved != 1:
            raise Corrupt(
                f"event {message.event_id} has sequence {message.sequence} after {self._last_sequence()}"
            )
        self._connection.execute(
            f"INSERT INTO outbox ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                message.sequence,
                message.event_id,
                message.kind,
                message.source,
                message.body,
                message.created_at,
                int(message.urgent),
            ),
        )

    def window(
        self, after_sequence: int, limit: int, urgent: bool | None = None
    ) -> tuple[OutboxMessage, ...]:
        """Return unacknowledged events with a sequence above `after_sequence`, oldest first."""
        statement = _WINDOW if urgent is None else _URGENT if urgent else _ORDINARY
        return tuple(_message(row) for row in self._connection.execute(statement, (after_sequence, limit)))

    def count_through(self, sequence: int, limit: int, urgent: bool) -> int:
        """Return how many events of one lane wait up to `sequence`, counting to `limit` at most."""
        statement = _COUNT_URGENT if urgent else _COUNT
        return int(self._connection.execute(statement, (sequence, limit)).fetchone()[0])

    def acknowledge(
        self, through_sequence: int, holes: Iterable[int], at: int, also: Iterable[int] = ()
    ) -> int:
        """Remove what HQ has applied; raise Corrupt for an ack of what was never written."""
        last, above = self._last_sequence(), sorted(also)
        newest = max([through_sequence, *above])
        if newest > last:
            raise Corrupt(f"HQ acknowledged {newest}, the newest event is {last}; is HQ another box's?")
        gone = self._connection.execute(_DELETE, (through_sequence, _array(holes))).fetchall()
        if above:
            gone += self._connection.execute(_DELETE_ALSO, (_array(above),)).fetchall()
        if gone:
            self._connection.execute(_LEAVE, (len(gone), sum(row[0] for row in gone)))
        self._connection.execute(_ACKED, (through_sequence, at))
        return len(gone)

    def depth(self) -> OutboxDepth:
        """Return how far HQ is behind."""
        return OutboxDepth(*self._connection.execute(_DEPTH).fetchone())

    def set_aside(self, sequence: int, reason: str, at: int) -> bool:
        """Move an event that HQ rejected to the dead letters; return False when it does not wait."""
        if self._connection.execute(_SET_ASIDE, (sequence, reason, at)).rowcount != 1:
            return False
        gone = self._connection.execute(_DELETE_ALSO, (_array([sequence]),)).fetchall()
        self._connection.execute(_LEAVE, (len(gone), sum(row[0] for row in gone)))
        self._connection.execute("UPDATE outbox_head SET dead = dead + 1")
        return True

    def dead_letter(self, sequence: int) -> DeadLetter | None:
        """Return one dead letter, also one that was dealt with."""
        row = self._connection.execute(f"{_LETTER} WHERE sequence = ?", (sequence,)).fetchone()
        return None if row is None else _letter(row)

    def dead_letters(self, limit: int) -> tuple[DeadLetter, ...]:
        """Return the dead letters that nobody has dealt with, oldest first."""
        rows = self._connection.execute(f"{_LETTER} WHERE state = 'dead' ORDER BY sequence LIMIT ?", (limit,))
        return tuple(_letter(row) for row in rows)

    def closed_letters(self, limit: int) -> tuple[DeadLetter, ...]:
        """Return the dead letters that were dealt with, the latest first."""
        return tuple(_letter(row) for row in self._connection.execute(_CLOSED, (limit,)))

    def close_letter(self, letter: DeadLetter) -> None:
        """Write what became of a dead letter; raise Corrupt unless it was open."""
        sequence = letter.message.sequence
        values = (letter.state.value, letter.closed_at, letter.note, letter.resent_as, letter.closed_by)
        if self._connection.execute(_CLOSE, (*values, sequence)).rowcount != 1:
            raise Corrupt(f"dead letter {sequence} is not open; look at it with: outbox show {sequence}")
        self._connection.execute("UPDATE outbox_head SET dead = dead - 1")

    def note_pace(self, at: int) -> None:
        """Note how many events have been written by now; what is older than a week is forgotten."""
        self._connection.execute(
            "INSERT OR REPLACE INTO outbox_pace VALUES (?, ?)", (at, self._last_sequence())
        )
        # A clock that was set back leaves notes from the future; they would tell a wrong pace.
        self._connection.execute(
            "DELETE FROM outbox_pace WHERE noted_at < ?1 - ?2 OR noted_at > ?1", (at, PACE_MS)
        )

    def pace(self) -> tuple[OutboxPace, ...]:
        """Return the notes, oldest first."""
        rows = self._connection.execute("SELECT noted_at, last_sequence FROM outbox_pace ORDER BY noted_at")
        return tuple(OutboxPace(*row) for row in rows)

    def _last_sequence(self) -> int:
        return int(self._connection.execute("SELECT last_sequence FROM outbox_head").fetchone()[0])


def _array(numbers: Iterable[int]) -> str:
    return "[" + ",".join(str(int(number)) for number in numbers) + "]"


def _message(row: tuple[Any, ...]) -> OutboxMessage:
    sequence, event_id, kind, source, body, created_at, urgent = row[:7]
    return OutboxMessage(sequence, event_id, kind, source, body, created_at, bool(urgent))


def _letter(row: tuple[Any, ...]) -> DeadLetter:
    reason, rejected_at, state, *closing = row[7:]
    return DeadLetter(_message(row), reason, rejected_at, DeadState(state), *closing)
