"""Money: a day of payments with faults, its bills, the service's share of a sale, and a bill of 100,000 rows.

Run: .venv/bin/python -m tests.bench.bench_money [--payments 2400] [--part day|share|bill]
The day takes a good minute and ends some nine minutes later: a charge that may never have arrived is asked
about for six minutes before it is given up, and ever more slowly.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sim.clocks import unix_ms
from sim.gateway.faults import CALL_FAULTS, Rate
from sim.mall import Mall
from tests.bench.big_mall import say
from tests.bench.money_bill import ROWS, compare_large
from tests.bench.money_share import SALES, measure_share
from tests.bench.table import RESULTS, Figure, Result, percentile, report
from tests.system.money_bills import bill_days, compare, have_bills_ready, plant
from tests.system.money_books import Counts, await_settled, count, differences
from tests.system.money_day import DayPlan, Told, open_money_mall, spend_day

PAYMENTS = 2_400
PER_MILLE = 50

#: The longest delay; half of them are longer than the service waits for a charge.
DELAY_MS = 6_000

#: How many differences of each of the four kinds are planted.
PLANTED_EACH = 5

Part = tuple[list[Figure], dict[str, Sequence[float]], str]


def measure(payments: int = PAYMENTS, seed: int = 1, parts: Sequence[str] = ()) -> Result:
    """Measure the parts asked for, all by default."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    figures: list[Figure] = []
    series: dict[str, Sequence[float]] = {}
    notes: list[str] = []
    todo: Mapping[str, Callable[[Path], Part]] = {
        "share": _share,
        "bill": _bill,
        "day": lambda folder: _day(folder, payments, seed),
    }
    for name in parts or todo:
        with tempfile.TemporaryDirectory(dir=RESULTS, prefix=f"money-{name}-") as folder:
            found, drawn, note = todo[name](Path(folder))
        figures += found
        series |= drawn
        notes.append(note)
    return Result("money", figures, series, "; ".join(notes))


def _share(folder: Path) -> Part:
    say(f"{SALES} sales by payment code without faults")
    shares, cpu_ms = measure_share(folder)
    own = [one.own_ms for one in shares]
    gateway = [one.gateway_ms for one in shares]
    figures = [
        Figure("codepay sale, service's own share p50", percentile(own, 50), "ms"),
        Figure("codepay sale, service's own share p99", percentile(own, 99), "ms", 25.0),
        Figure("codepay sale, inside the gateway p50", percentile(gateway, 50), "ms"),
        Figure("whole sale (scan, check-out, payment, done): service's processor time", cpu_ms, "ms"),
    ]
    note = f"{len(shares)} sales, from the scan's request to the paid screen on the stream, less the gateway"
    return figures, {"own_share_ms": own}, note


def _bill(folder: Path) -> Part:
    found = compare_large(folder)
    assert (found.rows, found.differences) == (ROWS, 5), found
    figures = [
        Figure("bill of 100,000 rows: reconciled", found.wall_s, "s", 10.0),
        Figure("bill of 100,000 rows: of it until the first rows are compared", found.fetch_s, "s"),
        Figure("bill of 100,000 rows: peak RSS", found.peak_mb, "MB", 200.0),
        Figure("bill of 100,000 rows: RSS before", found.before_mb, "MB"),
        Figure("bill of 100,000 rows: writer beside it, p50", percentile(found.waits_ms, 50), "ms"),
        Figure("bill of 100,000 rows: writer beside it, longest", max(found.waits_ms), "ms"),
    ]
    return figures, {"writer_beside_bill_ms": found.waits_ms}, "5 differences among them, all found"


def _day(folder: Path, payments: int, seed: int) -> Part:
    plan = DayPlan(payments, (Rate(seed, PER_MILLE, delay_ms=DELAY_MS),), seed=seed)
    began_at, began = unix_ms(), time.monotonic()
    with open_money_mall(folder, plan) as mall:
        say(f"{payments:,} payments at {plan.places} workstations, {PER_MILLE / 10:g} % of the calls fail")
        told = spend_day(mall, plan)
        shopped_s = time.monotonic() - began
        say(f"shoppers are gone after {shopped_s:.0f} s; waiting until the money stands still")
        _at_most(folder)
        settled_s = time.monotonic() - began - shopped_s
        odd = differences(mall, folder, told)
        for line in (*told.stuck, *odd, *(f"{n} x {what}" for what, n in told.refused.items())):
            say(line)
        figures = _day_figures(count(folder), told, odd, mall.gateway.faults.done())
        figures += [
            Figure("duration: shopping", shopped_s, "s"),
            Figure("duration: settling", settled_s, "s"),
        ]
        figures += _bills(mall, folder, began_at)
    faults = _by_kind(mall.gateway.faults.done())
    note = f"seed {seed}, {PER_MILLE / 10:g} % of all calls; injected: " + ", ".join(
        f"{name} {number}" for name, number in sorted(faults.items())
    )
    return figures, {"kiosk_held_s": told.held_s}, note


def _at_most(folder: Path) -> None:
    try:
        await_settled(folder)
    except AssertionError as problem:
        say(str(problem))


def _day_figures(counts: Counts, told: Told, odd: list[str], done: Mapping[str, int]) -> list[Figure]:
    faults, states = _by_kind(done), Counter(counts.attempts)
    still_open = states["intended"] + states["submitted"] + states["unknown"]
    return [
        Figure("day: payments", counts.payments, "", 2_000, at_least=True),
        Figure("day: of them by code", sum(states.values()), ""),
        Figure("day: of them in cash", counts.cash, ""),
        Figure("day: approved", states["approved"], ""),
        Figure("day: declined", states["declined"], ""),
        Figure("day: voided", states["voided"], ""),
        Figure("day: taken and given back", states["refunded"], ""),
        Figure("day: unknown on the way", counts.doubted, ""),
        Figure("day: reversals sent", counts.reversals, ""),
        Figure("day: refunds done", counts.refunds, ""),
        Figure("day: calls for help that a cashier answered", told.calls_answered, ""),
        Figure("day: work items left for a person", sum(counts.work.values()), ""),
        Figure("day: faults", sum(done.values()), ""),
        Figure("day: kinds of faults that happened", len(faults), "", len(CALL_FAULTS), at_least=True),
        Figure("day: longest that a payment held a screen", max(told.held_s), "s"),
        Figure("day: payments still open", still_open, "", 0),
        Figure("day: workstations stuck", len(told.stuck), "", 0),
        Figure("day: touches refused", sum(told.refused.values()), "", 0),
        Figure("day: differences of the three ledgers", len(odd), "", 0),
    ]


def _bills(mall: Mall, folder: Path, began_at: int) -> list[Figure]:
    days = bill_days(began_at)
    have_bills_ready(mall)
    expected = plant(mall, folder, days, PLANTED_EACH)
    found = compare(mall, folder, days)
    return [
        Figure("bills: rows", found.rows, ""),
        Figure("bills: differences planted", len(expected), ""),
        Figure("bills: planted and not found", len(expected - found.found), "", 0),
        Figure("bills: found and not planted", len(found.found - expected), "", 0),
    ]


def _by_kind(done: Mapping[str, int]) -> Counter[str]:
    kinds: Counter[str] = Counter()
    for name, number in done.items():
        kinds[name.rpartition("/")[2]] += number
    return kinds


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--payments", type=int, default=PAYMENTS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--part", action="append", choices=["share", "bill", "day"], default=[])
    wanted = parser.parse_args()
    sys.exit(report(measure(wanted.payments, wanted.seed, wanted.part)))
