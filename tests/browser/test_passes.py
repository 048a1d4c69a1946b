"""The staff pages of passes and plates in a real browser: what people do, and a phone's width."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from edge.parking.parking_pass import PassKind
from edge.services.issue_pass import PassAsk, issue_pass
from edge.web.desk import WebSettings
from edge.web.factory import create_web
from edge.web.serving import WebServer
from edge.web.staff.pages import box_pages
from tests.browser.desk_fake import PIN, DeskFake
from tests.browser.kiosk_page import PHONE, watch
from tests.unit.garage import Garage

PASS = "00000000-0000-7000-8000-000000000001"


@pytest.fixture
def garage() -> Garage:
    made = Garage()
    plates = ("粤B12345", "粤BD12345", "粤A88888")
    issue_pass(made.box, PassAsk(PASS, PassKind.MONTH, "某某物业管理有限公司", plates, 2), "王")
    made.come("粤B12345")
    made.come("粤B1B345")
    return made


@pytest.fixture
def origin(garage: Garage) -> Iterator[str]:
    settings = WebSettings(port=0)
    server = WebServer(create_web(DeskFake(), settings, box_pages(garage.box, settings)), settings)
    server.start()
    yield f"http://127.0.0.1:{server.port}"
    server.close()


def signed_in(browser: Browser, origin: str, language: str) -> Page:
    width, height = PHONE
    page = browser.new_context(viewport={"width": width, "height": height}).new_page()
    page.set_default_timeout(5_000)
    page.goto(f"{origin}/staff/login?language={language}")
    page.fill("input[name=pin]", PIN)
    page.press("input[name=pin]", "Enter")
    page.wait_for_url(lambda url: "login" not in url)
    return page


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_page_is_wider_than_a_phone(browser: Browser, origin: str, language: str) -> None:
    page = signed_in(browser, origin, language)
    seen = watch(page, origin)
    for path in ("/staff/passes", f"/staff/passes/{PASS}", "/staff/plates?text=粤B18345"):
        page.goto(origin + path)
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0], path
    assert (seen.errors, seen.elsewhere) == ([], [])


def test_a_pass_is_issued_and_a_misread_plate_put_right(
    browser: Browser, origin: str, garage: Garage
) -> None:
    page = signed_in(browser, origin, "en")
    page.goto(f"{origin}/staff/passes")
    form = page.locator("[data-form=issue]")
    form.locator("[name=kind]").select_option("stored_times")
    form.locator("[name=holder]").fill("李雷")
    form.locator("[name=plates]").fill("粤C11111")
    form.locator("[name=amount]").fill("10")
    form.get_by_role("button").click()
    expect(page.locator("[data-balance]")).to_have_text("10 visits left")

    page.goto(f"{origin}/staff/plates?text=粤B18345")
    stay = page.locator("[data-stay]").first
    expect(stay).to_contain_text("粤B1B345")
    stay.locator("summary").click()
    stay.locator("[name=plate]").fill("粤B18345")
    stay.locator("[name=reason]").fill("misread")
    stay.get_by_role("button").click()
    expect(page.locator("[role=status]")).to_have_text("It was put right.")
    expect(page.locator("[data-correction]").first).to_contain_text("misread")
    assert garage.box.store.read(lambda unit: unit.sessions.inside("粤B18345"))
