"""What `python -m sim explore` does with its options."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import click

from edge.errors import Invalid
from sim.world.conditions import CLOCKS
from sim.world.explore import Plan, chosen, explore, quiet, replay, table

#: Violations that are printed; the table counts all.
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Wish:
    """The options, as they were given. again: SEED:STEPS, "" to explore."""

    names: tuple[str, ...] = ()
    worlds: tuple[str, ...] = ()
    listed: bool = False
    seed: int = 1
    pairs: bool = False
    stride: int = 1
    workers: int = 0
    again: str = ""


def run(wish: Wish, say: Callable[[str], None]) -> int:
    """Explore, list or replay; return the exit status: 1 when a property broke.

    Raises click.ClickException for a name that there is not and for steps that are none.
    """
    quiet()
    try:
        names, worlds = chosen(wish.names, wish.worlds)
        if wish.listed:
            shown = worlds if wish.worlds else (*worlds, *CLOCKS)
            for name in (*names, *(f"world {one.name}" for one in shown)):
                say(name)
            return 0
        if wish.again:
            return _replay(wish, say)
    except Invalid as error:
        raise click.ClickException(str(error)) from None
    return _explore(Plan(names, worlds, wish.seed, wish.stride, wish.pairs, wish.workers), say)


def _explore(plan: Plan, say: Callable[[str], None]) -> int:
    shown = 0

    def tell(problem: str) -> None:
        nonlocal shown
        shown += 1
        if shown <= SHOWN:
            say(f"VIOLATION {problem}")

    with click.progressbar(length=1_000, label="explored", file=sys.stderr) as bar:
        rows = explore(plan, lambda done, of: bar.update(max(0, 1_000 * done // of - bar.pos)), tell)
    for line in table(rows):
        say(line)
    if shown > SHOWN:
        say(f"{shown - SHOWN} more violations are not shown")
    return 1 if shown else 0


def _replay(wish: Wish, say: Callable[[str], None]) -> int:
    seed, points = _points(wish.again)
    scenarios, worlds = chosen(wish.names, wish.worlds)
    exact = tuple(one for one in wish.names if one in scenarios) or scenarios
    if len(exact) != 1 or len(worlds) != 1:
        raise Invalid("a replay needs one --scenario and one --world")
    lines = replay(exact[0], worlds[0], seed, points)
    for line in lines:
        say(line)
    return 1 if any(line.startswith("VIOLATION") for line in lines) else 0


def _points(again: str) -> tuple[int, list[int]]:
    seed, _, steps = again.partition(":")
    numbers = [seed, *filter(None, steps.split(","))]
    if not all(one.isdecimal() for one in numbers):
        raise Invalid(f"--replay is SEED:STEPS, such as 1:120,431, not {again!r}")
    return int(seed), [int(one) for one in numbers[1:]]
