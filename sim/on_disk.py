"""Committed state of a deterministic world in a real database."""

from __future__ import annotations

import shutil
from pathlib import Path

from edge.services.ports import Store
from edge.store.sqlite_store import SqliteStore


class OnDisk:
    """State in SQLite; a crash leaves the files as they are at that moment, without a clean close."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lives = 0
        self._store = SqliteStore(self.path, 0)

    @property
    def path(self) -> Path:
        """The database of the present life."""
        return self._folder / f"life-{self._lives}.db"

    @property
    def store(self) -> SqliteStore:
        """The store of the present life."""
        return self._store

    def open(self) -> Store:
        """Return the store as a starting service finds it."""
        return self._store

    def crash(self) -> None:
        """Lose everything that was not committed."""
        left = self.path
        self._lives += 1
        for suffix in ("", "-wal"):
            shutil.copy(f"{left}{suffix}", f"{self.path}{suffix}")
        self._store.close()
        self._store = SqliteStore(self.path, 0)

    def close(self) -> None:
        """Close the files."""
        self._store.close()
