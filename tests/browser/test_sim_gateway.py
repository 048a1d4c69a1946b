"""The simulated gateway's phones in a real browser: no wider than a phone, a QR code paid by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from sim.gateway import make_credentials
from tests.browser.kiosk_page import PHONE, SHOTS
from tests.integration.sim_gateway_rig import Rig, digits, open_rig


@pytest.fixture
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with open_rig(make_credentials(tmp_path_factory.mktemp("keys"), digits)) as rig:
        yield rig


def test_the_list_of_phones_fits_a_phone_and_says_that_the_books_add_up(rig: Rig, browser: Browser) -> None:
    rig.switch("/sim/merchants", {"mchid": "1900000222", "name": "麦香坊", "sp_mchid": rig.who.mchid})
    for number in range(3):
        rig.paid_order(f"20261122-EDGE-1-a-very-long-{number:04d}")
    page = browser.new_page(viewport={"width": PHONE[0], "height": PHONE[1]})
    page.goto(rig.server.url + "/")
    expect(page.locator("#sum")).to_contain_text("账平")
    expect(page.locator("#ledger tr")).to_have_count(3)
    expect(page.locator("#merchants tr")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    page.screenshot(path=SHOTS / "gateway-phones-390.png", full_page=True)
    page.close()


def test_a_qr_code_is_scanned_and_paid_with_the_second_password(rig: Rig, browser: Browser) -> None:
    wallet = rig.wallet(habit="waits", password_above_fen=0)
    url = rig.post("/v3/pay/transactions/native", rig.order("T-000001")).json()["code_url"]
    page = browser.new_page(viewport={"width": PHONE[0], "height": PHONE[1]})
    page.goto(f"{rig.server.url}/sim/phone/{wallet['wallet_id']}")
    page.fill("#scan input", url)
    page.click("#scan button")
    expect(page.locator("#ask-money")).to_have_text("¥12.50")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    page.screenshot(path=SHOTS / "gateway-phone-390.png", full_page=True)
    page.click("#ask button[data-action=wrong]")
    expect(page.locator("#ask-wrong")).to_be_visible()
    page.click("#ask button[data-action=types]")
    expect(page.locator("#said")).to_have_text("已付 Paid")
    expect(page.locator("#orders")).to_contain_text("已付 paid")
    assert rig.query("T-000001").json()["trade_state"] == "SUCCESS"
    page.fill("#scan input", url)
    page.click("#scan button")
    expect(page.locator("#said")).to_have_text("该订单已支付")
    page.close()
