"""A quote as drivers and guards read it."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from edge.parking.benefit import Benefit, BenefitKind
from edge.parking.pricing import Stay, quote_stay
from edge.parking.quote import Quote, Segment, SegmentKind, Settlement
from edge.parking.quote_words import LANGUAGES, duration, explain, note, sentence, summary
from edge.parking.tariff_document import FreeTime, MinutesFrom, RateLine, Rounding, Tariff
from edge.parking.tariff_plan import Plan

ZONE = ZoneInfo("Asia/Shanghai")

MALL = Tariff("mall", "停车场", 0, 15, 1_500, (RateLine(60, 1_000), RateLine(60, 500, after_min=60)))


def at(clock: str) -> int:
    return int(datetime.fromisoformat(clock).replace(tzinfo=ZONE).timestamp() * 1000)


def quote(tariff: Tariff, end: str, *benefits: Benefit, paid: tuple[Settlement, ...] = ()) -> Quote:
    return quote_stay(Plan(tariff, ZONE), Stay("s", at("2026-11-20T09:00")), at(end), benefits, paid)


def test_a_stay_is_told_line_by_line_in_both_languages() -> None:
    found = quote(MALL, "2026-11-20T12:00", Benefit("b", BenefitKind.AMOUNT, 400, label="会员减4元"))
    assert explain(found, ZONE, "zh") == (
        "09:00-10:00 每小时 10.00 元 × 1 = 10.00 元",
        "10:00-12:00 每小时 5.00 元 × 2 = 10.00 元",
        "10:00-12:00 24 小时封顶 15.00 元，减 5.00 元",
        "会员减4元：减 4.00 元",
    )
    assert explain(found, ZONE, "en") == (
        "09:00-10:00 10.00 per hour × 1 = 10.00",
        "10:00-12:00 5.00 per hour × 2 = 10.00",
        "10:00-12:00 at most 15.00 in 24 hours, less 5.00",
        "会员减4元: less 4.00",
    )


def test_a_stay_over_midnight_is_told_with_dates() -> None:
    assert "11-20 09:00 – 11-20 10:00" in explain(quote(MALL, "2026-11-21T01:00"), ZONE, "zh")[0]


def test_the_summary_says_what_is_due_and_when_it_rises() -> None:
    due = quote(MALL, "2026-11-20T09:45")
    assert summary(due, ZONE, "zh") == "停车 45 分钟，应付 10.00 元；10:00 后为 15.00 元"
    assert summary(due, ZONE, "en") == "parked 45 min, to pay 10.00; 15.00 after 10:00"


def test_the_summary_says_until_when_to_leave() -> None:
    settled = (Settlement("p", "s", "o", 1_000, at("2026-11-20T09:50"), at("2026-11-20T09:50")),)
    found = quote(MALL, "2026-11-20T09:55", paid=settled)
    assert summary(found, ZONE, "zh") == "停车 55 分钟，已付 10.00 元，应付 0.00 元；请在 10:05 前驶出"
    assert explain(found, ZONE, "en")[-1] == "paid before: 10.00"


def test_a_doubtful_clock_is_told() -> None:
    stay = Stay("s", at("2026-11-20T09:00"), clock_note="entry_untrusted")
    found = quote_stay(Plan(MALL, ZONE), stay, at("2026-11-20T09:45"))
    assert explain(found, ZONE, "zh")[-1] == "入场时钟未校准，入场时间可能不准"
    assert note("said by a person", "en") == "said by a person"


ALL_WORDS = (
    (Tariff("a", "a", 0, 30, None, (RateLine(60, 500, by_min=5),), FreeTime.KEPT), "rate_parts"),
    (Tariff("a", "a", 0, 30, None, (RateLine(60, 500),), FreeTime.KEPT), "free_time"),
    (Tariff("a", "a", 0, 0, None, (RateLine(60, 500, cap_fen=600),)), "cap_window"),
    (Tariff("a", "a", 0, 0, None, (RateLine(60, 500),), date_cap_fen=600), "cap_date"),
    (Tariff("a", "a", 0, 0, None, (RateLine(60, 500),), visit_cap_fen=600), "cap_visit"),
    (Tariff("a", "a", 0, 0, None, (RateLine(60, 0),)), "rate_free"),
    (
        Tariff("a", "a", 0, 0, None, (RateLine(60, 525),), round_fen=100, rounding=Rounding.UP),
        "rounding",
    ),
)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("tariff", "words"), ALL_WORDS)
def test_each_kind_of_segment_has_words(tariff: Tariff, words: str, language: str) -> None:
    found = quote(tariff, "2026-11-20T12:00")
    [segment] = [one for one in found.segments if one.words == words]
    said = sentence(segment, ZONE, language)
    assert "{" not in said
    assert said != f"{words} {segment.amount_fen}"
    assert bool(re.search("[\u4e00-\u9fff]", said)) is (language == "zh")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", BenefitKind)
@pytest.mark.parametrize("minutes_from", MinutesFrom)
def test_each_kind_of_benefit_has_words(kind: BenefitKind, minutes_from: MinutesFrom, language: str) -> None:
    tariff = Tariff("a", "a", 0, 0, None, (RateLine(60, 500),), minutes_from=minutes_from)
    found = quote(tariff, "2026-11-20T12:00", Benefit("b", kind, 125, label="券", label_en="Coupon"))
    said = sentence(found.segments[-1], ZONE, language)
    assert said.startswith(("券：", "Coupon: ")[LANGUAGES.index(language)])


def test_an_unknown_segment_is_told_by_its_key() -> None:
    assert sentence(Segment(SegmentKind.CHARGED, 0, 0, 150, "other"), ZONE, "zh") == "other 1.50"


@pytest.mark.parametrize(
    ("minutes", "zh", "en"),
    [(0, "0 分钟", "0 min"), (61, "1 小时 1 分钟", "1 h 1 min"), (1_500, "1 天 1 小时", "1 d 1 h")],
)
def test_lengths_in_words(minutes: int, zh: str, en: str) -> None:
    assert (duration(minutes, "zh"), duration(minutes, "en")) == (zh, en)
