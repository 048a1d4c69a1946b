"""Work items in memory, with the rules that the tables enforce."""

from __future__ import annotations

from collections.abc import Callable

from edge.errors import Corrupt
from edge.services.work_records import WorkItem, WorkKind


class FakeWorkItems:
    """Implements work_records.WorkItems; rows are by item_id, which sorts by time."""

    def __init__(self, rows: dict[str, WorkItem], writing: Callable[[], None]) -> None:
        self._rows = rows
        self._writing = writing

    def get(self, item_id: str) -> WorkItem | None:
        """Return one item."""
        return self._rows.get(item_id)

    def find(self, kind: WorkKind, reference: str) -> WorkItem | None:
        """Return the item about `reference`."""
        about = (one for one in self._rows.values() if (one.kind, one.reference) == (kind, reference))
        return next(about, None)

    def put(self, item: WorkItem) -> None:
        """Write an item."""
        self._writing()
        known = self.find(item.kind, item.reference)
        if known is not None and known.item_id != item.item_id:
            raise Corrupt(f"there is a work item about {item.kind} {item.reference} already")
        self._rows[item.item_id] = item

    def open(self, limit: int, kind: WorkKind | None = None, day: str = "") -> tuple[WorkItem, ...]:
        """Return open items, oldest first."""
        return tuple(sorted(self._open(kind, day), key=lambda one: one.item_id)[:limit])

    def closed(self, limit: int) -> tuple[WorkItem, ...]:
        """Return the items closed last, newest first."""
        done = [one for one in self._rows.values() if one.closed_at is not None]
        return tuple(sorted(done, key=lambda one: (one.closed_at, one.item_id), reverse=True)[:limit])

    def count_open(self, kind: WorkKind | None = None, day: str = "") -> int:
        """Return how many are open."""
        return len(self._open(kind, day))

    def _open(self, kind: WorkKind | None, day: str) -> list[WorkItem]:
        items = (one for one in self._rows.values() if one.is_open)
        return [one for one in items if kind in (None, one.kind) and day in ("", one.day)]
