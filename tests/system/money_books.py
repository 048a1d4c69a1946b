"""Three ledgers of one day side by side: the gateways', the box's and HQ's; and the people's own memory."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sim.mall import Mall
from tests.system.books import BoxBooks, HqBooks, box_books, check_box_and_hq, hq_books
from tests.system.mall_process import eventually
from tests.system.money_day import Told

#: A charge that may never have arrived is given up six minutes after it was made, and looked at now and then.
SETTLE_S = 900.0

_OPEN = """
SELECT (SELECT count(*) FROM attempts WHERE state IN ('intended', 'submitted', 'unknown'))
    + (SELECT count(*) FROM refunds WHERE phase IN ('requested', 'approved'))
    + (SELECT count(*) FROM refund_legs WHERE state NOT IN ('done', 'replaced', 'closed'))
    + (SELECT count(*) FROM outbox)
"""
_HELD = """
SELECT merchant_order_no, amount_fen - coalesce((
    SELECT sum(l.amount_fen) FROM refund_legs l JOIN tenders t USING (tender_id)
    WHERE t.attempt_id = attempts.attempt_id AND l.state = 'done'), 0)
FROM attempts WHERE state = 'approved'
"""
_EVENTS = """
SELECT kind, subject, data FROM events WHERE kind LIKE 'payment.%' OR kind = 'refund.done' ORDER BY sequence
"""
_UNFIT = """
SELECT 'approved without its tender: ' || attempt_id FROM attempts
WHERE state = 'approved' AND attempt_id NOT IN (SELECT attempt_id FROM tenders WHERE attempt_id IS NOT NULL)
UNION ALL SELECT 'a tender of an attempt that is ' || state || ': ' || attempt_id
FROM tenders JOIN attempts USING (attempt_id) WHERE state <> 'approved'
UNION ALL SELECT 'awaiting with money: ' || order_id FROM orders
WHERE state = 'awaiting' AND order_id IN (SELECT order_id FROM tenders)
UNION ALL SELECT 'posting ' || posting_id || ' does not balance' FROM entries
GROUP BY posting_id HAVING sum(amount_fen) <> 0
UNION ALL SELECT account || ' is left with ' || sum(amount_fen) FROM entries
WHERE account LIKE 'due/%' GROUP BY account HAVING sum(amount_fen) <> 0
"""


@dataclass(frozen=True, slots=True)
class Counts:
    """What a day was like. attempts: by state. doubted: were unknown for a while. reversals: sent for
    attempts. work: open work items by kind.
    """

    attempts: Mapping[str, int]
    cash: int
    doubted: int
    reversals: int
    refunds: int
    legs: Mapping[str, int]
    work: Mapping[str, int]

    @property
    def payments(self) -> int:
        """How many payments were begun."""
        return sum(self.attempts.values()) + self.cash


def await_settled(folder: Path, patience_s: float = SETTLE_S) -> None:
    """Wait until no attempt, refund or event is on its way; fail with how many are."""
    with closing(_open(folder)) as db:
        eventually(
            lambda: True if db.execute(_OPEN).fetchone()[0] == 0 else None,
            f"the money to stand still; {db.execute(_OPEN).fetchone()[0]} on their way at first",
            patience_s,
        )


def count(folder: Path) -> Counts:
    """Count what happened, from the box's database."""
    with closing(_open(folder)) as db:

        def by(query: str) -> dict[str, int]:
            return dict(db.execute(query).fetchall())

        def one(query: str) -> int:
            return int(db.execute(query).fetchone()[0])

        return Counts(
            attempts=by("SELECT state, count(*) FROM attempts GROUP BY state"),
            cash=one("SELECT count(*) FROM tenders WHERE kind = 'cash'"),
            doubted=one("SELECT count(DISTINCT attempt_id) FROM attempt_steps WHERE state = 'unknown'"),
            reversals=one("SELECT count(DISTINCT attempt_id) FROM attempt_steps WHERE what = 'reversal'"),
            refunds=one("SELECT count(*) FROM refunds WHERE phase = 'done'"),
            legs=by("SELECT kind, count(*) FROM refund_legs WHERE state = 'done' GROUP BY kind"),
            work=by("SELECT kind, count(*) FROM work_items WHERE closed_at IS NULL GROUP BY kind"),
        )


def differences(mall: Mall, folder: Path, told: Told) -> list[str]:
    """Return in words what the ledgers and the people do not agree on; nothing when all is well."""
    box, hq = box_books(folder), hq_books(folder)
    with closing(_open(folder)) as db:
        return [
            *mall.gateway.office.ledger.differences(),
            *_gateway_and_box(mall, db),
            *(row[0] for row in db.execute(_UNFIT)),
            *_drawers(db, box, told),
            *_people(box, told),
            *_box_and_hq(box, hq),
            *_events(db, folder, box),
        ]


def _gateway_and_box(mall: Mall, db: sqlite3.Connection) -> Iterator[str]:
    """Compare, order by order, what the gateways hold with what the box believes to hold there."""
    there: Counter[str] = Counter()
    charged: Counter[str] = Counter()
    for entry in mall.gateway.books.ledger():
        there[entry.order_no] += entry.amount_fen
        charged[entry.order_no] += entry.amount_fen > 0
    here = dict(db.execute(_HELD).fetchall())
    for number in sorted(set(there) | set(here)):
        if there[number] != here.get(number, 0):
            state = db.execute("SELECT state, trail FROM attempts WHERE merchant_order_no = ?", (number,))
            ours = f"{here.get(number, 0)} ({state.fetchone()})"
            yield f"payment {number}: the gateway holds {there[number]} fen, the box {ours}"
        if charged[number] > 1:
            yield f"payment {number} was charged {charged[number]} times"


def _drawers(db: sqlite3.Connection, box: BoxBooks, told: Told) -> Iterator[str]:
    taken_fen = sum(fen for each in box.tenders.values() for name, fen in each if name == "cash")
    if taken_fen != told.cash_fen:
        yield f"shoppers gave {told.cash_fen} fen in cash, the box took {taken_fen}"
    for kind in ("cash", "wechat_pay", "alipay"):
        tendered = sum(fen for each in box.tenders.values() for name, fen in each if name == kind)
        query = "SELECT total(amount_fen) FROM refund_legs WHERE kind = ? AND state = 'done'"
        given = int(db.execute(query, (kind,)).fetchone()[0])
        if box.balances.get(f"tender/{kind}", 0) != tendered - given:
            yield f"the account {kind} has {box.balances.get(f'tender/{kind}')}, not {tendered - given} fen"


def _people(box: BoxBooks, told: Told) -> Iterator[str]:
    for order_id, total_fen in told.paid.items():
        there = box.paid.get(order_id)
        if there != total_fen:
            yield f"order {order_id} was shown as paid with {total_fen} fen, the box has {there}"


def _box_and_hq(box: BoxBooks, hq: HqBooks) -> Iterator[str]:
    try:
        check_box_and_hq(box, hq)
    except AssertionError as problem:
        yield f"box and HQ: {str(problem)[:500]}"


def _events(db: sqlite3.Connection, folder: Path, box: BoxBooks) -> Iterator[str]:
    """Compare the last that HQ heard of each attempt and refund with what it is."""
    words: dict[str, str] = {}
    refunds: dict[str, int] = {}
    with closing(sqlite3.connect(f"file:{folder / 'hq' / 'hq.db'}?mode=ro", uri=True)) as hq:
        for kind, subject, data in hq.execute(_EVENTS):
            if kind == "refund.done":
                refunds[subject] = json.loads(data)["amount_fen"]
            else:
                words[subject] = kind.removeprefix("payment.")
    if words != box.attempts:
        odd = {one for one in set(words) | set(box.attempts) if words.get(one) != box.attempts.get(one)}
        for attempt_id in sorted(odd):
            yield f"attempt {attempt_id} is {box.attempts.get(attempt_id)}, HQ heard {words.get(attempt_id)}"
    ours = dict(db.execute("SELECT refund_id, amount_fen FROM refunds WHERE phase = 'done'").fetchall())
    if refunds != ours:
        yield f"HQ heard of refunds {sorted(set(refunds.items()) ^ set(ours.items()))}"


def _open(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{folder / 'state' / 'edge.db'}?mode=ro", uri=True, timeout=10)
