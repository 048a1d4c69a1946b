"""Runs that are undisturbed or on the real store; and why one death stands for many steps."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.on_disk import OnDisk
from sim.world.boundaries import deaths, toll
from sim.world.checks import violations
from sim.world.garage.scenarios import PAID_AT_EXIT
from sim.world.people.buyers import Buyer
from sim.world.scenario import Scenario
from sim.world.scenarios import (
    BILL,
    CHARGE_LOST,
    DRIVERS,
    GIVEN_BACK,
    GIVEN_UP,
    GOODS_FEN,
    KIOSK_BY_CODE,
    LEFT_THEN_PAID,
    OVERTAKEN,
    REFUND_LOST,
    RETURNED,
    SCENARIOS,
    SHIFT,
    TILL_BY_CASH,
    WALKERS,
)
from sim.world.world import World
from tests.crash.killed import count, some
from tests.proof import PROOF, Counted, Tally

#: Those after which nobody has seen a paid screen: nothing was taken, or it came too late.
#: Their shoppers leave, or are told too late.
UNPAID = {
    *(one.name for one in (CHARGE_LOST, GIVEN_UP, LEFT_THEN_PAID, OVERTAKEN[1], DRIVERS[-1], WALKERS[-1])),
    "member's points, never paid",
    "member's points, left in doubt",
}

BY_NAME = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)


@BY_NAME
@pytest.mark.parametrize("seed", [0, 1])
def test_an_undisturbed_run_keeps_every_property(scenario: Scenario, seed: int) -> None:
    world = World(scenario, seed).run()
    assert violations(world) == []
    paid = [person.has_paid for person in world.people if isinstance(person, Buyer)]
    assert paid == [scenario.name not in UNPAID] * len(paid)
    assert world.steps.count > 200


@pytest.mark.timeout(300)
@pytest.mark.parametrize("scenario", [KIOSK_BY_CODE, GIVEN_UP, PAID_AT_EXIT], ids=lambda one: one.name)
def test_steps_between_which_nothing_changed_are_one_death(scenario: Scenario) -> None:
    """What is run once for several steps: each of them ends in the same world, and others in another one."""
    same = deaths(scenario, 1)
    looked = same if PROOF and scenario is not PAID_AT_EXIT else some(same, 12)
    ends = [
        {end_of(World(scenario, 1, (at,)).run()) for at in (steps if PROOF else some(steps, 5))}
        for steps in looked
    ]
    assert [len(of) for of in ends] == [1] * len(ends)
    assert len(set[str]().union(*ends)) > len(ends) // 2


def end_of(world: World) -> str:
    """Return all that is left of a world: money, books, papers, what HQ heard, what people saw."""
    heard = [one.body for one in world.hq.applied]
    balances = world.store.read(lambda unit: unit.ledger.balances())
    papers = [printer.printed for printer in world.printers.values()]
    money = world.gateway.moves, world.refunds.given_fen(), balances
    left = repr((money, heard, papers, world.people, world.clock.now(), world.history.units))
    return hashlib.sha256(left.encode()).hexdigest()


def test_the_same_seed_and_crash_give_the_same_run() -> None:
    first, second = (World(KIOSK_BY_CODE, 7, (100, 250)).run() for _ in range(2))
    assert first.steps.digest() == second.steps.digest()
    assert [one.body for one in first.hq.applied] == [one.body for one in second.hq.applied]
    assert World(KIOSK_BY_CODE, 8, (100, 250)).run().steps.digest() != first.steps.digest()


def test_a_crash_leaves_a_shopper_in_doubt_only_right_before_the_charge_is_sent() -> None:
    """There the intent to charge is written and nobody can know; everywhere else the sale ends as paid."""
    names = World(KIOSK_BY_CODE).run().steps.names
    sent = names.index("gateway.pay_by_code before") + 1
    for at in range(1, len(names) + 1):
        world = World(KIOSK_BY_CODE, 0, (at,)).run()
        ends_paid = at not in (sent - 1, sent)
        assert [person.has_paid for person in world.people] == [ends_paid], world.describe()
        assert world.gateway.total_fen() == GOODS_FEN * ends_paid, world.describe()


#: Crashes of each of these.
CRASHES = 15 if PROOF else 3
ON_DISK = (KIOSK_BY_CODE, TILL_BY_CASH, RETURNED, REFUND_LOST, *GIVEN_BACK[-1:], SHIFT, BILL)


@pytest.mark.parametrize("scenario", ON_DISK, ids=lambda scenario: scenario.name)
def test_the_real_store_keeps_the_same_promise(scenario: Scenario, tmp_path: Path, tally: Tally) -> None:
    states: list[OnDisk] = []

    def worlds() -> Iterator[World]:
        effects = World(scenario).run().steps.effects
        for at in some(effects, CRASHES):
            folder = tmp_path / str(at)
            folder.mkdir()
            states.append(OnDisk(folder))
            yield World(scenario, 0, (at,), states[-1])
            states[-1].close()

    total = toll((world, 1) for world in worlds())
    count(tally, Counted.SINGLES, total)
    assert not total.problems, str(total)
    assert total.runs >= CRASHES // 2
