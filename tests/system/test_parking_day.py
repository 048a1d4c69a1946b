"""A day of traffic through the use cases and a real store: every car leaves rightly and the books close."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from edge.parking.session import SessionState
from edge.store.sqlite_store import SqliteStore
from sim.parking_day.books import violations
from sim.parking_day.day import ParkingDay
from sim.parking_day.garage import MIDNIGHT_AT
from sim.traffic import HOUR_MS, Habits, Outage, Sight, Trip, Way, plan_day

#: Cars of the day in the tests; `python -m sim parking-day` plays 3,000.
CARS = 3_000 if os.environ.get("MALL_EDGE_FUZZ") else 250


def played(tmp_path: Path, seed: int = 7, habits: Habits | None = None) -> ParkingDay:
    day = ParkingDay(plan_day(seed, habits or Habits(cars=CARS)), SqliteStore(tmp_path / "edge.db", 1))
    day.run()
    return day


@pytest.mark.parametrize("seed", [1, 7])
def test_every_car_leaves_rightly_and_the_books_close(tmp_path: Path, seed: int) -> None:
    day = played(tmp_path, seed)
    assert violations(day) == []
    # The day was one with troubles; a quiet one would prove nothing.
    for word in (
        "repeated pushes",
        "late pushes",
        "back-filled reads",
        "prepaid",
        "bought",
        "paid at the exit",
    ):
        assert day.figures[word] > 0, word
    assert any(car.trip.entry.text != car.trip.plate for car in day.cars)
    day.store.close()


def test_half_of_all_reads_wrong_costs_questions_and_nothing_else(tmp_path: Path) -> None:
    day = played(tmp_path, 3, Habits(cars=60, misread=0.5, unread=0.05, late=0.2))
    assert violations(day) == []
    assert sum(car.guarded for car in day.cars) > 5
    day.store.close()


def test_the_same_seed_plays_the_same_day() -> None:
    assert plan_day(5) == plan_day(5)
    assert plan_day(5) != plan_day(6)
    day = plan_day(5)
    assert [trip.arrives_ms for trip in day.trips] == sorted(trip.arrives_ms for trip in day.trips)


@pytest.mark.parametrize(
    ("harm", "word"),
    [
        ("stay", "its stay is inside"),
        ("pulse", "opened"),
        ("owing", "left owing"),
        ("clock", "its stay began at"),
    ],
)
def test_the_checks_find_what_is_broken_on_purpose(tmp_path: Path, harm: str, word: str) -> None:
    day = played(tmp_path, 2, Habits(cars=12, misread=0, unread=0, late=0, passes=0))
    assert violations(day) == []
    car = next(car for car in day.cars if car.trip.way is not Way.SPEND)
    session = day.session(car.session_id)
    if harm == "stay":
        broken = {"state": SessionState.INSIDE, "left_at": None}
    elif harm == "clock":
        broken = {"entered_at": session.entered_at - HOUR_MS}
    elif harm == "owing":
        broken = {"entered_at": session.entered_at - 3 * HOUR_MS}
    else:
        broken = {}
        day.gates["in-1"].pulses += 1
    put_broken(day, car.session_id, broken)
    assert any(word in found for found in violations(day))
    day.store.close()


def put_broken(day: ParkingDay, session_id: str, changes: dict[str, object]) -> None:
    session = day.session(session_id)
    day.store.write(lambda unit: unit.sessions.put(replace(session, **changes)))  # type: ignore[arg-type]


def test_a_trip_is_planned_within_the_day() -> None:
    traffic = plan_day(1)
    assert isinstance(traffic.outage, Outage)
    for trip in traffic.trips:
        assert isinstance(trip, Trip)
        assert isinstance(trip.entry, Sight)
        assert 9 * HOUR_MS <= trip.arrives_ms < 21 * HOUR_MS
        assert MIDNIGHT_AT + trip.arrives_ms + trip.stays_ms < MIDNIGHT_AT + 31 * HOUR_MS
