"""The page of validations in a real browser: found, revoked with a reason, coupons, a month's settlement."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, expect

from edge.errors import Invalid
from edge.parking.benefit import BenefitKind
from edge.parking.validation import Holder, use
from edge.services.grant_validation import validate_by_coupon
from edge.services.show_validations import settlement, settlement_csv
from edge.web.desk import WebSettings
from edge.web.factory import create_web
from edge.web.serving import WebServer
from edge.web.staff.pages import box_pages
from sim.fakes.box import BREAD, COLA
from tests.browser.desk_fake import PIN, DeskFake
from tests.browser.kiosk_page import PHONE, SHOTS, watch
from tests.unit.test_services_validation import RULE, Place
from tests.unit.validation_samples import validation

#: A tablet of 10 inches.
TABLET = (1280, 800)


class Office:
    """A garage with a shop, and its staff pages."""

    def __init__(self) -> None:
        self.place = Place()
        self.place.rule(replace(RULE, merchant="t-bakery"))
        self.desk = DeskFake()
        settings = WebSettings(port=0)
        pages = box_pages(self.place.box, settings)
        self.server = WebServer(create_web(self.desk, settings, pages), settings)
        self.server.start()
        self.origin = f"http://127.0.0.1:{self.server.port}"

    def month(self) -> str:
        """Have some merchants give away parking; return the month."""
        order = self.place.buy(BREAD, COLA)
        day = self.place.stored_order(order).business_day
        at = self.place.ports.clock.now().wall_at
        rows = [("t-drinks", 2_400), ("t-fruit", 900), ("", 4_100)]

        def work(unit) -> None:  # type: ignore[no-untyped-def]
            for merchant, fen in rows:
                one = validation(f"x-{merchant}", merchant=merchant, day=day, granted_at=at, order_id="")
                unit.validations.put(use(one, f"s-{merchant}", fen, at))

        self.place.box.store.write(work)
        return day[:7]


@pytest.fixture
def office() -> Iterator[Office]:
    made = Office()
    yield made
    made.desk.changes.close()
    made.server.close()


def sign_in(browser: Browser, office: Office, size: tuple[int, int], language: str = "en") -> Page:
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    page.goto(f"{office.origin}/staff/login")
    page.fill("input[name=pin]", PIN)
    page.keyboard.press("Enter")
    page.wait_for_url("**/staff/devices")
    page.goto(f"{office.origin}/staff/validations?language={language}")
    return page


@pytest.mark.parametrize("size", [TABLET, PHONE], ids=["tablet", "phone"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_pages_fit_and_are_seen(
    browser: Browser, office: Office, size: tuple[int, int], language: str
) -> None:
    month = office.month()
    page = sign_in(browser, office, size, language)
    watched = watch(page, office.origin)
    SHOTS.mkdir(parents=True, exist_ok=True)
    expect(page.locator("[data-validation]")).to_have_count(4)
    page.screenshot(path=SHOTS / f"validations-{language}-{size[0]}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto(f"{office.origin}/staff/validations/report?month={month}")
    expect(page.locator("[data-plot] rect")).to_have_count(4)
    expect(page.locator("[data-sum]")).to_contain_text("¥74.00")
    page.screenshot(path=SHOTS / f"validation-report-{language}-{size[0]}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not watched.errors
    page.close()


def test_a_validation_is_found_and_taken_back_with_a_reason(browser: Browser, office: Office) -> None:
    order = office.place.buy(BREAD, COLA)
    page = sign_in(browser, office, TABLET)
    page.fill("input[name=text]", "B123")
    page.get_by_role("button", name="Show").click()
    row = page.locator("[data-validation]")
    expect(row).to_have_count(1)
    row.locator("summary").click()
    row.locator("input[name=reason]").fill("staff car")
    row.get_by_role("button", name="Revoke").click()
    expect(page.locator("[data-validation]")).to_contain_text("staff car")
    assert office.place.of(order) == ["revoked"]
    page.fill("input[name=text]", "nothing like it")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("[data-validation]")).to_have_count(0)
    page.close()


def test_coupons_are_given_out_as_codes_that_serve(browser: Browser, office: Office) -> None:
    page = sign_in(browser, office, PHONE)
    page.select_option("select[name=merchant]", "t-bakery")
    page.fill("input[name=count]", "2")
    page.get_by_role("button", name="Give out", exact=True).click()
    expect(page.locator("[data-coupon]")).to_have_count(2)
    expect(page.locator("[data-coupon] svg").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(path=SHOTS / "validations-coupons-390.png", full_page=True)
    code = str(page.locator("[data-coupon]").first.get_attribute("data-coupon"))
    one = validate_by_coupon(office.place.box, code[2:-1], Holder(plate="粤B12345"))
    assert one.grant.kind is BenefitKind.MINUTES
    page.fill("input[name=count]", "999")
    page.select_option("select[name=merchant]", "t-bakery")
    page.get_by_role("button", name="Give out", exact=True).click()
    expect(page.locator(".refused")).to_contain_text("200 coupons at once")
    page.close()


def test_the_settlement_comes_as_csv_without_formulas(browser: Browser, office: Office) -> None:
    month = office.month()
    page = sign_in(browser, office, TABLET)
    page.goto(f"{office.origin}/staff/validations/report?month={month}")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    text = download.value.path().read_text(encoding="utf-8-sig")
    assert f"t-drinks,饮料店,{month},1,1,0,0,120,20.00,24.00" in text.replace("\r", "")
    report = settlement(office.place.box, month)
    evil = replace(report.totals[0], merchant="=1+1")
    assert "'=1+1" in settlement_csv(replace(report, totals=(evil,)))
    with pytest.raises(Invalid, match="no month"):
        settlement(office.place.box, "2026-13")
    page.close()
