"""The queue of papers in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from edge.retail.receipt import PrintState
from edge.services.paper_records import Paper

_WAITING = (PrintState.PRINTING, PrintState.QUEUED)


class FakePapers:
    """Implements paper_records.Papers."""

    def __init__(self, rows: dict[str, Paper], writing: Callable[[], None], kept: int = 1_000) -> None:
        self._rows = rows
        self._writing = writing
        self._kept = kept

    def get(self, paper_id: str) -> Paper | None:
        """Return a paper."""
        return self._rows.get(paper_id)

    def put(self, paper: Paper) -> None:
        """Write a paper; only its state on paper changes."""
        self._writing()
        known = self._rows.get(paper.paper_id, paper)
        self._rows[paper.paper_id] = replace(
            known, print_state=paper.print_state, print_problem=paper.print_problem
        )
        for old in sorted(self._rows)[: -self._kept]:
            if self._rows[old].print_state not in _WAITING:
                del self._rows[old]

    def next(self, workstation: str) -> Paper | None:
        """Return what that printer broke off, else the oldest queued one."""
        mine = [one for _, one in sorted(self._rows.items()) if one.workstation == workstation]
        return next((one for state in _WAITING for one in mine if one.print_state is state), None)

    def of(self, reference: str) -> tuple[Paper, ...]:
        """Return the papers of a shift or day, oldest first."""
        return tuple(one for _, one in sorted(self._rows.items()) if one.reference == reference)
