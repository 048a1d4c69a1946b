"""Nobody is trapped at an exit when nobody can say whether the fee was paid."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.errors import Declined, Invalid
from edge.parking.debt import Debt, DebtCause, DebtState
from edge.parking.facility import UnconfirmedPolicy
from edge.retail.attempt import AttemptState
from edge.retail.order import OrderState
from edge.services.charge_stay import charge_stay
from edge.services.events import EventKind
from edge.services.follow_unconfirmed import follow_unconfirmed, give_up_waiting
from edge.services.record_debt import may_enter, owed_by_plate, recent_debts, write_off_debt
from edge.services.staff import StaffMember
from edge.services.take_payment import submit
from sim.fakes.gateway import FakeFault
from tests.unit.garage import EXIT, PLATE, Garage

SUPERVISOR = StaffMember("李", "supervisor", "")
CASHIER = StaffMember("王", "cashier", "")


@pytest.fixture
def garage() -> Garage:
    return Garage()


def debts(garage: Garage) -> list[tuple[int, DebtState]]:
    return [(one.amount_fen, one.state) for one in recent_debts(garage.box)]


def let_out_in_doubt(garage: Garage) -> str:
    """Have a payment's answer lost at the exit and the lane's policy applied; return the stay."""
    stay = garage.come()
    charge_stay(garage.box, stay, EXIT)
    garage.ports.gateway.fail_next("pay", FakeFault.LOST)
    assert garage.pay(garage.code(), EXIT) is AttemptState.UNKNOWN
    assert follow_unconfirmed(garage.box) == 1
    return stay


def test_a_payment_in_doubt_lets_out_with_a_debt_that_its_approval_settles(garage: Garage) -> None:
    stay = let_out_in_doubt(garage)
    assert debts(garage) == [(1_000, DebtState.OPEN)]
    assert garage.events().count(EventKind.DEBT_RECORDED) == 1
    assert garage.screen(EXIT)["screen"] == "attract"
    assert follow_unconfirmed(garage.box) == 0
    garage.resolve(5_000)
    assert debts(garage) == [(1_000, DebtState.SETTLED)]
    assert [one.amount_fen for one in garage.settled(stay)] == [1_000]
    assert garage.ports.gateway.total_fen() == 1_000
    assert garage.box.store.read(lambda unit: unit.work_items.count_open()) == 0


def test_a_payment_in_doubt_that_was_none_leaves_the_debt(garage: Garage) -> None:
    stay = garage.come()
    order = charge_stay(garage.box, stay, EXIT)
    garage.ports.gateway.fail_next("pay", FakeFault.NEVER)
    garage.pay(garage.code(), EXIT)
    follow_unconfirmed(garage.box)
    garage.resolve(400_000)
    assert garage.stored_order(order.order_id).state is OrderState.CANCELLED
    assert debts(garage) == [(1_000, DebtState.OPEN)]
    assert garage.settled(stay) == ()


def test_the_next_vehicle_pays_while_the_last_payment_is_still_in_doubt(garage: Garage) -> None:
    let_out_in_doubt(garage)
    second = garage.come("粤B99999")
    charge_stay(garage.box, second, EXIT)
    assert garage.pay(garage.code(), EXIT) is AttemptState.APPROVED
    garage.resolve(5_000)
    assert garage.screen(EXIT)["screen"] == "paid"
    assert debts(garage) == [(1_000, DebtState.SETTLED)]


def test_a_gateway_out_of_reach_lets_out_at_once(garage: Garage) -> None:
    charge_stay(garage.box, garage.come(), EXIT)
    garage.ports.gateway.fail_next("pay", FakeFault.UNAVAILABLE)
    assert garage.pay(garage.code(), EXIT) is AttemptState.VOIDED
    assert follow_unconfirmed(garage.box) == 1
    assert debts(garage) == [(1_000, DebtState.OPEN)]


def test_a_refused_payment_is_no_doubt_and_the_fee_stays_on_the_screen(garage: Garage) -> None:
    charge_stay(garage.box, garage.come(), EXIT)
    assert garage.pay(garage.code(balance_fen=1), EXIT) is AttemptState.DECLINED
    assert follow_unconfirmed(garage.box) == 0
    assert garage.screen(EXIT)["screen"] == "checkout"
    assert garage.notice(EXIT) == "payment_declined"


def test_a_password_is_waited_for_a_while_and_not_for_ever(garage: Garage) -> None:
    charge_stay(garage.box, garage.come(), EXIT)
    assert garage.pay(garage.code(asks=True), EXIT) is AttemptState.SUBMITTED
    garage.wait(19_000)
    assert follow_unconfirmed(garage.box) == 0
    garage.wait(1_000)
    assert follow_unconfirmed(garage.box) == 1
    assert debts(garage) == [(1_000, DebtState.OPEN)]


def test_a_code_that_was_never_sent_is_shown_again_instead_of_becoming_a_debt(garage: Garage) -> None:
    charge_stay(garage.box, garage.come(), EXIT)
    outcome = garage.scan(garage.code(), EXIT)
    garage.resolve(36_000)
    with pytest.raises(Invalid):
        submit(garage.box, outcome.attempt_id, outcome.code)
    assert follow_unconfirmed(garage.box) == 0


def test_a_lane_that_asks_its_guard_calls_once_and_writes_no_debt() -> None:
    garage = Garage(unconfirmed=UnconfirmedPolicy.ASK_GUARD)
    charge_stay(garage.box, garage.come(), EXIT)
    garage.ports.gateway.fail_next("pay", FakeFault.NEVER)
    garage.pay(garage.code(), EXIT)
    follow_unconfirmed(garage.box)
    follow_unconfirmed(garage.box)
    assert garage.events().count(EventKind.HELP_CALLED) == 1
    assert debts(garage) == []


def test_a_guard_lets_out_and_the_fee_is_written_down_under_the_guards_name(garage: Garage) -> None:
    charge_stay(garage.box, garage.come(), EXIT)
    lane = garage.box.parking.facility.lanes[1]
    now = garage.ports.clock.now()
    owed = garage.box.store.write(
        lambda unit: give_up_waiting(unit, garage.box, lane, DebtCause.GUARD, "老周", now)
    )
    (debt,) = recent_debts(garage.box)
    assert (owed, debt.recorded_by, debt.cause, debt.lane) == (1_000, "老周", DebtCause.GUARD, "out-1")
    assert garage.screen(EXIT)["screen"] == "attract"


def test_a_debt_is_written_off_by_a_supervisor_with_a_reason(garage: Garage) -> None:
    let_out_in_doubt(garage)
    (debt,) = recent_debts(garage.box)
    with pytest.raises(Declined, match="supervisor"):
        write_off_debt(garage.box, debt.debt_id, CASHIER, "goodwill")
    with pytest.raises(Invalid, match="reason"):
        write_off_debt(garage.box, debt.debt_id, SUPERVISOR, "  ")
    with pytest.raises(Invalid, match="no debt"):
        write_off_debt(garage.box, "d-none", SUPERVISOR, "goodwill")
    closed = write_off_debt(garage.box, debt.debt_id, SUPERVISOR, "misread plate")
    assert (closed.state, closed.closed_by) == (DebtState.WRITTEN_OFF, "李")
    with pytest.raises(Invalid, match="written_off"):
        write_off_debt(garage.box, debt.debt_id, SUPERVISOR, "again")


def test_money_for_a_debt_that_was_written_off_still_settles_the_stay(garage: Garage) -> None:
    stay = let_out_in_doubt(garage)
    (debt,) = recent_debts(garage.box)
    write_off_debt(garage.box, debt.debt_id, SUPERVISOR, "goodwill")
    garage.resolve(5_000)
    assert debts(garage) == [(1_000, DebtState.WRITTEN_OFF)]
    assert [one.amount_fen for one in garage.settled(stay)] == [1_000]


def test_a_plate_that_owes_more_than_the_limit_is_not_let_in(garage: Garage) -> None:
    let_out_in_doubt(garage)
    strict = replace(garage.box, parking=replace(garage.box.parking, debt_limit_fen=999))
    generous = replace(garage.box, parking=replace(garage.box.parking, debt_limit_fen=1_000))
    allowed = [
        garage.box.store.read(lambda unit, box=box: may_enter(unit, box, PLATE))  # type: ignore[misc]
        for box in (garage.box, generous, strict)
    ]
    assert allowed == [True, True, False]
    assert garage.box.store.read(lambda unit: owed_by_plate(unit, "")) == 0


def test_a_debt_of_nothing_is_none() -> None:
    with pytest.raises(Invalid, match="more than 0"):
        Debt("d", "s", PLATE, 0, DebtCause.GUARD, 1)
