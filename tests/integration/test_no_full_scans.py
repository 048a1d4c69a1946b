"""What a start and the service's duties ask again and again must not read all that was ever sold."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from edge.store.sqlite_store import SqliteStore, SqliteUnit

AT = 1_795_000_000_000

#: Asked at a start, or once in a while for ever.
ASKED: dict[str, Callable[[SqliteUnit], object]] = {
    "receipts half printed": lambda unit: unit.receipts.printing(),
    "receipts to print": lambda unit: unit.receipts.to_print("K01"),
    "papers to print": lambda unit: unit.papers.next("K01"),
    "payments under way": lambda unit: unit.attempts.open(10),
    "refunds under way": lambda unit: unit.refunds.moving(10),
    "tickets that expire": lambda unit: unit.tickets.due(AT, AT, 10),
    "tickets that wait": lambda unit: unit.tickets.waiting(AT, "", 10),
    "events that wait": lambda unit: unit.outbox.depth(),
}


_PARTIAL = "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql LIKE '% WHERE %'"


@pytest.mark.parametrize("name", ASKED)
def test_it_is_answered_from_an_index(name: str, tmp_path: Path) -> None:
    SqliteStore(tmp_path / "edge.db", AT).close()
    with closing(sqlite3.connect(tmp_path / "edge.db", isolation_level=None)) as db:
        asked: list[str] = []
        db.set_trace_callback(asked.append)
        ASKED[name](SqliteUnit(db))
        db.set_trace_callback(None)
        plans = [row[3].split() for sql in asked for row in db.execute(f"EXPLAIN QUERY PLAN {sql}")]
        partial = {row[0] for row in db.execute(_PARTIAL)}

    large = {"receipts", "papers", "attempts", "refunds", "refund_legs", "tickets", "orders"}
    assert asked
    # An index of some rows may be read whole; one of all rows is as long as the table.
    scans = [one for one in plans if one[0] == "SCAN" and one[1] in large]
    assert [one for one in scans if one[-1] not in partial] == []
