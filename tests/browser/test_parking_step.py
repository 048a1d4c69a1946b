"""The kiosk asks for the plate whose parking a purchase pays, before or after payment; so does the phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.desk_fake import TOKEN, DeskFake, parking_of
from tests.browser.kiosk_page import LANDSCAPE, PHONE, SHOTS

NOTHING = parking_of("", counted=False)


def type_plate(page: Page, plate: str) -> None:
    for sign in plate:
        page.locator(f"[data-plate-pad] [data-key='{sign}']").click()


def shot(page: Page, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png")


def checkout(desk: DeskFake) -> None:
    desk.set("K1", parking=dict(NOTHING))
    desk.scan("K1", "6921168509256")
    desk.act("K1", "checkout", {})


@pytest.mark.parametrize("size", [LANDSCAPE, PHONE], ids=["kiosk", "narrow"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_plate_is_typed_with_large_keys_before_payment(
    browser: Browser, desk: DeskFake, origin: str, size: tuple[int, int], language: str
) -> None:
    checkout(desk)
    desk.act("K1", "language", {"language": language})
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    page.goto(f"{origin}/kiosk/K1")
    page.locator(".screen.checkout [data-parking-open]").click()
    expect(page.locator("[data-plate-send]")).to_be_disabled()
    shot(page, f"plate-province-{language}-{size[0]}")
    type_plate(page, "粤B1234")
    expect(page.locator("[data-plate-send]")).to_be_disabled()
    type_plate(page, "5")
    shot(page, f"plate-typed-{language}-{size[0]}")
    keys = page.locator("[data-plate-pad] .key").evaluate_all(
        "keys => keys.map(key => Math.min(key.clientWidth, key.clientHeight))"
    )
    assert min(keys) >= (58 if size == LANDSCAPE else 38)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator("[data-plate-send]").click()
    expect(page.locator("[data-overlay=plate]")).to_be_hidden()
    expect(page.locator(".screen.checkout [data-parking-open]")).to_contain_text("粤B·123··")
    page.close()


def test_no_car_is_an_answer_and_a_refusal_stays_on_the_sheet(
    page: Page, desk: DeskFake, origin: str
) -> None:
    checkout(desk)
    page.goto(f"{origin}/kiosk/K1")
    page.locator(".screen.checkout [data-parking-open]").click()
    type_plate(page, "粤B00000")
    page.locator("[data-plate-send]").click()
    expect(page.locator("[data-plate-problem]")).to_have_text("本单已用于另一辆车。")
    page.locator("[data-plate-pad] [data-key=erase]").click()
    expect(page.locator("[data-plate-problem]")).to_have_text("")
    page.locator("[data-no-car]").click()
    expect(page.locator(".screen.checkout [data-parking-open]")).to_contain_text("未开车")


def test_after_payment_the_screen_says_what_was_validated(page: Page, desk: DeskFake, origin: str) -> None:
    checkout(desk)
    desk.pay_by_code("K1")
    desk.settle("K1")
    page.goto(f"{origin}/kiosk/K1")
    expect(page.locator("[data-parking-said]")).to_be_hidden()
    page.locator(".screen.paid [data-parking-open]").click()
    page.keyboard.type("b")
    type_plate(page, "粤")
    page.keyboard.type("b12345")
    page.keyboard.press("Enter")
    expect(page.locator("[data-parking-said]")).to_contain_text("已减免停车 2 小时 · 粤B·123··")
    expect(page.locator(".screen.paid [data-parking-open]")).to_be_hidden()
    shot(page, "plate-paid-zh")


def test_a_box_without_rules_asks_nobody(page: Page, desk: DeskFake, origin: str) -> None:
    desk.scan("K1", "6921168509256")
    desk.act("K1", "checkout", {})
    page.goto(f"{origin}/kiosk/K1")
    expect(page.locator("#checkout-title")).not_to_be_empty()
    expect(page.locator(".screen.checkout [data-parking-open]")).to_be_hidden()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_receipts_page_validates_a_plate(
    browser: Browser, desk: DeskFake, origin: str, language: str
) -> None:
    desk.parking = dict(NOTHING)
    page = browser.new_page(viewport={"width": PHONE[0], "height": PHONE[1]})
    page.goto(f"{origin}/phone/r/{TOKEN}?language={language}")
    page.locator("[data-parking] input").fill("粤B1")
    page.locator("[data-parking] button").click()
    expect(page.locator("[data-parking] [role=alert]")).to_be_visible()
    shot(page, f"phone-parking-wrong-{language}")
    page.locator("[data-parking] input").fill("粤B12345")
    page.locator("[data-parking] button").click()
    expect(page.locator("[data-validated]")).to_contain_text("粤B·123··")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shot(page, f"phone-parking-done-{language}")
    page.close()
