"""Whose a cart is, and by which code its shopper came: known from the phone, told with the sale."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from edge.members.identity import Identity, IdentityKind
from edge.services.hand_over_basket import pay_at_kiosk, take_over
from edge.services.identify_member import order_member
from edge.services.join_member import JoinAsk, join
from edge.services.member_rules import MemberRules
from edge.services.record_conversion import scan_touchpoint
from edge.services.scan_and_go import pay_cart
from sim.fakes.box import BREAD, COLA
from sim.world.people.walkers import TOUCH
from tests.unit.cart_shop import CartShop

OPENID = "openid-of-zhang"


def came_by(code: str) -> tuple[CartShop, str]:
    """Return a shop with a phone that scanned a code on its way, and its session."""
    shop = CartShop()
    shop.box = replace(shop.box, touch=TOUCH, members=MemberRules(b"m" * 32, consent_version="v1"))
    scanned = scan_touchpoint(shop.box, code)
    assert scanned is not None
    return shop, shop.phone(scanned.correlation)


def sale(shop: CartShop) -> dict[str, Any]:
    return shop.event_data("sale.attributed")


def steps(shop: CartShop, way: str) -> list[tuple[str, str]]:
    rows = shop.box.store.read(lambda unit: unit.outbox.window(0, 1_000))
    told = [json.loads(row.body)["data"] for row in rows if row.kind == "conversion.step"]
    return [(one["step"], one["touchpoint"]) for one in told if one["correlation"] == way]


def test_a_cart_goes_on_with_the_way_of_its_phone_to_the_sale() -> None:
    shop, phone = came_by("poster")
    shop.put(phone, COLA, BREAD)
    attempt = pay_cart(shop.box, phone)
    assert attempt is not None
    shop.pays(shop.stored_order(attempt.order_id))
    assert [one["touchpoint"] for one in sale(shop)["touches"]] == ["poster"]
    way = shop.session(phone).correlation
    assert [step for step, _ in steps(shop, way)][:3] == ["scanned", "opened", "bought"]


@pytest.mark.parametrize("takes", [False, True])
def test_a_kiosks_basket_goes_on_with_the_way_of_the_phone_that_pays_or_takes_it(takes: bool) -> None:
    shop, phone = came_by("guide.li")
    shop.scan_apart(COLA)
    if takes:
        take_over(shop.box, phone, shop.token())
        attempt = pay_cart(shop.box, phone)
    else:
        attempt = pay_at_kiosk(shop.box, phone, shop.token())
    assert attempt is not None
    shop.pays(shop.stored_order(attempt.order_id))
    assert "guide.li" in [one["touchpoint"] for one in sale(shop)["touches"]]


@pytest.mark.parametrize("at_kiosk", [False, True])
def test_a_signed_in_phones_purchase_is_its_members_before_it_is_paid(at_kiosk: bool) -> None:
    shop, phone = came_by("poster")
    member = join(shop.box, JoinAsk((Identity(IdentityKind.OPENID, OPENID),), "poster", "v1"))
    session = replace(shop.session(phone), openid=OPENID)
    shop.box.store.write(lambda unit: unit.phones.put(session))
    if at_kiosk:
        shop.scan_apart(COLA)
        attempt = pay_at_kiosk(shop.box, phone, shop.token())
    else:
        shop.put(phone, COLA)
        attempt = pay_cart(shop.box, phone)
    assert attempt is not None
    assert attempt.way.value == "jsapi"
    assert shop.box.store.read(lambda unit: order_member(unit, attempt.order_id)) == member.member_id
