"""The runs of the machine in memory."""

from __future__ import annotations

from collections.abc import Callable

from edge.elapsed import Boot
from edge.errors import Corrupt


class FakeBoots:
    """Implements boot_records.Boots."""

    def __init__(self, rows: dict[int, Boot], writing: Callable[[], None]) -> None:
        self._rows = rows
        self._writing = writing

    def last(self) -> Boot | None:
        """Return the newest run that is known."""
        return next(iter(self.recent(1)), None)

    def recent(self, limit: int) -> tuple[Boot, ...]:
        """Return the newest runs, the oldest of them first."""
        return tuple(self._rows[number] for number in sorted(self._rows)[-limit:])

    def put(self, boot: Boot) -> None:
        """Write a run, new or as a later heartbeat found it."""
        self._writing()
        if any(one.boot_id == boot.boot_id and one.number != boot.number for one in self._rows.values()):
            raise Corrupt(f"boot {boot.boot_id} has two numbers")
        self._rows[boot.number] = boot

    def forget(self, keep: int) -> int:
        """Delete all but the newest runs; return how many went."""
        self._writing()
        gone = [number for number in self._rows if number <= max(self._rows) - keep]
        for number in gone:
            del self._rows[number]
        return len(gone)
