"""What is checked of a gate that HQ opens can fail: pulsed twice, for nothing, or for a refused command."""

from __future__ import annotations

import pytest

from edge.services.command_records import CommandState
from sim.world.checks import violations
from sim.world.garage.motorists import Motorist
from sim.world.garage.opener import GateOpener
from sim.world.garage.scenarios import EXIT, OPENED_BY_HQ
from sim.world.world import World


@pytest.fixture
def world() -> World:
    done = World(OPENED_BY_HQ, 1).run()
    assert violations(done) == []
    return done


def opener(world: World) -> GateOpener:
    (one,) = (person for person in world.people if isinstance(person, GateOpener))
    return one


def test_the_car_is_let_out_by_one_pulse_though_the_command_was_sent_three_times(world: World) -> None:
    hq = opener(world)
    assert (hq.issued, hq.unheard, hq.pulses.total()) == (["command-0"], 2, 1)
    assert world.garage.booms[EXIT].pulses == 1
    car = next(person for person in world.people if isinstance(person, Motorist))
    assert car.done
    assert [one.kind for one in world.hq.applied].count("command.done") == 1


def test_a_pulse_that_no_command_and_no_decision_asked_for_is_seen(world: World) -> None:
    world.garage.booms[EXIT].pulses += 1
    assert any(line.startswith("P22: gate gate-out was pulsed 2 times") for line in violations(world))


@pytest.mark.parametrize(
    ("state", "pulses", "words"),
    [
        (CommandState.DONE, 2, "command-0 is done, its gate was opened 2 times"),
        (CommandState.DONE, 0, "command-0 is done, its gate was opened 0 times"),
        (CommandState.UNKNOWN, 2, "command-0 is unknown, its gate was opened 2 times"),
        (CommandState.REFUSED, 1, "command-0 was refused, and its gate was opened"),
    ],
)
def test_a_command_that_pulsed_wrongly_is_seen(
    world: World, state: CommandState, pulses: int, words: str
) -> None:
    hq = opener(world)
    hq.answers["command-0"] = state
    hq.pulses["command-0"] = pulses
    assert f"P22: {words}" in violations(world)
