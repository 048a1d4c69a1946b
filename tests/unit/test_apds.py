"""APDS rate tables: what they say is priced as they say it, what we cannot price is refused by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import Invalid
from edge.parking.apds import read_apds, write_apds
from edge.parking.calendar import RateDays
from edge.parking.stay_charges import price_fen
from edge.parking.tariff_document import FreeTime, RateLine, Restart, Tariff
from edge.parking.tariff_plan import MINUTE_MS, Plan

ZONE = ZoneInfo("Asia/Shanghai")

#: A rate table as the standard's own examples have it: an hour at 10, another at 10, then 4 each.
PUBLIC = {
    "id": "publicTariff",
    "version": 1,
    "rateTableName": [{"language": "en", "string": "Public"}, {"language": "zh", "string": "公共停车"}],
    "rateLineCollections": [
        {
            "applicableCurrency": "CNY",
            "collectionSequence": 0,
            "rateLines": [
                {"sequence": 0, "rateLineType": "incrementingRate", "value": 10.0, "incrementPeriod": "PT1H"},
                {"sequence": 1, "rateLineType": "incrementingRate", "value": 10.0, "incrementPeriod": "PT1H"},
                {"sequence": 2, "rateLineType": "incrementingRate", "value": 4.0, "incrementPeriod": "PT1H"},
            ],
            "relativeTimes": True,
        }
    ],
}


def read(table: Mapping[str, object]) -> Tariff:
    [found] = read_apds(json.dumps({"data": [table]}).encode())
    return found


def with_lines(*lines: Mapping[str, object], **more: object) -> dict[str, object]:
    return {"id": "t", "rateLineCollections": [{"rateLines": list(lines), **more}]}


def window(*days: str, begin: str = "08:00") -> dict[str, object]:
    period: dict[str, object] = {"recurringTimePeriodOfDay": [{"startTimeOfPeriod": begin}]}
    if days:
        period["recurringDayWeekMonthPeriod"] = [{"applicableDay": list(days)}]
    return {"validity": {"validityTimeSpecification": {"validPeriods": [period]}}}


def starts(said: str) -> dict[str, object]:
    return {"validity": {"validityTimeSpecification": {"overallStartTime": said}}}


def fen(tariff: Tariff, minutes: int, begin: str = "2026-11-20T09:00") -> int:
    at = int(datetime.fromisoformat(begin).replace(tzinfo=ZONE).timestamp() * 1000)
    return price_fen(Plan(tariff, ZONE), at, at + minutes * MINUTE_MS)


def test_lines_without_times_follow_one_another() -> None:
    tariff = read(PUBLIC)
    assert (tariff.tariff_id, tariff.name) == ("publictariff", "公共停车")
    assert [fen(tariff, minutes) for minutes in (60, 61, 121, 200)] == [1_000, 2_000, 2_400, 2_800]


def test_tiers_are_what_the_whole_stay_costs_and_begin_anew_each_day() -> None:
    ends = (("P0S", "P3599S", 3.7), ("P3600S", "P7199S", 6.7), ("P7200S", "P86399S", 12))
    tiers = [
        {"sequence": n, "rateLineType": "flatRateTier", "durationStart": a, "durationEnd": b, "value": v}
        for n, (a, b, v) in enumerate(ends)
    ]
    tariff = read(with_lines(*tiers))
    assert tariff.restart is Restart.CYCLE
    assert [fen(tariff, minutes) for minutes in (60, 61, 121, 1_440, 1_441)] == [
        370,
        670,
        1_200,
        1_200,
        1_570,
    ]


@pytest.mark.parametrize(
    ("starts", "meaning", "due"), [("PT0S", FreeTime.CHARGED, 1_000), ("PT30M", FreeTime.KEPT, 500)]
)
def test_a_first_tier_of_nothing_is_free_time(starts: str, meaning: FreeTime, due: int) -> None:
    free = {"sequence": 1, "rateLineType": "flatRateTier", "durationEnd": "PT30M", "value": 0}
    hours = {
        "sequence": 2,
        "rateLineType": "incrementingRate",
        "durationStart": starts,
        "incrementPeriod": "PT1H",
        "value": 5,
    }
    tariff = read(with_lines(free, hours))
    assert (tariff.free_min, tariff.free) == (30, meaning)
    assert (fen(tariff, 30), fen(tariff, 80)) == (0, due)


def test_a_flat_rate_is_paid_once() -> None:
    tariff = read(with_lines({"rateLineType": "flatRate", "value": 20}))
    assert (fen(tariff, 5), fen(tariff, 5_000)) == (2_000, 2_000)


def test_the_most_of_a_collection_holds_for_the_visit_or_for_each_date() -> None:
    hour = {"rateLineType": "incrementingRate", "incrementPeriod": "PT1H", "value": 5}
    assert fen(read(with_lines(hour, maxValueCollection=12)), 3_000) == 1_200
    dates = read(with_lines(hour, maxValueCollection=12, resetTime="00:00"))
    assert fen(dates, 60 * 20) == 2_400


HOUR: dict[str, object] = {"rateLineType": "incrementingRate", "incrementPeriod": "PT1H", "value": 5}


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (with_lines({**HOUR, "rateLineType": "perUnit"}), "line 1: rateLineType 'perUnit' cannot be priced"),
        (with_lines({**HOUR, "value": 0.005}), "line 1: value .* is no amount in yuan"),
        (with_lines({**HOUR, "incrementPeriod": "an hour"}), "'an hour' is no duration like PT1H"),
        (with_lines({**HOUR, "incrementPeriod": "PT90S"}), "is no whole number of minutes"),
        (with_lines({**HOUR, "minValue": 2}), "minValue of a line cannot be priced"),
        (with_lines(HOUR, applicableCurrency="EUR"), "applicableCurrency 'EUR' is not CNY"),
        (with_lines(HOUR, minValueCollection=2), "minValueCollection cannot be priced here"),
        (with_lines(HOUR, resetTime="06:00"), "only midnight can"),
        (
            with_lines({"rateLineType": "flatRateTier", "durationEnd": "PT1H", "value": 5}),
            "the last tier must",
        ),
        (with_lines(HOUR, relativeTimes=False), "relativeTimes false cannot be priced"),
        (with_lines(HOUR, maxValueCollection=1.005), "is no amount in yuan"),
        (with_lines({**HOUR, "incrementPeriod": "PT25H"}), "a step of 1500 min"),
        (with_lines({"rateLineType": "incrementingRate", "value": 5}), "give an incrementPeriod, or"),
        (
            with_lines({**HOUR, "rateLineType": "flatRateTier", "durationStart": "PT3H"}),
            "the last tier|tier must",
        ),
        (with_lines("five yuan"), "a rate line must be an object"),  # type: ignore[arg-type]
        (with_lines(), "give 1 to 100 rateLines"),
        (with_lines(HOUR, **window("monday", "friday")), "days monday, friday are neither"),
        (with_lines(HOUR, **window(begin="8 am")), "'8 am' is no time of day"),
        ({**with_lines(HOUR), **starts("soon")}, "overallStartTime 'soon' is no time"),
        ({"id": "t", "rateLineCollections": ["x"]}, "must be an object, got str"),
        ({"id": "t"}, "rate table t has no rateLineCollections"),
        ({"id": "", "rateLineCollections": []}, "rate table 1 needs an id"),
    ],
)
def test_what_cannot_be_priced_is_named(table: Mapping[str, object], told: str) -> None:
    with pytest.raises(Invalid, match=told):
        read(table)


@pytest.mark.parametrize("data", [b"{", b"[]", b"3", b'{"data": []}'])
def test_what_is_no_rate_table_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid, match="rates"):
        read_apds(data)


def test_windows_and_days_of_collections_become_windows_and_days() -> None:
    weekend = {"rateLines": [{**HOUR, "value": 8}], **window("saturday", "sunday", begin="00:00")}
    week = {"rateLines": [HOUR], "maxValueCollection": 12, "collectionSequence": 0, **window(*WEEK)}
    table = {"id": "1B4E28BA-2FA1-11D2-883F-0016D3CCA427", "rateLineCollections": [weekend, week]}
    tariff = read({**table, **starts("2026-01-01T00:00:00+08:00")})
    assert tariff.tariff_id == "1b4e28ba2fa111d2883f0016d3cca427"
    assert tariff.valid_from == 1_767_196_800_000
    said = [(one.days, one.from_min, one.price_fen, one.cap_fen) for one in tariff.lines]
    assert said == [(RateDays.RESTDAY, 0, 800, None), (RateDays.WORKDAY, 480, 500, 1_200)]


def test_days_are_written_with_what_they_lose() -> None:
    lines = (
        RateLine(60, 500, days=RateDays.WORKDAY),
        RateLine(60, 800, days=RateDays.RESTDAY, by_min=7 * 60 // 7),
        RateLine(60, 805, days=RateDays.DAILY, by_min=20),
    )
    data, losses = write_apds((Tariff("m", "m", 0, 0, None, lines),), ZONE)
    assert losses == (
        "m: public holidays and worked weekends are left out; days are those of the week",
        "m: 8.05 for 60 min is charged whole, not by 20 min",
    )
    assert [line.days for line in read_apds(data)[0].lines] == ["workday", "restday", "daily"]


def test_collections_whose_free_time_differs_are_refused() -> None:
    free = {"rateLineType": "flatRateTier", "durationEnd": "PT30M", "value": 0, "sequence": 0}
    later = {**HOUR, "sequence": 1, "durationStart": "PT30M"}
    table = {"id": "t", "rateLineCollections": [{"rateLines": [HOUR]}, {"rateLines": [free, later]}]}
    with pytest.raises(Invalid, match="its free time is not that of the first collection"):
        read(table)


WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday")


def test_losses_are_told_once_each() -> None:
    lines = (RateLine(60, 500), RateLine(60, 900, "large"), RateLine(60, 800, days=RateDays.HOLIDAY))
    _, losses = write_apds((Tariff("m", "m", 0, 0, 6_000, lines, reentry_min=60, grace_s=600),), ZONE)
    assert losses == (
        "m: rates for large are left out",
        "m: rates for public holidays are left out",
        "m: the limit of 24 hours from the entry is left out",
        "m: that free time is not given twice is left out",
        "m: the time to drive out after payment is left out",
    )


_WINDOWS = st.sampled_from((((0, 1_440),), ((480, 1_200), (1_200, 480)), ((0, 360), (360, 1_440))))


@st.composite
def sayable(draw: st.DrawFn) -> Tariff:
    """Return a tariff that the standard can say."""
    windows, lines = draw(_WINDOWS), []
    for begin, end in windows:
        for after in sorted(draw(st.sets(st.sampled_from((60, 120)), max_size=2)) | {0}):
            price = draw(st.integers(1, 2_000))
            step = draw(st.sampled_from((15, 30, 60)))
            cap = None if len(windows) == 1 else draw(st.just(None) | st.just(4_000))
            lines.append(RateLine(step, price, from_min=begin, to_min=end, after_min=after, cap_fen=cap))
    whole = len(windows) == 1
    dated = whole and draw(st.booleans())
    cap = draw(st.none() | st.integers(2_000, 9_000)) if whole else None
    return Tariff(
        "t",
        "停车",
        0,
        draw(st.sampled_from((0, 15, 30))),
        None,
        tuple(lines),
        draw(st.sampled_from(FreeTime)),
        cap if dated else None,
        None if dated else cap,
        Restart.DATE if dated else Restart.NEVER,
    )


@settings(max_examples=100, deadline=None)
@given(sayable(), st.integers(0, 1_440), st.lists(st.integers(0, 3_000), min_size=5, max_size=5))
def test_what_the_standard_can_say_costs_the_same_once_read_back(
    tariff: Tariff, entry: int, lengths: list[int]
) -> None:
    data, losses = write_apds((tariff,), ZONE)
    [back] = read_apds(data)
    assert losses == ()
    begin = 1_790_000_000_000 // MINUTE_MS * MINUTE_MS + entry * MINUTE_MS
    for minutes in lengths:
        prices = [price_fen(Plan(one, ZONE), begin, begin + minutes * MINUTE_MS) for one in (tariff, back)]
        assert prices[0] == prices[1]
