"""The editor of pages after payment and WeChat's slip in a real browser."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Route, expect

from edge.members.landing import BlockKind
from edge.members.landing_version import LandingSlot, LandingVersion, Occasion
from edge.web.desk import WebSettings
from edge.web.factory import create_web
from edge.web.serving import WebServer
from edge.web.staff.pages import box_pages
from tests.browser.desk_fake import NUMBER, PIN, DeskFake
from tests.browser.kiosk_page import LANDSCAPE, PHONE, watch
from tests.unit.shop import Shop

EDIT = "/staff/landing/edit?tenant=t-drinks&occasion=kiosk&campaign=may"
SLOT = LandingSlot("t-drinks", Occasion.KIOSK, "may")


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def origin(shop: Shop, tmp_path: Path) -> Iterator[str]:
    settings = WebSettings(port=0, pictures=tmp_path)
    server = WebServer(create_web(DeskFake(), settings, box_pages(shop.box, settings)), settings)
    server.start()
    yield f"http://127.0.0.1:{server.port}"
    server.close()


def signed_in(browser: Browser, origin: str, language: str, size: tuple[int, int] = LANDSCAPE) -> Page:
    width, height = size
    page = browser.new_context(viewport={"width": width, "height": height}).new_page()
    page.set_default_timeout(5_000)
    page.goto(f"{origin}/staff/login?language={language}")
    page.fill("input[name=pin]", PIN)
    page.press("input[name=pin]", "Enter")
    page.wait_for_url(lambda url: "login" not in url)
    return page


def newest(shop: Shop) -> LandingVersion:
    return shop.box.store.read(lambda unit: unit.landings.versions(SLOT, 1))[0]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_page_is_wider_than_a_phone(browser: Browser, origin: str, language: str) -> None:
    page = signed_in(browser, origin, language, PHONE)
    seen = watch(page, origin)
    for path in ("/staff/landing", EDIT):
        page.goto(origin + path)
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0], path
    expect(page.locator("[data-preview] .landing-top")).to_be_visible()
    assert (seen.errors, seen.elsewhere) == ([], [])


def test_blocks_are_added_moved_and_removed_while_the_preview_follows(
    browser: Browser, origin: str, shop: Shop
) -> None:
    page = signed_in(browser, origin, "en")
    page.goto(origin + EDIT)
    preview = page.locator("[data-preview]")
    page.locator("[data-variant] [data-field=title]").first.fill("五月茶会")
    page.locator("[data-variant] [data-field=title_en]").first.fill("Tea in May")
    expect(preview).to_contain_text("Tea in May")
    page.get_by_role("button", name="中文").click()
    expect(preview).to_contain_text("五月茶会")

    before = page.locator("[data-block]").count()
    page.locator("[data-add-kind]").select_option("coupon")
    page.get_by_role("button", name="Add block").click()
    block = page.locator("[data-block]").last
    expect(preview.get_by_role("alert")).to_contain_text("it needs a title")
    block.locator("[data-field=title]").fill("满百减十五")
    block.locator("[data-field=code]").fill("MAY-15")
    block.get_by_role("button", name="Up").click()
    page.locator("[data-block]").last.get_by_role("button", name="Remove").click()
    expect(preview.locator("li")).to_have_count(before)
    expect(preview.locator("li").last).to_contain_text("MAY-15")
    page.get_by_role("button", name="Publish").click()

    expect(page.locator("[data-version='1']")).to_contain_text("in force")
    blocks = newest(shop).variants[0].page.blocks
    assert (blocks[-1].kind, blocks[-1].code) == (BlockKind.COUPON, "MAY-15")


def test_a_second_variant_and_an_uploaded_picture_are_published(
    browser: Browser, origin: str, shop: Shop
) -> None:
    page = signed_in(browser, origin, "zh")
    page.goto(origin + EDIT)
    tea = io.BytesIO()
    Image.new("RGB", (640, 360), "tomato").save(tea, "PNG")
    file = {"name": "tea.png", "mimeType": "image/png", "buffer": tea.getvalue()}
    page.locator("[data-upload]").first.set_input_files(file)  # type: ignore[arg-type]
    expect(page.locator("[data-preview] .landing-top img")).to_be_visible()
    page.locator("[data-do=add-variant]").click()
    page.locator("[data-variant]").last.locator("[data-field=title]").first.fill("乙方案")
    expect(page.locator("[data-preview]")).to_contain_text("乙方案")
    page.locator("[data-do=publish]").click()

    expect(page.locator("[data-arm=B]")).to_be_visible()
    variants = newest(shop).variants
    assert [one.name for one in variants] == ["A", "B"]
    assert variants[0].page.picture == variants[1].page.picture != ""


def test_the_slip_tells_wechats_page_that_it_is_ready_and_where_a_button_leads(
    browser: Browser, origin: str
) -> None:
    page = browser.new_context(viewport={"width": PHONE[0], "height": PHONE[1]}).new_page()
    page.set_default_timeout(5_000)
    # Chromium lets no public page frame a loopback address, so that the box gets a public name here.
    public, outer = "https://box.example", "https://payapp.weixin.qq.com/"
    address = f"{public}/phone/gold/slip?sub_mch_id=1&out_trade_no={NUMBER}&check_code=good"
    hears = "<script>addEventListener('message', (told) => { document.title += told.data })</script>"
    frame = f"{hears}<iframe src='{address}' style='width:390px;height:800px'></iframe>"

    def from_box(route: Route) -> None:
        route.fulfill(response=route.fetch(url=route.request.url.replace(public, origin)))

    page.route(f"{public}/**", from_box)
    page.route(f"{outer}**", lambda route: route.fulfill(body=frame, content_type="text/html"))
    page.route("https://wx.gtimg.com/**", lambda route: route.fulfill(content_type="text/javascript"))
    page.goto(outer)
    page.frame_locator("iframe").locator("[data-jump]").first.click()

    expect(page).to_have_title(re.compile("SHOW_CUSTOM_PAGE.*jumpOut.*mall.example/coupon"))
    # What is on its way to the box must not end in the next test.
    page.unroute_all(behavior="wait")
    page.context.close()
