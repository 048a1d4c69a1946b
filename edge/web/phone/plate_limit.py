"""How often drivers' phones may look a plate up: nobody follows a car, or tries plates, by this page."""

from __future__ import annotations

import threading
from collections.abc import Callable

from edge.services.limit_rate import RateKeeper, RateLimit

#: Look-ups within a minute: of one phone, of one plate by whoever, of one address as HQ's relay tells it
#: (which may be all phones on one Wi-Fi), and of all phones behind a relay that tells none.
OF_CLIENT = RateLimit(6)
OF_CALLER = RateLimit(30)
OF_PLATE = RateLimit(12)
OF_RELAY = RateLimit(60)

#: Who calls through HQ's relay (edge.hq.requests).
RELAY = "0.0.0.0"

#: How a client's name begins that HQ's relay told.
CALLED = "hq:"


class PlateLimit:
    """Counts look-ups by client and by plate; usable from any thread. now_ns: boot time."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._clients, self._relay = RateKeeper(OF_CLIENT), RateKeeper(OF_RELAY)
        self._callers = RateKeeper(OF_CALLER)
        self._plates = RateKeeper(OF_PLATE)
        self._lock = threading.Lock()

    def wait_s(self, client: str, plate: str) -> int:
        """Return after how many seconds a look-up is allowed, 0 for now."""
        with self._lock:
            now_ns = self._now_ns()
            of_client = self._of(client).wait_ms(client, now_ns)
            return -(-max(of_client, self._plates.wait_ms(plate, now_ns)) // 1_000)

    def count(self, client: str, plate: str) -> None:
        """Count a look-up."""
        with self._lock:
            now_ns = self._now_ns()
            self._of(client).count(client, now_ns)
            self._plates.count(plate, now_ns)

    def _of(self, client: str) -> RateKeeper:
        if client.startswith(CALLED):
            return self._callers
        return self._relay if client == RELAY else self._clients
