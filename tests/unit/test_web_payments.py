"""The desk for payments in doubt and the bills' page, as staff use them."""

from __future__ import annotations

from datetime import date

import pytest
from flask.testing import FlaskClient

from edge.retail.attempt import AttemptState
from edge.services.reconcile import open_differences
from edge.services.reset_idle import reset_idle
from edge.web.desk import WebSettings
from edge.web.factory import create_web
from edge.web.staff.pages import box_pages
from sim.fakes.box import COLA
from sim.fakes.gateway import FakeFault
from tests.browser.desk_fake import PIN, DeskFake
from tests.unit.shop import Shop
from tests.unit.staff_client import OURS, PERSON, staff_client
from tests.unit.test_reconcile import DAY, compare, paid, row


@pytest.fixture
def shop() -> Shop:
    return Shop()


def waiting(shop: Shop) -> str:
    """Have a shopper type a password; return the attempt's id."""
    order = shop.order_of(COLA)
    assert shop.pay(shop.code(asks=True)) is AttemptState.SUBMITTED
    return shop.attempts(order.order_id)[0].attempt_id


def text_of(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_a_payment_on_its_way_is_shown_with_what_comes_next_and_what_may_be_done(shop: Shop) -> None:
    attempt_id = waiting(shop)
    client = staff_client(shop.box)
    page = text_of(client, "/staff/payments")
    assert "waits for the shopper" in page
    assert "the gateway is asked" in page
    assert "Ask the gateway now" in page
    answer = client.post(f"/staff/payments/{attempt_id}", data={"choice": "ask-now"}, headers=OURS)
    assert answer.status_code == 303
    assert f"{PERSON}: ask now" in text_of(client, "/staff/payments")


def test_money_is_given_back_with_a_reason_and_not_without(shop: Shop) -> None:
    attempt_id = waiting(shop)
    client = staff_client(shop.box)
    form = {"choice": "give-back", "reason": " "}
    refused = client.post(f"/staff/payments/{attempt_id}", data=form, headers=OURS)
    assert refused.status_code == 400
    assert "with a reason" in refused.get_data(as_text=True)
    form["reason"] = "paid in cash"
    assert client.post(f"/staff/payments/{attempt_id}", data=form, headers=OURS).status_code == 303
    shop.resolve()
    shop.resolve(shop.rules.reverse_age_ms)
    page = text_of(client, "/staff/payments")
    assert "No payment is on its way." in page
    assert f"{PERSON}: give back, paid in cash" in page


def test_a_choice_that_is_none_and_a_payment_that_is_over_are_refused_in_words(shop: Shop) -> None:
    attempt_id = waiting(shop)
    client = staff_client(shop.box)
    answer = client.post(f"/staff/payments/{attempt_id}", data={"choice": "mark_paid"}, headers=OURS)
    assert (answer.status_code, "is no choice" in answer.get_data(as_text=True)) == (400, True)
    answer = client.post("/staff/payments/nobody", data={"choice": "ask-now"}, headers=OURS)
    assert (answer.status_code, "no payment attempt nobody" in answer.get_data(as_text=True)) == (400, True)


def test_another_page_cannot_give_money_back_in_a_persons_name(shop: Shop) -> None:
    attempt_id = waiting(shop)
    client = staff_client(shop.box)
    form = {"choice": "give-back", "reason": "forged"}
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert client.post(f"/staff/payments/{attempt_id}", data=form, headers=foreign).status_code == 403
    assert shop.box.store.read(lambda unit: unit.attempts.trail(attempt_id)) == ()


def test_work_is_listed_until_somebody_closes_it_with_a_reason(shop: Shop) -> None:
    shop.order_of(COLA)
    shop.ports.gateway.fail_next("pay", FakeFault.LOST)
    shop.pay(shop.code())
    order = shop.order()
    shop.ports.gateway.fail_next("query", FakeFault.UNAVAILABLE)
    shop.wait(shop.rules.idle_ms)
    assert reset_idle(shop.box, order.workstation)
    shop.resolve()
    shop.resolve(60_000)
    client = staff_client(shop.box)
    page = text_of(client, "/staff/payments")
    assert "Paid after the shopper had left" in page
    assert f"Order {order.number}" in page
    item = shop.box.store.read(lambda unit: unit.work_items.open(9))[0]
    form = {"reason": "handed over", "back": "payments"}
    assert client.post(f"/staff/items/{item.item_id}/close", data=form, headers=OURS).status_code == 303
    page = text_of(client, "/staff/payments")
    assert "Nothing about money waits for a person." in page
    assert f"{PERSON}: handed over" in page


def test_the_bills_page_shows_days_and_differences_to_close(shop: Shop) -> None:
    attempt = paid(shop)
    compare(shop, row(attempt, amount_fen=351))
    client = staff_client(shop.box)
    page = text_of(client, f"/staff/bills?day={DAY}")
    assert "The amounts differ" in page
    assert "gateway ¥3.51, books ¥3.50" in page
    item = shop.box.store.read(lambda unit: unit.work_items.open(9))[0]
    form = {"reason": "the gateway rounds", "back": "bills", "day": str(DAY)}
    answer = client.post(f"/staff/items/{item.item_id}/close", data=form, headers=OURS)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/staff/bills?day={DAY}")
    assert open_differences(shop.box) == 0
    assert "No difference is open." in text_of(client, "/staff/bills")


def test_a_person_has_a_day_compared_again(shop: Shop) -> None:
    asked: list[date] = []
    settings = WebSettings()
    client = create_web(
        DeskFake(), settings, box_pages(shop.box, settings, compare_bills=asked.append)
    ).test_client()
    assert client.post("/staff/login", data={"pin": PIN}, headers=OURS).status_code == 303
    assert client.post("/staff/bills", data={"day": "2026-11-21"}, headers=OURS).status_code == 200
    assert asked == [DAY]
    assert client.post("/staff/bills", data={"day": "yesterday"}, headers=OURS).status_code == 400
