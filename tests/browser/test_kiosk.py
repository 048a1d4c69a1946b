"""The kiosk's page as a shopper uses it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from edge.services.payment_ports import DeclineReason
from edge.web.changes import Changes
from edge.web.texts import load_texts
from tests.browser.conftest import Serve
from tests.browser.desk_fake import PIN, DeskFake, duplicate_notice
from tests.browser.kiosk_page import KioskPage, Watched, watch

TEA, WATER, APPLES, BAIJIU = "6901234567892", "6923450657713", "2100123012341", "6901798123456"


@pytest.fixture
def seen(page: Page, origin: str) -> Watched:
    return watch(page, origin)


@pytest.fixture
def kiosk(page: Page, origin: str, seen: Watched) -> KioskPage:
    screen = KioskPage(page)
    screen.open(origin, "K1")
    return screen


def test_a_scan_on_the_attract_screen_opens_a_basket_with_the_article(
    kiosk: KioskPage, desk: DeskFake, seen: Watched
) -> None:
    kiosk.expect_screen("attract")
    kiosk.expect_painted(desk.scan("K1", TEA))
    kiosk.expect_screen("basket")
    kiosk.expect_lines(["龙井绿茶 250g"])
    kiosk.expect_total("¥68.00")
    assert (seen.errors, seen.elsewhere) == ([], [])


def test_the_last_scanned_line_is_highlighted_and_in_sight(kiosk: KioskPage, desk: DeskFake) -> None:
    for barcode in (TEA, WATER, APPLES, "6954767423579", "6922266446481", "6921168509256", "6907992100272"):
        version = desk.scan("K1", barcode)
    kiosk.expect_painted(version)
    last = kiosk.line("原味酸奶 200g")
    expect(last).to_be_in_viewport(ratio=0.95)
    expect(last).to_contain_class("fresh")


def test_lines_that_did_not_change_keep_their_elements(kiosk: KioskPage, desk: DeskFake) -> None:
    kiosk.expect_painted(desk.scan("K1", TEA))
    kiosk.page.evaluate("document.querySelector('.line').mark = 'same'")
    kiosk.expect_painted(desk.scan("K1", WATER))
    assert kiosk.page.evaluate("document.querySelector('.line').mark") == "same"


def test_touches_on_the_stepper_add_up(kiosk: KioskPage, desk: DeskFake) -> None:
    kiosk.expect_painted(desk.scan("K1", TEA))
    more = kiosk.line("龙井").locator("[data-step='1']")
    for _ in range(3):
        more.click()
    kiosk.expect_total("¥272.00")
    kiosk.line("龙井").locator("[data-step='-1']").click()
    kiosk.expect_total("¥204.00")
    expect(kiosk.line("龙井").locator(".quantity")).to_have_text("3")


def test_a_line_can_be_removed(kiosk: KioskPage, desk: DeskFake) -> None:
    desk.scan("K1", TEA)
    kiosk.expect_painted(desk.scan("K1", WATER))
    kiosk.line("龙井").locator("[data-act=remove]").click()
    kiosk.expect_lines(["天然矿泉水 550ml"])


def test_a_duplicate_scan_offers_one_more(kiosk: KioskPage, desk: DeskFake) -> None:
    desk.scan("K1", TEA)
    desk.set("K1", notice=duplicate_notice(TEA))
    kiosk.expect_notice("duplicate")
    kiosk.choose("one_more")
    kiosk.expect_total("¥136.00")
    expect(kiosk.page.locator("#notice")).to_be_hidden()


def test_pay_by_code_from_basket_to_receipt(kiosk: KioskPage, desk: DeskFake, seen: Watched) -> None:
    desk.scan("K1", TEA)
    kiosk.touch("checkout")
    kiosk.expect_screen("checkout")
    expect(kiosk.page.locator("[data-due]")).to_have_text("¥68.00")
    desk.pay_by_code("K1")
    kiosk.expect_screen("waiting")
    expect(kiosk.page.locator("[data-code-tail]")).to_contain_text("6612")
    desk.settle("K1")
    kiosk.expect_screen("paid")
    expect(kiosk.page.locator("[data-qr]")).to_be_visible()
    expect(kiosk.page.locator("[data-qr]")).to_have_js_property("complete", True)
    expect(kiosk.page.locator("[data-blocks] li")).to_have_count(4)
    kiosk.touch("done")
    kiosk.expect_screen("attract")
    assert (seen.errors, seen.elsewhere) == ([], [])


def test_the_seconds_of_a_waiting_payment_run_down(kiosk: KioskPage, desk: DeskFake) -> None:
    desk.scan("K1", TEA)
    desk.act("K1", "checkout", {})
    kiosk.expect_painted(desk.pay_by_code("K1"))
    expect(kiosk.page.locator("[data-seconds]")).to_have_text("44")


def test_restricted_goods_wait_for_a_pin(kiosk: KioskPage, desk: DeskFake) -> None:
    kiosk.expect_painted(desk.scan("K1", BAIJIU))
    expect(kiosk.sheet("age")).to_be_visible()
    expect(kiosk.sheet("age").locator("[data-age-lead]")).to_contain_text("正在过来")
    kiosk.type_pin("age", "1111")
    expect(kiosk.sheet("age").locator(".pin-problem")).not_to_be_empty()
    expect(kiosk.sheet("age").locator(".dots")).to_be_empty()
    kiosk.type_pin("age", PIN)
    expect(kiosk.sheet("age")).to_be_hidden()
    kiosk.expect_lines(["白酒 500ml"])


@pytest.mark.parametrize("reason", list(DeclineReason))
def test_a_declined_payment_says_what_the_shopper_can_do(
    kiosk: KioskPage, desk: DeskFake, reason: DeclineReason
) -> None:
    texts = load_texts("zh")
    kiosk.expect_painted(desk.set("K1", notice=_notice("payment_declined", reason=reason.value)))
    title, body = texts[f"declined_{reason.value}"], texts[f"declined_{reason.value}_more"]
    expect(kiosk.page.locator("#notice [data-title]")).to_have_text(title)
    expect(kiosk.page.locator("#notice [data-body]")).to_have_text(body)


def test_a_wallet_that_is_not_taken_is_named_with_those_that_are(kiosk: KioskPage, desk: DeskFake) -> None:
    desk.wallets = ["wechat"]
    desk.scan("K1", TEA)
    desk.act("K1", "checkout", {})
    kiosk.expect_painted(desk.set("K1", notice=_notice("wallet_unknown", wallet="alipay")))
    expect(kiosk.page.locator("#notice")).to_contain_text("这里不能用支付宝付款")
    expect(kiosk.page.locator("#notice")).to_contain_text("请改用微信")
    expect(kiosk.page.locator("[data-open-wallet]")).to_have_text("打开微信的“收付款”")


def test_at_the_payment_another_code_than_a_payment_code_is_called_so(
    kiosk: KioskPage, desk: DeskFake
) -> None:
    title = kiosk.page.locator("#notice [data-title]")
    desk.scan("K1", TEA)
    kiosk.expect_painted(desk.set("K1", notice=_notice("not_a_code", text="wxp://f2f")))
    expect(title).to_have_text("这不是商品条码")
    desk.act("K1", "checkout", {})
    kiosk.expect_painted(desk.set("K1", notice=_notice("not_a_code", text="wxp://f2f")))
    expect(title).to_have_text("这不是付款码")


def test_without_a_public_address_no_code_is_shown_that_a_phone_cannot_open(
    kiosk: KioskPage, desk: DeskFake
) -> None:
    desk.public_url = ""
    desk.scan("K1", TEA)
    desk.act("K1", "checkout", {})
    desk.pay_by_code("K1")
    desk.settle("K1")
    kiosk.expect_screen("paid")
    expect(kiosk.page.locator("[data-no-qr]")).to_have_text("请收好纸质小票")
    expect(kiosk.page.locator("[data-qr]")).to_be_hidden()
    expect(kiosk.page.locator(".landing-foot")).to_be_hidden()


def test_a_held_basket_comes_back_to_a_kiosk_only_by_a_staff_pin(kiosk: KioskPage, desk: DeskFake) -> None:
    desk.scan("K1", TEA)
    desk.act("K1", "hold", {})
    kiosk.expect_screen("attract")
    kiosk.open_sheet("held")
    kiosk.type_pin("held", "1111")
    expect(kiosk.sheet("held").locator(".pin-problem")).not_to_be_empty()
    kiosk.type_pin("held", PIN)
    kiosk.expect_lines(["龙井绿茶 250g"])
    expect(kiosk.sheet("held")).to_be_hidden()


def test_restricted_goods_can_be_left(kiosk: KioskPage, desk: DeskFake) -> None:
    desk.scan("K1", TEA)
    kiosk.expect_painted(desk.scan("K1", BAIJIU))
    kiosk.touch("refuse_age")
    expect(kiosk.sheet("age")).to_be_hidden()
    kiosk.expect_lines(["龙井绿茶 250g"])


def test_a_help_call_lets_the_shopper_go_on_and_staff_end_it(kiosk: KioskPage, desk: DeskFake) -> None:
    kiosk.touch("help")
    expect(kiosk.sheet("help")).to_be_visible()
    kiosk.sheet("help").locator("[data-close]").click()
    expect(kiosk.sheet("help")).to_be_hidden()
    expect(kiosk.page.locator(".chip.info")).to_be_visible()
    kiosk.expect_painted(desk.scan("K1", TEA))
    kiosk.touch("help")
    kiosk.type_pin("help", PIN)
    expect(kiosk.sheet("help")).to_be_hidden()
    expect(kiosk.page.locator(".chip.info")).to_have_count(0)


def test_a_code_can_be_typed(kiosk: KioskPage) -> None:
    kiosk.open_sheet("code")
    kiosk.type_keys("code", TEA)
    kiosk.page.locator("[data-code-send]").click()
    kiosk.expect_lines(["龙井绿茶 250g"])
    expect(kiosk.sheet("code")).to_be_hidden()


def test_a_code_can_be_typed_on_a_keyboard(kiosk: KioskPage) -> None:
    kiosk.open_sheet("code")
    kiosk.page.keyboard.type(TEA + "9")
    kiosk.page.keyboard.press("Backspace")
    expect(kiosk.page.locator("[data-typed]")).to_have_text(TEA)
    kiosk.page.keyboard.press("Enter")
    kiosk.expect_lines(["龙井绿茶 250g"])
    expect(kiosk.sheet("code")).to_be_hidden()


def test_a_keyboard_types_the_letters_and_signs_of_a_code_on_a_phone(kiosk: KioskPage) -> None:
    kiosk.open_sheet("code")
    code = "cAbCdEfGhIjK_-0123456789abcdefgh"
    kiosk.page.keyboard.type(code)
    expect(kiosk.page.locator("[data-typed]")).to_have_text(code)


def test_giving_up_asks_first(kiosk: KioskPage, desk: DeskFake) -> None:
    kiosk.expect_painted(desk.scan("K1", TEA))
    kiosk.open_sheet("cancel")
    kiosk.sheet("cancel").locator("[data-close]").click()
    kiosk.expect_lines(["龙井绿茶 250g"])
    kiosk.open_sheet("cancel")
    kiosk.sheet("cancel").locator("[data-act=cancel]").click()
    kiosk.expect_screen("attract")


def test_the_language_switches_words_and_names(kiosk: KioskPage, desk: DeskFake) -> None:
    kiosk.expect_painted(desk.scan("K1", TEA))
    kiosk.speak("en")
    kiosk.expect_lines(["Longjing green tea 250 g"])
    expect(kiosk.page.locator("#checkout")).to_have_text("Pay now")
    kiosk.speak("zh")
    kiosk.expect_lines(["龙井绿茶 250g"])


def test_a_refused_touch_says_so(kiosk: KioskPage, desk: DeskFake) -> None:
    kiosk.expect_painted(desk.scan("K1", TEA))
    desk.seats["K1"].lines.clear()
    kiosk.line("龙井").locator("[data-act=remove]").click()
    kiosk.expect_notice("error_invalid")


def test_an_unprinted_receipt_can_be_printed_again_by_staff(kiosk: KioskPage, desk: DeskFake) -> None:
    desk.scan("K1", TEA)
    desk.act("K1", "checkout", {})
    desk.settle("K1")
    kiosk.expect_painted(desk.set("K1", receipt=dict(desk.seats["K1"].receipt or {}, printing="uncertain")))
    kiosk.open_sheet("pin")
    kiosk.type_pin("pin", PIN)
    expect(kiosk.sheet("pin")).to_be_hidden()
    expect(kiosk.page.locator("button[data-open=pin]")).to_be_hidden()


def test_a_touch_anywhere_keeps_the_basket_from_being_forsaken(kiosk: KioskPage, desk: DeskFake) -> None:
    desk.scan("K1", TEA)
    kiosk.expect_painted(desk.set("K1", idle_s_left=15))
    expect(kiosk.page.locator("#idle")).to_be_visible()
    kiosk.page.mouse.click(60, 700)
    expect(kiosk.page.locator("#idle")).to_be_hidden()
    assert desk.seats["K1"].touched == 1


def test_the_idle_question_comes_only_in_the_last_twenty_seconds(kiosk: KioskPage, desk: DeskFake) -> None:
    desk.scan("K1", TEA)
    kiosk.expect_painted(desk.set("K1", idle_s_left=22))
    expect(kiosk.page.locator("#idle")).to_be_hidden()
    expect(kiosk.page.locator("#idle")).to_be_visible()
    expect(kiosk.page.locator("[data-idle-seconds]")).to_have_text(re.compile("^(20|19)$"))
    expect(kiosk.page.locator("#idle button")).to_be_focused()


def test_three_hundred_views_leave_nothing_behind(kiosk: KioskPage, desk: DeskFake) -> None:
    probe = kiosk.page.context.new_cdp_session(kiosk.page)

    def grown() -> tuple[int, int]:
        probe.send("HeapProfiler.collectGarbage")
        counts = probe.send("Memory.getDOMCounters")
        return counts["nodes"], counts["jsEventListeners"]

    line = f"line-{desk.scan('K1', TEA) - 1}"
    desk.scan("K1", WATER)
    kiosk.expect_painted(desk.set("K1", notice=duplicate_notice(TEA)))
    before = grown()
    for turn in range(300):
        desk.act("K1", "quantity", {"line_id": line, "quantity": 1 + turn % 9})
    kiosk.expect_painted(desk.changes.version("K1"))
    after = grown()
    assert after[1] == before[1]
    assert after[0] <= before[0] + 20


def test_focus_goes_into_a_sheet_and_back_and_escape_closes_it(kiosk: KioskPage, desk: DeskFake) -> None:
    kiosk.expect_painted(desk.scan("K1", TEA))
    kiosk.open_sheet("cancel")
    expect(kiosk.page.locator("#cancel-title")).to_be_focused()
    kiosk.page.keyboard.press("Tab")
    expect(kiosk.sheet("cancel").locator("[data-close]")).to_be_focused()
    kiosk.page.keyboard.press("Escape")
    expect(kiosk.sheet("cancel")).to_be_hidden()
    expect(kiosk.page.locator("button[data-open=cancel]:visible")).to_be_focused()


def test_those_who_listen_are_told_each_new_screen_once(kiosk: KioskPage, desk: DeskFake) -> None:
    said = kiosk.page.locator("#said")
    kiosk.expect_painted(desk.scan("K1", TEA))
    expect(said).to_have_text("您的商品")
    desk.act("K1", "checkout", {})
    expect(said).to_have_text("请出示付款码 ¥68.00")
    desk.pay_by_code("K1", "unknown")
    expect(said).to_have_text("正在确认付款结果")
    desk.settle("K1")
    expect(said).to_have_text("付款成功 ¥68.00")


def test_a_lost_scanner_is_shown_as_long_as_it_is_lost(kiosk: KioskPage, desk: DeskFake) -> None:
    lost = {"scanner": "absent", "printer": "connected", "hq": "online"}
    kiosk.expect_painted(desk.set("K1", devices=lost))
    expect(kiosk.page.locator(".chip.error")).to_be_visible()
    kiosk.expect_painted(desk.set("K1", devices=lost | {"scanner": "connected"}))
    expect(kiosk.page.locator(".chip")).to_have_count(0)


def test_after_a_restart_the_page_comes_back_with_the_box_own_basket(
    page: Page, desk: DeskFake, serve: Serve
) -> None:
    server = serve(desk)
    kiosk = KioskPage(page)
    kiosk.open(f"http://127.0.0.1:{server.port}", "K1")
    for _ in range(4):
        desk.scan("K1", WATER)
    kiosk.expect_total("¥10.00")
    desk.changes.close()
    server.close()
    kiosk.expect_link("lost", timeout_ms=10_000)
    kiosk.expect_lines(["天然矿泉水 550ml"])
    kiosk.shoot("kiosk-link-lost-zh-1280x800")
    desk.changes = Changes()
    desk.scan("K1", TEA)
    serve(desk, port=server.port)
    kiosk.expect_link("live", timeout_ms=20_000)
    kiosk.expect_lines(["天然矿泉水 550ml", "龙井绿茶 250g"])
    desk.scan("K1", APPLES)
    kiosk.expect_lines(["天然矿泉水 550ml", "龙井绿茶 250g", "红富士苹果"])


def test_without_a_free_stream_the_page_polls(page: Page, desk: DeskFake, serve: Serve) -> None:
    kiosk = KioskPage(page)
    kiosk.open(f"http://127.0.0.1:{serve(desk, max_streams=0).port}", "K1")
    kiosk.expect_link("polling")
    desk.scan("K1", TEA)
    kiosk.expect_lines(["龙井绿茶 250g"])
    kiosk.touch("checkout")
    kiosk.expect_screen("checkout")


def _notice(code: str, **params: str) -> dict[str, object]:
    return {"id": "n", "level": "error", "code": code, "params": params, "choices": ["dismiss"]}
