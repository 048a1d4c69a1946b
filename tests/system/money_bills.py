"""Differences planted in a day's bill at the simulated gateway, and what the service makes of them."""

from __future__ import annotations

import json
import sqlite3
import urllib.request
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path

from edge.clock import local
from edge.retail.reconcile import EDGE_MS
from edge.services.reconcile import BILL_ZONE, bill_hours
from sim.clocks import unix_ms
from sim.mall import Mall
from tests.system.mall_process import eventually
from tests.system.money_staff import Supervisor

#: What each kind of planted difference must be found as.
FOUND_AS = {"missing": "local_only", "extra": "channel_only", "amount": "amount", "status": "status"}

#: WeChat Pay and Alipay; differences are planted in the bill of the first.
GATEWAYS = 2

#: The longest that a comparison of a day's bill may take.
COMPARE_S = 60.0

#: Payments that are neither given back nor likely to be, the oldest first, begun and done on one day.
_WHOLE = """
SELECT merchant_order_no, created_at FROM attempts JOIN tenders USING (attempt_id)
WHERE gateway = 'wechat_pay' AND state = 'approved' AND created_at >= ? AND attempts.closed_at < ?
AND tender_id NOT IN (SELECT tender_id FROM refund_legs) ORDER BY merchant_order_no
"""
_DAYS = "SELECT compared_at, rows, matched FROM bill_days WHERE day = ?"
_DIFFERENCES = """
SELECT reference FROM work_items WHERE kind = 'bill_difference' AND closed_at IS NULL AND day = ?
"""


@dataclass(frozen=True, slots=True)
class Compared:
    """What the comparisons of some days came to. found: what is open now, as reference/kind."""

    rows: int
    matched: int
    found: frozenset[str]


def bill_days(began_at: int) -> list[date]:
    """Return the days whose bills hold all payments since `began_at` (Unix ms); two over Beijing midnight."""
    return sorted({local(at, BILL_ZONE).date() for at in (began_at, unix_ms())})


def have_bills_ready(mall: Mall) -> None:
    """Have the bill of a day be there before the day is over."""
    _post(mall, "/sim/bills", {"ready": "at_once"})


def plant(mall: Mall, folder: Path, days: Sequence[date], each: int) -> frozenset[str]:
    """Plant `each` differences of every kind in the bill of the day with most payments; return what must be
    found once the bills of all these days were compared, as reference/kind.
    """
    whole = {day: _whole(folder, day) for day in days}
    day = max(days, key=lambda one: len(whole[one]))
    assert len(whole[day]) >= 3 * each, f"only {len(whole[day])} payments to plant differences at"
    # What is missing of the last half hour may stand in the next bill, and is waited for.
    waits_from = bill_hours(days[-1])[1] - EDGE_MS
    payments = iter(whole[day])
    expected = set()
    for kind in ("missing", "amount", "status"):
        for number, created_at in islice(payments, each):
            _post(mall, f"/sim/bills/{day}/differences", {"kind": kind, "order_no": number})
            if kind != "missing" or created_at < waits_from:
                expected.add(f"wechat_pay/{number}/{FOUND_AS[kind]}")
    planted: Sequence[dict[str, str]] = ()
    for _ in range(each):
        planted = _post(mall, f"/sim/bills/{day}/differences", {"kind": "extra"})
    places = [place for place, one in enumerate(planted) if one["kind"] == "extra"]
    return frozenset(expected | {f"wechat_pay/{place:04d}planted.../channel_only" for place in places})


def compare(mall: Mall, folder: Path, days: Sequence[date]) -> Compared:
    """Have the service compare the bills of these days as a person does, and return what came of it."""
    each = [_compare_day(mall, folder, day) for day in days]
    return Compared(
        sum(one.rows for one in each),
        sum(one.matched for one in each),
        frozenset[str]().union(*(one.found for one in each)),
    )


def _whole(folder: Path, day: date) -> list[tuple[str, int]]:
    """Return the payments of a day that are there whole: number and when they began (Unix ms)."""
    with closing(_open(folder)) as db:
        return db.execute(_WHOLE, bill_hours(day)).fetchall()


def _compare_day(mall: Mall, folder: Path, day: date) -> Compared:
    told = (day.isoformat(),)
    with closing(_open(folder)) as db:
        before = db.execute(_DAYS, told).fetchall()

        def done() -> list[tuple[int, int, int]] | None:
            now = db.execute(_DAYS, told).fetchall()
            return now if len(set(now) - set(before)) == GATEWAYS else None

        with Supervisor(mall.url) as person:
            person.compare(day.isoformat())
        days = eventually(done, "the bills to be compared", COMPARE_S)
        found = db.execute(_DIFFERENCES, told)
        return Compared(
            sum(rows for _, rows, _ in days),
            sum(matched for _, _, matched in days),
            frozenset(_shortened(row[0]) for row in found),
        )


def _shortened(reference: str) -> str:
    """Return a reference without what the gateway makes up of a payment that nobody made."""
    gateway, number, kind = reference.split("/")
    head, planted, _ = number.partition("planted")
    return f"{gateway}/{head}{planted}.../{kind}" if planted else reference


def _post(mall: Mall, path: str, body: dict[str, str]) -> Sequence[dict[str, str]]:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{mall.gateway.url}{path}", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)  # type: ignore[no-any-return]


def _open(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{folder / 'state' / 'edge.db'}?mode=ro", uri=True, timeout=10)
