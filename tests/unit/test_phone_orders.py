"""A phone pays any order that waits, by its own wallet or by a code, once, however often it asks."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from edge.errors import Corrupt, Declined, Invalid, Unavailable
from edge.retail.attempt import AttemptState, PaymentAttempt
from edge.retail.basket import BasketState
from edge.retail.order import OrderState
from edge.services.charge_stay import charge_stay
from edge.services.check_out import leave
from edge.services.hand_over_notices import (
    LONG_MS,
    MESSAGE_LIFE_MS,
    note_paid,
    queue_hand_over,
    queue_message,
    tell_notices,
    want_messages,
)
from edge.services.pay_by_phone import (
    begin_order_payment,
    begin_phone_payment,
    close_phone_payment,
    give_up_order,
)
from edge.services.payment_ports import GatewayAnswer, PaymentState
from edge.services.phone_order import cancel_phone_order, end_forsaken_orders
from edge.services.phone_ports import NoticeRefused
from edge.services.refund_order import RefundAsk, refund_order
from edge.services.settle_attempt import settle
from edge.services.staff import StaffMember
from edge.services.take_cash import take_cash
from edge.services.work_records import WorkKind
from sim.fakes.box import COLA, KIOSK, TILL
from sim.fakes.gateway import FakeFault
from tests.unit.garage import EXIT
from tests.unit.phone_shop import RULES, PhoneShop

ME = "openid-a"


@pytest.fixture
def shop() -> PhoneShop:
    return PhoneShop()


def attempts(shop: PhoneShop, order_id: str) -> tuple[PaymentAttempt, ...]:
    return shop.box.store.read(lambda unit: unit.attempts.of_order(order_id))


def pay(shop: PhoneShop, token: str, order_id: str) -> Any:
    return shop.json("POST", f"/orders/{order_id}/pay", token)


def look(shop: PhoneShop, token: str, order_id: str) -> Any:
    return shop.json("GET", f"/orders/{order_id}", token)


def paid_order(shop: PhoneShop, token: str) -> str:
    order = shop.phone_order(token)
    assert shop.pays_inside(pay(shop, token, order.order_id), ME)
    shop.resolve(6_000)
    assert look(shop, token, order.order_id)["state"] == "paid"
    return order.order_id


def test_a_signed_in_phone_pays_in_its_wallet_and_the_order_is_paid(shop: PhoneShop) -> None:
    token = shop.sign_in(ME)
    order = shop.phone_order(token)
    payment = pay(shop, token, order.order_id)
    assert (payment["state"], payment["way"], payment["code_url"]) == ("open", "jsapi", None)
    assert payment["pay"]["appId"] == "wx-demo"
    assert (payment["number"], payment["amount_fen"]) == (order.number, 2_800)
    assert not shop.pays_inside(payment, "openid-b")
    assert shop.pays_inside(payment, ME)
    assert look(shop, token, order.order_id)["state"] == "open"
    shop.resolve(6_000)
    paid = look(shop, token, order.order_id)
    receipt = shop.box.store.read(lambda unit: unit.receipts.of_order(order.order_id))
    assert receipt is not None
    assert (paid["state"], paid["receipt"], paid["pay"]) == ("paid", receipt.token, None)
    assert shop.ports.gateway.total_fen() == 2_800
    assert shop.box.store.read(lambda unit: unit.work_items.count_open()) == 0


def test_a_phone_that_is_nobody_gets_a_code_to_scan(shop: PhoneShop) -> None:
    token = shop.open_phone()
    order = shop.phone_order(token)
    payment = pay(shop, token, order.order_id)
    assert (payment["way"], payment["pay"]) == ("native", None)
    assert shop.phones.pay(payment["code_url"])
    shop.resolve(6_000)
    assert look(shop, token, order.order_id)["state"] == "paid"


def test_asking_again_shows_the_same_payment(shop: PhoneShop) -> None:
    token = shop.sign_in(ME)
    order = shop.phone_order(token)
    assert pay(shop, token, order.order_id) == pay(shop, token, order.order_id)
    assert len(attempts(shop, order.order_id)) == 1


def test_a_shopper_who_goes_on_in_the_wallet_pays_once(shop: PhoneShop) -> None:
    token = shop.open_phone()
    order = shop.phone_order(token)
    code = pay(shop, token, order.order_id)["code_url"]
    shop.sign_in(ME, token)
    payment = pay(shop, token, order.order_id)
    assert payment["way"] == "jsapi"
    assert not shop.phones.pay(code)
    assert shop.pays_inside(payment, ME)
    shop.resolve(6_000)
    assert [one.state for one in attempts(shop, order.order_id)] == [
        AttemptState.VOIDED,
        AttemptState.APPROVED,
    ]
    assert shop.ports.gateway.total_fen() == 2_800


def test_a_code_that_was_paid_meanwhile_is_not_paid_again_in_the_wallet(shop: PhoneShop) -> None:
    token = shop.open_phone()
    order = shop.phone_order(token)
    assert shop.phones.pay(pay(shop, token, order.order_id)["code_url"])
    shop.sign_in(ME, token)
    answer = shop.call("POST", f"/orders/{order.order_id}/pay", token)
    assert (answer.status_code, answer.get_json()["error"]) == (409, "declined")
    assert look(shop, token, order.order_id)["state"] == "paid"
    assert shop.ports.gateway.total_fen() == 2_800


def test_what_one_shopper_is_paying_another_cannot_begin_to_pay(shop: PhoneShop) -> None:
    token = shop.sign_in(ME)
    order = shop.phone_order(token)
    pay(shop, token, order.order_id)
    with pytest.raises(Declined, match="being paid"):
        begin_order_payment(shop.box, order.order_id, openid="openid-b")
    with pytest.raises(Declined, match="being paid"):
        begin_order_payment(shop.box, order.order_id)


@pytest.mark.parametrize("fault", [FakeFault.UNAVAILABLE, FakeFault.LOST])
def test_a_lost_answer_is_asked_for_again_under_the_same_number(shop: PhoneShop, fault: FakeFault) -> None:
    token = shop.sign_in(ME)
    order = shop.phone_order(token)
    shop.phones.fail_next("native", fault)
    assert shop.call("POST", f"/orders/{order.order_id}/pay", token).status_code == 503
    assert look(shop, token, order.order_id)["state"] == "unsure"
    assert shop.pays_inside(pay(shop, token, order.order_id), ME)
    shop.resolve(6_000)
    assert [one.state for one in attempts(shop, order.order_id)] == [AttemptState.APPROVED]
    assert shop.ports.gateway.total_fen() == 2_800


def test_a_lost_answer_that_nobody_asks_for_again_is_closed_and_the_order_can_be_paid(
    shop: PhoneShop,
) -> None:
    token = shop.sign_in(ME)
    order = shop.phone_order(token)
    shop.phones.fail_next("native", FakeFault.LOST)
    assert shop.call("POST", f"/orders/{order.order_id}/pay", token).status_code == 503
    shop.resolve(6_000)
    closed = look(shop, token, order.order_id)
    assert (closed["state"], closed["problem"]) == ("closed", "支付已关闭，未扣款。")
    assert shop.pays_inside(pay(shop, token, order.order_id), ME)
    shop.resolve(6_000)
    assert look(shop, token, order.order_id)["state"] == "paid"


def test_an_order_that_was_never_shown_ends_even_when_the_gateway_cannot_be_asked(shop: PhoneShop) -> None:
    token = shop.sign_in(ME)
    order = shop.phone_order(token)
    shop.phones.fail_next("native", FakeFault.NEVER)
    assert shop.call("POST", f"/orders/{order.order_id}/pay", token).status_code == 503
    shop.ports.gateway.fail_next("query", FakeFault.UNAVAILABLE)
    shop.resolve(6_000)
    assert [one.state for one in attempts(shop, order.order_id)] == [AttemptState.VOIDED]


def test_while_another_call_makes_the_order_a_second_one_waits_for_it(shop: PhoneShop) -> None:
    token = shop.sign_in(ME)
    order = shop.phone_order(token)
    seen: list[Any] = []
    made = shop.phones.jsapi
    shop.phones.jsapi = lambda asked, openid: (  # type: ignore[method-assign]
        seen.append(pay(shop, token, order.order_id)),
        made(asked, openid),
    )[1]
    first = pay(shop, token, order.order_id)
    assert [one["state"] for one in seen] == ["unsure"]
    assert first["state"] == "open"
    assert len(attempts(shop, order.order_id)) == 1


def test_a_payment_that_nobody_makes_is_closed_and_the_phone_may_begin_again(shop: PhoneShop) -> None:
    token = shop.sign_in(ME)
    order = shop.phone_order(token)
    payment = pay(shop, token, order.order_id)
    shop.resolve(301_000)
    assert look(shop, token, order.order_id)["state"] == "closed"
    assert shop.stored_order(order.order_id).state is OrderState.AWAITING
    assert not shop.pays_inside(payment, ME)
    assert shop.pays_inside(pay(shop, token, order.order_id), ME)
    shop.resolve(6_000)
    assert shop.ports.gateway.total_fen() == 2_800


def test_an_order_that_a_phone_has_left_is_cancelled_and_its_basket_is_open_again(shop: PhoneShop) -> None:
    token = shop.sign_in(ME)
    order = shop.phone_order(token)
    pay(shop, token, order.order_id)
    shop.wait(RULES.order_idle_ms)
    assert end_forsaken_orders(shop.box) == 0
    shop.resolve()
    shop.wait(1)
    assert end_forsaken_orders(shop.box) == 1
    assert shop.stored_order(order.order_id).state is OrderState.CANCELLED
    basket = shop.box.store.read(lambda unit: unit.baskets.get(order.basket_id))
    assert basket is not None
    assert basket.state is BasketState.OPEN
    assert shop.session(token).order_id is None
    closed = look(shop, token, order.order_id)
    assert (closed["state"], closed["problem"]) == ("closed", "支付已关闭，未扣款。")
    assert shop.call("POST", f"/orders/{order.order_id}/pay", token).status_code == 409


def test_an_order_of_a_phone_that_is_gone_leaves_its_goods_held(shop: PhoneShop) -> None:
    token = shop.sign_in(ME)
    order = shop.phone_order(token)
    pay(shop, token, order.order_id)
    shop.box.store.write(lambda unit: unit.phones.forget_openid(ME))
    shop.resolve(301_000)
    assert shop.stored_order(order.order_id).state is OrderState.CANCELLED
    basket = shop.box.store.read(lambda unit: unit.baskets.get(order.basket_id))
    assert basket is not None
    assert basket.state is BasketState.HELD


def test_giving_up_closes_at_the_gateway_first(shop: PhoneShop) -> None:
    token = shop.sign_in(ME)
    order = shop.phone_order(token)
    payment = pay(shop, token, order.order_id)
    closed = shop.json("POST", f"/orders/{order.order_id}/cancel", token)
    assert closed["state"] == "closed"
    assert not shop.pays_inside(payment, ME)
    assert shop.stored_order(order.order_id).state is OrderState.CANCELLED


def test_giving_up_what_was_paid_a_moment_ago_shows_it_paid(shop: PhoneShop) -> None:
    token = shop.sign_in(ME)
    order = shop.phone_order(token)
    shop.pays_inside(pay(shop, token, order.order_id), ME)
    assert shop.json("POST", f"/orders/{order.order_id}/cancel", token)["state"] == "paid"


def test_giving_up_waits_while_the_gateway_cannot_be_asked(shop: PhoneShop) -> None:
    token = shop.sign_in(ME)
    order = shop.phone_order(token)
    payment = pay(shop, token, order.order_id)
    shop.phones.fail_next("close", FakeFault.NEVER)
    assert shop.call("POST", f"/orders/{order.order_id}/cancel", token).status_code == 503
    assert shop.stored_order(order.order_id).state is OrderState.AWAITING
    assert look(shop, token, order.order_id)["state"] == "unsure"
    shop.resolve(60_000)
    assert not shop.pays_inside(payment, ME)
    give_up_order(shop.box, order.order_id)
    assert shop.stored_order(order.order_id).state is OrderState.CANCELLED


def test_the_order_on_a_kiosk_is_paid_by_a_phone_and_the_kiosk_shows_it(shop: PhoneShop) -> None:
    order = shop.order_of(COLA)
    attempt = begin_order_payment(shop.box, order.order_id, openid=ME)
    assert shop.screen()["screen"] == "waiting"
    assert shop.phones.pay_inside(params_of(attempt), ME)
    shop.resolve(6_000)
    assert shop.screen()["screen"] == "paid"
    assert KIOSK in shop.drawn


def test_another_way_may_charge_once_the_phones_payment_is_closed(shop: PhoneShop) -> None:
    order = shop.order_of(COLA, place=TILL)
    attempt = begin_order_payment(shop.box, order.order_id, openid=ME)
    assert close_phone_payment(shop.box, order.order_id)
    assert not shop.phones.pay_inside(params_of(attempt), ME)
    take_cash(shop.box, TILL, 350)
    assert shop.stored_order(order.order_id).state is OrderState.PAID
    assert close_phone_payment(shop.box, order.order_id)


def test_what_was_paid_in_part_or_is_over_is_not_begun(shop: PhoneShop) -> None:
    order = shop.order_of(COLA, place=TILL)
    take_cash(shop.box, TILL, 100)
    with pytest.raises(Declined, match="in part"):
        begin_order_payment(shop.box, order.order_id)
    take_cash(shop.box, TILL, 250)
    with pytest.raises(Declined, match="paid"):
        begin_order_payment(shop.box, order.order_id)
    with pytest.raises(Invalid, match="no order"):
        begin_order_payment(shop.box, "o-none")
    with pytest.raises(Declined, match="cannot pay here"):
        begin_order_payment(shop.box, order.order_id, "alipay")


def test_a_stay_is_paid_in_the_wallet(shop: PhoneShop) -> None:
    stay = shop.come()
    attempt = begin_phone_payment(shop.box, stay, openid=ME)
    assert begin_phone_payment(shop.box, stay, openid=ME).attempt_id == attempt.attempt_id
    assert shop.phones.pay_inside(params_of(attempt), ME)
    shop.resolve(6_000)
    assert [one.amount_fen for one in shop.settled(stay)] == [1_000]


def test_a_payment_code_at_the_exit_closes_what_the_wallet_has_not_paid(shop: PhoneShop) -> None:
    stay = shop.come()
    attempt = begin_phone_payment(shop.box, stay, openid=ME)
    charge_stay(shop.box, stay, EXIT)
    assert shop.scan(shop.code(), EXIT).outcome == "phone_closing"
    shop.resolve()
    assert shop.pay(shop.code(), EXIT) is AttemptState.APPROVED
    assert not shop.phones.pay_inside(params_of(attempt), ME)
    assert shop.ports.gateway.total_fen() == 1_000


def test_whose_wallet_paid_is_kept_with_the_payment(shop: PhoneShop) -> None:
    token = shop.sign_in(ME)
    order_id = paid_order(shop, token)
    assert [one.payer for one in attempts(shop, order_id)] == [ME]
    (attempt,) = attempts(shop, order_id)
    trail = shop.box.store.read(lambda unit: unit.attempts.trail(attempt.attempt_id))
    assert not any("another wallet" in one.detail for one in trail)


def test_a_payment_by_another_wallet_than_the_one_that_asked_is_booked_and_noted(shop: PhoneShop) -> None:
    order = shop.phone_order(shop.sign_in(ME))
    attempt = begin_order_payment(shop.box, order.order_id, openid=ME)
    answer = GatewayAnswer(PaymentState.APPROVED, "420", attempt.amount_fen, "openid-b", detail="SUCCESS")
    assert settle(shop.box, attempt.attempt_id, answer) is AttemptState.APPROVED
    (paid,) = attempts(shop, order.order_id)
    assert paid.payer == "openid-b"
    trail = shop.box.store.read(lambda unit: unit.attempts.trail(attempt.attempt_id))
    assert [one.detail for one in trail] == ["paid by another wallet than the one that asked"]


def test_goods_that_were_handed_over_are_told_until_wechat_has_taken_it(shop: PhoneShop) -> None:
    order_id = paid_order(shop, shop.sign_in(ME))
    shop.program.fail_next(Unavailable("no answer"))
    order, now = shop.stored_order(order_id), shop.ports.clock.now()
    assert shop.box.store.write(lambda unit: queue_hand_over(unit, shop.box, order, "again", now)) == 0
    assert tell_notices(shop.box) == 0
    shop.wait(14_000)
    assert tell_notices(shop.box) == 0
    shop.wait(1_000)
    assert tell_notices(shop.box) == 1
    transaction = attempts(shop, order_id)[0].transaction_id
    told = shop.program.hand_overs[transaction or ""]
    assert (told.openid, told.description, told.carried) == (ME, "咖啡", True)
    assert tell_notices(shop.box) == 0


def test_a_hand_over_under_a_clock_far_ahead_is_told_once_it_is_right(shop: PhoneShop) -> None:
    shop.ports.clock.set_wall(30 * 86_400_000)
    paid_order(shop, shop.sign_in(ME))
    shop.ports.clock.set_wall(-30 * 86_400_000)
    assert tell_notices(shop.box) == 1
    assert len(shop.program.hand_overs) == 1


def test_what_is_in_the_shoppers_hands_is_told_when_it_is_paid_and_parking_is_carried_by_nobody(
    shop: PhoneShop,
) -> None:
    attempt = begin_phone_payment(shop.box, shop.come(), openid=ME)
    shop.phones.pay_inside(params_of(attempt), ME)
    shop.resolve(6_000)
    order = shop.order_of(COLA)
    shop.phones.pay_inside(params_of(begin_order_payment(shop.box, order.order_id, openid=ME)), ME)
    shop.resolve(6_000)
    assert tell_notices(shop.box) == 2
    assert sorted((one.carried, one.description) for one in shop.program.hand_overs.values()) == [
        (False, shop.stored_order(attempt.order_id).lines[0].name),
        (True, "可乐"),
    ]


def test_a_hand_over_that_cannot_be_told_for_long_is_shown_to_a_person_until_it_is(shop: PhoneShop) -> None:
    paid_order(shop, shop.sign_in(ME))
    shop.wait(LONG_MS)
    shop.program.fail_next(Unavailable("no answer"))
    tell_notices(shop.box)
    assert work(shop) == [WorkKind.HAND_OVER_UNTOLD]
    shop.wait(3_600_000)
    assert tell_notices(shop.box) == 1
    assert work(shop) == []


def test_a_hand_over_that_wechat_will_never_take_is_shown_to_a_person_at_once(shop: PhoneShop) -> None:
    paid_order(shop, shop.sign_in(ME))
    shop.program.fail_next(NoticeRefused("10060031", detail="10060031"))
    tell_notices(shop.box)
    assert work(shop) == [WorkKind.HAND_OVER_UNTOLD]
    (undone,) = shop.box.store.read(lambda unit: unit.phone_notices.undone(9))
    assert (undone.refused, undone.why) == (True, "10060031")
    shop.wait(3_600_000)
    assert tell_notices(shop.box) == 0


def test_a_hand_over_of_what_was_given_back_needs_nobody(shop: PhoneShop) -> None:
    order_id = paid_order(shop, shop.sign_in(ME))
    ask = RefundAsk("refund-1", order_id, TILL, "changed mind")
    refund_order(shop.box, ask, "anna", StaffMember("anna", "supervisor", ""))
    shop.program.fail_next(NoticeRefused("10060004", detail="10060004"))
    tell_notices(shop.box)
    assert work(shop) == []


def test_a_shopper_who_wants_a_message_gets_one_after_payment(shop: PhoneShop) -> None:
    fields = (("character_string1", "number"), ("amount2", "amount"), ("thing3", "shop"))
    shop.set_phones(replace(RULES, paid_template="tmpl-paid", paid_fields=fields))
    token = shop.sign_in(ME)
    order = shop.phone_order(token)
    shop.program.accepts(ME, "tmpl-paid")
    given = {"order_id": order.order_id, "templates": {"tmpl-paid": "accept", "tmpl-x": "reject"}}
    assert shop.call("POST", "/subscribe", token, given).status_code == 204
    shop.pays_inside(pay(shop, token, order.order_id), ME)
    shop.resolve(6_000)
    assert tell_notices(shop.box) == 2
    assert tell_notices(shop.box) == 0
    (message,) = shop.program.messages
    receipt = shop.box.store.read(lambda unit: unit.receipts.of_order(order.order_id))
    assert receipt is not None
    assert message.page == f"pages/paid/paid?receipt={receipt.token}"
    assert dict(message.fields) == {
        "character_string1": order.number,
        "amount2": "28.00元",
        "thing3": "智慧商场",
    }


def test_a_message_that_nobody_wants_any_more_is_not_sent(shop: PhoneShop) -> None:
    order_id = paid_order(shop, shop.sign_in(ME))
    assert tell_notices(shop.box) == 1
    order, now = shop.stored_order(order_id), shop.ports.clock.now()
    asked = (shop.box, order, ME, "tmpl", "pages/paid/paid", {"thing1": "x"}, now)
    assert shop.box.store.write(lambda unit: queue_message(unit, *asked))
    assert not shop.box.store.write(lambda unit: queue_message(unit, *asked))
    shop.program.accepts(ME, "tmpl")
    shop.wait(MESSAGE_LIFE_MS + 1)
    assert tell_notices(shop.box) == 0
    assert shop.program.messages == []
    assert work(shop) == []


@pytest.mark.parametrize("templates", [None, [], {str(n): "accept" for n in range(6)}])
def test_wishes_that_are_none_are_refused(shop: PhoneShop, templates: object) -> None:
    token = shop.sign_in(ME)
    order = shop.phone_order(token)
    answer = shop.call("POST", "/subscribe", token, {"order_id": order.order_id, "templates": templates})
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid")


def test_nobody_is_sent_messages_without_being_known(shop: PhoneShop) -> None:
    token = shop.open_phone()
    order = shop.phone_order(token)
    want_messages(shop.box, order.order_id, "", ("tmpl",))
    assert shop.box.store.read(lambda unit: unit.phones.accepted(order.order_id)) == ()


def test_money_for_an_order_that_is_over_goes_back(shop: PhoneShop) -> None:
    token = shop.sign_in(ME)
    order = shop.phone_order(token)
    payment = pay(shop, token, order.order_id)
    now = shop.ports.clock.now()
    shop.box.store.write(lambda unit: cancel_phone_order(unit, shop.box, order, now))
    shop.pays_inside(payment, ME)
    with pytest.raises(Corrupt, match="goes back"):
        shop.resolve(6_000)
    assert shop.ports.gateway.total_fen() == 0
    assert look(shop, token, order.order_id)["problem"] == "款项已原路退回。"


def test_noting_a_paid_order_twice_queues_nothing_twice(shop: PhoneShop) -> None:
    order = shop.order_of(COLA)
    shop.phones.pay_inside(params_of(begin_order_payment(shop.box, order.order_id, openid=ME)), ME)
    shop.resolve(6_000)
    now = shop.ports.clock.now()
    shop.box.store.write(lambda unit: note_paid(unit, shop.box, shop.stored_order(order.order_id), now))
    assert tell_notices(shop.box) == 1


def work(shop: PhoneShop) -> list[WorkKind]:
    return [one.kind for one in shop.box.store.read(lambda unit: unit.work_items.open(9))]


def params_of(attempt: PaymentAttempt) -> dict[str, str]:
    """Return the parameters that the wallet is called with."""
    found: dict[str, str] = json.loads(attempt.pay_url)
    return found


def test_while_wechat_takes_its_time_only_so_many_notices_are_begun_in_one_go(shop: PhoneShop) -> None:
    for _ in range(3):
        order = shop.order_of(COLA)
        shop.phones.pay_inside(params_of(begin_order_payment(shop.box, order.order_id, openid=ME)), ME)
        shop.resolve(6_000)
        leave(shop.box, KIOSK)
    tell = shop.program.tell_hand_over

    def slowly(*said: object, **named: object) -> None:
        shop.wait(20_000)
        tell(*said, **named)  # type: ignore[arg-type]

    shop.program.tell_hand_over = slowly  # type: ignore[method-assign,assignment]
    assert tell_notices(shop.box) == 2
    assert tell_notices(shop.box) == 1
