"""Refunds in a real browser: an order is found, goods chosen, a PIN given, and each leg seen to arrive."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from edge.services.refund_order import RefundAsk, request_refund
from edge.services.resolve_refunds import resolve_refunds
from edge.services.staff import StaffBook, StaffMember, hash_pin
from edge.services.take_cash import take_cash
from edge.web.desk import WebSettings
from edge.web.factory import create_web
from edge.web.serving import WebServer
from edge.web.staff.pages import box_pages
from sim.fakes.box import BREAD, COLA, TILL, weight_label
from sim.fakes.refund_gateway import RefundFault
from tests.browser.desk_fake import PIN, DeskFake
from tests.browser.kiosk_page import PHONE, SHOTS, watch
from tests.unit.shop import Shop

BOSS_PIN = "8642"
#: A tablet of 10 inches.
TABLET = (1280, 800)


class Till:
    """A box over fakes with a supervisor, and its pages."""

    def __init__(self) -> None:
        self.shop = Shop()
        self.desk = DeskFake()
        boss = StaffMember("王主管", "supervisor", hash_pin(BOSS_PIN, b"12345678"))
        settings = WebSettings(port=0)
        pages = box_pages(self.shop.box, settings, staff=StaffBook([boss], self.shop.box.clock))
        self.server = WebServer(create_web(self.desk, settings, pages), settings)
        self.server.start()
        self.origin = f"http://127.0.0.1:{self.server.port}"

    def sell(self, cash_fen: int = 400) -> str:
        """Sell two colas, bread and apples for some cash and the rest by code; return the order's number."""
        order = self.shop.order_of(COLA, COLA, BREAD, weight_label("101", 500), place=TILL)
        take_cash(self.shop.box, TILL, cash_fen)
        self.shop.pay(self.shop.code(), TILL)
        self.shop.wait(30_000)
        return order.number

    def resolve(self) -> None:
        resolve_refunds(self.shop.box)
        self.shop.wait(400_000)


@pytest.fixture
def till() -> Iterator[Till]:
    made = Till()
    yield made
    made.desk.changes.close()
    made.server.close()


def sign_in(page: Page, till: Till, language: str = "en") -> None:
    page.set_default_timeout(5000)
    page.goto(f"{till.origin}/staff/login?language={language}")
    page.locator("input[name=pin]").fill(PIN)
    page.locator(".login button").click()
    expect(page.locator("nav")).to_be_visible()


def open_order(page: Page, till: Till, number: str) -> None:
    page.goto(f"{till.origin}/staff/refunds")
    page.locator("input[name=text]").fill(number[-4:])
    page.get_by_role("button", name="Find").click()
    page.locator(f"[data-order='{number}'] a").click()


def approve(page: Page, pin: str = BOSS_PIN, reason: str = "Damaged") -> None:
    page.get_by_label("Reason").select_option(label=reason)
    page.get_by_label("Supervisor's PIN").fill(pin)
    page.get_by_role("button", name="Approve and give back").click()


def test_goods_are_chosen_approved_and_seen_to_arrive(page: Page, till: Till) -> None:
    seen = watch(page, till.origin)
    till.shop.ports.refunds.slow_queries = 1
    number = till.sell()
    sign_in(page, till)
    open_order(page, till, number)
    page.get_by_label("Goods", exact=True).check()
    page.locator("[data-line=cola] input").fill("1")
    page.locator("[data-line=apple] input").fill("1")
    page.get_by_role("button", name="Work it out").click()
    expect(page.locator("[data-form=give] h3")).to_have_text("¥9.90 goes back")
    expect(page.locator(".ways li")).to_have_text(["Back to WeChat Pay ¥9.90"])
    approve(page, pin="0000")
    expect(page.get_by_role("alert")).to_contain_text("PIN is not known")
    expect(page.locator("[data-line=cola] input")).to_have_value("1")
    approve(page)
    expect(page.locator("[data-phase]")).to_have_text("On its way")
    expect(page.locator("[data-leg=intended]")).to_contain_text("About to be sent")
    till.resolve()
    expect(page.locator("[data-leg=processing]")).to_be_visible(timeout=6000)
    till.resolve()
    till.resolve()
    expect(page.locator("[data-leg=done]")).to_be_visible(timeout=6000)
    expect(page.locator("[data-phase=done]")).to_have_text("Given back")
    # The refused PIN is answered with 400, which a browser logs.
    assert [said for said in seen.errors if "400" not in said] == []


def test_an_amount_over_both_tenders_and_the_rest_close_the_order(page: Page, till: Till) -> None:
    number = till.sell(cash_fen=2_000)
    sign_in(page, till)
    open_order(page, till, number)
    page.get_by_label("An amount, the goods are kept").check()
    page.get_by_label("Amount", exact=True).fill("5.00")
    page.get_by_role("button", name="Work it out").click()
    expect(page.locator(".ways li")).to_have_text(["Back to WeChat Pay ¥1.40", "Cash from the drawer ¥3.60"])
    approve(page, reason="Wrong price")
    till.resolve()
    open_order(page, till, number)
    page.get_by_label("Everything, ¥16.40").check()
    page.get_by_role("button", name="Work it out").click()
    approve(page)
    expect(page.locator("[data-phase=done]")).to_be_visible()
    page.goto(f"{till.origin}/staff/refunds")
    expect(page.locator(f"[data-order='{number}']")).to_contain_text("All given back")
    balances = till.shop.box.store.read(lambda unit: unit.ledger.balances())
    assert not any(balances.values())


def test_what_cannot_arrive_is_paid_out_in_cash(page: Page, till: Till) -> None:
    number = till.sell()
    till.shop.ports.refunds.fail_next("refund", RefundFault.CLOSED)
    sign_in(page, till)
    open_order(page, till, number)
    page.get_by_label("Goods", exact=True).check()
    page.locator("[data-line=bread] input").fill("1")
    page.get_by_role("button", name="Work it out").click()
    approve(page)
    till.resolve()
    expect(page.locator("[data-stuck=closed]")).to_be_visible(timeout=6000)
    page.get_by_text("Give cash instead").click()
    page.get_by_label("Supervisor's PIN").first.fill(BOSS_PIN)
    page.get_by_role("button", name="Give ¥8.00 from the drawer").click()
    expect(page.locator("[data-phase=done]")).to_be_visible()
    expect(page.locator("[data-leg=replaced]")).to_be_visible()


def ask_as_hq(till: Till, order_id: str) -> None:
    ask, now = RefundAsk("hq-refund", order_id, TILL, "quality", amount_fen=300), till.shop.box.clock.now()
    till.shop.box.store.write(lambda unit: request_refund(unit, till.shop.box, ask, "HQ: Ms Li", now))


def test_a_request_of_hq_is_decided_here(page: Page, till: Till) -> None:
    till.sell()
    order_id = till.shop.screen(TILL)["order"]["id"]
    ask_as_hq(till, order_id)
    sign_in(page, till)
    page.goto(f"{till.origin}/staff/refunds")
    page.locator("[data-list=open] a").first.click()
    expect(page.locator("[data-phase=requested]")).to_be_visible()
    page.get_by_label("Supervisor's PIN").fill(BOSS_PIN)
    page.get_by_role("button", name="Turn down").click()
    expect(page.locator("[data-phase=rejected]")).to_be_visible()


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("size", [TABLET, PHONE], ids=["tablet", "phone"])
def test_no_page_is_wider_than_its_screen(
    browser: Browser, till: Till, language: str, size: tuple[int, int]
) -> None:
    till.sell()
    order_id = till.shop.screen(TILL)["order"]["id"]
    till.shop.ports.refunds.fail_next("refund", RefundFault.CLOSED)
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    sign_in(page, till, language)
    order = f"/staff/refunds/orders/{order_id}"
    page.goto(f"{till.origin}{order}?mode=amount&amount=9.00")
    page.locator("#reason").select_option("quality")
    page.locator("#pin").fill(BOSS_PIN)
    page.locator("[data-form=give] button").click()
    till.resolve()
    expect(page.locator("[data-stuck]")).to_be_visible(timeout=6000)
    refund = page.url.removeprefix(till.origin)
    ask_as_hq(till, order_id)
    SHOTS.mkdir(parents=True, exist_ok=True)
    shots = {
        "refunds": "/staff/refunds",
        "refund-order": f"{order}?mode=amount&amount=2.00",
        "refund": refund,
        "refund-asked": "/staff/refunds/hq-refund",
    }
    for name, path in shots.items():
        page.goto(f"{till.origin}{path}")
        page.screenshot(path=SHOTS / f"{name}-{language}-{size[0]}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0], name
        low = page.evaluate(
            "[...document.querySelectorAll('main button, main .button, main select')]"
            ".filter(one => one.offsetParent && one.offsetHeight < 48).map(one => one.outerHTML)"
        )
        assert low == [], name
    page.close()
