"""The settlement tells what the mall owes each tenant of a day, from the books."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.errors import Invalid
from edge.services.box import Tenant
from edge.services.business_day import business_day
from edge.services.refund_order import RefundAsk, refund_order
from edge.services.show_settlement import MAX_DAYS, Settlement, read_settlement, settlement_csv
from edge.services.staff import StaffMember
from edge.services.take_cash import take_cash
from sim.fakes.box import BREAD, COLA, TILL
from tests.unit.shop import Shop

DAY_MS = 86_400_000
BOSS = StaffMember("supervisor", "supervisor", "")


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    tenants = {
        "t-drinks": Tenant("t-drinks", "饮料店", "Drinks", "", 100),
        "t-bakery": Tenant("t-bakery", "=面包房", "Bakery", "1900000012", 50),
    }
    shop.box = replace(shop.box, tenants=tenants)
    return shop


def read(shop: Shop, first: str = "", last: str = "") -> Settlement:
    today = business_day(shop.box, shop.ports.clock.now())
    return shop.ports.store.read(
        lambda unit: read_settlement(unit, shop.box, first or today, last or first or today)
    )


def figures(report: Settlement) -> dict[str, tuple[int, ...]]:
    return {
        one.sums.tenant_id: (
            one.sums.sold_fen,
            one.sums.returned_fen,
            one.sums.commission_fen,
            one.sums.owed_fen,
        )
        for one in report.rows
    }


def test_cash_and_refunds_of_a_day_are_owed_less_commission(shop: Shop) -> None:
    order = shop.order_of(COLA, COLA, BREAD, place=TILL)
    take_cash(shop.box, TILL, 1_500)
    lines = {line.sku: line.line_id for line in order.lines}
    refund_order(shop.box, RefundAsk("r1", order.order_id, TILL, "x", {lines["cola"]: 1}), "g", BOSS)
    report = read(shop)
    assert figures(report) == {"t-drinks": (700, 350, 35, 315), "t-bakery": (800, 0, 40, 760)}
    assert (report.total.sold_fen, report.total.owed_fen) == (1_500, 1_075)


def test_a_refund_of_another_day_stands_in_its_own(shop: Shop) -> None:
    order = shop.order_of(COLA, place=TILL)
    take_cash(shop.box, TILL, 350)
    sold = read(shop).first_day
    shop.wait(DAY_MS)
    refund_order(shop.box, RefundAsk("r1", order.order_id, TILL, "x"), "g", BOSS)
    assert figures(read(shop, sold)) == {"t-drinks": (350, 0, 35, 315)}
    assert figures(read(shop)) == {"t-drinks": (0, 350, -35, -315)}
    assert figures(read(shop, sold, read(shop).last_day))["t-drinks"] == (350, 350, 0, 0)


def test_the_file_has_yuan_and_no_formulas(shop: Shop) -> None:
    shop.order_of(BREAD, place=TILL)
    take_cash(shop.box, TILL, 800)
    lines = settlement_csv(read(shop)).removeprefix("\ufeff").splitlines()
    assert lines[0].startswith("tenant,name,first_day")
    assert lines[1].split(",")[:2] == ["t-bakery", "'=面包房"]
    assert lines[1].split(",")[-5:] == ["8.00", "0.00", "0.40", "0.00", "7.60"]


@pytest.mark.parametrize(
    ("first", "last"), [("yesterday", ""), ("2026-11-22", "2026-11-21"), ("2026-01-01", "2026-12-31")]
)
def test_days_that_are_none_or_too_many_are_refused(shop: Shop, first: str, last: str) -> None:
    with pytest.raises(Invalid, match=f"day|1 to {MAX_DAYS}"):
        read(shop, first, last)
