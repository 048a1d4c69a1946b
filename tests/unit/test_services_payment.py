"""Payments that go wrong, wait, or end in the dark: no guess, no double charge, always an end."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from edge.errors import Corrupt, Invalid
from edge.retail.attempt import AttemptState
from edge.retail.order import OrderState
from edge.services.box import Box
from edge.services.payment_ports import CodePayment, GatewayAnswer, PaymentState
from edge.services.reset_idle import reset_idle
from edge.services.resolve_attempts import LATEST_ARRIVAL_MS, LONGEST_PAUSE_MS, resolve
from edge.services.settle_attempt import settle
from edge.services.take_cash import take_cash
from edge.services.take_payment import submit
from sim.fakes.box import BREAD, COLA, GATEWAY, KIOSK, TILL
from sim.fakes.gateway import FakeFault, FakeGateway
from tests.unit.shop import Shop


def in_doubt(fault: FakeFault, shop: Shop | None = None) -> Shop:
    """Return a kiosk whose payment of 3.50 got no answer."""
    shop = shop or Shop()
    shop.order_of(COLA)
    shop.ports.gateway.fail_next("pay", fault)
    assert shop.pay(shop.code()) is AttemptState.UNKNOWN
    return shop


def forsake(shop: Shop) -> str:
    """Have the shopper leave; return the order's id. The gateway is out of reach meanwhile."""
    order_id = shop.order().order_id
    shop.wait(shop.rules.idle_ms)
    assert reset_idle(shop.box, KIOSK)
    assert shop.screen()["screen"] == "attract"
    return order_id


def test_a_declined_code_is_said_and_another_one_pays() -> None:
    shop = Shop()
    shop.order_of(COLA)
    assert shop.pay(shop.code(balance_fen=1)) is AttemptState.DECLINED
    assert (shop.screen()["screen"], shop.notice()) == ("checkout", "payment_declined")
    assert shop.screen()["notice"]["params"]["reason"] == "not_enough"
    shop.wait(2_000)
    assert shop.pay(shop.code()) is AttemptState.APPROVED
    states = [one.state for one in shop.attempts(shop.order().order_id)]
    assert states == [AttemptState.DECLINED, AttemptState.APPROVED]
    assert shop.ports.gateway.total_fen() == 350
    assert shop.notice() is None


def test_a_gateway_out_of_reach_charges_nobody_and_another_try_pays() -> None:
    shop = Shop()
    shop.order_of(COLA)
    shop.ports.gateway.fail_next("pay", FakeFault.UNAVAILABLE)
    assert shop.pay(shop.code()) is AttemptState.VOIDED
    assert (shop.screen()["screen"], shop.notice()) == ("checkout", "payment_voided")
    shop.wait(2_000)
    assert shop.pay(shop.code()) is AttemptState.APPROVED
    assert shop.ports.gateway.total_fen() == 350


def test_a_request_that_the_gateway_refuses_to_send_is_over_at_once() -> None:
    class Picky(FakeGateway):
        def pay_by_code(self, payment: CodePayment) -> GatewayAnswer:
            raise Invalid("the amount cannot be sent")

    shop = Shop()
    shop.box = replace(shop.box, gateways={GATEWAY: Picky()})
    shop.order_of(COLA)
    assert shop.pay(shop.code()) is AttemptState.VOIDED
    assert shop.screen()["screen"] == "checkout"


def test_a_lost_answer_of_a_paid_order_is_found_by_asking() -> None:
    shop = in_doubt(FakeFault.LOST)
    assert shop.screen()["screen"] == "waiting"
    assert shop.events() == ["payment.unknown"]
    assert shop.resolve() == 1
    assert shop.order().state is OrderState.PAID
    assert shop.events()[1:3] == ["payment.approved", "order.paid"]
    assert shop.ports.gateway.total_fen() == 350


def test_a_charge_that_never_arrived_ends_voided_but_not_before_it_cannot_arrive() -> None:
    shop = in_doubt(FakeFault.NEVER)
    order_id = shop.order().order_id
    while shop.attempts(order_id)[0].is_open:
        age_ms = shop.ports.clock.now().wall_at - shop.attempts(order_id)[0].created_at
        assert age_ms < LATEST_ARRIVAL_MS + 310_000
        shop.resolve(1_000)
    age_ms = shop.ports.clock.now().wall_at - shop.attempts(order_id)[0].created_at
    assert age_ms > LATEST_ARRIVAL_MS
    assert shop.attempts(order_id)[0].state is AttemptState.VOIDED
    assert (shop.screen()["screen"], shop.notice()) == ("checkout", "payment_voided")


@pytest.mark.parametrize("step_ms", [3_600_000, 360_000, -86_400_000])
@pytest.mark.parametrize("trusted", [True, False])
def test_a_clock_that_was_set_over_a_restart_gives_up_no_charge_that_can_still_arrive(
    step_ms: int, trusted: bool
) -> None:
    shop = in_doubt(FakeFault.LATE)
    order_id = shop.order().order_id
    clock = shop.ports.clock
    clock.set_wall(step_ms)
    clock.reboot(30_000, trusted=trusted)
    shop.restart()
    ran_ms = 30_000
    while ran_ms < 300_000:
        shop.resolve(10_000)
        ran_ms += 10_000
        assert shop.attempts(order_id)[0].is_open
    shop.ports.gateway.deliver_late()
    shop.resolve(LONGEST_PAUSE_MS)
    assert shop.stored_order(order_id).state is OrderState.PAID
    assert shop.ports.gateway.total_fen() == 350


def test_a_charge_that_never_arrived_is_given_up_after_a_restart_too() -> None:
    shop = in_doubt(FakeFault.NEVER)
    order_id = shop.order().order_id
    shop.ports.clock.reboot(30_000, off_ms=60_000)
    shop.restart()
    shop.resolve(LATEST_ARRIVAL_MS)
    shop.resolve(LONGEST_PAUSE_MS)
    assert shop.attempts(order_id)[0].state is AttemptState.VOIDED


def test_an_unknown_charge_that_the_gateway_has_pending_is_reversed_after_15_seconds() -> None:
    shop = Shop()
    shop.order_of(COLA)
    shop.ports.gateway.fail_next("pay", FakeFault.LOST)
    shop.pay(shop.code(asks=True))
    assert shop.resolve(14_000) == 1
    assert shop.attempts(shop.order().order_id)[0].state is AttemptState.UNKNOWN
    assert shop.resolve(5_000) == 1
    assert shop.attempts(shop.order().order_id)[0].state is AttemptState.VOIDED
    assert shop.screen()["screen"] == "checkout"


def test_a_charge_that_arrives_late_is_still_caught() -> None:
    shop = in_doubt(FakeFault.LATE)
    for _ in range(60):
        shop.resolve(1_000)
    order_id = shop.order().order_id
    assert shop.attempts(order_id)[0].state is AttemptState.UNKNOWN
    shop.ports.gateway.deliver_late()
    for _ in range(60):
        shop.resolve(1_000)
    assert shop.attempts(order_id)[0].state is AttemptState.APPROVED
    assert shop.stored_order(order_id).state is OrderState.PAID


def test_a_password_typed_in_time_pays() -> None:
    shop = Shop()
    shop.order_of(COLA)
    assert shop.pay(shop.code(asks=True)) is AttemptState.SUBMITTED
    waiting = shop.screen()
    assert (waiting["screen"], waiting["attempt"]["seconds_left"]) == ("waiting", 45)
    assert shop.resolve(4_999) == 0
    assert shop.resolve(1) == 1
    assert shop.screen()["attempt"]["seconds_left"] == 40
    number = shop.attempts(shop.order().order_id)[0].merchant_order_no
    shop.ports.gateway.finish(number, pays=True)
    shop.resolve(5_000)
    assert shop.screen()["screen"] == "paid"


def test_the_paid_screen_stays_its_time_after_a_long_password() -> None:
    shop = Shop()
    shop.order_of(COLA)
    shop.pay(shop.code(asks=True, pending_queries=6))
    for _ in range(40):
        shop.resolve(1_000)
    assert shop.screen()["screen"] == "paid"
    assert shop.screen()["idle_s_left"] == 20
    assert not reset_idle(shop.box, KIOSK)


def test_a_shopper_who_cancels_at_the_phone_is_back_at_checkout() -> None:
    shop = Shop()
    shop.order_of(COLA)
    shop.pay(shop.code(asks=True, pending_queries=1, cancels=True))
    shop.resolve(5_000)
    shop.resolve(5_000)
    assert (shop.screen()["screen"], shop.notice()) == ("checkout", "payment_declined")


def test_a_password_never_typed_is_reversed_at_the_deadline() -> None:
    shop = Shop()
    order = shop.order_of(COLA)
    shop.pay(shop.code(asks=True))
    for second in range(45):
        assert shop.attempts(order.order_id)[0].is_open, second
        shop.resolve(1_000)
    assert shop.attempts(order.order_id)[0].state is AttemptState.VOIDED
    assert shop.ports.gateway.total_fen() == 0
    assert shop.notice() == "payment_voided"


def test_a_reversal_that_gets_no_answer_is_tried_again_at_the_polling_pace() -> None:
    shop = Shop()
    order = shop.order_of(COLA)
    shop.pay(shop.code(asks=True))
    shop.ports.gateway.fail_next("reverse", FakeFault.NEVER)
    for _ in range(45):
        shop.resolve(1_000)
    assert shop.attempts(order.order_id)[0].is_open
    assert shop.resolve(5_000) == 1
    assert shop.attempts(order.order_id)[0].state is AttemptState.VOIDED


def test_a_gateway_that_is_gone_makes_the_queries_ever_rarer_but_never_stops_them() -> None:
    shop = in_doubt(FakeFault.NEVER)
    asked_at = []
    for second in range(3_600):
        shop.ports.gateway.fail_next("query", FakeFault.UNAVAILABLE)
        if shop.resolve(1_000):
            asked_at.append(second)
    pauses = [later - earlier for earlier, later in pairwise(asked_at)]
    assert pauses[:5] == [5] * 5
    assert pauses == sorted(pauses)
    assert pauses[-1] == 300


@pytest.mark.parametrize("step_ms", [-86_400_000, -300_000, 300_000, 86_400_000])
def test_a_stepped_clock_neither_reverses_a_payment_early_nor_forgets_it(step_ms: int) -> None:
    shop = Shop()
    order = shop.order_of(COLA)
    shop.pay(shop.code(asks=True))
    shop.ports.clock.set_wall(step_ms)
    for _ in range(40):
        shop.resolve(1_000)
    assert shop.attempts(order.order_id)[0].state is AttemptState.SUBMITTED
    assert shop.attempts(order.order_id)[0].polls == 8
    assert shop.screen()["attempt"]["seconds_left"] == 5
    for _ in range(5):
        shop.resolve(1_000)
    assert shop.attempts(order.order_id)[0].state is AttemptState.VOIDED


def test_a_clock_set_forward_does_not_make_a_missing_charge_final() -> None:
    shop = in_doubt(FakeFault.LATE)
    shop.ports.clock.set_wall(86_400_000)
    for _ in range(20):
        shop.resolve(1_000)
    shop.ports.gateway.deliver_late()
    for _ in range(20):
        shop.resolve(1_000)
    assert shop.order().state is OrderState.PAID


@pytest.mark.parametrize(
    ("fault", "state", "kinds"),
    [
        (
            FakeFault.LOST,
            OrderState.PAID,
            ["payment.approved", "order.paid", "receipt.issued", "landing.shown"],
        ),
        (FakeFault.NEVER, OrderState.CANCELLED, ["payment.voided", "order.cancelled"]),
    ],
)
def test_a_forsaken_payment_ends_by_itself(fault: FakeFault, state: OrderState, kinds: list[str]) -> None:
    shop = in_doubt(fault)
    order_id = forsake(shop)
    while shop.attempts(order_id)[0].is_open:
        shop.resolve(1_000)
    order = shop.stored_order(order_id)
    assert order.state is state
    assert order.paid_fen == shop.ports.gateway.total_fen()
    assert (shop.receipt(order_id) is not None) is (state is OrderState.PAID)
    assert shop.events()[1:] == kinds
    assert shop.screen()["screen"] == "attract"
    assert shop.notice() is None


def test_a_forsaken_payment_does_not_disturb_the_next_shopper() -> None:
    shop = in_doubt(FakeFault.LOST)
    forsake(shop)
    shop.order_of(BREAD)
    shop.resolve()
    assert shop.screen()["screen"] == "checkout"
    assert shop.order().total_fen == 800
    assert shop.notice() is None


def test_what_was_part_paid_in_cash_is_not_forsaken() -> None:
    shop = Shop()
    shop.order_of(COLA, BREAD, place=TILL)
    take_cash(shop.box, TILL, 500)
    shop.ports.gateway.fail_next("pay", FakeFault.NEVER)
    shop.pay(shop.code(), TILL)
    shop.wait(3_600_000)
    assert not reset_idle(shop.box, TILL)
    assert shop.screen(TILL)["screen"] == "waiting"
    assert shop.screen(TILL)["idle_s_left"] is None


def test_an_attempt_that_was_never_sent_is_voided_after_a_restart() -> None:
    shop = Shop()
    shop.order_of(COLA)
    outcome = shop.scan(shop.code())
    shop.restart()
    assert shop.resolve() == 1
    assert (shop.screen()["screen"], shop.notice()) == ("checkout", "payment_voided")
    with pytest.raises(Invalid):
        submit(shop.box, outcome.attempt_id, outcome.code)
    assert shop.ports.gateway.total_fen() == 0


def test_an_attempt_sent_while_it_was_about_to_be_voided_is_left_alone() -> None:
    shop = Shop()
    shop.order_of(COLA)
    outcome = shop.scan(shop.code())
    seen_before = shop.attempts(shop.order().order_id)[0]
    assert submit(shop.box, outcome.attempt_id, outcome.code) is AttemptState.APPROVED
    shop2 = Shop()
    shop2.order_of(COLA)
    waiting = shop2.scan(shop2.code(asks=True))
    unsent = shop2.attempts(shop2.order().order_id)[0]
    submit(shop2.box, waiting.attempt_id, waiting.code)
    assert resolve(shop2.box, unsent, shop2.ports.clock.now()) is AttemptState.SUBMITTED
    assert resolve(shop.box, seen_before, shop.ports.clock.now()) is AttemptState.APPROVED


def test_a_late_second_answer_changes_nothing() -> None:
    shop = Shop()
    shop.order_of(COLA)
    shop.pay(shop.code())
    attempt = shop.attempts(shop.order().order_id)[0]
    before = (shop.events(), shop.balances(), shop.order())
    for state in (PaymentState.APPROVED, PaymentState.DECLINED, PaymentState.VOIDED):
        assert settle(shop.box, attempt.attempt_id, GatewayAnswer(state)) is AttemptState.APPROVED
    assert (shop.events(), shop.balances(), shop.order()) == before


class Mistaken(FakeGateway):
    """Says that it took another amount."""

    def query(self, merchant_order_no: str) -> GatewayAnswer:
        return replace(super().query(merchant_order_no), amount_fen=1)


def test_an_answer_with_another_amount_is_given_back_and_stops_no_other() -> None:
    shop = Shop()
    mistaken = Mistaken()
    shop.box = replace(shop.box, gateways={GATEWAY: mistaken})
    shop.ports.gateway = mistaken
    shop.order_of(COLA)
    mistaken.fail_next("pay", FakeFault.LOST)
    shop.pay(shop.code())
    shop.order_of(BREAD, place=TILL)
    mistaken.fail_next("pay", FakeFault.NEVER)
    shop.pay(shop.code(), TILL)
    with pytest.raises(Corrupt, match="was to take 350 fen and took 1 fen"):
        shop.resolve()
    given_back, waits = [shop.attempts(shop.order(place).order_id)[0] for place in (KIOSK, TILL)]
    assert (given_back.state, waits.state) == (AttemptState.REFUNDED, AttemptState.UNKNOWN)
    assert (waits.polls, mistaken.total_fen()) == (1, 0)
    assert shop.order().state is OrderState.AWAITING
    assert shop.resolve() == 0


def test_a_payment_whose_gateway_is_no_longer_configured_waits_and_holds_up_no_other() -> None:
    shop = in_doubt(FakeFault.LOST)
    box: Box = shop.box
    shop.box = replace(box, gateways={})
    assert shop.resolve() == 1
    assert "configure it again" in shop.attempts(shop.order().order_id)[0].trail
    shop.box = box
    shop.resolve(5_000)
    assert shop.order().state is OrderState.PAID


def test_an_open_payment_blocks_a_second_one_whatever_the_order_of_their_ids() -> None:
    shop = Shop()
    shop.order_of(COLA)
    shop.pay(shop.code(balance_fen=1))
    shop.wait(2_000)
    outcome = shop.scan(shop.code(asks=True))
    first, second = shop.attempts(shop.order().order_id)
    # As after a restart with the clock set back: the newer attempt has the older id.
    older = replace(second, attempt_id="00" + second.attempt_id[2:], merchant_order_no="M-older")
    shop.box.store.write(lambda unit: unit.attempts.put(older))
    closed = settle(shop.box, second.attempt_id, GatewayAnswer(PaymentState.VOIDED))
    assert (closed, outcome.outcome) == (AttemptState.VOIDED, "payment")
    assert shop.attempts(shop.order().order_id)[0] == older
    assert first.state is AttemptState.DECLINED
    assert shop.screen()["screen"] == "waiting"
    assert shop.scan(shop.code()).outcome == "payment_running"


def test_a_start_makes_open_payments_due_at_once() -> None:
    shop = Shop()
    shop.order_of(COLA)
    shop.pay(shop.code(asks=True))
    assert shop.resolve() == 0
    shop.restart()
    assert shop.resolve() == 1
    assert shop.screen()["screen"] == "waiting"


def test_after_a_reboot_with_the_clock_set_back_payments_are_still_followed_up() -> None:
    shop = in_doubt(FakeFault.LOST)
    shop.ports.clock.reboot()
    shop.ports.clock.set_wall(-86_400_000)
    shop.restart()
    assert shop.resolve() == 1
    assert shop.order().state is OrderState.PAID


def test_the_description_has_nothing_that_would_split_a_bill() -> None:
    shop = Shop(rules=replace(Shop().rules, shop_name="A,B`C" * 20))
    seen: list[CodePayment] = []

    class Listening(FakeGateway):
        def pay_by_code(self, payment: CodePayment) -> GatewayAnswer:
            seen.append(payment)
            return super().pay_by_code(payment)

    gateway = Listening()
    shop.ports.gateway = gateway
    shop.box = replace(shop.box, gateways={GATEWAY: gateway})
    shop.order_of(COLA)
    shop.pay(shop.code())
    assert "," not in seen[0].description
    assert "`" not in seen[0].description
    assert len(seen[0].description) <= 40
    assert seen[0].merchant_order_no.isalnum()
