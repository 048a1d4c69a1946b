"""The clock is pinned every minute; HQ is told of steps, and of a clock that no time source sets."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace

from edge.elapsed import Boot
from edge.services.stay_time import MAX_BOOTS
from edge.services.watch_clock import ALARM, ClockWatch, unsynchronised_ms, watch_clock
from sim.fakes.clock import START_AT, FakeClock
from sim.fakes.store import FakeStore
from tests.unit.hq_samples import ORIGIN, CountingIds

HOUR_MS = 3_600_000


@dataclass
class Wrist:
    """A clock that is watched, and the store that it is watched into."""

    clock: FakeClock = field(default_factory=FakeClock)
    store: FakeStore = field(default_factory=FakeStore)
    ids: CountingIds = field(default_factory=CountingIds)
    watch: ClockWatch = field(default_factory=ClockWatch)

    def look(self, hours: int = 12) -> ClockWatch:
        self.watch = watch_clock(self.store, self.clock, self.ids, ORIGIN, hours, self.watch)
        return self.watch

    def restart(self) -> None:
        """The process dies and another one starts."""
        self.watch = ClockWatch()

    def runs(self) -> tuple[Boot, ...]:
        return self.store.read(lambda unit: unit.boots.recent(9))

    def told(self, kind: str) -> list[dict[str, object]]:
        events = self.store.read(lambda unit: unit.outbox.window(0, 99))
        return [json.loads(one.body)["data"] for one in events if one.kind == kind]


def test_a_heartbeat_is_written_each_minute_and_no_more_often() -> None:
    wrist = Wrist()
    wrist.look()
    first = wrist.runs()
    for _ in range(5):
        wrist.clock.advance(10_000)
        wrist.look()
    assert wrist.runs() == first
    wrist.clock.advance(10_000)
    wrist.look()
    (run,) = wrist.runs()
    assert (run.number, run.seen_ns - first[0].seen_ns) == (1, 60_000_000_000)
    assert run.zero_at == START_AT - 60_000
    assert run.stepped_ns is None
    assert wrist.told("clock.stepped") == []


def test_a_step_is_told_once_with_what_the_clock_would_have_shown() -> None:
    wrist = Wrist()
    wrist.look()
    wrist.clock.advance(10_000)
    wrist.clock.set_wall(-3 * HOUR_MS)
    wrist.look()
    wrist.clock.advance(10_000)
    wrist.look()
    assert wrist.told("clock.stepped") == [
        {
            "before_at": START_AT + 10_000,
            "after_at": START_AT + 10_000 - 3 * HOUR_MS,
            "step_ms": -3 * HOUR_MS,
            "synchronised": True,
            "over_restart": False,
        }
    ]
    assert wrist.runs()[0].stepped_ns == 70_000_000_000


def test_two_seconds_are_no_step_and_a_little_more_is_one() -> None:
    wrist = Wrist()
    wrist.look()
    for by_ms in (2_000, -2_000):
        wrist.clock.set_wall(by_ms)
        wrist.look()
    assert wrist.told("clock.stepped") == []
    wrist.clock.set_wall(2_001)
    wrist.look()
    assert [one["step_ms"] for one in wrist.told("clock.stepped")] == [2_001]


def test_a_step_while_the_process_was_down_is_found_by_the_next_one() -> None:
    wrist = Wrist()
    wrist.look()
    wrist.restart()
    wrist.clock.advance(5_000)
    wrist.clock.set_wall(HOUR_MS)
    wrist.look()
    assert [one["step_ms"] for one in wrist.told("clock.stepped")] == [HOUR_MS]
    assert len(wrist.runs()) == 1


def test_a_clock_that_went_back_over_a_restart_is_told_and_one_that_only_stood_still_is_not() -> None:
    wrist = Wrist()
    wrist.look()
    wrist.clock.reboot(30_000, wall_at=START_AT, trusted=False)
    wrist.look()
    assert wrist.told("clock.stepped") == []
    wrist.clock.reboot(30_000, wall_at=0, trusted=False)
    wrist.look()
    (told,) = wrist.told("clock.stepped")
    assert (told["over_restart"], told["after_at"], told["synchronised"]) == (True, 0, False)
    assert [(run.number, run.zero_at is None) for run in wrist.runs()] == [(1, False), (2, True), (3, True)]


def test_a_clock_without_time_is_pinned_as_soon_as_it_is_set() -> None:
    wrist = Wrist()
    wrist.clock.reboot(30_000, wall_at=0, trusted=False)
    wrist.look()
    wrist.clock.advance(20_000)
    wrist.clock.synchronise()
    wrist.look()
    (run,) = wrist.runs()
    assert (run.synced_ns, run.zero_at) == (50_000_000_000, START_AT + 50_000 - 50_000)
    assert len(wrist.told("clock.stepped")) == 1


def test_a_clock_that_nobody_sets_is_told_after_its_hours_over_restarts_and_again_when_it_is_set() -> None:
    wrist = Wrist()
    wrist.clock.reboot(30_000, trusted=False)
    wrist.look()
    wrist.clock.advance(7 * HOUR_MS)
    assert not wrist.look().alarmed
    wrist.clock.reboot(30_000, trusted=False)
    wrist.look()
    wrist.clock.advance(5 * HOUR_MS - 60_000)
    assert not wrist.look().alarmed
    wrist.clock.advance(60_000)
    assert wrist.look().alarmed
    assert unsynchronised_ms(wrist.watch, wrist.clock.now()) == 12 * HOUR_MS
    wrist.restart()
    wrist.look()
    told = wrist.told("alarm.raised")
    assert [one["alarm"] for one in told] == [ALARM]
    assert "for 12 h" in str(told[0]["detail"])
    wrist.clock.synchronise()
    assert not wrist.look().alarmed
    assert len(wrist.told("alarm.cleared")) == 1
    assert unsynchronised_ms(wrist.watch, wrist.clock.now()) == 0


def test_time_before_the_service_was_there_does_not_count() -> None:
    wrist = Wrist()
    wrist.clock.reboot(30_000, trusted=False)
    wrist.clock.advance(99 * HOUR_MS)
    assert not wrist.look().alarmed
    wrist.restart()
    wrist.clock.advance(11 * HOUR_MS)
    assert not wrist.look().alarmed


def test_no_hours_are_no_alarm() -> None:
    wrist = Wrist()
    wrist.clock.reboot(30_000, trusted=False)
    wrist.look()
    wrist.clock.advance(999 * HOUR_MS)
    assert not wrist.look(hours=0).alarmed
    assert wrist.told("alarm.raised") == []


def test_old_runs_are_forgotten() -> None:
    wrist = Wrist()
    old = Boot(1, "old", 1, 1)
    wrist.store.write(lambda unit: unit.boots.put(old))
    wrist.store.write(lambda unit: unit.boots.put(replace(old, number=MAX_BOOTS, boot_id="older")))
    wrist.look()
    assert [run.number for run in wrist.runs()] == [MAX_BOOTS, MAX_BOOTS + 1]
