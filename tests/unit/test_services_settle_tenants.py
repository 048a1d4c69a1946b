"""Between the mall and its tenants every fen is booked: commission, what reached them, what is owed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.retail.money_share import ShareState, SplitState
from edge.retail.tenant_ledger import TenantSums, tenant_sums
from edge.services.box import Tenant
from edge.services.pay_by_phone import begin_order_payment
from edge.services.refund_order import RefundAsk, refund_order
from edge.services.resolve_attempts import resolve_attempts
from edge.services.resolve_refunds import resolve_refunds
from edge.services.resolve_splits import resolve_splits
from edge.services.settle_tenants import SHARE_AFTER_MS
from edge.services.staff import StaffMember
from edge.services.take_cash import take_cash
from edge.services.work_records import WorkKind
from sim.fakes.box import BREAD, COLA, GATEWAY, TILL
from sim.fakes.prepay_gateway import FakePrepayGateway
from sim.fakes.split_gateway import FakeSplitGateway, SharingFault
from tests.unit.shop import Shop

BOSS = StaffMember("supervisor", "supervisor", "")
#: Cola 3.50 of t-drinks (number 11, 10 % commission), bread 8.00 of t-bakery (number 12, 5 %).
TENANTS = {
    "t-drinks": Tenant("t-drinks", "饮料店", "Drinks", "1900000011", 100),
    "t-bakery": Tenant("t-bakery", "面包房", "Bakery", "1900000012", 50),
}


def make(*, permille: int = 1_000) -> tuple[Shop, FakePrepayGateway, FakeSplitGateway]:
    shop = Shop()
    phones, splits = FakePrepayGateway(shop.ports.gateway), FakeSplitGateway(most_permille=permille)
    shop.box = replace(
        shop.box,
        tenants=TENANTS,
        prepayers={GATEWAY: phones},
        splitters={GATEWAY: splits} if permille else {},
    )
    return shop, phones, splits


def sums(shop: Shop) -> dict[str, TenantSums]:
    moved = shop.ports.store.read(lambda unit: unit.ledger.moved(0, 10**15))
    return {one.tenant_id: one for one in tenant_sums(moved)}


def balanced(shop: Shop) -> bool:
    return sum(shop.ports.store.read(lambda unit: unit.ledger.balances()).values()) == 0


def refund(shop: Shop, order_id: str, number: int = 1, **ask: object) -> None:
    refund_order(shop.box, RefundAsk(f"refund-{number}", order_id, TILL, "broken", **ask), "guide", BOSS)  # type: ignore[arg-type]
    for _ in range(4):
        shop.wait(10_000)
        resolve_refunds(shop.box)


def share(shop: Shop, rounds: int = 3) -> None:
    for _ in range(rounds):
        shop.wait(SHARE_AFTER_MS)
        resolve_splits(shop.box)


def combined(shop: Shop, phones: FakePrepayGateway) -> str:
    order = shop.order_of(COLA, BREAD, place=TILL)
    attempt = begin_order_payment(shop.box, order.order_id)
    assert phones.pay(attempt.pay_url)
    shop.wait(6_000)
    resolve_attempts(shop.box)
    return order.order_id


def test_a_combined_payment_reaches_each_tenant_and_leaves_commission_owing() -> None:
    shop, phones, _ = make(permille=0)
    order_id = combined(shop, phones)
    attempt = shop.attempts(order_id)[0]
    assert [(one.merchant, one.amount_fen, bool(one.transaction_id)) for one in attempt.parts] == [
        ("1900000011", 350, True),
        ("1900000012", 800, True),
    ]
    assert sums(shop) == {
        "t-drinks": TenantSums("t-drinks", 350, 0, 35, 350),
        "t-bakery": TenantSums("t-bakery", 800, 0, 40, 800),
    }
    assert [one.owed_fen for one in sums(shop).values()] == [-40, -35]
    assert balanced(shop)


def test_a_refund_of_a_combined_payment_goes_back_from_the_part_that_was_paid_for_it() -> None:
    shop, phones, _ = make(permille=0)
    order_id = combined(shop, phones)
    lines = {line.sku: line.line_id for line in shop.stored_order(order_id).lines}
    refund(shop, order_id, 1, quantities={lines["bread"]: 1})
    parts = {one.merchant: one.merchant_order_no for one in shop.attempts(order_id)[0].parts}
    assert shop.ports.gateway.charged_fen(parts["1900000011"]) == 350
    assert shop.ports.gateway.charged_fen(parts["1900000012"]) == 0
    assert sums(shop)["t-bakery"] == TenantSums("t-bakery", 800, 800, 0, 0)
    refund(shop, order_id, 2, amount_fen=101)
    assert shop.ports.gateway.charged_fen(parts["1900000011"]) == 249
    assert sums(shop)["t-drinks"] == TenantSums("t-drinks", 350, 101, 24, 249)
    assert balanced(shop)


def test_a_partial_refund_over_several_tenants_is_taken_from_each_part_to_the_fen() -> None:
    shop, phones, _ = make(permille=0)
    order_id = combined(shop, phones)
    refund(shop, order_id, 1, amount_fen=333)
    refund(shop, order_id, 2, amount_fen=333)
    refund(shop, order_id, 3)
    assert shop.ports.gateway.total_fen() == 0
    assert all(one.owed_fen == 0 and one.reached_fen == 0 for one in sums(shop).values())
    assert balanced(shop)


def test_a_payment_code_is_shared_with_the_tenants_less_commission() -> None:
    shop, _, splits = make()
    order = shop.order_of(COLA, BREAD)
    shop.pay(shop.code())
    share(shop)
    assert splits.held_fen() == {"1900000011": 315, "1900000012": 760}
    assert sums(shop) == {
        "t-drinks": TenantSums("t-drinks", 350, 0, 35, 315),
        "t-bakery": TenantSums("t-bakery", 800, 0, 40, 760),
    }
    kept = shop.ports.store.read(lambda unit: unit.splits.of_order(order.order_id))
    assert [one.state for one in kept] == [SplitState.DONE]
    assert balanced(shop)


def test_what_the_contract_does_not_let_go_on_is_owed() -> None:
    shop, _, splits = make(permille=300)
    shop.order_of(COLA, BREAD)
    shop.pay(shop.code())
    share(shop)
    assert splits.held_fen() == {"1900000011": 101, "1900000012": 244}
    assert {one.tenant_id: one.owed_fen for one in sums(shop).values()} == {"t-drinks": 214, "t-bakery": 516}


def test_nothing_is_shared_before_the_gateway_takes_it() -> None:
    shop, _, splits = make()
    shop.order_of(COLA)
    shop.pay(shop.code())
    shop.wait(SHARE_AFTER_MS - 1)
    resolve_splits(shop.box)
    assert splits.shared == {}
    shop.wait(1)
    resolve_splits(shop.box)
    assert len(splits.shared) == 1


def test_what_was_paid_under_a_clock_far_ahead_is_shared_once_it_is_right() -> None:
    shop, _, splits = make()
    shop.ports.clock.set_wall(30 * 86_400_000)
    shop.order_of(COLA)
    shop.pay(shop.code())
    shop.ports.clock.set_wall(-30 * 86_400_000)
    shop.wait(SHARE_AFTER_MS)
    resolve_splits(shop.box)
    assert len(splits.shared) == 1


def test_a_refund_before_the_sharing_makes_the_shares_smaller() -> None:
    shop, _, splits = make()
    order = shop.order_of(COLA, BREAD)
    shop.pay(shop.code())
    lines = {line.sku: line.line_id for line in order.lines}
    refund(shop, order.order_id, 1, quantities={lines["bread"]: 1})
    share(shop)
    assert splits.held_fen() == {"1900000011": 315}
    assert {one.tenant_id: one.owed_fen for one in sums(shop).values()} == {"t-drinks": 0, "t-bakery": 0}


def test_a_refund_after_the_sharing_takes_the_shares_back() -> None:
    shop, _, splits = make()
    order = shop.order_of(COLA, BREAD)
    shop.pay(shop.code())
    share(shop)
    refund(shop, order.order_id, 1, amount_fen=333)
    share(shop)
    left = sums(shop)
    assert splits.held_fen() == {
        "1900000011": left["t-drinks"].reached_fen,
        "1900000012": left["t-bakery"].reached_fen,
    }
    assert all(abs(one.owed_fen) <= 1 for one in left.values())
    refund(shop, order.order_id, 2)
    share(shop)
    assert set(splits.held_fen().values()) == {0}
    assert all(one.owed_fen == 0 for one in sums(shop).values())
    assert balanced(shop)


@pytest.mark.parametrize("fault", [SharingFault.LOST, SharingFault.UNAVAILABLE])
def test_a_share_whose_answer_is_lost_moves_once(fault: SharingFault) -> None:
    shop, _, splits = make()
    splits.faults.append(fault)
    shop.order_of(COLA)
    shop.pay(shop.code())
    share(shop, 5)
    assert splits.held_fen() == {"1900000011": 315}
    assert sums(shop)["t-drinks"].reached_fen == 315


def test_a_share_that_is_refused_is_freed_owed_and_looked_at() -> None:
    shop, _, splits = make()
    splits.faults.append(SharingFault.REFUSED)
    order = shop.order_of(COLA)
    shop.pay(shop.code())
    share(shop, 4)
    kept = shop.ports.store.read(lambda unit: unit.splits.of_order(order.order_id))[0]
    assert (kept.state, [one.state for one in kept.shares]) == (SplitState.DONE, [ShareState.FAILED])
    assert [dict(ask.shares) for ask in splits.shared.values()] == [{}]
    assert sums(shop)["t-drinks"].owed_fen == 315
    items = shop.ports.store.read(lambda unit: unit.work_items.open(9, WorkKind.SHARE_STUCK))
    assert len(items) == 1


def test_a_share_that_fails_at_its_receiver_is_owed_and_never_taken_back() -> None:
    shop, _, splits = make()
    splits.failing["1900000011"] = "ACCOUNT_ABNORMAL"
    order = shop.order_of(COLA)
    shop.pay(shop.code())
    share(shop)
    assert sums(shop)["t-drinks"].owed_fen == 315
    refund(shop, order.order_id, 1)
    share(shop)
    assert (splits.returned, sums(shop)["t-drinks"].owed_fen) == ({}, 0)


def test_a_return_that_fails_is_owed_by_the_tenant_and_looked_at() -> None:
    shop, _, splits = make()
    order = shop.order_of(COLA)
    shop.pay(shop.code())
    share(shop)
    splits.failing["1900000011"] = "BALANCE_NOT_ENOUGH"
    refund(shop, order.order_id, 1)
    share(shop)
    assert sums(shop)["t-drinks"].owed_fen == -315
    items = shop.ports.store.read(lambda unit: unit.work_items.open(9, WorkKind.SHARE_STUCK))
    assert len(items) == 1


def test_cash_is_owed_to_the_tenants_less_commission() -> None:
    shop, _, splits = make()
    shop.order_of(COLA, BREAD, place=TILL)
    take_cash(shop.box, TILL, 1_150)
    share(shop)
    assert splits.shared == {}
    assert {one.tenant_id: one.owed_fen for one in sums(shop).values()} == {"t-drinks": 315, "t-bakery": 760}


def test_an_order_that_is_partly_paid_in_cash_is_not_combined_and_shares_what_the_code_paid() -> None:
    shop, _, splits = make()
    order = shop.order_of(COLA, BREAD, place=TILL)
    take_cash(shop.box, TILL, 500)
    shop.pay(shop.code(), TILL)
    share(shop)
    assert shop.attempts(order.order_id)[0].parts == ()
    held = splits.held_fen()
    assert sum(held.values()) <= 650
    owed = {one.tenant_id: one.owed_fen for one in sums(shop).values()}
    assert owed["t-drinks"] + held["1900000011"] == 315
    assert owed["t-bakery"] + held["1900000012"] == 760


def test_hq_hears_how_an_order_was_split_and_what_arrived() -> None:
    shop, _, _ = make()
    shop.order_of(COLA, BREAD)
    shop.pay(shop.code())
    share(shop)
    kinds = shop.events()
    assert kinds.count("order.split") == 1
    assert kinds.count("payment.shared") == 1
