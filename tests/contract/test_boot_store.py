"""Runs of the machine, and the boot time of stays and their money, are kept alike in SQLite and in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.elapsed import Boot
from edge.parking.quote import Settlement
from edge.parking.session import Session
from edge.parking.stay_charge import StayCharge
from edge.services.ports import Store
from edge.store.sqlite_store import SqliteStore
from sim.fakes.store import FakeStore

FIRST = Boot(1, "boot-1", 60_000_000_000, 1_000)


@pytest.fixture(params=["fake", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = FakeStore() if request.param == "fake" else SqliteStore(tmp_path / "edge.db", 1)
    yield opened
    opened.close()


def test_the_newest_runs_are_kept_as_their_last_heartbeat_left_them(store: Store) -> None:
    assert store.read(lambda unit: unit.boots.last()) is None
    assert store.read(lambda unit: unit.boots.recent(5)) == ()
    second = Boot(2, "boot-2", 5, 2_000, 3, 1_999, 4, 2)
    for boot in (FIRST, second, replace(FIRST, seen_ns=61_000_000_000), Boot(3, "boot-3", 1, 3_000)):
        store.write(lambda unit, boot=boot: unit.boots.put(boot))  # type: ignore[misc]
    third = Boot(3, "boot-3", 1, 3_000)
    assert store.read(lambda unit: unit.boots.last()) == third
    assert store.read(lambda unit: unit.boots.recent(9)) == (
        replace(FIRST, seen_ns=61_000_000_000),
        second,
        third,
    )
    assert store.read(lambda unit: unit.boots.recent(2)) == (second, third)
    assert store.write(lambda unit: unit.boots.forget(2)) == 1
    assert store.write(lambda unit: unit.boots.forget(2)) == 0
    assert store.read(lambda unit: unit.boots.recent(9)) == (second, third)


def test_stays_charges_and_settlements_keep_their_boot_time(store: Store) -> None:
    stay = Session("stay-1", "p1", "粤B12345", 5, "in", entered_boot="boot-1", entered_ns=-7)
    stay = replace(stay, left_boot="boot-2", left_ns=9)
    charge = StayCharge("line-1", "stay-1", 500, 5, 5, covers_boot="boot-1", covers_ns=8)
    paid = Settlement("s-1", "stay-1", "order-1", 500, 5, 6, covers_boot="boot-1", covers_ns=8)
    store.write(lambda unit: unit.sessions.put(stay))
    store.write(lambda unit: unit.stay_charges.put(charge))
    store.write(lambda unit: unit.stay_charges.put(replace(charge, covers_boot="boot-2", covers_ns=9)))
    store.write(lambda unit: unit.settlements.put(paid))
    assert store.read(lambda unit: unit.sessions.get("stay-1")) == stay
    assert store.read(lambda unit: unit.settlements.of_session("stay-1")) == (paid,)
    kept = store.read(lambda unit: unit.stay_charges.get("line-1"))
    assert kept == replace(charge, covers_boot="boot-2", covers_ns=9)
