"""Passes, ledgers and reservations are kept the same way in SQLite and in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from edge.errors import Corrupt
from edge.parking.hours import Hours
from edge.parking.parking_pass import ParkingPass, PassEntry, PassEntryKind, PassKind, PassState, reversal
from edge.parking.plate_list import DayKind
from edge.parking.reservation import Reservation, ReservationState, arrive
from edge.parking.vehicle import VehicleClass
from edge.services.ports import Store
from edge.services.records import Unit
from edge.store.sqlite_store import SqliteStore
from sim.fakes.store import FakeStore

T = TypeVar("T")
NOW = 1_795_000_000_000
ONE = ParkingPass(
    "p-1",
    PassKind.MONTH,
    "李雷",
    ("粤B12345", "粤A54321"),
    Hours(NOW, NOW + 5, DayKind.WORKDAY, 60, 1200),
    2,
    ("B1", "B2"),
    VehicleClass.SMALL,
    30_000,
    PassState.BLOCKED,
    NOW,
    "王",
    "first floor",
)
USE = PassEntry("p-1", "s-1", PassEntryKind.USE, -300, NOW, "s-1")
TOP_UP = PassEntry("p-1", "t-1", PassEntryKind.TOP_UP, 1_000, NOW - 1, "", "王", "cash")
BOOKED = Reservation("v-1", "粤B12345", "B1", NOW, NOW + 100, NOW - 50, "李", "VIP")


@pytest.fixture(params=["fake", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = FakeStore() if request.param == "fake" else SqliteStore(tmp_path / "edge.db", 1)
    yield opened
    opened.close()


def put(store: Store, *passes: ParkingPass) -> None:
    for one in passes:
        store.write(lambda unit, one=one: unit.passes.put(one))  # type: ignore[misc]


def ask(store: Store, query: Callable[[Unit], T]) -> T:
    return store.read(query)


def test_a_pass_is_kept_whole_and_changes(store: Store) -> None:
    put(store, ONE)
    assert ask(store, lambda unit: unit.passes.get("p-1")) == ONE
    changed = replace(ONE, plates=("粤C00001", "粤B12345"), spaces=1, state=PassState.ACTIVE, zones=())
    put(store, changed)
    assert ask(store, lambda unit: unit.passes.get("p-1")) == changed
    assert ask(store, lambda unit: unit.passes.get("p-9")) is None
    assert ask(store, lambda unit: unit.passes.of_plate("粤A54321")) == ()


def test_passes_are_found_by_plate_and_by_words(store: Store) -> None:
    two = replace(ONE, pass_id="p-2", holder="韩梅梅", plates=("粤B12345",), spaces=1)
    put(store, two, ONE)
    assert ask(store, lambda unit: unit.passes.of_plate("粤B12345")) == (ONE, two)
    assert ask(store, lambda unit: unit.passes.search("梅", "", 9)) == (two,)
    assert ask(store, lambda unit: unit.passes.search("54321", "", 9)) == (ONE,)
    assert ask(store, lambda unit: unit.passes.search("", "", 1)) == (ONE,)
    assert ask(store, lambda unit: unit.passes.search("", "p-1", 9)) == (two,)


@pytest.mark.parametrize("bad", [replace(ONE, holder=""), replace(ONE, plates=("粤B1", "粤B1"))])
def test_a_pass_that_breaks_its_rules_is_refused(store: Store, bad: ParkingPass) -> None:
    with pytest.raises(Corrupt):
        put(store, bad)


def test_passes_of_hq_replace_each_other_and_leave_those_of_here_alone(store: Store) -> None:
    old, new = replace(ONE, pass_id="h-1", from_hq=True), replace(ONE, pass_id="h-2", from_hq=True)
    put(store, ONE, old)
    store.write(lambda unit: unit.passes.replace_from_hq((new,)))
    assert ask(store, lambda unit: unit.passes.search("", "", 9)) == (new, ONE)
    with pytest.raises(Corrupt):
        store.write(lambda unit: unit.passes.replace_from_hq((replace(ONE, from_hq=True),)))
    assert ask(store, lambda unit: unit.passes.get("h-2")) == new


def test_a_ledger_takes_each_key_once(store: Store) -> None:
    def enter(entry: PassEntry) -> bool:
        return store.write(lambda unit: unit.passes.enter(entry))

    assert [enter(one) for one in (TOP_UP, USE, USE)] == [True, True, False]
    assert ask(store, lambda unit: unit.passes.balance("p-1")) == 700
    back = reversal(USE, NOW + 1, "王", "turned back")
    assert enter(back)
    assert ask(store, lambda unit: unit.passes.balance("p-1")) == 1_000
    assert ask(store, lambda unit: unit.passes.used_by("p-1", "s-1")) == (USE, back)
    assert ask(store, lambda unit: unit.passes.entries("p-1", 2)) == (back, USE)
    assert ask(store, lambda unit: unit.passes.balance("p-2")) == 0


def test_days_are_paid_until_they_are_taken_back(store: Store) -> None:
    day = replace(USE, key="2026-11-22", amount=-1)
    store.write(lambda unit: unit.passes.enter(day))
    days = ("2026-11-21", "2026-11-22")
    assert ask(store, lambda unit: unit.passes.paid_days("p-1", days)) == {"2026-11-22"}
    store.write(lambda unit: unit.passes.enter(reversal(day, NOW, "王", "")))
    assert ask(store, lambda unit: unit.passes.paid_days("p-1", days)) == frozenset()


def test_reservations_are_found_by_plate_and_by_state(store: Store) -> None:
    later = replace(BOOKED, reservation_id="v-2", from_at=NOW + 50, to_at=NOW + 200)
    for one in (later, BOOKED):
        store.write(lambda unit, one=one: unit.passes.put_reservation(one))  # type: ignore[misc]
    assert ask(store, lambda unit: unit.passes.reservations_of("粤B12345", NOW)) == (BOOKED, later)
    assert ask(store, lambda unit: unit.passes.reservations_of("粤B12345", NOW + 100)) == (later,)
    came = arrive(BOOKED, "s-1")
    store.write(lambda unit: unit.passes.put_reservation(came))
    assert ask(store, lambda unit: unit.passes.reservation("v-1")) == came
    assert ask(store, lambda unit: unit.passes.reservations(ReservationState.BOOKED, NOW, 9)) == (later,)
    assert ask(store, lambda unit: unit.passes.reservation("v-9")) is None
