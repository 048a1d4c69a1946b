"""Room kept back on the disk, so that money on its way can still be written down when the disk is full."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import structlog

_log = structlog.get_logger("store")

#: The reserve is taken only where it leaves so many times its own size free.
LEAVES = 3


class Reserve:
    """One file of nothing, given up when the disk is full and taken again when there is room."""

    def __init__(self, path: Path, size: int) -> None:
        """Take `size` bytes at `path` if the disk has room for them; 0 takes none."""
        self._path = path
        self._wanted = size
        self._changing = threading.Lock()
        self._when_given_up: Callable[[], None] = lambda: None
        self.held = path.exists() or self._take(size)

    def when_given_up(self, act: Callable[[], None]) -> None:
        """Have `act` called whenever the reserve was given up; it must be quick."""
        self._when_given_up = act

    def take(self) -> bool:
        """Take the room again, unless it is held; return whether it is. Does nothing where none is wanted."""
        with self._changing:
            self.held = self.held or self._take(self._wanted)
            return self.held

    @property
    def given_up(self) -> bool:
        """Whether there should be a reserve and is none: a person must make room."""
        return self._wanted > 0 and not self.held

    def give_up(self) -> None:
        """Give the room to the database; twice is once, and whoever comes second waits until it is done."""
        with self._changing:
            if not self.held:
                return
            self._path.unlink(missing_ok=True)
            self.held = False
        _log.error("the disk is full; the reserve was given up: make room now", freed_bytes=self._wanted)
        self._when_given_up()

    def _take(self, size: int) -> bool:
        if not size or shutil.disk_usage(self._path.parent).free < (1 + LEAVES) * size:
            return False
        part = self._path.with_suffix(".part")
        try:
            # Whole or not at all: a torn one would pass for a reserve after a power cut.
            with part.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, size)
            part.replace(self._path)
        except OSError as error:
            part.unlink(missing_ok=True)
            _log.warning("no room was kept back on the disk", why=str(error))
            return False
        return True
