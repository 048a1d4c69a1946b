"""How fast events come and how long the disk lasts."""

from __future__ import annotations

import pytest

from edge.services.outbox_figures import bytes_per_event, events_per_day, figure_lines, outbox_figures
from edge.services.outbox_records import OutboxDepth, OutboxPace

HOUR = 3_600_000
NOW = 100 * 24 * HOUR
DEPTH = OutboxDepth(1_000, NOW - 3 * HOUR, 10_000, 9_000, NOW - 3 * HOUR, 9_001, 820_000, 0)


def test_the_pace_is_that_of_the_last_day() -> None:
    notes = [
        OutboxPace(NOW - 48 * HOUR, 0),
        OutboxPace(NOW - 24 * HOUR, 4_000),
        OutboxPace(NOW - HOUR, 9_900),
    ]
    assert events_per_day(DEPTH, notes, NOW) == 6_000


def test_an_hours_pace_is_stretched_to_a_day() -> None:
    assert events_per_day(DEPTH, [OutboxPace(NOW - HOUR, 9_900)], NOW) == 2_400


@pytest.mark.parametrize("notes", [[], [OutboxPace(NOW - 60_000, 9_000)], [OutboxPace(NOW + HOUR, 1)]])
def test_a_few_minutes_or_a_clock_that_was_set_tell_no_pace(notes: list[OutboxPace]) -> None:
    assert events_per_day(DEPTH, notes, NOW) is None


def test_a_pace_older_than_a_day_is_better_than_none() -> None:
    assert events_per_day(DEPTH, [OutboxPace(NOW - 48 * HOUR, 0)], NOW) == 5_000


def test_the_disk_lasts_as_long_as_the_spare_room_at_this_pace() -> None:
    notes = [OutboxPace(NOW - 24 * HOUR, 0)]
    each = bytes_per_event(DEPTH)
    assert each > 820
    figures = outbox_figures(DEPTH, notes, 10_000 * each * 7, NOW)
    assert figures.days_left == pytest.approx(7)
    assert outbox_figures(DEPTH, notes, -5, NOW).days_left == 0
    assert outbox_figures(DEPTH, notes, None, NOW).days_left is None


def test_without_events_nothing_runs_out() -> None:
    notes = [OutboxPace(NOW - 24 * HOUR, DEPTH.last_sequence)]
    figures = outbox_figures(DEPTH, notes, 10**9, NOW)
    assert (figures.events_per_day, figures.days_left) == (0, None)


def test_people_read_ages_pace_and_days() -> None:
    lines = figure_lines(outbox_figures(DEPTH, [OutboxPace(NOW - 24 * HOUR, 0)], 10**9, NOW))
    text = "\n".join(lines)
    assert "1000 events, 801 KiB" in text
    assert "3 hours ago" in text
    assert "10,000 events a day" in text
    assert "days without HQ" in text
    assert "outbox dead" not in text
