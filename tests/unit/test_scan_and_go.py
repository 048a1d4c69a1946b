"""Scan and go: what a phone may put into its cart, pays and takes out, and what it is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.errors import Declined, Invalid
from edge.retail.basket import BasketState
from edge.retail.order import OrderState
from edge.services.forsake_carts import forsake_carts
from edge.services.phone_order import end_forsaken_orders
from edge.services.scan_and_go import (
    back_to_cart,
    change_in_cart,
    pay_cart,
    picture_into_cart,
    scan_into_cart,
)
from edge.services.scan_and_go_rules import HOUR_MS
from sim.fakes.box import BREAD, COLA, UNSOLD, WINE, weight_label
from sim.fakes.gateway import FakeFault
from sim.fakes.pictures import picture
from tests.unit.cart_shop import ALL, CartShop


def test_goods_are_scanned_counted_paid_and_the_books_close() -> None:
    shop = CartShop()
    phone = shop.phone()
    shop.put(phone, COLA, BREAD, COLA, weight_label("101", 500))
    assert sorted(shop.goods(phone)) == [("apple", 1), ("bread", 1), ("cola", 2)]
    attempt = pay_cart(shop.box, phone)
    assert attempt is not None
    assert attempt.amount_fen == 2 * 350 + 800 + 640
    order = shop.cart(phone).order
    shop.pays(order)
    assert order is not None
    assert shop.stored_order(order.order_id).state is OrderState.PAID
    assert sum(shop.balances().values()) == 0
    assert shop.goods(phone) == []
    assert "order.paid" in shop.events()


@pytest.mark.parametrize(
    ("code", "word"),
    [
        (UNSOLD, "unknown"),
        ("hello", "unknown"),
        (WINE, "age"),
        ("134567890123456789", "payment_code"),
        ("MC12345678X", "not_goods"),
        (weight_label("102", 1), None),
    ],
)
def test_what_is_not_sold_this_way_is_told(code: str, word: str | None) -> None:
    shop = CartShop()
    phone = shop.phone()
    shop.put(phone, COLA)
    assert shop.word(phone, code) == word or (code.startswith("MC") and word == "not_goods")
    assert shop.goods(phone)[0] == ("cola", 1)


def test_a_payment_code_is_not_kept_anywhere() -> None:
    shop = CartShop()
    step = scan_into_cart(shop.box, shop.phone(), "134567890123456789")
    assert step.word is not None
    assert "134567890123456789" not in repr(step)


def test_goods_of_tenants_that_do_not_allow_it_go_to_a_till() -> None:
    shop = CartShop(go=replace(ALL, tenants=frozenset({"t-bakery"})))
    phone = shop.phone()
    assert shop.word(phone, COLA) == "not_this_way"
    assert shop.word(phone, BREAD) is None


def test_where_nothing_is_sold_so_nothing_is_scanned() -> None:
    shop = CartShop(go=replace(ALL, tenants=frozenset()))
    with pytest.raises(Declined, match="not offered"):
        scan_into_cart(shop.box, shop.phone(), COLA)


def test_the_same_tap_twice_adds_once() -> None:
    shop = CartShop()
    phone = shop.phone()
    for _ in range(2):
        scan_into_cart(shop.box, phone, COLA, "tap-00000001")
    scan_into_cart(shop.box, phone, COLA, "tap-00000002")
    assert shop.goods(phone) == [("cola", 2)]


def test_quantities_change_and_nought_removes() -> None:
    shop = CartShop()
    phone = shop.phone()
    line = shop.put(phone, COLA)[0].line_id
    change_in_cart(shop.box, phone, line, 5, "tap-00000003")
    change_in_cart(shop.box, phone, line, 9, "tap-00000003")
    assert shop.goods(phone) == [("cola", 5)]
    with pytest.raises(Invalid, match="1 to 999"):
        change_in_cart(shop.box, phone, line, 1_000)
    change_in_cart(shop.box, phone, line, 0)
    assert shop.goods(phone) == []


def test_a_basket_that_is_full_says_so_and_keeps_what_is_in_it() -> None:
    shop = CartShop()
    phone = shop.phone()
    for grams in range(1, 201):
        scan_into_cart(shop.box, phone, weight_label("101", 100 + grams))
    assert shop.word(phone, COLA) == "cannot_add"
    assert len(shop.goods(phone)) == 200


def test_the_largest_goods_code_of_a_picture_is_added() -> None:
    shop = CartShop()
    phone = shop.phone()
    link = "https://example.com/poster"
    assert picture_into_cart(shop.box, phone, picture(link, BREAD, COLA), "tap-00000004").line_id
    assert shop.goods(phone) == [("bread", 1)]
    empty, bad = picture(), b"GIF89a"
    told = [picture_into_cart(shop.box, phone, one).word for one in (empty, bad)]
    assert [one.code.value for one in told if one] == ["nothing_seen", "bad_picture"]


def test_going_back_closes_what_the_phone_could_pay_first() -> None:
    shop = CartShop()
    phone = shop.phone()
    shop.put(phone, COLA)
    attempt = pay_cart(shop.box, phone)
    assert attempt is not None
    assert shop.word(phone, BREAD) == "paying"
    assert back_to_cart(shop.box, phone).word is None
    assert not shop.phones.pay(attempt.pay_url)
    assert shop.word(phone, BREAD) is None
    assert shop.goods(phone) == [("cola", 1), ("bread", 1)]
    assert "order.cancelled" in shop.events()


def test_going_back_after_the_phone_was_faster_finds_it_paid() -> None:
    shop = CartShop()
    phone = shop.phone()
    shop.put(phone, COLA)
    attempt = pay_cart(shop.box, phone)
    order = shop.cart(phone).order
    assert attempt is not None
    assert order is not None
    assert shop.phones.pay(attempt.pay_url)
    back_to_cart(shop.box, phone)
    assert shop.stored_order(order.order_id).state is OrderState.PAID
    assert shop.goods(phone) == []


def test_an_order_that_was_not_paid_in_time_can_be_paid_again_or_gone_back_from() -> None:
    shop = CartShop()
    phone = shop.phone()
    shop.put(phone, COLA)
    first = pay_cart(shop.box, phone)
    shop.resolve(shop.rules.phone_deadline_ms + 10_000)
    again = pay_cart(shop.box, phone)
    assert first is not None
    assert again is not None
    assert again.attempt_id != first.attempt_id
    assert not shop.phones.pay(first.pay_url)
    shop.pays(shop.stored_order(again.order_id))
    assert shop.stored_order(again.order_id).state is OrderState.PAID


def test_asking_to_pay_again_is_the_same_payment() -> None:
    shop = CartShop()
    phone = shop.phone()
    shop.put(phone, COLA)
    first, again = pay_cart(shop.box, phone), pay_cart(shop.box, phone)
    assert first == again


def test_a_gateway_out_of_reach_loses_nothing() -> None:
    shop = CartShop()
    phone = shop.phone()
    shop.put(phone, COLA)
    shop.phones.fail_next("native", FakeFault.UNAVAILABLE)
    with pytest.raises(Exception, match="send it again"):
        pay_cart(shop.box, phone)
    shop.wait(40_000)
    assert pay_cart(shop.box, phone) is not None


def test_an_empty_cart_is_not_paid() -> None:
    shop = CartShop()
    with pytest.raises(Invalid, match="empty"):
        pay_cart(shop.box, shop.phone())


def test_a_cart_that_nobody_touched_for_hours_is_given_up_and_the_next_scan_begins_anew() -> None:
    shop = CartShop()
    phone, other = shop.phone(), shop.phone()
    shop.put(phone, COLA)
    basket = shop.cart(phone).basket
    assert basket is not None
    shop.wait(4 * HOUR_MS - 1_000)
    shop.put(other, BREAD)
    assert forsake_carts(shop.box) == 0
    shop.wait(2_000)
    assert forsake_carts(shop.box) == 1
    kept = shop.box.store.read(lambda unit: unit.baskets.get(basket.basket_id))
    assert kept is not None
    assert kept.state is BasketState.ABANDONED
    shop.put(phone, BREAD)
    assert shop.goods(phone) == [("bread", 1)]
    assert shop.goods(other) == [("bread", 1)]


def test_a_forsaken_cart_whose_order_waits_is_given_up_with_its_order_but_never_while_money_moves() -> None:
    shop = CartShop()
    phone = shop.phone()
    shop.put(phone, COLA)
    attempt = pay_cart(shop.box, phone)
    assert attempt is not None
    shop.wait(5 * HOUR_MS)
    assert (end_forsaken_orders(shop.box), forsake_carts(shop.box)) == (0, 0)
    shop.resolve(10_000)
    assert (end_forsaken_orders(shop.box), forsake_carts(shop.box)) == (1, 0)
    shop.wait(5 * HOUR_MS)
    assert forsake_carts(shop.box) == 1
    assert shop.stored_order(attempt.order_id).state is OrderState.CANCELLED


def test_a_cart_goes_on_with_its_phones_way() -> None:
    shop = CartShop()
    phone = shop.phone()
    shop.put(phone, COLA)
    assert shop.session(phone).correlation


def test_an_ended_session_is_refused() -> None:
    shop = CartShop()
    with pytest.raises(Invalid, match="has ended"):
        scan_into_cart(shop.box, "nobody", COLA)
