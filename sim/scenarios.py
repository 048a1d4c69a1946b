"""Small scripts for the deterministic world."""

from __future__ import annotations

from collections.abc import Sequence

from sim.fakes.box import BREAD, COLA, KIOSK, TILL, weight_label
from sim.fakes.gateway import FakeFault
from sim.fakes.refund_gateway import RefundFault
from sim.people import Buyer, Returner
from sim.world import Scenario, World

#: Cola 3.50, half a kilogram of apples 6.40.
GOODS = ((COLA, "cola"), (weight_label("101", 500), "apple"))
GOODS_FEN = 990


def _kiosk_by_code(world: World) -> Sequence[Buyer]:
    return [Buyer(KIOSK, GOODS, codes=_codes(world))]


def _till_by_cash(world: World) -> Sequence[Buyer]:
    return [Buyer(TILL, GOODS, cash_fen=[2_000])]


def _till_in_parts(world: World) -> Sequence[Buyer]:
    return [Buyer(TILL, GOODS, codes=_codes(world), cash_fen=[400])]


def _declined_then_paid(world: World) -> Sequence[Buyer]:
    return [Buyer(KIOSK, GOODS, codes=[world.code(balance_fen=1), *_codes(world)])]


def _password(world: World) -> Sequence[Buyer]:
    return [Buyer(KIOSK, GOODS, codes=_codes(world, asks=True, pending_queries=1))]


def _in_the_dark(*faults: FakeFault) -> Scenario:
    def prepare(world: World) -> Sequence[Buyer]:
        for fault in faults:
            world.gateway.fail_next("pay", fault)
        return [Buyer(KIOSK, GOODS, codes=_codes(world))]

    return Scenario("payment " + " then ".join(faults), prepare)


def _till_in_parts_returned(world: World) -> Sequence[Buyer]:
    """Cash 4.00 and a code for 5.90: two partial amounts and the rest, over both tenders."""
    world.refunds.slow_queries = 1
    asks: list[dict[str, object]] = [{"amount_fen": 333}, {"amount_fen": 333}, {}]
    return [Returner(TILL, GOODS, codes=_codes(world), cash_fen=[400], asks=asks)]


def _given_up(world: World) -> Sequence[Buyer]:
    return [Returner(TILL, GOODS, cash_fen=[400], asks=[{}], gives_up=True)]


def _refund_in_the_dark(*faults: RefundFault) -> Scenario:
    def prepare(world: World) -> Sequence[Buyer]:
        for fault in faults:
            world.refunds.fail_next("refund", fault)
        return [Returner(KIOSK, GOODS, codes=_codes(world), asks=[{"amount_fen": 500}, {}])]

    return Scenario("refund " + " then ".join(faults), prepare)


def _two_places(world: World) -> Sequence[Buyer]:
    return [
        Buyer(KIOSK, GOODS, codes=_codes(world)),
        Buyer(TILL, [(BREAD, "bread")], cash_fen=[1_000]),
    ]


def _codes(world: World, **habits: bool | int) -> list[str]:
    """Return a phone's codes: each is shown once, so a shopper has some more at hand."""
    return [world.code(**habits) for _ in range(4)]


KIOSK_BY_CODE = Scenario("kiosk by code", _kiosk_by_code)
TILL_BY_CASH = Scenario("till by cash", _till_by_cash)
TILL_IN_PARTS = Scenario("till in parts", _till_in_parts)
DECLINED_THEN_PAID = Scenario("declined then paid", _declined_then_paid)
PASSWORD = Scenario("password typed", _password)
ANSWER_LOST = _in_the_dark(FakeFault.LOST)
CHARGE_LOST = _in_the_dark(FakeFault.NEVER)
CHARGE_LATE = _in_the_dark(FakeFault.LATE)
OUT_OF_REACH = _in_the_dark(FakeFault.UNAVAILABLE)
TWO_PLACES = Scenario("kiosk and till", _two_places)

RETURNED = Scenario("till in parts, returned", _till_in_parts_returned)
GIVEN_UP = Scenario("paid in part, given up", _given_up)
REFUND_LOST = _refund_in_the_dark(RefundFault.LOST)
REFUND_NEVER = _refund_in_the_dark(RefundFault.NEVER, RefundFault.UNAVAILABLE)
REFUND_LATE = _refund_in_the_dark(RefundFault.LATE)
REFUND_POOR = _refund_in_the_dark(RefundFault.POOR)
REFUND_ABNORMAL = _refund_in_the_dark(RefundFault.ABNORMAL)
REFUND_CLOSED = _refund_in_the_dark(RefundFault.CLOSED)

#: Those in which money goes back.
REFUNDS = (
    RETURNED,
    GIVEN_UP,
    REFUND_LOST,
    REFUND_NEVER,
    REFUND_LATE,
    REFUND_POOR,
    REFUND_ABNORMAL,
    REFUND_CLOSED,
)

SCENARIOS = (
    KIOSK_BY_CODE,
    TILL_BY_CASH,
    TILL_IN_PARTS,
    DECLINED_THEN_PAID,
    PASSWORD,
    ANSWER_LOST,
    CHARGE_LOST,
    CHARGE_LATE,
    OUT_OF_REACH,
    TWO_PLACES,
    *REFUNDS,
)
