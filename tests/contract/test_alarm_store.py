"""Open alarms are kept the same way in SQLite and in memory, and told once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.services.alarm_records import Alarm
from edge.services.ports import Store
from edge.services.raise_alarm import clear_alarm, raise_alarm
from edge.store.sqlite_store import SqliteStore
from sim.fakes.store import FakeStore
from tests.unit.hq_samples import ORIGIN, CountingIds, ManualClock


@pytest.fixture(params=["fake", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = FakeStore() if request.param == "fake" else SqliteStore(tmp_path / "edge.db", 1)
    yield opened
    opened.close()


def test_alarms_are_listed_by_name_and_keep_when_they_were_raised(store: Store) -> None:
    store.write(lambda unit: unit.alarms.put(Alarm("device:p", "absent", "not there", 5)))
    store.write(lambda unit: unit.alarms.put(Alarm("device:a", "fault", "no paper", 6)))
    store.write(lambda unit: unit.alarms.put(Alarm("device:p", "fault", "no paper", 7)))
    kept = Alarm("device:p", "fault", "no paper", 5)
    assert store.read(lambda unit: unit.alarms.all()) == (Alarm("device:a", "fault", "no paper", 6), kept)
    assert store.read(lambda unit: unit.alarms.get("device:p")) == kept
    store.write(lambda unit: unit.alarms.drop("device:a"))
    store.write(lambda unit: unit.alarms.drop("device:a"))
    assert store.read(lambda unit: unit.alarms.all()) == (kept,)
    assert store.read(lambda unit: unit.alarms.get("device:a")) is None


def test_hq_is_told_of_each_level_once_and_of_the_end_once(store: Store) -> None:
    clock, ids = ManualClock(), CountingIds()

    def change(level: str, *, over: bool = False) -> bool:
        act = clear_alarm if over else raise_alarm
        return store.write(lambda unit: act(unit, ids, clock.now(), ORIGIN, "disk", level, level.title()))

    assert [change("low"), change("low"), change("full"), change("full")] == [True, False, True, False]
    assert [change("ample", over=True), change("ample", over=True)] == [True, False]
    told = store.read(lambda unit: unit.outbox.window(0, 99))
    assert [(one.kind, json.loads(one.body)["data"]["level"]) for one in told] == [
        ("alarm.raised", "low"),
        ("alarm.raised", "full"),
        ("alarm.cleared", "ample"),
    ]


def test_a_name_that_is_too_long_is_cut_and_found_again(store: Store) -> None:
    clock, ids, name = ManualClock(), CountingIds(), "device:" + "x" * 90
    assert store.write(lambda unit: raise_alarm(unit, ids, clock.now(), ORIGIN, name, "absent", ""))
    assert not store.write(lambda unit: raise_alarm(unit, ids, clock.now(), ORIGIN, name, "absent", ""))
    assert store.write(lambda unit: clear_alarm(unit, ids, clock.now(), ORIGIN, name, "connected", ""))
