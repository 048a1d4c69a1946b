"""Work items."""

from __future__ import annotations

import sqlite3
from typing import Any

from edge.errors import Corrupt
from edge.services.work_records import WorkItem, WorkKind

_COLUMNS = "item_id, kind, reference, opened_at, facts, day, closed_at, closed_by, reason"
_PUT = f"""
INSERT INTO work_items ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (item_id) DO UPDATE SET
    facts = excluded.facts, closed_at = excluded.closed_at, closed_by = excluded.closed_by,
    reason = excluded.reason
"""
_IS_OPEN = "closed_at IS NULL AND (? IS NULL OR kind = ?) AND (? = '' OR day = ?)"
_OPEN = f"SELECT {_COLUMNS} FROM work_items WHERE {_IS_OPEN} ORDER BY item_id LIMIT ?"
_COUNT_OPEN = f"SELECT count(*) FROM work_items WHERE {_IS_OPEN}"
_CLOSED = f"""
SELECT {_COLUMNS} FROM work_items WHERE closed_at IS NOT NULL ORDER BY closed_at DESC, item_id DESC LIMIT ?
"""


class WorkItemTable:
    """Implements work_records.WorkItems."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, item_id: str) -> WorkItem | None:
        """Return one item."""
        return self._one("item_id = ?", item_id)

    def find(self, kind: WorkKind, reference: str) -> WorkItem | None:
        """Return the item about `reference`."""
        return self._one("kind = ? AND reference = ?", kind.value, reference)

    def put(self, item: WorkItem) -> None:
        """Write an item; raise Corrupt for a second one of the same kind and reference."""
        known = self.find(item.kind, item.reference)
        if known is not None and known.item_id != item.item_id:
            raise Corrupt(f"there is a work item about {item.kind} {item.reference} already")
        row = (
            item.item_id,
            item.kind.value,
            item.reference,
            item.opened_at,
            item.facts,
            item.day,
            item.closed_at,
            item.closed_by,
            item.reason,
        )
        self._connection.execute(_PUT, row)

    def open(self, limit: int, kind: WorkKind | None = None, day: str = "") -> tuple[WorkItem, ...]:
        """Return open items, oldest first; of one kind or day where given."""
        wanted = None if kind is None else kind.value
        rows = self._connection.execute(_OPEN, (wanted, wanted, day, day, limit))
        return tuple(_item(row) for row in rows)

    def closed(self, limit: int) -> tuple[WorkItem, ...]:
        """Return the items closed last, newest first."""
        return tuple(_item(row) for row in self._connection.execute(_CLOSED, (limit,)))

    def count_open(self, kind: WorkKind | None = None, day: str = "") -> int:
        """Return how many are open; of one kind or day where given."""
        wanted = None if kind is None else kind.value
        return int(self._connection.execute(_COUNT_OPEN, (wanted, wanted, day, day)).fetchone()[0])

    def _one(self, condition: str, *values: str) -> WorkItem | None:
        statement = f"SELECT {_COLUMNS} FROM work_items WHERE {condition}"
        row = self._connection.execute(statement, values).fetchone()
        return None if row is None else _item(row)


def _item(row: tuple[Any, ...]) -> WorkItem:
    item_id, kind, *rest = row
    return WorkItem(item_id, WorkKind(kind), *rest)
