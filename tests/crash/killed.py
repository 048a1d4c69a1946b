"""At which steps of which worlds a run of the tests crashes the scenarios: at some, or at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from sim.world.boundaries import Toll, crashed_once
from sim.world.conditions import MIXED, QUICK, WORLDS, Conditions
from sim.world.explore import EVERY
from sim.world.garage.scenarios import GARAGES, PAID_AT_EXIT
from sim.world.scenario import Scenario
from sim.world.scenarios import KIOSK_BY_CODE
from sim.world.world import World
from tests.proof import PROOF, Counted, Tally

T = TypeVar("T")

#: Of all worlds; what `python -m sim explore` takes when it is not told, so that it shows the same runs.
SEED = 1

#: Crashes of a scenario in the fast part; a run with cars takes three times as long.
FEW, FEW_WITH_CARS = 16, 6

#: Crashed everywhere in the fast part too.
WHOLE = (KIOSK_BY_CODE,)

#: The world of a scenario in the fast part, where it is not the scenario's turn. A pulse that a restart
#: sends again is seen only by a command that is still young then.
_OWN_WORLDS = {KIOSK_BY_CODE.name: MIXED, PAID_AT_EXIT.name: QUICK}


def worlds_of(scenario: Scenario) -> tuple[Conditions, ...]:
    """Return the worlds in which a scenario is crashed: in the proof all, else one; they go round them."""
    if PROOF:
        return WORLDS
    return (_OWN_WORLDS.get(scenario.name, WORLDS[list(EVERY).index(scenario.name) % len(WORLDS)]),)


def some(points: Sequence[T], many: int) -> Sequence[T]:
    """Return at most so many of these, spread evenly."""
    return points[:: max(1, -(-len(points) // many))]


def crashed(scenario: Scenario) -> Iterator[tuple[World, int]]:
    """Yield the worlds that crash once, with how many boundaries each stands for: all of them, or a few.

    A few means beside effects alone.
    """
    for conditions in worlds_of(scenario):
        if PROOF or scenario in WHOLE:
            yield from crashed_once(scenario, SEED, conditions=conditions)
            continue
        effects = World(scenario, SEED, conditions=conditions).run().steps.effects
        for at in some(effects, FEW_WITH_CARS if scenario in GARAGES else FEW):
            yield World(scenario, SEED, (at,), conditions=conditions), 1


def count(tally: Tally, what: Counted, total: Toll) -> None:
    """Add the runs of a toll to the tally, and what they broke."""
    tally.add(what, total.runs)
    tally.add(Counted.VIOLATIONS, len(total.problems))
