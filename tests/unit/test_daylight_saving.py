"""Days of 23 and of 25 hours: what stays cost, what passes cover, and to which business day a moment belongs.

Berlin's clocks go from 02:00 to 03:00 on 29 March 2026 and from 03:00 to 02:00 on 25 October 2026; Shanghai's
never do. Both days are Sundays.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.clock import local
from edge.parking.calendar import Calendar
from edge.parking.hours import Hours, covered_ms, dates_of, day_start
from edge.parking.pricing import Stay, quote_stay
from edge.parking.stay_charges import price_fen
from edge.parking.tariff_document import RateLine, Restart, Tariff
from edge.parking.tariff_plan import Plan
from edge.retail.shift import Shift
from edge.services.box import Rules
from edge.services.business_day import day_of
from edge.services.open_shift import is_stale
from edge.services.show_parking import show_parking
from sim.fakes.box import RULES
from sim.fakes.clock import FakeClock
from tests.unit.garage import Garage

BERLIN, SHANGHAI = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Shanghai")
MINUTE, HOUR = 60_000, 3_600_000
SPRING, AUTUMN = "2026-03-29", "2026-10-25"

HOURLY = Tariff("t", "t", 0, 0, None, (RateLine(60, 100),))
NIGHT = RateLine(60, 100, from_min=20 * 60, to_min=8 * 60)
DAY_AND_NIGHT = replace(HOURLY, lines=(RateLine(60, 500, from_min=8 * 60, to_min=20 * 60), NIGHT))

#: A zone, a day, and how many hours that day has.
DAYS = pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        (BERLIN, SPRING, 23),
        (BERLIN, AUTUMN, 25),
        (BERLIN, "2026-06-14", 24),
        (SHANGHAI, SPRING, 24),
        (SHANGHAI, AUTUMN, 24),
    ],
)


def at(day: str, clock: str, zone: ZoneInfo = BERLIN, *, later: int = 0, fold: int = 0) -> int:
    """A moment as it is told; `later` days after, `fold` 1 for the second time that an hour is told."""
    moment = datetime.fromisoformat(f"{day}T{clock}") + timedelta(days=later)
    return round(moment.replace(tzinfo=zone, fold=fold).timestamp() * 1000)


def fee(tariff: Tariff, from_at: int, to_at: int, zone: ZoneInfo = BERLIN) -> int:
    return price_fen(Plan(tariff, zone), from_at, to_at)


# What stays cost.


@DAYS
def test_a_day_from_midnight_to_midnight_costs_the_hours_that_it_has(
    zone: ZoneInfo, day: str, hours: int
) -> None:
    assert fee(HOURLY, at(day, "00:00", zone), at(day, "00:00", zone, later=1), zone) == hours * 100


@DAYS
def test_a_night_costs_its_own_hours_by_night_and_the_morning_by_day(
    zone: ZoneInfo, day: str, hours: int
) -> None:
    begin, end = at(day, "22:00", zone, later=-1), at(day, "09:00", zone)
    assert fee(DAY_AND_NIGHT, begin, end, zone) == (hours - 14) * 100 + 500
    capped = replace(DAY_AND_NIGHT, lines=(DAY_AND_NIGHT.lines[0], replace(NIGHT, cap_fen=600)))
    assert fee(capped, begin, end, zone) == 600 + 500


@DAYS
def test_the_cap_of_a_date_is_that_of_the_date_however_long_it_is(
    zone: ZoneInfo, day: str, hours: int
) -> None:
    capped = replace(HOURLY, date_cap_fen=1_000)
    begin, end = at(day, "12:00", zone, later=-1), at(day, "12:00", zone, later=1)
    assert (end - begin) // HOUR == 24 + hours
    assert fee(capped, begin, end, zone) == 3_000
    assert fee(capped, at(day, "00:00", zone), at(day, "00:00", zone, later=1), zone) == 1_000


def test_the_cap_of_24_hours_is_of_24_hours_whatever_clocks_say() -> None:
    capped = replace(HOURLY, day_cap_fen=1_000)
    saturday = at("2026-03-28", "12:00")
    assert fee(capped, saturday, at(SPRING, "13:00")) == 1_000
    assert fee(capped, saturday, at(SPRING, "14:00")) == 1_100
    saturday = at("2026-10-24", "12:00")
    assert fee(capped, saturday, at(AUTUMN, "11:00")) == 1_000
    assert fee(capped, saturday, at(AUTUMN, "12:00")) == 1_100


@pytest.mark.parametrize(("day", "begin", "end"), [(SPRING, "01:50", "03:10"), (AUTUMN, "02:50", "02:10")])
def test_free_minutes_are_minutes_that_passed(day: str, begin: str, end: str) -> None:
    free = replace(HOURLY, free_min=20)
    came, left = at(day, begin), at(day, end, fold=1)
    assert left - came == 20 * MINUTE
    assert fee(free, came, left) == 0
    assert fee(free, came, left + 1) == 100


def test_rates_that_begin_in_the_hour_that_is_not_begin_at_its_end_and_in_the_hour_told_twice_at_once() -> (
    None
):
    early = replace(HOURLY, lines=(RateLine(60, 100, to_min=150), RateLine(60, 700, from_min=150)))
    # In spring 02:30 is never told: the dear rate begins at 03:00, an hour after 01:00.
    assert fee(early, at(SPRING, "01:00"), at(SPRING, "03:00")) == 100
    assert fee(early, at(SPRING, "01:00"), at(SPRING, "03:00") + 1) == 800
    # In autumn it is told twice and begins the first time: 01:30 and an hour cheap, then dear.
    assert fee(early, at(AUTUMN, "01:30"), at(AUTUMN, "02:30")) == 100
    assert fee(early, at(AUTUMN, "01:30"), at(AUTUMN, "02:30", fold=1)) == 800


def test_a_first_hour_that_begins_anew_at_midnight_does_so_once_a_day() -> None:
    lines = (RateLine(60, 500), RateLine(60, 100, after_min=60))
    anew = replace(HOURLY, lines=lines, restart=Restart.DATE)
    for day, hours in ((SPRING, 23), (AUTUMN, 25)):
        assert fee(anew, at(day, "00:00"), at(day, "00:00", later=1)) == 500 + (hours - 1) * 100


_TARIFFS = (HOURLY, DAY_AND_NIGHT, replace(HOURLY, date_cap_fen=900), replace(HOURLY, day_cap_fen=900))


@given(
    st.sampled_from(_TARIFFS),
    st.sampled_from([SPRING, AUTUMN]),
    st.integers(-36 * 60, 36 * 60),
    st.integers(0, 60 * 60),
    st.integers(0, 600),
)
def test_a_longer_stay_over_a_change_never_costs_less_and_a_quote_adds_up(
    tariff: Tariff, day: str, begin_min: int, length_min: int, more_min: int
) -> None:
    came = at(day, "00:00") + begin_min * MINUTE
    left = came + length_min * MINUTE
    assert fee(tariff, came, left) <= fee(tariff, came, left + more_min * MINUTE)
    quote = quote_stay(Plan(tariff, BERLIN), Stay("s", came), left)
    assert sum(one.amount_fen for one in quote.segments) == quote.due_fen == fee(tariff, came, left)


# What passes cover.


@DAYS
def test_a_pass_for_all_day_covers_the_day_and_one_by_night_its_own_hours(
    zone: ZoneInfo, day: str, hours: int
) -> None:
    begin, end = at(day, "00:00", zone), at(day, "00:00", zone, later=1)
    assert covered_ms(Hours(), begin, end, zone, Calendar()) == hours * HOUR
    night = Hours(from_min=20 * 60, to_min=8 * 60)
    assert covered_ms(night, begin, end, zone, Calendar()) == (hours - 12) * HOUR
    assert day_start(begin + 12 * HOUR, zone, 1) == end
    assert dates_of(begin, end, zone) == (day,)


@pytest.mark.parametrize("day", [SPRING, AUTUMN])
@pytest.mark.parametrize(("from_min", "to_min"), [(150, 360), (360, 150), (120, 180), (0, 1440)])
def test_a_pass_covers_as_much_as_it_holds(day: str, from_min: int, to_min: int) -> None:
    hours = Hours(from_min=from_min, to_min=to_min)
    begin, end = at(day, "00:00"), at(day, "00:00", later=1)
    held = sum(hours.holds(one, BERLIN, Calendar()) for one in range(begin, end, MINUTE))
    assert covered_ms(hours, begin, end, BERLIN, Calendar()) == held * MINUTE


# Business days, shifts and the day's page.


@DAYS
@pytest.mark.parametrize("starts_h", [0, 2, 3, 4])
def test_each_minute_belongs_to_one_business_day_and_days_follow_one_another(
    zone: ZoneInfo, day: str, hours: int, starts_h: int
) -> None:
    rules: Rules = replace(RULES, zone=zone, day_starts_h=starts_h)
    begin = at(day, "00:00", zone, later=-1)
    days = [day_of(one, rules) for one in range(begin, begin + (24 + hours + 24) * HOUR, MINUTE)]
    assert days == sorted(days)
    assert days.count(day) == (hours if starts_h in (0, 2) else 24) * 60
    first = local(begin + days.index(day) * MINUTE, zone)
    # The hour that is not told begins with the next one.
    assert (first.hour, first.minute) == (3 if (starts_h, hours) == (2, 23) else starts_h, 0)


def test_the_day_before_a_change_has_its_hour_more_or_less_when_days_begin_at_four() -> None:
    rules: Rules = replace(RULES, zone=BERLIN, day_starts_h=4)
    for day, hours in ((SPRING, 23), (AUTUMN, 25)):
        begin = at(day, "04:00", later=-1)
        days = [day_of(one, rules) for one in range(begin, begin + 25 * HOUR, MINUTE)]
        assert days.count(days[0]) == hours * 60


@pytest.mark.parametrize(("day", "hours"), [("2026-03-28", 23), ("2026-10-24", 25), ("2026-06-14", 24)])
def test_the_page_of_a_day_has_each_of_its_hours(day: str, hours: int) -> None:
    garage = Garage()
    box = replace(garage.box, rules=replace(garage.box.rules, zone=BERLIN, day_starts_h=4))
    garage.ports.clock.set_wall(at(day, "12:00", later=5) - garage.ports.clock.now().wall_at)
    shown = show_parking(box, day)
    assert len(shown.takings) == hours
    assert all(len(zone.hours) == hours for zone in shown.zones)


@pytest.mark.parametrize("day", [SPRING, AUTUMN])
def test_a_shift_of_the_night_ends_with_the_business_day_and_not_with_the_change(day: str) -> None:
    clock = FakeClock(at(day, "01:30"))
    garage = Garage()
    box = replace(garage.box, rules=replace(garage.box.rules, zone=BERLIN, day_starts_h=4))
    before = (datetime.fromisoformat(day) - timedelta(days=1)).date().isoformat()
    shift = Shift("s", "till-1", "", before, clock.now().wall_at, 0, 0)

    def over() -> bool:
        return box.store.read(lambda unit: is_stale(unit, box, shift, clock.now()))

    ends_ms = at(day, "04:00") - clock.now().wall_at
    assert ends_ms == (90 if day == SPRING else 210) * MINUTE
    clock.advance(ends_ms - 1)
    assert not over()
    clock.advance(1)
    assert over()
