"""The disk: when which level begins and ends, what is refused, the reserve, and who is told."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from edge.errors import Invalid, Unavailable
from edge.services.ports import DiskSpace
from edge.services.watch_disk import (
    KEPT_BYTES,
    DiskLevel,
    DiskMarks,
    DiskState,
    DiskStep,
    Use,
    judge,
    refuses,
    watch_disk,
)
from sim.fakes.disk import FakeDisk
from sim.fakes.store import FakeStore
from tests.unit.hq_samples import ORIGIN, CountingIds, ManualClock

MIB = 1024 * 1024
MARKS = DiskMarks()
TOTAL = 10_000 * MIB


class Bench:
    """A store on a disk, and the state of its watch."""

    def __init__(self, free_mb: int = 9_000) -> None:
        self.store = FakeStore()
        self.disk = FakeDisk(TOTAL, free_mb * MIB, MARKS.reserve_bytes)
        self.clock = ManualClock()
        self.ids = CountingIds()
        self.state = DiskState()

    def look(self, free_mb: int | None = None) -> DiskStep:
        if free_mb is not None:
            self.disk.free_bytes = free_mb * MIB
        step = watch_disk(self.store, self.disk, self.clock, self.ids, ORIGIN, MARKS, self.state)
        self.state = step.state
        self.clock.advance(step.wait_ms)
        return step

    def told(self) -> list[tuple[str, str]]:
        waiting = self.store.read(lambda unit: unit.outbox.window(0, 99))
        return [(one.kind, json.loads(one.body)["data"]["level"]) for one in waiting]


@pytest.mark.parametrize(
    ("free_mb", "level"),
    [
        (2_000, DiskLevel.AMPLE),
        (1_999, DiskLevel.LOW),
        (999, DiskLevel.SCARCE),
        (499, DiskLevel.FULL),
        (0, DiskLevel.FULL),
    ],
)
def test_levels_begin_below_their_share_of_the_disk(free_mb: int, level: DiskLevel) -> None:
    assert judge(DiskSpace(TOTAL, free_mb * MIB), MARKS, DiskLevel.AMPLE) is level


def test_a_large_disk_is_not_full_while_gigabytes_are_left() -> None:
    huge = 4_000_000 * MIB
    assert judge(DiskSpace(huge, 4_096 * MIB), MARKS, DiskLevel.AMPLE) is DiskLevel.AMPLE
    assert judge(DiskSpace(huge, 1_023 * MIB), MARKS, DiskLevel.AMPLE) is DiskLevel.FULL


def test_a_level_is_left_only_with_something_to_spare() -> None:
    def after(free_mb: int) -> DiskLevel:
        return judge(DiskSpace(TOTAL, free_mb * MIB), MARKS, DiskLevel.FULL)

    assert [after(549), after(550), after(1_100), after(2_200)] == [
        DiskLevel.FULL,
        DiskLevel.SCARCE,
        DiskLevel.LOW,
        DiskLevel.AMPLE,
    ]


def test_pages_freed_in_the_database_count_as_free() -> None:
    assert judge(DiskSpace(TOTAL, 100 * MIB, 2_000 * MIB), MARKS, DiskLevel.AMPLE) is DiskLevel.AMPLE


@pytest.mark.parametrize("level", list(DiskLevel))
def test_payments_refunds_and_exits_are_never_refused(level: DiskLevel) -> None:
    assert not any(refuses(level, use) for use in (Use.PAYMENT, Use.REFUND, Use.EXIT))


def test_what_can_wait_is_refused_first_and_new_sales_last() -> None:
    refused = {level: {use for use in Use if refuses(level, use)} for level in DiskLevel}
    extras = {Use.PICTURE, Use.IMPORT}
    assert refused == {
        DiskLevel.AMPLE: set(),
        DiskLevel.LOW: set(),
        DiskLevel.SCARCE: extras,
        DiskLevel.FULL: extras | {Use.SALE},
    }


def test_each_change_is_told_to_hq_once_and_its_end_too() -> None:
    bench = Bench()
    for free_mb in (9_000, 1_900, 1_900, 400, 400, 9_000, 9_000):
        bench.look(free_mb)
    assert bench.told() == [("alarm.raised", "low"), ("alarm.raised", "full"), ("alarm.cleared", "ample")]


def test_an_alarm_that_cannot_be_written_is_told_when_it_can_be() -> None:
    bench = Bench()
    bench.look()
    full, bench.store = bench.store, Refusing()  # type: ignore[assignment]
    step = bench.look(300)
    assert (step.state.level, step.state.told) == (DiskLevel.FULL, DiskLevel.AMPLE)
    bench.store = full
    bench.look()
    assert bench.told() == [("alarm.raised", "full")]


class Refusing:
    """A store on a disk that is full."""

    def write(self, work: object) -> None:
        raise Unavailable("edge.db: database or disk is full; nothing of this step was kept, try again")


def test_the_reserve_is_held_released_when_nothing_is_left_and_held_again() -> None:
    bench = Bench()
    assert bench.look().state.reserve
    assert bench.disk.free_bytes == (9_000 - 32) * MIB
    assert bench.look(400).state.reserve
    gone = bench.look(31)
    assert not gone.state.reserve
    assert bench.disk.free_bytes == (31 + 32) * MIB
    assert not bench.look(500).state.reserve
    assert bench.look(2_000).state.reserve


def test_freed_pages_go_back_to_the_disk_in_slices_until_few_are_left() -> None:
    bench = Bench()
    bench.disk.reusable_bytes = KEPT_BYTES + 20 * MIB
    steps = [bench.look() for _ in range(5)]
    assert [step.compacted_bytes // MIB for step in steps] == [8, 8, 8, 0, 0]
    assert [step.wait_ms for step in steps] == [250, 250, 250, 2_000, 2_000]


def test_the_pace_is_noted_once_an_hour_also_by_a_service_that_restarts_often() -> None:
    bench = Bench()
    for _ in range(5):
        bench.state = DiskState()
        bench.look()
    assert len(bench.store.read(lambda unit: unit.outbox.pace())) == 1
    bench.clock.advance(3_600_000)
    bench.look()
    bench.look()
    assert len(bench.store.read(lambda unit: unit.outbox.pace())) == 2


def test_a_disk_that_cannot_be_asked_changes_nothing() -> None:
    bench = Bench()
    bench.look(300)
    before = bench.state
    bench.disk.broken = True
    with pytest.raises(Unavailable, match="cannot be asked"):
        bench.look()
    assert bench.state == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"full_percent": 0},
        {"scarce_percent": 30},
        {"full_mb": 3_000},
        {"reserve_mb": 0},
        {"low_percent": 100},
    ],
)
def test_marks_out_of_order_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(Invalid, match="disk"):
        replace(MARKS, **wrong)  # type: ignore[arg-type]


def test_a_service_that_starts_anew_clears_the_alarm_of_the_one_before_and_raises_none_twice() -> None:
    bench = Bench(free_mb=100)
    bench.look()
    bench.state = DiskState()
    bench.look()
    bench.state = DiskState()
    bench.look(free_mb=9_000)
    assert bench.told() == [("alarm.raised", "full"), ("alarm.cleared", "ample")]
