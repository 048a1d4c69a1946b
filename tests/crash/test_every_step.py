"""Every scenario is killed at every step and started again: nothing is lost or doubled.

Every transition of a payment and of a refund leg is taken in a world that crashed, or it is said why not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

import pytest

from edge.retail.attempt import TRANSITIONS, AttemptState
from edge.retail.refund import LEG_TRANSITIONS, LegState
from sim.scenarios import SCENARIOS
from sim.world import Scenario, World
from tests.crash.killed import EACH, all_killed, killed_once, table

S = TypeVar("S", bound=StrEnum)

#: Transitions that the drawings allow and that no world takes, with the reason.
UNREACHED_ATTEMPTS = {
    (AttemptState.APPROVED, AttemptState.REFUNDED): "what was booked goes back by the legs of a refund",
}
UNREACHED_LEGS: dict[tuple[LegState, LegState], str] = {}


def allowed(drawing: Mapping[S, frozenset[S]]) -> set[tuple[S, S]]:
    return {(before, after) for before, states in drawing.items() for after in states}


def gaps(drawing: Mapping[S, frozenset[S]], taken: Counter[tuple[S, S]], unreached: set[tuple[S, S]]) -> str:
    """Return what is wrong with a list of transitions that cannot be reached, "" for nothing."""
    missing = allowed(drawing) - set(taken) - unreached
    reached = set(taken) & unreached
    foreign = (unreached | set(taken)) - allowed(drawing)
    found = {"never taken": missing, "reached after all": reached, "not in the drawing": foreign}
    return "; ".join(f"{what}: {sorted(moves)}" for what, moves in found.items() if moves)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
@pytest.mark.timeout(600 if EACH else 60)
def test_a_crash_at_every_step_loses_and_doubles_nothing(scenario: Scenario) -> None:
    once = killed_once(scenario)
    assert not once.problems, str(once)
    assert once.boundaries == World(scenario, 1).run().steps.count
    assert once.runs == once.boundaries if EACH else 30 < once.runs < once.boundaries


@pytest.mark.timeout(3600 if EACH else 120)
def test_every_transition_is_taken_in_a_world_that_crashed() -> None:
    killed = all_killed()
    assert gaps(TRANSITIONS, killed.attempts, set(UNREACHED_ATTEMPTS)) == ""
    assert gaps(LEG_TRANSITIONS, killed.legs, set(UNREACHED_LEGS)) == ""
    # Each of them often: before, in and after the unit that writes it, and in runs that had crashed before.
    assert min(killed.attempts.values()) > 20
    assert min(killed.legs.values()) > 20


def test_a_gap_and_an_excuse_that_is_none_are_seen() -> None:
    taken = Counter(dict.fromkeys(allowed(LEG_TRANSITIONS), 1))
    assert gaps(LEG_TRANSITIONS, taken, set()) == ""
    excuse = (LegState.UNKNOWN, LegState.CLOSED)
    assert "reached after all" in gaps(LEG_TRANSITIONS, taken, {excuse})
    del taken[excuse]
    assert "never taken" in gaps(LEG_TRANSITIONS, taken, set())
    assert gaps(LEG_TRANSITIONS, taken, {excuse}) == ""
    assert "not in the drawing" in gaps(LEG_TRANSITIONS, taken, {excuse, (LegState.DONE, LegState.CLOSED)})


def test_the_table_of_what_was_killed_has_every_scenario() -> None:
    text = table()
    print(f"\n{text}")
    assert len(text.splitlines()) == len(SCENARIOS) + 2
    assert all(scenario.name in text for scenario in SCENARIOS)
