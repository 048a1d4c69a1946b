"""A phone and a payment code pay at one kiosk at once: whichever is first wins, and the other one is told."""

from __future__ import annotations

import pytest

from sim.world.checks import violations
from sim.world.people.kiosk_phones import KIOSK_PHONES, THERE_AND_BACK, KioskBuyer, KioskPhone
from sim.world.scenario import Scenario
from sim.world.world import World


def people(world: World) -> tuple[KioskPhone, KioskBuyer]:
    phone, buyer = world.people
    assert isinstance(phone, KioskPhone)
    assert isinstance(buyer, KioskBuyer)
    return phone, buyer


@pytest.mark.parametrize("scenario", KIOSK_PHONES, ids=lambda scenario: scenario.name)
@pytest.mark.parametrize("seed", range(4))
def test_the_goods_are_paid_once_by_one_of_them_and_the_phone_knows_by_which(
    scenario: Scenario, seed: int
) -> None:
    world = World(scenario, seed).run()
    assert violations(world) == []
    phone, buyer = people(world)
    assert buyer.has_paid
    assert phone.told == ("paid" if phone.wallet else "paid elsewhere")
    assert world.gateway.total_fen() == 990


def test_both_of_them_win_in_some_worlds() -> None:
    wallets = [len(people(World(scenario, 1).run())[0].wallet) for scenario in KIOSK_PHONES]
    assert {0, 1} == set(wallets)


def test_a_basket_that_wanders_is_paid_once_with_all_its_goods_and_told_each_time_it_moved() -> None:
    steps = World(THERE_AND_BACK, 1).run().steps.count
    for crash_at in ((), *((at,) for at in range(10, steps, 23))):
        world = World(THERE_AND_BACK, 1, crash_at=crash_at).run()
        assert violations(world) == [], world.describe()
        assert world.people[0].has_paid, world.describe()
        assert world.gateway.total_fen() == 990 + 800, world.describe()
        kinds = [message.kind for message in world.hq.applied]
        moved, orders = kinds.count("basket.handed_over"), kinds.count("order.paid")
        assert (moved, orders) == (2, 1), world.describe()
