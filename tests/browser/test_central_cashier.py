"""The central cashier in a browser: several counters' tickets on one till, one payment, a code for each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, expect

from devices.types import Scan
from edge.codes.reading import code_rules
from edge.codes.signed_token import TokenKind, sign_token
from edge.services.box import Box, Tenant, Workstation, WorkstationKind
from edge.services.phone_rules import PhoneRules
from edge.services.receive_scan import receive_scan
from edge.services.resolve_attempts import resolve_attempts
from edge.services.resolve_splits import resolve_splits
from edge.services.settle_tenants import SHARE_AFTER_MS
from edge.services.staff import StaffBook, StaffMember
from edge.services.take_payment import submit
from edge.web.api import tickets
from edge.web.changes import Changes
from edge.web.desk import WebSettings
from edge.web.factory import create_web
from edge.web.service_desk import ServiceDesk
from edge.web.serving import WebServer
from edge.web.staff.pages import box_pages
from edge.web.staff_status import Insight
from edge.web.texts import load_texts
from sim.fakes.box import COLA, GATEWAY, RULES, TILL
from sim.fakes.prepay_gateway import FakePrepayGateway
from sim.fakes.split_gateway import FakeSplitGateway
from sim.mall_config import DEMO_PIN, PIN_HASH
from tests.browser.kiosk_page import LANDSCAPE, PHONE, SHOTS, Watched, watch
from tests.unit.shop import Shop
from tests.unit.test_services_collect_tickets import KEY, put, stored, ticket

LANGUAGES = ["zh", "en"]
COUNTERS = {name: Workstation(name, WorkstationKind.COUNTER) for name in ("C01", "C02")}
TENANTS = {
    "t-tea": Tenant("t-tea", "云上茶", "Cloud Tea", "1900000011", 80),
    "t-bakery": Tenant("t-bakery", "麦香坊", "Maixiang Bakery", "1900000012", 100),
}


class CashierShop(Shop):
    """A till, two counters, and a gateway that takes combined payments."""

    def open(self) -> str:
        self.changes = Changes()
        self.phones = FakePrepayGateway(self.ports.gateway)
        self.box: Box = replace(
            self.box,
            phone=PhoneRules(key=KEY),
            tenants=TENANTS,
            workstations={**self.box.workstations, **COUNTERS},
            prepayers={GATEWAY: self.phones},
            changed=self.changes.bump,
        )
        insight = Insight(lambda: (), lambda: (), lambda: (), "test", lambda: "ok", None, None)  # type: ignore[arg-type]
        settings = WebSettings(port=0, shop_name="云锦里商场", shop_name_en="Yunjinli Mall", zone="UTC")
        staff = StaffBook((StaffMember("王芳", "cashier", PIN_HASH),), self.box.clock)
        desk = ServiceDesk(self.box, staff, self.changes, insight, self._typed)
        pages = box_pages(self.box, settings, staff=staff)
        self.server = WebServer(
            create_web(desk, settings, pages, None, (tickets.blueprint(self.box),)), settings
        )
        self.server.start()
        return f"http://127.0.0.1:{self.server.port}"

    def pay_by_phone(self) -> None:
        """Have a phone scan what the till shows, and the service ask about it."""
        (attempt,) = self.box.store.read(lambda unit: unit.attempts.open(9))
        assert self.phones.pay(attempt.pay_url)
        self.wait(6_000)
        resolve_attempts(self.box)

    def _typed(self, place: str, scan: Scan) -> None:
        receive_scan(self.box, place, scan)

    def close(self) -> None:
        self.changes.close()
        self.server.close()


@pytest.fixture
def shop() -> Iterator[CashierShop]:
    made = CashierShop(rules=replace(RULES, codes=code_rules(public_hosts=("mall.example",))))
    put(
        made,
        ticket(1, "t-tea", 12_800, 3_500),
        ticket(2, "t-bakery", 880),
        ticket(3, "t-tea", 100, expires_at=1),
    )
    yield made
    made.close()


@pytest.fixture
def origin(shop: CashierShop) -> str:
    return shop.open()


@pytest.fixture
def seen(page: Page, origin: str) -> Watched:
    return watch(page, origin)


def till(page: Page, origin: str, language: str = "zh") -> None:
    page.set_default_timeout(5_000)
    page.goto(f"{origin}/till/{TILL}")
    page.locator(f"[data-act=language][data-language={language}]").click()
    expect(page.locator("html")).to_have_attribute("data-language", language)


def shot(page: Page, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png")
    width = (page.viewport_size or {"width": 1280})["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def add(page: Page, number: str) -> None:
    page.locator(".ticket-found li", has_text=number).locator("button").click()
    expect(page.locator(".ticket-found li", has_text=number).locator("button")).to_have_count(0)


@pytest.mark.parametrize("language", LANGUAGES)
def test_two_tenants_tickets_are_found_merged_and_paid_by_one_phone(
    page: Page, origin: str, shop: CashierShop, seen: Watched, language: str
) -> None:
    words = load_texts(language)
    till(page, origin, language)
    page.locator(".attract [data-tickets-open]").click()
    expect(page.locator(".ticket-found li")).to_have_count(3)
    expect(page.locator(".ticket-found li", has_text="C03-0007")).to_contain_text(
        words["ticket_why_ticket_expired"]
    )
    shot(page, f"cashier-{language}-1-found")
    add(page, "C01-0007")
    add(page, "C02-0007")
    page.locator("[data-overlay=tickets] [data-close]").click()
    expect(page.locator(".collected li")).to_have_count(2)
    expect(page.locator("[data-total]")).to_have_text("¥171.80")
    expect(page.locator(".line.of-ticket")).to_have_count(3)
    expect(page.locator(".line.of-ticket .remove").first).to_be_hidden()
    shot(page, f"cashier-{language}-2-basket")
    page.locator("#checkout").click()
    page.locator(".checkout [data-act=phone_pay]").click()
    picture = page.locator("[data-scan-to-pay] img")
    expect(picture).to_be_visible()
    shot(page, f"cashier-{language}-3-scan")
    shop.pay_by_phone()
    expect(page.locator("body")).to_have_attribute("data-screen", "paid")
    codes = page.locator("[data-ticket-codes] .release")
    expect(codes).to_have_text([stored(shop, 1).release_code, stored(shop, 2).release_code])
    shot(page, f"cashier-{language}-4-paid")
    order = stored(shop, 1).order_id
    parts = shop.attempts(order)[0].parts
    assert [(one.merchant, one.amount_fen) for one in parts] == [("1900000011", 16_300), ("1900000012", 880)]
    assert seen.errors == []


def test_a_ticket_is_scanned_taken_out_and_looked_for_by_its_end(
    page: Page, origin: str, shop: CashierShop
) -> None:
    till(page, origin)
    token = sign_token(TokenKind.TICKET, "code1", KEY)
    shop.scan(f"https://mall.example/phone/t/{token}", TILL)
    expect(page.locator(".collected li")).to_contain_text("C01-0007")
    page.locator(".collected button").click()
    expect(page.locator(".collected li")).to_have_count(0)
    expect(page.locator("[data-total]")).to_have_text("¥0.00")
    page.locator(".basket [data-tickets-open]").click()
    expect(page.locator(".ticket-found li")).to_have_count(3)
    page.locator("[data-ticket-text]").fill("c02-0007")
    expect(page.locator(".ticket-found li")).to_have_count(1)
    page.locator("[data-ticket-text]").fill("9999")
    expect(page.locator("[data-ticket-problem]")).to_have_text(load_texts("zh")["ticket_none"])
    page.locator("[data-ticket-text]").fill("")
    for digit in "0007":
        page.locator(f"[data-ticket-pad] [data-digit='{digit}']").click()
    expect(page.locator(".ticket-found li")).to_have_count(3)


def test_a_ticket_that_was_written_anew_is_named_before_anybody_pays(
    page: Page, origin: str, shop: CashierShop
) -> None:
    till(page, origin)
    page.locator(".attract [data-tickets-open]").click()
    add(page, "C02-0007")
    page.locator("[data-overlay=tickets] [data-close]").click()
    put(shop, ticket(2, "t-bakery", 770))
    page.locator("#checkout").click()
    expect(page.locator("#notice [data-title]")).to_contain_text("C02-0007")
    expect(page.locator("[data-total]")).to_have_text("¥7.70")
    shot(page, "cashier-zh-changed")


def test_the_open_list_of_tickets_follows_what_the_counters_write(
    page: Page, origin: str, shop: CashierShop
) -> None:
    till(page, origin)
    page.locator(".attract [data-tickets-open]").click()
    row = page.locator(".ticket-found li", has_text="C02-0007")
    expect(row).to_contain_text("¥8.80")
    put(shop, ticket(2, "t-bakery", 770))
    expect(row).to_contain_text("¥7.70")


def test_change_codes_and_the_receipt_stand_apart_at_a_till(
    page: Page, origin: str, shop: CashierShop
) -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    till(page, origin, "en")
    page.locator(".attract [data-tickets-open]").click()
    add(page, "C01-0007")
    add(page, "C02-0007")
    page.locator("[data-overlay=tickets] [data-close]").click()
    page.locator("#checkout").click()
    page.locator("[data-quick] button").last.click()
    page.locator("[data-cash-take]").click()
    expect(page.locator("[data-change-due]")).to_be_visible()
    shot(page, "cashier-en-change-and-codes")
    below = 0.0
    for part in (".done-mark", "[data-change-due]", "[data-receipt]", "[data-ticket-codes]", ".thanks .row"):
        box = page.locator(part).bounding_box()
        assert box is not None, part
        assert box["y"] >= below, part
        below = box["y"] + box["height"]
    assert below <= 800
    inner, outer = page.locator("[data-qr]").bounding_box(), page.locator("[data-receipt]").bounding_box()
    assert inner is not None
    assert outer is not None
    assert inner["y"] >= outer["y"]
    assert inner["y"] + inner["height"] <= outer["y"] + outer["height"]


def test_a_payment_by_phone_is_given_up_for_cash_without_an_alarm(
    page: Page, origin: str, shop: CashierShop
) -> None:
    till(page, origin, "en")
    page.locator(".attract [data-tickets-open]").click()
    add(page, "C01-0007")
    add(page, "C02-0007")
    page.locator("[data-overlay=tickets] [data-close]").click()
    page.locator("#checkout").click()
    page.locator(".checkout [data-act=phone_pay]").click()
    expect(page.locator("[data-scan-to-pay] img")).to_be_visible()
    page.locator("[data-scan-to-pay] [data-act=phone_cancel]").click()
    expect(page.locator("body")).to_have_attribute("data-screen", "checkout")
    expect(page.locator("#notice")).to_be_hidden()
    page.locator("[data-quick] button").first.click()
    page.locator("[data-cash-take]").click()
    expect(page.locator("body")).to_have_attribute("data-screen", "paid")
    assert shop.ports.gateway.total_fen() == 0


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", [LANDSCAPE, PHONE])
def test_the_settlement_fits_a_desk_and_a_phone(
    browser: Browser, origin: str, shop: CashierShop, language: str, size: tuple[int, int]
) -> None:
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    till(page, origin, language)
    page.locator(".attract [data-tickets-open]").click()
    add(page, "C01-0007")
    page.locator("[data-overlay=tickets] [data-close]").click()
    page.locator("#checkout").click()
    page.locator("[data-quick] button").first.click()
    page.locator("[data-cash-take]").click()
    expect(page.locator("body")).to_have_attribute("data-screen", "paid")
    page.goto(f"{origin}/staff/settlement?language={language}")
    page.fill("input[name=pin]", DEMO_PIN)
    page.keyboard.press("Enter")
    row = page.locator("[data-tenant=t-tea]")
    expect(row).to_contain_text("¥163.00")
    expect(row).to_contain_text("¥149.96")
    shot(page, f"settlement-{language}-{size[0]}")
    page.close()


def test_shares_on_their_way_are_shown_until_they_arrive(page: Page, origin: str, shop: CashierShop) -> None:
    shop.box = replace(shop.box, splitters={GATEWAY: FakeSplitGateway()})
    shop.order_of(COLA, place=TILL)
    tea = replace(TENANTS["t-tea"], tenant_id="t-drinks")
    with_tea = replace(shop.box, tenants={**TENANTS, "t-drinks": tea})
    outcome = receive_scan(
        with_tea, TILL, Scan("s", b"", shop.code(), None, with_tea.clock.now().boottime_ns)
    )
    submit(with_tea, outcome.attempt_id, outcome.code)
    page.set_default_timeout(5_000)
    page.goto(f"{origin}/staff/settlement?language=en")
    page.fill("input[name=pin]", DEMO_PIN)
    page.keyboard.press("Enter")
    expect(page.locator("[data-split]")).to_contain_text("¥1.05")
    shot(page, "settlement-en-moving")
    shop.wait(SHARE_AFTER_MS)
    resolve_splits(with_tea)
    page.reload()
    expect(page.locator("[data-tenant=t-drinks]")).to_contain_text("¥1.05")
    expect(page.locator("[data-split]")).to_have_count(0)
