"""Every place where a scenario can be killed, and which of them are one and the same death.

A crash takes with it all that the service holds in memory. Two steps between which nothing else has changed
(no commit, no call that did anything, no person, no clock) are therefore the same death: what the world is
like afterwards is equal in every bit, and so is every run from there. One of them is run for all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from edge.retail.attempt import AttemptState
from edge.retail.refund import LegState
from sim.world.checks import outcome
from sim.world.conditions import Conditions
from sim.world.scenario import Scenario
from sim.world.world import World


@dataclass(slots=True)
class Toll:
    """What a series of runs came to. boundaries: steps that were killed at, or are the same as one that was.

    attempts, legs: the transitions that crashed worlds committed. problems: what they broke, each with how
    to see it again.
    """

    boundaries: int = 0
    runs: int = 0
    problems: list[str] = field(default_factory=list)
    attempts: Counter[tuple[AttemptState, AttemptState]] = field(default_factory=Counter)
    legs: Counter[tuple[LegState, LegState]] = field(default_factory=Counter)

    def add(self, world: World, boundaries: int = 1) -> Toll:
        """Run a world to its rest, look at what it broke, and return self."""
        self.boundaries += boundaries
        self.runs += 1
        found = outcome(world)
        self.problems += [f"{world.describe()}: {line}; see it again: {world.again()}" for line in found]
        if world.crashes:
            self.attempts += world.history.attempts
            self.legs += world.history.legs
        return self

    def __str__(self) -> str:
        """Return the first problems, with how many there are."""
        head = f"{len(self.problems)} violations in {self.runs} runs"
        return "\n".join([head, *self.problems[:5]])


def deaths(
    scenario: Scenario,
    seed: int = 0,
    crash_at: tuple[int, ...] = (),
    conditions: Conditions | None = None,
) -> tuple[tuple[int, ...], ...]:
    """Return the steps of a run, those that are the same death together, in order."""
    world = World(scenario, seed, crash_at, watch=True, conditions=conditions).run()
    same: dict[int, list[int]] = {}
    for at, mark in enumerate(world.marks, 1):
        same.setdefault(mark, []).append(at)
    return tuple(tuple(steps) for steps in same.values())


def crashed_once(
    scenario: Scenario, seed: int = 0, *, stride: int = 1, conditions: Conditions | None = None
) -> Iterator[tuple[World, int]]:
    """Yield a world for each death, with how many boundaries it stands for.

    stride: only every so many deaths. conditions: as in World.
    """
    for steps in deaths(scenario, seed, conditions=conditions)[::stride]:
        yield World(scenario, seed, steps[:1], conditions=conditions), len(steps)


def toll(worlds: Iterable[tuple[World, int]]) -> Toll:
    """Run all of these."""
    total = Toll()
    for world, boundaries in worlds:
        total.add(world, boundaries)
    return total
