"""The exit's decision: whose stay it is, by what right, what is due; with a million past stays behind it.

The first part runs the shipped use cases over the shipped store on disk. The second has 20,000 vehicles leave
a car park of 5,000 in memory, 5 % misread at either end, and counts who went alone, and to whose stay.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from edge.parking.facility import Facility, Lane, LaneWay, Zone
from edge.parking.passage import Passage
from edge.parking.tariff_document import RateLine, Tariff
from edge.services.box import Box
from edge.services.decide_exit import decide_exit
from edge.services.find_session import find_session
from edge.services.parking_rules import ParkingRules
from edge.services.records import Unit
from edge.store.sqlite_store import SqliteStore
from sim.fakes.box import FakePorts, fake_box
from sim.fakes.clock import START_AT
from tests.bench.big_mall import say
from tests.bench.plate_population import NOW, CarPark, Population, Tally
from tests.bench.table import RESULTS, Figure, Result, percentile, report

PAST = 1_000_000
INSIDE = 5_000
EXITS = 1_500
SIMULATED = 20_000
CHUNK = 500

_LANE = Lane("out-1", LaneWay.EXIT, "B1", "gate-1")
_TARIFF = Tariff("standard", "标准", 0, 15, 5_000, (RateLine(60, 500),))
_PAST = """
INSERT INTO sessions (session_id, zone, plate, entered_at, entry_lane, colour, vehicle_class, entry_read_id,
    ticket, state, left_at, exit_lane, exit_read_id, entered_trusted, clock_note, changed_at)
VALUES (?, 'B1', ?, ?, 'in-1', 'blue', 'small', '', '', 'left', ?, 'out-1', '', 1, '', ?)
"""


@dataclass(frozen=True, slots=True)
class _Times:
    find_ms: list[float]
    decide_ms: list[float]
    commit_ms: list[float]
    mebibytes: float


def measure() -> Result:
    """Run everything; take some two minutes."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=RESULTS, prefix="exit-") as name:
        times = _timed(Path(name) / "edge.db")
    say(f"{SIMULATED:,} exits, with and without confidences")
    sure = CarPark(Population(1), INSIDE).exits(SIMULATED)
    plain = CarPark(Population(2, confident=False), INSIDE).exits(SIMULATED // 4)
    figures = [
        Figure("exit decision, p50", percentile(times.decide_ms, 50), "ms"),
        Figure("exit decision, p95", percentile(times.decide_ms, 95), "ms", 20),
        Figure("exit decision, p99", percentile(times.decide_ms, 99), "ms"),
        Figure("of it: whose stay, p95", percentile(times.find_ms, 95), "ms"),
        Figure("with the read and the commit on disk, p95", percentile(times.commit_ms, 95), "ms"),
        Figure("database", times.mebibytes, "MiB"),
        *_judged("", sure),
        *_judged(", without confidences", plain),
    ]
    note = (
        f"{PAST:,} past stays, {INSIDE:,} inside, {EXITS:,} exits on the shipped store; {SIMULATED:,} "
        "simulated exits with 5 % misread at the entry and 5 % at the exit, 0.5 % never entered"
    )
    return Result("exit", figures, {"decision_ms": times.decide_ms}, note)


def _judged(words: str, tally: Tally) -> list[Figure]:
    count = tally.alone + tally.asked + len(tally.wrong)
    return [
        Figure(f"went alone, rightly{words}", 100 * tally.alone / count, "%", 90, at_least=True),
        Figure(f"asked{words}", 100 * tally.asked / count, "%"),
        Figure(f"  of them the right stay first{words}", 100 * tally.asked_right_first / tally.asked, "%"),
        Figure(f"went alone to another's stay{words}", len(tally.wrong), "exits", 0),
    ]


def _timed(path: Path) -> _Times:
    population = Population(3)
    SqliteStore(path, 1).close()
    say(f"writing {PAST:,} past stays")
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA synchronous = OFF")
        raw.executemany(_PAST, _past(population))
    raw.close()
    store = SqliteStore(path, 2)
    try:
        box = _box(store)
        plates = _fill(store, population)
        say(f"{EXITS:,} exits")
        return _exits(box, population, plates, path)
    finally:
        store.close()


def _past(population: Population) -> Iterator[tuple[str, str, int, int, int]]:
    """A fifth of the vehicles came before: regulars, as a mall has them."""
    regulars = [population.vehicle() for _ in range(100_000)]
    for number in range(PAST):
        at = NOW - (PAST - number) * 30_000
        plate = regulars[number * 7_919 % len(regulars)]
        yield f"0{number:09d}", plate, at, at + 5_400_000, at


def _box(store: SqliteStore) -> Box:
    ports = FakePorts()
    ports.clock.advance(NOW - START_AT)
    rules = replace(ParkingRules(), facility=Facility("garage", (Zone("B1", 6_000),), (_LANE,)))
    store.write(lambda unit: unit.tariffs.replace((_TARIFF,)))
    return replace(fake_box(ports, lambda place: None), store=store, parking=rules)


def _fill(store: SqliteStore, population: Population) -> list[str]:
    plates = [population.vehicle() for _ in range(INSIDE)]
    stays = [population.enter(f"1{number:09d}", plate) for number, plate in enumerate(plates)]

    def work(unit: Unit, first: int) -> None:
        for stay in stays[first : first + CHUNK]:
            unit.sessions.put(stay)

    for first in range(0, INSIDE, CHUNK):
        store.write(lambda unit, first=first: work(unit, first))  # type: ignore[misc]
    return plates


def _exits(box: Box, population: Population, plates: list[str], path: Path) -> _Times:
    times = _Times([], [], [], path.stat().st_size / 2**20)
    now = box.clock.now()
    for number in range(EXITS):
        read = population.leave(population.choose(plates), f"r{number}")
        passage = Passage(f"p{number}", "out-1", LaneWay.EXIT, NOW, plate=read.plate, read_id=read.read_id)
        begun = time.perf_counter()
        box.store.read(lambda unit, read=read: find_session(unit, box, read, NOW))  # type: ignore[misc]
        times.find_ms.append((time.perf_counter() - begun) * 1000)

        def work(unit: Unit, read: object = read, passage: Passage = passage) -> None:
            unit.plate_reads.put(read)  # type: ignore[arg-type]
            start = time.perf_counter()
            decide_exit(unit, box, _LANE, passage, now)
            times.decide_ms.append((time.perf_counter() - start) * 1000)

        begun = time.perf_counter()
        box.store.write(work)
        times.commit_ms.append((time.perf_counter() - begun) * 1000)
    return times


if __name__ == "__main__":
    sys.exit(report(measure()))
