"""A counter's tablet and a shopper's phone in a real browser: from signing in to handing over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from playwright.sync_api import TimeoutError as NothingSeen

from devices.types import Scan
from edge.services.receive_scan import receive_scan
from edge.services.staff import StaffBook, StaffMember, hash_pin
from edge.services.take_payment import submit
from edge.web import counter
from edge.web.changes import Changes
from edge.web.desk import WebSettings
from edge.web.factory import create_web
from edge.web.phone import pay, ticket
from edge.web.serving import WebServer
from tests.browser.desk_fake import DeskFake
from tests.browser.kiosk_page import PHONE, SHOTS
from tests.unit.counter_shop import CHEN, COUNTER, TEA, CounterShop

TABLET = (1280, 800)
PIN, BOSS_PIN = "2468", "9753"


@dataclass
class Counter:
    """A served counter: its shop, and where the pages are."""

    shop: CounterShop
    origin: str

    def phone_page(self, path: str) -> str:
        return f"{self.origin}{path}"


@pytest.fixture
def place() -> Iterator[Counter]:
    shop, changes = CounterShop(), Changes()
    book = StaffBook([StaffMember(CHEN, "guide", hash_pin(PIN, b"salt"))], shop.box.clock)
    boss = StaffBook([StaffMember("王敏", "supervisor", hash_pin(BOSS_PIN, b"salt"))], shop.box.clock)
    shop.counter = replace(shop.counter, pins={CHEN: book})
    shop._equip()
    shop.box = replace(shop.box, changed=lambda name: void(changes.bump(name)))

    def on_scan(name: str, scan: Scan) -> None:
        now_ns = shop.box.clock.now().boottime_ns
        outcome = receive_scan(shop.box, name, replace(scan, read_ns=now_ns))
        if outcome.attempt_id:
            submit(shop.box, outcome.attempt_id, outcome.code)

    settings = WebSettings(port=0, shop_name="云锦里商场", shop_name_en="Yunjinli Mall")
    apart = (
        counter.blueprint(shop.box, settings, boss, changes, on_scan),
        ticket.blueprint(shop.box, settings),
        pay.blueprint(shop.box, settings),
    )
    server = WebServer(create_web(DeskFake(), settings, apart=apart), settings)
    server.start()
    yield Counter(shop, f"http://127.0.0.1:{server.port}")
    changes.close()
    server.close()


def void(value: object) -> None:
    """Take a value and return nothing."""


def opened(browser: Browser, place: Counter, size: tuple[int, int] = TABLET, language: str = "zh") -> Page:
    """Return the counter's page with a guide signed in."""
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    page.goto(f"{place.origin}/counter/{COUNTER}")
    page.click(f"[data-language={language}]")
    page.click(f"[data-guide={CHEN}]")
    for digit in PIN:
        page.click(f"[data-key='{digit}']")
    page.click("[data-key=enter]")
    expect(page.locator("[data-do=open]")).to_be_visible()
    if language == "en":
        expect(page.locator("[data-do=open]")).to_contain_text("New ticket")
    return page


def type_scan(page: Page, text: str) -> None:
    page.fill("#code", text)
    page.keyboard.press("Enter")


def scan_until(page: Page, text: str, seen: Locator) -> None:
    """Scan by a scanner that types, and once more when nothing came: a busy machine types like a hand."""
    for _ in range(5):
        page.keyboard.type(text)
        page.keyboard.press("Enter")
        with suppress(NothingSeen):
            seen.wait_for(timeout=5_000)
            break
    expect(seen).to_be_visible()


def shoot(page: Page, name: str) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]
    page.screenshot(path=str(SHOTS / f"{name}.png"))


def write(page: Page, language: str) -> None:
    """Write a ticket of 195.50 yuan: two teas at 90 instead of 100, and a box by hand."""
    page.click("[data-do=open]")
    type_scan(page, TEA)
    expect(page.locator("[data-lines] li")).to_have_count(1)
    page.click("[data-tool=more]")
    expect(page.locator("[data-total]")).to_have_text("¥200.00")
    page.click("[data-do=amount]")
    page.fill("[data-dialog=amount] [name=name]", "礼盒" if language == "zh" else "Gift box")
    page.fill("[data-dialog=amount] [name=price]", "15.5")
    page.click("[data-dialog=amount] .primary")
    expect(page.locator("[data-total]")).to_have_text("¥215.50")
    page.click("[data-tool=price]")
    page.click("[data-quick] button >> nth=1")
    page.fill("[data-dialog=price] [name=reason]", "会员日" if language == "zh" else "Members' day")
    shoot(page, f"counter-price-{language}")
    page.click("[data-dialog=price] .primary")
    expect(page.locator("[data-total]")).to_have_text("¥195.50")
    shoot(page, f"counter-open-{language}")


def issue(page: Page, place: Counter, language: str) -> str:
    """Show the ticket's code, large too; return the address that it holds, on this server."""
    page.click("[data-do=issue]")
    expect(page.locator("[data-side=issued] img")).to_be_visible()
    shoot(page, f"counter-issued-{language}")
    page.click("[data-do=big]")
    shoot(page, f"counter-big-{language}")
    page.keyboard.press("Escape")
    view = page.request.get(f"{place.origin}/api/counter/{COUNTER}/view").json()
    return f"{place.origin}{view['url'].removeprefix('https://mall.example')}?language={language}"


def begin_to_pay(browser: Browser, address: str, language: str) -> Page:
    """Return the shopper's phone with the code that pays."""
    phone = browser.new_page(viewport={"width": PHONE[0], "height": PHONE[1]})
    phone.goto(address)
    shoot(phone, f"counter-phone-{language}")
    phone.click("form button.wide")
    expect(phone.locator(".paycode img")).to_be_visible()
    shoot(phone, f"counter-phone-paying-{language}")
    return phone


def say_code(page: Page, code: str) -> None:
    page.fill("#release", code)
    page.click("[data-release] button")


@pytest.mark.browser
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_ticket_goes_from_the_tablet_over_the_phone_to_the_hand_over(
    browser: Browser, place: Counter, language: str
) -> None:
    page = opened(browser, place, language=language)
    shoot(page, f"counter-empty-{language}")
    write(page, language)
    phone = begin_to_pay(browser, issue(page, place, language), language)
    expect(page.locator("[data-side=paying]")).to_be_visible()
    shoot(page, f"counter-paying-{language}")

    place.shop.pays(place.shop.box.store.read(lambda unit: unit.tickets.find("", 1))[0])
    expect(page.locator("[data-side=paid]")).to_be_visible()
    shoot(page, f"counter-paid-{language}")
    phone.reload()
    code = phone.locator(".release-code").inner_text()
    shoot(phone, f"counter-phone-release-{language}")
    say_code(page, f"{(int(code) + 1) % 1_000_000:06d}")
    expect(page.locator("[data-banner]")).to_be_visible()
    say_code(page, code)
    expect(page.locator("[data-side=over]")).to_contain_text("陈静" if language == "zh" else "Chen Jing")
    shoot(page, f"counter-over-{language}")
    phone.reload()
    expect(phone.locator(".goes")).to_be_visible()
    shoot(phone, f"counter-phone-gone-{language}")


@pytest.mark.browser
def test_a_scanner_that_types_reads_goods_payment_codes_and_nothing_needs_a_field(
    browser: Browser, place: Counter
) -> None:
    page = opened(browser, place)
    page.click("[data-do=open]")
    page.locator("[data-number]").click()
    scan_until(page, TEA, page.locator("[data-lines] li"))
    page.click("[data-do=issue]")
    expect(page.locator("[data-side=issued]")).to_be_visible()
    scan_until(page, place.shop.code(), page.locator("[data-side=paid]"))
    page.click("[data-side=paid] [data-do=hand-over]")
    expect(page.locator("[data-side=over]")).to_be_visible()


@pytest.mark.browser
def test_closing_the_question_for_a_payment_code_frees_the_ticket(browser: Browser, place: Counter) -> None:
    page = opened(browser, place, language="en")
    page.click("[data-do=open]")
    type_scan(page, TEA)
    expect(page.locator("[data-lines] li")).to_have_count(1)
    page.click("[data-do=issue]")
    page.click("[data-do=pay-here]")
    expect(page.locator("[data-dialog=pay]")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("[data-side=issued]")).to_be_visible()
    expect(page.locator("[data-state]")).to_have_text("to be paid")


@pytest.mark.browser
def test_the_language_of_a_tablet_outlasts_who_signs_in_and_out(browser: Browser, place: Counter) -> None:
    page = opened(browser, place, language="en")
    page.click("[data-do=sign-out]")
    expect(page.locator("[data-guides-box] h1")).to_have_text("Who are you?")
    page.reload()
    expect(page.locator("[data-guides-box] h1")).to_have_text("Who are you?")
    page.click(f"[data-guide={CHEN}]")
    for digit in PIN:
        page.click(f"[data-key='{digit}']")
    page.click("[data-key=enter]")
    expect(page.locator("[data-do=open]")).to_contain_text("New ticket")


@pytest.mark.browser
def test_a_price_beyond_the_limit_asks_for_the_supervisors_pin(browser: Browser, place: Counter) -> None:
    page = opened(browser, place)
    page.click("[data-do=open]")
    type_scan(page, TEA)
    page.click("[data-tool=price]")
    expect(page.locator("[data-needs-pin]")).to_be_hidden()
    page.fill("[data-dialog=price] [name=price]", "70")
    page.fill("[data-dialog=price] [name=reason]", "样品")
    page.fill("[data-needs-pin] input", "0000")
    page.click("[data-dialog=price] .primary")
    expect(page.locator("[data-banner]")).to_be_visible()
    page.click("[data-tool=price]")
    page.fill("[data-dialog=price] [name=price]", "70")
    page.fill("[data-dialog=price] [name=reason]", "样品")
    page.fill("[data-needs-pin] input", BOSS_PIN)
    page.click("[data-dialog=price] .primary")
    expect(page.locator("[data-total]")).to_have_text("¥70.00")
    expect(page.locator(".lowered")).to_contain_text("王敏")


@pytest.mark.browser
def test_a_wrong_pin_signs_nobody_in_and_signing_out_clears_the_tablet(
    browser: Browser, place: Counter
) -> None:
    page = browser.new_page(viewport={"width": TABLET[0], "height": TABLET[1]})
    page.goto(f"{place.origin}/counter/{COUNTER}")
    shoot(page, "counter-who")
    page.click(f"[data-guide={CHEN}]")
    for digit in "1111":
        page.click(f"[data-key='{digit}']")
    page.click("[data-key=enter]")
    expect(page.locator("[data-pin-wrong]")).to_be_visible()
    shoot(page, "counter-pin")
    page = opened(browser, place)
    page.click("[data-do=open]")
    page.click("[data-do=sign-out]")
    expect(page.locator("[data-guides]")).to_be_visible()
    assert page.request.post(f"{place.origin}/api/counter/{COUNTER}/open").status in (401, 403)


@pytest.mark.browser
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_tablets_page_fits_a_phone_too(browser: Browser, place: Counter, language: str) -> None:
    page = opened(browser, place, PHONE, language)
    page.click("[data-do=open]")
    type_scan(page, TEA)
    expect(page.locator("[data-lines] li")).to_have_count(1)
    shoot(page, f"counter-small-{language}")
    page.click("[data-do=issue]")
    expect(page.locator("[data-side=issued]")).to_be_visible()
    shoot(page, f"counter-small-issued-{language}")
