"""A basket between a kiosk and a phone: taken over, paid where it stands, and given back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.errors import Declined, Invalid
from edge.parking.facility import UnconfirmedPolicy
from edge.parking.session import Session
from edge.parking.tariff_document import RateLine, Tariff
from edge.retail.attempt import AttemptState
from edge.retail.order import OrderState
from edge.services.change_basket import approve_age
from edge.services.charge_stay import add_stay
from edge.services.check_out import check_out, leave
from edge.services.hand_over_basket import KioskState, give_cart, given_lately, pay_at_kiosk, take_over
from edge.services.pay_by_phone import begin_order_payment
from edge.services.phone_session import open_session
from edge.services.records import Unit
from edge.services.reset_idle import reset_idle
from edge.services.scan_and_go import pay_cart
from edge.services.scan_and_go_rules import HOUR_MS
from edge.services.take_cash import take_cash
from sim.fakes.box import BREAD, COLA, KIOSK, TILL, WINE
from sim.world.people.parkers import garage
from tests.unit.cart_shop import ALL, CartShop


def filled(*codes: str) -> tuple[CartShop, str]:
    """Return a shop with goods on the kiosk's screen, and the code on it."""
    shop = CartShop()
    shop.scan_apart(*(codes or (COLA, BREAD)))
    return shop, shop.token()


def test_the_screen_shows_a_code_as_long_as_there_is_a_basket() -> None:
    shop, token = filled()
    assert shop.screen()["phone"] == {"url": f"https://mall.example/phone/k/{token}", "token": token}
    check_out(shop.box, KIOSK)
    assert shop.screen()["phone"]["token"] == token
    shop.pay(shop.code())
    assert shop.screen()["phone"] is None
    assert shop.screen(TILL)["phone"] is None


def test_a_phone_sees_what_is_on_the_screen() -> None:
    shop, token = filled()
    seen = shop.sees(token)
    assert (seen.workstation, seen.state, seen.total_fen) == (KIOSK, KioskState.BASKET, 1_150)
    check_out(shop.box, KIOSK)
    assert shop.sees(token).state is KioskState.CHECKOUT
    shop.pay(shop.code())
    paid = shop.sees(token)
    assert (paid.state, paid.elsewhere) == (KioskState.PAID, True)
    leave(shop.box, KIOSK)
    assert shop.sees(token).state is KioskState.GONE


@pytest.mark.parametrize("token", ["", "k" * 32, "hello"])
def test_a_foreign_code_is_refused_before_anything_is_looked_up(token: str) -> None:
    shop, _ = filled()
    with pytest.raises(Invalid, match="code"):
        shop.sees(token)


def test_taking_over_moves_the_basket_and_frees_the_kiosk_with_a_word() -> None:
    shop, token = filled()
    phone = shop.phone()
    take_over(shop.box, phone, token, "tap-00000001")
    assert shop.goods(phone) == [("cola", 1), ("bread", 1)]
    screen = shop.screen()
    assert (screen["screen"], shop.notice()) == ("attract", "taken_over")
    assert shop.sees(token, phone).on_phone
    take_over(shop.box, phone, token, "tap-00000002")
    told = shop.event_data("basket.handed_over")
    assert (told["from"], told["to"], told["count"]) == (KIOSK, "phone", 2)
    assert shop.events().count("basket.handed_over") == 1
    shop.wait(60_000)
    reset_idle(shop.box, KIOSK)
    assert shop.notice() is None


def test_taking_over_from_the_checkout_cancels_its_order_and_pays_on_the_phone() -> None:
    shop, token = filled()
    check_out(shop.box, KIOSK)
    phone = shop.phone()
    take_over(shop.box, phone, token)
    attempt = pay_cart(shop.box, phone)
    assert attempt is not None
    shop.pays(shop.stored_order(attempt.order_id))
    assert shop.stored_order(attempt.order_id).state is OrderState.PAID
    assert shop.events().count("order.cancelled") == 1


def test_goods_that_the_phone_has_stay_in_its_cart() -> None:
    shop, token = filled()
    phone = shop.phone()
    shop.put(phone, COLA)
    take_over(shop.box, phone, token)
    assert sorted(shop.goods(phone)) == [("bread", 1), ("cola", 2)]


def test_only_one_phone_takes_it() -> None:
    shop, token = filled()
    first, second = shop.phone(), shop.phone()
    take_over(shop.box, first, token)
    with pytest.raises(Invalid, match="no longer on the kiosk"):
        take_over(shop.box, second, token)
    assert shop.sees(token, second).state is KioskState.GONE


def test_goods_with_an_age_limit_stay_at_the_kiosk_where_the_phone_may_pay_them() -> None:
    shop, token = filled(COLA, WINE)
    phone = shop.phone()
    with pytest.raises(Declined, match="age limit"):
        take_over(shop.box, phone, token)
    with pytest.raises(Invalid, match="age"):
        pay_at_kiosk(shop.box, phone, token)
    approve_age(shop.box, KIOSK, "Li")
    with pytest.raises(Declined, match="age limit"):
        take_over(shop.box, phone, token)
    assert pay_at_kiosk(shop.box, phone, token) is not None


def test_where_phones_may_not_shop_they_may_still_pay_the_kiosks_basket() -> None:
    shop = CartShop(go=replace(ALL, tenants=frozenset()))
    shop.scan_apart(COLA)
    phone = shop.phone()
    with pytest.raises(Declined, match="not bought by phone"):
        take_over(shop.box, phone, shop.token())
    assert pay_at_kiosk(shop.box, phone, shop.token()) is not None


def test_the_phone_pays_what_stays_on_the_kiosk() -> None:
    shop, token = filled()
    phone = shop.phone()
    attempt = pay_at_kiosk(shop.box, phone, token)
    assert attempt is not None
    assert shop.screen()["screen"] == "waiting"
    assert shop.screen()["attempt"]["way"] == "native"
    assert shop.sees(token, phone).state is KioskState.PAYING
    assert shop.sees(token, phone).mine
    assert pay_at_kiosk(shop.box, phone, token) == attempt
    shop.pays(shop.order())
    assert shop.screen()["screen"] == "paid"
    paid = shop.sees(token, phone)
    assert (paid.state, paid.elsewhere) == (KioskState.PAID, False)
    leave(shop.box, KIOSK)
    assert shop.sees(token, phone).state is KioskState.PAID


def test_a_code_shown_while_the_phone_may_pay_is_charged_only_once_that_is_closed() -> None:
    shop, token = filled()
    phone, code = shop.phone(), shop.code()
    attempt = pay_at_kiosk(shop.box, phone, token)
    assert attempt is not None
    assert shop.scan(code).outcome == "phone_closing"
    assert shop.ports.gateway.charged_fen(attempt.merchant_order_no) == 0
    shop.resolve(1_000)
    assert shop.attempts(attempt.order_id)[0].state is AttemptState.VOIDED
    assert shop.notice() == "phone_closed"
    assert not shop.phones.pay(attempt.pay_url)
    assert shop.pay(code) is AttemptState.APPROVED
    paid = shop.sees(token, phone)
    assert (paid.state, paid.mine, paid.elsewhere) == (KioskState.PAID, True, True)
    leave(shop.box, KIOSK)
    told = shop.sees(token, phone)
    assert (told.state, told.elsewhere) == (KioskState.PAID, True)


def test_a_phone_that_was_faster_than_the_code_has_paid_and_the_code_is_not_charged() -> None:
    shop, token = filled()
    phone, code = shop.phone(), shop.code()
    attempt = pay_at_kiosk(shop.box, phone, token)
    assert attempt is not None
    assert shop.phones.pay(attempt.pay_url)
    assert shop.scan(code).outcome == "phone_closing"
    shop.resolve(1_000)
    assert shop.screen()["screen"] == "paid"
    assert len(shop.attempts(attempt.order_id)) == 1
    assert not shop.sees(token, phone).elsewhere


def test_cash_waits_for_the_phones_payment_to_be_closed() -> None:
    shop = CartShop()
    order = shop.order_of(COLA, place=TILL)
    attempt = begin_order_payment(shop.box, order.order_id)
    with pytest.raises(Declined, match="being closed"):
        take_cash(shop.box, TILL, 1_000)
    assert shop.notice(TILL) == "phone_ending"
    shop.resolve(1_000)
    assert not shop.phones.pay(attempt.pay_url)
    assert take_cash(shop.box, TILL, 1_000) == 650


def test_while_a_code_is_charged_the_phone_can_neither_pay_nor_take() -> None:
    shop, token = filled()
    check_out(shop.box, KIOSK)
    phone = shop.phone()
    assert shop.scan(shop.code()).outcome == "payment"
    with pytest.raises(Declined, match="being paid"):
        pay_at_kiosk(shop.box, phone, token)
    with pytest.raises(Declined, match="on its way"):
        take_over(shop.box, phone, token)


def test_a_cart_goes_back_to_a_kiosk_once() -> None:
    shop = CartShop()
    phone = shop.phone()
    shop.put(phone, COLA, BREAD)
    code, _ = give_cart(shop.box, phone)
    assert give_cart(shop.box, phone)[0] == code
    assert shop.scan(code).outcome == "cart_taken"
    assert shop.lines() == [("cola", 1, 350), ("bread", 1, 800)]
    assert shop.goods(phone) == []
    now = shop.box.clock.now()
    assert shop.box.store.read(lambda unit: given_lately(unit, shop.box, phone, now)) == KIOSK
    shop.wait(3_000)
    assert shop.scan(code).outcome == "cart_taken"
    assert shop.lines() == [("cola", 1, 350), ("bread", 1, 800)]
    assert shop.scan(code, TILL).outcome == "cart_gone"
    check_out(shop.box, KIOSK)
    assert shop.pay(shop.code()) is AttemptState.APPROVED


def test_a_cart_does_not_come_onto_goods_of_somebody_else_nor_after_its_time() -> None:
    shop = CartShop()
    phone = shop.phone()
    shop.put(phone, COLA)
    code, ends_at = give_cart(shop.box, phone)
    shop.scan(BREAD)
    assert shop.scan(code).outcome == "cart_busy"
    assert shop.goods(phone) == [("cola", 1)]
    shop.wait(ends_at - shop.box.clock.now().wall_at)
    assert shop.scan(code, TILL).outcome == "cart_gone"
    fresh, _ = give_cart(shop.box, phone)
    assert fresh != code
    assert shop.scan(fresh, TILL).outcome == "cart_taken"


def test_giving_a_cart_away_closes_what_the_phone_could_pay() -> None:
    shop = CartShop()
    phone = shop.phone()
    shop.put(phone, COLA)
    attempt = pay_cart(shop.box, phone)
    assert attempt is not None
    code, _ = give_cart(shop.box, phone)
    assert not shop.phones.pay(attempt.pay_url)
    assert shop.scan(code).outcome == "cart_taken"


def test_a_cart_that_is_paid_after_its_code_was_made_stays_the_phones() -> None:
    shop = CartShop()
    phone = shop.phone()
    shop.put(phone, COLA)
    code, _ = give_cart(shop.box, phone)
    attempt = pay_cart(shop.box, phone)
    assert attempt is not None
    assert shop.scan(code).outcome == "phone_ending"
    shop.resolve(1_000)
    assert shop.scan(code).outcome == "cart_taken"
    assert not shop.phones.pay(attempt.pay_url)


def test_the_screen_speaks_the_phones_language_with_its_cart() -> None:
    shop = CartShop()
    phone = open_session(shop.box, language="en")[1].session_id
    shop.put(phone, COLA)
    shop.scan(give_cart(shop.box, phone)[0])
    assert shop.screen()["language"] == "en"


def test_there_and_back_again() -> None:
    shop, token = filled()
    phone = shop.phone()
    take_over(shop.box, phone, token)
    code, _ = give_cart(shop.box, phone)
    assert shop.scan(code).outcome == "cart_taken"
    assert shop.sees(token, phone).state is KioskState.BASKET
    take_over(shop.box, phone, token)
    assert shop.goods(phone) == [("cola", 1), ("bread", 1)]


def test_a_parking_fee_among_the_goods_goes_along_and_is_asked_for_anew() -> None:
    shop, token = filled()
    phone = shop.phone()

    def fee(unit: Unit) -> None:
        now = shop.box.clock.now()
        unit.tariffs.replace((Tariff("standard", "标准", 0, 0, None, (RateLine(60, 500),)),))
        unit.sessions.put(Session("s-1", "p1", "粤B12345", now.wall_at - HOUR_MS, "in-1"))

    shop.box = replace(shop.box, parking=garage(UnconfirmedPolicy.RECORD_DEBT))
    shop.box.store.write(fee)
    add_stay(shop.box, "s-1", KIOSK)
    assert shop.sees(token).total_fen == 1_650
    take_over(shop.box, phone, token)
    shop.wait(HOUR_MS)
    attempt = pay_cart(shop.box, phone)
    assert attempt is not None
    assert attempt.amount_fen == 2_150
    shop.pays(shop.stored_order(attempt.order_id))
    paid = shop.box.store.read(lambda unit: unit.settlements.of_session("s-1"))
    assert [one.amount_fen for one in paid] == [1_000]
    assert sorted(line.sku for line, _ in shop.exit(attempt.order_id).goods) == ["bread", "cola"]
