"""Points are earned with the money and go back with it; offline they are spent under leases alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from edge.errors import Declined, Invalid, OutcomeUnknown, Unavailable
from edge.members.identity import Identity, IdentityKind
from edge.members.points import PointsKind, PointsPlan, PointsRule
from edge.parking.validation import Holder
from edge.services.check_out import check_out
from edge.services.circle_points import MAX_TRIES, tell_circle
from edge.services.earn_points import credit_order, earn_for_order, settle_points
from edge.services.identify_member import known_member, order_member
from edge.services.join_member import JoinAsk, join
from edge.services.member_rules import MemberRules
from edge.services.merge_members import merge_by_hq
from edge.services.people_records import CircleNotice
from edge.services.records import Unit
from edge.services.refund_order import RefundAsk, refund_order
from edge.services.spend_points import (
    SpendAsk,
    adjust_points,
    end_leases,
    expire_points,
    grant_lease,
    spend_points,
    spendable,
)
from edge.services.staff import StaffMember
from edge.services.take_cash import take_cash
from edge.services.validation_records import Claim
from sim.fakes.box import BREAD, COLA, GATEWAY, TILL
from tests.unit.shop import Shop

T = TypeVar("T")
BOSS = StaffMember("李", "supervisor", "")
OPENID = Identity(IdentityKind.OPENID, "o-abcdef")
#: A point a yuan; at the bakery two.
PLAN = PointsPlan((PointsRule("", 1, 100), PointsRule("t-bakery", 2, 100)))
HERE = replace(PLAN, keeper_here=True, life_days=30)
HOUR_MS = 3_600_000


def open_shop(plan: PointsPlan = PLAN) -> Shop:
    shop = Shop()
    shop.box = replace(shop.box, members=MemberRules(points=plan, circle_gateway=GATEWAY))
    return shop


@pytest.fixture
def shop() -> Shop:
    return open_shop()


def do(shop: Shop, work: Callable[[Unit], T]) -> T:
    return shop.box.store.write(work)


def member(shop: Shop, openid: str = "o-abcdef") -> str:
    return join(shop.box, JoinAsk((Identity(IdentityKind.OPENID, openid),), "kiosk-1", "1")).member_id


def claim(shop: Shop, member_id: str) -> None:
    state = shop.box.store.read(lambda unit: unit.workstations.get(TILL))
    assert state is not None
    assert state.basket_id is not None
    claimed = Claim(state.basket_id, Holder(member_id=member_id), 1)
    do(shop, lambda unit: unit.validations.put_claim(claimed))


def buy(shop: Shop, member_id: str = "", *goods: str) -> str:
    """Sell a cola (3.50) and two loaves (16.00) for cash; return the order's id."""
    shop.scan_apart(*(goods or (COLA, BREAD, BREAD)), place=TILL)
    if member_id:
        claim(shop, member_id)
    check_out(shop.box, TILL)
    state = shop.box.store.read(lambda unit: unit.workstations.get(TILL))
    assert state is not None
    take_cash(shop.box, TILL, 10_000)
    shop.wait(60_000)
    return state.order_id or ""


def refund(shop: Shop, order_id: str, amount_fen: int | None = None, number: int = 1) -> None:
    wanted = RefundAsk(f"r-{order_id}-{number}", order_id, TILL, "broken", amount_fen=amount_fen)
    refund_order(shop.box, wanted, "cashier", BOSS)


def rows(shop: Shop, kind: str) -> list[dict[str, Any]]:
    """Return the data of HQ's events of a kind."""
    window = shop.box.store.read(lambda unit: unit.outbox.window(0, 1_000))
    return [json.loads(row.body)["data"] for row in window if row.kind == kind]


def balance(shop: Shop, member_id: str) -> tuple[int, int]:
    return shop.box.store.read(lambda unit: unit.points.balance(member_id))


def spend(shop: Shop, member_id: str, points: int, source: str, basis_fen: int = 0) -> int:
    wanted = SpendAsk(member_id, points, source, basis_fen)
    return do(shop, lambda unit: spend_points(unit, shop.box, wanted, shop.box.clock.now()))


def lease(shop: Shop, member_id: str, points: int, name: str = "l-1", hours: int = 24) -> None:
    ends = shop.box.clock.now().wall_at + hours * HOUR_MS
    given = {"lease_id": name, "member_id": member_id, "points": str(points), "expires_at": str(ends)}
    do(shop, lambda unit: grant_lease(unit, shop.box, given, shop.box.clock.now()))


def test_a_paid_order_earns_by_tenant_once(shop: Shop) -> None:
    anne = member(shop)
    order_id = buy(shop, anne)
    assert balance(shop, anne) == (3 + 32, 0)
    order = shop.box.store.read(lambda unit: unit.orders.get(order_id))
    assert order is not None
    assert do(shop, lambda unit: earn_for_order(unit, shop.box, order, shop.box.clock.now())) == 0
    assert balance(shop, anne) == (35, 0)
    assert shop.box.store.read(lambda unit: order_member(unit, order_id)) == anne
    assert shop.events().count("points.changed") == 1


def test_an_order_of_nobody_earns_once_somebody_joins_after_paying(shop: Shop) -> None:
    order_id = buy(shop)
    anne, ben = member(shop), member(shop, "o-other-1")

    def credit(who: str) -> int:
        return do(shop, lambda unit: credit_order(unit, shop.box, order_id, who, shop.box.clock.now()))

    assert credit(anne) == 35
    assert credit(anne) == 0
    assert credit(ben) == 0
    assert balance(shop, ben) == (0, 0)


def test_partial_refunds_take_back_to_the_point_and_close_to_zero(shop: Shop) -> None:
    anne = member(shop)
    order_id = buy(shop, anne)
    for number, amount_fen in enumerate((333, 1, 700, None)):
        refund(shop, order_id, amount_fen, number)
        shop.wait(1_000)
    assert balance(shop, anne) == (0, 0)
    before = len(shop.events())
    order = shop.box.store.read(lambda unit: unit.orders.get(order_id))
    assert order is not None
    do(shop, lambda unit: settle_points(unit, shop.box, order, shop.box.clock.now()))
    assert len(shop.events()) == before


def test_points_that_were_spent_already_are_owed_and_go_off_the_next_ones() -> None:
    shop = open_shop(HERE)
    anne = member(shop)
    order_id = buy(shop, anne)
    assert spend(shop, anne, 30, "gift-1") == 30
    refund(shop, order_id)
    assert balance(shop, anne) == (0, 30)
    buy(shop, anne)
    assert balance(shop, anne) == (5, 0)


def test_a_refund_gives_back_the_points_that_were_spent_on_the_order() -> None:
    shop = open_shop(HERE)
    anne = member(shop)
    buy(shop, anne)
    second = buy(shop)
    spend(shop, anne, 20, second, 1_950)
    refund(shop, second, 975)
    assert balance(shop, anne) == (25, 0)
    refund(shop, second, None, 2)
    assert balance(shop, anne) == (35, 0)


def test_without_a_lease_nothing_is_spent_where_hq_keeps_the_points(shop: Shop) -> None:
    anne = member(shop)
    buy(shop, anne)
    with pytest.raises(Declined, match="0 can be spent here"):
        spend(shop, anne, 1, "gift-1")
    lease(shop, anne, 10)
    lease(shop, anne, 99)
    lease(shop, anne, 5, "l-2", 2)
    assert spend(shop, anne, 12, "gift-1", 600) == 12
    assert spend(shop, anne, 12, "gift-1", 600) == 12
    with pytest.raises(Declined, match="3 can be spent"):
        spend(shop, anne, 4, "gift-2")
    assert balance(shop, anne) == (35, 0)
    known = shop.box.store.read(lambda unit: known_member(unit, anne))
    assert known is not None


def test_the_rest_of_a_lease_goes_back_at_its_end(shop: Shop) -> None:
    anne = member(shop)
    lease(shop, anne, 10, hours=1)
    spend(shop, anne, 4, "gift-1")
    assert end_leases(shop.box) == 0
    shop.wait(HOUR_MS)
    with pytest.raises(Declined):
        spend(shop, anne, 1, "gift-2")
    assert end_leases(shop.box) == 1
    assert end_leases(shop.box) == 0
    held = shop.box.store.read(lambda unit: unit.points.lease("l-1"))
    assert held is not None
    assert (held.left, held.closed_at is None) == (6, False)
    assert shop.events().count("points.lease") == 2


def test_a_refund_returns_to_each_open_lease_its_own_part(shop: Shop) -> None:
    anne = member(shop)
    lease(shop, anne, 10)
    lease(shop, anne, 10, "l-2", 30)
    order_id = buy(shop)
    spend(shop, anne, 20, order_id, 1_950)
    for number, amount_fen in enumerate((975, None)):
        refund(shop, order_id, amount_fen, number)
        shop.wait(1_000)
    now = shop.box.clock.now()
    assert shop.box.store.read(lambda unit: spendable(unit, shop.box, anne, now)) == 20


def test_points_that_come_back_after_a_leases_time_and_before_it_was_ended_are_not_lost(shop: Shop) -> None:
    anne = member(shop)
    lease(shop, anne, 10, hours=1)
    order_id = buy(shop)
    spend(shop, anne, 10, order_id, 1_950)
    shop.wait(HOUR_MS)
    refund(shop, order_id)
    assert end_leases(shop.box) == 1
    # HQ has nothing of this lease: what came back before its end goes back with it, and with nothing else.
    held = shop.box.store.read(lambda unit: unit.points.lease("l-1"))
    assert held is not None
    assert (held.spent, held.left) == (0, 10)
    ended = [one for one in rows(shop, "points.lease") if one["closed_at"] is not None]
    assert [one["returned"] for one in ended] == [10]


def test_after_the_end_of_its_lease_spent_points_go_back_by_the_event(shop: Shop) -> None:
    anne = member(shop)
    lease(shop, anne, 10, hours=1)
    order_id = buy(shop)
    spend(shop, anne, 10, order_id, 1_950)
    shop.wait(HOUR_MS)
    end_leases(shop.box)
    refund(shop, order_id)
    lines = shop.box.store.read(lambda unit: unit.points.of_source(order_id))
    assert [(one.kind, one.points) for one in lines] == [
        (PointsKind.SPEND, -10),
        (PointsKind.REVERSE_SPEND, 10),
    ]
    held = shop.box.store.read(lambda unit: unit.points.lease("l-1"))
    assert held is not None
    assert held.spent == 10


@pytest.mark.parametrize(
    "given",
    [
        {"points": "0"},
        {"points": "x"},
        {"expires_at": "1"},
        {"member_id": "nobody"},
        {"lease_id": "l" * 65},
    ],
)
def test_a_lease_that_cannot_be_is_refused(shop: Shop, given: dict[str, str]) -> None:
    anne = member(shop)
    ends = str(shop.box.clock.now().wall_at + HOUR_MS)
    whole = {"lease_id": "l-1", "member_id": anne, "points": "5", "expires_at": ends, **given}
    with pytest.raises(Invalid):
        do(shop, lambda unit: grant_lease(unit, shop.box, whole, shop.box.clock.now()))


def test_points_expire_where_this_box_keeps_them() -> None:
    shop = open_shop(HERE)
    anne = member(shop)
    buy(shop, anne)
    shop.wait(15 * 24 * HOUR_MS)
    buy(shop, anne, COLA)
    spend(shop, anne, 5, "gift-1")
    shop.wait(15 * 24 * HOUR_MS)
    assert expire_points(shop.box) == 1
    assert balance(shop, anne) == (3, 0)
    assert expire_points(shop.box) == 0
    assert expire_points(open_shop().box) == 0


def test_points_move_with_the_member_and_their_orders_still_close(shop: Shop) -> None:
    anne = member(shop)
    order_id = buy(shop, anne)
    lease(shop, anne, 10)
    do(shop, lambda unit: merge_by_hq(unit, shop.box, anne, "m-9", "HQ", shop.box.clock.now()))
    assert (balance(shop, anne), balance(shop, "m-9")) == ((0, 0), (35, 0))
    assert spend(shop, anne, 10, "gift-1") == 10
    refund(shop, order_id)
    assert balance(shop, "m-9") == (0, 0)


def test_what_is_owed_moves_too() -> None:
    shop = open_shop(HERE)
    anne = member(shop)
    order_id = buy(shop, anne)
    spend(shop, anne, 30, "gift-1")
    refund(shop, order_id)
    do(shop, lambda unit: merge_by_hq(unit, shop.box, anne, "m-9", "HQ", shop.box.clock.now()))
    assert (balance(shop, anne), balance(shop, "m-9")) == ((0, 0), (0, 30))


def test_a_person_adjusts_with_a_reason(shop: Shop) -> None:
    anne = member(shop)

    def adjust(points: int, why: str) -> None:
        now = shop.box.clock.now()
        do(shop, lambda unit: adjust_points(unit, shop.box, anne, points, "李", why, now))

    adjust(10, "complaint")
    assert balance(shop, anne) == (10, 0)
    with pytest.raises(Declined, match="fewer"):
        adjust(-11, "mistake")
    with pytest.raises(Invalid, match="reason"):
        adjust(5, " ")


class Circle:
    """A business circle that notes what it was told, after some failures."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.told: list[tuple[str, str, int]] = []

    def notify_points(self, notice: CircleNotice) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.told.append((notice.transaction_id, notice.openid, notice.points))


def pay_by_code(shop: Shop) -> str:
    shop.scan_apart(BREAD, place=TILL)
    check_out(shop.box, TILL)
    state = shop.box.store.read(lambda unit: unit.workstations.get(TILL))
    assert state is not None
    shop.pay(shop.code(), TILL)
    shop.wait(60_000)
    return state.order_id or ""


def test_the_payers_openid_tells_whose_purchase_it_is_and_wechat_is_told(shop: Shop) -> None:
    anne = member(shop, "openid-1")
    order_id = pay_by_code(shop)
    assert balance(shop, anne) == (16, 0)
    circle = Circle(Unavailable("away"), OutcomeUnknown("no answer"))
    for _ in range(3):
        tell_circle(shop.box, circle)
        assert tell_circle(shop.box, circle) == 0
        shop.wait(10 * 60_000)
    assert [(openid, points) for _, openid, points in circle.told] == [("openid-1", 16)]
    refund(shop, order_id, 400)
    assert tell_circle(shop.box, circle) == 1
    assert [points for _, _, points in circle.told] == [16, 8]
    assert shop.box.store.read(lambda unit: unit.points.waiting_notices()) == (0, 0)


def test_a_notice_planned_by_a_clock_that_was_ahead_is_told_once_it_is_set_back(shop: Shop) -> None:
    member(shop, "openid-1")
    pay_by_code(shop)
    shop.ports.clock.set_wall(5 * 86_400_000)
    assert tell_circle(shop.box, Circle(Unavailable("away"))) == 0
    shop.ports.clock.set_wall(-5 * 86_400_000)
    assert tell_circle(shop.box, Circle()) == 1


def test_a_circle_that_refuses_is_left_alone(shop: Shop) -> None:
    member(shop, "openid-1")
    pay_by_code(shop)
    assert tell_circle(shop.box, Circle(Declined("not a payment of the circle"))) == 0
    assert shop.box.store.read(lambda unit: unit.points.waiting_notices()) == (0, 1)
    assert MAX_TRIES > 100
