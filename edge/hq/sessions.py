"""The numbers of this box's sessions with the broker: each is larger than all before it.

A will is written at CONNECT and published by the broker perhaps long after; its number tells HQ which
session it ends. The wall clock alone may step back over a restart, so that the last number is kept.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from edge.hq.codec import MAX_SESSION

_log = logging.getLogger(__name__)


class SessionNumbers:
    """Hands out session numbers; path None keeps them in memory alone, for tests. One thread.

    previous: the number before the last one handed out, 0 if not known.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._last = _read(path) if path is not None else 0
        self.previous = 0

    def next(self, wall_at: int, above: int = 0) -> int:
        """Return a number above `above` and all before, the wall clock (Unix ms) where that is larger.

        It is on disk before it is returned; where it cannot be (a full disk), it is logged and used.
        """
        self.previous = max(self._last, above)
        self._last = min(max(self.previous + 1, wall_at), MAX_SESSION)
        if self._path is not None:
            try:
                _write(self._path, self._last)
            except OSError as error:
                _log.warning("the session number cannot be kept in %s: %s", self._path, error)
        return self._last


def _read(path: Path) -> int:
    try:
        number = int(path.read_text(encoding="ascii")[:20])
    except (OSError, ValueError):
        # The first start, or a torn file: the wall clock, and what the broker retains, put it right.
        return 0
    return number if 0 <= number < MAX_SESSION else 0


def _write(path: Path, number: int) -> None:
    beside = path.with_suffix(".new")
    with beside.open("w", encoding="ascii") as file:
        file.write(f"{number}\n")
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
