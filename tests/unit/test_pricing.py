"""What a stay costs, by tariffs as Chinese car parks post them; each figure is worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from edge.codes.sheet import MAX_AT
from edge.parking.benefit import Benefit, BenefitKind
from edge.parking.calendar import Calendar, CalendarDay, NamedDay, RateDays, make_calendar
from edge.parking.pricing import Stay, quote_stay
from edge.parking.quote import Quote, SegmentKind, Settlement
from edge.parking.stay_charges import price_fen
from edge.parking.tariff_document import (
    Boundary,
    FreeTime,
    MinutesFrom,
    RateLine,
    Restart,
    Rounding,
    Tariff,
)
from edge.parking.tariff_plan import Plan
from edge.parking.vehicle import PlateColour, VehicleClass

ZONE = ZoneInfo("Asia/Shanghai")
MINUTE = 60_000
HOUR = 60 * MINUTE

#: 首小时10元，之后每小时5元，24小时封顶60元，15分钟免费。
FIRST_HOUR = Tariff(
    "mall", "首小时10元", 0, 15, 6_000, (RateLine(60, 1_000), RateLine(60, 500, after_min=60))
)

#: 白天每小时4元，夜间 20:00-08:00 每次5元。
NIGHTS = Tariff(
    "night",
    "夜间5元",
    0,
    0,
    None,
    (RateLine(60, 400, from_min=480, to_min=1_200), RateLine(720, 500, from_min=1_200, to_min=480)),
)


def at(text: str, zone: ZoneInfo = ZONE) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


def fen(tariff: Tariff, begin: str, end: str, calendar: Calendar | None = None) -> int:
    return price_fen(Plan(tariff, ZONE, calendar), at(begin), at(end))


def quote(
    tariff: Tariff, begin: str, end: str, *benefits: Benefit, paid: tuple[Settlement, ...] = ()
) -> Quote:
    found = quote_stay(Plan(tariff, ZONE), Stay("s", at(begin)), at(end), benefits, paid)
    assert sum(one.amount_fen for one in found.segments) == found.total_fen
    return found


def paid(amount_fen: int, until: str) -> Settlement:
    return Settlement("p", "s", "o", amount_fen, at(until), at(until))


@pytest.mark.parametrize(
    ("minutes", "due"),
    [(15, 0), (16, 1_000), (60, 1_000), (61, 1_500), (120, 1_500), (121, 2_000), (24 * 60, 6_000)],
)
def test_first_hour_then_each_begun_hour(minutes: int, due: int) -> None:
    begin = at("2026-11-20T09:00")
    assert price_fen(Plan(FIRST_HOUR, ZONE), begin, begin + minutes * MINUTE) == due


def test_the_24_hours_limit_counts_from_the_entry_and_the_next_24_hours_go_on() -> None:
    assert fen(FIRST_HOUR, "2026-11-20T09:00", "2026-11-21T09:00") == 6_000
    assert fen(FIRST_HOUR, "2026-11-20T09:00", "2026-11-21T10:30") == 6_000 + 2 * 500


def test_each_24_hours_may_begin_with_the_first_block_again() -> None:
    anew = Tariff("m", "m", 0, 15, 6_000, FIRST_HOUR.lines, restart=Restart.CYCLE)
    assert fen(anew, "2026-11-20T09:00", "2026-11-21T10:30") == 6_000 + 1_000 + 500
    dates = Tariff("m", "m", 0, 15, None, FIRST_HOUR.lines, restart=Restart.DATE)
    assert fen(dates, "2026-11-20T22:30", "2026-11-21T00:30") == (1_000 + 500) + 1_000


def test_kept_free_time_is_free_in_longer_stays_too_and_charged_free_time_is_not() -> None:
    steps = (RateLine(60, 500),)
    charged = Tariff("c", "c", 0, 30, None, steps)
    kept = Tariff("k", "k", 0, 30, None, steps, FreeTime.KEPT)
    for end, charged_fen, kept_fen in (("09:30", 0, 0), ("09:31", 500, 500), ("10:20", 1_000, 500)):
        assert fen(charged, "2026-11-20T09:00", f"2026-11-20T{end}") == charged_fen
        assert fen(kept, "2026-11-20T09:00", f"2026-11-20T{end}") == kept_fen


def test_a_night_costs_its_price_once_and_days_count_by_themselves() -> None:
    assert fen(NIGHTS, "2026-11-20T19:30", "2026-11-20T19:50") == 400
    assert fen(NIGHTS, "2026-11-20T19:30", "2026-11-21T07:59") == 400 + 500
    assert fen(NIGHTS, "2026-11-20T19:30", "2026-11-21T08:01") == 400 + 500 + 400
    assert fen(NIGHTS, "2026-11-20T23:00", "2026-11-22T07:00") == 500 + 12 * 400 + 500


def test_a_step_may_run_over_the_end_of_its_window() -> None:
    finishing = Tariff("f", "f", 0, 0, None, NIGHTS.lines, boundary=Boundary.FINISH)
    assert fen(finishing, "2026-11-20T19:30", "2026-11-20T20:20") == 400
    assert fen(finishing, "2026-11-20T19:30", "2026-11-20T20:31") == 400 + 500


def test_a_window_costs_its_limit_at_most_each_time_it_opens() -> None:
    lines = (RateLine(30, 300, from_min=480, to_min=1_200, cap_fen=2_000),)
    capped = Tariff("c", "c", 0, 0, None, lines)
    assert fen(capped, "2026-11-20T09:00", "2026-11-20T19:00") == 2_000
    assert fen(capped, "2026-11-20T09:00", "2026-11-21T09:00") == 2_000 + 2 * 300


def test_limits_of_a_date_and_of_a_visit() -> None:
    dates = Tariff("d", "d", 0, 0, None, (RateLine(60, 500),), date_cap_fen=3_000)
    assert fen(dates, "2026-11-20T12:00", "2026-11-21T03:00") == 3_000 + 3 * 500
    visits = Tariff("v", "v", 0, 0, None, (RateLine(60, 500),), visit_cap_fen=3_000)
    assert fen(visits, "2026-11-20T12:00", "2026-11-25T12:00") == 3_000


@pytest.mark.parametrize("where", ["day_cap_fen", "date_cap_fen", "visit_cap_fen"])
def test_a_limit_of_one_fen_less_than_the_steps_takes_one_fen_off(where: str) -> None:
    tariff = replace(Tariff("l", "l", 0, 0, None, (RateLine(60, 500),)), **{where: 999})
    assert fen(tariff, "2026-11-20T12:00", "2026-11-20T14:00") == 999
    window = Tariff("w", "w", 0, 0, None, (RateLine(60, 500, cap_fen=999),))
    assert fen(window, "2026-11-20T12:00", "2026-11-20T14:00") == 999


def test_first_minutes_of_several_benefits_follow_one_another() -> None:
    tariff = Tariff("m", "m", 0, 0, None, (RateLine(60, 500),), minutes_from=MinutesFrom.START)
    one, two = Benefit("1", BenefitKind.MINUTES, 60), Benefit("2", BenefitKind.MINUTES, 60)
    found = quote(tariff, "2026-11-20T09:00", "2026-11-20T12:00", one, two)
    assert (found.gross_fen, found.due_fen) == (1_500, 500)


def test_a_price_by_the_minute_has_no_rounding_error_over_hours() -> None:
    minutes = Tariff("m", "m", 0, 0, None, (RateLine(60, 500, by_min=1),))
    assert fen(minutes, "2026-11-20T12:00", "2026-11-20T12:01") == 8
    assert fen(minutes, "2026-11-20T12:00", "2026-11-20T12:30") == 250
    assert fen(minutes, "2026-11-20T12:00", "2026-11-20T15:00") == 1_500


@pytest.mark.parametrize(
    ("rounding", "due"), [(Rounding.DOWN, 400), (Rounding.UP, 450), (Rounding.NEAREST, 400)]
)
def test_the_fee_is_rounded_to_half_a_yuan(rounding: Rounding, due: int) -> None:
    lines = (RateLine(60, 500, by_min=1),)
    rounded = Tariff("m", "m", 0, 0, None, lines, round_fen=50, rounding=rounding)
    assert fen(rounded, "2026-11-20T12:00", "2026-11-20T12:50") == due
    assert quote(rounded, "2026-11-20T12:00", "2026-11-20T12:50").due_fen == due


def test_weekends_holidays_and_worked_weekends_have_their_own_prices() -> None:
    lines = (
        RateLine(60, 500),
        RateLine(60, 800, days=RateDays.RESTDAY),
        RateLine(60, 1_200, days=RateDays.HOLIDAY),
    )
    tariff = Tariff("w", "w", 0, 0, None, lines)
    calendar = make_calendar(
        CalendarDay(datetime.fromisoformat(day).date(), kind)
        for day, kind in (("2026-10-01", NamedDay.HOLIDAY), ("2026-10-10", NamedDay.WORKDAY))
    )
    for day, due in (("09-30", 500), ("10-01", 1_200), ("10-10", 500), ("10-11", 800)):
        assert fen(tariff, f"2026-{day}T12:00", f"2026-{day}T12:30", calendar) == due


def test_a_rate_of_a_class_or_colour_holds_before_the_rate_for_all() -> None:
    lines = (RateLine(60, 500), RateLine(60, 900, "large"), RateLine(60, 300, colour="green"))
    tariff = Tariff("c", "c", 0, 0, None, lines)
    for vehicle, colour, due in (
        (VehicleClass.SMALL, PlateColour.BLUE, 500),
        (VehicleClass.LARGE, PlateColour.YELLOW, 900),
        (VehicleClass.SMALL, PlateColour.GREEN, 300),
    ):
        plan = Plan(tariff, ZONE, None, vehicle, colour)
        assert price_fen(plan, 0, 30 * MINUTE) == due


def test_a_time_without_a_rate_costs_nothing() -> None:
    days = Tariff("d", "d", 0, 0, None, (RateLine(60, 500, from_min=480, to_min=1_200),))
    assert fen(days, "2026-11-20T21:00", "2026-11-21T07:00") == 0
    assert quote(days, "2026-11-20T21:00", "2026-11-21T07:00").next_raise_at == at("2026-11-21T08:00") + 1


def test_a_stay_without_free_time_is_charged_from_its_first_minute() -> None:
    begin = at("2026-11-20T09:00")
    again = quote_stay(Plan(FIRST_HOUR, ZONE), Stay("s", begin, free=False), begin + 5 * MINUTE)
    assert again.due_fen == 1_000


def test_the_next_rise_is_exact_and_tells_what_will_be_due() -> None:
    free = quote(FIRST_HOUR, "2026-11-20T09:00", "2026-11-20T09:10")
    assert (free.due_fen, free.next_raise_at, free.next_raise_fen) == (0, at("2026-11-20T09:15") + 1, 1_000)
    assert free.allowed_exit_at == at("2026-11-20T09:15")
    first = quote(FIRST_HOUR, "2026-11-20T09:00", "2026-11-20T09:30")
    assert (first.due_fen, first.next_raise_at, first.next_raise_fen) == (
        1_000,
        at("2026-11-20T10:00") + 1,
        1_500,
    )
    assert first.allowed_exit_at is None
    capped = quote(FIRST_HOUR, "2026-11-20T09:00", "2026-11-21T01:00")
    assert (capped.due_fen, capped.next_raise_at) == (6_000, at("2026-11-21T09:00") + 1)


def test_a_fee_that_never_rises_says_so() -> None:
    visit = Tariff("v", "v", 0, 0, None, (RateLine(1_440, 1_000),), visit_cap_fen=1_000)
    found = quote(visit, "2026-11-20T09:00", "2026-11-20T09:30", paid=(paid(1_000, "2026-11-20T09:20"),))
    assert (found.due_fen, found.next_raise_at, found.allowed_exit_at) == (0, None, MAX_AT)


def test_after_payment_there_is_time_to_drive_out_and_then_the_rest_of_the_same_stay_is_due() -> None:
    settled = (paid(1_000, "2026-11-20T09:55"),)
    inside = quote(FIRST_HOUR, "2026-11-20T09:00", "2026-11-20T10:10", paid=settled)
    assert (inside.total_fen, inside.paid_fen, inside.due_fen) == (1_500, 1_000, 0)
    assert inside.allowed_exit_at == at("2026-11-20T10:10")
    assert (inside.next_raise_at, inside.next_raise_fen) == (at("2026-11-20T10:10") + 1, 500)
    late = quote(FIRST_HOUR, "2026-11-20T09:00", "2026-11-20T10:11", paid=settled)
    assert late.due_fen == 500, "the first block is not charged again"


def test_a_tariff_may_give_its_own_time_to_drive_out() -> None:
    brief = Tariff("b", "b", 0, 15, 6_000, FIRST_HOUR.lines, grace_s=120)
    found = quote(brief, "2026-11-20T09:00", "2026-11-20T10:03", paid=(paid(1_000, "2026-11-20T10:00"),))
    assert found.due_fen == 500


def test_money_that_did_not_cover_all_gives_no_time_to_drive_out() -> None:
    found = quote(FIRST_HOUR, "2026-11-20T09:00", "2026-11-20T10:31", paid=(paid(500, "2026-11-20T10:30"),))
    assert (found.due_fen, found.allowed_exit_at) == (1_000, None)


@pytest.mark.parametrize(
    ("minutes_from", "due"),
    [(MinutesFrom.END, 1_000), (MinutesFrom.START, 500)],
)
def test_minutes_are_taken_from_the_end_that_the_tariff_says(minutes_from: MinutesFrom, due: int) -> None:
    tariff = Tariff("m", "m", 0, 15, 6_000, FIRST_HOUR.lines, minutes_from=minutes_from)
    two_hours = Benefit("b", BenefitKind.MINUTES, 120, label="满300减2小时")
    found = quote(tariff, "2026-11-20T09:00", "2026-11-20T12:00", two_hours)
    assert (found.gross_fen, found.due_fen, found.used) == (2_000, due, ("b",))
    [taken] = [one for one in found.segments if one.kind is SegmentKind.BENEFIT]
    span = ("10:00", "12:00") if minutes_from is MinutesFrom.END else ("09:00", "11:00")
    assert (taken.from_at, taken.to_at) == tuple(at(f"2026-11-20T{clock}") for clock in span)


def test_minutes_of_several_benefits_add_up() -> None:
    one, two = Benefit("1", BenefitKind.MINUTES, 60), Benefit("2", BenefitKind.MINUTES, 60)
    found = quote(FIRST_HOUR, "2026-11-20T09:00", "2026-11-20T12:00", one, two)
    assert found.due_fen == 1_000
    assert found.next_raise_at == at("2026-11-20T12:00") + 1


def test_benefits_are_taken_in_their_order() -> None:
    amount, half = Benefit("a", BenefitKind.AMOUNT, 500), Benefit("h", BenefitKind.PERMILLE, 500)
    stay = ("2026-11-20T09:00", "2026-11-20T12:00")
    assert quote(FIRST_HOUR, *stay, amount, half).due_fen == 1_000 - 500
    first = Benefit("a", BenefitKind.AMOUNT, 500, order=-1)
    assert quote(FIRST_HOUR, *stay, first, half).due_fen == (2_000 - 500) // 2
    assert quote(FIRST_HOUR, *stay, Benefit("x", BenefitKind.ALL)).due_fen == 0
    assert quote(FIRST_HOUR, *stay, Benefit("x", BenefitKind.AMOUNT, 9_999)).due_fen == 0


def test_another_tariff_is_taken_only_where_it_is_lower() -> None:
    cheap = Plan(Tariff("staff", "staff", 0, 0, None, (RateLine(1_440, 300),)), ZONE)
    benefit = Benefit("t", BenefitKind.TARIFF, tariff_id="staff")
    begin = at("2026-11-20T09:00")
    for minutes, due in ((10, 0), (180, 300)):
        found = quote_stay(
            Plan(FIRST_HOUR, ZONE),
            Stay("s", begin),
            begin + minutes * MINUTE,
            (benefit,),
            others={"staff": cheap},
        )
        assert found.due_fen == due
    lost = quote(FIRST_HOUR, "2026-11-20T09:00", "2026-11-20T12:00", benefit)
    assert (lost.due_fen, lost.used) == (2_000, ())


def test_segments_tell_rates_limits_and_benefits_in_order() -> None:
    found = quote(FIRST_HOUR, "2026-11-20T09:00", "2026-11-20T23:00", Benefit("a", BenefitKind.AMOUNT, 1_000))
    told = [(one.kind, one.amount_fen, one.words) for one in found.segments]
    assert told == [
        (SegmentKind.CHARGED, 1_000, "rate_steps"),
        (SegmentKind.CHARGED, 6_500, "rate_steps"),
        (SegmentKind.CAP, -1_500, "cap_cycle"),
        (SegmentKind.BENEFIT, -1_000, "benefit_amount"),
    ]
    assert found.segments[1].params["steps"] == 13


def test_a_stay_that_seems_to_end_before_it_began_costs_nothing() -> None:
    found = quote(NIGHTS, "2026-11-20T09:00", "2026-11-20T08:00")
    assert (found.due_fen, found.at) == (0, at("2026-11-20T09:00"))
