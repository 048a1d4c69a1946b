"""Passes: how long they run, what they cover of a stay, what a stay uses of them, who holds the spaces."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from edge.errors import Invalid
from edge.parking.benefit import BenefitKind
from edge.parking.calendar import Calendar, CalendarDay, NamedDay, make_calendar
from edge.parking.hours import Hours, covered_ms, dates_of, day_start
from edge.parking.parking_pass import (
    DAY_MS,
    Coverage,
    ParkingPass,
    PassEntry,
    PassEntryKind,
    PassKind,
    PassNotice,
    PassRules,
    PassState,
    PassUsage,
    StaySpan,
    check_pass,
    cover,
    moves_up_at,
    pass_label,
    renew,
    reversal,
    term_end,
    uses_of,
)
from edge.parking.plate_list import DayKind
from edge.parking.vehicle import VehicleClass

ZONE = ZoneInfo("Asia/Shanghai")
HOUR = 3_600_000
RULES = PassRules()
PLAIN = Calendar()


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp()) * 1000


#: A Monday.
NOW = at("2026-11-23T10:00")


def held(kind: PassKind, begin: str = "2026-11-01", end: str = "2026-12-01") -> ParkingPass:
    return ParkingPass("p-1", kind, "李雷", ("粤B12345",), Hours(at(begin), at(end)))


def span(from_at: str, to_at: str, zone: str = "B1", size: VehicleClass = VehicleClass.SMALL) -> StaySpan:
    return StaySpan("s-1", zone, size, at(from_at), at(to_at))


STAY = span("2026-11-23T10:00", "2026-11-23T12:00")


def covered(
    one: ParkingPass, stay: StaySpan = STAY, usage: PassUsage | None = None, rules: PassRules = RULES
) -> Coverage:
    return cover(one, usage or PassUsage(), stay, rules, ZONE, PLAIN)


@pytest.mark.parametrize(
    ("kind", "begin", "terms", "end"),
    [
        (PassKind.MONTH, "2026-11-23", 1, "2026-12-23"),
        (PassKind.MONTH, "2027-01-31", 1, "2027-02-28"),
        (PassKind.MONTH, "2026-12-31", 2, "2027-02-28"),
        (PassKind.QUARTER, "2026-11-30", 1, "2027-02-28"),
        (PassKind.HALF_YEAR, "2026-08-31", 1, "2027-02-28"),
        (PassKind.YEAR, "2028-02-29", 1, "2029-02-28"),
        (PassKind.MONTH, "2026-11-30", 1, "2026-12-30"),
    ],
)
def test_a_term_ends_on_the_same_day_or_the_month_s_last(
    kind: PassKind, begin: str, terms: int, end: str
) -> None:
    assert term_end(kind, at(f"{begin}T13:00"), terms, ZONE) == at(end)


@pytest.mark.parametrize(
    ("kind", "terms"), [(PassKind.MONTH, 0), (PassKind.MONTH, 25), (PassKind.STORED_DAYS, 1)]
)
def test_a_term_that_cannot_be_is_refused(kind: PassKind, terms: int) -> None:
    with pytest.raises(Invalid):
        term_end(kind, NOW, terms, ZONE)


@pytest.mark.parametrize(
    "bad",
    [
        replace(held(PassKind.MONTH), plates=()),
        replace(held(PassKind.MONTH), plates=("a", "a")),
        replace(held(PassKind.MONTH), plates=("",)),
        replace(held(PassKind.MONTH), spaces=2),
        replace(held(PassKind.MONTH), spaces=0),
        replace(held(PassKind.MONTH), holder=" "),
        replace(held(PassKind.MONTH), note="x" * 61),
        replace(held(PassKind.MONTH), price_fen=-1),
        replace(held(PassKind.MONTH), hours=Hours(5, 5)),
    ],
)
def test_a_pass_that_cannot_be_is_refused(bad: ParkingPass) -> None:
    with pytest.raises(Invalid):
        check_pass(bad)


def test_renewed_before_or_soon_after_its_end_a_pass_goes_on_without_a_gap() -> None:
    one = held(PassKind.MONTH)
    for moment in ("2026-11-20", "2026-12-20"):
        renewed = renew(one, 1, 30_000, at(moment), RULES, ZONE)
        assert (renewed.hours.valid_from, renewed.hours.valid_to) == (at("2026-11-01"), at("2027-01-01"))
        assert renewed.price_fen == 30_000


def test_renewed_late_a_pass_begins_anew_today() -> None:
    renewed = renew(held(PassKind.MONTH), 2, 0, at("2027-03-05T15:00"), RULES, ZONE)
    assert (renewed.hours.valid_from, renewed.hours.valid_to) == (at("2027-03-05"), at("2027-05-05"))


def test_only_active_period_passes_of_here_are_renewed() -> None:
    one = held(PassKind.MONTH)
    for bad in (
        replace(one, from_hq=True),
        replace(one, state=PassState.BLOCKED),
        held(PassKind.STORED_TIMES),
    ):
        with pytest.raises(Invalid):
            renew(bad, 1, 0, NOW, RULES, ZONE)


@pytest.mark.parametrize("kind", [PassKind.MONTH, PassKind.QUARTER, PassKind.HALF_YEAR, PassKind.YEAR])
def test_a_period_pass_covers_the_whole_stay(kind: PassKind) -> None:
    found = covered(held(kind))
    assert found.benefit is not None
    assert (found.benefit.kind, found.benefit.benefit_id) == (BenefitKind.ALL, "p-1")
    assert found.benefit.label == pass_label(kind)[0]
    assert found.notices == {}


def test_it_covers_an_entry_at_one_moment() -> None:
    entry = replace(STAY, at=STAY.entered_at)
    assert covered(held(PassKind.MONTH), entry).benefit is not None


def test_a_pass_that_ends_during_the_stay_covers_the_part_before() -> None:
    found = covered(held(PassKind.MONTH, end="2026-11-23T11:00"))
    assert found.benefit is not None
    assert (found.benefit.kind, found.benefit.value) == (BenefitKind.MINUTES, 60)
    assert found.notices == {PassNotice.PART: 60, PassNotice.EXPIRED: 0}


def test_an_expired_pass_is_a_visitor_after_its_grace() -> None:
    expired = held(PassKind.MONTH, end="2026-11-20")
    assert covered(expired) == Coverage(None, {PassNotice.EXPIRED: 3})
    grace = covered(expired, rules=replace(RULES, grace_days=7))
    assert grace.benefit is not None
    assert grace.notices == {PassNotice.IN_GRACE: 3}


def test_it_is_told_when_a_pass_ends_soon() -> None:
    assert covered(held(PassKind.MONTH, end="2026-11-28")).notices == {PassNotice.ENDS_SOON: 4}
    assert covered(held(PassKind.MONTH, end="2026-11-30")).notices == {}


@pytest.mark.parametrize(
    ("change", "notice"),
    [
        ({"state": PassState.BLOCKED}, PassNotice.BLOCKED),
        ({"zones": ("B2",)}, PassNotice.OTHER_ZONE),
        ({"vehicle_class": VehicleClass.LARGE}, PassNotice.OTHER_CLASS),
        ({"hours": Hours(at("2026-11-24"), at("2026-12-01"))}, PassNotice.NOT_YET),
    ],
)
def test_a_pass_that_does_not_hold_says_why(change: dict[str, object], notice: PassNotice) -> None:
    one = replace(held(PassKind.MONTH), **change)  # type: ignore[arg-type]
    found = covered(one)
    assert found.benefit is None
    assert list(found.notices) == [notice]


def test_an_unknown_class_is_no_reason_to_refuse() -> None:
    one = replace(held(PassKind.MONTH), vehicle_class=VehicleClass.LARGE)
    assert covered(one, replace(STAY, vehicle_class=VehicleClass.UNKNOWN)).benefit is not None


def test_a_night_pass_covers_the_nights_of_a_long_stay() -> None:
    night = replace(held(PassKind.MONTH), hours=Hours(0, at("2027-01-01"), DayKind.DAILY, 18 * 60, 8 * 60))
    found = covered(night, span("2026-11-23T17:00", "2026-11-25T09:00"))
    assert found.benefit is not None
    assert found.benefit.value == 28 * 60
    outside = covered(night, span("2026-11-23T10:00", "2026-11-23T11:00"))
    assert outside.benefit is None


def test_a_workday_pass_asks_the_calendar() -> None:
    hours = Hours(0, at("2027-01-01"), DayKind.WORKDAY)
    holiday = make_calendar([CalendarDay(date(2026, 11, 23), NamedDay.HOLIDAY)])
    stay = (at("2026-11-23T10:00"), at("2026-11-24T10:00"), ZONE)
    assert covered_ms(hours, *stay, PLAIN) == 24 * HOUR
    assert covered_ms(hours, *stay, holiday) == 10 * HOUR
    assert hours.holds(NOW, ZONE, PLAIN)
    assert not hours.holds(NOW, ZONE, holiday)
    assert not hours.holds(at("2027-01-01"), ZONE, PLAIN)


def test_dates_are_those_that_a_stay_touches() -> None:
    assert dates_of(at("2026-11-23T23:59"), at("2026-11-25T00:00"), ZONE) == ("2026-11-23", "2026-11-24")
    assert dates_of(NOW, NOW, ZONE) == ("2026-11-23",)
    assert day_start(NOW, ZONE, 1) == at("2026-11-24")


def test_stored_value_pays_what_it_holds_and_uses_what_was_taken() -> None:
    one, usage = held(PassKind.STORED_VALUE), PassUsage(1_000)
    found = covered(one, usage=usage)
    assert found.benefit is not None
    assert (found.benefit.kind, found.benefit.value) == (BenefitKind.AMOUNT, 1_000)
    (line,) = uses_of(one, usage, STAY, 700, ZONE)
    assert (line.amount, line.key, line.kind) == (-700, "s-1", PassEntryKind.USE)
    assert uses_of(one, usage, STAY, 0, ZONE) == ()
    assert uses_of(one, PassUsage(300), STAY, 700, ZONE)[0].amount == -300
    assert covered(one, usage=PassUsage(0)) == Coverage(None, {PassNotice.EMPTY: 0})


def test_what_a_stay_used_it_still_has_when_it_is_priced_again() -> None:
    found = covered(held(PassKind.STORED_VALUE), usage=PassUsage(300, used=700))
    assert found.benefit is not None
    assert found.benefit.value == 1_000


def test_stored_times_take_one_for_a_stay_of_any_length() -> None:
    one = held(PassKind.STORED_TIMES)
    found = covered(one, usage=PassUsage(2))
    assert found.benefit is not None
    assert found.benefit.kind is BenefitKind.ALL
    assert found.notices == {PassNotice.LOW: 2}
    assert [line.amount for line in uses_of(one, PassUsage(2), STAY, 5_000, ZONE)] == [-1]
    assert uses_of(one, PassUsage(0), STAY, 5_000, ZONE) == ()


def test_stored_days_take_each_date_once_whatever_the_visits() -> None:
    one = held(PassKind.STORED_DAYS)
    two_days = span("2026-11-23T20:00", "2026-11-24T02:00")
    paid = PassUsage(1, days=frozenset({"2026-11-23"}))
    found = covered(one, two_days, paid)
    assert found.benefit is not None
    assert found.benefit.kind is BenefitKind.ALL
    assert [line.key for line in uses_of(one, paid, two_days, 900, ZONE)] == ["2026-11-24"]
    again = covered(one, usage=PassUsage(0, days=frozenset({"2026-11-23"})))
    assert again.benefit is not None


def test_stored_days_that_do_not_suffice_cover_the_first_ones() -> None:
    long = span("2026-11-23T20:00", "2026-11-26T02:00")
    found = covered(held(PassKind.STORED_DAYS), long, PassUsage(2))
    assert found.benefit is not None
    assert (found.benefit.kind, found.benefit.value) == (BenefitKind.MINUTES, 28 * 60)
    none = covered(held(PassKind.STORED_DAYS), long, PassUsage(0, days=frozenset({"2026-11-25"})))
    assert none.benefit is None


def test_a_period_pass_uses_nothing_up() -> None:
    assert uses_of(held(PassKind.MONTH), PassUsage(), STAY, 5_000, ZONE) == ()


def test_only_a_use_is_taken_back() -> None:
    use = PassEntry("p-1", "s-1", PassEntryKind.USE, -700, NOW, "s-1")
    back = reversal(use, NOW + 1, "王", "turned back")
    assert (back.amount, back.key, back.session_id) == (700, "s-1!", "s-1")
    with pytest.raises(Invalid):
        reversal(back, NOW, "王", "x")


def test_of_several_cars_the_first_in_hold_the_spaces() -> None:
    others = [(100, "a", None), (200, "b", None)]
    assert moves_up_at(300, "c", others, 3) == 300
    assert moves_up_at(300, "c", others, 2) is None
    assert moves_up_at(150, "c", others, 2) == 150
    assert moves_up_at(300, "c", [(100, "a", 250), (200, "b", None)], 2) == 300


def test_the_next_moves_up_when_one_leaves() -> None:
    others: list[tuple[int, str, int | None]] = [(100, "a", 500), (200, "b", 400), (210, "x", 600)]
    assert moves_up_at(300, "c", others, 1) == 600
    assert moves_up_at(300, "c", others, 2) == 500
    assert moves_up_at(300, "c", [(300, "a", None)], 1) is None
    assert moves_up_at(300, "c", [(300, "d", None)], 1) == 300


def test_a_car_without_a_space_is_a_visitor_until_it_moves_up() -> None:
    one = replace(held(PassKind.MONTH), plates=("粤B1", "粤B2"))
    assert covered(one, usage=PassUsage(holds_from=None)).notices == {PassNotice.SPACES_TAKEN: 0}
    late = covered(one, usage=PassUsage(holds_from=STAY.entered_at + HOUR))
    assert late.benefit is not None
    assert (late.benefit.kind, late.benefit.value) == (BenefitKind.MINUTES, 60)


def test_days_are_told_in_whole_ones() -> None:
    assert DAY_MS == 24 * HOUR
