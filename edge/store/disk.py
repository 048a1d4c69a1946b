"""The disk under the store: how much is left, the reserve, and giving freed pages back."""

from __future__ import annotations

import os
from pathlib import Path

from edge.errors import Unavailable
from edge.services.ports import DiskSpace
from edge.store.sqlite_store import SqliteStore

#: Pages that one compaction gives back: 8 MiB, some tens of milliseconds of the writer's time.
COMPACT_PAGES = 2_048


class DataDisk:
    """Implements ports.Disk for the folder of a store's database."""

    def __init__(self, folder: Path, store: SqliteStore) -> None:
        self._folder = folder
        self._store = store

    def space(self) -> DiskSpace:
        """Return how much is left; raises Unavailable when the disk cannot be asked."""
        return space_of(self._folder, self._store.reusable_bytes())

    def has_reserve(self) -> bool:
        """Return whether the reserve is held."""
        return self._store.reserve.held

    def hold_reserve(self) -> bool:
        """Take the reserve's space, unless it is taken; return False when there is no room for it."""
        return self._store.reserve.take()

    def release_reserve(self) -> bool:
        """Give the reserve's space back at once, callable from any thread; return whether there was any."""
        held = self._store.reserve.held
        self._store.reserve.give_up()
        return held

    def compact(self) -> int:
        """Give some of the database's freed pages back to the disk; return how many bytes."""
        return self._store.compact(COMPACT_PAGES)


def space_of(folder: Path, reusable_bytes: int = 0) -> DiskSpace:
    """Return how much is left on a folder's disk; raises Unavailable when it cannot be asked."""
    try:
        found = os.statvfs(folder)
    except OSError as error:
        raise Unavailable(f"the disk of {folder} cannot be asked: {error.strerror}") from error
    return DiskSpace(found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize, reusable_bytes)
