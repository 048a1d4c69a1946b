"""Schema steps: each once, in order, whole, and never one that was changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.errors import Corrupt
from edge.store.migrate import SchemaStep, migrate, schema_steps, split_statements


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    made = sqlite3.connect(":memory:", isolation_level=None)
    yield made
    made.close()


def step(number: int, sql: str) -> SchemaStep:
    return SchemaStep(number, sql, f"digest of {sql}")


def tables(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    return [row[0] for row in rows if row[0] != "schema_steps"]


ONE, TWO = step(1, "CREATE TABLE one (a);"), step(2, "CREATE TABLE two (a);\nINSERT INTO two VALUES (';');")


def test_steps_are_applied_once_and_dated(connection: sqlite3.Connection) -> None:
    assert migrate(connection, (ONE,), 100) == 1
    assert migrate(connection, (ONE, TWO), 200) == 2
    assert migrate(connection, (ONE, TWO), 300) == 2
    assert tables(connection) == ["one", "two"]
    assert connection.execute("SELECT number, applied_at FROM schema_steps").fetchall() == [
        (1, 100),
        (2, 200),
    ]
    assert connection.execute("SELECT a FROM two").fetchall() == [(";",)]


def test_a_step_that_fails_leaves_nothing_of_itself(connection: sqlite3.Connection) -> None:
    broken = step(2, "CREATE TABLE two (a);\nINSERT INTO nowhere VALUES (1);")
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        migrate(connection, (ONE, broken), 100)
    assert tables(connection) == ["one"]
    assert migrate(connection, (ONE, TWO), 200) == 2


def test_a_newer_database_is_left_alone(connection: sqlite3.Connection) -> None:
    migrate(connection, (ONE, TWO), 100)
    with pytest.raises(Corrupt, match="at schema 2, this program knows 1; update it"):
        migrate(connection, (ONE,), 200)


def test_a_step_that_was_changed_after_it_was_applied_is_named(connection: sqlite3.Connection) -> None:
    migrate(connection, (ONE,), 100)
    with pytest.raises(Corrupt, match=r"0001\.sql was changed"):
        migrate(connection, (step(1, "CREATE TABLE other (a);"), TWO), 200)
    assert tables(connection) == ["one"]


def test_a_trigger_with_semicolons_inside_is_one_statement() -> None:
    trigger = "CREATE TRIGGER x BEFORE UPDATE ON t\nBEGIN SELECT 1; SELECT 2; END;\n"
    found = split_statements(f"CREATE TABLE t (a);\n{trigger}-- the end; really\n")
    assert [one.split()[1] for one in found] == ["TABLE", "TRIGGER"]


def test_a_statement_without_its_end_is_refused() -> None:
    with pytest.raises(Corrupt, match="not complete"):
        split_statements("CREATE TABLE t (a);\nCREATE TABLE u (a)")


@pytest.mark.parametrize(
    "names", [["0001.sql", "0003.sql"], ["0002.sql"], ["1.sql"], ["0001.sql", "draft.sql"]]
)
def test_a_folder_with_a_gap_or_an_odd_file_is_refused(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).write_text("CREATE TABLE t (a);")
    with pytest.raises(Corrupt):
        schema_steps(tmp_path)


def test_the_shipped_steps_build_the_tables_and_are_told_apart(connection: sqlite3.Connection) -> None:
    steps = schema_steps()
    assert migrate(connection, steps, 1) == len(steps)
    assert {"orders", "attempts", "outbox", "entries"} <= set(tables(connection))
    assert len({one.digest for one in steps}) == len(steps)
