"""A tariff is tried out before it is taken: gaps are refused with the stay that shows them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from edge.errors import Invalid
from edge.parking.calendar import CalendarDay, NamedDay, RateDays, make_calendar
from edge.parking.stay_charges import price_fen
from edge.parking.tariff_check import (
    Finding,
    Promise,
    Trial,
    Verdict,
    check_tariff,
    require_sound,
    try_out,
)
from edge.parking.tariff_document import FreeTime, RateLine, Tariff
from edge.parking.tariff_plan import DAY_MS, MINUTE_MS, Plan, Span, local_instant

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")

FROM_AT = int(datetime(2026, 10, 20, tzinfo=SHANGHAI).timestamp() * 1000)

MALL = Tariff("mall", "停车场", FROM_AT, 15, 6_000, (RateLine(60, 1_000), RateLine(60, 500, after_min=60)))


def found(tariff: Tariff, promise: Promise, zone: ZoneInfo = SHANGHAI) -> Finding:
    [one] = [one for one in check_tariff(tariff, zone) if one.promise is promise]
    return one


def test_a_sound_tariff_passes_all_but_splitting() -> None:
    verdicts = {one.promise: one.verdict for one in check_tariff(MALL, SHANGHAI)}
    assert verdicts.pop(Promise.SPLITTING) is Verdict.WARN
    assert set(verdicts.values()) == {Verdict.PASS}
    assert len(verdicts) == len(Promise) - 1


def test_the_worst_split_is_told_with_amounts_and_times() -> None:
    said = found(MALL, Promise.SPLITTING).said
    assert "00:30 costs 10.00, but 0.00 for a vehicle that leaves after 15 min and comes again" in said


def test_without_a_second_free_time_splitting_saves_less() -> None:
    strict = found(replace(MALL, reentry_min=120), Promise.SPLITTING)
    assert "01:15 costs 15.00, but 10.00 for a vehicle that leaves after 15 min" in strict.said
    assert found(Tariff("f", "f", FROM_AT, 0, None, (RateLine(60, 500),)), Promise.SPLITTING).verdict is (
        Verdict.PASS
    )


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ((RateLine(60, 500, from_min=480, to_min=1_200),), "no rate holds from "),
        ((RateLine(60, 500, days=RateDays.WORKDAY),), "Sun "),
        ((RateLine(60, 500, after_min=30),), "no rate holds from "),
        ((RateLine(60, 500, colour="green"),), "no rate holds from "),
    ],
)
def test_a_time_without_a_rate_is_told(lines: tuple[RateLine, ...], told: str) -> None:
    gap = found(Tariff("g", "g", FROM_AT, 0, None, lines), Promise.COVERED)
    assert gap.verdict is Verdict.FAIL
    assert told in gap.said
    with pytest.raises(Invalid, match=r"tariff g breaks 'no gap in windows': .*no rate holds from"):
        require_sound((MALL, Tariff("g", "g", FROM_AT, 0, None, lines)), SHANGHAI)


def test_a_public_holiday_without_a_rate_is_found_by_the_calendar() -> None:
    lines = (RateLine(60, 500, days=RateDays.WORKDAY), RateLine(60, 800, days=RateDays.WEEKEND))
    tariff = Tariff("h", "h", FROM_AT, 0, None, lines)
    assert found(tariff, Promise.COVERED).verdict is Verdict.PASS
    holiday = make_calendar([CalendarDay(date(2027, 1, 1), NamedDay.HOLIDAY)])
    [gap] = [one for one in check_tariff(tariff, SHANGHAI, holiday) if one.promise is Promise.COVERED]
    assert "2027-01-01" in gap.said or "2026-12-31" in gap.said


def test_the_meaning_of_the_free_minutes_is_told_with_a_price() -> None:
    assert "a longer stay is charged from its entry" in found(MALL, Promise.FREE_TIME).said
    kept = replace(MALL, free=FreeTime.KEPT)
    assert "counting begins after them" in found(kept, Promise.FREE_TIME).said


def test_hours_that_the_clock_skips_or_shows_twice_are_neither_lost_nor_charged_twice() -> None:
    tariff = Tariff("z", "z", 0, 0, None, (RateLine(60, 100, from_min=60, to_min=240), RateLine(60, 500)))
    plan = Plan(replace(tariff, lines=(tariff.lines[0], RateLine(60, 500, from_min=240, to_min=60))), BERLIN)
    for day, hours in ((date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 10, 26), 24)):
        spans = plan.day(day.toordinal())
        assert sum(span.to_at - span.from_at for span in spans) == hours * DAY_MS // 24
        night = [span for span in spans if span.window is not None and span.window.from_min == 60]
        begin, end = night[0].from_at, night[-1].to_at
        assert price_fen(plan, begin, end) == (hours - 21) * 100, "real hours are counted"


def test_a_boundary_in_the_skipped_hour_is_at_the_jump_and_a_double_one_counts_first() -> None:
    jump = local_instant(date(2026, 3, 29).toordinal(), 150, BERLIN)
    assert jump == int(datetime(2026, 3, 29, 3, tzinfo=BERLIN).timestamp() * 1000)
    twice = local_instant(date(2026, 10, 25).toordinal(), 150, BERLIN)
    assert twice == int(datetime(2026, 10, 25, 2, 30, fold=0, tzinfo=BERLIN).timestamp() * 1000)


def test_clock_changes_are_among_the_stays_that_are_tried() -> None:
    assert found(MALL, Promise.CLOCK, BERLIN).verdict is Verdict.PASS
    assert found(MALL, Promise.NEVER_FALLS, BERLIN).verdict is Verdict.PASS


class Leaving(Plan):
    """A plan that has lost an hour of each stretch of time."""

    def spans(self, from_at: int, to_at: int) -> Iterator[Span]:
        for span in super().spans(from_at, to_at):
            yield span._replace(from_at=min(span.to_at, span.from_at + 3_600_000))


class Falling(Plan):
    """A plan that gives a stay of more than two hours for nothing."""

    def spans(self, from_at: int, to_at: int) -> Iterator[Span]:
        for span in super().spans(from_at, to_at):
            yield span._replace(window=span.window if to_at - from_at <= 120 * MINUTE_MS else None)


class Ending(Plan):
    """A plan that forgets what is after a day."""

    def spans(self, from_at: int, to_at: int) -> Iterator[Span]:
        yield from super().spans(from_at, min(to_at, from_at + DAY_MS))


HOURS = tuple(range(0, 300 * MINUTE_MS, 45 * MINUTE_MS))


def broken(tariff: Tariff, plan: Plan) -> dict[Promise, Finding]:
    found = try_out(Trial(tariff, SHANGHAI, (("", plan),), (FROM_AT,), HOURS))
    return {one.promise: one for one in found if one.verdict is Verdict.FAIL}


def test_a_lost_hour_is_found() -> None:
    found = broken(MALL, Leaving(MALL, SHANGHAI))
    assert "the windows leave out Tue 2026-10-20 00:00 to Tue 2026-10-20 01:00" in found[Promise.CLOCK].said
    assert "no rate holds from Tue 2026-10-20 00:00" in found[Promise.COVERED].said
    assert "the windows end at" in broken(MALL, Ending(MALL, SHANGHAI))[Promise.CLOCK].said


def test_a_price_that_falls_and_a_rise_that_never_comes_are_found() -> None:
    found = broken(MALL, Falling(MALL, SHANGHAI))
    assert "02:15 costs 0.00, 90 min cost 15.00" in found[Promise.NEVER_FALLS].said


class Jumping(Plan):
    """A plan that tells of a rise whenever it looks far ahead."""

    def spans(self, from_at: int, to_at: int) -> Iterator[Span]:
        for span in super().spans(from_at, to_at):
            yield span._replace(window=span.window if to_at - from_at > DAY_MS else None)


def test_a_rise_that_does_not_come_is_found() -> None:
    assert "0.00 was told for Tue" in broken(MALL, Jumping(MALL, SHANGHAI))[Promise.NEXT_RISE].said


@pytest.mark.parametrize("where", ["day_cap_fen", "date_cap_fen", "visit_cap_fen"])
def test_a_limit_that_does_not_hold_is_found(where: str) -> None:
    free = replace(MALL, day_cap_fen=None)
    promised = replace(free, **{where: 1_200})
    said = broken(promised, Plan(free, SHANGHAI))[Promise.LIMITS].said
    assert said == "Tue 2026-10-20 00:00 to Tue 2026-10-20 01:30 costs 15.00, its limits come to 12.00"
