"""Our store as the service uses it, and plain sqlite3 as the yardstick."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.bench.queues.contenders import Give, fill

_WINDOW = 100


class Store:
    """SqliteStore and record_event: each event is composed, numbered and encoded inside the transaction.

    ready: the bytes are handed over, as to the others, and numbered alone.
    """

    def __init__(self, folder: Path, template: str, ready: bool = False) -> None:
        """Open the store with the service's own pragmas."""
        from edge.clock import SystemClock, wall_ms
        from edge.ids import TimeOrderedIds
        from edge.services import events
        from edge.services.outbox_records import OutboxMessage
        from edge.store.sqlite_store import SqliteStore
        from tests.bench.queues.sample import ORIGIN, paid

        self._clock, self._wall_ms, self._paid, self._origin = SystemClock(), wall_ms, paid(), ORIGIN
        self._ids = TimeOrderedIds(wall_ms)
        self._events, self._message = events, OutboxMessage
        self.exact, self._template = ready, template
        self._store = SqliteStore(folder / "edge.db", wall_ms())

    def put(self, numbers: Sequence[int]) -> bool:
        """Record the events in one unit of work."""

        def work(unit: Any) -> None:
            for number in numbers:
                if self.exact:
                    unit.outbox.append(self._ready(unit.outbox.next_sequence(), number))
                    continue
                order_id = f"order-{number:012d}"
                data = {**self._paid, "order_id": order_id}
                self._events.record_event(
                    unit, self._ids, self._clock.now(), self._origin, "order.paid", order_id, data
                )

        self._store.write(work)
        return True

    def _ready(self, sequence: int, number: int) -> Any:
        body = fill(self._template, number).encode()
        return self._message(
            sequence, self._ids.new_id(), "order.paid", self._origin.source, body, self._wall_ms()
        )

    def settle(self) -> None:
        """Nothing is left to do after a put."""

    def drain(self, give: Give) -> None:
        """Send a window, have it acknowledged, as the publisher does."""
        after = 0
        while window := self._store.read(lambda unit, after=after: unit.outbox.window(after, _WINDOW)):
            for message in window:
                give(message.body)
            after = window[-1].sequence
            self._store.write(lambda unit, after=after: unit.outbox.acknowledge(after, (), self._wall_ms()))

    def close(self) -> None:
        """Close the store."""
        self._store.close()


class Plain:
    """One table, no index but the row's own; each thread has a connection."""

    exact = True

    def __init__(self, folder: Path, template: str) -> None:
        """Open or create the table."""
        self._path, self._template, self._own = folder / "plain.db", template, threading.local()
        self._connection().execute(
            "CREATE TABLE IF NOT EXISTS queue (id INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL)"
        )

    def put(self, numbers: Sequence[int]) -> bool:
        """Insert a row in a transaction of its own, or all rows in one."""
        connection = self._connection()
        rows = [(fill(self._template, number).encode(),) for number in numbers]
        if len(rows) == 1:
            connection.execute("INSERT INTO queue (body) VALUES (?)", rows[0])
            return True
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO queue (body) VALUES (?)", rows)
        connection.execute("COMMIT")
        return True

    def settle(self) -> None:
        """Nothing is left to do after a put."""

    def drain(self, give: Give) -> None:
        """Read and delete in windows."""
        connection = self._connection()
        while rows := connection.execute("SELECT id, body FROM queue ORDER BY id LIMIT 100").fetchall():
            for _, body in rows:
                give(body)
            connection.execute("DELETE FROM queue WHERE id <= ?", (rows[-1][0],))

    def close(self) -> None:
        """Close this thread's connection; the others go with their threads."""
        self._connection().close()

    def _connection(self) -> sqlite3.Connection:
        if not hasattr(self._own, "connection"):
            self._own.connection = sqlite3.connect(self._path, isolation_level=None, timeout=60)
            self._own.connection.execute("PRAGMA journal_mode = WAL")
            self._own.connection.execute("PRAGMA synchronous = FULL")
        connection: sqlite3.Connection = self._own.connection
        return connection
