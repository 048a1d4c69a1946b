"""Who of the staff is signed in, in memory: a restart signs everybody out."""

from __future__ import annotations

import threading
from collections.abc import Callable

#: More browsers than a shop has; the one idle longest is signed out for the next.
MAX_SESSIONS = 32


class StaffSessions:
    """Sessions that end when they are not used for `idle_s` seconds; callable from any thread."""

    def __init__(self, idle_s: int, seconds: Callable[[], float], new_token: Callable[[], str]) -> None:
        """`seconds` is a counter that only grows; `new_token` returns text that nobody can guess."""
        self._idle_s = idle_s
        self._seconds = seconds
        self._new_token = new_token
        self._lock = threading.Lock()
        self._sessions: dict[str, tuple[str, float]] = {}

    def open(self, name: str) -> str:
        """Return the token of a new session of this person."""
        token = self._new_token()
        with self._lock:
            self._drop_idle()
            if len(self._sessions) >= MAX_SESSIONS:
                del self._sessions[next(iter(self._sessions))]
            self._sessions[token] = (name, self._seconds())
        return token

    def find(self, token: str, *, used: bool = True) -> str | None:
        """Return whose session it is, None when there is none (any more); `used` keeps it alive."""
        with self._lock:
            self._drop_idle()
            found = self._sessions.get(token)
            if found is None or not used:
                return found[0] if found else None
            del self._sessions[token]
            # Put back at the end, so that the first one is always the one idle longest.
            self._sessions[token] = (found[0], self._seconds())
            return found[0]

    def close(self, token: str) -> None:
        """End the session; nothing happens when there is none."""
        with self._lock:
            self._sessions.pop(token, None)

    def _drop_idle(self) -> None:
        now = self._seconds()
        idle = [token for token, (_, used) in self._sessions.items() if now - used > self._idle_s]
        for token in idle:
            del self._sessions[token]
