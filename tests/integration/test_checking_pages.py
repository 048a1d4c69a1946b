"""A database too large for a start to look at every page: it is looked at while the service runs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from edge.duties.checking_pages import EVERY_S, FIRST_S, PAUSE_S, CheckingPages
from edge.errors import Corrupt
from edge.store.database import CHECKED_AT_START_BYTES
from edge.store.sqlite_store import SqliteStore

AT = 1_795_000_000_000


@pytest.fixture
def large(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "edge.db"
    SqliteStore(path, AT).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE ballast (bytes BLOB)")
        db.execute("INSERT INTO ballast VALUES (zeroblob(?))", (CHECKED_AT_START_BYTES,))
        db.commit()
    yield path
    path.unlink()


def spoil(path: Path, table: str) -> bytes:
    """Write nonsense over a table's first page; return what stood there."""
    with closing(sqlite3.connect(path)) as db:
        root = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()[0]
        size = db.execute("PRAGMA page_size").fetchone()[0]
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        before = file.read(size)
        file.seek((root - 1) * size)
        file.write(b"\x55" * size)
    return before


def repair(path: Path, table: str, page: bytes) -> None:
    """Put back what stood there."""
    with closing(sqlite3.connect(path)) as db:
        root = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()[0]
    with path.open("r+b") as file:
        file.seek((root - 1) * len(page))
        file.write(page)


def test_a_small_file_is_looked_at_by_the_start_alone(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "edge.db", AT)):
        pass
    with closing(SqliteStore(tmp_path / "edge.db", AT)) as store:
        assert not store.unchecked
        assert CheckingPages(store).workers() == []


def test_every_table_of_a_large_file_is_looked_at_in_turn(large: Path) -> None:
    with closing(SqliteStore(large, AT)) as store:
        duty = CheckingPages(store)
        assert [worker.name for worker in duty.workers()] == ["pages"]
        tables = store.tables()
        assert {"orders", "outbox", "sessions", "ballast"} <= set(tables)
        pauses = [duty.step() for _ in range(len(tables) + 2)]
        assert pauses == [FIRST_S, *[PAUSE_S] * len(tables), EVERY_S]


def test_damage_found_while_running_ends_the_run_and_the_next_start_refuses(large: Path) -> None:
    page, told = spoil(large, "scans"), []
    with closing(SqliteStore(large, AT)) as store:
        store.when_damaged(lambda: told.append("damaged"))
        store.check_table("orders")
        assert told == []
        store.check_table("scans")
        assert told == ["damaged"]
        with pytest.raises(Corrupt, match="table scans"):
            store.read(lambda unit: unit.outbox.depth())
    with pytest.raises(Corrupt, match="restore the latest backup"):
        SqliteStore(large, AT)

    repair(large, "scans", page)
    with closing(SqliteStore(large, AT)) as store:
        assert not store.unchecked
    with closing(SqliteStore(large, AT)) as store:
        assert store.unchecked


def test_damage_that_a_query_meets_has_the_next_start_look_at_everything(large: Path) -> None:
    spoil(large, "scans")
    with closing(SqliteStore(large, AT)) as store:
        with pytest.raises(Corrupt, match="malformed"):
            store.read(lambda unit: unit.scans.get("one"))
        with pytest.raises(Corrupt, match="the service starts anew"):
            store.read(lambda unit: unit.outbox.depth())
    with pytest.raises(Corrupt, match="restore the latest backup"):
        SqliteStore(large, AT)


def test_a_start_that_meets_the_damage_itself_says_so(large: Path) -> None:
    spoil(large, "scans")
    with closing(SqliteStore(large, AT)) as store, pytest.raises(Corrupt, match="restore the latest backup"):
        store.newest_id()
