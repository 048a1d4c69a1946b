"""Every journey of a shopper's phone, walked through HQ's relay with the simulated phone in two languages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, expect

from edge.clock import local, wall_ms
from edge.codes.signed_token import TokenKind
from sim.crowd.desk import refund_all
from sim.digits import random_digits
from sim.mall import Mall, MallSettings
from sim.mall_config import DEMO_PIN
from sim.mall_drivers import some_plate
from tests.browser.phone_hand import PATIENCE_MS, Hand
from tests.browser.phone_mall import (
    Event,
    Guides,
    at_hq,
    credited_to,
    points_left,
    stand_at_counters,
    steps_of,
    supervisor,
    waiting_tickets,
)
from tests.system.mall_process import Person, code_of, eventually, open_mall

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]

EGG_TART, CROISSANT, TEA = "BK-001", "BK-005", "MK-002"
BOOK, POEMS = "BS-001", "BS-002"
Hold = Callable[..., Hand]

MALL_ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture(scope="module")
def mall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mall]:
    folder = tmp_path_factory.mktemp("phones")
    rules = "poll_ms = 200\npaid_idle_ms = 600000"
    with open_mall(folder, MallSettings(folder, rules=rules, pace_s=0.3)) as running:
        yield running


@pytest.fixture
def hold(mall: Mall, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Hold]:
    """Hold a phone with a wallet of its own; a whole mall at work answers slower than a page."""
    held: list[Hand] = []
    expect.set_options(timeout=PATIENCE_MS)

    def take(language: str = "zh", opens: str = "program") -> Hand:
        assert mall.phone is not None
        hand = Hand(browser, mall.phone.url, language, opens)
        hand.page.click("#new-wallet")
        expect(hand.page.locator("#name")).to_contain_text(re.compile("访客|Visitor"))
        held.append(hand)
        return hand

    yield take
    expect.set_options(timeout=None)
    for hand in held:
        hand.shoot("last-" + re.sub(r"\W+", "-", request.node.name))
        hand.close()


@pytest.fixture(scope="module")
def guides(mall: Mall) -> Iterator[Guides]:
    with stand_at_counters(mall) as standing:
        yield standing


@pytest.fixture
def shopper(mall: Mall) -> Iterator[Person]:
    """Somebody in front of K01, who leaves it as it was found."""
    person = Person(mall)
    yield person
    screen = person.view()["screen"]
    if screen != "attract":
        person.touch("done" if screen == "paid" else "cancel")


def on_screen(person: Person, skus: list[str]) -> str:
    """Put goods on the kiosk's screen; return the address of its code for phones."""
    for sku in skus:
        person.touch("type_code", text=code_of(sku))
    view = person.sees_that(lambda seen: "/phone/k/" in repr(seen), "a code for phones")
    found = re.search(r"http[^'\"]*/phone/k/[\w-]+", repr(view))
    assert found is not None
    return found[0]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_kiosks_basket_is_paid_on_the_phone_and_its_owner_joins(
    hold: Hold, shopper: Person, mall: Mall, language: str
) -> None:
    hand = hold(language)
    link = on_screen(shopper, [EGG_TART, TEA])
    hand.page.click("#open-scan")
    hand.shoot(f"kiosk-{language}-1-scan")
    hand.scan(link)
    hand.expect_page("pages/kiosk/kiosk")
    expect(hand.see(".total")).to_have_text("¥8.50")
    hand.shoot(f"kiosk-{language}-2-basket")
    hand.see(".pay").click()
    hand.password("000000")
    hand.password()
    hand.page.click(".paid .done")
    hand.expect_page("pages/paid/paid")
    expect(hand.see(".paid-amount")).to_have_text("¥8.50")
    order = shopper.sees("paid")["order"]
    hand.shoot(f"kiosk-{language}-3-paid")
    hand.see(".join .block-button").click()
    hand.shoot(f"kiosk-{language}-4-consent")
    hand.see(".agree").click()
    hand.see(".join-now").click()
    expect(hand.see(".is-member")).to_contain_text("8")
    hand.expect_calm()
    hand.shoot(f"kiosk-{language}-5-member")
    assert isinstance(order, dict)
    eventually(lambda: steps_of(mall, str(order["id"])) >= {"bought", "joined"} or None, "the way at HQ")


def test_a_kiosks_basket_goes_to_the_phone_and_the_kiosk_is_free(hold: Hold, shopper: Person) -> None:
    hand = hold()
    hand.paste(on_screen(shopper, [CROISSANT]))
    hand.expect_page("pages/kiosk/kiosk")
    hand.see(".take").click()
    hand.expect_page("pages/shop/shop")
    shopper.sees("attract")
    expect(hand.see(".bar-amount")).to_contain_text("¥")
    hand.shoot("kiosk-zh-6-taken")
    hand.see(".pay").click()
    hand.pay()
    hand.expect_page("pages/paid/paid")
    hand.expect_calm()


@pytest.mark.parametrize(("language", "code"), [("zh", "shop"), ("en", "go/poster-door")])
def test_scan_and_go_ends_with_an_exit_code(hold: Hold, mall: Mall, language: str, code: str) -> None:
    hand = hold(language)
    hand.page.click("#open-scan")
    hand.scan(f"{mall.public_url}/phone/{code}")
    hand.expect_page("pages/shop/shop")
    hand.see(".scan").click()
    hand.scan(code_of(EGG_TART))
    expect(hand.see(".bar-amount")).to_have_text("¥5.00")
    hand.see(".scan").click()
    hand.scan(code_of(TEA))
    expect(hand.see(".bar-amount")).to_have_text("¥8.50")
    hand.shoot(f"shop-{language}-1-cart")
    hand.see(".pay").click()
    hand.page.click(".pay .x")
    expect(hand.see(".bar-problem")).to_be_visible()
    hand.shoot(f"shop-{language}-2-cancelled")
    hand.see(".pay").click()
    hand.pay()
    hand.expect_page("pages/paid/paid")
    hand.see("button.exit").click()
    hand.expect_page("pages/exit/exit")
    expect(hand.see(".exit-count")).to_be_visible()
    (shown,) = hand.codes_on(".qr-picture")
    assert TokenKind.EXIT.value == shown[0]
    hand.expect_calm()
    hand.shoot(f"shop-{language}-3-exit")
    hand.see("button.home").click()
    hand.switch_network("off")
    hand.see(".recent").click()
    hand.expect_page("pages/exit/exit")
    expect(hand.see(".kept")).to_be_visible()
    assert hand.codes_on(".qr-picture") == [shown]
    hand.shoot(f"shop-{language}-4-exit-without-network")
    hand.switch_network("on")
    if code == "go/poster-door":
        eventually(lambda: credited_to(mall, "poster-door") or None, "the poster's credit at HQ")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_counters_ticket_is_paid_and_its_goods_are_handed_over(
    hold: Hold, mall: Mall, guides: Guides, language: str
) -> None:
    hand = hold(language)
    link = guides["bakery"].write([code_of(EGG_TART), code_of(CROISSANT)])
    hand.page.click("#open-scan")
    hand.scan(link)
    hand.expect_page("pages/ticket/ticket")
    expect(hand.see(".total")).to_contain_text("¥")
    hand.shoot(f"ticket-{language}-1-ticket")
    hand.see(".pay").click()
    hand.pay()
    hand.expect_page("pages/paid/paid")
    expect(hand.see(".release")).to_have_text(re.compile(r"^\d{6}$"))
    code = hand.see(".release").inner_text()
    hand.shoot(f"ticket-{language}-2-release")
    hand.see(".subscribe").click()
    hand.page.click(".consent .confirm")
    expect(hand.see(".subscribe")).to_be_hidden()
    number = guides["bakery"].numbers()[0]
    guides["bakery"].hand_over(number, code)
    expect(hand.see(".handed-over")).to_be_visible()
    hand.expect_calm()
    hand.shoot(f"ticket-{language}-3-handed-over")
    hand.home()
    message = hand.page.locator("#messages button")
    expect(message).to_contain_text("tmpl-paid")
    hand.shoot(f"ticket-{language}-4-message")
    message.click()
    hand.expect_page("pages/paid/paid")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_two_counters_tickets_are_paid_at_the_central_cashier_by_phone(
    hold: Hold, mall: Mall, guides: Guides, language: str
) -> None:
    hand, till = hold(language), Person(mall, "T01")
    links = [guides["bakery"].write([code_of(EGG_TART)]), guides["books"].write([code_of(BOOK)])]
    for ticket in waiting_tickets(mall):
        till.touch("collect", ticket=ticket)
    till.touch("checkout")
    till.sees("checkout")
    till.touch("phone_pay")
    hand.page.click("#open-scan")
    hand.page.locator("#found button[value^='weixin://']").click()
    hand.password()
    hand.shoot(f"cashier-{language}-1-paid")
    hand.page.click(".paid .done")
    till.sees("paid")
    hand.page.click("#opens-in button[value=program]")
    hand.paste(links[0])
    hand.expect_page("pages/ticket/ticket")
    expect(hand.see(".total")).to_have_text("¥5.00")
    hand.expect_calm()
    hand.shoot(f"cashier-{language}-2-ticket")
    till.touch("done")


def test_a_stay_is_paid_by_the_code_at_the_exit_and_the_boom_opens(hold: Hold, mall: Mall) -> None:
    hand, plate = hold(), some_plate(random_digits)
    began = local(wall_ms(), MALL_ZONE)
    assert mall.lanes.enter(mall.lanes.car(plate))
    ended = local(wall_ms(), MALL_ZONE)
    # The phone is set to another zone; it shows the mall's time.
    hours = re.compile(f"{began:%m-%d %H}:|{ended:%m-%d %H}:")

    def pay_by_phone() -> str:
        hand.page.click("#open-scan")
        hand.scan(f"{mall.public_url}/phone/parking/lane/B1-out")
        hand.expect_page("pages/parking/parking")
        expect(hand.see(".due")).to_have_text("¥6.00")
        expect(hand.see(".right")).to_contain_text(hours)
        hand.shoot("parking-zh-1-stay")
        hand.see(".pay").click()
        hand.pay()
        hand.expect_page("pages/paid/paid")
        return "no code is shown"

    assert mall.lanes.leave(mall.lanes.car(plate), pay_by_phone) == "paid"
    hand.expect_calm()
    hand.shoot("parking-zh-2-paid")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_ticket_is_paid_in_a_phones_browser_by_the_code_on_its_page(
    hold: Hold, guides: Guides, language: str
) -> None:
    hand = hold(language, "browser")
    hand.page.click("#open-scan")
    hand.scan(guides["bakery"].write([code_of(CROISSANT)]))
    expect(hand.web).to_contain_text("¥8.50")
    hand.shoot(f"browser-{language}-1-ticket")
    hand.web.locator("form[method=post] button").first.click()
    expect(hand.web.locator(".paycode img")).to_be_visible()
    hand.shoot(f"browser-{language}-2-code")
    hand.page.click("#web-more")
    hand.page.locator(".list button[value=readPage]").click()
    hand.pay()
    expect(hand.web.locator(".release-code")).to_have_text(re.compile(r"^\d{6}$"), timeout=20_000)
    hand.shoot(f"browser-{language}-3-release")


def pay_and_join_at_the_counter(hand: Hand, guides: Guides) -> None:
    """Pay 78 yuan at the bookshop's counter and join on the page after it."""
    hand.paste(guides["books"].write([code_of(BOOK), code_of(POEMS)]))
    hand.see(".pay").click()
    hand.pay()
    hand.expect_page("pages/paid/paid")
    hand.see(".join .block-button").click()
    hand.see(".agree").click()
    hand.see(".join-now").click()
    expect(hand.see(".is-member")).to_contain_text("78")


def bind(hand: Hand, link: str, plate: str) -> None:
    """Bind a car on the member's page."""
    hand.home()
    hand.paste(link)
    hand.expect_page("pages/me/me")
    expect(hand.see(".points")).to_have_text("78")
    hand.see(".plate-input").fill(plate)
    hand.see(".plate-agree .agree").click()
    hand.see(".bind").click()
    expect(hand.see(".unbind")).to_be_visible()


def test_who_pays_at_a_counter_joins_and_drives_out_free_is_followed_at_hq(
    hold: Hold, mall: Mall, guides: Guides
) -> None:
    hand, plate = hold(), some_plate(random_digits)
    assert mall.lanes.enter(mall.lanes.car(plate))
    pay_and_join_at_the_counter(hand, guides)
    bind(hand, f"{mall.public_url}/phone/me", plate)
    hand.expect_calm()
    hand.shoot("story-1-member")
    assert mall.lanes.leave(mall.lanes.car(plate), lambda: "") == "free"
    (used,) = eventually(lambda: at_hq(mall, "validation.used") or None, "the used parking at HQ")
    order_id = used["order_id"]
    assert steps_of(mall, order_id) >= {"scanned", "bought", "opened", "joined", "identified", "parked"}
    (sale,) = at_hq(mall, "sale.attributed", order_id=order_id)
    assert [one["guide"] for one in sale["credits"]] == ["lin"]
    assert points_left(mall, used["member_id"]) == 78
    assert len(at_hq(mall, "order.paid", order_id=order_id)) == 1


def test_a_refund_takes_back_points_commission_and_parking(hold: Hold, mall: Mall, guides: Guides) -> None:
    hand, plate = hold("en"), some_plate(random_digits)
    others = {one["order_id"] for one in at_hq(mall, "order.paid")}
    assert mall.lanes.enter(mall.lanes.car(plate))
    pay_and_join_at_the_counter(hand, guides)
    bind(hand, f"{mall.public_url}/phone/me", plate)

    def granted() -> Event | None:
        return next((one for one in at_hq(mall, "validation.granted") if one["order_id"] not in others), None)

    parking = eventually(granted, "the parking at HQ")
    order = {"order_id": parking["order_id"]}
    with supervisor(mall) as desk:
        refund_all(desk, parking["order_id"], DEMO_PIN)
    (back,) = eventually(lambda: at_hq(mall, "sale.reversed", **order) or None, "the credit back")
    (sale,) = at_hq(mall, "sale.attributed", **order)
    assert sum(one["amount_fen"] for one in sale["commission"]) == 156
    assert sum(one["amount_fen"] for one in back["commission"]) == -156
    assert at_hq(mall, "validation.revoked", **order)
    eventually(lambda: points_left(mall, parking["member_id"]) == 0 or None, "the points back")
    hand.home()
    hand.paste(f"{mall.public_url}/phone/parking")
    expect(hand.see(".due")).to_have_text("¥6.00")
    hand.shoot("parking-en-1-stay")
    hand.see(".pay").click()
    hand.pay()
    hand.expect_page("pages/paid/paid")
    hand.shoot("parking-en-2-paid")
    assert mall.lanes.leave(mall.lanes.car(plate), lambda: "") == "free"
