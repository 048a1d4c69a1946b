"""Crash every scenario at every boundary in several worlds, once or twice, and tell what broke.

A row is one scenario in one world. Scenario, world, seed and the steps at which it crashed give the same run
to the bit, here and in `replay`. Boundaries that are the same death (sim.world.boundaries) are run once.
"""

from __future__ import annotations

import json
import logging
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import TypeVar

import structlog

from edge.errors import Invalid
from sim.world.boundaries import Toll, deaths
from sim.world.checks import outcome
from sim.world.conditions import CLOCKS, WORLDS, Conditions
from sim.world.garage.broken_devices import BROKEN
from sim.world.garage.long_stays import LONG_STAYS
from sim.world.garage.pushed import TARIFF_PUSHED
from sim.world.garage.scenarios import GARAGES
from sim.world.promised import broken, promises
from sim.world.scenario import Scenario
from sim.world.scenarios import SCENARIOS
from sim.world.story import Watched, story
from sim.world.world import World

T = TypeVar("T")

#: All that can be explored, by name.
EVERY: dict[str, Scenario] = {
    one.name: one for one in (*SCENARIOS, *GARAGES, TARIFF_PUSHED, *LONG_STAYS, *BROKEN)
}

#: Words in the names of scenarios that do not fit a wrong clock or a power cut: HQ's commands are refused by
#: a wrong clock, bills, counters' days and what HQ pushes go by the true time, and a loop that hangs is told
#: from a car only by a service that goes on.
UNFIT = ("by HQ", "bill compared", "counter ticket", "pushed", "loops that hang")

#: Steps that a replay shows before and after each crash, and first deaths whose pairs make one part.
AROUND = 6
FIRSTS_A_PART = 4

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be run. stride: only every so many deaths, of pairs the first. pairs: each death with each
    that follows it, too. workers: processes; 0 runs all in this one.
    """

    scenarios: tuple[str, ...]
    worlds: tuple[Conditions, ...] = WORLDS
    seed: int = 1
    stride: int = 1
    pairs: bool = False
    workers: int = 0


@dataclass(slots=True)
class Row:
    """What one scenario has come to in one world.

    steps: boundaries of a run without a crash. boundaries: those that were crashed at, or are the same death
    as one that was; singles, doubles: runs that crashed once and twice. seconds: of a processor.
    problems: what broke, each with the command that shows it again.
    """

    scenario: str
    world: str
    steps: int = 0
    boundaries: int = 0
    singles: int = 0
    doubles: int = 0
    seconds: float = field(default=0.0, compare=False)
    problems: list[str] = field(default_factory=list)

    def add(self, other: Row) -> None:
        """Take over what another part of the same row has come to."""
        self.steps += other.steps
        self.boundaries += other.boundaries
        self.singles += other.singles
        self.doubles += other.doubles
        self.seconds += other.seconds
        self.problems += other.problems


class BrokenOff(Exception):
    """It was interrupted. rows: what was done until then."""

    def __init__(self, rows: list[Row]) -> None:
        super().__init__("interrupted")
        self.rows = rows


@dataclass(frozen=True, slots=True)
class _Part:
    """firsts: of pairs; () for single crashes."""

    scenario: str
    conditions: Conditions
    seed: int
    stride: int
    firsts: tuple[int, ...] = ()


def chosen(names: Sequence[str], worlds: Sequence[str]) -> tuple[tuple[str, ...], tuple[Conditions, ...]]:
    """Return the scenarios whose names contain one of `names`, and the worlds of these names; () means all.

    Raises Invalid for a name that fits nothing.
    """
    lost = next((one for one in names if not any(one in name for name in EVERY)), None)
    if lost is not None:
        raise Invalid(f"no scenario has {lost!r} in its name; --list names them all")
    known = {one.name: one for one in (*WORLDS, *CLOCKS)}
    unknown = next((one for one in worlds if one not in known), None)
    if unknown is not None:
        raise Invalid(f"there is no world {unknown!r}; there are {', '.join(known)}")
    found = tuple(name for name in EVERY if not names or any(one in name for one in names))
    return found, tuple(known[one] for one in worlds) or WORLDS


def explore(
    plan: Plan,
    progress: Progress = lambda done, of: None,
    found: Callable[[str], None] = lambda problem: None,
) -> list[Row]:
    """Run the plan; return a row for each scenario and world, in that order.

    progress: told how many parts of how many are done; pairs are planned when the single crashes are done.
    found: told each violation as soon as its part is done. Raises BrokenOff when it is interrupted.
    """
    both = [(name, one) for name in plan.scenarios for one in plan.worlds if fits(name, one)]
    rows = {(name, one.name): Row(name, one.name) for name, one in both}
    try:
        _all(plan, both, rows, progress, found)
    except KeyboardInterrupt:
        raise BrokenOff(list(rows.values())) from None
    return list(rows.values())


def fits(scenario: str, conditions: Conditions) -> bool:
    """Return whether a scenario comes to the same in a world whose box has a wrong clock."""
    return conditions not in CLOCKS or not any(one in scenario for one in UNFIT)


def replay(
    scenario: str, conditions: Conditions, seed: int, crash_at: Sequence[int], *, whole: bool = False
) -> tuple[str, ...]:
    """Run one world again; return, in lines, where it died, what led to it and what came of it.

    whole: every moment, not only those around the deaths and about what is wrong. The last lines are what is
    wrong, and the promises that it breaks, in words.
    """
    world = Watched(EVERY[scenario], seed, crash_at, conditions=conditions)
    found = outcome(world)
    lines = [world.describe(), f"{world.steps.count} steps, log {world.steps.digest()[:16]}", ""]
    for at in crash_at:
        lines += [*_around(world, at), ""]
    lines += [*story(world, found, whole=whole), "", "what HQ was told:", *_told(world), ""]
    lines += [*_people(world), ""]
    lines += [f"VIOLATION {one}" for one in found] or [_clean(world)]
    return (*lines, *broken(found, promises()))


def table(rows: Sequence[Row]) -> tuple[str, ...]:
    """Return a line for each scenario over its worlds, one for each world, and one for all."""
    head = f"{'':64} {'boundaries':>10} {'crashed':>9} {'once':>8} {'twice':>8} {'violations':>10}"
    head += f" {'seconds':>8}"
    lines = [head]
    for key in ("scenario", "world"):
        names = dict.fromkeys(getattr(row, key) for row in rows)
        lines += [_line(name, [row for row in rows if getattr(row, key) == name]) for name in names]
        lines.append("-" * len(head))
    return (*lines, _line(f"{len({row.scenario for row in rows})} scenarios", rows))


def quiet() -> None:
    """Have what the service logs go nowhere: worlds die by the thousand."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def _all(
    plan: Plan,
    both: Sequence[tuple[str, Conditions]],
    rows: dict[tuple[str, str], Row],
    progress: Progress,
    found: Callable[[str], None],
) -> None:
    parts = [_Part(name, one, plan.seed, plan.stride) for name, one in both]
    following: list[_Part] = []
    for done, (part, row, firsts) in enumerate(_run(_once, parts, plan.workers), 1):
        _keep(rows, row, found)
        progress(done, len(parts))
        following += _pairs(part, firsts) if plan.pairs else []
    for done, row in enumerate(_run(_twice, following, plan.workers), 1):
        _keep(rows, row, found)
        progress(len(parts) + done, len(parts) + len(following))


def _keep(rows: dict[tuple[str, str], Row], row: Row, found: Callable[[str], None]) -> None:
    rows[row.scenario, row.world].add(row)
    for problem in row.problems:
        found(problem)


def _line(name: str, rows: Sequence[Row]) -> str:
    crashed = sum(row.boundaries for row in rows)
    sums = (sum(row.singles for row in rows), sum(row.doubles for row in rows))
    steps = sum({row.scenario: row.steps for row in reversed(rows)}.values())
    bad, seconds = sum(len(row.problems) for row in rows), sum(row.seconds for row in rows)
    return f"{name[:64]:64} {steps:10} {crashed:9} {sums[0]:8} {sums[1]:8} {bad:10} {seconds:8.1f}"


def _run(work: Callable[[_Part], T], parts: Sequence[_Part], workers: int) -> Iterator[T]:
    if not workers or len(parts) < 2:
        yield from map(work, parts)
        return
    with ProcessPoolExecutor(workers, initializer=_begin_worker) as pool:
        futures = [pool.submit(work, part) for part in parts]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _begin_worker() -> None:
    quiet()
    # Whoever interrupts means the parent, which tells what was done.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _once(part: _Part) -> tuple[_Part, Row, tuple[int, ...]]:
    scenario, toll, begun = EVERY[part.scenario], Toll(), time.process_time()
    calm = World(scenario, part.seed, conditions=part.conditions)
    toll.add(calm, 0)
    same = deaths(scenario, part.seed, conditions=part.conditions)[:: part.stride]
    for steps in same:
        toll.add(World(scenario, part.seed, steps[:1], conditions=part.conditions), len(steps))
    row = Row(part.scenario, part.conditions.name, calm.steps.count, toll.boundaries, toll.runs - 1)
    row.seconds, row.problems = time.process_time() - begun, toll.problems
    return part, row, tuple(steps[0] for steps in same)


def _twice(part: _Part) -> Row:
    scenario, toll, begun = EVERY[part.scenario], Toll(), time.process_time()
    for first in part.firsts:
        for steps in deaths(scenario, part.seed, (first,), part.conditions):
            if steps[0] > first:
                toll.add(World(scenario, part.seed, (first, steps[0]), conditions=part.conditions), 0)
    seconds = time.process_time() - begun
    return Row(part.scenario, part.conditions.name, 0, 0, 0, toll.runs, seconds, toll.problems)


def _pairs(part: _Part, firsts: Sequence[int]) -> Iterator[_Part]:
    for at in range(0, len(firsts), FIRSTS_A_PART):
        chunk = tuple(firsts[at : at + FIRSTS_A_PART])
        yield _Part(part.scenario, part.conditions, part.seed, part.stride, chunk)


def _around(world: World, at: int) -> Iterator[str]:
    names = world.steps.names
    if at > len(names):
        yield f"step {at} was not reached; the run has {len(names)}"
        return
    for step in range(max(1, at - AROUND), min(len(names), at + AROUND) + 1):
        yield f"{'DIED AT' if step == at else '':>8} {step:6}  {names[step - 1]}"


def _clean(world: World) -> str:
    lost = [at for at in world.crash_at if at > world.steps.count]
    if not lost:
        return "0 violations"
    return f"NOT THE RUN: it did not reach step {lost[0]}; steps move when code changes, so explore again"


def _told(world: World) -> Iterator[str]:
    for message in world.hq.applied:
        yield f"{message.sequence:6}  {message.kind:24} {json.loads(message.body).get('subject', '')}"


def _people(world: World) -> Iterator[str]:
    for person in world.people:
        yield f"{type(person).__name__}: {'done' if person.done else 'not done'}, {person}"[:400]
