"""The staffed till's page, the phone's page and the staff pages."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from edge.web.texts import load_texts
from tests.browser.desk_fake import PIN, TOKEN, DeskFake
from tests.browser.kiosk_page import KioskPage, watch

TEA = "6901234567892"


@pytest.fixture
def till(page: Page, origin: str) -> KioskPage:
    screen = KioskPage(page)
    screen.open(origin, "T1", "till")
    return screen


def test_cash_that_covers_what_is_due_is_taken_at_once_and_change_is_shown_large(
    till: KioskPage, desk: DeskFake
) -> None:
    desk.scan("T1", TEA)
    till.touch("checkout")
    till.expect_screen("checkout")
    take = till.page.locator("[data-cash-take]")
    expect(take).to_be_disabled()
    till.type_keys("cash", "50")
    expect(till.page.locator("[data-change]")).to_have_text("¥18.00")
    till.type_keys("cash", ".")
    till.page.locator("[data-quick] [data-fen='10000']").click()
    expect(till.page.locator("[data-change]")).to_have_text("¥32.00")
    take.click()
    till.expect_screen("paid")
    expect(till.page.locator("[data-change-due] strong")).to_have_text("¥32.00")


@pytest.mark.parametrize("word", ["no_shift", "counting"])
def test_a_till_without_a_shift_says_so_and_leads_there(till: KioskPage, desk: DeskFake, word: str) -> None:
    desk.cash_closed = word
    desk.scan("T1", TEA)
    till.touch("checkout")
    till.expect_screen("checkout")
    expect(till.page.locator("[data-cash-shut]")).to_have_text(load_texts("zh")[f"cash_{word}"])
    expect(till.page.locator("[data-cash-take]")).to_be_hidden()
    expect(till.page.get_by_role("link", name="打开班次页")).to_have_attribute("href", "/staff/shifts/at/T1")


_OVERLAPS = """() => {
  const shown = [...document.querySelectorAll("#cash button, #cash .cash-figures > div, #notice")]
    .filter((node) => node.checkVisibility());
  const boxes = shown.map((node) => [node.textContent.trim(), node.getBoundingClientRect()]);
  const outside = shown.filter((node) => node.getBoundingClientRect().bottom > innerHeight + 0.5);
  const small = shown.filter((node) => node.matches("button") && node.getBoundingClientRect().height < 63.9);
  const wrong = [...outside, ...small].map((node) => node.textContent.trim());
  boxes.forEach(([words, one], at) => {
    for (const [others, other] of boxes.slice(at + 1)) {
      const apart = one.bottom <= other.top + 0.5 || other.bottom <= one.top + 0.5
        || one.right <= other.left + 0.5 || other.right <= one.left + 0.5;
      if (!apart) wrong.push(`${words} / ${others}`);
    }
  });
  return [shown.length, wrong];
}"""


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(
    ("code", "part_paid"),
    [("", False), ("payment_declined", True), ("payment_voided", True), ("pay_first", False)],
)
def test_a_banner_leaves_the_cash_pad_and_its_button_apart(
    till: KioskPage, desk: DeskFake, language: str, code: str, part_paid: bool
) -> None:
    till.speak(language)
    desk.scan("T1", TEA)
    till.touch("checkout")
    till.expect_screen("checkout")
    if part_paid:
        desk.act("T1", "cash", {"received_fen": 5000})
        expect(till.page.locator("[data-tenders] li")).to_have_count(2)
    if code:
        params = {"reason": "not_enough", "tail": "6612"}
        notice = {"id": "n", "level": "error", "code": code, "params": params, "choices": ["dismiss"]}
        desk.set("T1", notice=notice)
        till.expect_notice(code)
    till.type_keys("cash", "100")
    shown, wrong = till.page.evaluate(_OVERLAPS)
    assert (shown > 15, wrong) == (True, [])
    till.shoot(f"till-banner-{code or 'none'}-{'part' if part_paid else 'all'}-{language}-1280x800")


def test_cash_can_be_typed_on_a_keyboard_and_enter_takes_none(till: KioskPage, desk: DeskFake) -> None:
    desk.scan("T1", TEA)
    till.touch("checkout")
    till.expect_screen("checkout")
    till.type_keys("cash", "1")
    till.page.keyboard.type("00")
    till.page.keyboard.press("Enter")
    expect(till.page.locator("[data-change]")).to_have_text("¥32.00")
    till.expect_screen("checkout")


def test_a_part_in_cash_is_asked_about_and_the_rest_is_paid_by_code(till: KioskPage, desk: DeskFake) -> None:
    desk.scan("T1", TEA)
    till.touch("checkout")
    till.expect_screen("checkout")
    till.type_keys("cash", "50")
    take = till.page.locator("[data-cash-take]")
    expect(take).to_have_text("先收 ¥50.00")
    take.click()
    expect(till.sheet("part")).to_contain_text("还差 ¥18.00")
    till.sheet("part").locator("[data-close]").click()
    expect(till.sheet("part")).to_be_hidden()
    expect(till.page.locator("[data-tenders] li")).to_have_count(0)
    take.click()
    till.sheet("part").locator("[data-part-take]").click()
    expect(till.sheet("part")).to_be_hidden()
    expect(till.page.locator("[data-tenders] li")).to_have_text(["合计¥68.00", "现金-¥50.00"])
    expect(till.page.locator("[data-due-label]")).to_have_text("还差")
    expect(till.page.locator("[data-due]")).to_have_text("¥18.00")
    expect(take).to_be_disabled()
    expect(till.page.locator(".screen.checkout [data-act=back]")).to_be_hidden()
    till.expect_painted(desk.pay_by_code("T1"))
    expect(till.page.locator("[data-amount]")).to_have_text("¥18.00")
    desk.settle("T1")
    till.expect_screen("paid")
    expect(till.page.locator("[data-paid-tenders]")).to_have_text("现金 ¥50.00 · 微信支付 ¥18.00")


def test_a_basket_can_be_held_and_recalled(till: KioskPage, desk: DeskFake) -> None:
    till.expect_painted(desk.scan("T1", TEA))
    till.touch("hold")
    till.expect_screen("attract")
    till.open_sheet("held")
    till.sheet("held").locator("[data-act=recall]").click()
    till.expect_lines(["龙井绿茶 250g"])
    expect(till.sheet("held")).to_be_hidden()


def test_a_kiosk_has_no_cash_pad_and_no_hold(page: Page, origin: str, desk: DeskFake) -> None:
    kiosk = KioskPage(page)
    kiosk.open(origin, "K1")
    desk.scan("K1", TEA)
    kiosk.expect_screen("basket")
    expect(page.locator("[data-act=hold]")).to_be_hidden()
    kiosk.touch("checkout")
    kiosk.expect_screen("checkout")
    expect(page.locator("#cash")).to_be_hidden()


def test_the_phone_page_records_opening_and_leads_on_to_joining(
    page: Page, origin: str, desk: DeskFake
) -> None:
    seen = watch(page, origin)
    with page.expect_response("**/touch") as opened:
        page.goto(f"{origin}/phone/r/{TOKEN}?language=zh")
    assert opened.value.status == 204
    assert (seen.errors, seen.elsewhere) == ([], [])
    page.locator("[data-kind=join] button").click()
    # That page needs a whole box and is walked in test_phone_me.py; this shop has none.
    expect(page).to_have_url(f"{origin}/phone/me?r={TOKEN}&language=zh")
    assert desk.touches == [(TOKEN, "opened"), (TOKEN, "join")]
    assert seen.elsewhere == []


def test_staff_sign_in_and_see_devices_outbox_and_scans(page: Page, origin: str) -> None:
    seen = watch(page, origin)
    page.goto(f"{origin}/staff/")
    page.get_by_label("店员密码").fill(PIN)
    page.get_by_role("button", name="登录").click()
    expect(page.locator("[data-device=printer-1] .health")).to_have_text("未连接")
    KioskPage(page).shoot("staff-devices-zh-1280x800")
    page.goto(f"{origin}/staff/service?language=en")
    expect(page.locator("[data-payment=unknown]")).to_contain_text("K1-0042")
    expect(page.locator("[data-held]")).to_contain_text("¥147.90")
    expect(page.locator("[data-worker=resolve] .health")).to_have_text("stuck")
    expect(page.locator("[data-worker=publish]")).to_contain_text("disk full")
    KioskPage(page).shoot("staff-service-en-1280x800")
    page.goto(f"{origin}/staff/outbox?language=en")
    expect(page.locator(".plot .depth")).to_have_attribute("d", re.compile("^M360"))
    expect(page.locator("[data-figure=depth] dd")).to_have_text("17")
    expect(page.locator("[data-figure=oldest] dd")).to_have_text("3 min 4 s")
    KioskPage(page).shoot("staff-outbox-en-1280x800")
    page.goto(f"{origin}/staff/scans/K1")
    expect(page.locator("tbody tr")).to_have_count(3)
    expect(page.locator("[data-class=gs1] .text")).to_have_text("0106901234567892\u241d10A1")
    expect(page.locator("[data-class=payment] .raw")).to_have_text("payment code, only its tail is kept")
    page.locator("select[name=class]").select_option("item")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.locator("h1").click()
    expect(page.locator("body")).to_have_attribute("data-fresh", "yes", timeout=6000)
    KioskPage(page).shoot("staff-scans-en-1280x800")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Staff PIN")).to_be_visible()
    KioskPage(page).shoot("staff-login-en-1280x800")
    assert (seen.errors, seen.elsewhere) == ([], [])
