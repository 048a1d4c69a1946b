"""Baskets and what each workstation is busy with."""

from __future__ import annotations

import sqlite3
from operator import attrgetter
from typing import Any

from edge.retail.basket import Basket, BasketState
from edge.services.records import WorkstationState
from edge.store.lines import LineRows

_GET = """
SELECT basket_id, workstation, opened_at, state, cleared_age, changed_at FROM baskets WHERE basket_id = ?
"""
_HELD = """
SELECT basket_id, workstation, opened_at, state, cleared_age, changed_at FROM baskets
WHERE workstation = ? AND state = 'held' ORDER BY changed_at DESC LIMIT ?
"""
_PUT = """
INSERT INTO baskets (basket_id, workstation, opened_at, state, cleared_age, changed_at)
VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (basket_id) DO UPDATE SET
    workstation = excluded.workstation, state = excluded.state,
    cleared_age = excluded.cleared_age, changed_at = excluded.changed_at
"""
_WORKSTATION = (
    "workstation, language, basket_id, order_id, help_at, notice, touched_at, touched_boot, touched_ns"
)
_workstation_row = attrgetter(*_WORKSTATION.split(", "))
_GET_WORKSTATION = f"SELECT {_WORKSTATION} FROM workstations WHERE workstation = ?"
_PUT_WORKSTATION = f"""
INSERT OR REPLACE INTO workstations ({_WORKSTATION}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


class BasketTable:
    """Implements records.Baskets."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._lines = LineRows(connection, "basket")

    def get(self, basket_id: str) -> Basket | None:
        """Return a basket with its lines."""
        row = self._connection.execute(_GET, (basket_id,)).fetchone()
        return None if row is None else self._basket(row)

    def put(self, basket: Basket) -> None:
        """Write a basket and its lines."""
        self._connection.execute(
            _PUT,
            (
                basket.basket_id,
                basket.workstation,
                basket.opened_at,
                basket.state,
                basket.cleared_age,
                basket.changed_at,
            ),
        )
        self._lines.save(basket.basket_id, basket.lines)

    def held(self, workstation: str, limit: int) -> tuple[Basket, ...]:
        """Return the held baskets of a workstation, newest first."""
        rows = self._connection.execute(_HELD, (workstation, limit)).fetchall()
        return tuple(self._basket(row) for row in rows)

    def _basket(self, row: tuple[Any, ...]) -> Basket:
        basket_id, workstation, opened_at, state, cleared_age, changed_at = row
        return Basket(
            basket_id=basket_id,
            workstation=workstation,
            opened_at=opened_at,
            state=BasketState(state),
            lines=self._lines.load(basket_id),
            cleared_age=cleared_age,
            changed_at=changed_at,
        )


class WorkstationTable:
    """Implements records.Workstations."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, workstation: str) -> WorkstationState | None:
        """Return a workstation's state."""
        row = self._connection.execute(_GET_WORKSTATION, (workstation,)).fetchone()
        return None if row is None else WorkstationState(*row)

    def put(self, state: WorkstationState) -> None:
        """Write a workstation's state."""
        self._connection.execute(_PUT_WORKSTATION, _workstation_row(state))
