"""The outbox for people, and what to do with what HQ rejected."""

from __future__ import annotations

from edge.app import (
    INCOMING,
    build_marks,
)
from edge.clock import SystemClock
from edge.config import Config
from edge.errands.handing_over import (
    await_report,
    new_id,
    own_store,
    reading,
)
from edge.errors import Invalid
from edge.services.dead_letters import (
    LETTERS_SHOWN,
    LetterAction,
    LetterRequest,
    describe_letter,
    settle_letter,
)
from edge.services.outbox_figures import figure_lines, outbox_figures
from edge.services.outbox_records import OutboxDepth
from edge.services.take_intake import (
    IntakeReport,
)
from edge.services.watch_disk import spare_bytes
from edge.store.disk import space_of
from edge.store.intake_folder import IntakeFolder


def read_outbox(config: Config) -> tuple[OutboxDepth, int]:
    """Return how far HQ is behind, and now; reads beside a running service."""
    with reading(config) as outbox:
        return outbox.depth(), SystemClock().now().wall_at


def outbox_lines(config: Config) -> list[str]:
    """Return how far HQ is behind, in lines for people; reads beside a running service."""
    marks, now_at = build_marks(config), SystemClock().now().wall_at
    with reading(config) as outbox:
        spare = spare_bytes(space_of(config.box.data_dir), marks)
        return figure_lines(outbox_figures(outbox.depth(), outbox.pace(), spare, now_at))


def letter_lines(config: Config) -> list[str]:
    """Return the events that HQ rejected and nobody has dealt with; reads beside a running service."""
    with reading(config) as outbox:
        letters = outbox.dead_letters(LETTERS_SHOWN)
    if not letters:
        return ["HQ has rejected nothing that is still open"]
    return [describe_letter(letter) for letter in letters]


def event_lines(config: Config, sequence: int) -> list[str]:
    """Return an event that waits or was rejected, in lines; raise Invalid for one that is not here."""
    with reading(config) as outbox:
        letter = outbox.dead_letter(sequence)
        waiting = [one for one in outbox.window(sequence - 1, 1) if one.sequence == sequence]
    if letter is not None:
        return [describe_letter(letter), letter.message.body.decode()]
    if waiting:
        return [f"event {sequence} waits for HQ", waiting[0].body.decode()]
    raise Invalid(f"event {sequence} is not here: HQ has it, or it was never written")


def deal_with_letter(
    config: Config, sequence: int, action: LetterAction, data: str = "", note: str = ""
) -> IntakeReport:
    """Send a dead letter again or drop it, or have a running service do it."""
    wish = LetterRequest(
        f"{action.value}-{sequence}-{new_id()[-12:]}.letter.json", sequence, action, data, note
    )
    with own_store(config) as store:
        if store is not None:
            return IntakeReport(True, (settle_letter(store, SystemClock(), wish),))
    folder = IntakeFolder(config.box.data_dir / INCOMING)
    folder.put_letter(wish)
    return await_report(folder, wish.name, lambda done, total: None)
