"""The calls of phones for scan and go, kiosks' baskets and the way out, over real Flask."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from edge.services.pass_exit import check_exit
from edge.services.picture_ports import MAX_PICTURE_BYTES
from edge.web.desk import WebSettings
from edge.web.guard import install_guard
from edge.web.phone.api import blueprint
from edge.web.phone.cart_limit import PICTURES, TAPS
from edge.web.problems import install_problems
from sim.fakes.box import BREAD, COLA, KIOSK, WINE
from sim.fakes.pictures import picture
from tests.unit.cart_shop import ALL, DOOR, CartShop


@dataclass
class ApiShop(CartShop):
    """A CartShop whose phones ask over HTTP."""

    def __post_init__(self) -> None:
        CartShop.__post_init__(self)
        settings = WebSettings()
        self.app = Flask("edge.web")
        self.app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
        install_guard(self.app, settings)
        install_problems(self.app)
        self.app.register_blueprint(blueprint(self.box, settings))
        self.taps = 0

    def open(self) -> str:
        """Return the token of a new phone."""
        return str(self.ask("POST", "/session", body={})["token"])

    def call(
        self, method: str, path: str, token: str = "", body: Any = None, language: str = "zh", **more: Any
    ) -> TestResponse:
        headers = {"Accept-Language": language}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        client = self.app.test_client()
        return client.open(f"/phone/api/v1{path}", method=method, json=body, headers=headers, **more)

    def ask(self, method: str, path: str, token: str = "", body: Any = None, **more: Any) -> Any:
        answer = self.call(method, path, token, body, **more)
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def scan_by(self, token: str, code: str, **more: Any) -> Any:
        self.taps += 1
        return self.ask("POST", "/cart/scan", token, {"code": code, "key": f"tap-{self.taps:08d}"}, **more)


def test_a_cart_is_filled_changed_and_paid_and_its_code_lets_it_out_once() -> None:
    shop = ApiShop()
    token = shop.open()
    assert shop.ask("GET", "/cart", token) == {
        "lines": [],
        "count": 0,
        "total_fen": 0,
        "order_id": None,
        "age_needed": 0,
        "notice": None,
    }
    shop.scan_by(token, COLA)
    cart = shop.scan_by(token, BREAD, language="en")
    assert [(line["name"], line["amount_fen"], line["by_piece"]) for line in cart["lines"]] == [
        ("Cola", 350, True),
        ("Bread", 800, True),
    ]
    line = cart["lines"][0]["line_id"]
    cart = shop.ask("POST", f"/cart/lines/{line}", token, {"quantity": 3, "key": "tap-change-1"})
    assert (cart["count"], cart["total_fen"]) == (4, 1_850)
    payment = shop.ask("POST", "/cart/pay", token)
    assert (payment["state"], payment["way"], payment["amount_fen"]) == ("open", "native", 1_850)
    assert shop.ask("GET", "/cart", token)["order_id"] == payment["order_id"]
    unpaid = shop.ask("GET", f"/exit/{payment['order_id']}", token)
    assert (unpaid["code"], unpaid["verdict"]) == (None, "unpaid")
    assert shop.phones.pay(payment["code_url"])
    shop.resolve(10_000)
    assert shop.ask("GET", f"/orders/{payment['order_id']}", token)["state"] == "paid"
    way_out = shop.ask("GET", f"/exit/{payment['order_id']}", token)
    assert (way_out["state"], way_out["count"], way_out["total_fen"]) == ("unused", 4, 1_850)
    check_exit(shop.box, way_out["code"], DOOR)
    passed = shop.ask("GET", f"/exit/{payment['order_id']}", token)
    assert (passed["state"], passed["code"]) == ("passed", None)


def test_notices_speak_the_phones_language_and_name_the_goods() -> None:
    shop = ApiShop()
    token = shop.open()
    zh, en = (shop.scan_by(token, WINE, language=one)["notice"] for one in ("zh", "en"))
    assert zh["code"] == en["code"] == "age"
    assert "红酒" in zh["text"]
    assert "Wine has an age limit" in en["text"]


def test_the_same_tap_sent_again_adds_once() -> None:
    shop = ApiShop()
    token = shop.open()
    for _ in range(3):
        cart = shop.ask("POST", "/cart/scan", token, {"code": COLA, "key": "tap-00000001"})
    assert cart["count"] == 1


@pytest.mark.parametrize(
    "body", [{}, {"code": COLA}, {"code": COLA, "key": "short"}, {"code": "9" * 300, "key": "tap-00000001"}]
)
def test_a_scan_without_code_or_key_is_refused(body: dict[str, str]) -> None:
    shop = ApiShop()
    answer = shop.call("POST", "/cart/scan", shop.open(), body)
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid")


def test_a_picture_of_48_kib_is_read_and_a_larger_one_refused() -> None:
    shop = ApiShop()
    token = shop.open()
    shot = picture(COLA) + b"\n" * (MAX_PICTURE_BYTES - len(picture(COLA)))
    sent: dict[str, Any] = {"data": shot, "content_type": "image/jpeg"}
    cart = shop.ask("POST", "/cart/photo?key=tap-00000001", token, **sent)
    assert cart["count"] == 1
    assert shop.ask("POST", "/cart/photo?key=tap-00000001", token, **sent)["count"] == 1
    large = shop.call("POST", "/cart/photo?key=tap-2222222", token, data=shot + b"\n")
    assert (large.status_code, large.get_json()["error"]) == (400, "invalid")
    bad = shop.ask("POST", "/cart/photo?key=tap-00000003", token, data=b"GIF89a")
    assert bad["notice"]["code"] == "bad_picture"
    shop.pictures.busy = True
    assert shop.call("POST", "/cart/photo?key=tap-00000004", token, **sent).status_code == 503


def test_who_tries_codes_out_is_held_back_and_others_are_not() -> None:
    shop = ApiShop()
    token, other = shop.open(), shop.open()
    for _ in range(TAPS.most):
        shop.scan_by(token, "nonsense")
    held = shop.call("POST", "/cart/scan", token, {"code": COLA, "key": "tap-late-0001"})
    assert (held.status_code, held.get_json()["error"]) == (429, "too_often")
    assert int(held.headers["Retry-After"]) >= 1
    assert shop.scan_by(other, COLA)["count"] == 1
    shop.wait(61_000)
    assert shop.scan_by(token, COLA)["count"] == 1


def test_pictures_are_held_back_sooner_than_taps() -> None:
    shop = ApiShop()
    token = shop.open()
    answers = [
        shop.call("POST", f"/cart/photo?key=tap-{number:08d}", token, data=picture()).status_code
        for number in range(PICTURES.most + 1)
    ]
    assert answers == [200] * PICTURES.most + [429]


def test_going_back_frees_the_cart() -> None:
    shop = ApiShop()
    token = shop.open()
    shop.scan_by(token, COLA)
    payment = shop.ask("POST", "/cart/pay", token)
    assert shop.scan_by(token, BREAD)["notice"]["code"] == "paying"
    cart = shop.ask("POST", "/cart/back", token)
    assert (cart["order_id"], cart["count"]) == (None, 1)
    assert shop.ask("GET", f"/orders/{payment['order_id']}", token)["state"] == "closed"


def test_a_kiosks_basket_is_seen_taken_and_given_back() -> None:
    shop = ApiShop()
    shop.scan_apart(COLA, BREAD)
    token, code = shop.open(), shop.token()
    seen = shop.ask("GET", f"/k/{code}", token)
    assert (seen["workstation"], seen["state"], seen["total_fen"]) == (KIOSK, "basket", 1_150)
    assert seen["order_id"] is None
    cart = shop.ask("POST", f"/k/{code}/take", token)
    assert cart["count"] == 2
    assert shop.ask("POST", f"/k/{code}/take", token)["count"] == 2
    assert shop.ask("GET", f"/k/{code}", token)["state"] == "gone"
    given = shop.ask("POST", "/cart/give", token)
    assert shop.scan(given["code"]).outcome == "cart_taken"
    empty = shop.ask("GET", "/cart", token)
    assert empty["notice"]["code"] == "handed_over"
    assert KIOSK in empty["notice"]["text"]


def test_a_kiosks_basket_is_paid_where_it_stands_and_the_phone_is_told_when_somebody_was_faster() -> None:
    shop = ApiShop()
    shop.scan_apart(COLA)
    token, other, code = shop.open(), shop.open(), shop.token()
    payment = shop.ask("POST", f"/k/{code}/pay", token)
    assert payment["state"] == "open"
    assert shop.ask("POST", f"/k/{code}/pay", other)["code_url"] == payment["code_url"]
    shop.scan(wallet := shop.code())
    shop.resolve(1_000)
    shop.pay(wallet)
    assert shop.ask("GET", f"/orders/{payment['order_id']}", token)["state"] == "paid"
    seen = shop.ask("GET", f"/k/{code}", token)
    assert (seen["state"], seen["elsewhere"]) == ("paid", True)


def test_nobody_sees_another_phones_way_out() -> None:
    shop = ApiShop()
    token, other = shop.open(), shop.open()
    shop.scan_by(token, COLA)
    payment = shop.ask("POST", "/cart/pay", token)
    stranger = shop.call("GET", f"/exit/{payment['order_id']}", other)
    assert (stranger.status_code, stranger.get_json()["error"]) == (403, "not_yours")
    assert shop.call("GET", "/exit/nothing", token).status_code == 404
    assert shop.call("GET", "/cart").status_code == 401


def test_the_phone_is_not_told_that_its_bag_will_be_looked_into() -> None:
    shop = ApiShop(go=replace(ALL, recheck_permille=1_000))
    token = shop.open()
    shop.scan_by(token, COLA)
    payment = shop.ask("POST", "/cart/pay", token)
    shop.pays(shop.stored_order(payment["order_id"]))
    way_out = shop.ask("GET", f"/exit/{payment['order_id']}", token)
    assert (way_out["state"], way_out["verdict"]) == ("unused", "pass")
    check_exit(shop.box, way_out["code"], DOOR)
    seen = shop.ask("GET", f"/exit/{payment['order_id']}", token)
    assert (seen["state"], seen["verdict"]) == ("recheck", "recheck")


def test_where_nothing_is_sold_so_it_is_declined() -> None:
    shop = ApiShop(go=replace(ALL, tenants=frozenset()))
    answer = shop.call("POST", "/cart/scan", shop.open(), {"code": COLA, "key": "tap-00000001"})
    assert (answer.status_code, answer.get_json()["error"]) == (409, "declined")
