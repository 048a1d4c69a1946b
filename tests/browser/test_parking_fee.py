"""The parking fee at a kiosk and on a driver's phone, in a real browser over the use cases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, expect

from devices.types import Scan
from edge.parking.debt import Debt, DebtCause
from edge.services.staff import StaffBook
from edge.web.api import stays
from edge.web.changes import Changes
from edge.web.desk import WebSettings
from edge.web.factory import create_web
from edge.web.phone import parking
from edge.web.service_desk import ServiceDesk
from edge.web.serving import WebServer
from edge.web.staff_status import Insight
from sim.fakes.box import KIOSK
from tests.browser.kiosk_page import SHOTS, watch
from tests.unit.garage import PLATE, Garage

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def garage() -> Garage:
    garage = Garage()
    garage.box.store.write(
        lambda unit: unit.debts.put(Debt("d-1", "stay-old", PLATE, 700, DebtCause.GUARD, 5, "out-1"))
    )
    return garage


@pytest.fixture
def served(garage: Garage) -> Iterator[str]:
    changes = Changes()
    insight = Insight(lambda: (), lambda: (), lambda: (), "test", lambda: "ok", None, None)  # type: ignore[arg-type]
    box = replace(garage.box, changed=changes.bump)
    garage.box = box
    settings = WebSettings(port=0, shop_name="云锦里商场", shop_name_en="Yunjinli Mall", zone="UTC")

    def scan(place: str, one: Scan) -> None:
        garage.pay(one.text, place)

    desk = ServiceDesk(box, StaffBook((), box.clock), changes, insight, scan)
    apart = (parking.blueprint(box, settings), stays.blueprint(box, settings))
    server = WebServer(create_web(desk, settings, apart=apart), settings)
    server.start()
    yield f"http://127.0.0.1:{server.port}"
    changes.close()
    server.close()


def type_plate(page: Page, plate: str) -> None:
    sheet = page.locator("[data-overlay=fee]")
    for character in plate:
        sheet.locator(f"[data-key='{character}']").click()


def test_a_fee_is_found_by_plate_explained_and_paid_at_a_kiosk(
    page: Page, served: str, garage: Garage
) -> None:
    stay = garage.come()
    seen = watch(page, served)
    page.goto(f"{served}/kiosk/{KIOSK}")
    page.locator(".screen.attract [data-fee-open]").click()
    type_plate(page, "粤B00000")
    page.locator("[data-overlay=fee] .row .primary").click()
    expect(page.locator("[data-overlay=fee] .pin-problem")).not_to_be_empty()
    for _ in range(7):
        page.locator("[data-overlay=fee] [data-key=erase]").click()
    type_plate(page, PLATE)
    page.screenshot(path=SHOTS / "parking-fee-pad.png")
    page.locator("[data-overlay=fee] .row .primary").click()
    found = page.locator("[data-fee-stays] > li")
    expect(found).to_have_count(1)
    expect(found).to_contain_text("粤B·123··")
    page.screenshot(path=SHOTS / "parking-fee-found.png")
    found.locator("button").click()
    expect(page.locator("[data-due]")).to_have_text("¥17.00")
    expect(page.locator("[data-fee-why] li").first).to_be_visible()
    page.screenshot(path=SHOTS / "parking-fee-checkout.png")
    garage.pay(garage.code())
    expect(page.locator("[data-leave-by]")).to_be_visible()
    page.screenshot(path=SHOTS / "parking-fee-paid.png")
    assert [one.amount_fen for one in garage.settled(stay)] == [1_000]
    # The plate that was not there is no error of the page.
    assert [one for one in seen.errors if "404" not in one] == []
    assert seen.elsewhere == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_drivers_page_fits_a_phone_and_pays(
    browser: Browser, served: str, garage: Garage, language: str
) -> None:
    stay = garage.come()
    page = browser.new_page(viewport=PHONE)  # type: ignore[arg-type]
    page.goto(f"{served}/phone/parking?language={language}")
    page.screenshot(path=SHOTS / f"parking-phone-{language}-find.png", full_page=True)
    page.fill("#plate", PLATE)
    page.locator(".find button").click()
    expect(page.locator(".stay .sum")).to_have_text("¥17.00")
    page.screenshot(path=SHOTS / f"parking-phone-{language}-fee.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.locator(".stay button").click()
    expect(page.locator(".paycode img")).to_be_visible()
    page.screenshot(path=SHOTS / f"parking-phone-{language}-code.png", full_page=True)
    (attempt,) = garage.box.store.read(lambda unit: unit.attempts.open(9))
    garage.phones.pay(attempt.pay_url)
    garage.resolve(6_000)
    expect(page.locator(".leave")).to_be_visible(timeout=10_000)
    page.screenshot(path=SHOTS / f"parking-phone-{language}-paid.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert [one.amount_fen for one in garage.settled(stay)] == [1_000]
    page.close()
