"""Faults that the simulated gateway commits: on request, call by call, or by rate from a seed."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

_MAX_PLANNED = 1000
_MAX_DELAY_MS = 120_000

#: The name under which faults of callbacks are planned.
NOTIFY = "notify"


class Fault(StrEnum):
    """What goes wrong. BEFORE: the call has no effect. AFTER: it has its effect, e.g. money is taken.

    DELAY_BEFORE: the effect comes late, perhaps after the caller has given up. DUPLICATE: the network
    delivers the request twice, the second answer comes back. FORGED_REFUSAL: processed, then answered by
    somebody else, unsigned, with AUTH_CODE_INVALID. CUT: half of the answer. WRONG_AMOUNT: amount.total is
    one fen too high. WRONG_ORDER: the answer is about another order.

    Of callbacks alone: LATE (by delay_ms), NEVER, OUT_OF_ORDER (after the one that comes next), PROBE (a
    SIGNTEST first), WRONG_KEY (nobody can decrypt it).
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
    LATE = "late"
    NEVER = "never"
    OUT_OF_ORDER = "out_of_order"
    PROBE = "probe"
    WRONG_KEY = "wrong_key"


_NOTICES_ALONE = (Fault.LATE, Fault.NEVER, Fault.OUT_OF_ORDER, Fault.PROBE, Fault.WRONG_KEY)

#: What can go wrong with an answer, and with a callback.
CALL_FAULTS: tuple[Fault, ...] = tuple(fault for fault in Fault if fault not in _NOTICES_ALONE)
NOTIFY_FAULTS: tuple[Fault, ...] = (
    *_NOTICES_ALONE,
    Fault.DUPLICATE,
    Fault.BAD_SIGNATURE,
    Fault.NO_SIGNATURE,
    Fault.STALE_SIGNATURE,
    Fault.UNKNOWN_SERIAL,
)


@dataclass(frozen=True, slots=True)
class Planned:
    """One fault waiting for its call. delay_ms: for the delays only. order_no: of that order only."""

    call: str
    fault: Fault
    delay_ms: int = 0
    order_no: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.delay_ms <= _MAX_DELAY_MS:
            raise ValueError(f"delay_ms must be 0 to {_MAX_DELAY_MS}, got {self.delay_ms}")
        if self.fault not in (NOTIFY_FAULTS if self.call == NOTIFY else CALL_FAULTS):
            raise ValueError(f"{self.fault} cannot happen to {self.call}")


@dataclass(frozen=True, slots=True)
class Rate:
    """Faults by chance: of each thousand calls, per_mille fail, by a kind drawn from `faults`.

    The n-th call of a name meets the same fate with the same seed. calls: which; all but the callbacks when
    empty. delay_ms: the longest delay.
    """

    seed: int
    per_mille: int
    calls: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = CALL_FAULTS
    delay_ms: int = 200

    def __post_init__(self) -> None:
        if not 0 <= self.per_mille <= 1000:
            raise ValueError(f"per_mille must be 0 to 1000, got {self.per_mille}")
        if not 0 <= self.delay_ms <= _MAX_DELAY_MS:
            raise ValueError(f"delay_ms must be 0 to {_MAX_DELAY_MS}, got {self.delay_ms}")
        if not self.faults:
            raise ValueError("faults must name one kind at least")

    def draw(self, call: str, turn: int) -> Planned | None:
        """Return what happens to the turn-th call of that name."""
        told = self.calls or (call,)
        if call not in told or (call == NOTIFY and not self.calls):
            return None
        drawn = hashlib.sha256(f"{self.seed}/{call}/{turn}".encode()).digest()
        if int.from_bytes(drawn[:4], "big") % 1000 >= self.per_mille:
            return None
        possible = [fault for fault in self.faults if (fault in NOTIFY_FAULTS) or call != NOTIFY]
        possible = [fault for fault in possible if (fault in CALL_FAULTS) or call == NOTIFY]
        if not possible:
            return None
        fault = possible[int.from_bytes(drawn[4:8], "big") % len(possible)]
        return Planned(call, fault, int.from_bytes(drawn[8:12], "big") % (self.delay_ms + 1))


class FaultPlan:
    """Faults in the order in which they will happen; safe for use by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._planned: deque[Planned] = deque()
        self._rates: list[Rate] = []
        self._turns: Counter[str] = Counter()
        self._done: Counter[str] = Counter()

    def add(self, call: str, fault: Fault, times: int = 1, delay_ms: int = 0, order_no: str = "") -> None:
        """Have the next `times` calls of that name fail so; raise ValueError beyond the limits."""
        planned = Planned(call, fault, delay_ms, order_no)
        with self._lock:
            if times < 1 or len(self._planned) + times > _MAX_PLANNED:
                raise ValueError(f"times must be 1 or more, and {_MAX_PLANNED} faults at most can be waiting")
            self._planned.extend([planned] * times)

    def set_rates(self, *rates: Rate) -> None:
        """Have faults happen by chance from now on, beside the planned ones; none ends it."""
        with self._lock:
            self._rates = list(rates)
            self._turns.clear()

    def take(self, call: str, order_no: str = "") -> Planned | None:
        """Return and remove the first fault that waits for that call, or draw one, or return None."""
        with self._lock:
            found = self._next(call, order_no)
            if found is not None:
                self._done[f"{call}/{found.fault}"] += 1
            return found

    def waiting(self) -> tuple[Planned, ...]:
        """Return the faults that have not happened yet."""
        with self._lock:
            return tuple(self._planned)

    def rates(self) -> tuple[Rate, ...]:
        """Return the chances in force."""
        with self._lock:
            return tuple(self._rates)

    def done(self) -> Mapping[str, int]:
        """Return how often each fault has happened, by "call/fault"."""
        with self._lock:
            return dict(self._done)

    def clear(self) -> None:
        """Forget all faults that have not happened yet, and all chances."""
        with self._lock:
            self._planned.clear()
            self._rates.clear()

    def _next(self, call: str, order_no: str) -> Planned | None:
        for index, planned in enumerate(self._planned):
            if planned.call == call and planned.order_no in ("", order_no):
                del self._planned[index]
                return planned
        self._turns[call] += 1
        for rate in self._rates:
            drawn = rate.draw(call, self._turns[call])
            if drawn is not None:
                return drawn
        return None
