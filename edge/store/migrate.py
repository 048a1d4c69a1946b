"""Bring a database to the newest schema: numbered files, each applied once, each in one transaction."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from edge.errors import Corrupt

SCHEMA = Path(__file__).parent / "schema"
_NAME = re.compile(r"(\d{4})\.sql", re.ASCII)


@dataclass(frozen=True, slots=True)
class SchemaStep:
    """One schema file: its number, its SQL and the SQL's SHA-256."""

    number: int
    sql: str
    digest: str


def schema_steps(folder: Path = SCHEMA) -> tuple[SchemaStep, ...]:
    """Return the numbered steps in order; raise Corrupt unless they count 1, 2, 3 ..."""
    steps = []
    for path in sorted(folder.glob("*.sql")):
        match = _NAME.fullmatch(path.name)
        if match is None:
            raise Corrupt(f"{path.name} is no schema file; name it like 0007.sql")
        sql = path.read_text(encoding="utf-8")
        steps.append(SchemaStep(int(match[1]), sql, hashlib.sha256(sql.encode()).hexdigest()))
    if [step.number for step in steps] != list(range(1, len(steps) + 1)):
        raise Corrupt(f"schema files in {folder.name} have a gap or a double; the installation is damaged")
    return tuple(steps)


def migrate(connection: sqlite3.Connection, steps: tuple[SchemaStep, ...], at: int) -> int:
    """Apply the missing steps and return the schema number reached.

    A step that fails leaves the database at the step before. Raises Corrupt for a database that is
    newer than this program or whose applied steps were changed since.
    """
    connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_steps"
        " (number INTEGER PRIMARY KEY, digest TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT"
    )
    applied = dict(connection.execute("SELECT number, digest FROM schema_steps").fetchall())
    _check_applied(applied, {step.number: step.digest for step in steps})
    for step in steps:
        if step.number not in applied:
            _apply(connection, step, at)
    return len(steps)


def _check_applied(applied: dict[int, str], known: dict[int, str]) -> None:
    for number, digest in sorted(applied.items()):
        if number not in known:
            raise Corrupt(f"the database is at schema {number}, this program knows {len(known)}; update it")
        if known[number] != digest:
            raise Corrupt(f"schema file {number:04d}.sql was changed after it was applied; restore it")


def _apply(connection: sqlite3.Connection, step: SchemaStep, at: int) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in split_statements(step.sql):
            connection.execute(statement)
        connection.execute("INSERT INTO schema_steps VALUES (?, ?, ?)", (step.number, step.digest, at))
        connection.execute("COMMIT")
    except BaseException:
        # Whatever it was, half a schema must not stay; it is raised again. A full disk has rolled back by
        # itself, and a second ROLLBACK would hide the cause.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def split_statements(sql: str) -> list[str]:
    """Return the single statements of a script (sqlite3's executescript would commit by itself)."""
    statements, pending = [], ""
    for line in sql.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            statements.append(pending.strip())
            pending = ""
    if any(line.strip() and not line.strip().startswith("--") for line in pending.splitlines()):
        raise Corrupt(f"the last statement of a schema file is not complete: {pending.strip()[:60]!r}")
    return statements
