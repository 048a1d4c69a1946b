"""What becomes of a scan: added, asked about, refused with a reason; never lost, never a leaked code."""

from __future__ import annotations

import pytest

from edge.errors import Invalid
from edge.retail.basket import MAX_LINES, MAX_QUANTITY
from edge.services.change_basket import change_quantity, confirm_scan, dismiss
from sim.fakes.box import BREAD, COLA, KIOSK, TILL, UNSOLD, WINE, weight_label
from tests.unit.shop import Shop


def test_a_weighed_label_is_one_piece_at_its_weights_price() -> None:
    shop = Shop()
    shop.scan(weight_label("101", 1_234))
    line = shop.screen()["basket"]["lines"][0]
    assert (line["weight_g"], line["unit_price_fen"], line["amount_fen"]) == (1_234, 1_280, 1_580)
    with pytest.raises(Invalid, match="its own label"):
        change_quantity(shop.box, KIOSK, line["id"], 2)


def test_two_labels_of_one_article_stay_two_lines() -> None:
    shop = Shop()
    shop.scan_apart(weight_label("101", 500), weight_label("101", 700))
    assert shop.lines() == [("apple", 1, 640), ("apple", 1, 896)]


def test_a_label_of_no_weight_adds_nothing_and_is_kept() -> None:
    shop = Shop()
    outcome = shop.scan(weight_label("101", 0)).outcome
    assert (outcome, shop.notice()) == ("unknown_code", "unknown_code")
    assert [one.outcome for one in shop.box.store.read(lambda u: u.scans.recent(KIOSK, 9))] == [outcome]


def test_a_repeat_within_the_window_is_asked_about_and_one_more_adds_it() -> None:
    shop = Shop()
    shop.scan(COLA)
    shop.wait(1_500)
    assert shop.scan(COLA).outcome == "duplicate"
    assert shop.lines() == [("cola", 1, 350)]
    confirm_scan(shop.box, KIOSK, shop.notice_id())
    assert shop.lines() == [("cola", 2, 700)]
    assert shop.notice() is None


def test_one_more_tapped_twice_adds_once() -> None:
    shop = Shop()
    shop.scan(COLA)
    shop.scan(COLA)
    asked = shop.notice_id()
    confirm_scan(shop.box, KIOSK, asked)
    with pytest.raises(Invalid, match="question"):
        confirm_scan(shop.box, KIOSK, asked)
    assert shop.lines() == [("cola", 2, 700)]


def test_the_same_code_after_the_window_adds_one() -> None:
    shop = Shop()
    shop.scan(COLA)
    shop.wait(1_501)
    assert shop.scan(COLA).outcome == "added"
    assert shop.lines() == [("cola", 2, 700)]


@pytest.mark.parametrize("step_ms", [-3_600_000, 3_600_000])
def test_a_stepped_clock_neither_opens_nor_stretches_the_window(step_ms: int) -> None:
    shop = Shop()
    shop.scan(COLA)
    shop.wait(1_000)
    shop.ports.clock.set_wall(step_ms)
    assert shop.scan(COLA).outcome == "duplicate"
    shop.wait(2_000)
    assert shop.scan(COLA).outcome == "added"


def test_a_repeat_of_what_was_taken_out_again_is_no_repeat() -> None:
    shop = Shop()
    shop.scan(COLA)
    change_quantity(shop.box, KIOSK, shop.screen()["basket"]["lines"][0]["id"], 0)
    assert shop.scan(COLA).outcome == "added"


def test_the_window_is_each_workstations_own() -> None:
    shop = Shop()
    shop.scan(COLA)
    assert shop.scan(COLA, TILL).outcome == "added"


def test_a_stale_scan_is_shown_and_can_be_added() -> None:
    shop = Shop()
    assert shop.scan(COLA, age_ms=5_001).outcome == "stale"
    assert shop.screen()["screen"] == "attract"
    assert shop.screen()["notice"]["choices"] == ["add", "dismiss"]
    confirm_scan(shop.box, KIOSK, shop.notice_id())
    assert shop.lines() == [("cola", 1, 350)]


def test_a_stale_payment_code_charges_nobody() -> None:
    shop = Shop()
    shop.order_of(COLA)
    assert shop.scan(shop.code(), age_ms=6_000).outcome == "stale"
    assert shop.screen()["notice"]["choices"] == ["dismiss"]
    with pytest.raises(Invalid):
        confirm_scan(shop.box, KIOSK, shop.notice_id())
    assert shop.screen()["screen"] == "checkout"


def test_an_unknown_code_is_said_and_leaves_the_basket_as_it_is() -> None:
    shop = Shop()
    shop.scan(COLA)
    assert shop.scan(UNSOLD).outcome == "unknown_code"
    assert shop.screen()["notice"]["params"] == {"text": UNSOLD}
    assert shop.lines() == [("cola", 1, 350)]
    dismiss(shop.box, KIOSK, shop.notice_id())
    assert shop.notice() is None


def test_only_a_question_can_be_confirmed() -> None:
    shop = Shop()
    shop.scan(WINE)
    with pytest.raises(Invalid, match="question"):
        confirm_scan(shop.box, KIOSK, shop.notice_id())
    assert shop.lines() == [("wine", 1, 9_800)]


def test_a_newer_banner_is_not_dismissed_with_the_older_one() -> None:
    shop = Shop()
    shop.scan(UNSOLD)
    older = shop.notice_id()
    shop.wait(2_000)
    shop.scan(UNSOLD)
    dismiss(shop.box, KIOSK, older)
    assert shop.notice() == "unknown_code"


@pytest.mark.parametrize("with_basket", [False, True])
def test_a_payment_code_before_checkout_says_to_press_pay(with_basket: bool) -> None:
    shop = Shop()
    if with_basket:
        shop.scan(COLA)
    code = shop.code()
    assert shop.scan(code).outcome == "pay_first"
    assert shop.screen()["notice"]["params"] == {"tail": code[-4:]}
    assert shop.ports.gateway.total_fen() == 0


def test_a_wallet_that_this_box_has_no_gateway_for_is_said() -> None:
    shop = Shop()
    shop.order_of(COLA)
    assert shop.scan("281234567890123456").outcome == "wallet_unknown"
    assert shop.screen()["notice"]["params"] == {"wallet": "alipay"}
    assert shop.screen()["screen"] == "checkout"


def test_a_second_code_while_one_is_charged_waits() -> None:
    shop = Shop()
    shop.order_of(COLA)
    shop.pay(shop.code(asks=True))
    assert shop.scan(shop.code()).outcome == "payment_running"
    assert len(shop.attempts(shop.order().order_id)) == 1


def test_an_unreadable_scan_says_why() -> None:
    shop = Shop()
    assert shop.scan("69012", problem="longer than 4096 bytes").outcome == "unreadable"
    assert shop.screen()["notice"]["params"] == {"problem": "longer than 4096 bytes"}


def test_a_payment_code_is_nowhere_in_the_stored_history() -> None:
    shop = Shop()
    codes = [shop.code(), shop.code(), shop.code()]
    shop.scan(codes[0])
    shop.order_of(COLA)
    shop.scan(codes[1], age_ms=9_000)
    outcome = shop.scan(codes[2])
    kept = repr(shop.box.store.read(lambda unit: unit.scans.recent(KIOSK, 99)))
    kept += repr(shop.screen()) + repr(outcome)
    assert "..0003" in kept
    assert not any(code in kept for code in codes)


def test_a_basket_has_an_end_and_says_so() -> None:
    shop = Shop()
    shop.scan_apart(*(weight_label("101", 1 + number) for number in range(MAX_LINES)))
    assert shop.scan(BREAD).outcome == "cannot_add"
    assert str(MAX_LINES) in shop.screen()["notice"]["params"]["problem"]
    assert len(shop.lines()) == MAX_LINES


def test_a_line_has_an_end_and_says_so() -> None:
    shop = Shop()
    shop.scan(COLA)
    line_id = shop.screen()["basket"]["lines"][0]["id"]
    change_quantity(shop.box, KIOSK, line_id, MAX_QUANTITY)
    shop.wait(2_000)
    assert shop.scan(COLA).outcome == "cannot_add"
    with pytest.raises(Invalid, match="quantity"):
        change_quantity(shop.box, KIOSK, line_id, MAX_QUANTITY + 1)
    assert shop.lines() == [("cola", MAX_QUANTITY, MAX_QUANTITY * 350)]


def test_goods_scanned_on_the_paid_screen_begin_the_next_basket() -> None:
    shop = Shop()
    shop.order_of(COLA)
    shop.pay(shop.code())
    paid = shop.order()
    shop.wait(2_000)
    shop.scan(BREAD)
    assert shop.lines() == [("bread", 1, 800)]
    assert shop.stored_order(paid.order_id) == paid
