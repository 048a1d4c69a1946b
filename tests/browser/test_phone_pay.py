"""The page on which a browser pays an order, looked at as a phone shows it, in both languages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from edge.services.staff import StaffBook
from edge.web.changes import Changes
from edge.web.desk import WebSettings
from edge.web.factory import create_web
from edge.web.phone import pay
from edge.web.service_desk import ServiceDesk
from edge.web.serving import WebServer
from edge.web.staff_status import Insight
from tests.browser.kiosk_page import SHOTS
from tests.unit.phone_shop import PhoneShop

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def shop() -> PhoneShop:
    return PhoneShop()


@pytest.fixture
def served(shop: PhoneShop) -> Iterator[str]:
    changes = Changes()
    insight = Insight(lambda: (), lambda: (), lambda: (), "test", lambda: "ok", None, None)  # type: ignore[arg-type]
    settings = WebSettings(port=0, shop_name="云锦里商场", shop_name_en="Yunjinli Mall", zone="UTC")
    desk = ServiceDesk(shop.box, StaffBook((), shop.box.clock), changes, insight, lambda *_: None)
    app = create_web(desk, settings, apart=(pay.blueprint(shop.box, settings),))
    server = WebServer(app, settings)
    server.start()
    yield f"http://127.0.0.1:{server.port}"
    changes.close()
    server.close()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_order_is_paid_by_a_code_and_the_page_leads_to_the_receipt(
    browser: Browser, served: str, shop: PhoneShop, language: str
) -> None:
    token = shop.open_phone()
    order = shop.phone_order(token)
    context = browser.new_context(viewport=PHONE)  # type: ignore[arg-type]
    context.add_cookies([{"name": "phone", "value": token, "url": f"{served}/phone"}])
    page = context.new_page()

    def shot(name: str) -> None:
        page.screenshot(path=SHOTS / f"phone-pay-{language}-{name}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

    page.goto(f"{served}/phone/pay/{order.order_id}?language={language}")
    expect(page.locator(".sum")).to_have_text("¥28.00")
    shot("waits")
    page.locator("form:not([action*=cancel]) button").click()
    expect(page.locator(".paycode img")).to_be_visible()
    assert page.locator(".paycode img").evaluate("image => image.naturalWidth") > 0
    shot("code")
    (attempt,) = shop.box.store.read(lambda unit: unit.attempts.open(9))
    assert shop.phones.pay(attempt.pay_url)
    shop.resolve(6_000)
    page.wait_for_url(f"{served}/phone/r/*", timeout=15_000)
    shot("receipt")
    context.close()
