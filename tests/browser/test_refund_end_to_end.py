"""A refund through everything: the service's own process, the WeChat Pay client, the simulated gateway."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from sim.mall import Mall, MallSettings
from sim.mall_config import DEMO_PIN
from tests.browser.kiosk_page import SHOTS, KioskPage
from tests.system.mall_process import Person, code_of, open_mall

pytestmark = pytest.mark.broker

TEA = "MK-002"


@pytest.fixture(scope="module")
def mall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mall]:
    folder = tmp_path_factory.mktemp("refund")
    rules = "poll_ms = 200\npaid_idle_ms = 600000"
    with open_mall(folder, MallSettings(folder, rules=rules)) as running:
        yield running


def test_what_a_shopper_paid_by_code_is_back_in_the_wallet(page: Page, mall: Mall) -> None:
    kiosk = KioskPage(page)
    kiosk.open(mall.url, "K01")
    shopper = Person(mall)
    shopper.scan(code_of(TEA))
    kiosk.expect_screen("basket")
    kiosk.touch("checkout")
    kiosk.expect_screen("checkout")
    wallet, code = shopper.shows_code()
    shopper.scan(code)
    kiosk.expect_screen("paid")
    order = shopper.view()["order"]
    assert isinstance(order, dict)
    balance = lambda: mall.gateway.books.wallet(wallet.wallet_id).balance_fen  # noqa: E731
    assert balance() == 500_000 - order["total_fen"]
    page.goto(f"{mall.url}/staff/login?language=en")
    page.locator("input[name=pin]").fill(DEMO_PIN)
    page.locator(".login button").click()
    page.goto(f"{mall.url}/staff/refunds")
    page.locator(f"[data-order='{order['number']}'] a").click()
    page.get_by_label("Everything").check()
    page.get_by_role("button", name="Work it out").click()
    page.get_by_label("Reason").select_option("quality")
    page.get_by_label("Supervisor's PIN").fill(DEMO_PIN)
    page.get_by_role("button", name="Approve and give back").click()
    expect(page.locator("[data-leg=done]")).to_be_visible(timeout=20_000)
    expect(page.locator("[data-phase=done]")).to_be_visible()
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / "refund-end-to-end.png", full_page=True)
    assert balance() == 500_000
