"""Prices of any tariff: as the slow way says, never falling, under their limits, rising when it was said."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.parking.benefit import Benefit, BenefitKind
from edge.parking.calendar import Calendar, CalendarDay, NamedDay, make_calendar
from edge.parking.pricing import Stay, quote_stay
from edge.parking.quote import Settlement
from edge.parking.stay_charges import price_fen
from edge.parking.tariff_document import Tariff, read_tariffs
from edge.parking.tariff_plan import DAY_MS, MINUTE_MS, Plan
from edge.parking.tariff_table import write_tariffs
from edge.parking.vehicle import PlateColour, VehicleClass
from tests.property.slow_tariff import slow_price_fen
from tests.property.tariffs import FIRST_MIN, calendars, tariffs

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")

#: 2026-10-24 in Berlin, the day before the clock goes back; and 2026-03-28, the day before it goes on.
BACK_MIN = 29_880_000
ON_MIN = 29_577_600

vehicles = st.sampled_from(((VehicleClass.SMALL, PlateColour.BLUE), (VehicleClass.LARGE, PlateColour.GREEN)))
entries = st.integers(0, 7 * 1_440)
lengths = st.integers(0, 3 * 1_440)
benefits = st.lists(
    st.builds(
        Benefit,
        st.sampled_from("abc"),
        st.sampled_from((BenefitKind.MINUTES, BenefitKind.AMOUNT, BenefitKind.PERMILLE)),
        st.integers(0, 900),
        order=st.integers(0, 2),
    ),
    max_size=3,
)


def plan_of(tariff: Tariff, calendar: Calendar, vehicle: tuple[VehicleClass, PlateColour]) -> Plan:
    return Plan(tariff, SHANGHAI, calendar, *vehicle)


@settings(max_examples=300, deadline=None)
@given(tariffs(), calendars(), vehicles, entries, lengths)
def test_the_price_is_that_of_the_slow_way(
    tariff: Tariff,
    calendar: Calendar,
    vehicle: tuple[VehicleClass, PlateColour],
    entry: int,
    minutes: int,
) -> None:
    plan = plan_of(tariff, calendar, vehicle)
    entered = FIRST_MIN + entry
    fast = price_fen(plan, entered * MINUTE_MS, (entered + minutes) * MINUTE_MS)
    slow = slow_price_fen(tariff, SHANGHAI, calendar, (vehicle[0], vehicle[1]), entered, minutes)
    assert fast == slow


@settings(max_examples=100, deadline=None)
@given(tariffs(), st.sampled_from((BACK_MIN, ON_MIN)), st.integers(0, 1_440), st.integers(0, 2_880))
def test_never_less_for_longer_over_a_change_of_the_clock(
    tariff: Tariff, day: int, entry: int, minutes: int
) -> None:
    plan = Plan(tariff, BERLIN)
    begin = (day + entry) * MINUTE_MS
    spans = list(plan.spans(begin, begin + minutes * MINUTE_MS))
    assert sum(span.to_at - span.from_at for span in spans) == minutes * MINUTE_MS, "no minute is lost"
    before = price_fen(plan, begin, begin + minutes * MINUTE_MS)
    assert before <= price_fen(plan, begin, begin + (minutes + 60) * MINUTE_MS)


@settings(max_examples=150, deadline=None)
@given(tariffs(), calendars(), vehicles, entries, lengths, st.integers(0, 600), benefits)
def test_a_longer_stay_never_costs_less_whatever_benefits_are_stacked(
    tariff: Tariff,
    calendar: Calendar,
    vehicle: tuple[VehicleClass, PlateColour],
    entry: int,
    minutes: int,
    more: int,
    taken: list[Benefit],
) -> None:
    plan = plan_of(tariff, calendar, vehicle)
    begin = (FIRST_MIN + entry) * MINUTE_MS
    stay, end = Stay("s", begin), begin + minutes * MINUTE_MS
    first = quote_stay(plan, stay, end, taken)
    second = quote_stay(plan, stay, end + more * MINUTE_MS, taken)
    assert 0 <= first.total_fen <= second.total_fen
    assert first.total_fen <= first.gross_fen == price_fen(plan, begin, end)
    assert sum(one.amount_fen for one in first.segments) == first.total_fen


@settings(max_examples=150, deadline=None)
@given(tariffs(), calendars(), entries, lengths)
def test_limits_hold(tariff: Tariff, calendar: Calendar, entry: int, minutes: int) -> None:
    plan = Plan(tariff, SHANGHAI, calendar)
    begin = (FIRST_MIN + entry) * MINUTE_MS
    due = price_fen(plan, begin, begin + minutes * MINUTE_MS)
    if tariff.visit_cap_fen is not None:
        assert due <= tariff.visit_cap_fen
    if tariff.day_cap_fen is not None:
        assert due <= tariff.day_cap_fen * max(1, -(-minutes * MINUTE_MS // DAY_MS))
    if tariff.date_cap_fen is not None:
        assert due <= tariff.date_cap_fen * (minutes // 1_440 + 2)


@settings(max_examples=150, deadline=None)
@given(tariffs(), calendars(), entries, lengths, benefits, st.none() | st.integers(1, 5_000))
def test_the_next_rise_is_neither_earlier_nor_later_than_it_was_said(
    tariff: Tariff,
    calendar: Calendar,
    entry: int,
    minutes: int,
    taken: list[Benefit],
    paid: int | None,
) -> None:
    plan = Plan(tariff, SHANGHAI, calendar)
    begin = (FIRST_MIN + entry) * MINUTE_MS
    stay, at = Stay("s", begin), begin + minutes * MINUTE_MS
    settled = () if paid is None else (Settlement("p", "s", "o", paid, at - minutes * 30_000, at),)
    found = quote_stay(plan, stay, at, taken, settled)
    if found.next_raise_at is None:
        later = quote_stay(plan, stay, at + 31 * DAY_MS, taken, settled)
        assert later.due_fen == found.due_fen
        return
    just_before = quote_stay(plan, stay, found.next_raise_at - 1, taken, settled)
    assert just_before.due_fen == found.due_fen
    then = quote_stay(plan, stay, found.next_raise_at, taken, settled)
    assert then.due_fen == found.next_raise_fen
    assert then.due_fen > found.due_fen


@settings(max_examples=100, deadline=None)
@given(tariffs(), entries, lengths, st.integers(0, 6_000))
def test_money_that_was_paid_is_taken_off_the_whole_stay(
    tariff: Tariff, entry: int, minutes: int, paid: int
) -> None:
    plan = Plan(tariff, SHANGHAI)
    begin = (FIRST_MIN + entry) * MINUTE_MS
    at = begin + minutes * MINUTE_MS
    settled = (Settlement("p", "s", "o", paid, begin, begin),)
    found = quote_stay(plan, Stay("s", begin), at, (), settled, grace_s=0)
    assert found.total_fen == price_fen(plan, begin, at)
    assert found.due_fen == max(0, found.total_fen - paid)


@settings(max_examples=150, deadline=None)
@given(tariffs(), st.none() | st.integers(0, 120))
def test_a_tariff_reads_back_from_its_table(tariff: Tariff, grace_min: int | None) -> None:
    line = tariff.lines[0]
    grace_s = None if grace_min is None else grace_min * 60
    lines = tuple(replace(one, cap_fen=None) for one in tariff.lines[1:])
    said = replace(tariff, grace_s=grace_s, lines=(line, *lines), reentry_min=line.step_min)
    said = replace(said, round_fen=0) if said.round_fen else said
    assert read_tariffs(write_tariffs((said,), SHANGHAI).splitlines(), BERLIN) == (said,)


@settings(max_examples=100, deadline=None)
@given(tariffs(), vehicles, entries, lengths, st.integers(1, 30))
def test_whole_weeks_later_a_stay_costs_the_same(
    tariff: Tariff, vehicle: tuple[VehicleClass, PlateColour], entry: int, minutes: int, weeks: int
) -> None:
    plan = plan_of(tariff, Calendar(), vehicle)
    begin = (FIRST_MIN + entry) * MINUTE_MS
    later = begin + weeks * 7 * DAY_MS
    length = minutes * MINUTE_MS
    assert price_fen(plan, begin, begin + length) == price_fen(plan, later, later + length)


@settings(max_examples=100, deadline=None)
@given(tariffs(), entries, lengths)
def test_three_times_every_price_and_limit_is_three_times_the_fee(
    tariff: Tariff, entry: int, minutes: int
) -> None:
    lines = tuple(replace(one, price_fen=one.price_fen // 60 * 60, cap_fen=None) for one in tariff.lines)
    plain = replace(tariff, lines=tuple(replace(one, by_min=0) for one in lines), round_fen=0)
    caps = {name: getattr(plain, name) for name in ("day_cap_fen", "date_cap_fen", "visit_cap_fen")}
    threefold = replace(
        plain,
        lines=tuple(replace(one, price_fen=3 * one.price_fen) for one in plain.lines),
        **{name: cap and 3 * cap for name, cap in caps.items()},
    )
    begin = (FIRST_MIN + entry) * MINUTE_MS
    end = begin + minutes * MINUTE_MS
    assert price_fen(Plan(threefold, SHANGHAI), begin, end) == 3 * price_fen(
        Plan(plain, SHANGHAI), begin, end
    )


@settings(max_examples=100, deadline=None)
@given(tariffs(), entries, lengths)
def test_the_calendar_that_names_nothing_new_changes_nothing(
    tariff: Tariff, entry: int, minutes: int
) -> None:
    begin = (FIRST_MIN + entry) * MINUTE_MS
    end = begin + minutes * MINUTE_MS
    # A Monday that is named as worked is a Monday.
    monday = make_calendar([CalendarDay(date(2026, 9, 28), NamedDay.WORKDAY)])
    assert price_fen(Plan(tariff, SHANGHAI, monday), begin, end) == price_fen(
        Plan(tariff, SHANGHAI), begin, end
    )
