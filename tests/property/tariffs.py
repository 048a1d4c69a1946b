"""Tariffs, calendars and stays of all kinds, made up by hypothesis."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import strategies as st

from edge.parking.calendar import Calendar, CalendarDay, NamedDay, RateDays, make_calendar
from edge.parking.tariff_document import (
    DAY_MIN,
    Boundary,
    FreeTime,
    MinutesFrom,
    RateLine,
    Restart,
    Rounding,
    Tariff,
)

#: 2026-09-28T00:00Z in minutes: a Monday before the national holidays.
FIRST_MIN = 29_842_560

_CLOCKS = (0, 300, 420, 480, 1_200, 1_320, DAY_MIN)


@st.composite
def rate_lines(draw: st.DrawFn) -> RateLine:
    step = draw(st.sampled_from((1, 15, 30, 60, 120, 720, 1_440)))
    by_min = draw(st.sampled_from([0, 0, 1, step]))
    begin = draw(st.sampled_from(_CLOCKS[:-1]))
    end = draw(st.sampled_from([one for one in _CLOCKS if one not in (begin, 0)]))
    price = draw(st.integers(0, 2_000))
    cap = draw(st.none() | st.integers(price, 6_000))
    return RateLine(
        step,
        price,
        draw(st.sampled_from(("", "", "small", "large"))),
        draw(st.sampled_from(RateDays)),
        *draw(st.sampled_from(((0, DAY_MIN), (begin, end)))),
        draw(st.sampled_from((0, 0, 60, 90, 1_000))),
        cap,
        draw(st.sampled_from(("", "", "green"))),
        by_min,
    )


@st.composite
def tariffs(draw: st.DrawFn) -> Tariff:
    lines = draw(st.lists(rate_lines(), min_size=1, max_size=5, unique_by=_place))
    unit = draw(st.sampled_from((0, 0, 50, 100)))
    caps = st.none() | st.integers(10, 80).map(lambda number: number * 100)
    return Tariff(
        "t",
        "t",
        0,
        draw(st.sampled_from((0, 15, 60))),
        draw(caps),
        tuple(lines),
        draw(st.sampled_from(FreeTime)),
        draw(caps),
        draw(caps),
        draw(st.sampled_from(Restart)),
        draw(st.sampled_from(Boundary)),
        unit,
        draw(st.sampled_from(Rounding)),
        minutes_from=draw(st.sampled_from(MinutesFrom)),
    )


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    days = draw(st.lists(st.tuples(st.integers(0, 12), st.sampled_from(NamedDay)), max_size=5))
    return make_calendar(CalendarDay(date(2026, 9, 28) + timedelta(days=day), kind) for day, kind in days)


def _place(line: RateLine) -> tuple[object, ...]:
    return line.vehicle_class, line.colour, line.days, line.from_min, line.to_min, line.after_min
