"""Shoppers' ways from a code or a kiosk to the sale: recorded once, credited when paid, taken back."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from edge.errors import Declined, Invalid
from edge.members.attribution import DAY_MS, AttributionKind, AttributionRule
from edge.members.conversion import ConversionStep
from edge.members.guide_task import TaskKind, TaskState
from edge.members.touchpoint import Guide, Touchpoint, build_book
from edge.parking.validation import Holder
from edge.retail.order import Order
from edge.services.change_basket import start
from edge.services.check_out import leave
from edge.services.guide_tasks import finish, forget_steps, plan_tasks, snooze
from edge.services.journey_records import FunnelBy, FunnelFilter, LinkKind
from edge.services.record_conversion import (
    Details,
    adopt_way,
    record_conversion,
    record_step,
    scan_touchpoint,
)
from edge.services.refund_order import RefundAsk, refund_order
from edge.services.show_receipt import record_touchpoint
from edge.services.staff import StaffMember
from edge.services.touch_rules import TouchRules
from edge.services.validation_records import Claim
from sim.fakes.box import BREAD, COLA, KIOSK
from tests.unit.shop import Shop

LI = Guide("li", "李", "Li", "t-bakery", 50)
BOOK = build_book(
    [Touchpoint("poster", name="海报", name_en="poster", leads_to="/phone/x")], [LI], [KIOSK], []
)
RULES = TouchRules(BOOK, AttributionRule(AttributionKind.GUIDE, 30, 600))


@dataclass
class Touched(Shop):
    """A shop whose box records shoppers' ways."""

    touch: TouchRules = field(default=RULES)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.box = replace(self.box, touch=self.touch)

    def data(self, kind: str) -> list[dict[str, Any]]:
        rows = self.box.store.read(lambda unit: unit.outbox.window(0, 1_000))
        return [json.loads(row.body)["data"] for row in rows if row.kind == kind]

    def steps(self, way: str) -> list[tuple[str, str]]:
        found = self.box.store.read(lambda unit: unit.journeys.steps(way))
        return [(one.step.value, one.touchpoint) for one in found]

    def way(self, order: Order) -> str:
        return self.box.store.read(lambda unit: unit.journeys.linked(LinkKind.ORDER, order.order_id))

    def adopt(self, correlation: str) -> None:
        """Have the kiosk's basket go on with a phone's way."""
        now = self.box.clock.now()
        basket = self.screen()["basket"]["id"]
        self.box.store.write(
            lambda unit: adopt_way(unit, self.box, LinkKind.BASKET, basket, correlation, now)
        )

    def claim(self, member_id: str) -> None:
        basket = self.screen()["basket"]["id"]
        claim = Claim(basket, Holder(member_id=member_id), 0)
        self.box.store.write(lambda unit: unit.validations.put_claim(claim))

    def sell(self, *goods: str, way: str = "", member: str = "") -> Order:
        self.scan_apart(*goods)
        if way:
            self.adopt(way)
        if member:
            self.claim(member)
        order = self.order_of()
        assert self.pay(self.code()) == "approved"
        leave(self.box, KIOSK)
        return order

    def scanned(self, touchpoint: str, way: str = "") -> str:
        found = scan_touchpoint(self.box, touchpoint, way)
        assert found is not None
        return found.correlation


def test_a_kiosk_sale_is_a_way_from_the_first_scan_to_the_sale() -> None:
    shop = Touched()
    order = shop.sell(BREAD, COLA)
    assert shop.steps(shop.way(order)) == [
        ("opened", "ws.kiosk-1"),
        ("bought", "ws.kiosk-1"),
        ("shown", "landing.mall"),
    ]
    sale = shop.data("sale.attributed")[0]
    assert sale["order_id"] == order.order_id
    assert [one["touchpoint"] for one in sale["touches"]] == ["ws.kiosk-1"]
    assert sale["credits"] == [
        {"touchpoint": "ws.kiosk-1", "guide": "", "campaign": "", "amount_fen": order.total_fen}
    ]
    assert {one["correlation"] for one in shop.data("conversion.step")} == {sale["correlation"]}
    assert sale["explained"].startswith("30 天内最后服务的导购得 60%")


def test_a_box_without_touch_rules_records_nothing() -> None:
    shop = Shop()
    shop.order_of(COLA)
    shop.pay(shop.code())
    assert not [kind for kind in shop.events() if kind in ("conversion.step", "sale.attributed")]
    assert scan_touchpoint(shop.box, "poster") is None


def test_a_started_screen_and_the_first_article_are_one_way() -> None:
    shop = Touched()
    start(shop.box, KIOSK)
    shop.scan(COLA)
    assert len(shop.data("conversion.step")) == 1


def test_a_phones_way_through_a_guides_code_is_credited_with_commission() -> None:
    shop = Touched()
    way = shop.scanned("poster")
    assert shop.scanned("guide.li", way) == way
    shop.wait(1_000)
    record_step(shop.box, ConversionStep.OPENED, way, "poster")
    order = shop.sell(BREAD, COLA, way=way)
    assert shop.way(order) == way
    sale = shop.data("sale.attributed")[0]
    shares = {one["touchpoint"]: one["amount_fen"] for one in sale["credits"]}
    assert shares == {"poster": 460, "guide.li": 690}
    assert sum(shares.values()) == order.total_fen
    guides = {one["step"]: (one["guide"], one["served"]) for one in shop.data("conversion.step")[-3:]}
    assert guides["bought"] == ("li", False)
    assert [(one["guide"], one["permille"]) for one in sale["commission"]] == [("li", 50)]
    totals = shop.box.store.read(lambda unit: unit.credits.totals(order.business_day, order.business_day))
    assert [(one.guide, one.sales, one.amount_fen) for one in totals] == [
        ("li", 1, sale["commission"][0]["base_fen"] * 50 // 1_000)
    ]


def test_a_code_scanned_again_is_one_step_and_a_step_of_another_way_is_another() -> None:
    shop = Touched()
    way = shop.scanned("poster")
    shop.scanned("poster", way)
    other = shop.scanned("poster", "no good")
    assert other != way
    assert len(shop.data("conversion.step")) == 2
    assert scan_touchpoint(shop.box, "nobody") is None
    unrecorded = scan_touchpoint(shop.box, "poster", way, record=False)
    assert unrecorded is not None
    assert unrecorded.correlation == way
    record_step(shop.box, ConversionStep.OPENED, way, "nobody")
    record_step(shop.box, ConversionStep.OPENED, "!", "poster")
    assert len(shop.data("conversion.step")) == 2
    day = shop.data("conversion.step")[0]["business_day"]
    counts = shop.box.store.read(
        lambda unit: unit.journeys.counts(FunnelFilter(day, day), FunnelBy.TOUCHPOINT)
    )
    assert [(name, one.shoppers, one.times) for name, one in counts] == [("poster", 2, 2)]


def test_refunds_take_the_commission_back_to_the_fen() -> None:
    shop = Touched(touch=replace(RULES, attribution=AttributionRule()))
    order = shop.sell(BREAD, COLA, way=shop.scanned("guide.li"))
    boss = StaffMember("boss", "supervisor", "")
    (earned,) = shop.data("sale.attributed")[0]["commission"]
    assert earned["amount_fen"] == 57
    for number, ask in enumerate(({"amount_fen": 333}, {})):
        refund_order(shop.box, RefundAsk(f"r-{number}", order.order_id, KIOSK, "back", **ask), "c", boss)  # type: ignore[arg-type]
    entries = shop.box.store.read(lambda unit: unit.credits.entries(order.order_id))
    assert [one.amount_fen for one in entries] == [57, -(57 - 817 * 50 // 1_000), -(817 * 50 // 1_000)]
    assert sum(one.amount_fen for one in entries) == 0
    sale = shop.box.store.read(lambda unit: unit.credits.get(order.order_id))
    assert sale is not None
    assert sale.left_fen == 0
    assert [one["left_fen"] for one in shop.data("sale.reversed")] == [817, 0]


def test_the_landing_page_that_was_opened_is_a_step_of_the_orders_way() -> None:
    shop = Touched()
    order = shop.sell(COLA)
    receipt = shop.receipt(order.order_id)
    assert receipt is not None
    record_touchpoint(shop.box, receipt.token, "opened")
    record_touchpoint(shop.box, receipt.token, "opened")
    assert shop.steps(shop.way(order))[-2:] == [("scanned", "receipt.kiosk-1"), ("opened", "landing.mall")]
    assert len(shop.steps(shop.way(order))) == 5


def test_a_paid_order_keeps_its_way_and_a_bad_one_is_refused() -> None:
    shop = Touched()
    order = shop.sell(COLA)
    now = shop.box.clock.now()
    with pytest.raises(Invalid, match="stays"):
        shop.box.store.write(
            lambda unit: adopt_way(unit, shop.box, LinkKind.ORDER, order.order_id, "another-way", now)
        )
    with pytest.raises(Invalid, match="correlation"):
        shop.box.store.write(lambda unit: adopt_way(unit, shop.box, LinkKind.BASKET, "b", "!", now))
    with pytest.raises(Invalid, match="correlation"):
        shop.box.store.write(
            lambda unit: record_conversion(unit, shop.box, ConversionStep.SHOWN, "!", "poster", now)
        )


def test_a_member_is_identified_comes_again_and_is_credited_over_all_ways() -> None:
    shop = Touched(touch=replace(RULES, attribution=AttributionRule(AttributionKind.FIRST)))
    now = shop.box.clock.now()
    way = shop.scanned("poster")
    shop.box.store.write(
        lambda unit: record_conversion(
            unit, shop.box, ConversionStep.IDENTIFIED, way, "poster", now, Details(member_id="m-1")
        )
    )
    shop.wait(5_000)
    first = shop.sell(COLA, member="m-1")
    assert [one["touchpoint"] for one in shop.data("sale.attributed")[0]["credits"]] == ["poster"]
    shop.wait(DAY_MS)
    second = shop.sell(COLA, member="m-1")
    kinds = [step for step, _ in shop.steps(shop.way(second))]
    assert kinds == ["opened", "identified", "bought", "returned", "shown"]
    assert "returned" not in [step for step, _ in shop.steps(shop.way(first))]
    life = shop.box.store.read(lambda unit: unit.guide_tasks.life("m-1"))
    assert life is not None
    assert (life.purchases, life.last_order) == (2, second.order_id)


def test_tasks_are_given_out_once_done_put_off_met_and_expired() -> None:
    shop = Touched(touch=replace(RULES, attribution=AttributionRule()))
    shop.sell(COLA, way=shop.scanned("guide.li"), member="m-1")
    assert plan_tasks(shop.box) == 0
    shop.wait(DAY_MS)
    assert plan_tasks(shop.box) == 1
    assert plan_tasks(shop.box) == 0
    (task,) = shop.box.store.read(lambda unit: unit.guide_tasks.waiting(9))
    assert (task.kind, task.member_id) == (TaskKind.FIRST_VISIT, "m-1")
    assert snooze(shop.box, task.task_id, 2).state is TaskState.SNOOZED
    assert finish(shop.box, task.task_id, "Li", "called").note == "called"
    with pytest.raises(Declined):
        finish(shop.box, task.task_id, "Li", "")
    with pytest.raises(Invalid, match="no task"):
        snooze(shop.box, "t-none", 1)
    shop.wait(13 * DAY_MS)
    assert plan_tasks(shop.box) == 1
    bought = shop.sell(COLA, member="m-1")
    assert shop.data("guide.task")[-1]["state"] == "met"
    assert shop.data("guide.task")[-1]["met_by"] == bought.order_id
    shop.wait(30 * DAY_MS)
    assert plan_tasks(shop.box) == 1
    shop.wait(14 * DAY_MS)
    assert plan_tasks(shop.box) == 0
    states = [one["state"] for one in shop.data("guide.task")]
    assert states == ["open", "snoozed", "done", "open", "met", "open", "expired"]


def test_old_steps_are_forgotten_and_their_counts_stay() -> None:
    shop = Touched(touch=replace(RULES, keep_days=7))
    order = shop.sell(COLA)
    assert forget_steps(shop.box) == 0
    shop.wait(8 * DAY_MS)
    assert forget_steps(shop.box) == 6
    assert shop.steps(shop.way(order)) == []
    days = FunnelFilter(order.business_day, order.business_day)
    counts = shop.box.store.read(lambda unit: unit.journeys.counts(days, FunnelBy.DAY))
    assert {one.step.value: one.shoppers for _, one in counts} == {"opened": 1, "bought": 1, "shown": 1}
