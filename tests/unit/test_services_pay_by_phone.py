"""A driver's phone pays the fee by itself, once, wherever else the fee is asked for."""

from __future__ import annotations

import pytest

from edge.errors import Corrupt, Declined, Unavailable
from edge.parking.plate import mask_plate
from edge.retail.attempt import AttemptState, PaymentAttempt
from edge.retail.order import Order, OrderState, cancel
from edge.services.charge_stay import add_stay, charge_stay
from edge.services.check_out import check_out
from edge.services.pay_by_phone import begin_phone_payment
from edge.services.recover import recover
from edge.services.show_receipt import show_receipt
from edge.services.show_stay import show_stay
from edge.services.take_cash import take_cash
from sim.fakes.box import COLA, KIOSK, TILL
from sim.fakes.gateway import FakeFault
from tests.unit.garage import EXIT, PLATE, Garage


@pytest.fixture
def garage() -> Garage:
    return Garage()


def attempt_of(garage: Garage, attempt: PaymentAttempt) -> PaymentAttempt:
    found = garage.box.store.read(lambda unit: unit.attempts.get(attempt.attempt_id))
    assert found is not None
    return found


def test_a_phone_pays_and_a_query_confirms_it(garage: Garage) -> None:
    stay = garage.come()
    attempt = begin_phone_payment(garage.box, stay)
    assert (attempt.amount_fen, attempt.state) == (1_000, AttemptState.SUBMITTED)
    garage.resolve(6_000)
    assert garage.settled(stay) == ()
    assert garage.phones.pay(attempt.pay_url)
    garage.resolve(6_000)
    assert [one.amount_fen for one in garage.settled(stay)] == [1_000]
    assert garage.ports.gateway.total_fen() == 1_000
    assert garage.box.store.read(lambda unit: unit.work_items.count_open()) == 0


def test_the_page_after_payment_says_whose_car_it_was_and_until_when_to_leave(garage: Garage) -> None:
    stay = garage.come()
    attempt = begin_phone_payment(garage.box, stay)
    assert garage.phones.pay(attempt.pay_url)
    garage.resolve(6_000)
    receipt = garage.box.store.read(lambda unit: unit.receipts.of_order(attempt.order_id))
    assert receipt is not None
    page = show_receipt(garage.box, receipt.token)
    quote = show_stay(garage.box, stay).quote
    assert page is not None
    assert quote is not None
    assert quote.allowed_exit_at is not None
    assert quote.allowed_exit_at > garage.box.clock.now().wall_at
    assert page["stays"] == [{"plate": mask_plate(PLATE), "leave_by": quote.allowed_exit_at}]


def test_asking_again_shows_the_same_order(garage: Garage) -> None:
    stay = garage.come()
    first = begin_phone_payment(garage.box, stay)
    assert begin_phone_payment(garage.box, stay).pay_url == first.pay_url


def test_an_order_that_nobody_pays_is_closed_there_before_it_is_given_up_here(garage: Garage) -> None:
    stay = garage.come()
    attempt = begin_phone_payment(garage.box, stay)
    garage.phones.fail_next("close", FakeFault.NEVER)
    garage.resolve(301_000)
    assert attempt_of(garage, attempt).state is AttemptState.UNKNOWN
    garage.resolve(60_000)
    assert attempt_of(garage, attempt).state is AttemptState.VOIDED
    assert not garage.phones.pay(attempt.pay_url)
    assert garage.stored_order(attempt.order_id).state is OrderState.CANCELLED
    assert garage.ports.gateway.total_fen() == 0


def test_a_phone_that_pays_while_its_order_is_being_closed_has_paid(garage: Garage) -> None:
    stay = garage.come()
    attempt = begin_phone_payment(garage.box, stay)
    garage.wait(301_000)
    assert garage.phones.pay(attempt.pay_url)
    garage.resolve()
    assert attempt_of(garage, attempt).state is AttemptState.APPROVED
    assert [one.amount_fen for one in garage.settled(stay)] == [1_000]


@pytest.mark.parametrize("fault", [FakeFault.UNAVAILABLE, FakeFault.LOST])
def test_without_an_answer_nobody_can_pay_and_the_next_try_is_a_new_one(
    garage: Garage, fault: FakeFault
) -> None:
    stay = garage.come()
    garage.phones.fail_next("native", fault)
    with pytest.raises(Unavailable):
        begin_phone_payment(garage.box, stay)
    attempt = begin_phone_payment(garage.box, stay)
    assert garage.phones.pay(attempt.pay_url)
    garage.resolve(6_000)
    assert [one.amount_fen for one in garage.settled(stay)] == [1_000]


def test_the_phone_pays_the_order_on_the_screen_of_the_lane(garage: Garage) -> None:
    stay = garage.come()
    order = charge_stay(garage.box, stay, EXIT)
    attempt = begin_phone_payment(garage.box, stay)
    assert attempt.order_id == order.order_id
    assert garage.screen(EXIT)["screen"] == "waiting"
    garage.phones.pay(attempt.pay_url)
    garage.resolve(6_000)
    assert garage.screen(EXIT)["screen"] == "paid"


def test_a_vehicle_that_comes_to_the_exit_with_its_phone_payment_open_pays_that(garage: Garage) -> None:
    stay = garage.come()
    attempt = begin_phone_payment(garage.box, stay)
    order = charge_stay(garage.box, stay, EXIT)
    assert (order.order_id, garage.screen(EXIT)["screen"]) == (attempt.order_id, "waiting")
    garage.phones.pay(attempt.pay_url)
    garage.resolve(6_000)
    assert garage.screen(EXIT)["screen"] == "paid"
    assert EXIT in garage.drawn


def test_a_payment_code_at_the_exit_closes_what_the_phone_has_not_paid(garage: Garage) -> None:
    stay = garage.come()
    attempt = begin_phone_payment(garage.box, stay)
    charge_stay(garage.box, stay, EXIT)
    assert garage.scan(garage.code(), EXIT).outcome == "phone_closing"
    garage.resolve()
    assert attempt_of(garage, attempt).state is AttemptState.VOIDED
    assert garage.pay(garage.code(), EXIT) is AttemptState.APPROVED
    assert not garage.phones.pay(attempt.pay_url)
    assert garage.ports.gateway.total_fen() == 1_000
    assert [one.amount_fen for one in garage.settled(stay)] == [1_000]


def test_a_fee_that_is_being_paid_otherwise_is_not_offered_to_a_phone(garage: Garage) -> None:
    stay = garage.come()
    charge_stay(garage.box, stay, TILL)
    take_cash(garage.box, TILL, 300)
    with pytest.raises(Declined, match="being paid"):
        begin_phone_payment(garage.box, stay)


def test_a_fee_among_goods_is_paid_where_the_goods_are(garage: Garage) -> None:
    stay = garage.come()
    garage.scan(COLA)
    add_stay(garage.box, stay, KIOSK)
    check_out(garage.box, KIOSK)
    with pytest.raises(Declined, match="other goods"):
        begin_phone_payment(garage.box, stay)


def test_a_restart_between_intent_and_order_leaves_nothing_open(garage: Garage) -> None:
    stay = garage.come()
    garage.phones.fail_next("native", FakeFault.NEVER)
    with pytest.raises(Unavailable):
        begin_phone_payment(garage.box, stay)
    recover(garage.box)
    garage.resolve(6_000)
    assert garage.box.store.read(lambda unit: unit.attempts.open(9)) == ()


def test_money_that_comes_for_an_order_that_is_over_goes_back_as_a_refund(garage: Garage) -> None:
    stay = garage.come()
    attempt = begin_phone_payment(garage.box, stay)
    paid = garage.stored_order(attempt.order_id)
    garage.box.store.write(lambda unit: unit.orders.put(cancelled(paid, garage)))
    garage.phones.pay(attempt.pay_url)
    with pytest.raises(Corrupt, match="goes back"):
        garage.resolve(6_000)
    assert attempt_of(garage, attempt).state is AttemptState.REFUNDED
    assert garage.ports.gateway.total_fen() == 0


def cancelled(order: Order, garage: Garage) -> Order:
    return cancel(order, garage.ports.clock.now().wall_at)
