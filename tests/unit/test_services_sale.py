"""A whole sale: by code, by cash, in parts; and the way back from checkout."""

from __future__ import annotations

import pytest

from devices.types import Columns, Drawer
from edge.errors import Declined, Invalid
from edge.retail.attempt import AttemptState
from edge.retail.order import OrderState
from edge.services.change_basket import start
from edge.services.check_out import back_to_basket, cancel_sale, check_out, leave
from edge.services.take_cash import take_cash
from edge.services.take_payment import submit
from sim.fakes.box import BREAD, COLA, GATEWAY, KIOSK, TILL, weight_label
from tests.unit.shop import Shop


def test_a_sale_by_code_ends_paid_booked_receipted_and_told() -> None:
    shop = Shop()
    start(shop.box, KIOSK)
    order = shop.order_of(COLA, BREAD)
    assert (order.number, order.business_day, order.total_fen) == ("kiosk-1-0001", "2026-11-22", 1_150)
    assert shop.pay(shop.code()) is AttemptState.APPROVED
    paid = shop.order()
    assert (paid.state, paid.due_fen, paid.tenders[0].kind) == (OrderState.PAID, 0, GATEWAY)
    assert shop.ports.gateway.total_fen() == 1_150
    assert shop.screen()["screen"] == "paid"
    assert shop.balances() == {
        f"due/{paid.order_id}": 0,
        "sales/t-bakery": -800,
        "sales/t-drinks": -350,
        f"tender/{GATEWAY}": 1_150,
    }
    assert shop.events() == ["payment.approved", "order.paid", "receipt.issued", "landing.shown"]
    leave(shop.box, KIOSK)
    assert shop.screen()["screen"] == "attract"


def test_cash_at_a_till_gives_change_and_opens_the_drawer_once() -> None:
    shop = Shop()
    shop.order_of(COLA, BREAD, place=TILL)
    assert take_cash(shop.box, TILL, 2_000) == 850
    tender = shop.order(TILL).tenders[0]
    assert (tender.kind, tender.amount_fen, tender.received_fen, tender.change_fen) == (
        "cash",
        1_150,
        2_000,
        850,
    )
    assert shop.print(TILL) == "printed"
    job = shop.ports.printers[TILL].printed[0]
    assert Columns("找零 Change", "8.50") in job.blocks
    assert job.blocks[0] == Drawer()
    assert shop.ports.printers[TILL].drawer_kicks == 1


def test_a_sale_by_code_leaves_the_drawer_shut() -> None:
    shop = Shop()
    shop.order_of(COLA, place=TILL)
    shop.pay(shop.code(), TILL)
    shop.print(TILL)
    assert len(shop.papers(TILL)) == 1
    assert shop.ports.printers[TILL].drawer_kicks == 0


def test_cash_covers_a_part_and_a_code_the_rest() -> None:
    shop = Shop()
    shop.order_of(COLA, BREAD, place=TILL)
    assert take_cash(shop.box, TILL, 500) == 0
    assert shop.order(TILL).due_fen == 650
    assert shop.screen(TILL)["screen"] == "checkout"
    shop.pay(shop.code(), TILL)
    order = shop.order(TILL)
    assert order.state is OrderState.PAID
    assert [(one.kind, one.amount_fen) for one in order.tenders] == [("cash", 500), (GATEWAY, 650)]
    assert shop.ports.gateway.total_fen() == 650
    assert sum(shop.balances().values()) == 0
    assert shop.balances()["tender/cash"] == 500


def test_a_part_that_was_paid_holds_the_order_fast() -> None:
    shop = Shop()
    shop.order_of(COLA, place=TILL)
    take_cash(shop.box, TILL, 100)
    with pytest.raises(Invalid, match="refund it first"):
        cancel_sale(shop.box, TILL)
    assert shop.scan(BREAD, TILL).outcome == "not_now"
    assert shop.order(TILL).paid_fen == 100


@pytest.mark.parametrize("received", [0, -5, 10**12])
def test_cash_that_cannot_be_is_refused(received: int) -> None:
    shop = Shop()
    shop.order_of(COLA, place=TILL)
    with pytest.raises(Invalid):
        take_cash(shop.box, TILL, received)
    assert shop.order(TILL).tenders == ()


def test_a_second_tap_on_part_of_the_cash_books_nothing() -> None:
    shop = Shop()
    order = shop.order_of(COLA, place=TILL)
    take_cash(shop.box, TILL, 100, due_fen=350)
    with pytest.raises(Invalid, match="250 fen due by now"):
        take_cash(shop.box, TILL, 100, due_fen=350)
    assert shop.stored_order(order.order_id).paid_fen == 100


def test_a_kiosk_takes_no_cash() -> None:
    shop = Shop()
    shop.order_of(COLA)
    with pytest.raises(Declined, match="takes no cash"):
        take_cash(shop.box, KIOSK, 1_000)


def test_cash_waits_while_a_code_is_being_charged() -> None:
    shop = Shop()
    shop.order_of(COLA, place=TILL)
    shop.pay(shop.code(asks=True), TILL)
    with pytest.raises(Invalid, match="on its way"):
        take_cash(shop.box, TILL, 1_000)


def test_back_to_the_basket_cancels_the_order_and_the_next_takes_a_new_number() -> None:
    shop = Shop()
    first = shop.order_of(COLA)
    back_to_basket(shop.box, KIOSK)
    assert shop.lines() == [("cola", 1, 350)]
    assert shop.stored_order(first.order_id).state is OrderState.CANCELLED
    assert shop.event_data("order.cancelled")["number"] == first.number
    second = shop.order_of(BREAD)
    assert (second.number, second.total_fen) == ("kiosk-1-0002", 1_150)


def test_goods_scanned_at_checkout_reopen_the_basket() -> None:
    shop = Shop()
    first = shop.order_of(COLA)
    assert shop.scan(BREAD).outcome == "added"
    assert shop.lines() == [("cola", 1, 350), ("bread", 1, 800)]
    assert shop.stored_order(first.order_id).state is OrderState.CANCELLED


def test_what_nobody_sells_does_not_take_a_shopper_away_from_checkout() -> None:
    shop = Shop()
    order = shop.order_of(COLA)
    assert shop.scan("6904567890125").outcome == "unknown_code"
    assert shop.screen()["screen"] == "checkout"
    assert shop.stored_order(order.order_id).state is OrderState.AWAITING


def test_a_full_basket_at_checkout_still_shows_a_screen_to_go_on_from() -> None:
    shop = Shop()
    shop.order_of(*(weight_label("101", 100 + number) for number in range(200)))
    assert shop.scan(BREAD).outcome == "cannot_add"
    assert shop.screen()["screen"] == "basket"
    assert len(shop.lines()) == 200
    check_out(shop.box, KIOSK)
    shop.pay(shop.code())
    assert shop.order().state is OrderState.PAID


def test_an_empty_basket_cannot_be_paid_and_costs_no_number() -> None:
    shop = Shop()
    start(shop.box, KIOSK)
    with pytest.raises(Invalid, match="empty"):
        check_out(shop.box, KIOSK)
    assert shop.order_of(COLA).number == "kiosk-1-0001"


def test_cancelling_a_sale_shows_the_start_and_charges_nobody() -> None:
    shop = Shop()
    order = shop.order_of(COLA)
    cancel_sale(shop.box, KIOSK)
    assert shop.screen()["screen"] == "attract"
    assert shop.stored_order(order.order_id).state is OrderState.CANCELLED
    assert shop.screen()["held"] == []


def test_a_sale_cannot_be_given_up_while_money_moves() -> None:
    shop = Shop()
    shop.order_of(COLA)
    shop.pay(shop.code(asks=True))
    for give_up in (cancel_sale, back_to_basket):
        with pytest.raises(Invalid, match="on its way"):
            give_up(shop.box, KIOSK)
    assert shop.scan(BREAD).outcome == "not_now"
    assert shop.screen()["screen"] == "waiting"


def test_nobody_leaves_before_the_end() -> None:
    shop = Shop()
    shop.order_of(COLA)
    with pytest.raises(Invalid, match="not finished"):
        leave(shop.box, KIOSK)


def test_an_order_of_nothing_is_paid_at_once_with_a_receipt() -> None:
    shop = Shop()
    shop.order_of(weight_label("102", 1))
    order = shop.order()
    assert (order.total_fen, order.state, order.tenders) == (0, OrderState.PAID, ())
    assert shop.receipt(order.order_id) is not None
    assert sum(shop.balances().values()) == 0
    assert shop.event_data("order.paid")["total_fen"] == 0


def test_the_business_day_begins_at_its_hour_not_at_midnight() -> None:
    shop = Shop()
    day_ms, hour_ms = 86_400_000, 3_600_000
    into_day = shop.ports.clock.now().wall_at % day_ms
    shop.ports.clock.set_wall(day_ms - into_day + 3 * hour_ms)
    assert shop.order_of(COLA).business_day == "2026-11-22"
    cancel_sale(shop.box, KIOSK)
    shop.ports.clock.set_wall(hour_ms)
    assert shop.order_of(COLA).business_day == "2026-11-23"
    assert shop.order().number == "kiosk-1-0001"


def test_the_kiosk_and_the_till_share_one_run_of_numbers() -> None:
    shop = Shop()
    assert shop.order_of(COLA).number == "kiosk-1-0001"
    assert shop.order_of(COLA, place=TILL).number == "till-1-0002"


def test_a_code_is_charged_once_however_often_it_is_submitted() -> None:
    shop = Shop()
    shop.order_of(COLA)
    outcome = shop.scan(shop.code())
    submit(shop.box, outcome.attempt_id, outcome.code)
    with pytest.raises(Invalid, match="submitted before"):
        submit(shop.box, outcome.attempt_id, outcome.code)
    assert shop.ports.gateway.total_fen() == 350


def test_an_unknown_workstation_is_named_with_those_that_exist() -> None:
    shop = Shop()
    with pytest.raises(Invalid, match=r"no workstation 'bar'; it has kiosk-1, till-1"):
        check_out(shop.box, "bar")


def test_every_step_has_its_own_screen_drawn_anew() -> None:
    shop = Shop()
    shop.scan(COLA)
    assert shop.drawn == [KIOSK]
    check_out(shop.box, KIOSK)
    shop.pay(shop.code())
    assert len(shop.drawn) >= 4
    assert set(shop.drawn) == {KIOSK}
