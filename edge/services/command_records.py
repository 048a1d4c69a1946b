"""What is kept of the commands of HQ, and how a unit of work reads and writes it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class CommandState(StrEnum):
    """How far a command of HQ is. UNKNOWN: it may or may not have taken effect; it is never repeated."""

    BEGUN = "begun"
    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CommandRecord:
    """A command of HQ and what became of it. arguments, result: JSON objects. trusted: the box's clock when
    it came. reason: a word, "" when done; detail: a sentence for people. finished_at: None while begun.
    """

    command_id: str
    kind: str
    issued_by: str
    issued_at: int
    expires_at: int
    arguments: str
    received_at: int
    trusted: bool
    state: CommandState
    reason: str = ""
    detail: str = ""
    result: str = "{}"
    finished_at: int | None = None


@dataclass(frozen=True, slots=True)
class SalesFreeze:
    """HQ lets this box begin no new sale. note: HQ's own words."""

    command_id: str
    note: str
    since_at: int


class Commands(Protocol):
    """What HQ told this box to do; written in the unit of the command's effect."""

    def get(self, command_id: str) -> CommandRecord | None:
        """Return one command."""

    def add(self, record: CommandRecord) -> None:
        """Take a command in; raise Corrupt for an id that was taken in before."""

    def finish(self, record: CommandRecord) -> None:
        """Write how a begun command ended; raise Corrupt unless it was begun."""

    def begun(self, limit: int) -> tuple[CommandRecord, ...]:
        """Return commands that were begun and have not ended, oldest first."""

    def recent(self, limit: int) -> tuple[CommandRecord, ...]:
        """Return the newest commands, newest first."""

    def freeze(self) -> SalesFreeze | None:
        """Return why sales are frozen, None while they are open."""

    def set_freeze(self, freeze: SalesFreeze | None) -> None:
        """Freeze sales or open them again."""
