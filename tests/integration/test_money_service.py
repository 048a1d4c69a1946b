"""The running service when the store or the gateway lets it down: what is told, what is tried again."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import httpx

from devices.types import Scan
from edge.clock import SystemClock, boottime_ns
from edge.duties.paying import MAX_CHARGES, PAYMENT_WORKERS
from edge.errors import Declined, Invalid
from edge.hq.link import LinkCounts
from edge.ids import TimeOrderedIds
from edge.retail.attempt import AttemptState
from edge.retail.basket import BasketState
from edge.retail.order import OrderState
from edge.service import Devices, Parts, Service
from edge.services.box import Rules
from edge.services.check_out import back_to_basket, cancel_sale, check_out, leave
from edge.services.payment_ports import CodePayment, GatewayAnswer
from edge.services.receive_scan import receive_scan
from edge.services.records import Unit
from edge.services.settle_attempt import void_unsent
from edge.services.staff import StaffBook
from edge.services.take_cash import take_cash
from edge.store.sqlite_store import SqliteStore
from edge.web.desk import WebSettings
from sim.fakes.box import COLA, GATEWAY, KIOSK, RULES, WORKSTATIONS, FakePorts, fake_box, stock
from sim.fakes.gateway import FakeFault, FakeGateway, Shopper
from sim.fakes.hq import FakeHq
from sim.fakes.scanner import FakeScanner
from sim.ports import free_ports

T = TypeVar("T")


class FakeLink(FakeHq):
    """HQ with what the service asks of its link beside the port."""

    def __init__(self, clock: SystemClock) -> None:
        super().__init__(clock)  # type: ignore[arg-type]  # only `now` is asked for
        self.wake = threading.Event()

    def start(self) -> None:
        """Nothing to start."""

    def listen(self, *_: object) -> None:
        """Nobody at HQ asks for anything."""

    def say(self, *_: object) -> bool:
        """Nobody at HQ hears anything."""
        return False

    def certificate_left_s(self) -> float | None:
        """There is no certificate."""
        return None

    def counts(self) -> LinkCounts:
        """Nothing to count."""
        return LinkCounts()

    def close(self) -> None:
        """Nothing to close."""


class Running:
    """A service over a real store and fake devices."""

    def __init__(self, folder: Path, gateway: FakeGateway, places: int = 1, rules: Rules = RULES) -> None:
        clock = SystemClock()
        self.store = SqliteStore(folder / "edge.db", clock.now().wall_at, reserve_bytes=4_096)
        self.gateway, self.scanner = gateway, FakeScanner()
        ports = FakePorts(store=self.store, gateway=gateway, printers={})
        self.places = [f"kiosk-{number}" for number in range(1, places + 1)]
        link = FakeLink(clock)
        box = replace(
            fake_box(ports, lambda place: None, rules),
            clock=clock,
            ids=TimeOrderedIds(lambda: clock.now().wall_at),
            link=link,
            workstations={
                place: replace(WORKSTATIONS[KIOSK], name=place, cash=True) for place in self.places
            },
        )
        stock(self.store)
        devices = Devices(scanners=((KIOSK, self.scanner),))
        self.service = Service(
            Parts(box, self.store, link, devices, StaffBook([], clock), WebSettings(port=0))  # type: ignore[arg-type]
        )
        self.box = self.service.box

    def order(self, place: str) -> str:
        """Have a bottle of cola at checkout; return the order's id."""
        receive_scan(self.box, place, Scan("test", COLA.encode(), COLA, None, boottime_ns()))
        check_out(self.box, place)
        state = self.store.read(lambda unit: unit.workstations.get(place))
        assert state is not None
        assert state.order_id is not None
        return state.order_id

    def view(self, place: str) -> dict[str, Any]:
        return dict(self.service._desk.view(place, ""))

    def state(self, order_id: str) -> AttemptState:
        (attempt,) = self.store.read(lambda unit: unit.attempts.of_order(order_id))
        return attempt.state


@contextmanager
def running(folder: Path, gateway: FakeGateway, places: int = 1, rules: Rules = RULES) -> Iterator[Running]:
    made = Running(folder, gateway, places, rules)
    made.service.start()
    try:
        yield made
    finally:
        made.service.stop()


def eventually(look: Callable[[], T], what: str) -> T:
    deadline, pause = time.monotonic() + 20, threading.Event()
    while not (found := look()):
        assert time.monotonic() < deadline, f"waited 20 s for {what}"
        pause.wait(0.01)
    return found


def test_a_scan_that_a_full_disk_loses_is_shown_and_the_next_one_clears_it(tmp_path: Path) -> None:
    with running(tmp_path, FakeGateway()) as it:
        connection = it.store._db.conn
        before = it.service.changes.version(KIOSK)
        connection.execute("PRAGMA max_page_count = 1")
        # What is free inside the file is used first; each scan takes a little of it.
        while it.view(KIOSK)["devices"]["scanner"] == "connected":
            it.scanner.scan("x" * 200)
            threading.Event().wait(0.01)
        assert it.service.changes.version(KIOSK) > before
        connection.execute("PRAGMA max_page_count = 1000000")
        it.scanner.scan(COLA)
        eventually(lambda: it.view(KIOSK)["devices"]["scanner"] == "connected", "no fault")
        eventually(lambda: it.view(KIOSK)["basket"] is not None, "the cola")


def test_health_tells_that_the_disks_reserve_is_gone(tmp_path: Path) -> None:
    with running(tmp_path, FakeGateway()) as it:
        assert it.service._desk.health()["store"] == "ok"
        it.store.reserve.give_up()
        assert "make room" in str(it.service._desk.health()["store"])


class Stalled(FakeGateway):
    """Takes payments in and answers none before it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.inside = 0
        self._lock = threading.Lock()

    def pay_by_code(self, payment: CodePayment) -> GatewayAnswer:
        with self._lock:
            self.inside += 1
        assert self.go.wait(30)
        with self._lock:
            return super().pay_by_code(payment)


def test_a_charge_for_which_there_is_no_room_is_voided_at_once_and_the_others_are_taken_once(
    tmp_path: Path,
) -> None:
    gateway = Stalled()
    fits = PAYMENT_WORKERS + MAX_CHARGES
    with running(tmp_path, gateway, fits + 1) as it:
        orders = [it.order(place) for place in it.places]
        for number, place in enumerate(it.places):
            code = f"13{number:016d}"
            gateway.show_code(code, Shopper(f"openid-{number}", 100_000))
            if number == PAYMENT_WORKERS:
                eventually(lambda: gateway.inside == PAYMENT_WORKERS, "all workers to be busy")
            it.service.scanning.take_scan(place, Scan("test", code.encode(), code, None, boottime_ns()))
        assert it.state(orders[-1]) is AttemptState.VOIDED
        gateway.go.set()
        paid = [AttemptState.APPROVED] * fits
        eventually(lambda: [it.state(order) for order in orders[:-1]] == paid, "the charges")
        assert gateway.total_fen() == 350 * fits


def test_charges_of_all_workstations_of_a_large_box_go_on_at_once(tmp_path: Path) -> None:
    gateway = Stalled()
    with running(tmp_path, gateway, 20) as it:
        orders = [it.order(place) for place in it.places]
        for number, place in enumerate(it.places):
            gateway.show_code(f"13{number:016d}", Shopper(f"openid-{number}", 100_000))
            it.service.scanning.take_scan(place, scan_of(f"13{number:016d}"))
        eventually(lambda: gateway.inside == len(it.places), "all charges to be at the gateway")
        gateway.go.set()
        paid = [AttemptState.APPROVED] * len(it.places)
        eventually(lambda: [it.state(order) for order in orders] == paid, "the charges")


def test_charges_that_were_voided_while_they_waited_do_not_slow_down_the_next(tmp_path: Path) -> None:
    gateway = Stalled()
    with running(tmp_path, gateway, PAYMENT_WORKERS + 9) as it:
        orders = [it.order(place) for place in it.places]
        for number, place in enumerate(it.places[:-1]):
            it.service.scanning.take_scan(place, scan_of(f"13{number:016d}"))
        eventually(lambda: gateway.inside == PAYMENT_WORKERS, "all workers to be busy")
        for order in orders[PAYMENT_WORKERS:-1]:
            (attempt,) = it.store.read(lambda unit, one=order: unit.attempts.of_order(one))
            assert void_unsent(it.box, attempt.attempt_id) is AttemptState.VOIDED
        gateway.show_code("139999999999999999", Shopper("openid", 100_000))
        it.service.scanning.take_scan(it.places[-1], scan_of("139999999999999999"))
        gateway.go.set()
        eventually(lambda: it.state(orders[-1]) is AttemptState.APPROVED, "the last charge")
        workers = [one for one in it.service._worker_states() if str(one["name"]).startswith("pay-")]
        assert [one["crashes"] for one in workers] == [0] * PAYMENT_WORKERS
        assert gateway.total_fen() == 350


class Locked(FakeGateway):
    """Callable from several threads; some answers are lost, some shoppers must type a password."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()

    def pay_by_code(self, payment: CodePayment) -> GatewayAnswer:
        with self._lock:
            return super().pay_by_code(payment)

    def query(self, merchant_order_no: str) -> GatewayAnswer:
        with self._lock:
            return super().query(merchant_order_no)

    def reverse(self, merchant_order_no: str) -> GatewayAnswer:
        with self._lock:
            return super().reverse(merchant_order_no)


def test_whatever_people_do_at_the_same_time_every_fen_is_in_the_books_once(tmp_path: Path) -> None:
    gateway = Locked()
    rules = replace(RULES, poll_ms=20, reverse_age_ms=10, pay_deadline_ms=200)
    with running(tmp_path, gateway, rules=rules) as it:
        orders = [crowd(it, gateway, number) for number in range(20)]
        eventually(lambda: not it.store.read(lambda unit: unit.attempts.open(100)), "the end of all payments")
        stored = [it.store.read(lambda unit, one=order: unit.orders.get(one)) for order in orders]
        balances = it.store.read(lambda unit: unit.ledger.balances())
    assert all(order is not None for order in stored)
    tenders = [tender for order in stored if order for tender in order.tenders]
    assert sum(one.amount_fen for one in tenders if one.kind == GATEWAY) == gateway.total_fen()
    assert balances.get("tender/wechat_pay", 0) == gateway.total_fen()
    assert sum(balances.values()) == 0
    states = {order.state: order.paid_fen for order in stored if order}
    assert states.get(OrderState.PAID, 350) == 350
    assert states.get(OrderState.CANCELLED, 0) == 0
    assert OrderState.AWAITING not in states


def crowd(it: Running, gateway: FakeGateway, number: int) -> str:
    """Have two codes, cash, back and cancel come at one order at the same moment; return the order's id."""
    order_id = it.order(KIOSK)
    codes = [f"13{number:08d}{one:08d}" for one in range(2)]
    for code in codes:
        habits = Shopper(f"openid-{code}", 100_000, asks=number % 3 == 1, pending_queries=1)
        gateway.show_code(code, habits)
    if number % 4 == 2:
        gateway.fail_next("pay", FakeFault.LOST)
    actions: list[Callable[[], object]] = [
        *(partial(it.service.scanning.take_scan, KIOSK, scan_of(code)) for code in codes),
        partial(take_cash, it.box, KIOSK, 500),
        partial(back_to_basket, it.box, KIOSK),
        partial(cancel_sale, it.box, KIOSK),
    ]
    at_once([*actions[number % 5 :], *actions[: number % 5]])
    eventually(lambda: settle_screen(it), "a free screen")
    return order_id


def settle_screen(it: Running) -> bool:
    """Leave whatever screen is left, as the next shopper would find it; return whether it is free."""
    with contextlib.suppress(Invalid):
        leave(it.box, KIOSK)
    with contextlib.suppress(Invalid):
        cancel_sale(it.box, KIOSK)
    return it.view(KIOSK)["screen"] == "attract"


def at_once(actions: list[Callable[[], object]]) -> None:
    gate = threading.Barrier(len(actions))

    def run(action: Callable[[], object]) -> None:
        gate.wait(10)
        with contextlib.suppress(Invalid, Declined):
            action()

    threads = [threading.Thread(target=run, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()


def scan_of(code: str) -> Scan:
    return Scan("test", code.encode(), code, None, boottime_ns())


def test_a_workstation_that_contradicts_itself_does_not_keep_the_others_screens(tmp_path: Path) -> None:
    with running(tmp_path, FakeGateway(), places=2, rules=replace(RULES, idle_ms=300)) as it:
        for place in it.places:
            receive_scan(it.box, place, Scan("test", COLA.encode(), COLA, None, boottime_ns()))
        it.store.write(abandon_behind_its_back)
        eventually(lambda: it.view("kiosk-2")["screen"] == "attract", "the second kiosk's start screen")
        assert it.view("kiosk-1")["screen"] == "basket"


def abandon_behind_its_back(unit: Unit) -> None:
    state = unit.workstations.get("kiosk-1")
    assert state is not None
    basket = unit.baskets.get(state.basket_id or "")
    assert basket is not None
    unit.baskets.put(replace(basket, state=BasketState.ABANDONED))


def test_a_start_on_a_damaged_database_says_so_on_its_page_until_another_is_there(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    database = tmp_path / "edge.db"
    database.write_bytes(b"no database at all. " * 1_000)
    config = tmp_path / "edge.toml"
    config.write_text(
        f'[box]\nsite = "mall"\nedge = "edge-1"\ndata_dir = "{tmp_path}"\n[web]\nport = {port}\n'
        '[hq]\nhost = "127.0.0.1"\n[[workstation]]\nname = "kiosk-1"\n'
    )
    command = [sys.executable, "-m", "edge", "serve", "--config", str(config)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            first = process.stderr.readline()
            page = eventually(lambda: _asked(f"http://127.0.0.1:{port}/kiosk/kiosk-1"), "the page")
            database.write_bytes(b"another file. " * 1_000)
            said = first + process.stderr.read()
            assert process.wait(timeout=30) == 1
        finally:
            process.kill()
    assert page.status_code == 503
    assert "This box is being repaired" in page.text
    assert "restore the latest backup" in said
    assert "Traceback" not in said


def _asked(url: str) -> httpx.Response | None:
    try:
        return httpx.get(url, headers={"Accept": "text/html"}, trust_env=False)
    except httpx.TransportError:
        return None
