"""A cashier's shift in a real browser: opened, sold in, counted with the keys on the screen, closed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, expect

from edge.services.take_cash import take_cash
from edge.web.desk import WebSettings
from edge.web.factory import create_web
from edge.web.serving import WebServer
from edge.web.staff.pages import box_pages
from sim.fakes.box import BREAD, COLA, KIOSK, RULES, TILL
from tests.browser.desk_fake import PIN, DeskFake
from tests.browser.kiosk_page import LANDSCAPE, PHONE, SHOTS, watch
from tests.unit.shop import Shop

HOUR_MS = 3_600_000


class Till:
    """A box over fakes whose till asks for a shift, and its pages."""

    def __init__(self) -> None:
        self.shop = Shop(replace(RULES, cash_needs_shift=True))
        self.desk = DeskFake()
        settings = WebSettings(port=0)
        pages = box_pages(self.shop.box, settings)
        self.server = WebServer(create_web(self.desk, settings, pages), settings)
        self.server.start()
        self.origin = f"http://127.0.0.1:{self.server.port}"

    def sell(self, *texts: str, received_fen: int) -> None:
        self.shop.order_of(*texts, place=TILL)
        take_cash(self.shop.box, TILL, received_fen)
        self.shop.wait(30_000)

    def sell_at_kiosk(self, *texts: str) -> None:
        self.shop.order_of(*texts)
        self.shop.pay(self.shop.code())
        self.shop.wait(30_000)


@pytest.fixture
def till() -> Iterator[Till]:
    made = Till()
    yield made
    made.desk.changes.close()
    made.server.close()


def sign_in(page: Page, till: Till) -> None:
    page.set_default_timeout(5000)
    page.goto(f"{till.origin}/staff/login?language=en")
    page.get_by_label("Staff PIN").fill(PIN)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("nav")).to_be_visible()


def touch(page: Page, keys: str) -> None:
    """Touch these keys of the pad that is seen."""
    for key in keys:
        page.locator(f"[data-keys]:visible [data-key='{key}']").click()


def count(page: Page, denomination: str, keys: str) -> None:
    page.locator(f"#{denomination}").click()
    touch(page, keys)


def open_with(page: Page, till: Till, float_yuan: str) -> None:
    page.goto(f"{till.origin}/staff/shifts/at/{TILL}")
    touch(page, float_yuan)
    page.get_by_role("button", name="Open shift").click()
    expect(page.get_by_role("button", name="Count and close")).to_be_visible()


def test_a_shift_is_opened_counted_by_touch_and_closed(page: Page, till: Till) -> None:
    seen = watch(page, till.origin)
    sign_in(page, till)
    page.goto(f"{till.origin}/staff/shifts")
    expect(page.locator(f"[data-place={TILL}]")).to_contain_text("Cash is taken once a shift is open.")
    open_with(page, till, "200")
    till.sell(COLA, BREAD, received_fen=2_000)
    page.locator("label", has_text="Pick-up").click()
    touch(page, "100")
    page.get_by_role("button", name="To the safe").click()
    page.get_by_role("button", name="Confirm and open the drawer").click()
    expect(page.locator("[data-move=pick_up]")).to_contain_text("-¥100.00")
    page.get_by_role("button", name="Count and close").click()
    expect(page.locator("main")).not_to_contain_text("111.50")
    count(page, "note_10000", "1")
    page.locator("[data-more=coin_100]").click()
    count(page, "coin_100", "1")
    expect(page.locator("[data-line=coin_100]")).to_have_text("¥11.00")
    count(page, "coin_50", "1")
    expect(page.locator("[data-total]")).to_have_text("¥111.50")
    page.get_by_role("button", name="Hand in the count").click()
    report = page.locator("[data-report=z]")
    expect(report).to_contain_text("Z report · Z 1")
    expect(report.locator("[data-over-short]")).to_contain_text("¥0.00")
    expect(report.locator("[data-taken]")).to_contain_text("¥11.50")
    assert till.shop.event_data("shift.closed")["counted_fen"] == 11_150
    assert (seen.errors, seen.elsewhere) == ([], [])


def test_a_short_drawer_is_closed_with_a_reason(page: Page, till: Till) -> None:
    sign_in(page, till)
    open_with(page, till, "100")
    page.get_by_role("button", name="Count and close").click()
    count(page, "note_5000", "1")
    page.get_by_role("button", name="Hand in the count").click()
    expect(page.locator("[data-over-short]")).to_contain_text("¥50.00")
    page.get_by_role("button", name="Close with this reason").click()
    expect(page.locator("[data-report=z]")).to_have_count(0)
    page.get_by_role("button", name="Wrong change given").click()
    page.get_by_role("button", name="Close with this reason").click()
    expect(page.locator("[data-report=z] [data-over-short]")).to_contain_text("-¥50.00")
    expect(page.locator("[data-report=z]")).to_contain_text("Wrong change given")


def test_a_day_is_closed_after_the_last_shift(page: Page, till: Till) -> None:
    sign_in(page, till)
    till.sell_at_kiosk(COLA, BREAD)
    open_with(page, till, "0")
    page.goto(f"{till.origin}/staff/shifts")
    expect(page.locator("main")).to_contain_text("Close these shifts before the day: till-1")
    page.goto(f"{till.origin}/staff/shifts/at/{TILL}")
    page.get_by_role("button", name="Count and close").click()
    page.get_by_role("button", name="Hand in the count").click()
    expect(page.locator("[data-report=z]")).to_be_visible()
    page.goto(f"{till.origin}/staff/shifts")
    page.get_by_text("Close the day…").click()
    page.get_by_role("button", name="Close 2026-").click()
    expect(page.locator("[data-day-closed]")).to_be_visible()
    page.get_by_role("button", name="Print the day report").click()
    expect(page.locator("[data-paper=queued]")).to_be_visible()
    expect(page.locator(f"[data-z={KIOSK}-1]")).to_contain_text("¥11.50")
    assert till.shop.event_data("day.closed")["orders"] == 1


def test_a_mistake_is_said_and_what_was_typed_stays(page: Page, till: Till) -> None:
    sign_in(page, till)
    page.goto(f"{till.origin}/staff/shifts/at/{TILL}")
    page.locator("#float").fill("12,5")
    page.get_by_role("button", name="Open shift").click()
    expect(page.get_by_role("alert")).to_contain_text("12,5")
    expect(page.locator("#float")).to_have_value("12,5")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("size", [LANDSCAPE, PHONE], ids=["wide", "phone"])
def test_every_shift_page_fits_its_screen(
    browser: Browser, till: Till, language: str, size: tuple[int, int]
) -> None:
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    sign_in(page, till)
    for hour in range(6):
        till.sell_at_kiosk(*[COLA, BREAD] * (1 + hour % 3))
        till.shop.wait(HOUR_MS)
    open_with(page, till, "500")
    steps = (
        ("shifts", "/staff/shifts"),
        ("shift-open", f"/staff/shifts/at/{TILL}"),
        ("shift-kiosk", f"/staff/shifts/at/{KIOSK}"),
    )
    till.sell(COLA, BREAD, BREAD, received_fen=2_000)

    def shoot(name: str, path: str = "") -> None:
        if path:
            page.goto(f"{till.origin}{path}{'&' if '?' in path else '?'}language={language}")
        SHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SHOTS / f"{name}-{language}-{size[0]}.png", full_page=True)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= size[0], f"{name} is {wide} wide"

    for name, path in steps:
        shoot(name, path)
    page.locator("a[href^='/staff/shifts/reports/']").first.click()
    shoot("shift-x")
    page.goto(f"{till.origin}/staff/shifts/at/{TILL}?language={language}")
    page.locator("form[action$='/count'] button").click()
    count(page, "note_10000", "5")
    shoot("shift-count")
    page.locator("form[data-count] button.big").click()
    shoot("shift-short")
    page.locator("[data-reason]").first.click()
    page.locator("form[action$='/close'] button.big").click()
    expect(page.locator("[data-report=z]")).to_be_visible()
    shoot("shift-z")
    page.close()
