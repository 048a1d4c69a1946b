"""A day of sales with HQ away for three hours: every paid order's chain of touches is at HQ, counted once.

Run: .venv/bin/python -m tests.bench.bench_touch_day
The real use cases over SQLite, a faulty wire and an HQ that counts an event once by its id. Every third order
comes by a code, every sixth by a guide's; every hundredth is given back.
"""

from __future__ import annotations

import json
import random  # noqa: TID251 - the faults of the wire are the same in every run
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edge.services.publish_events import PublishCursor, publish_events
from edge.services.refund_order import RefundAsk, refund_order
from edge.services.staff import StaffMember
from edge.store.sqlite_store import SqliteStore
from sim.fakes.box import BREAD, COLA, KIOSK, FakePorts
from sim.fakes.hq import Fate
from tests.bench.table import Figure, Result, report
from tests.unit.test_services_touch import Touched

ORDERS = 5_000
DAY_MS = 12 * 3_600_000
AWAY = (0.4, 0.65)

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Day:
    """What a day came to. whole: orders whose chain HQ has in full; doubled: orders and steps told twice."""

    paid: int
    whole: int
    doubled: int
    repeats: int
    most_waiting: int
    away_h: float
    seconds: float


class _Rig:
    def __init__(self, folder: Path, orders: int) -> None:
        self.ports = FakePorts(store=SqliteStore(folder / "edge.db", 1))
        self.shop = Touched(ports=self.ports)
        dice = random.Random(6)
        fates = (dice.choice([*[Fate.DELIVER] * 7, *Fate]) for _ in range(orders * 40))
        self.ports.hq = type(self.ports.hq)(self.ports.clock, 50, fates)
        self.shop.box = replace(self.shop.box, link=self.ports.hq)
        self.cursor = PublishCursor()

    def publish(self, rounds: int) -> None:
        for _ in range(rounds):
            step = publish_events(self.ports.store, self.ports.hq, self.ports.clock, self.cursor)
            self.cursor = step.cursor
            self.ports.hq.deliver()

    def waiting(self) -> int:
        return self.ports.store.read(lambda unit: unit.outbox.depth().count)


def measure() -> Result:
    """Play a day of ORDERS."""
    with tempfile.TemporaryDirectory() as folder:
        day = play(Path(folder), ORDERS)
    figures = [
        Figure("orders paid", float(day.paid), "orders"),
        Figure("chains whole at HQ", float(day.whole), "orders", float(ORDERS), at_least=True),
        Figure("orders or steps counted twice", float(day.doubled), "", 0.0),
        Figure("events that came again over the wire", float(day.repeats), "events"),
        Figure("HQ away", day.away_h, "h", 3.0, at_least=True),
        Figure("most events that waited", float(day.most_waiting), "events"),
        Figure("orders played", day.paid / day.seconds, "orders/s"),
    ]
    return Result(
        "touch_day", figures, {}, f"{ORDERS:,} orders in 12 hours, HQ away from 40 % to 65 % of them"
    )


def play(folder: Path, orders: int) -> Day:
    """Sell, with HQ away for a quarter of the day, until nothing waits; return what HQ has."""
    begun, rig, most, away_ms = time.perf_counter(), _Rig(folder, orders), 0, 0
    for number in range(orders):
        away = AWAY[0] <= number / orders < AWAY[1]
        if away != rig.ports.hq.away:
            rig.ports.hq.away = away
        before = rig.ports.clock.now()
        _sell(rig, number)
        away_ms += rig.ports.clock.now().since_ms(before) if away else 0
        if not away:
            rig.publish(2)
        most = max(most, rig.waiting())
    for _ in range(orders + 1_000):
        if not rig.waiting():
            break
        rig.ports.clock.advance(5_000)
        rig.publish(10)
    else:
        raise AssertionError(f"{rig.waiting()} events still wait for HQ")
    paid, whole, doubled = _judge([json.loads(message.body) for message in rig.ports.hq.applied])
    rig.ports.store.close()
    taken_s = time.perf_counter() - begun
    return Day(paid, whole, doubled, rig.ports.hq.repeats, most, away_ms / 3_600_000, taken_s)


def _sell(rig: _Rig, number: int) -> None:
    shop = rig.shop
    way = ""
    if number % 3 == 0:
        way = shop.scanned("poster")
        if number % 6 == 0:
            shop.scanned("guide.li", way)
    order = shop.sell(COLA if number % 2 else BREAD, way=way)
    if number % 100 == 0:
        ask = RefundAsk(f"r-{number}", order.order_id, KIOSK, "broken")
        refund_order(shop.box, ask, "cashier", StaffMember("boss", "supervisor", ""))
    # A sale by itself takes 2 s, so that ORDERS of them are 12 hours and a quarter of them is 3.
    shop.wait(DAY_MS // ORDERS - 2_000)


def _judge(events: list[Event]) -> tuple[int, int, int]:
    """Return (paid orders, those whose chain is whole, what was counted twice) by what HQ applied."""
    steps: dict[str, list[Event]] = {}
    for data in _of(events, "conversion.step"):
        steps.setdefault(data["correlation"], []).append(data)
    same = Counter(
        (way, one["step"], one["touchpoint"], one["order_id"]) for way, mine in steps.items() for one in mine
    )
    paid = Counter(data["order_id"] for data in _of(events, "order.paid"))
    sales = Counter(data["order_id"] for data in _of(events, "sale.attributed"))
    whole = sum(
        _is_whole(data, steps.get(data["correlation"], [])) for data in _of(events, "sale.attributed")
    )
    doubled = sum(count - 1 for counts in (same, paid, sales) for count in counts.values())
    return len(paid), whole if set(paid) == set(sales) else 0, doubled


def _is_whole(sale: Event, steps: list[Event]) -> bool:
    places = {one["touchpoint"] for one in steps}
    bought = [one for one in steps if one["step"] == "bought" and one["order_id"] == sale["order_id"]]
    touched = {one["touchpoint"] for one in sale["touches"]}
    credited = sum(one["amount_fen"] for one in sale["credits"])
    return bool(touched) and touched <= places and len(bought) == 1 and credited == sale["amount_fen"]


def _of(events: list[Event], kind: str) -> list[Event]:
    return [one["data"] for one in events if one["type"] == f"cn.mall.{kind}.v1"]


if __name__ == "__main__":
    sys.exit(report(measure()))
