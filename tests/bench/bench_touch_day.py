"""A day of sales with HQ away for three hours: every paid order's chain of touches is at HQ, counted once.

Run: .venv/bin/python -m tests.bench.bench_touch_day
The real use cases over SQLite, a faulty wire and an HQ that counts an event once by its id. In turn: a sale
at the kiosk, a counter ticket that a phone pays, a kiosk's basket that a phone pays, and scan and go. Every
third order's shopper came by a poster, every sixth by a guide's code too; every hundredth is given back.
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

from edge.members.touchpoint import Touchpoint, build_book
from edge.retail.attempt import PaymentAttempt
from edge.retail.order import Order
from edge.services.box import Workstation, WorkstationKind
from edge.services.check_out import leave
from edge.services.hand_over_basket import hand_over_token, pay_at_kiosk
from edge.services.hand_over_ticket import hand_over_ticket
from edge.services.issue_ticket import issue_ticket, ticket_token
from edge.services.pay_ticket import begin_ticket_payment, meet_ticket
from edge.services.phone_records import PhoneSession
from edge.services.phone_rules import PhoneRules
from edge.services.phone_session import open_session
from edge.services.publish_events import PublishCursor, publish_events
from edge.services.refund_order import RefundAsk, refund_order
from edge.services.scan_and_go import pay_cart, scan_into_cart
from edge.services.scan_and_go_rules import ScanAndGoRules
from edge.services.staff import StaffMember
from edge.services.touch_rules import TouchRules
from edge.services.write_ticket import open_ticket
from edge.store.sqlite_store import SqliteStore
from sim.fakes.box import BREAD, COLA, GATEWAY, KIOSK, FakePorts
from sim.fakes.hq import Fate
from sim.fakes.prepay_gateway import FakePrepayGateway
from tests.bench.table import Figure, Result, report
from tests.unit.test_services_touch import LI, RULES, Touched

ORDERS = 5_000
COUNTER = "C01"
POSTER = Touchpoint("poster", name="海报", name_en="poster", leads_to="/phone/shop")
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


@dataclass
class _DayShop(Touched):
    """A shop with a kiosk, a counter whose guide writes tickets, and phones that pay all of it."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.phones = FakePrepayGateway(self.ports.gateway)
        places = {COUNTER: Workstation(COUNTER, WorkstationKind.COUNTER, tenant_id="t-bakery")}
        book = build_book([POSTER], [LI], [KIOSK, COUNTER], [])
        self.box = replace(
            self.box,
            prepayers={GATEWAY: self.phones},
            phone=PhoneRules(key=b"k" * 32),
            scan_and_go=ScanAndGoRules(tenants=frozenset({""}), recheck_permille=0),
            workstations={**self.box.workstations, **places},
            touch=TouchRules(book, RULES.attribution),
        )

    def phone(self, way: str) -> PhoneSession:
        return open_session(self.box, correlation=way)[1]

    def ticket(self, way: str) -> Order:
        """Sell by a counter ticket of the bakery."""
        opened = open_ticket(self.box, COUNTER, LI.guide_id)
        self.scan(BREAD, COUNTER)
        phone = self.phone(way)
        token = ticket_token(self.box, issue_ticket(self.box, COUNTER, opened.ticket_id))
        meet_ticket(self.box, token, phone)
        begin_ticket_payment(self.box, token, phone)
        found = self.box.store.read(lambda unit: unit.tickets.get(opened.ticket_id))
        assert found is not None
        order = self.paid(found.order_id)
        given = self.box.store.read(lambda unit: unit.tickets.get(opened.ticket_id))
        assert given is not None
        hand_over_ticket(self.box, COUNTER, given.ticket_id, given.release_code, LI.guide_id)
        return order

    def handed(self, goods: str, way: str) -> Order:
        """Sell what is on the kiosk to the phone that scans its code."""
        self.scan(goods)
        state = self.box.store.read(lambda unit: unit.workstations.get(KIOSK))
        assert state is not None
        token = hand_over_token(self.box, KIOSK, state.basket_id or "")
        order = self.paid(pay_at_kiosk(self.box, self.phone(way).session_id, token))
        leave(self.box, KIOSK)
        return order

    def carried(self, goods: str, way: str) -> Order:
        """Sell by scan and go."""
        session_id = self.phone(way).session_id
        scan_into_cart(self.box, session_id, goods)
        return self.paid(pay_cart(self.box, session_id))

    def paid(self, what: PaymentAttempt | str | None) -> Order:
        """Have the phone pay what it was shown, and the box ask."""
        order_id = what if isinstance(what, str) else what.order_id if what else ""
        (moving,) = [one for one in self.attempts(order_id) if one.is_open]
        assert self.phones.pay(moving.pay_url)
        self.resolve(6_000)
        return self.stored_order(order_id)


class _Rig:
    def __init__(self, folder: Path, orders: int) -> None:
        self.ports = FakePorts(store=SqliteStore(folder / "edge.db", 1))
        self.shop = _DayShop(ports=self.ports)
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
    begun, goods = shop.ports.clock.now(), COLA if number % 8 < 4 else BREAD
    if number % 4 == 1:
        order = shop.ticket(way)
    elif number % 4 == 2:
        order = shop.handed(goods, way)
    elif number % 4 == 3:
        order = shop.carried(goods, way)
    else:
        order = shop.sell(goods, way=way)
    if number % 100 == 0:
        ask = RefundAsk(f"r-{number}", order.order_id, KIOSK, "broken")
        refund_order(shop.box, ask, "cashier", StaffMember("boss", "supervisor", ""))
    # So that ORDERS of them are 12 hours and a quarter of them is 3.
    shop.wait(max(0, DAY_MS // ORDERS - shop.ports.clock.now().since_ms(begun)))


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
