"""Every journey of a shopper's phone, walked through HQ's relay with the simulated phone in two languages."""

from __future__ import annotations

import json
import re
import threading
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, expect

from sim.__main__ import random_digits
from sim.crowd.calls import Calls, Meter
from sim.crowd.counter import GuideAtCounter
from sim.mall import Mall, MallSettings
from sim.mall_config import DEMO_PIN
from sim.mall_drivers import some_plate
from tests.browser.phone_hand import Hand
from tests.system.mall_process import Person, code_of, eventually, open_mall

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]

EGG_TART, CROISSANT, TEA = "BK-001", "BK-005", "MK-002"
BOOK = "BS-001"
Hold = Callable[..., Hand]
Guides = Mapping[str, GuideAtCounter]


@pytest.fixture(scope="module")
def mall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mall]:
    folder = tmp_path_factory.mktemp("phones")
    rules = "poll_ms = 200\npaid_idle_ms = 600000"
    with open_mall(folder, MallSettings(folder, rules=rules, pace_s=0.3)) as running:
        yield running


@pytest.fixture
def hold(mall: Mall, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Hold]:
    """Hold a phone with a wallet of its own."""
    held: list[Hand] = []

    def take(language: str = "zh", opens: str = "program") -> Hand:
        assert mall.phone is not None
        hand = Hand(browser, mall.phone.url, language, opens)
        hand.page.click("#new-wallet")
        expect(hand.page.locator("#name")).to_contain_text(re.compile("访客|Visitor"))
        held.append(hand)
        return hand

    yield take
    for hand in held:
        hand.shoot(f"last-{request.node.name}")
        hand.close()


@pytest.fixture(scope="module")
def guides(mall: Mall) -> Iterator[Guides]:
    """A guide signed in at each counter, by tenant."""
    meter, stop = Meter(), threading.Event()
    with ExitStack() as kept:

        def stand(counter: str, guide: str, tenant: str) -> GuideAtCounter:
            return GuideAtCounter(
                kept.enter_context(Calls(mall.url, meter, stop)), counter, guide, DEMO_PIN, tenant, stop
            )

        yield {"bakery": stand("C01", "chen", "bakery"), "books": stand("C02", "lin", "books")}


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


def waiting_tickets(mall: Mall) -> list[str]:
    """Return the ids of the tickets that the till can collect."""
    with urllib.request.urlopen(f"{mall.url}/api/kiosk/T01/tickets?text=") as answer:
        return [one["id"] for one in json.load(answer) if not one["problem"]]


def steps_of(mall: Mall, order_id: str) -> set[str]:
    """Return the steps at HQ of the way that led to an order, from its first touch on."""
    with urllib.request.urlopen(f"{mall.hq_url}/events.json?kind=conversion.step") as answer:
        steps = [json.loads(one["data"]) for one in json.load(answer)]
    ways = {one["correlation"] for one in steps if one["order_id"] == order_id}
    return {one["step"] for one in steps if one["correlation"] in ways}


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


@pytest.mark.parametrize("language", ["zh", "en"])
def test_scan_and_go_ends_with_an_exit_code(hold: Hold, mall: Mall, language: str) -> None:
    hand = hold(language)
    hand.page.click("#open-scan")
    hand.scan(f"{mall.public_url}/phone/shop")
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
    hand.expect_calm()
    hand.shoot(f"shop-{language}-3-exit")


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
    hand.expect_calm()
    hand.shoot(f"cashier-{language}-2-ticket")
    till.touch("done")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_stay_is_paid_on_the_phone_and_the_car_drives_out(hold: Hold, mall: Mall, language: str) -> None:
    hand = hold(language)
    plate = some_plate(random_digits)
    assert mall.lanes.enter(mall.lanes.car(plate))
    hand.page.click("#open-scan")
    with hand.page.expect_response(lambda answer: "/parking?mine" in answer.url):
        hand.scan(f"{mall.public_url}/phone/parking")
    hand.expect_page("pages/parking/parking")
    hand.see(".plate-input").fill(plate)
    hand.see(".find").click()
    expect(hand.see(".due")).to_have_text("¥6.00")
    hand.shoot(f"parking-{language}-1-stay")
    hand.see(".stay .due").click()
    hand.see(".pay").click()
    hand.pay()
    hand.expect_page("pages/paid/paid")
    hand.expect_calm()
    hand.shoot(f"parking-{language}-2-paid")
    assert mall.lanes.leave(mall.lanes.car(plate), lambda: "") == "free"


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
