"""Money that comes late, twice or wrong is booked or given back, and never holds a screen for ever."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import pytest

from devices.types import PaperState, Scan
from edge.errors import Corrupt, Unavailable
from edge.retail.attempt import AttemptState, PaymentAttempt
from edge.retail.order import Order, OrderState, cancel
from edge.retail.receipt import PrintState
from edge.services.change_basket import recall
from edge.services.payment_ports import GatewayAnswer, PaymentState
from edge.services.ports import Store
from edge.services.print_receipt import LATEST_PAPER_MS, reprint
from edge.services.receive_scan import receive_scan
from edge.services.records import Unit
from edge.services.reset_idle import reset_idle
from edge.services.resolve_attempts import TURN_MS, resolve_attempts
from edge.services.settle_attempt import close_attempt, settle
from edge.services.take_cash import take_cash
from sim.fakes.box import COLA, GATEWAY, KIOSK, TILL, WORKSTATIONS
from sim.fakes.clock import FakeClock
from sim.fakes.gateway import FakeFault, FakeGateway
from tests.unit.shop import Shop

T = TypeVar("T")

TAKEN = GatewayAnswer(PaymentState.APPROVED, "tx-1", 350)


def only_attempt(shop: Shop, order: Order) -> PaymentAttempt:
    (attempt,) = shop.attempts(order.order_id)
    return attempt


def charged_unheard(place: str = KIOSK) -> tuple[Shop, Order]:
    """Return a shop whose gateway took 3.50 and could not say so."""
    shop = Shop()
    order = shop.order_of(COLA, place=place)
    shop.ports.gateway.fail_next("pay", FakeFault.LOST)
    assert shop.pay(shop.code(), place) is AttemptState.UNKNOWN
    return shop, order


@pytest.mark.parametrize("given_up", [AttemptState.VOIDED, AttemptState.DECLINED])
def test_money_for_an_attempt_that_was_given_up_pays_the_order_that_still_waits(
    given_up: AttemptState,
) -> None:
    shop, order = charged_unheard()
    close_attempt(shop.box, only_attempt(shop, order).attempt_id, given_up, "wrong")
    assert shop.screen()["screen"] == "checkout"
    assert settle(shop.box, only_attempt(shop, order).attempt_id, TAKEN) is AttemptState.UNKNOWN
    assert shop.screen()["screen"] == "waiting"
    assert shop.screen()["help"] is not None
    assert shop.resolve() == 1
    assert only_attempt(shop, order).state is AttemptState.APPROVED
    assert shop.stored_order(order.order_id).state is OrderState.PAID
    assert shop.balances()["tender/wechat_pay"] == shop.ports.gateway.total_fen() == 350


def test_money_for_an_order_paid_in_cash_meanwhile_goes_back() -> None:
    shop, order = charged_unheard(TILL)
    attempt_id = only_attempt(shop, order).attempt_id
    close_attempt(shop.box, attempt_id, AttemptState.VOIDED, "wrong")
    assert take_cash(shop.box, TILL, 350) == 0
    assert settle(shop.box, attempt_id, TAKEN) is AttemptState.UNKNOWN
    with pytest.raises(Corrupt, match="for an order that is paid; it goes back"):
        shop.resolve()
    assert only_attempt(shop, order).state is AttemptState.REFUNDED
    assert shop.ports.gateway.total_fen() == 0
    assert shop.balances() == {
        "tender/cash": 350,
        f"due/{order.order_id}": 0,
        "sales/t-drinks": -350,
    }


def test_money_for_an_order_paid_in_part_meanwhile_goes_back() -> None:
    shop, order = charged_unheard(TILL)
    attempt_id = only_attempt(shop, order).attempt_id
    close_attempt(shop.box, attempt_id, AttemptState.VOIDED, "wrong")
    take_cash(shop.box, TILL, 100)
    settle(shop.box, attempt_id, TAKEN)
    with pytest.raises(Corrupt, match="took 350 fen where 250 fen were due"):
        shop.resolve()
    assert shop.ports.gateway.total_fen() == 0
    assert shop.screen(TILL)["screen"] == "checkout"
    assert shop.order(TILL).due_fen == 250


def test_money_for_a_cancelled_order_goes_back_and_one_person_is_called_once() -> None:
    shop, order = charged_unheard()
    shop.box.store.write(lambda unit: unit.orders.put(cancel(order, 1)))
    for _ in range(3):
        shop.ports.gateway.fail_next("reverse", FakeFault.NEVER)
        with pytest.raises(Corrupt, match="for an order that is cancelled; it goes back"):
            shop.resolve(5_000)
        assert only_attempt(shop, order).state is AttemptState.UNKNOWN
        assert shop.ports.gateway.total_fen() == 350
    with pytest.raises(Corrupt, match="it goes back"):
        shop.resolve(5_000)
    assert only_attempt(shop, order).state is AttemptState.REFUNDED
    assert shop.ports.gateway.total_fen() == 0
    assert shop.balances() == {}
    assert shop.events() == ["payment.unknown", "help.called", "payment.refunded"]
    assert shop.resolve(600_000) == 0


def test_giving_back_goes_on_after_a_restart() -> None:
    shop, order = charged_unheard()
    shop.box.store.write(lambda unit: unit.orders.put(cancel(order, 1)))
    shop.ports.gateway.fail_next("reverse", FakeFault.LOST)
    with pytest.raises(Corrupt):
        shop.resolve()
    shop.restart()
    shop.resolve()
    assert only_attempt(shop, order).state is AttemptState.VOIDED
    assert shop.ports.gateway.total_fen() == 0


def test_a_password_that_nobody_can_ask_for_any_more_frees_the_screen() -> None:
    shop = Shop()
    order = shop.order_of(COLA)
    shop.pay(shop.code(asks=True))
    for _ in range(46):
        shop.ports.gateway.fail_next("query", FakeFault.UNAVAILABLE)
        shop.resolve(1_000)
    assert only_attempt(shop, order).state is AttemptState.UNKNOWN
    assert shop.events() == ["payment.unknown"]
    shop.wait(shop.rules.idle_ms)
    assert reset_idle(shop.box, KIOSK)
    assert shop.screen()["screen"] == "attract"


def test_the_goods_of_a_forsaken_payment_that_came_to_nothing_can_be_recalled() -> None:
    shop = Shop()
    order = shop.order_of(COLA)
    shop.ports.gateway.fail_next("pay", FakeFault.NEVER)
    shop.pay(shop.code())
    shop.wait(shop.rules.idle_ms)
    assert reset_idle(shop.box, KIOSK)
    assert shop.screen()["held"] == []
    while only_attempt(shop, order).is_open:
        shop.resolve(5_000)
    (held,) = shop.screen()["held"]
    recall(shop.box, KIOSK, held["id"])
    assert shop.lines() == [("cola", 1, 350)]
    assert shop.stored_order(order.order_id).state is OrderState.CANCELLED


@pytest.mark.parametrize(
    "raw", [b"1312345678901234", b"x131234567890123412\x1d131234567890123412", b"13" * 40]
)
def test_a_payment_code_that_broke_off_or_ran_over_is_not_kept_either(raw: bytes) -> None:
    shop = Shop()
    read_ns = shop.ports.clock.now().boottime_ns
    receive_scan(shop.box, KIOSK, Scan("usb", raw, raw.decode(), None, read_ns, "the code was cut off"))
    (record,) = shop.box.store.read(lambda unit: unit.scans.recent(KIOSK, 5))
    assert re.search(rb"\d{5}", record.raw) is None
    assert re.search(r"\d{5}", record.text) is None
    assert record.raw.endswith(raw[-4:])
    assert shop.notice() == "unreadable"


class Hanging(FakeGateway):
    """Lets every query run into its time-out, which takes 23 s."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self._clock = clock

    def query(self, merchant_order_no: str) -> GatewayAnswer:
        self._clock.advance(23_000)
        raise Unavailable(f"no answer about {merchant_order_no}")


def test_a_gateway_that_hangs_does_not_make_the_resolver_look_stuck() -> None:
    places = {f"kiosk-{number}": replace(WORKSTATIONS[KIOSK], name=f"kiosk-{number}") for number in range(12)}
    shop = Shop()
    gateway = Hanging(shop.ports.clock)
    shop.ports.gateway = gateway
    shop.box = replace(shop.box, gateways={GATEWAY: gateway}, workstations=places)
    for place in places:
        shop.order_of(COLA, place=place)
        gateway.fail_next("pay", FakeFault.NEVER)
        shop.pay(shop.code(), place)
    seen = 0
    while seen < len(places):
        begun = shop.ports.clock.now()
        seen += resolve_attempts(shop.box)
        assert shop.ports.clock.now().since_ms(begun) <= TURN_MS + 2 * 23_000
    polls = [shop.attempts(shop.order(place).order_id)[0].polls for place in places]
    assert min(polls) >= 1


class Mistaken(FakeGateway):
    """Raises what no gateway should for one order."""

    odd = ""

    def query(self, merchant_order_no: str) -> GatewayAnswer:
        if merchant_order_no == self.odd:
            raise Corrupt("its own books contradict one another")
        return super().query(merchant_order_no)


def test_an_attempt_whose_gateway_errs_is_put_off_and_the_others_are_followed_up() -> None:
    shop = Shop()
    gateway = Mistaken()
    shop.ports.gateway = gateway
    shop.box = replace(shop.box, gateways={GATEWAY: gateway})
    for place in (KIOSK, TILL):
        shop.order_of(COLA, place=place)
        gateway.fail_next("pay", FakeFault.LOST)
        shop.pay(shop.code(), place)
    gateway.odd = shop.attempts(shop.order(KIOSK).order_id)[0].merchant_order_no
    with pytest.raises(Corrupt, match="contradict"):
        shop.resolve()
    assert shop.order(TILL).state is OrderState.PAID
    assert shop.order(KIOSK).state is OrderState.AWAITING


def test_after_a_reboot_into_the_past_an_unpaid_password_is_reversed_in_time() -> None:
    shop = Shop()
    order = shop.order_of(COLA)
    shop.pay(shop.code(asks=True))
    shop.ports.clock.reboot()
    shop.ports.clock.set_wall(-3 * 3_600_000)
    shop.restart()
    for _ in range(60):
        shop.resolve(1_000)
    assert only_attempt(shop, order).state is AttemptState.VOIDED
    assert shop.screen()["screen"] == "checkout"


class Tardy(FakeGateway):
    """Hears a reversal only after the shopper has typed the password, and answers none before that."""

    def __init__(self) -> None:
        super().__init__()
        self.on_its_way = ""

    def reverse(self, merchant_order_no: str) -> GatewayAnswer:
        if self.on_its_way:
            return super().reverse(merchant_order_no)
        self.on_its_way = merchant_order_no
        self.finish(merchant_order_no, pays=True)
        raise Unavailable("no answer to the reversal")


@pytest.mark.parametrize("restart", [False, True])
def test_money_that_comes_while_a_reversal_is_on_its_way_is_never_booked(restart: bool) -> None:
    shop = Shop()
    gateway = Tardy()
    shop.ports.gateway = gateway
    shop.box = replace(shop.box, gateways={GATEWAY: gateway})
    order = shop.order_of(COLA)
    shop.pay(shop.code(asks=True))
    while not gateway.on_its_way:
        shop.resolve(1_000)
    assert gateway.total_fen() == 350
    if restart:
        shop.restart()
    shop.resolve(5_000)
    assert shop.stored_order(order.order_id).state is OrderState.AWAITING
    assert only_attempt(shop, order).state is AttemptState.VOIDED
    assert (gateway.total_fen(), shop.balances()) == (0, {})
    assert shop.screen()["screen"] == "checkout"


def test_the_charges_own_answer_does_not_book_money_that_a_reversal_takes_back() -> None:
    shop = Shop()
    gateway = Tardy()
    shop.ports.gateway = gateway
    shop.box = replace(shop.box, gateways={GATEWAY: gateway})
    order = shop.order_of(COLA)
    shop.pay(shop.code(asks=True))
    while not gateway.on_its_way:
        shop.resolve(1_000)
    assert settle(shop.box, only_attempt(shop, order).attempt_id, TAKEN) is AttemptState.UNKNOWN
    assert shop.balances() == {}
    shop.resolve(5_000)
    assert only_attempt(shop, order).state is AttemptState.VOIDED
    assert gateway.total_fen() == 0


def sold(shop: Shop) -> Order:
    order = shop.order_of(COLA)
    shop.pay(shop.code())
    return order


def paper(shop: Shop, order: Order) -> tuple[PrintState, str]:
    receipt = shop.receipt(order.order_id)
    assert receipt is not None
    return receipt.print_state, receipt.print_problem


def test_a_night_without_paper_writes_nothing_to_the_disk() -> None:
    shop = Shop()
    order = sold(shop)
    shop.ports.printers[KIOSK].paper = PaperState.OUT
    assert shop.print() == "queued"
    writes = Counting(shop.box.store)
    shop.box = replace(shop.box, store=writes)
    drawn = len(shop.drawn)
    for _ in range(100):
        assert shop.print() == "queued"
    assert (writes.count, len(shop.drawn)) == (0, drawn)
    shop.ports.printers[KIOSK].cover_open = True
    assert shop.print() == "queued"
    assert paper(shop, order) == (PrintState.QUEUED, "the cover is open: close it")
    shop.ports.printers[KIOSK].cover_open = False
    shop.ports.printers[KIOSK].paper = PaperState.ENOUGH
    assert shop.print() == "printed"
    assert paper(shop, order) == (PrintState.PRINTED, "")


def test_a_print_whose_outcome_could_not_be_written_ends_uncertain_and_the_next_is_printed() -> None:
    shop = Shop()
    order = sold(shop)
    shop.box = replace(shop.box, store=Failing(shop.box.store, fails=2))
    with pytest.raises(Unavailable):
        shop.print()
    assert paper(shop, order)[0] is PrintState.PRINTING
    assert shop.print() == "uncertain"
    assert len(shop.papers()) == 1
    second = sold(shop)
    assert shop.print() == "printed"
    assert paper(shop, second)[0] is PrintState.PRINTED


def test_a_printer_that_is_back_after_hours_does_not_empty_itself_of_old_receipts() -> None:
    shop = Shop()
    shop.ports.printers[KIOSK].absent = True
    old = sold(shop)
    shop.print()
    shop.wait(LATEST_PAPER_MS)
    fresh = sold(shop)
    shop.wait(2_000)
    shop.ports.printers[KIOSK].absent = False
    assert [shop.print() for _ in range(3)] == ["uncertain", "printed", None]
    assert "print it if asked" in paper(shop, old)[1]
    assert [fresh.number in text for text in shop.papers()] == [True]
    reprint(shop.box, KIOSK, old.order_id)
    assert shop.print() == "printed"
    assert "COPY" in shop.papers()[1]


def test_a_receipt_in_cash_that_waits_for_paper_is_not_made_old_by_a_clock_that_is_set() -> None:
    shop = Shop()
    shop.ports.printers[TILL].absent = True
    shop.order_of(COLA, place=TILL)
    take_cash(shop.box, TILL, 400)
    shop.print(TILL)
    shop.ports.clock.set_wall(2 * LATEST_PAPER_MS)
    shop.wait(2_000)
    shop.ports.printers[TILL].absent = False
    assert shop.print(TILL) == "printed"


class Counting:
    """A store that counts its commits."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.count = 0

    def read(self, query: Callable[[Unit], T]) -> T:
        return self._store.read(query)

    def write(self, work: Callable[[Unit], T]) -> T:
        self.count += 1
        return self._store.write(work)


class Failing(Counting):
    """A store whose disk is full at its n-th write."""

    def __init__(self, store: Store, fails: int) -> None:
        super().__init__(store)
        self._fails = fails

    def write(self, work: Callable[[Unit], T]) -> T:
        if self.count + 1 == self._fails:
            self.count += 1
            raise Unavailable("the disk is full")
        return super().write(work)
