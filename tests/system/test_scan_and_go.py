"""Scan and go, a kiosk's basket and the way out in a whole mall: service, scanner, wallet, relay and HQ."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest

from sim.mall import Mall, MallSettings
from sim.mall_config import DEMO_PIN
from tests.system.books import leaks
from tests.system.mall_process import Person, audit, code_of, eventually, open_mall
from tests.unit.barcode_pictures import drawn

pytestmark = pytest.mark.broker

EGG_TART, CROISSANT, TEA = "BK-001", "BK-005", "MK-002"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scan-and-go")


@pytest.fixture(scope="module")
def mall(folder: Path) -> Iterator[Mall]:
    rules = "poll_ms = 200\npaid_idle_ms = 600000"
    with open_mall(folder, MallSettings(folder, rules=rules)) as running:
        yield running


@dataclass
class Phone:
    """A phone that asks through HQ's public host, as one in the street does."""

    mall: Mall
    taps: int = 0
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=f"{self.mall.public_url}/phone/api/v1", trust_env=False, timeout=15)
        token = self.ask("POST", "/session", json={})["token"]
        self.http.headers["Authorization"] = f"Bearer {token}"

    def ask(self, method: str, path: str, **more: Any) -> Any:
        answer = self.http.request(method, path, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def key(self) -> str:
        self.taps += 1
        return f"tap-{self.taps:08d}"

    def scans(self, sku: str) -> Any:
        return self.ask("POST", "/cart/scan", json={"code": code_of(sku), "key": self.key()})

    def wallet_pays(self, code_url: str) -> None:
        """Open the code with a wallet, and pay."""
        wallet = self.mall.gateway.books.add_wallet("访客", 500_000, 500_000).wallet_id
        address = f"{self.mall.gateway.url}/sim/wallets/{wallet}/scan"
        answer = httpx.post(address, json={"code_url": code_url, "action": "types"}, trust_env=False)
        assert answer.json().get("state") == "paid", answer.text

    def paid(self, order_id: str) -> Any:
        def look() -> Any:
            found = self.ask("GET", f"/orders/{order_id}")
            return found if found["state"] == "paid" else None

        return eventually(look, "the payment")


@pytest.fixture
def phone(mall: Mall) -> Iterator[Phone]:
    held = Phone(mall)
    yield held
    held.http.close()


def guard_does(mall: Mall, what: str, **fields: str) -> str:
    """Have a guard send a form of the exit's page; return the page that is shown then."""
    origin = {"Origin": mall.url}
    with httpx.Client(base_url=mall.url, trust_env=False, headers=origin, follow_redirects=True) as page:
        assert page.post("/staff/login", data={"pin": DEMO_PIN}).status_code == 200
        shown = page.post(f"/staff/exit/E01/{what}", data=fields)
        assert shown.status_code == 200, shown.text
        return shown.text


def guard_lets_out(mall: Mall, code: str, order_id: str) -> str:
    """Have a guard scan a code, and look into the bag if it was chosen; return the first word."""
    page = guard_does(mall, "check", code=code)
    first = word_of(page)
    if first == "recheck":
        goods = dict(re.findall(r'name="(all:[^"]+)" value="(\d+)"', page))
        assert word_of(guard_does(mall, "outcome", order=order_id, **goods)) == "done"
    return first


def word_of(page: str) -> str:
    """Return the large word's kind."""
    return page.partition('data-verdict="')[2].partition('"')[0]


def test_a_shopper_scans_pays_and_passes_the_guard_once_and_hq_knows(
    mall: Mall, phone: Phone, folder: Path
) -> None:
    phone.scans(EGG_TART)
    cart = phone.scans(TEA)
    assert cart["count"] == 2
    payment = phone.ask("POST", "/cart/pay")
    assert phone.ask("GET", f"/exit/{payment['order_id']}")["verdict"] == "unpaid"
    phone.wallet_pays(payment["code_url"])
    phone.paid(payment["order_id"])
    way_out = phone.ask("GET", f"/exit/{payment['order_id']}")
    first = guard_lets_out(mall, way_out["code"], payment["order_id"])
    assert first in ("pass", "recheck")
    assert phone.ask("GET", f"/exit/{payment['order_id']}")["state"] == "passed"

    def shown_again() -> str | None:
        # A scanner that reads twice in a moment is one look.
        word = word_of(guard_does(mall, "check", code=way_out["code"]))
        return None if word == "pass" else word

    assert eventually(shown_again, "the second bag's answer") == "used"
    _, hq = audit(mall, folder)
    assert hq.kinds["exit.checked"] >= 1
    assert leaks(folder) == []


def test_a_picture_comes_through_hqs_relay(phone: Phone) -> None:
    wall = np.full((900, 1100), 210, np.uint8)
    bars = drawn("EAN-13", scale=5, text=code_of(TEA))
    wall[100 : 100 + bars.shape[0], 100 : 100 + bars.shape[1]] = bars
    jpeg = bytes(cv2.imencode(".jpg", wall, [cv2.IMWRITE_JPEG_QUALITY, 80])[1])
    assert len(jpeg) > 16_384
    headers = {"Content-Type": "image/jpeg"}
    cart = phone.ask("POST", f"/cart/photo?key={phone.key()}", content=jpeg, headers=headers)
    assert (cart["count"], cart["notice"]) == (1, None)


def test_a_kiosks_basket_goes_to_the_phone_and_back_by_the_scanner_and_is_paid_there_by_the_phone(
    mall: Mall, phone: Phone, folder: Path
) -> None:
    shopper = Person(mall)
    shopper.scan(code_of(EGG_TART))
    code = shopper.sees_that(lambda view: view["phone"] is not None, "the code")["phone"]
    assert isinstance(code, dict)
    assert code["url"].startswith(mall.public_url)
    assert phone.ask("GET", f"/k/{code['token']}")["state"] == "basket"
    assert phone.ask("POST", f"/k/{code['token']}/take")["count"] == 1
    shopper.sees("attract")
    phone.scans(CROISSANT)
    given = phone.ask("POST", "/cart/give")
    shopper.scan(given["code"])
    shopper.sees_skus(EGG_TART, CROISSANT)
    assert phone.ask("GET", "/cart")["notice"]["code"] == "handed_over"
    payment = phone.ask("POST", f"/k/{code['token']}/pay")
    shopper.sees("waiting")
    phone.wallet_pays(payment["code_url"])
    shopper.sees("paid")
    phone.paid(payment["order_id"])
    assert phone.ask("GET", f"/k/{code['token']}")["elsewhere"] is False
    shopper.touch("done")
    _, hq = audit(mall, folder)
    assert hq.kinds["basket.handed_over"] == 2


def test_a_payment_code_at_the_kiosk_ends_what_the_phone_could_pay(mall: Mall, phone: Phone) -> None:
    shopper = Person(mall)
    shopper.scan(code_of(TEA))
    code = shopper.sees_that(lambda view: view["phone"] is not None, "the code")["phone"]
    assert isinstance(code, dict)
    payment = phone.ask("POST", f"/k/{code['token']}/pay")
    _, first = shopper.shows_code()
    shopper.scan(first)
    shopper.sees("checkout")
    _, second = shopper.shows_code()
    shopper.scan(second)
    shopper.sees("paid")
    seen = phone.ask("GET", f"/k/{code['token']}")
    assert (seen["state"], seen["elsewhere"]) == ("paid", True)
    assert phone.paid(payment["order_id"])["receipt"]
    shopper.touch("done")
