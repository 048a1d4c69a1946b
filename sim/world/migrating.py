"""A new version of the service starts over the state of an old one, and dies on the way to its schema.

What the old version left is what the present one wrote, brought into a database of an older schema: the same
rows, without the tables and columns that came later. Then each step that is missing dies twice: half done,
and done but not reported; and the service starts once more.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from edge.services.ports import Store
from edge.store.migrate import SchemaStep, migrate, schema_steps, split_statements
from edge.store.sqlite_store import SqliteStore
from sim.on_disk import OnDisk

#: Tables that are not the rows of a version but its own, and those that triggers and searches keep.
_OWN = frozenset({"schema_steps", "sqlite_sequence"})


class Migrating(OnDisk):
    """State in SQLite whose first crash is the end of the old version. deaths: on the way to its schema."""

    def __init__(self, folder: Path, before: int) -> None:
        """before: the schema of the old version."""
        super().__init__(folder)
        self._before = before
        self._folder_of_deaths = folder
        self.deaths = 0
        self.migrated = False

    def crash(self) -> None:
        """Lose what was not committed; the first time, start the new version over what the old one left."""
        super().crash()
        if self.migrated:
            return
        self.migrated = True
        path = self.path
        self._store.close()
        old = self._folder_of_deaths / "old.db"
        downgrade(path, old, self._before)
        for suffix in ("", "-wal", "-shm"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        shutil.copy(old, path)
        for step in schema_steps()[self._before :]:
            self._die(path, step)
            self._die(path, step, done=True)
        self._store = SqliteStore(path, 0)

    def open(self) -> Store:
        """Return the store as a starting service finds it."""
        return self._store

    def _die(self, path: Path, step: SchemaStep, *, done: bool = False) -> None:
        """Take a step, whole or half, and leave the files as they are at that moment."""
        left = self._folder_of_deaths / "left.db"
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.execute("PRAGMA journal_mode = wal")
            if done:
                migrate(db, schema_steps()[: step.number], 0)
            else:
                statements = split_statements(step.sql)
                db.execute("BEGIN IMMEDIATE")
                for statement in statements[: (len(statements) + 1) // 2]:
                    db.execute(statement)
            self.deaths += 1
            for suffix in ("", "-wal"):
                shutil.copy(f"{path}{suffix}", f"{left}{suffix}")
        for suffix in ("", "-wal", "-shm"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        for suffix in ("", "-wal"):
            shutil.move(f"{left}{suffix}", f"{path}{suffix}")


def downgrade(new: Path, old: Path, before: int) -> None:
    """Make a database of an older schema with the rows of a newer one, as far as the older has a place."""
    with closing(sqlite3.connect(old, isolation_level=None)) as db:
        migrate(db, schema_steps()[:before], 0)
        db.execute("PRAGMA foreign_keys = off")
        db.execute("ATTACH ? AS newer", (str(new),))
        for table in _tables(db, "main"):
            if table not in set(_tables(db, "newer")):
                continue
            columns = [one for one in _columns(db, "main", table) if one in _columns(db, "newer", table)]
            names = ", ".join(f'"{one}"' for one in columns)
            db.execute(f'DELETE FROM main."{table}"')
            db.execute(f'INSERT INTO main."{table}" ({names}) SELECT {names} FROM newer."{table}"')
        db.execute("DETACH newer")


def _tables(db: sqlite3.Connection, schema: str) -> Iterator[str]:
    rows = db.execute(f"SELECT name FROM {schema}.sqlite_master WHERE type = 'table'").fetchall()
    return (name for (name,) in rows if name not in _OWN and not name.startswith("sqlite_"))


def _columns(db: sqlite3.Connection, schema: str, table: str) -> list[str]:
    return [row[1] for row in db.execute(f'PRAGMA {schema}.table_info("{table}")')]
