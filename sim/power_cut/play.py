"""All cuts of some workloads, told line by line."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from sim.power_cut.cuts import CutToll, Recording, cut, cut_at, record_workload
from sim.power_cut.disk import Fate
from sim.power_cut.workload import CATALOGUES
from sim.world.scenarios import SCENARIOS

#: What is cut unless somebody asks for others: money by code and in cash, refunds, parking, large imports.
WORKLOADS = ("kiosk by code", "refund lost", "exit by phone", CATALOGUES)

_SHOWN = 20


def known_workloads() -> tuple[str, ...]:
    """Return the names of all workloads."""
    return (*(one.name for one in SCENARIOS), CATALOGUES)


def play(names: Sequence[str], every: int, seed: int, say: Callable[[str], None]) -> int:
    """Cut the power in each of these workloads; return how many violations were found.

    Raises ValueError for a name that is none, trace.Untraceable when strace cannot be used.
    """
    total, operations = CutToll(), 0
    say(f"{'workload':40} {'operations':>10} {'states':>7} {'images':>8} {'violations':>10}")
    for name in names or WORKLOADS:
        recording = record_workload(_known(name))
        toll = cut(recording, every, seed, os.cpu_count() or 1)
        operations += len(recording.operations)
        _tell(name, recording, toll, say)
        total.add(toll)
    say(f"{'all':40} {operations:10} {'':7} {total.images:8} {len(total.problems):10}")
    for problem in total.problems[:_SHOWN]:
        say(f"  {problem}")
    return len(total.problems)


def play_one(name: str, at: int, seed: int, say: Callable[[str], None]) -> int:
    """Cut the power after one operation of one workload in all four ways; return how many violations."""
    recording = record_workload(_known(name))
    found = [(fate, problem) for fate in Fate for problem in cut_at(recording, at, fate, seed)]
    done = recording.operations[at - 1]
    say(f"{name}: {len(recording.operations)} operations; cut after {done.did} {done.name} of {done.file}")
    for fate, problem in found:
        say(f"  unsynced writes {fate}: {problem}")
    say(f"{len(found)} violations")
    return len(found)


def _tell(name: str, recording: Recording, toll: CutToll, say: Callable[[str], None]) -> None:
    size, states = len(recording.operations), recording.states
    say(f"{name:40} {size:10} {len(states):7} {toll.images:8} {len(toll.problems):10}")


def _known(name: str) -> str:
    if name not in known_workloads():
        raise ValueError(f"there is no workload {name!r}; there are {', '.join(known_workloads())}")
    return name
