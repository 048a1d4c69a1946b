"""The funnel, its codes and the guides in a real browser: none is too wide, and a task is done."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from edge.members.attribution import DAY_MS
from edge.services.guide_tasks import plan_tasks
from edge.web.desk import WebSettings
from edge.web.factory import create_web
from edge.web.phone import go
from edge.web.serving import WebServer
from edge.web.staff.pages import box_pages
from sim.fakes.box import BREAD, COLA
from tests.browser.desk_fake import PIN, DeskFake
from tests.browser.kiosk_page import PHONE, SHOTS
from tests.unit.test_services_touch import Touched

TABLET = (1280, 800)


@pytest.fixture
def office() -> Iterator[str]:
    shop = Touched()
    way = shop.scanned("poster")
    shop.scanned("guide.li", way)
    shop.sell(BREAD, COLA, way=way, member="m-1")
    shop.wait(DAY_MS)
    plan_tasks(shop.box)
    shop.sell(COLA)
    settings = WebSettings(port=0)
    apart = (go.blueprint(shop.box, settings),)
    server = WebServer(create_web(DeskFake(), settings, box_pages(shop.box, settings), apart=apart), settings)
    server.start()
    yield f"http://127.0.0.1:{server.port}"
    server.close()


def signed_in(browser: Browser, origin: str, size: tuple[int, int], language: str) -> Page:
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    page.goto(f"{origin}/staff/login?language={language}")
    page.fill("input[name=pin]", PIN)
    page.keyboard.press("Enter")
    page.wait_for_url("**/staff/devices*")
    return page


@pytest.mark.browser
@pytest.mark.parametrize("size", [TABLET, PHONE], ids=["tablet", "phone"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_page_is_wider_than_its_screen(
    browser: Browser, office: str, size: tuple[int, int], language: str
) -> None:
    page = signed_in(browser, office, size, language)
    for name in ("funnel", "guides", "funnel/codes"):
        page.goto(f"{office}/staff/{name}?language={language}")
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        page.screenshot(
            path=str(SHOTS / f"{name.replace('/', '-')}-{language}-{size[0]}.png"), full_page=True
        )


@pytest.mark.browser
def test_a_guide_filters_the_funnel_and_does_a_task(browser: Browser, office: str) -> None:
    page = signed_in(browser, office, TABLET, "en")
    page.goto(f"{office}/staff/funnel?language=en")
    page.select_option("select[name=by]", "hour")
    page.click("form.filters button")
    expect(page.locator("[data-list=funnel] tbody tr")).to_have_count(1)
    page.goto(f"{office}/staff/guides")
    row = page.locator("[data-task=first_visit]")
    row.locator("summary", has_text="Done").click()
    row.locator("input[name=note]").fill("thanked her")
    row.locator("form[action$=done] button").click()
    expect(page.locator("[data-list=ended]")).to_contain_text("thanked her")
