"""Where the simulated gateway keeps what it knows: one SQLite file, or memory alone."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

Value = str | int | bytes | None


class Store:
    """One connection that all threads share in turn; what `work` holds together is kept whole or not at all.

    A file outlives the process, killed or not; after a power cut the last moments may be missing, which is
    enough for a simulator.
    """

    def __init__(self, path: Path | None = None) -> None:
        """path: the file, made when it is absent; None keeps everything in memory."""
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        name = ":memory:" if path is None else str(path)
        self._lock = threading.RLock()
        self._depth = 0
        self._db = sqlite3.connect(name, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=5000"):
            self._db.execute(f"PRAGMA {pragma}").fetchall()

    def add_schema(self, sql: str) -> None:
        """Make a room's tables; write them as CREATE TABLE IF NOT EXISTS, since the file may have them."""
        with self._lock:
            self._db.executescript(sql)

    @contextmanager
    def work(self) -> Iterator[None]:
        """Keep all that is run inside, or nothing of it when an exception leaves; may be nested."""
        with self._lock:
            self._depth += 1
            if self._depth == 1:
                self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._leave(keep=False)
                raise
            self._leave(keep=True)

    def run(self, sql: str, *values: Value) -> int:
        """Run one statement; return the id of the row that it inserted last."""
        with self._lock:
            return int(self._db.execute(sql, values).lastrowid or 0)

    def rows(self, sql: str, *values: Value) -> Sequence[sqlite3.Row]:
        """Return what a question finds."""
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def row(self, sql: str, *values: Value) -> sqlite3.Row | None:
        """Return the first that a question finds, or None."""
        found = self.rows(sql, *values)
        return found[0] if found else None

    def number(self, sql: str, *values: Value) -> int:
        """Return the one whole number that a question finds; 0 for none."""
        found = self.row(sql, *values)
        return int(found[0] or 0) if found is not None else 0

    def close(self) -> None:
        """Close the file; safe to repeat."""
        with self._lock:
            self._db.close()

    def _leave(self, keep: bool) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._db.execute("COMMIT" if keep else "ROLLBACK")
