"""The same scenario, world, seed and crash give the same run: twice in one process, and in another one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sim.world.boundaries import deaths
from sim.world.conditions import DUPLICATING, LOSSY, REORDERING, SLOW, Conditions
from sim.world.explore import EVERY, quiet
from sim.world.world import World

ROOT = Path(__file__).parents[2]

#: Scenarios go round these.
WORLDS = (LOSSY, SLOW, DUPLICATING, REORDERING)


def conditions_of(name: str) -> Conditions:
    return WORLDS[list(EVERY).index(name) % len(WORLDS)]


def digest(name: str, seed: int = 3) -> str:
    """Return the hash of the log of a run that crashes once."""
    return World(EVERY[name], seed, (150,), conditions=conditions_of(name)).run().steps.digest()


def test_every_scenario_gives_the_same_log_twice_and_another_one_by_another_seed() -> None:
    first, second = ({name: digest(name) for name in EVERY} for _ in range(2))
    assert first == second
    others = [name for name in list(EVERY)[::6] if digest(name, 4) == first[name]]
    assert others == []


@pytest.mark.timeout(120)
def test_other_processes_with_other_hash_seeds_give_the_same_logs() -> None:
    names = list(EVERY)[::4]
    here = {name: digest(name) for name in names}
    for seed in ("1", "77"):
        said = subprocess.run(
            [sys.executable, "-m", "tests.crash.test_same_again", json.dumps(names)],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert json.loads(said.stdout) == here, f"with PYTHONHASHSEED={seed}"


def test_the_same_deaths_are_found_again() -> None:
    name = "prices and lists pushed during a sale"
    first, second = (deaths(EVERY[name], 1, conditions=conditions_of(name)) for _ in range(2))
    assert first == second


if __name__ == "__main__":
    quiet()
    print(json.dumps({name: digest(name) for name in json.loads(sys.argv[1])}))
