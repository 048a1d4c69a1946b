"""The desk for payments in doubt shows the trail and the next step, and offers only what is safe."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from edge.errors import Corrupt, Invalid
from edge.retail.attempt import AttemptState, StepKind
from edge.retail.order import OrderState
from edge.services.payment_desk import Choice, NextStep, ask_now, give_back, open_payments, past_doubts
from edge.services.payment_ports import GatewayAnswer, PaymentState
from edge.services.reset_idle import reset_idle
from edge.services.work_records import WorkItem, WorkKind
from sim.fakes.box import COLA, GATEWAY, KIOSK
from sim.fakes.gateway import FakeFault, FakeGateway
from tests.unit.shop import Shop


def work_of(shop: Shop) -> tuple[WorkItem, ...]:
    return shop.box.store.read(lambda unit: unit.work_items.open(9))


def typing_a_password(shop: Shop, **habits: object) -> str:
    """Have a shopper pay who must type a password; return the attempt's id."""
    shop.order_of(COLA)
    assert shop.pay(shop.code(asks=True, **habits)) is AttemptState.SUBMITTED
    return open_payments(shop.box)[0].attempt.attempt_id


def test_a_payment_that_went_straight_through_leaves_no_trail() -> None:
    shop = Shop()
    order = shop.order_of(COLA)
    assert shop.pay(shop.code()) is AttemptState.APPROVED
    assert (
        shop.box.store.read(lambda unit: unit.attempts.trail(shop.attempts(order.order_id)[0].attempt_id))
        == ()
    )
    assert open_payments(shop.box) == past_doubts(shop.box) == ()


def test_the_desk_tells_what_was_asked_and_what_comes_next() -> None:
    shop = Shop()
    typing_a_password(shop)
    shown = open_payments(shop.box)[0]
    assert (shown.order_number, shown.next_step) == (shop.order().number, NextStep.QUERY)
    assert shown.choices == (Choice.ASK_NOW, Choice.GIVE_BACK)
    shop.resolve(shown.next_in_ms or 0)
    shop.resolve(shop.rules.poll_ms)
    shown = open_payments(shop.box)[0]
    assert [(one.what, one.state, one.times) for one in shown.trail] == [
        (StepKind.QUERIED, AttemptState.SUBMITTED, 2)
    ]
    assert shown.next_in_ms == shop.rules.poll_ms


class Counting(FakeGateway):
    """Counts the reversals that reach it."""

    reversals = 0

    def reverse(self, merchant_order_no: str) -> GatewayAnswer:
        self.reversals += 1
        return super().reverse(merchant_order_no)


@pytest.mark.parametrize("wait_ms", [0, 20_000, 60_000, 120_000])
def test_the_next_step_that_is_shown_is_the_one_that_comes(wait_ms: int) -> None:
    shop, gateway = Shop(), Counting()
    shop.ports.gateway = gateway
    shop.box = replace(shop.box, gateways={GATEWAY: gateway})
    typing_a_password(shop)
    shop.resolve(wait_ms)
    for _ in range(30):
        if not (waiting := open_payments(shop.box)):
            break
        shown = waiting[0]
        asked = gateway.reversals
        shop.resolve(shown.next_in_ms or 0)
        reversed_now = gateway.reversals > asked
        assert reversed_now is (shown.next_step is NextStep.REVERSE)
    assert open_payments(shop.box) == ()
    over = past_doubts(shop.box)[0]
    assert (over.attempt.state, over.next_step, over.choices) == (AttemptState.VOIDED, None, ())
    assert over.trail[-1].what is StepKind.SETTLED


def test_asking_now_asks_at_the_next_turn_and_says_who() -> None:
    shop = Shop()
    attempt_id = typing_a_password(shop)
    ask_now(shop.box, attempt_id, "王")
    assert open_payments(shop.box)[0].next_in_ms == 0
    assert shop.resolve() == 1
    assert open_payments(shop.box)[0].trail[0].detail == "王: ask now"


def test_giving_back_reverses_once_the_payment_is_old_enough_and_the_kiosk_is_free() -> None:
    shop = Shop()
    attempt_id = typing_a_password(shop)
    order_id = shop.order().order_id
    give_back(shop.box, attempt_id, "王", "  paid in   cash ")
    assert "王: give back, paid in cash" in [one.detail for one in open_payments(shop.box)[0].trail]
    shop.resolve()
    assert shop.attempts(order_id)[0].state is AttemptState.UNKNOWN
    shop.resolve(shop.rules.reverse_age_ms)
    assert shop.attempts(order_id)[0].state is AttemptState.VOIDED
    assert shop.ports.gateway.total_fen() == 0
    assert shop.screen()["screen"] == "checkout"


def test_a_payment_in_doubt_is_being_reversed_and_may_only_be_hurried() -> None:
    shop = Shop()
    shop.order_of(COLA)
    shop.ports.gateway.fail_next("pay", FakeFault.LOST)
    assert shop.pay(shop.code()) is AttemptState.UNKNOWN
    shown = open_payments(shop.box)[0]
    assert shown.choices == (Choice.ASK_NOW,)
    with pytest.raises(Invalid, match="unknown; nothing is to be done"):
        give_back(shop.box, shown.attempt.attempt_id, "王", "in cash")


def test_what_is_over_or_nobodys_is_left_alone() -> None:
    shop = Shop()
    order = shop.order_of(COLA)
    shop.pay(shop.code())
    attempt_id = shop.attempts(order.order_id)[0].attempt_id
    with pytest.raises(Invalid, match="approved; nothing is to be done"):
        ask_now(shop.box, attempt_id, "王")
    with pytest.raises(Invalid, match="no payment attempt nobody"):
        ask_now(shop.box, "nobody", "王")
    with pytest.raises(Invalid, match="with a reason"):
        give_back(shop.box, attempt_id, "王", " ")


def test_money_that_comes_after_the_shopper_has_left_is_booked_and_waits_for_a_person() -> None:
    shop = Shop()
    shop.order_of(COLA)
    shop.ports.gateway.fail_next("pay", FakeFault.LOST)
    shop.pay(shop.code())
    order = shop.order()
    shop.ports.gateway.fail_next("query", FakeFault.UNAVAILABLE)
    shop.wait(shop.rules.idle_ms)
    assert reset_idle(shop.box, KIOSK)
    shop.resolve()
    shop.resolve(60_000)
    assert shop.stored_order(order.order_id).state is OrderState.PAID
    item = work_of(shop)[0]
    assert (item.kind, item.day) == (WorkKind.LATE_PAYMENT, order.business_day)
    assert json.loads(item.facts) == {"number": order.number, "amount_fen": 350, "workstation": KIOSK}


class Strange(FakeGateway):
    """Says that it took another amount."""

    def query(self, merchant_order_no: str) -> GatewayAnswer:
        return replace(super().query(merchant_order_no), state=PaymentState.APPROVED, amount_fen=999)


def test_money_that_cannot_be_booked_goes_back_and_waits_for_a_person() -> None:
    shop = Shop()
    attempt_id = typing_a_password(shop)
    shop.box = replace(shop.box, gateways={GATEWAY: Strange()})
    with pytest.raises(Corrupt, match="999"):
        shop.resolve(shop.rules.call_ms)
    item = work_of(shop)[0]
    assert (item.kind, item.reference) == (WorkKind.MONEY_ADRIFT, attempt_id)
    assert "999" in json.loads(item.facts)["problem"]
