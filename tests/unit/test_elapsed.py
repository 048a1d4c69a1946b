"""How long it was between two instants: by boot time within a run, by proof over several."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.clock import Instant
from edge.elapsed import Boot, Elapsed, elapsed, ran_ms

MINUTE, HOUR = 60_000, 3_600_000
AT = 1_795_336_000_000


def ns(milliseconds: int) -> int:
    return milliseconds * 1_000_000


def instant(wall_at: int, boot: str, boot_ms: int, *, trusted: bool = True) -> Instant:
    return Instant(wall_at, boot, ns(boot_ms), trusted)


ENTRY = instant(AT, "a", HOUR)
#: The run of the entry as it was left: four hours long, set by a time source from its first minute on.
RUN = Boot(1, "a", ns(4 * HOUR), AT + 3 * HOUR, ns(MINUTE), AT - HOUR)


@pytest.mark.parametrize("step_ms", [0, 3 * HOUR, -3 * HOUR, -AT, 270 * 24 * HOUR, -30_000])
def test_within_one_run_no_step_of_the_wall_clock_changes_what_has_passed(step_ms: int) -> None:
    own = replace(RUN, stepped_ns=ns(HOUR + MINUTE)) if step_ms else RUN
    found = elapsed((own,), ENTRY, instant(AT + 2 * HOUR + step_ms, "a", 3 * HOUR))
    assert found == Elapsed(2 * HOUR, 2 * HOUR, True, AT + step_ms, AT + 2 * HOUR + step_ms)


def test_a_crystal_that_is_fast_charges_nobody_for_it_while_a_time_source_holds_the_wall_clock() -> None:
    true_ms, shown_ms = 10 * HOUR, 10 * HOUR * 102 // 100
    found = elapsed((RUN,), ENTRY, instant(AT + true_ms, "a", HOUR + shown_ms))
    assert (found.least_ms, found.sure) == (true_ms, True)


def test_two_percent_are_taken_off_time_that_no_time_source_held() -> None:
    entry = instant(0, "a", HOUR, trusted=False)
    own = Boot(1, "a", ns(HOUR), 0)
    found = elapsed((own,), entry, instant(10 * HOUR, "a", 11 * HOUR, trusted=False))
    assert found == Elapsed(10 * HOUR * 98 // 100, 10 * HOUR, False)
    assert found.least_ms <= 10 * HOUR / 1.02


def test_an_entry_without_time_is_known_as_soon_as_the_clock_is_set_in_the_same_run() -> None:
    entry = instant(0, "a", HOUR, trusted=False)
    own = Boot(1, "a", ns(2 * HOUR), AT, ns(HOUR), AT - 2 * HOUR)
    found = elapsed((own,), entry, instant(AT + HOUR, "a", 3 * HOUR))
    # Held since an hour after the start, that is since the entry: nothing is taken off.
    assert found == Elapsed(2 * HOUR, 2 * HOUR, True, AT - HOUR, AT + HOUR)


def test_over_a_restart_two_clocks_that_were_set_say_what_has_passed() -> None:
    found = elapsed((RUN,), ENTRY, instant(AT + 5 * HOUR, "b", 10 * MINUTE))
    assert found == Elapsed(5 * HOUR, 5 * HOUR, True, AT, AT + 5 * HOUR)


def test_a_wall_clock_that_lost_half_a_minute_over_a_restart_does_not_make_a_stay_free() -> None:
    entry, run = instant(AT, "a", HOUR), replace(RUN, seen_ns=ns(HOUR + 4_000))
    found = elapsed((run,), entry, instant(AT - 15_000, "b", 11_000))
    assert (found.least_ms, found.sure) == (4_000 + 11_000 * 98 // 100, False)


def test_what_runs_lasted_is_the_least_when_the_clock_has_not_been_set_since() -> None:
    between = Boot(2, "b", ns(2 * HOUR), 5)
    now = instant(7, "c", HOUR, trusted=False)
    found = elapsed((RUN, between), ENTRY, now)
    least = 3 * HOUR + (2 * HOUR + HOUR) * 98 // 100
    assert found == Elapsed(least, None, False, AT, None)


def test_an_entry_without_time_is_the_least_long_ago_that_the_runs_allow() -> None:
    entry = instant(0, "a", HOUR, trusted=False)
    run = Boot(1, "a", ns(4 * HOUR), 0)
    found = elapsed((run,), entry, instant(AT, "b", HOUR))
    assert (found.least_ms, found.most_ms, found.sure) == (4 * HOUR * 98 // 100, None, False)
    assert (found.early_at, found.late_at) == (None, AT)


def test_an_entry_without_time_between_two_runs_that_were_set_is_bounded_on_both_sides() -> None:
    first = Boot(1, "a", ns(HOUR), AT + HOUR, 0, AT)
    dark = Boot(2, "b", ns(HOUR), 0)
    entry, now = instant(0, "b", HOUR // 2, trusted=False), instant(AT + 10 * HOUR, "c", HOUR)
    found = elapsed((first, dark), entry, now)
    # At least what is left of its run and the present one; at most all since half an hour after the first.
    assert found.least_ms == (HOUR // 2 + HOUR) * 98 // 100
    assert found.most_ms == 10 * HOUR - HOUR - HOUR // 2 * 98 // 100
    assert not found.sure


def test_two_runs_that_were_set_bound_what_lies_between_them_whatever_came_before_and_after() -> None:
    dark, later = Boot(1, "a", ns(HOUR), 0), Boot(4, "d", ns(HOUR), 0)
    noon = Boot(2, "b", ns(HOUR), AT + HOUR, 0, AT)
    evening = Boot(3, "c", ns(HOUR), AT + 7 * HOUR, 0, AT + 6 * HOUR)
    entry, now = instant(0, "a", HOUR, trusted=False), instant(0, "d", HOUR, trusted=False)
    found = elapsed((dark, noon, evening, later), entry, now)
    # From the noon run's start to the evening run's end seven hours passed, and the present run's one.
    assert found == Elapsed(7 * HOUR + HOUR * 98 // 100 - HOUR * 2 // 100, None, False)


def test_a_run_that_no_heartbeat_told_of_counts_from_the_instants_alone() -> None:
    assert elapsed((), ENTRY, instant(AT + 9 * HOUR, "z", HOUR)).least_ms == 9 * HOUR
    dark = instant(0, "z", HOUR, trusted=False)
    assert elapsed((), ENTRY, dark).least_ms == HOUR * 98 // 100


@pytest.mark.parametrize("step_ms", [0, HOUR, -HOUR, -AT])
def test_what_the_machine_ran_is_told_by_no_wall_clock(step_ms: int) -> None:
    between = Boot(2, "b", ns(2 * HOUR), AT + step_ms, 0, AT + step_ms - 2 * HOUR)
    assert ran_ms((RUN,), ENTRY, instant(AT + step_ms, "a", 3 * HOUR)) == 2 * HOUR
    now = instant(AT + 9 * HOUR + step_ms, "c", HOUR)
    assert ran_ms((RUN, between), ENTRY, now) == 5 * HOUR + HOUR * 98 // 100


def test_of_a_run_without_a_heartbeat_only_the_present_one_counts() -> None:
    assert ran_ms((), ENTRY, instant(AT + 9 * HOUR, "c", MINUTE)) == MINUTE * 98 // 100


@pytest.mark.parametrize("step_ms", [3 * HOUR, -3 * HOUR])
def test_a_clock_set_since_the_last_heartbeat_proves_no_more_than_one_whose_step_was_told(
    step_ms: int,
) -> None:
    own = Boot(2, "b", ns(10 * MINUTE), AT + 5 * HOUR, ns(MINUTE), AT + 5 * HOUR - 10 * MINUTE)
    now = instant(AT + 5 * HOUR + MINUTE // 2 + step_ms, "b", 10 * MINUTE + MINUTE // 2)
    told = replace(own, stepped_ns=now.boottime_ns)
    assert elapsed((RUN, own), ENTRY, now) == elapsed((RUN, told), ENTRY, now)
    assert elapsed((RUN, own), ENTRY, now).least_ms == ran_ms((RUN, own), ENTRY, now)
    right = replace(now, wall_at=now.wall_at - step_ms)
    assert elapsed((RUN, own), ENTRY, right).least_ms == 5 * HOUR + MINUTE // 2


def test_an_entry_after_a_step_that_no_heartbeat_told_of_is_no_known_moment() -> None:
    late = instant(AT + 3 * HOUR + MINUTE + 9 * HOUR, "a", 4 * HOUR + MINUTE)
    now = instant(AT + 20 * HOUR, "b", HOUR)
    assert not elapsed((RUN,), late, now).sure
    assert elapsed((RUN,), replace(late, wall_at=late.wall_at - 9 * HOUR), now).sure
