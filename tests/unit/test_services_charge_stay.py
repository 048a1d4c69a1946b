"""The fee of a stay is asked for in one place, and what is paid settles the stay."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.errors import Declined, Invalid
from edge.parking.debt import Debt, DebtCause, DebtState
from edge.parking.session import SessionState
from edge.retail.attempt import AttemptState
from edge.retail.order import OrderState
from edge.services.change_basket import change_quantity
from edge.services.charge_stay import add_stay, charge_stay
from edge.services.check_out import cancel_sale, check_out, leave
from edge.services.events import EventKind
from edge.services.refund_order import RefundAsk, refund_order
from edge.services.staff import StaffMember
from edge.services.take_cash import take_cash
from sim.fakes.box import COLA, KIOSK, TILL
from sim.fakes.gateway import FakeFault
from tests.unit.garage import EXIT, HOUR_FEN, PLATE, Garage

SUPERVISOR = StaffMember("supervisor", "supervisor", "")


@pytest.fixture
def garage() -> Garage:
    return Garage()


def test_a_paid_fee_settles_the_stay_with_the_moment_that_it_was_for(garage: Garage) -> None:
    stay = garage.come(minutes_ago=90)
    order = charge_stay(garage.box, stay, EXIT)
    at = garage.ports.clock.now().wall_at
    assert (order.due_fen, order.lines[0].name) == (2 * HOUR_FEN, f"停车费 {PLATE} 1小时30分")
    garage.wait(9_000)
    assert garage.pay(garage.code(), EXIT) is AttemptState.APPROVED
    (settled,) = garage.settled(stay)
    assert (settled.amount_fen, settled.covers_until) == (1_000, at)
    assert (settled.order_id, settled.at_place) == (order.order_id, EXIT)
    assert garage.events().count(EventKind.PARKING_PAID) == 1


def test_asking_twice_is_one_order(garage: Garage) -> None:
    stay = garage.come()
    first = charge_stay(garage.box, stay, EXIT)
    assert charge_stay(garage.box, stay, EXIT).order_id == first.order_id


def test_a_fee_that_has_risen_is_asked_for_anew(garage: Garage) -> None:
    stay = garage.come(minutes_ago=90)
    first = charge_stay(garage.box, stay, EXIT)
    garage.wait(3_600_000)
    second = charge_stay(garage.box, stay, EXIT)
    assert (first.due_fen, second.due_fen) == (1_000, 1_500)
    assert garage.stored_order(first.order_id).state is OrderState.CANCELLED


def test_what_was_paid_late_counts_and_the_remainder_is_due(garage: Garage) -> None:
    stay = garage.come(minutes_ago=50)
    charge_stay(garage.box, stay, TILL)
    take_cash(garage.box, TILL, 500)
    leave(garage.box, TILL)
    garage.wait(40 * 60_000)
    order = charge_stay(garage.box, stay, EXIT)
    assert order.due_fen == HOUR_FEN
    garage.pay(garage.code(), EXIT)
    assert sum(one.amount_fen for one in garage.settled(stay)) == 2 * HOUR_FEN


def test_nothing_due_needs_no_order(garage: Garage) -> None:
    stay = garage.come(minutes_ago=50)
    charge_stay(garage.box, stay, EXIT)
    garage.pay(garage.code(), EXIT)
    with pytest.raises(Declined, match="may leave"):
        charge_stay(garage.box, stay, KIOSK)
    with pytest.raises(Invalid, match="no stay"):
        charge_stay(garage.box, "stay-none", KIOSK)


def test_an_order_elsewhere_that_nobody_pays_gives_way(garage: Garage) -> None:
    stay = garage.come()
    prepaid = charge_stay(garage.box, stay, KIOSK)
    order = charge_stay(garage.box, stay, EXIT)
    assert order.order_id != prepaid.order_id
    assert garage.stored_order(prepaid.order_id).state is OrderState.CANCELLED
    assert garage.screen(KIOSK)["screen"] == "attract"


def test_a_fee_whose_money_moves_is_shown_where_it_is_asked_for_next_and_is_not_charged_twice(
    garage: Garage,
) -> None:
    stay = garage.come()
    prepaid = charge_stay(garage.box, stay, KIOSK)
    garage.ports.gateway.fail_next("pay", FakeFault.LOST)
    assert garage.pay(garage.code(), KIOSK) is AttemptState.UNKNOWN
    order = charge_stay(garage.box, stay, EXIT)
    assert order.order_id == prepaid.order_id
    assert garage.screen(EXIT)["screen"] == "waiting"
    assert garage.scan(garage.code(), EXIT).outcome == "payment_running"
    garage.resolve(5_000)
    assert garage.screen(EXIT)["screen"] == "paid"
    assert [one.amount_fen for one in garage.settled(stay)] == [1_000]
    assert EXIT in garage.drawn or KIOSK in garage.drawn


def test_a_lane_takes_the_next_vehicle_when_nobody_paid_for_the_last(garage: Garage) -> None:
    first, second = garage.come(), garage.come("粤B99999", minutes_ago=10)
    left = charge_stay(garage.box, first, EXIT)
    order = charge_stay(garage.box, second, EXIT)
    assert order.due_fen == HOUR_FEN
    assert garage.stored_order(left.order_id).state is OrderState.CANCELLED


def test_goods_on_a_screen_are_not_thrown_out_for_a_fee(garage: Garage) -> None:
    garage.scan(COLA, KIOSK)
    with pytest.raises(Invalid, match="goods in its basket"):
        charge_stay(garage.box, garage.come(), KIOSK)


def test_goods_and_fee_are_paid_at_once_with_the_fee_of_that_moment(garage: Garage) -> None:
    stay = garage.come(minutes_ago=55)
    garage.scan(COLA, KIOSK)
    add_stay(garage.box, stay, KIOSK)
    add_stay(garage.box, stay, KIOSK)
    assert garage.lines() == [("cola", 1, 350), ("PARKING", 1, 500)]
    garage.wait(10 * 60_000)
    check_out(garage.box, KIOSK)
    order = garage.order()
    assert order.due_fen == 350 + 1_000
    garage.pay(garage.code(), KIOSK)
    assert [one.amount_fen for one in garage.settled(stay)] == [1_000]


def test_a_fee_in_a_basket_is_taken_out_but_not_multiplied(garage: Garage) -> None:
    add_stay(garage.box, garage.come(), KIOSK)
    line = garage.screen()["basket"]["lines"][0]["id"]
    with pytest.raises(Invalid, match="paid once"):
        change_quantity(garage.box, KIOSK, line, 2)
    change_quantity(garage.box, KIOSK, line, 0)
    assert garage.lines() == []


def test_a_cancelled_sale_settles_nothing(garage: Garage) -> None:
    stay = garage.come()
    charge_stay(garage.box, stay, KIOSK)
    cancel_sale(garage.box, KIOSK)
    assert garage.settled(stay) == ()
    assert charge_stay(garage.box, stay, EXIT).due_fen == 1_000


def test_debts_of_the_plate_are_collected_with_the_next_fee(garage: Garage) -> None:
    old = garage.come(session_id="stay-old", minutes_ago=9_000)
    gone = replace(garage.stay(old), state=SessionState.LEFT, left_at=garage.ports.clock.now().wall_at - 1)
    debt = Debt("d-1", old, PLATE, 700, DebtCause.UNCONFIRMED, gone.left_at or 0, "out-1")
    garage.box.store.write(lambda unit: unit.sessions.put(gone))
    garage.box.store.write(lambda unit: unit.debts.put(debt))
    stay = garage.come()
    order = charge_stay(garage.box, stay, EXIT)
    assert [line.amount_fen for line in order.lines] == [1_000, 700]
    garage.pay(garage.code(), EXIT)
    closed = garage.box.store.read(lambda unit: unit.debts.get("d-1"))
    assert closed is not None
    assert (closed.state, closed.order_id) == (DebtState.SETTLED, order.order_id)
    assert [one.amount_fen for one in garage.settled(old)] == [700]
    assert [one.amount_fen for one in garage.settled(stay)] == [1_000]
    assert garage.events().count(EventKind.DEBT_SETTLED) == 1


def test_a_debt_alone_can_be_paid_at_a_counter(garage: Garage) -> None:
    old = garage.come(session_id="stay-old")
    gone = replace(garage.stay(old), state=SessionState.LEFT, left_at=garage.ports.clock.now().wall_at)
    debt = Debt("d-1", old, PLATE, 700, DebtCause.GUARD, 5, "out-1", "guard")
    garage.box.store.write(lambda unit: unit.sessions.put(gone))
    garage.box.store.write(lambda unit: unit.debts.put(debt))
    assert charge_stay(garage.box, old, TILL).due_fen == 700
    assert take_cash(garage.box, TILL, 1_000) == 300
    assert garage.box.store.read(lambda unit: unit.debts.owed_fen()) == 0


def test_a_refund_leaves_the_fee_due_again_while_the_vehicle_is_inside(garage: Garage) -> None:
    stay = garage.come()
    order = charge_stay(garage.box, stay, KIOSK)
    garage.pay(garage.code(), KIOSK)
    refund_order(garage.box, RefundAsk("r-1", order.order_id, TILL, "wrong car"), "李", SUPERVISOR)
    assert [one.amount_fen for one in garage.settled(stay)] == [1_000, -1_000]
    leave(garage.box, KIOSK)
    assert charge_stay(garage.box, stay, EXIT).due_fen == 1_000


def test_a_refund_after_the_vehicle_has_left_moves_money_alone(garage: Garage) -> None:
    stay = garage.come()
    order = charge_stay(garage.box, stay, KIOSK)
    garage.pay(garage.code(), KIOSK)
    gone = replace(garage.stay(stay), state=SessionState.LEFT, left_at=garage.ports.clock.now().wall_at)
    garage.box.store.write(lambda unit: unit.sessions.put(gone))
    refund_order(garage.box, RefundAsk("r-1", order.order_id, TILL, "goodwill"), "李", SUPERVISOR)
    assert [one.amount_fen for one in garage.settled(stay)] == [1_000]


def test_cash_is_taken_for_the_fee_with_change(garage: Garage) -> None:
    stay = garage.come()
    charge_stay(garage.box, stay, TILL)
    assert take_cash(garage.box, TILL, 2_000) == 1_000
    assert [one.amount_fen for one in garage.settled(stay)] == [1_000]
