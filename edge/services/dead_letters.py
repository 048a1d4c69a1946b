"""Dead letters: events that HQ rejected. A person sends one again, repaired or not, or drops it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from enum import StrEnum

from edge.clock import iso
from edge.errors import Invalid
from edge.services.events import MAX_EVENT_BYTES
from edge.services.outbox_records import DeadLetter, DeadState, OutboxMessage
from edge.services.ports import Clock, Store
from edge.services.records import Unit

#: The longest note on why a letter was dropped.
MAX_NOTE = 200

#: Dead letters listed at once.
LETTERS_SHOWN = 100

#: Who deals with a letter on the command line: whoever may write to the box's state.
AT_THE_CONSOLE = "console"


class LetterAction(StrEnum):
    """What a person does with a dead letter."""

    RESEND = "resend"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class LetterRequest:
    """A person's wish. name: of the request's file. data: JSON of repaired data, "" to leave it as it is.

    note: why it is dropped.
    """

    name: str
    sequence: int
    action: LetterAction
    data: str = ""
    note: str = ""


def settle_letter(store: Store, clock: Clock, wish: LetterRequest) -> str:
    """Do what a person wishes; return one line that says so. Raises Invalid for what cannot be done."""
    if wish.action is LetterAction.DROP:
        drop_letter(store, clock, wish.sequence, wish.note)
        return f"event {wish.sequence} was dropped: {wish.note}"
    sequence = resend_letter(store, clock, wish.sequence, wish.data)
    return f"event {wish.sequence} goes out again as event {sequence}"


def describe_letter(letter: DeadLetter) -> str:
    """Return one line for people."""
    message = letter.message
    line = f"{message.sequence}  {message.kind}  rejected {iso(letter.rejected_at)}: {letter.reason}"
    by = f" (by {letter.closed_by})" if letter.closed_by else ""
    if letter.state is DeadState.RESENT:
        return f"{line}; sent again as {letter.resent_as} {letter.note}".rstrip() + by
    return f"{line}; dropped: {letter.note}{by}" if letter.state is DeadState.DROPPED else line


def resend_letter(store: Store, clock: Clock, sequence: int, data: str = "", by: str = AT_THE_CONSOLE) -> int:
    """Put a dead letter back into the outbox; return its new sequence.

    The event keeps its id, so that HQ applies it once, and gets the next sequence, so that the sequence has
    no gap. data: JSON of the event's data, repaired; "" leaves it as it is. by: who
    wishes it.
    """

    def work(unit: Unit) -> int:
        letter = _open_letter(unit, sequence)
        message = _readdressed(letter, unit.outbox.next_sequence(), data)
        unit.outbox.append(message)
        closed = replace(
            letter,
            state=DeadState.RESENT,
            closed_at=clock.now().wall_at,
            note="repaired" if data else "",
            resent_as=message.sequence,
            closed_by=by,
        )
        unit.outbox.close_letter(closed)
        return message.sequence

    return store.write(work)


def drop_letter(store: Store, clock: Clock, sequence: int, note: str, by: str = AT_THE_CONSOLE) -> None:
    """Close a dead letter for good; it stays on record with note and who. Raises Invalid without a note."""
    if not note.strip() or len(note) > MAX_NOTE:
        raise Invalid(f"say in 1 to {MAX_NOTE} characters why event {sequence} is dropped, with --reason")

    def work(unit: Unit) -> None:
        letter = _open_letter(unit, sequence)
        closed = replace(
            letter, state=DeadState.DROPPED, closed_at=clock.now().wall_at, note=note, closed_by=by
        )
        unit.outbox.close_letter(closed)

    store.write(work)


def _open_letter(unit: Unit, sequence: int) -> DeadLetter:
    letter = unit.outbox.dead_letter(sequence)
    if letter is None:
        raise Invalid(f"HQ has not rejected event {sequence}; list what it rejected with: outbox dead")
    if letter.state is not DeadState.DEAD:
        where = f" as event {letter.resent_as}" if letter.resent_as else ""
        raise Invalid(f"event {sequence} was {letter.state.value}{where} before; there is nothing to do")
    return letter


def _readdressed(letter: DeadLetter, sequence: int, data: str) -> OutboxMessage:
    old = letter.message
    envelope = json.loads(old.body)
    envelope["sequence"] = f"{sequence:016d}"
    if data:
        envelope["data"] = _repaired(data)
    body = json.dumps(envelope, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    if len(body) > MAX_EVENT_BYTES:
        raise Invalid(f"the repaired event has {len(body)} bytes, {MAX_EVENT_BYTES} at most")
    return replace(old, sequence=sequence, body=body)


def _repaired(data: str) -> dict[str, object]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"the repaired data is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise Invalid("the repaired data must be a JSON object, like the event's data")
    return value
