"""A browser pays an order by a code; the page tells how it stands and leads to the receipt."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Response
from flask.testing import FlaskClient

from edge.retail.order import Order, OrderState
from edge.services.pay_by_phone import begin_order_payment
from edge.web.desk import WebSettings
from edge.web.phone import pay
from edge.web.phone.page import PhonePages
from sim.fakes.gateway import FakeFault
from tests.unit.phone_shop import RULES, PhoneShop

OURS = {"Origin": "http://localhost"}


@pytest.fixture
def shop() -> PhoneShop:
    shop = PhoneShop()
    shop.app.register_blueprint(pay.blueprint(shop.box, WebSettings()))
    return shop


@pytest.fixture
def client(shop: PhoneShop) -> FlaskClient:
    return shop.app.test_client()


@pytest.fixture
def order(shop: PhoneShop, client: FlaskClient) -> Order:
    token = shop.open_phone()
    client.set_cookie("phone", token, path="/phone")
    return shop.phone_order(token)


def test_the_page_begins_shows_the_code_and_leads_to_the_receipt(
    shop: PhoneShop, client: FlaskClient, order: Order
) -> None:
    address = f"/phone/pay/{order.order_id}?language=en&c=way-00000001"
    page = client.get(address)
    assert "Waiting to be paid" in page.text
    assert "refresh" not in page.text
    begun = client.post(address, headers=OURS)
    assert begun.status_code == 303
    assert begun.headers["Location"] == address
    page = client.get(address)
    assert 'http-equiv="refresh"' in page.text
    assert "weixin://" in page.text
    code = f"/phone/pay/{order.order_id}/code.svg"
    assert client.get(code).mimetype == "image/svg+xml"
    payment = shop.box.store.read(lambda unit: unit.attempts.of_order(order.order_id))[0]
    assert shop.phones.pay(payment.pay_url)
    shop.resolve(6_000)
    receipt = shop.box.store.read(lambda unit: unit.receipts.of_order(order.order_id))
    assert receipt is not None
    paid = client.get(address)
    assert paid.headers["Location"] == f"/phone/r/{receipt.token}?language=en&c=way-00000001"
    assert client.get(code).status_code == 404


def test_the_page_speaks_both_languages_and_leads_to_the_other(client: FlaskClient, order: Order) -> None:
    zh = client.get(f"/phone/pay/{order.order_id}?c=way-00000001", headers={"Accept-Language": "zh"})
    assert "等待付款" in zh.text
    assert f'href="/phone/pay/{order.order_id}?c=way-00000001&amp;language=en"' in zh.text


def test_another_phone_does_not_see_the_order(shop: PhoneShop, order: Order) -> None:
    stranger = shop.app.test_client()
    address = f"/phone/pay/{order.order_id}"
    assert stranger.get(address).status_code == 404
    stranger.set_cookie("phone", shop.open_phone(), path="/phone")
    assert stranger.get(address).status_code == 404
    assert stranger.post(address, headers=OURS).status_code == 404
    assert stranger.get(f"{address}/code.svg").status_code == 404


def test_another_site_cannot_have_it_paid_or_given_up(client: FlaskClient, order: Order) -> None:
    for path in (f"/phone/pay/{order.order_id}", f"/phone/pay/{order.order_id}/cancel"):
        assert client.post(path, headers={"Origin": "https://evil.example"}).status_code == 403


def test_given_up_is_over(shop: PhoneShop, client: FlaskClient, order: Order) -> None:
    address = f"/phone/pay/{order.order_id}?language=en"
    client.post(address, headers=OURS)
    assert client.post(address.replace("?", "/cancel?"), headers=OURS).status_code == 303
    assert shop.stored_order(order.order_id).state is OrderState.CANCELLED
    page = client.get(address).text
    assert "Nothing was charged" in page
    assert "<form" not in page


def test_while_the_gateway_cannot_be_reached_the_page_says_so_and_may_be_asked_again(
    shop: PhoneShop, client: FlaskClient, order: Order
) -> None:
    address = f"/phone/pay/{order.order_id}?language=en"
    shop.phones.fail_next("native", FakeFault.UNAVAILABLE)
    page = client.post(address, headers=OURS)
    assert page.status_code == 503
    assert "Not reachable right now" in page.text
    shop.resolve(6_000)
    assert client.post(address, headers=OURS).status_code == 303


def test_what_is_paid_in_the_mini_program_is_not_offered_as_a_code(
    shop: PhoneShop, client: FlaskClient, order: Order
) -> None:
    begin_order_payment(shop.box, order.order_id, openid="openid-a")
    page = client.get(f"/phone/pay/{order.order_id}?language=en").text
    assert "in the mini-program" in page
    assert "code.svg" not in page
    assert client.post(f"/phone/pay/{order.order_id}?language=en", headers=OURS).status_code == 409


def test_a_page_for_too_many_new_phones_says_so_and_when_to_come_back() -> None:
    shop = PhoneShop()
    shop.set_phones(replace(RULES, opens_per_minute=1))
    pages = PhonePages(shop.box, WebSettings())
    shop.app.add_url_rule("/phone/opens", view_func=lambda: pages.keep(Response(pages.open().session_id)))
    first = shop.app.test_client().get("/phone/opens")
    assert first.status_code == 200
    assert "HttpOnly" in first.headers["Set-Cookie"]
    assert "Path=/phone" in first.headers["Set-Cookie"]
    again = shop.app.test_client().get("/phone/opens?language=en")
    assert again.status_code == 429
    assert int(again.headers["Retry-After"]) > 0
    assert "Too often" in again.text
