"""Crash one scenario in one world until a violation says so; `python -m tests.bugs.hunt SCENARIO WORLD SAYS`.

The same runs as those of `python -m sim explore --seed 1`, in an order that spreads them over the scenario,
so that what can be found is found early.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

from edge.errors import EdgeError
from sim.world.boundaries import deaths
from sim.world.checks import outcome
from sim.world.conditions import WORLDS
from sim.world.explore import EVERY, quiet
from sim.world.world import Stuck, World

SEED = 1

#: How far apart the first crashes are.
APART = 32

#: Violations for another reason that are printed at most.
SHOWN = 5


def hunt(name: str, world: str, says: str) -> list[str]:
    """Return the violations of the first run in which one says so, or of all runs when none does.

    Where it died is no part of them: what a scenario or a step is called says nothing of a bug.
    """
    others: list[str] = []
    for run in _runs(name, world):
        found = outcome(run)
        if any(re.search(says, line) for line in found):
            print(run.describe())
            return found
        others += found
    return others


def _runs(name: str, world: str) -> Iterator[World]:
    scenario = EVERY[name]
    conditions = next(one for one in WORLDS if one.name == world)
    yield World(scenario, SEED, conditions=conditions)
    try:
        same = deaths(scenario, SEED, conditions=conditions)
    except (Stuck, EdgeError):
        # Not even a run without a death comes to its end; that has been told.
        return
    for begin in sorted(range(APART), key=lambda at: f"{at:05b}"[::-1]):
        for steps in same[begin::APART]:
            yield World(scenario, SEED, steps[:1], conditions=conditions)


if __name__ == "__main__":
    quiet()
    found = hunt(*sys.argv[1:4])
    print("\n".join(f"E  {line}" for line in found[:SHOWN]) if found else "0 violations")
    sys.exit(1 if found else 0)
