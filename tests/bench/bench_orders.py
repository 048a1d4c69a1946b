"""Durable orders a second through the service's store and use cases, against a raw sqlite3 program.

Run: .venv/bin/python -m tests.bench.bench_orders. One order is one commit: order, three lines, tender, two
postings with their place in the books, receipt and two events for HQ, with synchronous=FULL. The raw program
inserts the very rows that the service has written in the round before, made beforehand, with the same schema
and pragmas; the rounds take turns, so that both meet the same disk. With several threads the service's
commits are shared.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from edge.clock import SystemClock, wall_ms
from edge.ids import TimeOrderedIds
from edge.retail.basket import Basket, LineItem
from edge.retail.order import cash_tender, freeze
from edge.services.box import Box, Rules, Workstation
from edge.services.complete_order import take_tender
from edge.services.events import Origin
from edge.services.records import Unit
from edge.store.database import BUSY_MS, PRAGMAS
from edge.store.migrate import schema_steps, split_statements
from edge.store.sqlite_store import SqliteStore
from sim.fakes.hq import FakeHq
from tests.bench.big_mall import say
from tests.bench.table import RESULTS, Figure, Result, report

ROUNDS = 11
ORDERS = 400
THREADS = (8, 32)
DAY = "2026-11-22"

#: Tables with one or more rows for each order, in an order that foreign keys allow.
_TABLES = ("orders", "order_lines", "tenders", "postings", "bookings", "entries", "receipts", "outbox")
_KEYS = {
    "orders": "SELECT * FROM orders WHERE order_id > ?1",
    "order_lines": "SELECT * FROM order_lines WHERE order_id > ?1",
    "tenders": "SELECT * FROM tenders WHERE order_id > ?1",
    "postings": "SELECT * FROM postings WHERE posting_id > ?1",
    "bookings": "SELECT * FROM bookings WHERE posting_id > ?1",
    "entries": "SELECT * FROM entries WHERE posting_id > ?1",
    "receipts": "SELECT * FROM receipts WHERE order_id > ?1",
    "outbox": "SELECT * FROM outbox WHERE event_id > ?1",
}

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class RawOrder:
    """All rows of one order, by table."""

    rows: dict[str, list[Row]]
    number: int
    last_sequence: int


def measure() -> Result:
    """Take turns: the service alone, the raw program, the service with several threads."""
    with tempfile.TemporaryDirectory(dir=_folder(), prefix="orders-") as name:
        folder = Path(name)
        raw = _raw(folder / "raw.db")
        boxes = {count: _box(folder / f"edge-{count}.db") for count in (1, *THREADS)}
        rates: dict[str, list[float]] = {key: [] for key in ("raw", *map(str, boxes))}
        for turn in range(ROUNDS):
            mark = boxes[1].ids.new_id()
            for count, box in boxes.items():
                rates[str(count)].append(_rate(partial(_sell_beside, box, count)))
                if count == 1:
                    rows = _rows_since(folder / "edge-1.db", mark)
                    rates["raw"].append(_rate(partial(_insert_all, raw, rows)))
            latest = ", ".join(f"{name} {each[-1]:,.0f}/s" for name, each in rates.items())
            say(f"round {turn + 1} of {ROUNDS}: {latest}")
        raw.close()
        for box in boxes.values():
            box.store.close()  # type: ignore[attr-defined]
    return _result(rates)


def _result(rates: dict[str, list[float]]) -> Result:
    middle = {name: median(each) for name, each in rates.items()}
    peer = middle["raw"]
    figures = [
        Figure("service, one caller, of raw sqlite3", middle["1"] / peer * 100, "%", 50.0, at_least=True),
        Figure("raw sqlite3", peer, "orders/s"),
        Figure("service, one caller", middle["1"], "orders/s"),
    ]
    for count in THREADS:
        figures.append(Figure(f"service, {count} callers", middle[str(count)], "orders/s"))
        figures.append(Figure(f"service, {count} callers, of raw", middle[str(count)] / peer * 100, "%"))
    note = (
        f"medians of {ROUNDS} interleaved rounds of {ORDERS} orders; one commit each "
        "(order, 3 lines, tender, 2 postings with 5 entries, receipt, 2 events), WAL, synchronous=FULL"
    )
    return Result("orders", figures, rates, note)


def _rate(work: Callable[[], None]) -> float:
    begun = time.perf_counter()
    work()
    return ORDERS / (time.perf_counter() - begun)


def _box(path: Path) -> Box:
    clock = SystemClock()
    return Box(
        origin=Origin("bench", "edge-1"),
        clock=clock,
        ids=TimeOrderedIds(wall_ms),
        store=SqliteStore(path, clock.now().wall_at),
        link=FakeHq(clock),
        gateways={},
        printers={},
        workstations={"T01": Workstation("T01", cash=True)},
        rules=Rules(),
    )


def _sell(box: Box, count: int) -> None:
    basket = _basket()
    for _ in range(count):
        box.store.write(lambda unit: _sell_one(unit, box, basket))


def _sell_beside(box: Box, callers: int) -> None:
    if callers == 1:
        _sell(box, ORDERS)
        return
    threads = [threading.Thread(target=_sell, args=(box, ORDERS // callers)) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _sell_one(unit: Unit, box: Box, basket: Basket) -> None:
    """Do in one unit of work what check-out and the cash tender of a till do in two."""
    now = box.clock.now()
    number = f"T01-{unit.orders.take_number(DAY):04d}"
    order = freeze(basket, box.ids.new_id(), number, DAY, now.wall_at)
    take_tender(unit, box, order, cash_tender(order, box.ids.new_id(), 10_000, now.wall_at), now)


def _basket() -> Basket:
    lines = [
        LineItem("l1", "BK-001", "bakery", "蛋挞", "Egg Tart", "2900010000012", 2, 500, 1000),
        LineItem("l2", "MK-002", "market", "绿茶 500ml", "Green Tea 500 ml", "6900000100028", 1, 350, 350),
        LineItem("l3", "FR-001", "market", "红富士苹果", "Fuji Apples", "2101001004375", 1, 1280, 559, 437),
    ]
    return Basket("b1", "T01", 0, lines=tuple(lines))


def _raw(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, cached_statements=256)
    for name, value in PRAGMAS.items():
        connection.execute(f"PRAGMA {name} = {value}")
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    for step in schema_steps():
        for statement in split_statements(step.sql):
            connection.execute(statement)
    return connection


def _rows_since(path: Path, mark: str) -> list[RawOrder]:
    """Return all rows of the orders that were made after the id `mark`; ids sort by time."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    tables = {name: connection.execute(query, (mark,)).fetchall() for name, query in _KEYS.items()}
    connection.close()
    orders = sorted(tables["orders"])
    last = min(row[0] for row in tables["outbox"]) - 1
    shares = {name: _shares(sorted(rows), len(orders)) for name, rows in tables.items()}
    return [
        RawOrder(
            {name: shares[name][place] for name in _TABLES},
            int(str(order[1]).rpartition("-")[2]),
            last + (place + 1) * len(shares["outbox"][place]),
        )
        for place, order in enumerate(orders)
    ]


def _shares(rows: Sequence[Row], count: int) -> list[list[Row]]:
    """Cut rows, in the order of their making, into one share for each order."""
    each, left = divmod(len(rows), count)
    assert left == 0
    return [list(rows[place * each : (place + 1) * each]) for place in range(count)]


def _insert_all(connection: sqlite3.Connection, orders: Sequence[RawOrder]) -> None:
    inserts = {
        name: f"INSERT INTO {name} VALUES ({', '.join('?' * len(orders[0].rows[name][0]))})"
        for name in _TABLES
    }
    for order in orders:
        connection.execute("BEGIN")
        for name, statement in inserts.items():
            connection.executemany(statement, order.rows[name])
        connection.execute("INSERT OR REPLACE INTO order_numbers VALUES (?, ?)", (DAY, order.number))
        connection.execute("UPDATE outbox_head SET last_sequence = ?", (order.last_sequence,))
        connection.execute("COMMIT")


def _folder() -> Path:
    RESULTS.mkdir(parents=True, exist_ok=True)
    return RESULTS


if __name__ == "__main__":
    sys.exit(report(measure()))
