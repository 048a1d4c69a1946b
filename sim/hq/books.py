"""HQ's books, whatever database keeps them: every event applied once, its effect and its id in one
transaction. `settled` of a box is the sequence up to which nothing is missing; what a box can no longer
send (`oldest`) and HQ never saw counts as lost and is settled too.

A subclass gives the statements of its database. Each step takes its rows sorted by key, so that workers
on one database take locks in one order and cannot wait for each other in a circle.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from sim.clocks import monotonic_s
from sim.hq.behaviour import Behaviour
from sim.hq.reading import (
    MAX_HOLES,
    UNTRUSTED_MS,
    Arrival,
    Box,
    Outcome,
    Reading,
    Word,
    aside,
    read,
    settled_of,
    word_of,
)

Key = tuple[str, str]

#: CloudEvents: source and id together name an event. Site, edge, id.
EventKey = tuple[str, str, str]
Row = tuple[Arrival, Reading]


@dataclass(slots=True)
class Totals:
    """What a batch adds. sales, tenders: (site, what) to [how many, fen]. kinds: (site, kind) to how many."""

    sales: dict[Key, list[int]] = field(default_factory=dict)
    tenders: dict[Key, list[int]] = field(default_factory=dict)
    kinds: Counter[Key] = field(default_factory=Counter)

    def add(self, site: str, reading: Reading) -> None:
        """Add one event."""
        self.kinds[(site, reading.kind)] += 1
        for books, rows in ((self.sales, reading.shares), (self.tenders, reading.tenders)):
            for what, fen in rows:
                row = books.setdefault((site, what), [0, 0])
                row[0] += 1
                row[1] += fen


@dataclass(frozen=True, slots=True)
class Tally:
    """What one worker has counted since its start."""

    received: int = 0
    rejected: int = 0
    acks: int = 0
    forgotten: int = 0
    failures: int = 0


@dataclass(slots=True)
class Heard:
    """What was heard of one box since its last ack. time: of its newest event, as text that sorts.
    oldest, newest: the oldest sequence that the box still has, and the latest that it has written.
    late_ms: UNTRUSTED_MS when it cannot be told.
    """

    time: str = ""
    oldest: int = 0
    late_ms: int = 0
    worst_ms: int = 0
    newest: int = 0


class Books(ABC):
    """One set of books; safe from any thread of this process. patience_s: a gap is told to the box as holes
    only after so long, since what is missing may be on its way through another worker.
    """

    patience_s = 0.0

    def __init__(self) -> None:
        #: Boxes with a gap: what was settled below it, and since when.
        self._gaps: dict[Box, tuple[int, float]] = {}
        self._lock = threading.Lock()
        self._heard: dict[Box, Heard] = {}

    def apply(self, arrivals: Sequence[Arrival], refusal: str = "") -> list[Outcome]:
        """Apply a batch in one transaction; each event takes effect at most once. With a `refusal` none does.

        What the database refuses is found by applying one by one, and put aside with its reason. Raises
        the database's OperationalError when nothing could be applied; then all of it may come again.
        """
        readings = [aside(arrival, refusal) if refusal else read(arrival) for arrival in arrivals]
        with self._lock:
            try:
                outcomes = self._apply(arrivals, readings)
            except self.refusals():
                outcomes = [self._apply_alone(*pair) for pair in zip(arrivals, readings, strict=True)]
            self._hear(arrivals, readings)
        return outcomes

    def words(self, boxes: Iterable[Box]) -> dict[Box, Word]:
        """Return what can be acknowledged to each box, from committed rows alone."""
        with self._lock:
            heard = {box: self._heard.pop(box, Heard()) for box in sorted(set(boxes))}
            self._meet(heard)
            with self.transaction():
                return self._words(heard)

    def word(self, site: str, edge: str) -> Word:
        """Return what can be acknowledged to one box."""
        return self.words([(site, edge)])[(site, edge)]

    @abstractmethod
    def presence(self, site: str, edge: str, state: str, session: int) -> bool:
        """Note a box's presence; return whether that was news.

        The end of a session other than the last one begun is old news.
        """

    @abstractmethod
    def behaviour(self) -> Behaviour:
        """Return how HQ is told to misbehave."""

    @abstractmethod
    def behave(self, wanted: Behaviour) -> None:
        """Switch how HQ misbehaves, for every worker on these books."""

    @abstractmethod
    def note_worker(self, name: str, tally: Tally, connected: bool, at: int) -> None:
        """Say how a worker fares; at: Unix milliseconds."""

    @abstractmethod
    def rows(self, statement: str, *values: object) -> list[dict[str, object]]:
        """Return the rows of a query with `?` for values, for the page and for tests."""

    @abstractmethod
    def close(self) -> None:
        """Close the database."""

    # What a database brings.

    @abstractmethod
    def refusals(self) -> tuple[type[Exception], ...]:
        """The errors that say that a row itself is at fault."""

    @abstractmethod
    def transaction(self) -> AbstractContextManager[object]:
        """A transaction that commits durably at its end, or leaves nothing."""

    @abstractmethod
    def _meet(self, boxes: Iterable[Box]) -> None:
        """Make sure that each box has a row, in a transaction of its own."""

    @abstractmethod
    def _forgo(self, floors: Mapping[Box, int]) -> None:
        """Give up what each box can no longer send, up to its floor: an earlier HQ had acknowledged it."""

    @abstractmethod
    def _store(self, rows: Sequence[Row]) -> set[EventKey]:
        """Store events, sorted by key; return the keys that were new."""

    @abstractmethod
    def _misplaced(self, rows: Sequence[Row]) -> list[tuple[str, str, bool]]:
        """Return site, edge and whether its sequence was taken, of each new event that came where nothing
        was missing: another event has its sequence, or the box had given it up as lost.
        """

    @abstractmethod
    def _count(self, column: str, counts: Mapping[Box, int]) -> None:
        """Add to a counter of each box."""

    @abstractmethod
    def _add(self, totals: Totals) -> None:
        """Add to sales, tenders and kinds."""

    @abstractmethod
    def _dead_letters(self, rows: Sequence[tuple[Arrival, str]]) -> None:
        """Keep what could not be applied, with the reason."""

    def _word(self, box: Box, settled: int, above: Sequence[int], refused: Sequence[tuple[int, str]]) -> Word:
        """Return the word for a box; a gap becomes holes once it has lasted."""
        reached = settled_of(settled, above)
        if not above or above[-1] <= reached:
            self._gaps.pop(box, None)
            return word_of(settled, above, refused)
        known, since_s = self._gaps.get(box, (-1, 0.0))
        if known != reached:
            since_s = monotonic_s()
            self._gaps[box] = (reached, since_s)
        lasted = monotonic_s() - since_s >= self.patience_s
        return word_of(settled, above, refused, MAX_HOLES if lasted else 0)

    @abstractmethod
    def _words(self, heard: Mapping[Box, Heard]) -> dict[Box, Word]:
        """Settle each box, note what was heard of it, and return its word."""

    def _apply_alone(self, arrival: Arrival, reading: Reading) -> Outcome:
        try:
            return self._apply([arrival], [reading])[0]
        except self.refusals() as error:
            return self._apply([arrival], [aside(arrival, f"{reading.kind}: {error}")])[0]

    def _apply(self, arrivals: Sequence[Arrival], readings: Sequence[Reading]) -> list[Outcome]:
        floors = _floors(arrivals)
        self._meet(sorted(floors))
        with self.transaction():
            self._forgo(floors)
            keys = [(*a.box, r.event_id) for a, r in zip(arrivals, readings, strict=True)]
            rows = dict[EventKey, Row]()
            for key, arrival, reading in zip(keys, arrivals, readings, strict=True):
                if reading.event_id:
                    rows.setdefault(key, (arrival, reading))
            fresh = self._store([rows[key] for key in sorted(rows)])
            outcomes = _outcomes(keys, readings, fresh)
            self._take_effect([rows[key] for key in sorted(fresh)])
            self._put_aside(arrivals, readings, outcomes)
            self._count_repeats(arrivals, outcomes)
        return outcomes

    def _take_effect(self, fresh: Sequence[Row]) -> None:
        totals = Totals()
        for arrival, reading in fresh:
            if not reading.complaint:
                totals.add(arrival.site, reading)
        misplaced = self._misplaced(fresh)
        self._count("conflicts", Counter((site, edge) for site, edge, taken in misplaced if taken))
        self._count("found", Counter((site, edge) for site, edge, taken in misplaced if not taken))
        self._add(totals)

    def _put_aside(
        self, arrivals: Sequence[Arrival], readings: Sequence[Reading], outcomes: Sequence[Outcome]
    ) -> None:
        wrong = {Outcome.PUT_ASIDE, Outcome.UNREADABLE}
        rows = [
            (arrival, reading.complaint)
            for arrival, reading, outcome in zip(arrivals, readings, outcomes, strict=True)
            if outcome in wrong
        ]
        if rows:
            self._dead_letters(rows)

    def _count_repeats(self, arrivals: Sequence[Arrival], outcomes: Sequence[Outcome]) -> None:
        pairs = zip(arrivals, outcomes, strict=True)
        self._count(
            "repeats", Counter(arrival.box for arrival, outcome in pairs if outcome is Outcome.REPEAT)
        )

    def _hear(self, arrivals: Sequence[Arrival], readings: Sequence[Reading]) -> None:
        for arrival, reading in zip(arrivals, readings, strict=True):
            heard = self._heard.setdefault(arrival.box, Heard())
            heard.time = max(heard.time, reading.time)
            heard.oldest = max(heard.oldest, arrival.oldest)
            heard.newest = max(heard.newest, arrival.newest, arrival.sequence)
            if reading.time and reading.late_ms is None:
                heard.late_ms = UNTRUSTED_MS
            if reading.late_ms is not None:
                heard.late_ms = reading.late_ms
                heard.worst_ms = max(heard.worst_ms, reading.late_ms)


def _floors(arrivals: Sequence[Arrival]) -> dict[Box, int]:
    floors: dict[Box, int] = {}
    for arrival in arrivals:
        floors[arrival.box] = max(floors.get(arrival.box, 0), arrival.oldest - 1)
    return floors


def _outcomes(keys: Sequence[EventKey], readings: Sequence[Reading], fresh: set[EventKey]) -> list[Outcome]:
    first, outcomes = set(fresh), list[Outcome]()
    for key, reading in zip(keys, readings, strict=True):
        if not reading.event_id:
            outcomes.append(Outcome.UNREADABLE)
        elif key not in first:
            outcomes.append(Outcome.REPEAT)
        else:
            first.discard(key)
            outcomes.append(Outcome.PUT_ASIDE if reading.complaint else Outcome.APPLIED)
    return outcomes
