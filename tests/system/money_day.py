"""A day of payments: shoppers at twenty workstations, staff who give money back, faults at the gateways.

Every process is the real one: the service, HQ, the broker; the simulated gateways answer on a socket. What
is chance comes from a seed; what the processes make of it, and when, is theirs.
"""

from __future__ import annotations

import json
import queue
import random  # noqa: TID251  # seeded, so that a day can be tried again
import re
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from edge.services.staff import hash_pin
from sim.clocks import unix_ms
from sim.digits import random_digits
from sim.gateway.books import Habit
from sim.gateway.faults import Rate
from sim.mall import Mall, MallSettings
from sim.mall_config import DEMO_PIN
from tests.system.mall_process import View, code_of
from tests.system.money_screen import Screen
from tests.system.money_staff import SUPERVISOR_PIN, Supervisor

GOODS = ("BK-001", "BK-002", "BK-003", "MK-001", "MK-002", "MK-003")
BANKNOTE_FEN = 10_000

#: How long the next shopper stands before a workstation that somebody has left until it counts as stuck.
STUCK_AFTER_S = 180.0

#: How long a workstation that calls for help is held until a cashier comes.
HELP_COMES_S = 20.0

#: How long somebody who has shown a code waits for the end of it.
PATIENCE_S = 8.0

#: Shorter than in a shop, so that a day passes in minutes: a password, a screen that nobody uses.
_RULES = """\
poll_ms = 500
pay_deadline_ms = 6000
reverse_age_ms = 2000
idle_ms = 6000
paid_idle_ms = 4000
"""


@dataclass(frozen=True, slots=True)
class DayPlan:
    """What a day is like. tills: how many of the places are tills with a drawer.

    read_s, pay_read_s: how long the service waits for a gateway. refund_every: of so many paid orders, one
    is brought back.
    """

    payments: int
    rates: tuple[Rate, ...] = ()
    places: int = 20
    tills: int = 4
    seed: int = 1
    read_s: float = 2.0
    pay_read_s: float = 3.0
    refund_every: int = 25


class Way(StrEnum):
    """How somebody pays. DAWDLES never types the password; LEAVES goes once the code was shown."""

    CODE = "code"
    ALIPAY = "alipay"
    PASSWORD = "password"
    CANCELS = "cancels"
    DAWDLES = "dawdles"
    LEAVES = "leaves"
    POOR = "poor"
    CASH = "cash"


_SHARES = {
    Way.CODE: 56,
    Way.ALIPAY: 20,
    Way.PASSWORD: 10,
    Way.CANCELS: 4,
    Way.DAWDLES: 2,
    Way.LEAVES: 4,
    Way.POOR: 4,
}


#: What a person touches to end what a screen shows.
_WAYS_OUT = {"paid": "done", "basket": "cancel", "checkout": "cancel"}


@dataclass
class Told:
    """What people were told and did; written by many threads.

    paid: fen by order that a screen called paid. refused: touches that the service refused, by its words.
    held_s: from paying to the start screen. stuck: what went wrong at a workstation.
    """

    payments: Counter[Way] = field(default_factory=Counter)
    paid: dict[str, int] = field(default_factory=dict)
    cash_fen: int = 0
    calls_answered: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    held_s: list[float] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


class MoneyMall(Mall):
    """A mall with more workstations, impatient clients and a supervisor."""

    def __init__(self, folder: Path, plan: DayPlan) -> None:
        rules = _RULES + "".join(_workstation(name) for name in places(plan)[3:])
        super().__init__(MallSettings(folder, 0, 0, 0, rules=rules), unix_ms, random_digits)
        self._plan = plan

    def write_config(self) -> None:
        """Write the configuration with the settings of the plan."""
        super().write_config()
        plan, text = self._plan, self.config.read_text("utf-8")
        added = {
            "[web]": "threads = 64\nmax_streams = 40",
            "[wechat_pay]": f"read_s = {plan.read_s}\ncodepay_read_s = {plan.pay_read_s}",
            "[alipay]": f"read_s = {plan.read_s}\npay_read_s = {plan.pay_read_s}",
        }
        for section, lines in added.items():
            text = text.replace(f"{section}\n", f"{section}\n{lines}\n", 1)
        pin_hash = hash_pin(SUPERVISOR_PIN, b"money day salt")
        staff = f'\n[[staff]]\nname = "Supervisor"\nrole = "supervisor"\npin_hash = "{pin_hash}"\n'
        self.config.write_text(text + staff, "utf-8")


@contextmanager
def open_money_mall(folder: Path, plan: DayPlan) -> Iterator[MoneyMall]:
    """Run it on free ports in `folder`."""
    mall = MoneyMall(folder, plan)
    try:
        mall.open()
        yield mall
    finally:
        mall.close()


def places(plan: DayPlan) -> Sequence[str]:
    """Return the names of the workstations, kiosks K.. and tills T..; the first three are any mall's."""
    kiosks = [f"K{number:02d}" for number in range(3, plan.places - plan.tills + 1)]
    return ["K01", "T01", "K02", *kiosks, *(f"T{number:02d}" for number in range(2, plan.tills + 1))]


def spend_day(mall: Mall, plan: DayPlan) -> Told:
    """Let shoppers come until the payments of the plan were begun; return what they were told.

    Faults happen while they shop; every workstation is brought back to its start afterwards.
    """
    told, supervisor = Told(), Supervisor(mall.url)
    tickets: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in range(plan.payments):
        tickets.put(number)
    mall.gateway.faults.set_rates(*plan.rates)
    shoppers = [Shoppers(mall, plan, place, tickets, told, supervisor) for place in places(plan)]
    threads = [threading.Thread(target=one.run, name=one.place) for one in shoppers]
    with supervisor:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    mall.gateway.faults.set_rates()
    return told


class Shoppers:
    """All who come to one workstation, one after another."""

    def __init__(
        self,
        mall: Mall,
        plan: DayPlan,
        place: str,
        tickets: queue.SimpleQueue[int],
        told: Told,
        supervisor: Supervisor,
    ) -> None:
        self.place = place
        self._mall, self._plan, self._told, self._supervisor = mall, plan, told, supervisor
        self._tickets = tickets
        self._chance = random.Random(f"{plan.seed}/{place}")
        self._pause = threading.Event()

    def run(self) -> None:
        """Come until no payment is left to be made, then see that the workstation is free."""
        screen = Screen(self._mall.url, self.place)
        try:
            while self._take_ticket():
                self._visit(screen)
        except (AssertionError, OSError) as problem:
            with self._told.lock:
                self._told.stuck.append(f"{self.place}: {problem!r}, last seen {screen.view.get('screen')}")
        finally:
            screen.close()

    def _take_ticket(self) -> bool:
        try:
            self._tickets.get_nowait()
        except queue.Empty:
            return False
        return True

    def _visit(self, screen: Screen) -> None:
        for sku in self._chance.sample(GOODS, self._chance.randint(1, 2)):
            self._do(screen, "type_code", text=code_of(sku))
        self._do(screen, "checkout")
        assert screen.sees(lambda view: view["screen"] == "checkout", STUCK_AFTER_S), "no checkout"
        way = self._way()
        began = time.monotonic()
        if way is Way.CASH:
            self._pay_cash(screen)
        else:
            self._show_code(screen, way)
        # Whoever sees no end walks away; whoever is refused tries once more.
        if way is not Way.LEAVES and screen.sees(_is_over, PATIENCE_S):
            if screen.view["screen"] == "checkout" and self._take_ticket():
                self._show_code(screen, Way.CODE)
                screen.sees(_is_over, PATIENCE_S)
            self._note_paid(screen)
        self._free(screen, began)

    def _way(self) -> Way:
        if self.place.startswith("T") and self._chance.random() < 0.5:
            return Way.CASH
        return self._chance.choices(list(_SHARES), list(_SHARES.values()))[0]

    def _pay_cash(self, screen: Screen) -> None:
        due_fen = _order(screen.view)["due_fen"]
        received_fen = -(-due_fen // BANKNOTE_FEN) * BANKNOTE_FEN
        self._do(screen, "cash", received_fen=received_fen, due_fen=due_fen)
        with self._told.lock:
            self._told.payments[Way.CASH] += 1
            self._told.cash_fen += due_fen

    def _show_code(self, screen: Screen, way: Way) -> None:
        due_fen = _order(screen.view)["due_fen"]
        asks = way in (Way.PASSWORD, Way.CANCELS, Way.DAWDLES)
        habits = {Way.CANCELS: Habit.CANCELS, Way.DAWDLES: Habit.WAITS}
        wallet = self._mall.gateway.books.add_wallet(
            "访客",
            1 if way is Way.POOR else due_fen,
            password_above_fen=0 if asks else due_fen,
            habit=habits.get(way, Habit.TYPES),
            delay_ms=self._chance.randint(200, 2_500),
        )
        with self._told.lock:
            self._told.payments[way] += 1
        other = way is not Way.CODE and self._chance.random() < 0.3
        if way is Way.ALIPAY or other:
            code = _alipay_code(self._mall.gateway.url, wallet.wallet_id)
        else:
            code = self._mall.gateway.books.show_code(wallet.wallet_id).code
        self._do(screen, "type_code", text=code)

    def _note_paid(self, screen: Screen) -> None:
        """Remember what the screen said; an order that was paid may be brought back."""
        if screen.view["screen"] != "paid":
            return
        order = _order(screen.view)
        with self._told.lock:
            self._told.paid[order["id"]] = order["total_fen"]
        if self._chance.randrange(self._plan.refund_every) == 0:
            drawer = self.place if self.place.startswith("T") else "T01"
            self._supervisor.bring_back(order["id"], order["total_fen"], drawer)

    def _free(self, screen: Screen, began: float) -> None:
        """See that the workstation is at its start, by itself or by what a person can touch."""
        deadline = time.monotonic() + STUCK_AFTER_S
        while screen.view.get("screen") != "attract" or not screen.sees(_is_start, 0):
            left_s = deadline - time.monotonic()
            assert left_s > 0, f"stuck: {json.dumps(screen.view, ensure_ascii=False)[:2000]}"
            if not screen.sees(lambda view: view["screen"] != "waiting", min(left_s, HELP_COMES_S)):
                self._answer_call(screen)
            way_out = _WAYS_OUT.get(str(screen.view["screen"]))
            if way_out is not None:
                self._do(screen, way_out)
            screen.sees(lambda view: view["screen"] in ("attract", "waiting"), 1.0)
        with self._told.lock:
            self._told.held_s.append(time.monotonic() - began)

    def _answer_call(self, screen: Screen) -> None:
        """Come as a cashier to a workstation that has called for one for a while."""
        if screen.view["help"] is not None:
            self._do(screen, "help_done", pin=DEMO_PIN)
            with self._told.lock:
                self._told.calls_answered += 1

    def _do(self, screen: Screen, action: str, **values: object) -> None:
        refused = screen.touch(action, **values)
        if refused:
            words = re.sub(r"[0-9a-f-]{20,}|[KT]\d\d-\d+", "..", refused)
            with self._told.lock:
                self._told.refused[f"{action}: {words[:160]}"] += 1


def _is_start(view: View) -> bool:
    return view["screen"] == "attract"


def _is_over(view: View) -> bool:
    return view["screen"] in ("paid", "checkout", "attract")


def _order(view: View) -> dict[str, Any]:
    order = view["order"]
    assert isinstance(order, dict), f"no order on the screen {view['screen']}"
    return order


def _alipay_code(url: str, wallet_id: str) -> str:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/sim/alipay/{wallet_id}/code", b'{"renew": true}', headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return str(json.load(answer)["code"])


def _workstation(name: str) -> str:
    till = 'kind = "till"\ncash = true\n' if name.startswith("T") else ""
    return f'\n[[workstation]]\nname = "{name}"\n{till}'
