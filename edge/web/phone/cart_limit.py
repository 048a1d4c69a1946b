"""How often phones may scan and send pictures: nobody tries codes out, and looking at pictures costs."""

from __future__ import annotations

import threading
from collections.abc import Callable

from edge.services.limit_rate import RateKeeper, RateLimit

#: Taps and pictures of one phone within a minute, and pictures of all phones together.
TAPS = RateLimit(90)
PICTURES = RateLimit(30)
ALL_PICTURES = RateLimit(300, keys=1)


class CartLimit:
    """Counts taps and pictures by session; usable from any thread. now_ns: boot time."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._taps, self._pictures = RateKeeper(TAPS), RateKeeper(PICTURES)
        self._all_pictures = RateKeeper(ALL_PICTURES)
        self._lock = threading.Lock()

    def tap(self, session_id: str) -> int:
        """Count a tap, or return after how many seconds one is allowed; 0 for a tap that was counted."""
        return self._count((self._taps, session_id))

    def picture(self, session_id: str) -> int:
        """Count a picture, or return after how many seconds one is allowed."""
        return self._count((self._pictures, session_id), (self._all_pictures, ""))

    def _count(self, *keepers: tuple[RateKeeper, str]) -> int:
        with self._lock:
            now_ns = self._now_ns()
            wait_ms = max(keeper.wait_ms(key, now_ns) for keeper, key in keepers)
            if wait_ms > 0:
                return -(-wait_ms // 1_000)
            for keeper, key in keepers:
                keeper.count(key, now_ns)
            return 0
