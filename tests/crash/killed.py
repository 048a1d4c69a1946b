"""What kills at every step of every scenario have come to, run once and looked at by several tests."""

from __future__ import annotations

import os
from functools import cache

from sim.boundaries import Toll, crashed_once, toll
from sim.scenarios import SCENARIOS
from sim.world import Scenario

#: With MALL_EDGE_FUZZ=1 every step is killed at, not one of those that are the same death.
EACH = os.environ.get("MALL_EDGE_FUZZ") == "1"


@cache
def killed_once(scenario: Scenario) -> Toll:
    """Kill at every step of a scenario, on a wire with faults."""
    return toll(crashed_once(scenario, seed=1, each=EACH))


def all_killed() -> Toll:
    """Return what all scenarios have come to together."""
    total = Toll()
    for one in map(killed_once, SCENARIOS):
        total.boundaries += one.boundaries
        total.runs += one.runs
        total.problems += one.problems
        total.attempts += one.attempts
        total.legs += one.legs
    return total


def table() -> str:
    """Return a line for each scenario: boundaries, runs, violations."""
    rows = [(scenario.name, killed_once(scenario)) for scenario in SCENARIOS] + [("all", all_killed())]
    lines = [f"{'scenario':72} {'boundaries':>10} {'runs':>6} {'violations':>10}"]
    lines += [f"{name:72} {one.boundaries:10} {one.runs:6} {len(one.problems):10}" for name, one in rows]
    return "\n".join(lines)
