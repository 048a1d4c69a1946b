"""Age checks, hold and recall, help, language, idle screens, restart."""

from __future__ import annotations

import pytest

from edge.errors import Corrupt, Invalid
from edge.services.call_help import call_help, end_help
from edge.services.change_basket import (
    HELD_SHOWN,
    approve_age,
    change_quantity,
    choose_language,
    hold,
    recall,
    refuse_age,
    start,
    touch,
)
from edge.services.check_out import back_to_basket, cancel_sale, check_out, leave
from edge.services.reset_idle import reset_idle
from edge.services.take_cash import take_cash
from edge.services.workstation import Notice, NoticeCode, decode_notice, encode_notice
from sim.fakes.box import BREAD, COLA, KIOSK, TILL, WINE, weight_label
from tests.unit.shop import Shop

IDLE_MS = 120_000
PAID_IDLE_MS = 25_000


def test_wine_waits_for_a_cashier_and_calls_one() -> None:
    shop = Shop()
    shop.scan(WINE)
    assert (shop.notice(), shop.screen()["age"]) == ("age_needed", {"min_age": 18})
    assert shop.screen()["help"] is not None
    assert shop.events() == ["help.called"]
    with pytest.raises(Invalid, match="check age 18"):
        check_out(shop.box, KIOSK)
    approve_age(shop.box, KIOSK, "王")
    assert (shop.screen()["age"], shop.screen()["help"]) == (None, None)
    check_out(shop.box, KIOSK)
    assert shop.order().number == "kiosk-1-0001"


def test_one_age_check_holds_for_more_of_the_same_age() -> None:
    shop = Shop()
    shop.scan_apart(WINE)
    approve_age(shop.box, KIOSK, "王")
    shop.scan(WINE)
    assert shop.screen()["age"] is None
    check_out(shop.box, KIOSK)


def test_an_age_check_refused_takes_the_restricted_goods_out_and_no_others() -> None:
    shop = Shop()
    shop.scan_apart(COLA, WINE, BREAD)
    refuse_age(shop.box, KIOSK)
    assert shop.lines() == [("cola", 1, 350), ("bread", 1, 800)]
    check_out(shop.box, KIOSK)


def test_an_age_check_survives_the_way_to_checkout_and_back() -> None:
    shop = Shop()
    shop.scan(WINE)
    approve_age(shop.box, KIOSK, "王")
    check_out(shop.box, KIOSK)
    back_to_basket(shop.box, KIOSK)
    check_out(shop.box, KIOSK)


def test_who_recalls_a_basket_is_checked_anew() -> None:
    shop = Shop()
    shop.scan(WINE)
    approve_age(shop.box, KIOSK, "王")
    hold(shop.box, KIOSK)
    recall(shop.box, KIOSK, shop.screen()["held"][0]["id"])
    assert shop.screen()["age"] == {"min_age": 18}


def test_a_held_basket_comes_back_as_it_was_while_another_is_served() -> None:
    shop = Shop()
    shop.scan_apart(COLA, weight_label("101", 500), place=TILL)
    before = shop.lines(TILL)
    hold(shop.box, TILL)
    assert (shop.screen(TILL)["screen"], shop.notice(TILL)) == ("attract", "held")
    shop.order_of(BREAD, place=TILL)
    take_cash(shop.box, TILL, 800)
    held = shop.screen(TILL)["held"]
    assert [(one["count"], one["total_fen"]) for one in held] == [(2, 990)]
    recall(shop.box, TILL, held[0]["id"])
    assert shop.lines(TILL) == before
    assert shop.screen(TILL)["held"] == []


def test_recall_needs_a_free_screen_and_a_basket_held_here() -> None:
    shop = Shop()
    shop.scan_apart(COLA)
    hold(shop.box, KIOSK)
    held = shop.screen()["held"][0]["id"]
    with pytest.raises(Invalid, match="not held here"):
        recall(shop.box, TILL, held)
    shop.scan_apart(BREAD)
    with pytest.raises(Invalid, match="hold or pay"):
        recall(shop.box, KIOSK, held)
    check_out(shop.box, KIOSK)
    with pytest.raises(Invalid, match="finish this payment"):
        recall(shop.box, KIOSK, held)


def test_a_basket_is_recalled_once() -> None:
    shop = Shop()
    shop.scan_apart(COLA)
    hold(shop.box, KIOSK)
    held = shop.screen()["held"][0]["id"]
    recall(shop.box, KIOSK, held)
    hold(shop.box, KIOSK)
    recall(shop.box, KIOSK, held)
    change_quantity(shop.box, KIOSK, shop.screen()["basket"]["lines"][0]["id"], 0)
    with pytest.raises(Invalid, match="cannot become open"):
        recall(shop.box, KIOSK, held)


def test_an_empty_basket_is_not_held() -> None:
    shop = Shop()
    start(shop.box, KIOSK)
    with pytest.raises(Invalid, match="nothing to hold"):
        hold(shop.box, KIOSK)


def test_held_baskets_shown_have_a_limit() -> None:
    shop = Shop()
    for _ in range(HELD_SHOWN + 1):
        shop.scan_apart(COLA)
        hold(shop.box, KIOSK)
    assert len(shop.screen()["held"]) == HELD_SHOWN


def test_help_is_called_once_until_it_came() -> None:
    shop = Shop()
    call_help(shop.box, KIOSK)
    called = shop.screen()["help"]
    shop.wait(60_000)
    call_help(shop.box, KIOSK)
    assert shop.screen()["help"] == called
    assert shop.events() == ["help.called"]
    end_help(shop.box, KIOSK)
    assert shop.screen()["help"] is None
    call_help(shop.box, KIOSK)
    assert shop.events() == ["help.called", "help.called"]


def test_a_screen_that_waits_for_help_is_not_reset() -> None:
    shop = Shop()
    shop.scan(COLA)
    call_help(shop.box, KIOSK)
    shop.wait(10 * IDLE_MS)
    assert not reset_idle(shop.box, KIOSK)
    end_help(shop.box, KIOSK)
    assert not reset_idle(shop.box, KIOSK)
    shop.wait(IDLE_MS)
    assert reset_idle(shop.box, KIOSK)


def test_a_call_of_somebody_who_is_gone_holds_nobody_elses_screen() -> None:
    shop = Shop()
    shop.order_of(COLA)
    call_help(shop.box, KIOSK)
    cancel_sale(shop.box, KIOSK)
    shop.wait(1_000)
    shop.order_of(BREAD)
    shop.wait(IDLE_MS)
    assert reset_idle(shop.box, KIOSK)
    assert (shop.screen()["screen"], shop.screen()["help"] is None) == ("attract", False)


def test_a_language_lasts_until_the_next_shopper() -> None:
    shop = Shop()
    choose_language(shop.box, KIOSK, "en")
    shop.order_of(COLA)
    assert shop.screen()["language"] == "en"
    shop.pay(shop.code())
    leave(shop.box, KIOSK)
    assert shop.screen()["language"] == "zh"
    with pytest.raises(Invalid, match="not spoken"):
        choose_language(shop.box, KIOSK, "fr")


def test_a_forsaken_basket_is_held_and_its_banner_gone() -> None:
    shop = Shop()
    choose_language(shop.box, KIOSK, "en")
    shop.scan_apart(COLA)
    shop.scan("6904567890125")
    shop.wait(IDLE_MS - 1)
    assert not reset_idle(shop.box, KIOSK)
    shop.wait(1)
    assert reset_idle(shop.box, KIOSK)
    screen = shop.screen()
    assert (screen["screen"], screen["notice"], screen["language"]) == ("attract", None, "zh")
    assert [one["count"] for one in screen["held"]] == [1]
    assert not reset_idle(shop.box, KIOSK)


def test_a_forsaken_empty_basket_leaves_nothing_to_recall() -> None:
    shop = Shop()
    start(shop.box, KIOSK)
    shop.wait(IDLE_MS)
    assert reset_idle(shop.box, KIOSK)
    assert shop.screen()["held"] == []


def test_a_forsaken_checkout_is_cancelled_and_its_goods_held() -> None:
    shop = Shop()
    shop.order_of(COLA)
    shop.wait(IDLE_MS)
    assert reset_idle(shop.box, KIOSK)
    assert shop.events() == ["order.cancelled"]
    assert [one["total_fen"] for one in shop.screen()["held"]] == [350]


def test_a_paid_screen_goes_sooner_and_keeps_the_order() -> None:
    shop = Shop()
    shop.order_of(COLA)
    shop.pay(shop.code())
    paid = shop.order()
    shop.wait(PAID_IDLE_MS - 1)
    assert not reset_idle(shop.box, KIOSK)
    shop.wait(1)
    assert reset_idle(shop.box, KIOSK)
    assert shop.stored_order(paid.order_id) == paid
    assert shop.screen()["held"] == []


def test_a_payment_in_flight_is_never_dropped() -> None:
    shop = Shop()
    shop.order_of(COLA)
    shop.pay(shop.code(asks=True))
    shop.wait(10 * IDLE_MS)
    assert not reset_idle(shop.box, KIOSK)
    assert (shop.screen()["screen"], shop.screen()["idle_s_left"]) == ("waiting", None)


def test_a_code_scanned_and_not_sent_yet_is_not_dropped_either() -> None:
    shop = Shop()
    shop.order_of(COLA)
    shop.scan(shop.code())
    shop.wait(10 * IDLE_MS)
    assert not reset_idle(shop.box, KIOSK)
    assert shop.screen()["screen"] == "waiting"


def test_money_taken_is_never_dropped() -> None:
    shop = Shop()
    shop.order_of(COLA, place=TILL)
    take_cash(shop.box, TILL, 100)
    shop.wait(10 * IDLE_MS)
    assert not reset_idle(shop.box, TILL)
    assert shop.order(TILL).paid_fen == 100


def test_a_touch_keeps_the_screen() -> None:
    shop = Shop()
    shop.scan(COLA)
    shop.wait(IDLE_MS - 1_000)
    touch(shop.box, KIOSK)
    shop.wait(IDLE_MS - 1_000)
    assert not reset_idle(shop.box, KIOSK)
    assert shop.screen()["idle_s_left"] == 1


@pytest.mark.parametrize("step_ms", [-86_400_000, 86_400_000])
def test_a_stepped_clock_neither_empties_a_screen_nor_keeps_it_for_ever(step_ms: int) -> None:
    shop = Shop()
    shop.scan(COLA)
    shop.ports.clock.set_wall(step_ms)
    shop.wait(IDLE_MS - 1)
    assert not reset_idle(shop.box, KIOSK)
    shop.wait(1)
    assert reset_idle(shop.box, KIOSK)


@pytest.mark.parametrize("away_ms", [1_000, 3_600_000, -3_600_000])
def test_a_restart_shows_the_same_basket_and_gives_the_shopper_time(away_ms: int) -> None:
    shop = Shop()
    shop.scan_apart(COLA, BREAD)
    before = shop.lines()
    shop.ports.clock.reboot(30_000)
    shop.ports.clock.set_wall(away_ms)
    shop.restart()
    assert not reset_idle(shop.box, KIOSK)
    assert shop.lines() == before
    assert shop.screen()["idle_s_left"] == IDLE_MS // 1000


def test_a_restart_shows_the_finished_order() -> None:
    shop = Shop()
    shop.order_of(COLA)
    shop.pay(shop.code())
    paid = shop.order()
    shop.restart()
    assert shop.screen()["screen"] == "paid"
    assert shop.order() == paid


def test_start_does_not_empty_a_basket() -> None:
    shop = Shop()
    shop.scan(COLA)
    start(shop.box, KIOSK)
    assert shop.lines() == [("cola", 1, 350)]


def test_a_line_that_is_gone_is_said() -> None:
    shop = Shop()
    shop.scan(COLA)
    with pytest.raises(Invalid, match="look at the list again"):
        change_quantity(shop.box, KIOSK, "nowhere", 2)


def test_without_a_basket_there_is_nothing_to_change() -> None:
    shop = Shop()
    for change in (check_out, hold, refuse_age):
        with pytest.raises(Invalid, match="scan something first"):
            change(shop.box, KIOSK)


def test_a_notice_comes_back_as_it_was_stored() -> None:
    notice = Notice("n-1", "warn", NoticeCode.DUPLICATE, {"name": "可乐", "quantity": 2}, ("one_more",))
    assert decode_notice(encode_notice(notice)) == notice
    assert decode_notice(encode_notice(None)) is None


@pytest.mark.parametrize("stored", ["{", "[]", '{"id": "n"}', "7"])
def test_a_notice_that_cannot_be_read_is_corrupt(stored: str) -> None:
    with pytest.raises(Corrupt, match="notice"):
        decode_notice(stored)
