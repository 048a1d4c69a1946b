"""Pages after joining and after a refund: shown where published, told, counted, steps of the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from edge.members.conversion import ConversionStep
from edge.members.identity import Identity, IdentityKind
from edge.members.landing import BlockKind, LandingBlock, LandingPage
from edge.members.landing_version import LandingSlot, LandingVariant, Occasion
from edge.retail.order import Order
from edge.services.join_member import JoinAsk, join
from edge.services.journey_records import FunnelBy, FunnelFilter
from edge.services.landing_records import LandingCount
from edge.services.occasion_landing import join_page
from edge.services.publish_landing import LandingDraft, publish_landing
from edge.services.refund_order import RefundAsk, refund_order
from edge.services.show_receipt import record_touchpoint, show_receipt
from edge.services.staff import StaffMember
from sim.fakes.box import BREAD, COLA, KIOSK
from tests.unit.test_services_touch import Touched

BOSS = StaffMember("王", "supervisor", "")
SCHEMA = Path(__file__).parents[2] / "docs/protocols/schemas/landing.shown.v1.json"
ME = Identity(IdentityKind.OPENID, "o-abcdef")


def publish(shop: Touched, occasion: Occasion, title: str, tenant: str = "t-drinks") -> LandingSlot:
    slot = LandingSlot(tenant, occasion)
    page = LandingPage("x", tenant, title, blocks=(LandingBlock(BlockKind.FOLLOW, "关注"),))
    publish_landing(shop.box, LandingDraft(slot, 0, (LandingVariant("A", page),)), "王")
    return slot


def receipt_token(shop: Touched, order: Order) -> str:
    receipt = shop.receipt(order.order_id)
    assert receipt is not None
    return receipt.token


def title(shop: Touched, order: Order) -> str:
    found: Any = show_receipt(shop.box, receipt_token(shop, order))
    return str(found["landing"]["title"])


def give_back(shop: Touched, order: Order) -> None:
    ask = RefundAsk("r-1", order.order_id, KIOSK, "quality", {order.lines[0].line_id: 1})
    refund_order(shop.box, ask, "c", BOSS)


def test_a_refunded_orders_receipt_shows_the_refunds_page_and_counts_it() -> None:
    shop = Touched()
    slot = publish(shop, Occasion.REFUND, "欢迎再来")
    order = shop.sell(COLA, BREAD)
    assert title(shop, order) == "谢谢"
    record_touchpoint(shop.box, receipt_token(shop, order), "opened")
    give_back(shop, order)
    give_back_again = shop.stored_order(order.order_id)
    assert title(shop, give_back_again) == "欢迎再来"
    for _ in range(2):
        record_touchpoint(shop.box, receipt_token(shop, order), "opened")
        record_touchpoint(shop.box, receipt_token(shop, order), "follow")
    counts = shop.box.store.read(lambda unit: unit.landings.counts(slot, 1))
    assert counts == (LandingCount("A", 1, 1),)
    shown = [one for one in shop.data("landing.shown") if one.get("occasion") == "refund"]
    assert [one["order_id"] for one in shown] == [order.order_id]
    opened = [one.get("occasion") for one in shop.data("landing.opened")]
    assert opened == ["any", "refund"]
    steps = shop.steps(shop.way(order))
    assert steps.count(("shown", "landing.t-drinks")) == 1
    assert steps.count(("opened", "landing.t-drinks")) == 2


def test_without_a_page_for_refunds_the_receipt_keeps_its_own() -> None:
    shop = Touched()
    order = shop.sell(COLA, BREAD)
    give_back(shop, order)
    assert title(shop, order) == "谢谢"
    assert [one.get("occasion") for one in shop.data("landing.shown")] == ["any"]


def test_who_joins_after_a_purchase_sees_the_tenants_page_for_it_once() -> None:
    shop = Touched()
    slot = publish(shop, Occasion.JOIN, "欢迎入会")
    order = shop.sell(COLA)
    ask = JoinAsk((ME,), "receipt.kiosk-1", "1", order_id=order.order_id)
    member = join(shop.box, ask).member_id
    assert join(shop.box, ask).member_id == member
    page: Any = shop.box.store.read(lambda unit: join_page(unit, member))
    assert page["title"] == "欢迎入会"
    assert shop.box.store.read(lambda unit: unit.landings.counts(slot, 1)) == (LandingCount("A", 1, 0),)
    (shown,) = [one for one in shop.data("landing.shown") if one.get("occasion") == "join"]
    assert shown["order_id"] == order.order_id
    steps = shop.steps(shop.way(order))
    assert steps[-2:] == [("joined", "receipt.kiosk-1"), ("shown", "landing.t-drinks")]


def test_who_joins_without_a_purchase_sees_the_malls_page_and_hq_can_read_of_it() -> None:
    shop = Touched()
    publish(shop, Occasion.JOIN, "欢迎", "")
    way = shop.scanned("poster")
    member = join(shop.box, JoinAsk((ME,), "poster", "1", correlation=way)).member_id
    page: Any = shop.box.store.read(lambda unit: join_page(unit, member))
    assert page["title"] == "欢迎"
    (shown,) = shop.data("landing.shown")
    Draft202012Validator(json.loads(SCHEMA.read_text())).validate(shown)
    assert shown["order_id"] == ""
    assert shop.steps(way)[-1] == ("shown", "landing.mall")


def test_the_funnel_counts_a_pages_variant_up_to_what_was_done_on_it() -> None:
    shop = Touched()
    publish(shop, Occasion.ANY, "谢谢光临")
    order = shop.sell(COLA)
    record_touchpoint(shop.box, receipt_token(shop, order), "opened")
    join(shop.box, JoinAsk((ME,), "receipt.kiosk-1", "1", order_id=order.order_id))
    wanted = FunnelFilter("2000-01-01", "2100-01-01", variant="t-drinks.1A")
    counts = shop.box.store.read(lambda unit: unit.journeys.counts(wanted, FunnelBy.VARIANT))
    found = {one.step: (one.shoppers, one.times) for _, one in counts}
    assert found[ConversionStep.SHOWN] == found[ConversionStep.JOINED] == (1, 1)
    # The way has opened something before: this shopper is counted there, the page's opening beside it.
    assert found[ConversionStep.OPENED] == (0, 1)


def test_a_page_that_hq_gave_and_took_away_leaves_the_orders_own() -> None:
    shop = Touched()
    order = shop.sell(COLA)
    shop.box.store.write(lambda unit: unit.landings.clear())
    found: Any = show_receipt(shop.box, receipt_token(shop, order))
    assert found["landing"] is None
