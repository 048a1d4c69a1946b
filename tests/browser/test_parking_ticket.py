"""A driver without a readable plate takes a ticket by phone, in a real browser, and leaves by it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, expect

from edge.web.desk import WebSettings
from edge.web.factory import create_web
from edge.web.phone import parking
from edge.web.serving import WebServer
from tests.browser.desk_fake import DeskFake
from tests.browser.kiosk_page import SHOTS, watch
from tests.unit.lane_rig import IN, OUT, LaneRig

PHONE = {"width": 390, "height": 844}

_SHOWN = {"zh": ("领票入场", "您的停车票"), "en": ("Take a ticket and enter", "Your parking ticket")}


@pytest.fixture
def lanes() -> LaneRig:
    lanes = LaneRig()
    rules = replace(lanes.box.rules, public_url="https://mall.example")
    lanes.box = replace(lanes.box, rules=rules)
    return lanes


@pytest.fixture
def served(lanes: LaneRig) -> Iterator[str]:
    settings = WebSettings(port=0, shop_name="云锦里商场", shop_name_en="Yunjinli Mall", zone="UTC")
    desk = DeskFake()
    web = create_web(desk, settings, apart=(parking.blueprint(lanes.box, settings),))
    server = WebServer(web, settings)
    server.start()
    yield f"http://127.0.0.1:{server.port}"
    desk.changes.close()
    server.close()


def look_at(page: Page, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"ticket-{name}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_ticket_is_taken_kept_shown_and_looked_at(
    browser: Browser, served: str, lanes: LaneRig, language: str
) -> None:
    context = browser.new_context(viewport=PHONE)  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(5000)
    seen = watch(page, served)
    take, yours = _SHOWN[language]
    entry, leave = f"/phone/parking/lane/{IN}", f"/phone/parking/lane/{OUT}"
    page.goto(f"{served}{entry}?language={language}")
    look_at(page, f"{language}-nobody")
    lanes.loops(IN, True, False)
    lanes.read(IN, "")
    page.locator(".again a").click()
    look_at(page, f"{language}-offered")
    page.get_by_role("button", name=take).click()
    expect(page.locator(".ticket")).to_contain_text(yours)
    loaded = "image => image.complete && image.naturalWidth > 0"
    page.wait_for_function(loaded, arg=page.locator(".ticket img").element_handle())
    look_at(page, f"{language}-taken")
    lanes.work(IN)
    lanes.drive(IN)
    lanes.ports.clock.advance(1_800_000)
    lanes.loops(OUT, True, False)
    lanes.wait(OUT, 6)
    page.goto(f"{served}{leave}?language={language}")
    look_at(page, f"{language}-exit")
    page.locator(".wanted button").first.click()
    expect(page.locator(".stay .sum")).to_have_text("¥5.00")
    look_at(page, f"{language}-fee")
    lanes.settle(lanes.here(OUT).session_id, 500)
    lanes.work(OUT)
    assert lanes.gates[OUT].pulses == 1
    assert (seen.errors, seen.elsewhere) == ([], [])
    context.close()


def test_a_free_stay_goes_at_once_and_another_phone_may_type_the_ticket(
    browser: Browser, served: str, lanes: LaneRig
) -> None:
    lanes.loops(IN, True, False)
    lanes.read(IN, "")
    mine = browser.new_context(viewport=PHONE).new_page()  # type: ignore[arg-type]
    mine.goto(f"{served}/phone/parking/lane/{IN}?language=en")
    mine.get_by_role("button", name="Take a ticket and enter").click()
    link = mine.locator(".ticket a").get_attribute("href") or ""
    lanes.work(IN)
    lanes.drive(IN)
    stay = lanes.last(IN).session_id
    lanes.settle(stay, 500)
    lanes.loops(OUT, True, False)
    lanes.wait(OUT, 6)
    other = browser.new_context(viewport=PHONE).new_page()  # type: ignore[arg-type]
    other.goto(f"{served}/phone/parking/lane/{OUT}?language=en")
    other.locator("#ticket").fill(link)
    other.get_by_role("button", name="Leave with this ticket").click()
    expect(other.locator(".goes")).to_contain_text("The gate opens")
    look_at(other, "en-goes")
    lanes.work(OUT)
    assert lanes.gates[OUT].pulses == 1
    mine.context.close()
    other.context.close()
