"""The page that an order ends on: chosen once, sticky, counted; publishing, returning, and WeChat's slip."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from edge.errors import Declined, Invalid
from edge.members.bandit import BanditRule
from edge.members.landing import BlockKind, LandingBlock, LandingPage
from edge.members.landing_version import LandingSlot, LandingVariant, LandingVersion, Occasion
from edge.retail.order import Order
from edge.services.events import Surface
from edge.services.gold_slip import SlipAsk, check_code, gold_slip
from edge.services.landing_events import landing_data
from edge.services.landing_records import LandingCount, ShownLanding
from edge.services.publish_landing import (
    LandingDraft,
    publish_landing,
    read_rule,
    read_slot,
    read_variants,
    return_landing,
    withdraw_landing,
    write_variants,
)
from edge.services.show_receipt import record_touchpoint, show_receipt
from sim.fakes.box import COLA, KIOSK, MALL_PAGE, TILL
from sim.fakes.gateway import Shopper
from tests.unit.shop import Shop

SCHEMAS = Path(__file__).parents[2] / "docs/protocols/schemas"
DRINKS = LandingSlot("t-drinks")
LINK = "https://mall.example/phone/gold/slip"


@pytest.fixture
def shop() -> Shop:
    return Shop()


def page(title: str, *blocks: LandingBlock) -> LandingPage:
    return LandingPage("t-drinks", "t-drinks", title, blocks=blocks)


def draft(*titles: str, slot: LandingSlot = DRINKS, based_on: int = 0, **changes: Any) -> LandingDraft:
    variants = tuple(
        LandingVariant(chr(65 + at), page(title, LandingBlock(BlockKind.JOIN, "入会")))
        for at, title in enumerate(titles)
    )
    return replace(LandingDraft(slot, based_on, variants), **changes)


def buy(shop: Shop, place: str = KIOSK, code: str = "") -> Order:
    order = shop.order_of(COLA, place=place)
    shop.pay(code or shop.code(), place)
    shop.wait(60_000)
    return shop.stored_order(order.order_id)


def token(shop: Shop, order: Order) -> str:
    receipt = shop.receipt(order.order_id)
    assert receipt is not None
    return receipt.token


def title(shop: Shop, order: Order) -> str:
    found: Any = show_receipt(shop.box, token(shop, order))
    return str(found["landing"]["title"])


def counts(shop: Shop, number: int, slot: LandingSlot = DRINKS) -> tuple[LandingCount, ...]:
    return shop.box.store.read(lambda unit: unit.landings.counts(slot, number))


def test_an_order_keeps_the_page_it_ended_on_whatever_is_published_after_it(shop: Shop) -> None:
    first = buy(shop)
    publish_landing(shop.box, draft("新茶"), "王")
    second = buy(shop)
    publish_landing(shop.box, draft("更新", based_on=1), "王")

    assert title(shop, first) == MALL_PAGE.title
    assert title(shop, second) == "新茶"
    assert title(shop, buy(shop)) == "更新"


def test_an_occasions_page_is_shown_there_alone(shop: Shop) -> None:
    kiosk = LandingSlot("t-drinks", Occasion.KIOSK)
    publish_landing(shop.box, draft("茶"), "王")
    publish_landing(shop.box, draft("自助", slot=kiosk), "王")

    assert title(shop, buy(shop)) == "自助"
    assert title(shop, buy(shop, TILL)) == "茶"


def test_a_version_begins_at_its_moment_and_gives_way_after_its_end(shop: Shop) -> None:
    now = shop.ports.clock.now().wall_at
    publish_landing(shop.box, draft("周末", valid_from=now + 600_000, valid_to=now + 1_200_000), "王")

    titles = []
    for _ in range(3):
        titles.append(title(shop, buy(shop)))
        shop.wait(600_000)

    assert titles == [MALL_PAGE.title, "周末", MALL_PAGE.title]


def test_the_same_payer_sees_the_same_variant_again(shop: Shop) -> None:
    even = BanditRule(learning=False, floor_permille=0)
    publish_landing(shop.box, draft("甲", "乙", rule=even), "王")

    def visit(payer: int) -> str:
        shop.codes += 1
        code = f"13{shop.codes:016d}"
        shop.ports.gateway.show_code(code, Shopper(f"openid-{payer}", balance_fen=100_000))
        return title(shop, buy(shop, code=code))

    seen = [[visit(payer) for payer in range(6)] for _ in range(3)]

    assert seen[0] == seen[1] == seen[2]
    assert set(seen[0]) == {"甲", "乙"}


def test_an_order_is_counted_once_shown_and_once_acted_on(shop: Shop) -> None:
    publish_landing(shop.box, draft("茶"), "王")
    order = buy(shop)
    for touched in ("opened", "join", "join", "coupon", "dance"):
        record_touchpoint(shop.box, token(shop, order), touched)

    assert counts(shop, 1) == (LandingCount("A", 1, 1),)
    assert shop.events().count("landing.shown") == 1
    assert shop.events().count("landing.join") == 1
    buy(shop)
    assert counts(shop, 1) == (LandingCount("A", 2, 1),)


def test_opening_a_page_is_no_act(shop: Shop) -> None:
    order = buy(shop)
    record_touchpoint(shop.box, token(shop, order), "opened")
    assert counts(shop, 0, LandingSlot("")) == (LandingCount("A", 1, 0),)


def test_what_hq_is_told_fits_its_schema_and_names_the_variant(shop: Shop) -> None:
    order = buy(shop)
    shown = ShownLanding(order.order_id, DRINKS, 3, "B", "x", 1)
    data = landing_data(page("茶"), order, Surface.PHONE, shown, BlockKind.JOIN)

    schema = json.loads((SCHEMAS / "landing.join.v1.json").read_text("utf-8"))
    Draft202012Validator(schema).validate(data)
    assert {"version", "variant", "occasion", "campaign"} <= schema["properties"].keys()
    assert (data["version"], data["variant"]) == (3, "B")
    assert shown.label == "t-drinks.3B"


def test_a_return_is_a_new_version_like_the_old_one(shop: Shop) -> None:
    first = publish_landing(shop.box, draft("一"), "王")
    publish_landing(shop.box, draft("二", based_on=1), "李")
    again = return_landing(shop.box, DRINKS, 1, "赵")

    assert (again.number, again.returned_to, again.made_by) == (3, 1, "赵")
    assert again.variants == first.variants
    assert title(shop, buy(shop)) == "一"
    with pytest.raises(Invalid, match="no version 9"):
        return_landing(shop.box, DRINKS, 9, "赵")


def test_a_withdrawn_page_gives_way_to_the_given_one(shop: Shop) -> None:
    publish_landing(shop.box, draft("一"), "王")
    withdraw_landing(shop.box, DRINKS, "王")

    assert title(shop, buy(shop)) == MALL_PAGE.title
    with pytest.raises(Invalid, match="could be withdrawn"):
        withdraw_landing(shop.box, LandingSlot("t-toys"), "王")


def test_what_somebody_else_published_meanwhile_is_not_run_over(shop: Shop) -> None:
    publish_landing(shop.box, draft("一"), "王")
    with pytest.raises(Declined, match="version 1 was published meanwhile"):
        publish_landing(shop.box, draft("二"), "李")


@pytest.mark.parametrize(
    ("changes", "why"),
    [({"variants": ()}, "one variant at least"), ({"valid_to": 5}, "ended already")],
)
def test_what_could_not_be_shown_is_not_published(shop: Shop, changes: dict[str, Any], why: str) -> None:
    with pytest.raises(Invalid, match=why):
        publish_landing(shop.box, draft("一", **changes), "王")


def test_an_editors_json_is_read_as_it_was_written() -> None:
    version = LandingVersion(DRINKS, 1, draft("一", "二").variants)
    said = json.loads(json.dumps(write_variants(version)))
    assert read_variants(said, DRINKS) == version.variants


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("x", "variants must be a list"),
        ([1], "variant 1 must be an object"),
        ([{"title": 5}], "title must be a text"),
        ([{"weight": "9"}], "weight must be a whole number"),
        ([{"blocks": [{"kind": "dance"}]}], "variant 1, block 1: kind 'dance'"),
        ([{"blocks": [{}] * 33}], "blocks must be a list of 32"),
        ([{"title": "x" * 4_001}], "4000 letters"),
    ],
)
def test_an_editors_json_is_refused_by_its_place(said: object, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        read_variants(said, DRINKS)


def test_an_address_names_a_slot_and_a_form_a_rule() -> None:
    assert read_slot({"tenant": "t-drinks"}) == DRINKS
    assert read_slot({"occasion": "kiosk", "campaign": "may"}) == LandingSlot("", Occasion.KIOSK, "may")
    with pytest.raises(Invalid, match="occasion 'dusk'"):
        read_slot({"occasion": "dusk"})
    assert read_rule({"learning": False, "floor": 5, "trial": 7}) == BanditRule(False, 50, 7)


def ask(shop: Shop, order: Order, **changes: str) -> SlipAsk:
    attempt = shop.attempts(order.order_id)[-1]
    asked = SlipAsk(LINK, "1900000109", attempt.merchant_order_no, "")
    return replace(replace(asked, check_code=check_code(asked, attempt.transaction_id or "")), **changes)


def test_the_slip_shows_an_orders_page_and_its_own_things_with_a_good_check_code_alone(shop: Shop) -> None:
    order = buy(shop)
    good: Any = gold_slip(shop.box, ask(shop, order))
    guessed: Any = gold_slip(shop.box, ask(shop, order, check_code="0" * 32))

    assert (good["verified"], good["number"], good["token"]) == (True, order.number, token(shop, order))
    assert (guessed["ready"], guessed["verified"]) == (True, False)
    assert guessed["landing"]["title"] == good["landing"]["title"] == MALL_PAGE.title
    assert not {"token", "number", "total_fen"} & guessed.keys()


@pytest.mark.parametrize("number", ["0" * 32, "x", "", "A" * 32])
def test_an_unknown_number_has_no_slip(shop: Shop, number: str) -> None:
    assert gold_slip(shop.box, ask(shop, buy(shop), out_trade_no=number)) is None


def test_a_payment_that_is_not_confirmed_has_no_slip_yet(shop: Shop) -> None:
    shop.order_of(COLA)
    outcome = shop.scan(shop.code())
    order = shop.order()
    assert outcome.outcome == "payment"
    assert gold_slip(shop.box, ask(shop, order)) == {"ready": False, "verified": False, "landing": None}
