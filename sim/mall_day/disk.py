"""The day's committed state: a real database that survives its service, on a memory file system if any."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.services.ports import Store
from edge.store.sqlite_store import SqliteStore

#: A file system in memory: a day commits some hundred thousand times, and syncs are proved elsewhere.
_IN_MEMORY = Path("/dev/shm")


class DayDisk:
    """State in SQLite; what a power cut leaves is what was committed, as a starting service finds it."""

    def __init__(self, folder: Path) -> None:
        """A new database in `folder`."""
        self._folder = folder
        self._life = 0
        self._store = SqliteStore(self._path, 0)

    @property
    def _path(self) -> Path:
        return self._folder / f"life-{self._life}.db"

    def open(self) -> Store:
        """Return the store of the present life."""
        return self._store

    def cut(self) -> None:
        """Take away the power: the file and its log stay as they are, nobody closes them."""
        left = self._path
        self._life += 1
        for suffix in ("", "-wal"):
            shutil.copy(f"{left}{suffix}", f"{self._path}{suffix}")
        self._store.close()
        left.unlink()

    def start(self) -> None:
        """Open what is left by the code of a real start."""
        self._store = SqliteStore(self._path, 0)

    def close(self) -> None:
        """Close the files."""
        self._store.close()


@contextmanager
def folder_for_a_day() -> Iterator[Path]:
    """Make a folder and remove it afterwards."""
    parent = _IN_MEMORY if _IN_MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="mall-day-", dir=parent) as folder:
        yield Path(folder)
