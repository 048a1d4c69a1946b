"""Play a day of traffic over a store in a temporary folder, and tell what came of it in lines for people."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge.money import format_yuan
from edge.store.sqlite_store import SqliteStore
from sim.parking_day.books import takings, violations
from sim.parking_day.day import ParkingDay
from sim.traffic import Habits, plan_day


@dataclass(frozen=True, slots=True)
class DayReport:
    """lines: what happened, then what is not as it must be. violations: of the latter."""

    lines: tuple[str, ...]
    violations: tuple[str, ...]


def play(cars: int, seed: int, progress: Callable[[int, int], None]) -> DayReport:
    """Return the report of a day. progress: told (cars that have left, all cars)."""
    with tempfile.TemporaryDirectory(prefix="parking-day-") as folder:
        store = SqliteStore(Path(folder) / "edge.db", 1)
        day = ParkingDay(plan_day(seed, Habits(cars=cars)), store)
        day.run(progress)
        found = tuple(violations(day))
        lines = (*_lines(day), *(f"WRONG: {one}" for one in found))
        store.close()
    return DayReport((*lines, _verdict(found)), found)


def _verdict(found: tuple[str, ...]) -> str:
    if found:
        return f"{len(found)} violations: the books differ from the truth"
    return "0 violations: the books agree with the truth"


def _lines(day: ParkingDay) -> list[str]:
    waits = sorted(car.waited_ms for car in day.cars)
    misread = sum(
        sight.text != car.trip.plate for car in day.cars for sight in (car.trip.entry, car.trip.exit)
    )
    return [
        f"{len(day.cars)} cars, {2 * len(day.cars)} reads, {misread} of them misread or empty",
        *(f"{count:>6} {word}" for word, count in sorted(day.figures.items())),
        f"{sum(car.guarded > 0 for car in day.cars):>6} cars that a guard was asked about",
        f"{waits[len(waits) // 2] / 1000:>6.1f} s at a barrier for half of the cars, "
        f"{waits[-1] / 1000:.1f} s the longest",
        f"{format_yuan(takings(day)):>6} yuan for parking, as settled",
        *(f"{gate.pulses:>6} openings of {gate.name}" for gate in day.gates.values()),
    ]
