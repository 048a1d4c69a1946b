"""Whether a request that HQ relays is served now: not too many, not too late, and none twice.

Pure: it keeps what it must remember and is told the time. One caller at a time, or a lock around it.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum


class Verdict(StrEnum):
    """What to do with a request.

    RUN: serve it. REPEAT: give the remembered answer. JOIN: it is being served, the answer will come.
    LATE: nobody waits for it any more. TOO_FAST, BUSY: refuse it for now.
    """

    RUN = "run"
    REPEAT = "repeat"
    JOIN = "join"
    LATE = "late"
    TOO_FAST = "too_fast"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class AdmissionLimits:
    """per_s, burst: requests by rate. open: served or waiting at once. remember_ms, remembered,
    remembered_bytes: answers kept for retries. longest_ms: how long a request may wait whatever it says.
    """

    per_s: int = 100
    burst: int = 300
    open: int = 100
    remember_ms: int = 60_000
    remembered: int = 256
    remembered_bytes: int = 4 * 1024 * 1024
    longest_ms: int = 30_000


@dataclass(slots=True)
class _Open:
    """A request that is served or waits: until when (boot-time ns), and where its answer goes."""

    until_ns: int
    topics: list[str] = field(default_factory=list)


#: Different places that may wait for the answer to one request.
_MAX_TOPICS = 4


class Admission:
    """Decides about requests, named by their correlation."""

    def __init__(self, limits: AdmissionLimits) -> None:
        self._limits = limits
        self._open: dict[bytes, _Open] = {}
        self._answers: OrderedDict[bytes, tuple[int, bytes]] = OrderedDict()
        self._bytes = 0
        self._tokens = float(limits.burst)
        self._counted_ns: int | None = None

    @property
    def waiting(self) -> int:
        """How many requests are served or wait for their turn."""
        return len(self._open)

    def admit(self, correlation: bytes, topic: str, expiry_s: int | None, now_ns: int) -> Verdict:
        """Decide about a request that came at `now_ns`, to be answered on `topic` within `expiry_s`."""
        if expiry_s is not None and expiry_s <= 0:
            return Verdict.LATE
        self._forget(now_ns)
        if correlation in self._answers:
            return Verdict.REPEAT
        if correlation in self._open:
            self._join(self._open[correlation], topic)
            return Verdict.JOIN
        if not self._take_token(now_ns):
            return Verdict.TOO_FAST
        if len(self._open) >= self._limits.open:
            return Verdict.BUSY
        longest_ms = self._limits.longest_ms
        wait_ms = longest_ms if expiry_s is None else min(expiry_s * 1000, longest_ms)
        self._open[correlation] = _Open(now_ns + wait_ms * 1_000_000, [topic])
        return Verdict.RUN

    def answer_of(self, correlation: bytes) -> bytes:
        """Return the remembered answer after REPEAT."""
        return self._answers[correlation][1]

    def still_wanted(self, correlation: bytes, now_ns: int) -> bool:
        """Whether somebody still waits for a request whose turn has come; one that is not is forgotten."""
        if now_ns < self._open[correlation].until_ns:
            return True
        del self._open[correlation]
        return False

    def finish(self, correlation: bytes, answer: bytes, keep: bool, now_ns: int) -> tuple[str, ...]:
        """Note the answer, remember it for retries if `keep`, and return where it is waited for."""
        topics = tuple(self._open.pop(correlation).topics)
        if keep:
            self._answers[correlation] = (now_ns + self._limits.remember_ms * 1_000_000, answer)
            self._bytes += len(answer)
            self._forget(now_ns)
        return topics

    @staticmethod
    def _join(running: _Open, topic: str) -> None:
        if topic not in running.topics and len(running.topics) < _MAX_TOPICS:
            running.topics.append(topic)

    def _take_token(self, now_ns: int) -> bool:
        limits = self._limits
        passed_ns = 0 if self._counted_ns is None else max(0, now_ns - self._counted_ns)
        self._counted_ns = now_ns
        self._tokens = min(float(limits.burst), self._tokens + passed_ns * limits.per_s / 1e9)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def _forget(self, now_ns: int) -> None:
        """Drop answers that are old, and the oldest while there are too many."""
        limits = self._limits
        while self._answers:
            until_ns, answer = next(iter(self._answers.values()))
            crowded = len(self._answers) > limits.remembered or self._bytes > limits.remembered_bytes
            if until_ns > now_ns and not crowded:
                return
            self._answers.popitem(last=False)
            self._bytes -= len(answer)
