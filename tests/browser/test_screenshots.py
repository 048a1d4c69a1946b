"""Every screen in both languages and both sizes, kept in build/screenshots."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Serve
from tests.browser.desk_fake import TOKEN, DeskFake, duplicate_notice
from tests.browser.kiosk_page import LANDSCAPE, PHONE, KioskPage, watch

BASKET = ("6901234567892", "6923450657713", "6923450657713", "2100123012341", "6922266446481")
BOTH = ("zh", "en")


def attract(desk: DeskFake, ws: str) -> None:
    desk.set(ws, screen="attract")


def empty(desk: DeskFake, ws: str) -> None:
    desk.set(ws, screen="basket")


def basket(desk: DeskFake, ws: str) -> None:
    for barcode in BASKET:
        desk.scan(ws, barcode)


def long_basket(desk: DeskFake, ws: str) -> None:
    for barcode in (*BASKET, "6954767423579", "6921168509256", "6907992100272"):
        desk.scan(ws, barcode)


def duplicate(desk: DeskFake, ws: str) -> None:
    basket(desk, ws)
    desk.set(ws, notice=duplicate_notice("6922266446481"))


def unknown_code(desk: DeskFake, ws: str) -> None:
    basket(desk, ws)
    desk.scan(ws, "6900000000000")


def troubles(desk: DeskFake, ws: str) -> None:
    basket(desk, ws)
    trouble = {"scanner": "absent", "printer": "fault", "hq": "offline"}
    desk.set(ws, devices=trouble, depth=17, idle_s_left=15)


def checkout(desk: DeskFake, ws: str) -> None:
    basket(desk, ws)
    desk.act(ws, "checkout", {})


def waiting(desk: DeskFake, ws: str) -> None:
    checkout(desk, ws)
    desk.pay_by_code(ws)


def unsure(desk: DeskFake, ws: str) -> None:
    checkout(desk, ws)
    desk.pay_by_code(ws, "unknown")


def declined(desk: DeskFake, ws: str) -> None:
    checkout(desk, ws)
    desk.set(ws, notice={
        "id": "n", "level": "error", "code": "payment_declined", "params": {"reason": "not_enough"},
        "choices": ["dismiss"],
    })  # fmt: skip


def no_wallet(desk: DeskFake, ws: str) -> None:
    desk.wallets = []
    checkout(desk, ws)


def no_public_url(desk: DeskFake, ws: str) -> None:
    desk.public_url = ""
    paid(desk, ws)


def paid(desk: DeskFake, ws: str) -> None:
    waiting(desk, ws)
    desk.settle(ws)


def unprinted(desk: DeskFake, ws: str) -> None:
    paid(desk, ws)
    receipt = dict(desk.seats[ws].receipt or {}, printing="uncertain")
    desk.set(ws, receipt=receipt, landing=None)


def age(desk: DeskFake, ws: str) -> None:
    basket(desk, ws)
    desk.scan(ws, "6901798123456")


def help_called(desk: DeskFake, ws: str) -> None:
    basket(desk, ws)
    desk.act(ws, "help", {})


def closed(desk: DeskFake, ws: str) -> None:
    desk.set(ws, screen="closed")


def cash_change(desk: DeskFake, ws: str) -> None:
    checkout(desk, ws)
    desk.act(ws, "cash", {"received_fen": 20000})


def cash_part(desk: DeskFake, ws: str) -> None:
    checkout(desk, ws)
    desk.act(ws, "cash", {"received_fen": 5000})
    desk.act(ws, "cash", {"received_fen": 2000})


def held(desk: DeskFake, ws: str) -> None:
    basket(desk, ws)
    desk.act(ws, "hold", {})
    basket(desk, ws)
    desk.act(ws, "hold", {})


KIOSK = (
    attract, empty, basket, long_basket, duplicate, unknown_code, troubles, checkout, waiting, unsure,
    declined, held, no_wallet, no_public_url, paid, unprinted, age, help_called, closed,
)  # fmt: skip
TILL = (attract, basket, checkout, cash_part, cash_change, held)

_MEASURE = """() => {
  const small = [], tiny = [], outside = [];
  const seen = (node) => node.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  for (const button of document.querySelectorAll("button")) {
    const box = button.getBoundingClientRect();
    const fits = box.width >= 64 && box.height >= 63.9;
    if (seen(button) && !fits) small.push(`${button.outerHTML.slice(0, 90)} ${box.width}x${box.height}`);
  }
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const node = text.parentElement;
    if (!text.textContent.trim() || node.tagName === "SCRIPT" || !seen(node)) continue;
    if (parseFloat(getComputedStyle(node).fontSize) < 20) tiny.push(text.textContent);
    const box = node.getBoundingClientRect();
    if (box.right > innerWidth + 1 || box.left < -1) outside.push(text.textContent);
  }
  return { small, tiny, outside, scrolls: document.documentElement.scrollWidth > innerWidth };
}"""


@pytest.mark.parametrize("scene", KIOSK, ids=lambda scene: scene.__name__)
def test_kiosk_screen_is_large_enough_to_read_and_touch(
    browser: Browser, desk: DeskFake, serve: Serve, scene: Callable[[DeskFake, str], None]
) -> None:
    look(browser, desk, serve, "K1", scene)


@pytest.mark.parametrize("scene", TILL, ids=lambda scene: scene.__name__)
def test_till_screen_is_large_enough_to_read_and_touch(
    browser: Browser, desk: DeskFake, serve: Serve, scene: Callable[[DeskFake, str], None]
) -> None:
    look(browser, desk, serve, "T1", scene)


def look(
    browser: Browser, desk: DeskFake, serve: Serve, ws: str, scene: Callable[[DeskFake, str], None]
) -> None:
    origin = f"http://127.0.0.1:{serve(desk).port}"
    kind = desk.seats[ws].kind
    for width, height in (LANDSCAPE, PHONE):
        page = browser.new_page(viewport={"width": width, "height": height}, reduced_motion="reduce")
        seen = watch(page, origin)
        screen = KioskPage(page)
        desk.seats[ws] = type(desk.seats[ws])(kind)
        screen.open(origin, ws, kind)
        scene(desk, ws)
        for language in BOTH:
            version = desk.set(ws, language=language)
            screen.expect_painted(version)
            screen.shoot(f"{kind}-{scene.__name__}-{language}-{width}x{height}")
            measured = page.evaluate(_MEASURE)
            assert measured == {"small": [], "tiny": [], "outside": [], "scrolls": False}, (width, language)
        assert (seen.errors, seen.elsewhere) == ([], [])
        page.close()


@pytest.mark.parametrize("language", BOTH)
def test_phone_page_fits_a_phone(browser: Browser, origin: str, language: str) -> None:
    width, height = PHONE
    page = browser.new_page(viewport={"width": width, "height": height})
    seen = watch(page, origin)
    page.goto(f"{origin}/phone/r/{TOKEN}?language={language}")
    expect(page.locator(".share img")).to_be_visible()
    KioskPage(page).shoot(f"phone-receipt-{language}-{width}x{height}")
    page.screenshot(path=f"build/screenshots/phone-receipt-{language}-full.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert (seen.errors, seen.elsewhere) == ([], [])
    page.close()
