"""Tariffs: stays priced and quoted a second on one core, by a plain tariff and one with windows and limits.

Run: .venv/bin/python -m tests.bench.bench_tariff
Stays of all lengths (5 minutes to two days, most of them hours) over a month; processor time is counted, so
that work beside it does not matter. A price is the amount alone, as in a comparison of tariffs; a quote has
its segments, what is due and the moment of the next rise.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from zoneinfo import ZoneInfo

from edge.parking.calendar import RateDays
from edge.parking.pricing import Stay, quote_stay
from edge.parking.stay_charges import price_fen
from edge.parking.tariff_document import RateLine, Tariff
from edge.parking.tariff_plan import MINUTE_MS, Plan
from tests.bench.table import Figure, Result, report

STAYS = 20_000
ROUNDS = 3

#: 2026-11-01T00:00+08:00.
BEGIN_AT = 1_793_462_400_000

ZONE = ZoneInfo("Asia/Shanghai")

PLAIN = Tariff("plain", "每小时5元", 0, 30, 6_000, (RateLine(60, 500),))

WINDOWS = Tariff(
    "windows",
    "日夜分时",
    0,
    15,
    6_000,
    (
        RateLine(60, 1_000, from_min=480, to_min=1_200, cap_fen=5_000),
        RateLine(30, 300, from_min=480, to_min=1_200, after_min=60, cap_fen=5_000),
        RateLine(60, 800, days=RateDays.RESTDAY, from_min=480, to_min=1_200, cap_fen=4_000),
        RateLine(720, 500, from_min=1_200, to_min=480),
    ),
    date_cap_fen=5_500,
)


def measure() -> Result:
    """Measure prices and quotes by both tariffs."""
    stays = _stays()
    figures = []
    for name, tariff, target in (("plain", PLAIN, 100_000), ("windows and limits", WINDOWS, 20_000)):
        plan = Plan(tariff, ZONE)
        prices = _rate(partial(_price, plan, stays))
        quotes = _rate(partial(_quote, plan, stays))
        figures.append(Figure(f"{name}: priced", prices, "stays/s", target, at_least=True))
        figures.append(Figure(f"{name}: quoted with segments", quotes, "stays/s"))
    minutes = sorted((end - begin) // MINUTE_MS for begin, end in stays)
    median = minutes[STAYS // 2]
    note = f"{STAYS:,} stays, median {median} min; best of {ROUNDS} rounds, processor time of one core"
    return Result("tariff", figures, {"minutes parked": minutes}, note)


def _price(plan: Plan, stays: Sequence[tuple[int, int]]) -> None:
    for begin, end in stays:
        price_fen(plan, begin, end)


def _quote(plan: Plan, stays: Sequence[tuple[int, int]]) -> None:
    for begin, end in stays:
        quote_stay(plan, Stay("", begin), end)


def _rate(work: Callable[[], None]) -> float:
    """Return stays a second, in the best round."""
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.process_time()
        work()
        best = min(best, time.process_time() - begun)
    return STAYS / best


def _stays() -> list[tuple[int, int]]:
    """Return stays whose beginnings and lengths are spread without a pattern, the same in each run."""
    found, state = [], 1
    for _ in range(STAYS):
        state = (state * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407) % 2**64
        begin = BEGIN_AT + (state >> 32) % 43_200 * MINUTE_MS
        share = (state >> 16) % 10_000 / 10_000
        found.append((begin, begin + (5 + int(2_875 * share**4)) * MINUTE_MS + state % 60_000))
    return found


if __name__ == "__main__":
    sys.exit(report(measure()))
