"""Killed twice: every first death, and after it every second one, most of them in recovery.

Each pair of deaths of a run in the calm world is one run here; steps that are the same death (see
sim.world.boundaries) are run once, after a first death as before it. A scenario is cut into parts, so that no
test takes minutes.
Of the longer ones with cars every third first death is taken, each with all that follow it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from sim.world.boundaries import deaths, toll
from sim.world.conditions import CALM
from sim.world.explore import EVERY
from sim.world.world import World
from tests.crash.killed import SEED, count, some
from tests.proof import PROOF, Counted, Tally

#: The parts into which a scenario is cut, for those whose pairs are all run; a minute each at most.
WHOLE = {
    "kiosk by code": 1,
    "till in parts": 1,
    "kiosk and till": 1,
    "payment late": 2,
    "refund lost": 2,
    "till in parts, returned": 2,
    "declined, then approved": 1,
    "given back at the desk, typed after the reversal, reversal late": 1,
    "merged tickets, combined by phone, given back": 3,
    "counter ticket, paid in the wallet, given back": 2,
    "phone payment": 1,
    "phone payment at the kiosk, pays late": 1,
    "exit by code": 1,
    "shift with a sale and refunds": 2,
    "sales frozen and thawed by HQ": 1,
    "car: paid at the exit": 6,
    "car: pass": 4,
}

#: The same for those of which every third first death is taken.
THIRDS = {
    "car: prepaid at the kiosk": 3,
    "car: exit with validation": 4,
    "car: ticket without a plate": 3,
    "car: misread at the entry": 3,
}
EVERY_THIRD = 3

#: First and second deaths of each part in the fast part of the tests.
FEW = 2


@dataclass(frozen=True, slots=True)
class Part:
    """Of the first deaths of a scenario each `of`-th, from the `first` on."""

    scenario: str
    first: int
    of: int

    def __str__(self) -> str:
        """Name it for people."""
        return f"{self.scenario}, {self.first + 1} of {self.of}"

    def worlds(self) -> Iterator[tuple[World, int]]:
        """Yield the worlds that crash twice."""
        scenario = EVERY[self.scenario]
        firsts = deaths(scenario, SEED, conditions=CALM)[self.first :: self.of]
        for steps in firsts if PROOF else some(firsts, FEW):
            first = steps[0]
            after = [one for one in deaths(scenario, SEED, (first,), CALM) if one[0] > first]
            for then in after if PROOF else some(after, FEW):
                yield World(scenario, SEED, (first, then[0]), conditions=CALM), len(then)


def parts() -> Iterator[Part]:
    for name, of in WHOLE.items():
        yield from (Part(name, first, of) for first in range(of))
    for name, of in THIRDS.items():
        yield from (Part(name, first, of * EVERY_THIRD) for first in range(of))


#: Longest first, so that two workers end together; in the fast part only some of them.
PARTS = sorted(parts(), key=lambda one: "car" not in one.scenario)


@pytest.mark.parametrize("part", PARTS if PROOF else PARTS[::3], ids=str)
@pytest.mark.timeout(900)
def test_a_second_crash_after_the_first_loses_and_doubles_nothing(part: Part, tally: Tally) -> None:
    total = toll(part.worlds())
    count(tally, Counted.DOUBLES, total)
    assert not total.problems, str(total)
    assert total.runs > (100 if PROOF else 1)


def test_all_first_deaths_of_a_whole_scenario_are_in_one_of_its_parts() -> None:
    for name, of in WHOLE.items():
        firsts = [
            first for part in PARTS if part.scenario == name for first in range(part.first, 99, part.of)
        ]
        assert sorted(firsts) == list(range(99)), name
        assert {part.of for part in PARTS if part.scenario == name} == {of}
