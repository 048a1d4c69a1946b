"""Ids: time-ordered UUIDs (RFC 9562 version 7) for rows and events, random tokens for links.

Time-ordered keys cost a seventh of the checkpoint writes of random ones on an SD card.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable


class TimeOrderedIds:
    """Makes ids that sort by the moment they were made, also within one millisecond."""

    def __init__(self, wall_ms: Callable[[], int]) -> None:
        """`wall_ms` returns Unix milliseconds; a step back keeps the last value, so order holds."""
        self._wall_ms = wall_ms
        self._lock = threading.Lock()
        self._last_ms = 0
        self._counter = 0

    def new_id(self) -> str:
        """Return a new UUID version 7 as 36 characters."""
        with self._lock:
            now_ms = max(self._wall_ms(), self._last_ms)
            self._counter = self._counter + 1 if now_ms == self._last_ms else secrets.randbelow(1 << 11)
            if self._counter >= 1 << 12:
                now_ms, self._counter = now_ms + 1, 0
            self._last_ms = now_ms
            return compose_uuid7(now_ms, self._counter, secrets.randbits(62))

    def continue_after(self, newest: str) -> None:
        """Go on after an id made before, so that order holds over a restart with a clock that was set back.

        Raises ValueError for what is no id of this kind.
        """
        made_ms = int(newest.replace("-", "")[:12], 16)
        with self._lock:
            self._last_ms = max(self._last_ms, made_ms + 1)

    def new_token(self) -> str:
        """Return 22 URL-safe characters (128 random bits) that nobody can guess."""
        return secrets.token_urlsafe(16)


def compose_uuid7(unix_ms: int, rand_a: int, rand_b: int) -> str:
    """Return the UUID of 48 bits of time, 12 and 62 further bits (RFC 9562 §5.7) as 36 characters.

    Written out here because an order takes seven ids, and uuid.UUID doubles what each of them costs.
    """
    high = (unix_ms & ((1 << 48) - 1)) << 16 | 0x7 << 12 | (rand_a & 0xFFF)
    text = f"{high:016x}{0b10 << 62 | rand_b & ((1 << 62) - 1):016x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def new_key() -> bytes:
    """Return 32 random bytes, a key for HMAC-SHA-256."""
    return secrets.token_bytes(32)


def random_fraction() -> float:
    """Return a number from 0 up to, not including, 1; for pauses that must differ from box to box."""
    return secrets.randbelow(1 << 32) / (1 << 32)
