"""Scan and go as a shopper and a guard see it: cart, paying, exit code, guard's page, the kiosk's code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from edge.app.pictures import SentPictures
from edge.services.hand_over_basket import give_cart
from edge.services.staff import StaffBook, StaffMember
from edge.web.changes import Changes
from edge.web.desk import WebSettings
from edge.web.factory import create_web
from edge.web.phone import api as phone_api
from edge.web.phone import kiosk_page, pay, shop, way_out
from edge.web.service_desk import ServiceDesk
from edge.web.serving import WebServer
from edge.web.staff.pages import box_pages
from edge.web.staff_status import Insight
from sim.fakes.box import BREAD, COLA, KIOSK, WINE
from sim.mall_config import DEMO_PIN, PIN_HASH
from tests.browser.kiosk_page import LANDSCAPE, SHOTS
from tests.unit.barcode_pictures import drawn
from tests.unit.cart_shop import ALL, DOOR, CartShop

PHONE = {"width": 390, "height": 844}
LANGUAGES = ["zh", "en"]


@dataclass
class Served(CartShop):
    """A CartShop behind a web server."""

    url: str = ""
    changes: Changes = field(default_factory=Changes)

    def serve(self) -> WebServer:
        self.box = replace(self.box, changed=self._draw, pictures=SentPictures())
        staff = StaffBook((StaffMember("王芳", "cashier", PIN_HASH),), self.box.clock)
        settings = WebSettings(
            port=0, shop_name="云锦里商场", shop_name_en="Yunjinli Mall", zone="Asia/Shanghai"
        )
        insight = Insight(lambda: (), lambda: (), lambda: (), "test", lambda: "ok", None, None)  # type: ignore[arg-type]
        desk = ServiceDesk(self.box, staff, self.changes, insight, lambda *_: None)
        parts = (phone_api, pay, shop, kiosk_page, way_out)
        apart = tuple(part.blueprint(self.box, settings) for part in parts)
        server = WebServer(
            create_web(desk, settings, box_pages(self.box, settings, staff=staff), None, apart), settings
        )
        server.start()
        self.url = f"http://127.0.0.1:{server.port}"
        return server

    def _draw(self, place: str) -> None:
        self.changes.bump(place)

    def orders(self) -> str:
        """Return the order that a phone is about to pay."""
        (attempt,) = self.box.store.read(lambda unit: unit.attempts.open(9))
        return attempt.order_id


@pytest.fixture
def mall() -> Iterator[Served]:
    served = Served(go=replace(ALL, recheck_permille=1_000))
    server = served.serve()
    yield served
    served.changes.close()
    server.close()


def phone_of(browser: Browser, language: str, **more: object) -> tuple[BrowserContext, Page]:
    context = browser.new_context(viewport=PHONE, locale="zh-CN" if language == "zh" else "en-GB", **more)  # type: ignore[arg-type]
    return context, context.new_page()


def shot(page: Page, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png", full_page=True)
    width = (page.viewport_size or PHONE)["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def type_code(page: Page, code: str) -> None:
    page.fill("#code", code)
    page.locator(".typed button").click()


def sign_in(page: Page, mall: Served, language: str) -> None:
    page.goto(f"{mall.url}/staff/exit/{DOOR}?language={language}")
    page.fill("input[name=pin]", DEMO_PIN)
    page.keyboard.press("Enter")
    expect(page.locator("[data-look]")).to_be_visible()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_shopper_scans_pays_and_leaves_under_the_guards_eyes(
    browser: Browser, mall: Served, language: str
) -> None:
    context, page = phone_of(browser, language)
    page.goto(f"{mall.url}/phone/shop?language={language}")
    shot(page, f"shop-{language}-1-empty")
    for code in (COLA, BREAD, COLA):
        type_code(page, code)
    expect(page.locator(".goods li")).to_have_count(2)
    type_code(page, WINE)
    expect(page.locator("[data-said=cart_age]")).to_be_visible()
    shot(page, f"shop-{language}-2-cart")
    page.locator(".goods li", has_text="8.00").locator("button").nth(1).click()
    expect(page.locator(".ends .all strong")).to_have_text("¥23.00")
    page.locator(".ends form").first.locator("button").click()
    expect(page.locator(".paycode img")).to_be_visible()
    assert page.locator(".paycode img").evaluate("image => image.naturalWidth") > 0
    shot(page, f"shop-{language}-3-pay")
    order_id = mall.orders()
    mall.pays(mall.stored_order(order_id))
    page.wait_for_url(f"{mall.url}/phone/exit/{order_id}*", timeout=15_000)
    expect(page.locator(".exit-card img")).to_be_visible()
    assert page.locator(".exit-card img").evaluate("image => image.naturalWidth") > 0
    shot(page, f"shop-{language}-4-exit")
    page.goto(f"{mall.url}/phone/shop?language={language}")
    page.locator(f"a[href*='/phone/exit/{order_id}']").click()
    expect(page.locator(".exit-card img")).to_be_visible()
    _leave(browser, mall, page, order_id, language)
    context.close()


def _leave(browser: Browser, mall: Served, page: Page, order_id: str, language: str) -> None:
    guard = browser.new_page(viewport={"width": LANDSCAPE[0], "height": LANDSCAPE[1]})
    sign_in(guard, mall, language)
    shot(guard, f"exit-{language}-1-ready")
    guard.keyboard.type(mall.exit(order_id).code)
    guard.keyboard.press("Enter")
    expect(guard.locator("[data-verdict=recheck]")).to_be_visible()
    shot(guard, f"exit-{language}-2-recheck")
    expect(page.locator("[data-exit=recheck]")).to_be_visible(timeout=15_000)
    guard.locator(".recheck li").first.locator("input[type=checkbox]").check()
    guard.locator(".recheck input[type=number]").last.fill("1")
    guard.fill("input[name=extra]", "红酒一瓶")
    guard.locator(".recheck .big").click()
    expect(guard.locator("[data-verdict=done]")).to_be_visible()
    shot(guard, f"exit-{language}-3-extra")
    expect(page.locator("[data-exit=passed]")).to_be_visible(timeout=15_000)
    shot(page, f"shop-{language}-5-passed")
    mall.wait(5_000)
    guard.locator("[data-wedge]").fill(mall.exit(order_id).code)
    guard.keyboard.press("Enter")
    expect(guard.locator("[data-verdict=used]")).to_be_visible()
    shot(guard, f"exit-{language}-4-used")
    guard.set_viewport_size(PHONE)  # type: ignore[arg-type]
    shot(guard, f"exit-{language}-5-narrow")
    guard.close()


def test_the_exits_own_scanner_shows_on_the_guards_page_by_itself(browser: Browser, mall: Served) -> None:
    guard = browser.new_page(viewport={"width": LANDSCAPE[0], "height": LANDSCAPE[1]})
    sign_in(guard, mall, "zh")
    mall.scan("nonsense", DOOR)
    expect(guard.locator("[data-verdict=unknown]")).to_be_visible()
    shot(guard, "exit-zh-6-unknown")
    guard.close()


def test_a_picture_of_a_barcode_is_made_small_and_read(browser: Browser, mall: Served) -> None:
    context, page = phone_of(browser, "zh")
    page.goto(f"{mall.url}/phone/shop?language=zh")
    chooser = page.locator("[data-photo] input[type=file]")
    expect(page.locator("[data-camera]")).to_be_visible()
    chooser.set_input_files({"name": "shelf.png", "mimeType": "image/png", "buffer": _photo(COLA)})
    expect(page.locator(".goods li")).to_have_count(1)
    expect(page.locator(".goods li")).to_contain_text("可乐")
    page.locator("[data-photo] input[type=file]").set_input_files(
        {"name": "wall.png", "mimeType": "image/png", "buffer": _photo("")}
    )
    expect(page.locator("[data-said=cart_nothing_seen]")).to_be_visible()
    shot(page, "shop-zh-6-nothing-seen")
    context.close()


#: A camera and a detector of barcodes as phones' browsers have them; `seen` is what lies before the camera.
LIVE = """
window.seen = "";
navigator.mediaDevices.getUserMedia = async () => {
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d");
  setInterval(() => pen.fillRect(0, 0, 9, 9), 40);
  return canvas.captureStream(25);
};
window.BarcodeDetector = class {
  static async getSupportedFormats() { return ["ean_13", "qr_code"]; }
  async detect() { return window.seen ? [{ rawValue: window.seen }] : []; }
};
"""


def test_the_live_camera_adds_what_it_sees_once_and_stays_on(browser: Browser, mall: Served) -> None:
    context, page = phone_of(browser, "en")
    page.add_init_script(LIVE)
    answer = page.goto(f"{mall.url}/phone/shop?language=en")
    assert answer is not None
    assert answer.headers["permissions-policy"].startswith("camera=(self)")
    page.locator("[data-live]").click()
    expect(page.locator("[data-video]")).to_be_visible()
    shot(page, "shop-en-7-live")
    page.evaluate(f"window.seen = '{COLA}'")
    expect(page.locator(".goods li")).to_have_count(1)
    page.evaluate(f"window.seen = '{BREAD}'")
    expect(page.locator(".goods li")).to_have_count(2)
    expect(page.locator(".goods output")).to_have_text(["1", "1"])
    expect(page.locator("[data-video]")).to_be_visible()
    page.locator("[data-stop]").click()
    expect(page.locator("[data-video]")).to_be_hidden()
    expect(page.locator("[data-live]")).to_be_visible()
    context.close()


def test_everything_but_the_camera_works_without_a_script(browser: Browser, mall: Served) -> None:
    context, page = phone_of(browser, "en", java_script_enabled=False)
    page.goto(f"{mall.url}/phone/shop?language=en")
    expect(page.locator("[data-camera]")).to_be_hidden()
    type_code(page, COLA)
    expect(page.locator(".goods li")).to_have_count(1)
    page.locator(".goods form button").nth(1).click()
    expect(page.locator(".goods output")).to_have_text("2")
    page.locator(".goods .gone").click()
    expect(page.locator(".empty")).to_be_visible()
    context.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_kiosks_basket_is_paid_by_the_phone_or_goes_there_and_back(
    browser: Browser, mall: Served, language: str
) -> None:
    mall.scan_apart(COLA, BREAD)
    screen = browser.new_page(viewport={"width": LANDSCAPE[0], "height": LANDSCAPE[1]})
    screen.goto(f"{mall.url}/kiosk/{KIOSK}")
    if language == "en":
        screen.locator("[data-act=language][data-language=en]").click()
    code = screen.locator(".screen.basket [data-to-phone] img")
    expect(code).to_be_visible()
    expect(code).not_to_have_js_property("naturalWidth", 0)
    shot(screen, f"kiosk-phone-{language}-1-basket")
    screen.locator("#checkout").click()
    expect(screen.locator(".screen.checkout [data-to-phone] img")).to_be_visible()
    shot(screen, f"kiosk-phone-{language}-2-checkout")
    screen.set_viewport_size(PHONE)  # type: ignore[arg-type]
    shot(screen, f"kiosk-phone-{language}-2-narrow")
    screen.set_viewport_size({"width": LANDSCAPE[0], "height": LANDSCAPE[1]})
    context, page = phone_of(browser, language)
    page.goto(f"{mall.url}/phone/k/{mall.token()}?language={language}")
    expect(page.locator("[data-kiosk=checkout]")).to_be_visible()
    shot(page, f"kiosk-phone-{language}-3-seen")
    page.locator("form[action*='/pay'] button").click()
    expect(page.locator(".paycode img")).to_be_visible()
    expect(screen.locator("[data-phone-here]")).to_be_visible()
    shot(screen, f"kiosk-phone-{language}-4-phone-pays")
    shot(page, f"kiosk-phone-{language}-5-code")
    screen.locator("[data-phone-here]").click()
    expect(screen.locator(".screen.checkout")).to_be_visible()
    expect(page.locator("form[action*='/take'] button")).to_be_visible(timeout=15_000)
    page.locator("form[action*='/take'] button").click()
    expect(page.locator(".goods li")).to_have_count(2)
    expect(screen.locator(".screen.attract")).to_be_visible()
    expect(screen.locator("#notice")).to_be_visible()
    shot(screen, f"kiosk-phone-{language}-6-taken")
    _give_back(mall, page, screen, language)
    screen.close()
    context.close()


def _give_back(mall: Served, page: Page, screen: Page, language: str) -> None:
    page.locator("form[action*='/give'] button").click()
    expect(page.locator(".paycode img")).to_be_visible()
    shot(page, f"kiosk-phone-{language}-7-give")
    (cart,) = mall.box.store.read(lambda unit: unit.carts.forsaken(2**62, 9))
    owner = mall.box.store.read(lambda unit: unit.phones.by_basket(cart))
    assert owner is not None
    mall.scan(give_cart(mall.box, owner.session_id)[0])
    expect(page.locator("[data-given='kiosk-1']")).to_be_visible(timeout=15_000)
    expect(screen.locator(".screen.basket")).to_be_visible()
    expect(screen.locator("#notice")).to_be_visible()
    # As at a box with a car park, which has a button more.
    screen.evaluate("document.querySelector('.basket [data-fee-open]').hidden = false")
    shot(screen, f"kiosk-phone-{language}-8-back")
    pay = screen.locator("#checkout").bounding_box()
    assert pay is not None
    buttons = screen.locator(".basket .side-actions button:visible")
    expect(buttons).to_have_count(3)
    for button in buttons.all():
        box = button.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= pay["y"], button.inner_text()


def test_a_phone_is_told_that_the_kiosk_was_faster(browser: Browser, mall: Served) -> None:
    mall.scan_apart(COLA)
    context, page = phone_of(browser, "zh")
    page.goto(f"{mall.url}/phone/k/{mall.token()}?language=zh")
    page.locator("form[action*='/pay'] button").click()
    expect(page.locator(".paycode img")).to_be_visible()
    wallet = mall.code()
    mall.scan(wallet)
    mall.resolve(1_000)
    mall.pay(wallet)
    expect(page.locator("[data-kiosk=paid]")).to_contain_text("已在自助机付款", timeout=15_000)
    shot(page, "kiosk-phone-zh-9-elsewhere")
    context.close()


def _photo(digits: str) -> bytes:
    """Return a large PNG of a wall with a barcode on it, or without."""
    wall = np.full((1800, 2400, 3), 205, np.uint8)
    if digits:
        grey = drawn("EAN-13", scale=8, text=digits)
        wall[600 : 600 + grey.shape[0], 700 : 700 + grey.shape[1]] = grey[:, :, None]
    return bytes(cv2.imencode(".png", wall)[1])
