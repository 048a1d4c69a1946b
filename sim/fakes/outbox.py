"""The outbox in memory, with the rules of the tables; part of the store in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from edge.errors import Corrupt
from edge.services.outbox_records import DeadLetter, DeadState, OutboxDepth, OutboxMessage, OutboxPace

#: How long the notes of the pace are kept.
PACE_MS = 7 * 24 * 3_600_000


@dataclass(slots=True)
class OutboxRows:
    """All state; the values are frozen."""

    waiting: dict[int, OutboxMessage] = field(default_factory=dict)
    letters: dict[int, DeadLetter] = field(default_factory=dict)
    notes: dict[int, int] = field(default_factory=dict)
    last_sequence: int = 0
    acked_through: int = 0
    last_ack_at: int | None = None

    def copy(self) -> OutboxRows:
        """Return rows that can be changed without changing these."""
        return replace(self, waiting=dict(self.waiting), letters=dict(self.letters), notes=dict(self.notes))


class FakeOutbox:
    """Implements records.Outbox; `writing` is called before each change and may refuse it."""

    def __init__(self, rows: OutboxRows, writing: Callable[[], None] = lambda: None) -> None:
        self._rows = rows
        self._writing = writing

    def next_sequence(self) -> int:
        """Return the sequence that the next appended event must carry."""
        return self._rows.last_sequence + 1

    def append(self, message: OutboxMessage) -> None:
        """Add an event."""
        self._writing()
        if message.sequence != self._rows.last_sequence + 1:
            raise Corrupt(f"sequence {message.sequence} after {self._rows.last_sequence}")
        self._rows.waiting[message.sequence] = message
        self._rows.last_sequence = message.sequence

    def window(
        self, after_sequence: int, limit: int, urgent: bool | None = None
    ) -> tuple[OutboxMessage, ...]:
        """Return unacknowledged events above `after_sequence`, oldest first."""
        found = [
            message
            for sequence, message in sorted(self._rows.waiting.items())
            if sequence > after_sequence and urgent in {None, message.urgent}
        ]
        return tuple(found[:limit])

    def count_through(self, sequence: int, limit: int, urgent: bool) -> int:
        """Return how many of one lane wait up to `sequence`, counting to `limit`."""
        return min(
            limit,
            sum(one.urgent == urgent for number, one in self._rows.waiting.items() if number <= sequence),
        )

    def acknowledge(
        self, through_sequence: int, holes: Iterable[int], at: int, also: Iterable[int] = ()
    ) -> int:
        """Remove what HQ has applied."""
        self._writing()
        kept, above = set(holes), set(also)
        newest = max([through_sequence, *above])
        if newest > self._rows.last_sequence:
            raise Corrupt(f"ack of {newest} beyond {self._rows.last_sequence}")
        gone = [
            one for one in self._rows.waiting if (one <= through_sequence and one not in kept) or one in above
        ]
        for sequence in gone:
            del self._rows.waiting[sequence]
        self._rows.acked_through = max(self._rows.acked_through, through_sequence)
        self._rows.last_ack_at = at
        return len(gone)

    def depth(self) -> OutboxDepth:
        """Return how far HQ is behind."""
        rows = self._rows
        oldest = min(rows.waiting, default=None)
        return OutboxDepth(
            count=len(rows.waiting),
            oldest_created_at=None if oldest is None else rows.waiting[oldest].created_at,
            last_sequence=rows.last_sequence,
            acked_through=rows.acked_through,
            last_ack_at=rows.last_ack_at,
            oldest_sequence=oldest,
            waiting_bytes=sum(len(message.body) for message in rows.waiting.values()),
            dead=sum(letter.state is DeadState.DEAD for letter in rows.letters.values()),
        )

    def set_aside(self, sequence: int, reason: str, at: int) -> bool:
        """Move an event to the dead letters."""
        self._writing()
        message = self._rows.waiting.pop(sequence, None)
        if message is None:
            return False
        self._rows.letters[sequence] = DeadLetter(message, reason, at)
        return True

    def dead_letter(self, sequence: int) -> DeadLetter | None:
        """Return one dead letter."""
        return self._rows.letters.get(sequence)

    def dead_letters(self, limit: int) -> tuple[DeadLetter, ...]:
        """Return the open dead letters, oldest first."""
        found = [one for _, one in sorted(self._rows.letters.items()) if one.state is DeadState.DEAD]
        return tuple(found[:limit])

    def closed_letters(self, limit: int) -> tuple[DeadLetter, ...]:
        """Return the letters that were dealt with, the latest first."""
        found = [one for one in self._rows.letters.values() if one.state is not DeadState.DEAD]
        found.sort(key=lambda one: (one.closed_at or 0, one.message.sequence), reverse=True)
        return tuple(found[:limit])

    def close_letter(self, letter: DeadLetter) -> None:
        """Write what became of a dead letter."""
        self._writing()
        present = self._rows.letters.get(letter.message.sequence)
        if present is None or present.state is not DeadState.DEAD:
            raise Corrupt(f"dead letter {letter.message.sequence} is not open")
        self._rows.letters[letter.message.sequence] = replace(
            present,
            state=letter.state,
            closed_at=letter.closed_at,
            note=letter.note,
            resent_as=letter.resent_as,
            closed_by=letter.closed_by,
        )

    def note_pace(self, at: int) -> None:
        """Note how many events have been written by now."""
        self._writing()
        self._rows.notes[at] = self._rows.last_sequence
        for noted_at in [one for one in self._rows.notes if not at - PACE_MS <= one <= at]:
            del self._rows.notes[noted_at]

    def pace(self) -> tuple[OutboxPace, ...]:
        """Return the notes, oldest first."""
        return tuple(OutboxPace(*note) for note in sorted(self._rows.notes.items()))
