"""Faults that the simulated gateway commits on request, one call at a time."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from enum import StrEnum

_MAX_PLANNED = 1000
_MAX_DELAY_MS = 120_000


class Fault(StrEnum):
    """What goes wrong. BEFORE: the call has no effect. AFTER: it has its effect, e.g. money is taken.

    DELAY_BEFORE: the effect comes late, perhaps after the caller has given up. DUPLICATE: the network
    delivers the request twice, the second answer comes back. FORGED_REFUSAL: processed, then answered by
    somebody else, unsigned, with AUTH_CODE_INVALID. CUT: half of the answer. WRONG_AMOUNT: amount.total is
    one fen too high. WRONG_ORDER: the answer is about another order.
    """

    DROP_BEFORE = "drop_before"
    DROP_AFTER = "drop_after"
    DELAY_BEFORE = "delay_before"
    DELAY_AFTER = "delay_after"
    SYSTEM_ERROR_BEFORE = "system_error_before"
    SYSTEM_ERROR_AFTER = "system_error_after"
    RATE_LIMIT = "rate_limit"
    BAD_SIGNATURE = "bad_signature"
    NO_SIGNATURE = "no_signature"
    STALE_SIGNATURE = "stale_signature"
    UNKNOWN_SERIAL = "unknown_serial"
    FORGED_REFUSAL = "forged_refusal"
    BROKEN_JSON = "broken_json"
    CUT = "cut"
    HUGE = "huge"
    WRONG_AMOUNT = "wrong_amount"
    WRONG_ORDER = "wrong_order"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class Planned:
    """One fault waiting for its call. delay_ms: for the delays only."""

    call: str
    fault: Fault
    delay_ms: int = 0


class FaultPlan:
    """Faults in the order in which they will happen; safe for use by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._planned: deque[Planned] = deque()

    def add(self, call: str, fault: Fault, times: int = 1, delay_ms: int = 0) -> None:
        """Have the next `times` calls of that name fail so; raise ValueError beyond the limits."""
        if not 0 <= delay_ms <= _MAX_DELAY_MS:
            raise ValueError(f"delay_ms must be 0 to {_MAX_DELAY_MS}, got {delay_ms}")
        with self._lock:
            if times < 1 or len(self._planned) + times > _MAX_PLANNED:
                raise ValueError(f"times must be 1 or more, and {_MAX_PLANNED} faults at most can be waiting")
            self._planned.extend([Planned(call, fault, delay_ms)] * times)

    def take(self, call: str) -> Planned | None:
        """Return and remove the first fault that waits for that call, or None."""
        with self._lock:
            for index, planned in enumerate(self._planned):
                if planned.call == call:
                    del self._planned[index]
                    return planned
        return None

    def waiting(self) -> tuple[Planned, ...]:
        """Return the faults that have not happened yet."""
        with self._lock:
            return tuple(self._planned)

    def clear(self) -> None:
        """Forget all faults that have not happened yet."""
        with self._lock:
            self._planned.clear()
