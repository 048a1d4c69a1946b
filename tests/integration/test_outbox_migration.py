"""A box that was installed before events had lanes and totals keeps every event that waits."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from edge.store.migrate import migrate, schema_steps
from edge.store.sqlite_store import SqliteStore

#: The schema before lanes.
BEFORE = 3


def test_events_that_waited_before_are_counted_and_sent_as_ordinary_ones(tmp_path: Path) -> None:
    path = tmp_path / "edge.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        migrate(old, schema_steps()[:BEFORE], 1_000)
        rows = [(number, f"event-{number}", b"x" * number) for number in (4, 5, 7)]
        old.executemany("INSERT INTO outbox VALUES (?, ?, 'order.paid', '/mall/a/edge/b', ?, 1)", rows)
        old.execute("UPDATE outbox_head SET last_sequence = 7, acked_through = 6")
    with closing(SqliteStore(path, 2_000)) as store:
        depth = store.read(lambda unit: unit.outbox.depth())
        ordinary = store.read(lambda unit: unit.outbox.window(0, 9, urgent=False))
        assert (depth.count, depth.waiting_bytes, depth.dead) == (3, 16, 0)
        assert [one.sequence for one in ordinary] == [4, 5, 7]
        assert store.write(lambda unit: unit.outbox.acknowledge(7, (5,), 3_000)) == 2
        assert store.read(lambda unit: unit.outbox.depth()).waiting_bytes == 5
