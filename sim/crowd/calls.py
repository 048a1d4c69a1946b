"""HTTP calls that are counted and timed by name, and the crowd's dice."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import TypeVar, cast

import httpx

from sim.clocks import monotonic_s

T = TypeVar("T")
Json = Mapping[str, object]

#: Knuth's MMIX linear congruential generator; its high bits are good enough for a crowd.
_MULTIPLIER, _INCREMENT, _MODULUS = 6364136223846793005, 1442695040888963407, 1 << 64
_TIMEOUT_S = 30.0

#: How often a call is made again that the box or HQ asked to make again, and the longest pause before it.
TRIES = 6
_MOST_PAUSE_S = 5.0
_AGAIN = (429, 502, 503, 504)


class CallError(Exception):
    """A call that was refused, or had no answer; status 0 for none. word: the box's own name for it."""

    def __init__(self, name: str, status: int, word: str, said: str) -> None:
        super().__init__(f"{name}: {status} {word} {said}".strip())
        self.status, self.word = status, word


class Dice:
    """Chance from a seed: the same seed throws the same."""

    def __init__(self, *seeds: int) -> None:
        # Neighbouring seeds must not throw alike, as they would without the hash.
        self._state = int.from_bytes(hashlib.sha256(repr(seeds).encode()).digest()[:8])

    def below(self, limit: int) -> int:
        """Return a whole number from 0 up to, not including, `limit`."""
        self._state = (self._state * _MULTIPLIER + _INCREMENT) % _MODULUS
        return (self._state >> 33) % limit

    def one_of(self, things: Sequence[T]) -> T:
        """Return one of these."""
        return things[self.below(len(things))]

    def weighted(self, shares: Mapping[str, int]) -> str:
        """Return a name, each as often as its share."""
        at = self.below(sum(shares.values()))
        for name, share in shares.items():
            at -= share
            if at < 0:
                return name
        raise ValueError("no shares")


class Meter:
    """What all calls took and how they failed; safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.took_ms: defaultdict[str, list[float]] = defaultdict(list)
        self.failed: Counter[str] = Counter()

    def note(self, name: str, took_s: float, failure: str = "") -> None:
        """Count a call."""
        with self._lock:
            self.took_ms[name].append(took_s * 1000)
            if failure:
                self.failed[f"{name}: {failure}"] += 1

    def lines(self) -> list[str]:
        """Return a line for each name: how many, median and p95 in milliseconds."""
        with self._lock:
            rows = sorted((name, sorted(each)) for name, each in self.took_ms.items())
            every = sorted(value for _, each in rows for value in each)
        return [_line(name, each) for name, each in [*rows, ("all calls", every)] if each]


def _line(name: str, took_ms: Sequence[float]) -> str:
    last = len(took_ms) - 1
    at = {share: took_ms[round(last * share / 100)] for share in (50, 95)}
    return f"{name:<34}{len(took_ms):>7}   p50 {at[50]:7.1f} ms   p95 {at[95]:7.1f} ms"


class Calls:
    """A phone's or a machine's calls to one address; one of these for each thread of doings."""

    #: The longest pause before what is to be sent again, in seconds, whatever the answer asks for.
    most_pause_s = _MOST_PAUSE_S

    def __init__(self, base: str, meter: Meter, stop: threading.Event, language: str = "zh") -> None:
        self.base, self.token = base, ""
        self._meter, self._stop = meter, stop
        headers = {"Accept-Language": "en" if language == "en" else "zh-CN"}
        self._client = httpx.Client(timeout=_TIMEOUT_S, trust_env=False, headers=headers)

    def __enter__(self) -> Calls:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, name: str, path: str) -> Json:
        """Ask; raises CallError."""
        return self._ask(name, "GET", path, None)

    def post(self, name: str, path: str, body: Json | None = None) -> Json:
        """Send an object; raises CallError. What the box wants sent again is sent again."""
        return self._ask(name, "POST", path, body or {})

    def page(self, name: str, path: str) -> httpx.Response:
        """Get a page as a browser does, without following where it leads; raises CallError."""
        return self._timed(name, "GET", self.base + path, None)

    def form(self, name: str, path: str, fields: Mapping[str, str]) -> httpx.Response:
        """Send a form of one of the box's own pages; raises CallError."""
        return self._timed(name, "POST", self.base + path, fields)

    def _ask(self, name: str, method: str, path: str, body: Json | None) -> Json:
        for again in range(TRIES):
            answer = self._timed(name, method, self.base + path, body, as_json=True)
            if answer.status_code not in _AGAIN:
                break
            pause_s = min(self.most_pause_s, float(answer.headers.get("Retry-After", again)))
            if self._stop.wait(pause_s):
                break
        if answer.status_code >= 400:
            raise _refusal(name, answer)
        return cast(Json, answer.json()) if answer.content else {}

    def _timed(
        self, name: str, method: str, url: str, body: Json | None, as_json: bool = False
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {"Origin": self.base}
        begun_s, failure = monotonic_s(), ""
        try:
            answer = self._client.request(
                method,
                url,
                json=body if as_json and body is not None else None,
                data=None if as_json or body is None else dict(body),
                headers=headers,
            )
            failure = str(answer.status_code) if answer.status_code >= 400 else ""
        except httpx.HTTPError as error:
            failure = type(error).__name__
            raise CallError(name, 0, failure, str(error)) from error
        finally:
            self._meter.note(name, monotonic_s() - begun_s, failure)
        return answer


def _refusal(name: str, answer: httpx.Response) -> CallError:
    try:
        told = answer.json()
    except ValueError:
        told = {}
    if not isinstance(told, dict):
        told = {}
    return CallError(name, answer.status_code, str(told.get("error", "")), str(told.get("message", ""))[:200])
