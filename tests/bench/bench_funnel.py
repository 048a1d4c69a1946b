"""The funnel's page over a million steps, and what recording a step costs; the real page and store.

Run: .venv/bin/python -m tests.bench.bench_funnel
The million is written by SQL as the service would have written it: 30 days of 15 hours, 60 touchpoints whose
tenant and guide are their own, two variants, eight steps that thin out. Once more with all of it on one day.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from edge.members.attribution import AttributionRule
from edge.members.conversion import ConversionStep
from edge.members.touchpoint import Guide, Touchpoint, build_book
from edge.services.record_conversion import record_conversion
from edge.services.touch_rules import TouchRules
from edge.store.sqlite_store import SqliteStore
from sim.fakes.box import FakePorts, fake_box
from tests.bench.table import Figure, Result, percentile, report
from tests.unit.staff_client import staff_client

STEPS = 1_000_000
ROUNDS = 15
RECORDED = 2_000
LAST_DAY = "2026-11-22"

_FILL = """
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :count - 1),
made AS (
    SELECT i, i / 8 AS way, (i * 7919) % 60 AS spot, (i * 104729) % 15 + 8 AS hour,
        date(:last_day, '-' || ((i / 8 * 31) % :days) || ' days') AS day,
        CASE (i * 2654435761) % 20
            WHEN 0 THEN 'returned' WHEN 1 THEN 'parked' WHEN 2 THEN 'bought' WHEN 3 THEN 'joined'
            WHEN 4 THEN 'identified' WHEN 5 THEN 'opened' WHEN 6 THEN 'opened' WHEN 7 THEN 'opened'
            WHEN 8 THEN 'scanned' WHEN 9 THEN 'scanned' WHEN 10 THEN 'scanned' WHEN 11 THEN 'scanned'
            ELSE 'shown' END AS step
    FROM n)
INSERT INTO conversions (conversion_id, key, correlation, step, at, day, hour, touchpoint, origin, first,
    tenant_id, guide, campaign, variant, member_id, order_id, amount_fen, served)
SELECT printf('c-%08d', i), printf('%s:%d', step, i % 8), printf('way-%08d', way), step,
    unixepoch(day) * 1000 + hour * 3600000, day, hour, 'poster-' || spot, 'poster-' || spot, 1,
    't-' || (spot % 20), 'g-' || (spot % 30), '', substr('AB', 1 + way % 2, 1), '', '',
    iif(step = 'bought', 9900, 0), 0
FROM made
"""
_HOURS = """
INSERT INTO funnel_hours SELECT day, hour, origin, tenant_id, guide, variant, step, sum(first), count(*),
    sum(amount_fen) FROM conversions GROUP BY 1, 2, 3, 4, 5, 6, 7
"""
_DAYS = """
INSERT INTO funnel_days SELECT day, origin, tenant_id, guide, variant, step, sum(first), count(*),
    sum(amount_fen) FROM conversions GROUP BY 1, 2, 3, 4, 5, 6
"""

QUERIES = {
    "a day by touchpoint": f"last_day={LAST_DAY}",
    "30 days by touchpoint": f"first_day=2026-10-24&last_day={LAST_DAY}",
    "30 days by guide, one tenant": f"first_day=2026-10-24&last_day={LAST_DAY}&by=guide&tenant=t-3",
    "30 days by day, one hour": f"first_day=2026-10-24&last_day={LAST_DAY}&by=day&hour=12",
}


def measure() -> Result:
    """Measure the page over a million steps of a month and of a single day, and the writing of steps."""
    figures, series = [], {}
    with tempfile.TemporaryDirectory() as folder:
        for days, words in ((30, "a month"), (1, "one day")):
            path = Path(folder) / f"{days}.db"
            store = SqliteStore(path, 1)
            store.close()
            begun = time.perf_counter()
            _fill(path, days)
            if days == 30:
                figures.append(Figure("a million written by SQL", time.perf_counter() - begun, "s"))
            store = SqliteStore(path, 1)
            for name, query in QUERIES.items():
                taken = _ask(store, query)
                series[f"{words}: {name} ms"] = taken
                figures.append(Figure(f"{words}: {name}, p99", percentile(taken, 99), "ms", 300))
            if days == 30:
                figures.append(Figure("a step recorded, one by one", _record(store), "steps/s"))
            store.close()
    note = f"{STEPS:,} steps; the whole page as HTML, {ROUNDS} times, p99 is the slowest"
    return Result("funnel", figures, series, note)


def _fill(path: Path, days: int) -> None:
    db = sqlite3.connect(path)
    with db:
        db.execute(_FILL, {"count": STEPS, "last_day": LAST_DAY, "days": days})
        db.execute(_HOURS)
        db.execute(_DAYS)
    if db.execute("SELECT sum(times) FROM funnel_days").fetchone() != (STEPS,):
        raise AssertionError("the million is not there")
    db.close()


def _rules() -> TouchRules:
    guides = [Guide(f"g-{n}", f"导购{n}") for n in range(30)]
    return TouchRules(build_book([Touchpoint(f"poster-{n}") for n in range(60)], guides), AttributionRule())


def _ask(store: SqliteStore, query: str) -> list[float]:
    """Return the milliseconds of each request of the page."""
    ports = FakePorts(store=store)
    client = staff_client(replace(fake_box(ports, lambda place: None), touch=_rules()))
    taken = []
    # The first page of a process compiles its template; a day without steps has that done.
    client.get("/staff/funnel?last_day=2026-01-01")
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        answer = client.get(f"/staff/funnel?{query}")
        taken.append((time.perf_counter() - begun) * 1_000)
        if answer.status_code != 200 or b"data-plot" not in answer.data:
            raise AssertionError(f"the page does not show the funnel: {answer.status}")
    return taken


def _record(store: SqliteStore) -> float:
    """Return steps a second, each in a transaction of its own, beside a million others."""
    ports = FakePorts(store=store)
    box = replace(fake_box(ports, lambda place: None), touch=_rules())
    now = box.clock.now()

    def write(number: int) -> Callable[..., object]:
        return lambda unit: record_conversion(
            unit, box, ConversionStep.SCANNED, f"new-{number:08d}", f"poster-{number % 60}", now
        )

    begun = time.perf_counter()
    for number in range(RECORDED):
        store.write(write(number))
    return RECORDED / (time.perf_counter() - begun)


if __name__ == "__main__":
    sys.exit(report(measure()))
