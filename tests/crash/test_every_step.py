"""Every scenario is killed at every step and started again: nothing is lost or doubled, nobody is trapped.

The one place that enumerates: all scenarios, tills and lanes, in the proof each in every world, else in one
(tests.crash.killed says which). Every transition of a payment and of a refund leg is taken in a world that
crashed, or it is said why not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import TypeVar

import pytest

from edge.retail.attempt import TRANSITIONS, AttemptState
from edge.retail.refund import LEG_TRANSITIONS, LegState
from sim.world.boundaries import Toll, toll
from sim.world.conditions import CALM, WORLDS
from sim.world.explore import EVERY
from sim.world.garage.scenarios import PAID_AT_EXIT
from sim.world.scenario import Scenario
from sim.world.scenarios import SCENARIOS
from sim.world.world import World
from tests.crash.killed import FEW_WITH_CARS, SEED, count, crashed, some, worlds_of
from tests.proof import PROOF, Counted, Tally

S = TypeVar("S", bound=StrEnum)

#: Transitions that the drawings allow and that no world takes, with the reason.
UNREACHED_ATTEMPTS = {
    (AttemptState.APPROVED, AttemptState.REFUNDED): "what was booked goes back by the legs of a refund",
}
UNREACHED_LEGS: dict[tuple[LegState, LegState], str] = {}

#: Crashes of each scenario in which transitions are looked for, and how often each must be seen.
SOUGHT, OFTEN = (40, 20) if PROOF else (3, 1)


def allowed(drawing: Mapping[S, frozenset[S]]) -> set[tuple[S, S]]:
    return {(before, after) for before, states in drawing.items() for after in states}


def gaps(drawing: Mapping[S, frozenset[S]], taken: Counter[tuple[S, S]], unreached: set[tuple[S, S]]) -> str:
    """Return what is wrong with a list of transitions that cannot be reached, "" for nothing."""
    missing = allowed(drawing) - set(taken) - unreached
    reached = set(taken) & unreached
    foreign = (unreached | set(taken)) - allowed(drawing)
    found = {"never taken": missing, "reached after all": reached, "not in the drawing": foreign}
    return "; ".join(f"{what}: {sorted(moves)}" for what, moves in found.items() if moves)


@pytest.mark.parametrize("scenario", EVERY.values(), ids=lambda scenario: scenario.name)
@pytest.mark.timeout(3_600 if PROOF else 60)
def test_a_crash_at_every_step_loses_and_doubles_nothing(scenario: Scenario, tally: Tally) -> None:
    calm = World(scenario, SEED, conditions=CALM).run().steps.count
    total = toll(crashed(scenario))
    tally.add(Counted.BOUNDARIES, calm)
    tally.add(Counted.CRASHED, total.boundaries)
    count(tally, Counted.SINGLES, total)
    assert not total.problems, str(total)
    assert total.runs >= (30 if PROOF else FEW_WITH_CARS // 2)
    if PROOF:
        runs = [World(scenario, SEED, conditions=one).run() for one in worlds_of(scenario)]
        assert total.boundaries == sum(run.steps.count for run in runs)


def test_every_world_sees_many_scenarios() -> None:
    seen = Counter(one.name for scenario in EVERY.values() for one in set(worlds_of(scenario)))
    assert set(seen) == {one.name for one in WORLDS}
    assert min(seen.values()) >= (len(EVERY) if PROOF else len(EVERY) // len(WORLDS) - 2)
    # A pulse that a restart sends again is seen only by a command that is still young then.
    assert "quick restart" in {one.name for one in worlds_of(PAID_AT_EXIT)}


@pytest.mark.timeout(600)
def test_every_transition_is_taken_in_a_world_that_crashed(tally: Tally) -> None:
    killed = toll(sought())
    count(tally, Counted.SINGLES, killed)
    assert not killed.problems, str(killed)
    assert gaps(TRANSITIONS, killed.attempts, set(UNREACHED_ATTEMPTS)) == ""
    assert gaps(LEG_TRANSITIONS, killed.legs, set(UNREACHED_LEGS)) == ""
    # Each of them often: before, in and after the unit that writes it, and in runs that had crashed before.
    assert min((*killed.attempts.values(), *killed.legs.values())) >= OFTEN


def sought() -> Iterator[tuple[World, int]]:
    for scenario in SCENARIOS:
        for at in some(World(scenario, 2).run().steps.effects, SOUGHT):
            yield World(scenario, 2, (at,)), 1


def test_a_gap_and_an_excuse_that_is_none_are_seen() -> None:
    taken = Counter(dict.fromkeys(allowed(LEG_TRANSITIONS), 1))
    assert gaps(LEG_TRANSITIONS, taken, set()) == ""
    excuse = (LegState.UNKNOWN, LegState.CLOSED)
    assert "reached after all" in gaps(LEG_TRANSITIONS, taken, {excuse})
    del taken[excuse]
    assert "never taken" in gaps(LEG_TRANSITIONS, taken, set())
    assert gaps(LEG_TRANSITIONS, taken, {excuse}) == ""
    assert "not in the drawing" in gaps(LEG_TRANSITIONS, taken, {excuse, (LegState.DONE, LegState.CLOSED)})


def test_what_a_crash_broke_is_counted() -> None:
    class Kept(Tally):
        def __init__(self) -> None:
            self.kept: list[tuple[str, object]] = []
            super().__init__(lambda name, value: self.kept.append((name, value)))

    total, kept = Toll(runs=3, problems=["broken"]), Kept()
    count(kept, Counted.SINGLES, total)
    assert [value for _, value in kept.kept] == [3, 1]
