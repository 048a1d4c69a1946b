"""The books of a mall, as an auditor reads them: the box's, HQ's and the gateway's, which must agree."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

#: What only a payment code looks like, of WeChat, Alipay and UnionPay; ids of the gateways and of ours are
#: longer, begin otherwise or hold letters. Digits after a point are a fraction; the last digits of a UUID or
#: a trace may stand before a year, and a notice of the gateway is EV- and random digits.
_PAYMENT_CODE = re.compile(
    rb"(?<![0-9A-Za-z.])(?<!EV-)(?<!-[0-9a-f]{4}-[0-9a-f]{4}-)(?<![0-9a-f]{32}-)"
    rb"(?:1[0-5][0-9]{16}|(?:2[5-9]|30)[0-9]{14,22}|62[0-9]{17,18})(?![0-9A-Za-z])"
)


@dataclass(frozen=True, slots=True)
class BoxBooks:
    """The box's own. paid: total_fen by order id; tenders: (kind, amount_fen) by order id."""

    paid: dict[str, int]
    tenders: dict[str, list[tuple[str, int]]]
    attempts: dict[str, str]
    balances: dict[str, int]
    waiting: int
    last_sequence: int


@dataclass(frozen=True, slots=True)
class HqBooks:
    """HQ's. paid: total_fen by order id; twice: order ids that were told more than once."""

    paid: dict[str, int]
    twice: list[str]
    sequences: list[int]
    sales_fen: int
    conflicts: int
    lost: int
    dead: int
    kinds: Counter[str]


def box_books(folder: Path) -> BoxBooks:
    """Read the box's database, beside a running service or after it."""
    with closing(_open(folder / "state" / "edge.db")) as db:
        tenders: dict[str, list[tuple[str, int]]] = {}
        for order_id, kind, amount_fen in db.execute("SELECT order_id, kind, amount_fen FROM tenders"):
            tenders.setdefault(order_id, []).append((kind, amount_fen))
        return BoxBooks(
            paid=dict(db.execute("SELECT order_id, total_fen FROM orders WHERE state = 'paid'").fetchall()),
            tenders=tenders,
            attempts=dict(db.execute("SELECT attempt_id, state FROM attempts").fetchall()),
            balances=dict(db.execute("SELECT account, sum(amount_fen) FROM entries GROUP BY account")),
            waiting=db.execute("SELECT count(*) FROM outbox").fetchone()[0],
            last_sequence=db.execute("SELECT last_sequence FROM outbox_head").fetchone()[0],
        )


def hq_books(folder: Path) -> HqBooks:
    """Read HQ's database."""
    with closing(_open(folder / "hq" / "hq.db")) as db:
        told = [json.loads(row[0]) for row in db.execute("SELECT data FROM events WHERE kind = 'order.paid'")]
        counts = Counter(each["order_id"] for each in told)
        conflicts, lost = db.execute("SELECT total(conflicts), total(lost) FROM edges").fetchone()
        return HqBooks(
            paid={each["order_id"]: each["total_fen"] for each in told},
            twice=[order_id for order_id, count in counts.items() if count > 1],
            sequences=[row[0] for row in db.execute("SELECT sequence FROM events ORDER BY sequence")],
            sales_fen=int(db.execute("SELECT total(amount_fen) FROM sales").fetchone()[0]),
            conflicts=int(conflicts),
            lost=int(lost),
            dead=db.execute("SELECT count(*) FROM dead_letters").fetchone()[0],
            kinds=Counter(row[0] for row in db.execute("SELECT kind FROM events")),
        )


def check_box_and_hq(box: BoxBooks, hq: HqBooks) -> None:
    """Fail unless HQ knows exactly what the box did, each event once, and the box's books balance."""
    assert box.waiting == 0
    assert hq.sequences == list(range(1, box.last_sequence + 1))
    assert (hq.twice, hq.conflicts, hq.lost, hq.dead) == ([], 0, 0, 0)
    assert hq.paid == box.paid
    assert hq.sales_fen == sum(box.paid.values())
    assert {order_id: sum(fen for _, fen in each) for order_id, each in box.tenders.items()} == box.paid
    assert sum(box.balances.values()) == 0


def leaks(folder: Path) -> list[str]:
    """Return the files under `folder` that hold something like a payment code, the printer's among them."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return [str(path) for path in files if _PAYMENT_CODE.search(path.read_bytes())]


def tracebacks(folder: Path) -> list[str]:
    """Return the lines of the logs that tell of an exception or worse than a warning."""
    lines = [line for path in sorted(folder.glob("*.log")) for line in path.read_text("utf-8").splitlines()]
    return [line for line in lines if "Traceback" in line or '"level": "critical"' in line]


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True)
