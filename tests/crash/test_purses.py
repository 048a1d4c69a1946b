"""People remember, over deaths of the service, the cash that they left at tills; the books are held to it."""

from __future__ import annotations

import pytest

from sim.world.boundaries import deaths
from sim.world.checks import violations
from sim.world.conditions import CALM
from sim.world.people.buyers import Buyer
from sim.world.scenario import Scenario
from sim.world.scenarios import TAPPED_TWICE, TILL_BY_CASH
from sim.world.world import World


def buyer_of(world: World) -> Buyer:
    return next(person for person in world.people if isinstance(person, Buyer))


@pytest.mark.parametrize(("scenario", "left_fen"), [(TILL_BY_CASH, 990), (TAPPED_TWICE, 400)])
def test_whenever_the_till_goes_dark_who_paid_knows_what_it_has(scenario: Scenario, left_fen: int) -> None:
    runs = [World(scenario, 1, steps[:1]).run() for steps in [(), *deaths(scenario, 1, conditions=CALM)]]
    assert {buyer_of(world).purse.kept_fen for world in runs} == {left_fen}
    assert {buyer_of(world).purse.unsure_fen for world in runs} == {0}
    # Who had no answer of the till, as it died after the booking, has it from the screen.
    assert len(runs) > 20


@pytest.mark.parametrize("more_fen", [-1, 1])
def test_cash_that_people_remember_otherwise_is_seen(more_fen: int) -> None:
    world = World(TILL_BY_CASH, 1).run()
    assert violations(world) == []
    buyer_of(world).purse.kept_fen += more_fen
    assert any("of cash, people left" in line for line in violations(world))
