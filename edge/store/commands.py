"""What HQ told this box to do: the inbox that knows repeats, which is the audit as well."""

from __future__ import annotations

import sqlite3
from typing import Any

from edge.errors import Corrupt
from edge.services.command_records import CommandRecord, CommandState, SalesFreeze

#: Commands kept; of what is older, those that are finished and past their expiry go.
KEPT = 10_000

_COLUMNS = (
    "command_id, kind, issued_by, issued_at, expires_at, arguments, received_at, trusted,"
    " state, reason, detail, result, finished_at"
)
_ADD = f"INSERT INTO commands ({_COLUMNS}) VALUES ({', '.join('?' * 13)}) RETURNING number"
_FINISH = """
UPDATE commands SET state = ?, reason = ?, detail = ?, result = ?, finished_at = ?
WHERE command_id = ? AND state = 'begun'
"""
_FORGET = "DELETE FROM commands WHERE number <= ? AND state <> 'begun' AND expires_at < ?"


class CommandTable:
    """Implements records.Commands."""

    def __init__(self, connection: sqlite3.Connection, kept: int = KEPT) -> None:
        self._connection = connection
        self._kept = kept

    def get(self, command_id: str) -> CommandRecord | None:
        """Return one command."""
        statement = f"SELECT {_COLUMNS} FROM commands WHERE command_id = ?"
        row = self._connection.execute(statement, (command_id,)).fetchone()
        return None if row is None else _record(row)

    def add(self, record: CommandRecord) -> None:
        """Take a command in; raise Corrupt for an id that was taken in before."""
        if self.get(record.command_id) is not None:
            raise Corrupt(f"command {record.command_id} was taken in before")
        row = self._connection.execute(_ADD, _row(record)).fetchone()
        self._connection.execute(_FORGET, (row[0] - self._kept, record.received_at))

    def finish(self, record: CommandRecord) -> None:
        """Write how a begun command ended; raise Corrupt unless it was begun."""
        ended = (record.state.value, record.reason, record.detail, record.result, record.finished_at)
        if self._connection.execute(_FINISH, (*ended, record.command_id)).rowcount != 1:
            raise Corrupt(f"command {record.command_id} was not begun, or has ended")

    def begun(self, limit: int) -> tuple[CommandRecord, ...]:
        """Return commands that were begun and have not ended, oldest first."""
        statement = f"SELECT {_COLUMNS} FROM commands WHERE state = 'begun' ORDER BY number LIMIT ?"
        return tuple(_record(row) for row in self._connection.execute(statement, (limit,)))

    def recent(self, limit: int) -> tuple[CommandRecord, ...]:
        """Return the newest commands, newest first."""
        statement = f"SELECT {_COLUMNS} FROM commands ORDER BY number DESC LIMIT ?"
        return tuple(_record(row) for row in self._connection.execute(statement, (limit,)))

    def freeze(self) -> SalesFreeze | None:
        """Return why sales are frozen, None while they are open."""
        row = self._connection.execute("SELECT command_id, note, since_at FROM sales_freeze").fetchone()
        return None if row is None else SalesFreeze(*row)

    def set_freeze(self, freeze: SalesFreeze | None) -> None:
        """Freeze sales or open them again."""
        self._connection.execute("DELETE FROM sales_freeze")
        if freeze is not None:
            row = (freeze.command_id, freeze.note, freeze.since_at)
            self._connection.execute("INSERT INTO sales_freeze VALUES (1, ?, ?, ?)", row)


def _row(record: CommandRecord) -> tuple[Any, ...]:
    return (
        record.command_id,
        record.kind,
        record.issued_by,
        record.issued_at,
        record.expires_at,
        record.arguments,
        record.received_at,
        int(record.trusted),
        record.state.value,
        record.reason,
        record.detail,
        record.result,
        record.finished_at,
    )


def _record(row: tuple[Any, ...]) -> CommandRecord:
    command_id, kind, issued_by, issued_at, expires_at, arguments, received_at, trusted, *ended = row
    state, reason, detail, result, finished_at = ended
    return CommandRecord(
        command_id,
        kind,
        issued_by,
        issued_at,
        expires_at,
        arguments,
        received_at,
        bool(trusted),
        CommandState(state),
        reason,
        detail,
        result,
        finished_at,
    )
