"""What is checked of HQ's commands can fail: ends not told or other ones, sales that are frozen for ever."""

from __future__ import annotations

from collections import Counter

import pytest

from edge.services.command_records import CommandState, SalesFreeze
from sim.world.checks import violations
from sim.world.people.headquarters import Headquarters, command_scenarios
from sim.world.world import World


@pytest.fixture
def world() -> World:
    done = World(command_scenarios()[0], 1).run()
    assert violations(done) == []
    return done


def hq(world: World) -> Headquarters:
    (one,) = (person for person in world.people if isinstance(person, Headquarters))
    return one


def test_both_commands_were_carried_out_once_and_the_sale_went_on_afterwards(world: World) -> None:
    assert hq(world).issued == ["command-0", "command-1"]
    kinds = Counter(one.kind for one in world.hq.applied)
    assert (kinds["command.done"], kinds["order.paid"]) == (2, 1)


def test_an_end_that_nobody_was_told_of_is_seen(world: World) -> None:
    world.hq.applied[:] = [one for one in world.hq.applied if one.kind != "command.done"]
    assert any("it was told of {}" in line for line in violations(world))


def test_an_answer_that_is_not_what_the_box_has_is_seen(world: World) -> None:
    hq(world).answers["command-0"] = CommandState.REFUSED
    assert any("is refused, the box has done" in line for line in violations(world))


def test_sales_that_stay_frozen_are_seen(world: World) -> None:
    freeze = SalesFreeze("command-0", "", 0)
    world.store.write(lambda unit: unit.commands.set_freeze(freeze))
    assert "P40: sales are frozen after all" in violations(world)
