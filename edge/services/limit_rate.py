"""Allow something so often within a sliding window, for each of many keys. Pure but for its memory.

One caller at a time, or a lock around it.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RateLimit:
    """most: times within `window_ms`. keys: that are remembered; the one unheard of longest is forgotten."""

    most: int
    window_ms: int = 60_000
    keys: int = 2_000


class RateKeeper:
    """Counts by key."""

    def __init__(self, limit: RateLimit) -> None:
        self._limit = limit
        self._times: OrderedDict[str, deque[int]] = OrderedDict()

    def wait_ms(self, key: str, now_ns: int) -> int:
        """Return after how long the key may go on, 0 for now. now_ns: boot time."""
        times = self._recent(key, now_ns)
        if len(times) < self._limit.most:
            return 0
        return self._limit.window_ms - (now_ns - times[0]) // 1_000_000

    def count(self, key: str, now_ns: int) -> None:
        """Count one time of the key."""
        times = self._recent(key, now_ns)
        times.append(now_ns)
        while len(times) > self._limit.most:
            times.popleft()
        self._times[key] = times
        self._times.move_to_end(key)
        while len(self._times) > self._limit.keys:
            self._times.popitem(last=False)

    def _recent(self, key: str, now_ns: int) -> deque[int]:
        times = self._times.get(key, deque())
        while times and now_ns - times[0] >= self._limit.window_ms * 1_000_000:
            times.popleft()
        return times
