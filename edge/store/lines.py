"""Line items as rows; baskets and orders keep them in tables of the same shape."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from edge.retail.basket import LineItem

_COLUMNS = (
    "line_id, sku, tenant_id, name, name_en, barcode, quantity, unit_price_fen, amount_fen, weight_g, age_min"
)


class LineRows:
    """The line table of one owner kind ("basket" or "order")."""

    def __init__(self, connection: sqlite3.Connection, owner: str) -> None:
        self._connection = connection
        self._select = f"SELECT {_COLUMNS} FROM {owner}_lines WHERE {owner}_id = ? ORDER BY position"
        self._insert = (
            f"INSERT OR REPLACE INTO {owner}_lines ({owner}_id, position, {_COLUMNS})"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        )
        self._truncate = f"DELETE FROM {owner}_lines WHERE {owner}_id = ? AND position >= ?"

    def load(self, owner_id: str) -> tuple[LineItem, ...]:
        """Return the lines of one owner in order."""
        return tuple(LineItem(*row) for row in self._connection.execute(self._select, (owner_id,)))

    def save(self, owner_id: str, lines: Sequence[LineItem]) -> None:
        """Write the lines of one owner, replacing what was there."""
        self._connection.executemany(
            self._insert, [(owner_id, position, *_values(line)) for position, line in enumerate(lines)]
        )
        self._connection.execute(self._truncate, (owner_id, len(lines)))

    def append_all(self, owner_id: str, lines: Sequence[LineItem]) -> None:
        """Write the lines of a new owner."""
        self._connection.executemany(
            self._insert, [(owner_id, position, *_values(line)) for position, line in enumerate(lines)]
        )


def _values(line: LineItem) -> tuple[object, ...]:
    return (
        line.line_id,
        line.sku,
        line.tenant_id,
        line.name,
        line.name_en,
        line.barcode,
        line.quantity,
        line.unit_price_fen,
        line.amount_fen,
        line.weight_g,
        line.age_min,
    )
