"""Papers that are no receipts, on their way to a printer."""

from __future__ import annotations

import sqlite3
from operator import attrgetter
from typing import Any

from edge.retail.receipt import PrintState
from edge.services.paper_records import Paper, PaperKind

#: Papers kept; of what is older, those that are on paper go.
KEPT = 1_000

_PAPER = "paper_id, workstation, kind, reference, blocks, queued_at, drawer_until, print_state, print_problem"
_row = attrgetter(*_PAPER.split(", "))
_PUT = f"""
INSERT INTO papers ({_PAPER}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (paper_id) DO UPDATE SET
    print_state = excluded.print_state, print_problem = excluded.print_problem
"""
_NEXT = f"""
SELECT {_PAPER} FROM papers WHERE workstation = ? AND print_state IN ('queued', 'printing')
ORDER BY print_state = 'queued', paper_id LIMIT 1
"""
_PRUNE = """
DELETE FROM papers WHERE print_state NOT IN ('queued', 'printing')
AND paper_id <= (SELECT paper_id FROM papers ORDER BY paper_id DESC LIMIT 1 OFFSET ?)
"""


class PaperTable:
    """Implements paper_records.Papers."""

    def __init__(self, connection: sqlite3.Connection, kept: int = KEPT) -> None:
        self._connection = connection
        self._kept = kept

    def get(self, paper_id: str) -> Paper | None:
        """Return a paper."""
        row = self._connection.execute(
            f"SELECT {_PAPER} FROM papers WHERE paper_id = ?", (paper_id,)
        ).fetchone()
        return None if row is None else _paper(row)

    def put(self, paper: Paper) -> None:
        """Write a paper; only its state on paper changes."""
        self._connection.execute(_PUT, _row(paper))
        self._connection.execute(_PRUNE, (self._kept,))

    def next(self, workstation: str) -> Paper | None:
        """Return what that printer broke off, else the oldest queued one."""
        row = self._connection.execute(_NEXT, (workstation,)).fetchone()
        return None if row is None else _paper(row)

    def of(self, reference: str) -> tuple[Paper, ...]:
        """Return the papers of a shift or day, oldest first."""
        statement = f"SELECT {_PAPER} FROM papers WHERE reference = ? ORDER BY paper_id"
        return tuple(_paper(row) for row in self._connection.execute(statement, (reference,)))


def _paper(row: tuple[Any, ...]) -> Paper:
    paper_id, workstation, kind, reference, blocks, queued_at, drawer_until, state, problem = row
    return Paper(
        paper_id,
        workstation,
        PaperKind(kind),
        reference,
        blocks,
        queued_at,
        drawer_until,
        PrintState(state),
        problem,
    )
