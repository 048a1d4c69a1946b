"""Devices that do not work: who is told, when, how often, and of their repair."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import pytest

from devices.types import DeviceStatus, Health
from edge.errors import Unavailable
from edge.services.records import Unit
from edge.services.watch_devices import BAD_MS, GOOD_MS, DeviceLook, DeviceWatch, watch_devices
from sim.fakes.store import FakeStore
from tests.unit.hq_samples import ORIGIN, CountingIds, ManualClock

T = TypeVar("T")

GOOD = DeviceStatus("scanner-k01", "scanner", Health.CONNECTED, "/dev/ttyACM0", "open", 0)
ABSENT = replace(GOOD, health=Health.ABSENT, detail="no such port: plug it in")
FAULT = replace(GOOD, health=Health.FAULT, detail="busy")


class _Full(FakeStore):
    """A store that takes nothing."""

    def write(self, work: Callable[[Unit], T]) -> T:
        raise Unavailable("the disk is full")


class Bench:
    """A store and the watch over one scanner of K01."""

    def __init__(self) -> None:
        self.store: FakeStore = FakeStore()
        self.clock, self.ids = ManualClock(), CountingIds()
        self.watch = DeviceWatch()

    def look(self, *statuses: DeviceStatus, after_ms: int = 500) -> DeviceLook:
        self.clock.advance(after_ms)
        placed = [("K01", "scanner", status) for status in statuses]
        found = watch_devices(self.store, self.clock, self.ids, ORIGIN, placed, self.watch)
        self.watch = found.watch
        return found

    def told(self) -> list[tuple[str, str, str]]:
        waiting = self.store.read(lambda unit: unit.outbox.window(0, 99))
        datas = [(one.kind, json.loads(one.body)["data"]) for one in waiting]
        return [(kind, data["alarm"], data["level"]) for kind, data in datas]


RAISED = ("alarm.raised", "device:scanner-k01", "absent")
CLEARED = ("alarm.cleared", "device:scanner-k01", "connected")


def test_a_device_that_stays_away_raises_one_alarm_and_its_return_clears_it() -> None:
    bench = Bench()
    bench.look(GOOD)
    assert bench.look(ABSENT).places == ("K01",)
    assert bench.look(ABSENT, after_ms=BAD_MS - 1).lost == ()
    assert bench.look(ABSENT, after_ms=1).lost == ("scanner-k01",)
    assert bench.look(ABSENT, after_ms=60_000).lost == ()
    assert bench.told() == [RAISED]
    [alarm] = bench.store.read(lambda unit: unit.alarms.all())
    assert alarm.detail == "scanner scanner-k01 of K01: no such port: plug it in"
    assert bench.look(GOOD).places == ("K01",)
    assert bench.look(GOOD, after_ms=GOOD_MS).back == ("scanner-k01",)
    assert bench.look(GOOD, after_ms=60_000).back == ()
    assert bench.told() == [RAISED, CLEARED]
    assert bench.store.read(lambda unit: unit.alarms.all()) == ()


def test_a_cable_that_is_put_in_anew_is_no_alarm_but_the_screen_is_drawn() -> None:
    bench = Bench()
    bench.look(GOOD)
    assert bench.look(ABSENT).places == ("K01",)
    assert bench.look(GOOD, after_ms=BAD_MS - 1).places == ("K01",)
    bench.look(GOOD, after_ms=GOOD_MS)
    assert bench.told() == []


def test_a_loose_contact_is_told_once() -> None:
    bench = Bench()
    bench.look(GOOD)
    for _ in range(20):
        bench.look(ABSENT, after_ms=100)
        bench.look(FAULT, after_ms=BAD_MS)
        bench.look(GOOD, after_ms=GOOD_MS // 2)
    assert [kind for kind, _, _ in bench.told()] == ["alarm.raised"]


@pytest.mark.parametrize("status", [GOOD, None])
def test_a_service_that_starts_anew_ends_alarms_that_are_over(status: DeviceStatus | None) -> None:
    bench = Bench()
    bench.look(ABSENT)
    bench.look(ABSENT, after_ms=BAD_MS)
    bench.watch = DeviceWatch()
    bench.look(*([status] if status else []))
    bench.look(*([status] if status else []), after_ms=GOOD_MS)
    assert bench.told() == [RAISED, CLEARED]


def test_a_service_that_starts_anew_does_not_repeat_an_alarm_that_goes_on() -> None:
    bench = Bench()
    bench.look(ABSENT)
    bench.look(ABSENT, after_ms=BAD_MS)
    bench.watch = DeviceWatch()
    bench.look(ABSENT)
    assert bench.look(ABSENT, after_ms=BAD_MS).lost == ()
    assert bench.told() == [RAISED]


def test_an_alarm_that_cannot_be_written_is_told_later() -> None:
    bench = Bench()
    bench.look(GOOD)
    bench.look(ABSENT)
    whole, bench.store = bench.store, _Full()
    assert bench.look(ABSENT, after_ms=BAD_MS).lost == ()
    bench.store = whole
    assert bench.look(ABSENT).lost == ("scanner-k01",)
    assert bench.told() == [RAISED]


def test_a_camera_that_has_not_called_yet_is_no_trouble() -> None:
    bench = Bench()
    waits = replace(GOOD, health=Health.STARTING, detail="waits to be called")
    bench.look(waits)
    bench.look(waits, after_ms=60_000)
    assert bench.told() == []
