"""The member's page in a phone's browser: from the receipt's button to the car that drives out free."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, expect

from edge.services.box import Tenant
from edge.services.staff import StaffBook
from edge.web.changes import Changes
from edge.web.desk import WebSettings
from edge.web.factory import create_web
from edge.web.phone import api, me
from edge.web.service_desk import ServiceDesk
from edge.web.serving import WebServer
from edge.web.staff_status import Insight
from tests.browser.kiosk_page import SHOTS
from tests.unit.garage import PLATE
from tests.unit.test_phone_me import Members

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def shop() -> Members:
    shop = Members()
    tenants = {
        "t-drinks": Tenant("t-drinks", "饮料店", "Drinks"),
        "t-bakery": Tenant("t-bakery", "面包房", "Bakery"),
    }
    rules = replace(shop.box.rules, public_url="https://mall.example")
    shop.box = replace(shop.box, rules=rules, tenants=tenants)
    return shop


@pytest.fixture
def served(shop: Members) -> Iterator[str]:
    changes = Changes()
    insight = Insight(lambda: (), lambda: (), lambda: (), "test", lambda: "ok", None, None)  # type: ignore[arg-type]
    settings = WebSettings(port=0, shop_name="云锦里商场", shop_name_en="Yunjinli Mall", zone="UTC")
    desk = ServiceDesk(shop.box, StaffBook((), shop.box.clock), changes, insight, lambda *_: None)
    apart = (me.blueprint(shop.box, settings), api.blueprint(shop.box, settings))
    server = WebServer(create_web(desk, settings, apart=apart), settings)
    server.start()
    yield f"http://127.0.0.1:{server.port}"
    changes.close()
    server.close()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_from_the_receipt_a_shopper_joins_binds_a_car_and_leaves(
    browser: Browser, served: str, shop: Members, language: str
) -> None:
    stay, order = shop.come(minutes_ago=50), shop.bought()
    context = browser.new_context(viewport=PHONE)  # type: ignore[arg-type]
    page = context.new_page()

    def shot(name: str) -> None:
        page.screenshot(path=SHOTS / f"phone-me-{language}-{name}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

    page.goto(f"{served}/phone/r/{shop.receipt_of(order)}?language={language}")
    page.locator("li[data-kind=join] button").click()
    expect(page.locator("[data-join]")).to_be_visible()
    shot("join")
    page.locator("[data-join] input[name=agree]").check()
    page.locator("[data-join] button").click()
    expect(page.locator("[data-points]")).to_have_text("11")
    shot("joined")
    page.locator("[data-plates] input[name=plate]").fill(PLATE)
    page.locator("[data-plates] input[name=agree]").check()
    page.locator("[data-plates] button.wide").click()
    expect(page.locator("[data-plates] strong")).to_have_text("粤B·123··")
    assert shop.due(stay) == 0
    assert page.locator("[data-link] img").evaluate("image => image.naturalWidth") > 0
    shot("car")
    page.locator("[data-data] input[name=confirm]").check()
    page.locator("[data-data] form button").click()
    expect(page.locator("[data-join]")).to_be_visible()
    shot("erased")
    context.close()
