"""What every clock promises."""

from __future__ import annotations

import pytest

from edge.clock import SystemClock
from edge.services.ports import Clock
from sim.fakes.clock import FakeClock


@pytest.fixture(params=[FakeClock, SystemClock], ids=["fake", "real"])
def clock(request: pytest.FixtureRequest) -> Clock:
    made: Clock = request.param()
    return made


def test_boot_time_never_goes_back(clock: Clock) -> None:
    seen = [clock.now().boottime_ns for _ in range(1_000)]
    assert seen == sorted(seen)
    assert seen[0] > 0


def test_one_boot_has_one_id_of_36_characters(clock: Clock) -> None:
    first, second = clock.now(), clock.now()
    assert first.boot_id == second.boot_id
    assert len(first.boot_id) == 36


def test_wall_time_is_in_unix_milliseconds(clock: Clock) -> None:
    year_2020, year_2100 = 1_577_836_800_000, 4_102_444_800_000
    assert year_2020 < clock.now().wall_at < year_2100


def test_an_interval_within_one_boot_is_never_negative(clock: Clock) -> None:
    earlier = clock.now()
    assert clock.now().since_ms(earlier) >= 0


def test_a_step_of_the_wall_clock_does_not_stretch_an_interval() -> None:
    clock = FakeClock()
    earlier = clock.now()
    clock.advance(2_000)
    clock.set_wall(-3_600_000)
    assert clock.now().since_ms(earlier) == 2_000
    assert clock.now().wall_at < earlier.wall_at


def test_over_a_reboot_an_interval_follows_the_wall_clock() -> None:
    clock = FakeClock()
    earlier = clock.now()
    clock.reboot(40_000)
    assert clock.now().boot_id != earlier.boot_id
    assert clock.now().since_ms(earlier) == 40_000
