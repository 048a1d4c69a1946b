"""A counted number of places."""

from __future__ import annotations

import threading


class Slots:
    """At most `limit` holders at a time; callable from any thread."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken = 0
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Take a place; return False when there is none."""
        with self._lock:
            if self._taken >= self._limit:
                return False
            self._taken += 1
            return True

    def give(self) -> None:
        """Give a place back."""
        with self._lock:
            self._taken -= 1

    @property
    def taken(self) -> int:
        """How many places are taken."""
        with self._lock:
            return self._taken
