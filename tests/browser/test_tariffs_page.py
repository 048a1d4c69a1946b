"""The page of tariffs in a real browser, on a phone and on a tablet, in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC

import pytest
from playwright.sync_api import Browser, expect

from edge.parking.tariff_document import read_tariffs
from edge.parking.tariff_table import EXAMPLE
from edge.web.desk import WebSettings
from edge.web.factory import create_web
from edge.web.serving import WebServer
from edge.web.staff.pages import box_pages
from tests.browser.desk_fake import PIN, DeskFake
from tests.browser.kiosk_page import PHONE, SHOTS
from tests.unit.garage import Garage

STAY = "tariff=standard&from=2026-11-20T17:30&to=2026-11-21T08:40"


@pytest.fixture
def origin() -> Iterator[str]:
    garage, desk, settings = Garage(), DeskFake(), WebSettings(port=0)
    tariffs = read_tariffs(EXAMPLE.encode().splitlines(), UTC)
    garage.box.store.write(lambda unit: unit.tariffs.replace(tariffs))
    server = WebServer(create_web(desk, settings, box_pages(garage.box, settings)), settings)
    server.start()
    yield f"http://127.0.0.1:{server.port}"
    desk.changes.close()
    server.close()


@pytest.mark.parametrize(
    ("language", "told"),
    [("zh", "停车 15 小时 10 分钟，应付 30.00 元"), ("en", "parked 15 h 10 min, to pay 30.00")],
)
@pytest.mark.parametrize("size", [PHONE, (1280, 800)], ids=["phone", "tablet"])
def test_a_stay_is_explained_and_the_page_fits(
    browser: Browser, origin: str, size: tuple[int, int], language: str, told: str
) -> None:
    context = browser.new_context(viewport={"width": size[0], "height": size[1]})
    page = context.new_page()
    page.goto(f"{origin}/staff/login?language={language}")
    page.fill("input[name=pin]", PIN)
    page.keyboard.press("Enter")
    page.wait_for_selector("nav")
    page.goto(f"{origin}/staff/tariffs?language={language}&{STAY}")
    expect(page.locator("[data-quote]")).to_contain_text(told)
    expect(page.locator("[data-quote] li")).to_have_count(4)
    expect(page.locator("path.depth")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    page.screenshot(path=SHOTS / f"staff-tariffs-{language}-{size[0]}.png", full_page=True)
    context.close()
