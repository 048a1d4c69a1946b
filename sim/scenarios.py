"""Small scripts for the deterministic world."""

from __future__ import annotations

from collections.abc import Sequence

from sim.fakes.box import BREAD, COLA, KIOSK, TILL, weight_label
from sim.fakes.gateway import FakeFault
from sim.people import Buyer
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
)
