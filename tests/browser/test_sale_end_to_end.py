"""Whole sales in a real browser: the service's own process, the simulated scanner, printer, wallet and HQ."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from sim.goods import ean13
from sim.mall import Mall, MallSettings
from tests.browser.kiosk_page import SHOTS, KioskPage, Watched, watch
from tests.system.books import leaks
from tests.system.mall_process import GOODS, Person, audit, code_of, open_mall

pytestmark = pytest.mark.broker

EGG_TART, CROISSANT, TEA = "BK-001", "BK-005", "MK-002"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sale")


@pytest.fixture(scope="module")
def mall(folder: Path) -> Iterator[Mall]:
    rules = "poll_ms = 200\npaid_idle_ms = 600000"
    with open_mall(folder, MallSettings(folder, rules=rules)) as running:
        yield running


@pytest.fixture
def shopper(mall: Mall) -> Iterator[Person]:
    """Somebody in front of K01, who finds it at its start and leaves it so."""
    person = Person(mall)
    yield person
    screen = person.view()["screen"]
    if screen != "attract":
        person.touch("done" if screen == "paid" else "cancel")


@pytest.fixture
def seen(page: Page, mall: Mall) -> Watched:
    return watch(page, mall.url)


@pytest.fixture
def kiosk(page: Page, mall: Mall, seen: Watched) -> KioskPage:
    screen = KioskPage(page)
    screen.open(mall.url, "K01")
    screen.expect_link("live")
    return screen


def test_a_sale_by_scanner_and_payment_code(
    kiosk: KioskPage, shopper: Person, seen: Watched, folder: Path, browser: Browser
) -> None:
    kiosk.expect_screen("attract")
    kiosk.shoot("sale-1-attract")
    for sku in (EGG_TART, TEA):
        shopper.scan(code_of(sku))
    kiosk.expect_lines([_name(EGG_TART), _name(TEA)])
    shopper.scan(code_of(TEA))
    kiosk.expect_notice("duplicate")
    kiosk.shoot("sale-2-duplicate")
    kiosk.choose("one_more")
    kiosk.expect_total("¥12.00")
    kiosk.touch("checkout")
    kiosk.expect_screen("checkout")
    expect(kiosk.page.locator("[data-due]")).to_have_text("¥12.00")
    kiosk.shoot("sale-3-checkout")
    wallet, code = shopper.shows_code()
    shopper.scan(code)
    kiosk.expect_screen("paid")
    expect(kiosk.page.locator("body")).to_have_attribute("data-printing", "printed")
    expect(kiosk.page.locator("[data-qr]")).not_to_have_js_property("naturalWidth", 0)
    expect(kiosk.page.locator("[data-landing-title]")).not_to_be_empty()
    kiosk.shoot("sale-4-paid")
    _open_receipt_on_a_phone(browser, shopper, "¥12.00")
    kiosk.touch("done")
    kiosk.expect_screen("attract")
    assert shopper.mall.gateway.books.wallet(wallet.wallet_id).balance_fen == 500_000 - 1_200
    assert (seen.errors, seen.elsewhere) == ([], [])
    _, hq = audit(shopper.mall, folder)
    assert hq.kinds["landing.opened"] == 1
    assert leaks(folder) == []


def test_the_language_is_the_shoppers_own_and_ends_with_the_sale(kiosk: KioskPage, shopper: Person) -> None:
    shopper.scan(code_of(CROISSANT))
    kiosk.expect_lines([_name(CROISSANT)])
    kiosk.speak("en")
    kiosk.expect_lines([GOODS[CROISSANT].name_en])
    kiosk.shoot("sale-5-english")
    kiosk.open_sheet("cancel")
    kiosk.sheet("cancel").locator("[data-act=cancel]").click()
    kiosk.expect_screen("attract")
    expect(kiosk.page.locator("html")).to_have_attribute("data-language", "zh")


def test_an_unknown_code_and_a_wallet_without_money_are_explained(kiosk: KioskPage, shopper: Person) -> None:
    shopper.scan(ean13("699999999999"))
    kiosk.expect_notice("unknown_code")
    kiosk.choose("dismiss")
    shopper.scan(code_of(CROISSANT))
    kiosk.touch("checkout")
    kiosk.expect_screen("checkout")
    wallet, code = shopper.shows_code(balance_fen=1)
    shopper.scan(code)
    kiosk.expect_notice("payment_declined")
    kiosk.shoot("sale-6-declined")
    assert shopper.mall.gateway.books.wallet(wallet.wallet_id).balance_fen == 1
    kiosk.expect_screen("checkout")


def test_a_killed_service_is_said_and_the_basket_comes_back(kiosk: KioskPage, shopper: Person) -> None:
    for sku in (EGG_TART, CROISSANT):
        shopper.scan(code_of(sku))
    kiosk.expect_lines([_name(EGG_TART), _name(CROISSANT)])
    shopper.mall.kill_edge()
    kiosk.expect_link("lost")
    kiosk.shoot("sale-7-connection-lost")
    shopper.mall.start_edge()
    kiosk.expect_link("live", 15_000)
    kiosk.expect_lines([_name(EGG_TART), _name(CROISSANT)])
    shopper.scan(code_of(TEA))
    kiosk.expect_lines([_name(EGG_TART), _name(CROISSANT), _name(TEA)])
    kiosk.expect_total("¥17.00")


def test_a_till_takes_cash_and_shows_the_change(page: Page, mall: Mall, seen: Watched, folder: Path) -> None:
    till = KioskPage(page)
    till.open(mall.url, "T01", "till")
    till.expect_screen("attract")
    till.open_sheet("code")
    till.type_keys("code", code_of(EGG_TART))
    page.locator("[data-code-send]").click()
    till.expect_lines([_name(EGG_TART)])
    till.touch("checkout")
    till.expect_screen("checkout")
    till.type_keys("cash", "20")
    till.shoot("sale-8-till-cash")
    page.locator("[data-cash-take]").click()
    till.expect_screen("paid")
    expect(page.locator("[data-change-due] strong")).to_have_text("¥15.00")
    expect(page.locator("[data-qr]")).not_to_have_js_property("naturalWidth", 0)
    till.shoot("sale-9-till-change")
    till.touch("done")
    till.expect_screen("attract")
    assert (seen.errors, seen.elsewhere) == ([], [])
    box, _ = audit(mall, folder)
    assert [("cash", 500)] in box.tenders.values()


def _open_receipt_on_a_phone(browser: Browser, shopper: Person, total: str) -> None:
    """Follow the address that the receipt's QR code holds."""
    receipt = shopper.view()["receipt"]
    assert isinstance(receipt, dict)
    phone = browser.new_page(viewport={"width": 390, "height": 844})
    try:
        phone.goto(str(receipt["url"]))
        expect(phone.locator("body")).to_contain_text(re.compile(re.escape(total)))
        expect(phone.locator("body")).to_contain_text(str(receipt["number"]))
        phone.screenshot(path=SHOTS / "sale-10-phone.png", full_page=True)
    finally:
        phone.close()


def _name(sku: str) -> str:
    return GOODS[sku].name
