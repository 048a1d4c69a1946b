"""HQ's commands in memory, with the rules that the tables enforce."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from edge.errors import Corrupt
from edge.services.command_records import CommandRecord, CommandState, SalesFreeze


@dataclass(slots=True)
class CommandRows:
    """All state; records are kept in the order of arrival."""

    records: dict[str, CommandRecord] = field(default_factory=dict)
    freeze: SalesFreeze | None = None

    def copy(self) -> CommandRows:
        """Return rows that can be changed without changing these."""
        return replace(self, records=dict(self.records))


class FakeCommands:
    """Implements records.Commands."""

    def __init__(self, rows: CommandRows, writing: Callable[[], None]) -> None:
        self._rows = rows
        self._writing = writing

    def get(self, command_id: str) -> CommandRecord | None:
        """Return one command."""
        return self._rows.records.get(command_id)

    def add(self, record: CommandRecord) -> None:
        """Take a command in."""
        self._writing()
        if record.command_id in self._rows.records:
            raise Corrupt(f"command {record.command_id} was taken in before")
        self._rows.records[record.command_id] = record

    def finish(self, record: CommandRecord) -> None:
        """Write how a begun command ended."""
        self._writing()
        known = self._rows.records.get(record.command_id)
        if known is None or known.state is not CommandState.BEGUN:
            raise Corrupt(f"command {record.command_id} was not begun, or has ended")
        self._rows.records[record.command_id] = replace(
            known,
            state=record.state,
            reason=record.reason,
            detail=record.detail,
            result=record.result,
            finished_at=record.finished_at,
        )

    def begun(self, limit: int) -> tuple[CommandRecord, ...]:
        """Return commands that were begun and have not ended, oldest first."""
        still = [one for one in self._rows.records.values() if one.state is CommandState.BEGUN]
        return tuple(still[:limit])

    def recent(self, limit: int) -> tuple[CommandRecord, ...]:
        """Return the newest commands, newest first."""
        return tuple(reversed(self._rows.records.values()))[:limit]

    def freeze(self) -> SalesFreeze | None:
        """Return why sales are frozen."""
        return self._rows.freeze

    def set_freeze(self, freeze: SalesFreeze | None) -> None:
        """Freeze sales or open them again."""
        self._writing()
        self._rows.freeze = freeze
