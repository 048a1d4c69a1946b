"""Events on their way to HQ, and those that HQ refused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """One event on its way to HQ; `body` is exactly what goes on the wire (CloudEvents 1.0 JSON).

    sequence: gap-free per box, from 1. kind: the event type, e.g. "order.paid". urgent: it is sent before
    older ones that are not.
    """

    sequence: int
    event_id: str
    kind: str
    source: str
    body: bytes
    created_at: int
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class OutboxDepth:
    """How far HQ is behind. Instants are Unix milliseconds, None when there is none.

    oldest_sequence: of the oldest row, None when nothing waits. waiting_bytes: of all bodies. dead: events
    that HQ rejected and nobody has dealt with.
    """

    count: int
    oldest_created_at: int | None
    last_sequence: int
    acked_through: int
    last_ack_at: int | None
    oldest_sequence: int | None = None
    waiting_bytes: int = 0
    dead: int = 0


@dataclass(frozen=True, slots=True)
class OutboxPace:
    """How many events had been written at a moment (Unix milliseconds)."""

    noted_at: int
    last_sequence: int


class DeadState(StrEnum):
    """What became of an event that HQ rejected."""

    DEAD = "dead"
    RESENT = "resent"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that HQ rejected, kept as it was sent.

    reason: HQ's own. note: why a person dropped it. resent_as: the sequence of the event that took its
    place in the outbox. closed_by: who dealt with it.
    """

    message: OutboxMessage
    reason: str
    rejected_at: int
    state: DeadState = DeadState.DEAD
    closed_at: int | None = None
    note: str = ""
    resent_as: int | None = None
    closed_by: str = ""


class Outbox(Protocol):
    """Events on their way to HQ."""

    def next_sequence(self) -> int:
        """Return the sequence that the next appended event must carry."""

    def append(self, message: OutboxMessage) -> None:
        """Add an event; raise Corrupt unless its sequence is the next one."""

    def window(
        self, after_sequence: int, limit: int, urgent: bool | None = None
    ) -> tuple[OutboxMessage, ...]:
        """Return unacknowledged events with a sequence above `after_sequence`, oldest first.

        urgent: those of one lane alone, None for all.
        """

    def count_through(self, sequence: int, limit: int, urgent: bool) -> int:
        """Return how many events of one lane wait up to `sequence`, counting to `limit` at most."""

    def acknowledge(
        self, through_sequence: int, holes: Iterable[int], at: int, also: Iterable[int] = ()
    ) -> int:
        """Remove what HQ has applied, `also` being above `through_sequence`; return how many rows left."""

    def depth(self) -> OutboxDepth:
        """Return how far HQ is behind."""

    def set_aside(self, sequence: int, reason: str, at: int) -> bool:
        """Move an event that HQ rejected to the dead letters; return False when it does not wait."""

    def dead_letter(self, sequence: int) -> DeadLetter | None:
        """Return one dead letter, also one that was dealt with."""

    def dead_letters(self, limit: int) -> tuple[DeadLetter, ...]:
        """Return the dead letters that nobody has dealt with, oldest first."""

    def closed_letters(self, limit: int) -> tuple[DeadLetter, ...]:
        """Return the dead letters that were dealt with, the latest first."""

    def close_letter(self, letter: DeadLetter) -> None:
        """Write what became of a dead letter; raise Corrupt unless it was open."""

    def note_pace(self, at: int) -> None:
        """Note how many events have been written by now; what is older than a week is forgotten."""

    def pace(self) -> tuple[OutboxPace, ...]:
        """Return the notes, oldest first."""
