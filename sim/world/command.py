"""What `python -m sim explore` does with its options."""

from __future__ import annotations

import re
import signal
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import click

from edge.errors import Invalid
from sim.world.brief import short
from sim.world.conditions import CLOCKS
from sim.world.explore import BrokenOff, Plan, chosen, explore, fits, quiet, replay, table

#: The exit status when it was interrupted, as a shell has it for SIGINT.
INTERRUPTED = 130

#: Kinds of violations that are printed; the table counts all.
SHOWN = 20

_WRONG = re.compile(r"(P\d+: .*?)(?:; see it again: |$)", re.S)
_NUMBERS = re.compile(r"~\w+|\b\d+\b")


@dataclass(frozen=True, slots=True)
class Wish:
    """The options, as they were given. again: SEED:STEPS, "" to explore; whole: tell all of its story."""

    names: tuple[str, ...] = ()
    worlds: tuple[str, ...] = ()
    listed: bool = False
    seed: int = 1
    pairs: bool = False
    stride: int = 1
    workers: int = 0
    again: str = ""
    whole: bool = False


class Telling:
    """Tells the first violation of each kind, and in the end how many more there were."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self.kinds: Counter[str] = Counter()

    def tell(self, problem: str) -> None:
        """Tell this one, if it is the first of its kind."""
        kind = _kind(problem)
        self.kinds[kind] += 1
        if self.kinds[kind] == 1 and len(self.kinds) <= SHOWN:
            self._say(f"VIOLATION {problem}")

    def sum_up(self) -> None:
        """Tell how many more there were of each kind."""
        for kind, count in list(self.kinds.items())[:SHOWN]:
            if count > 1:
                self._say(f"{count - 1} more like this: {kind}")
        if len(self.kinds) > SHOWN:
            self._say(f"{len(self.kinds) - SHOWN} more kinds of violations are not shown")


def run(wish: Wish, say: Callable[[str], None]) -> int:
    """Explore, list or replay; return the exit status: 1 when a property broke, INTERRUPTED when stopped.

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


def _kind(problem: str) -> str:
    """Return what a violation has in common with others: scenario, world, promise and wording, no numbers."""
    where, _, rest = problem.partition(", seed ")
    found = _WRONG.search(rest)
    return f"{where}: {_NUMBERS.sub('#', short(found.group(1) if found else rest))}"


def _explore(plan: Plan, say: Callable[[str], None]) -> int:
    unfit = [name for name in plan.scenarios if not all(fits(name, one) for one in plan.worlds)]
    if unfit:
        say(f"left out where clocks are wrong: {', '.join(unfit)}")
    # A time limit ends it as an interrupt does: with the table of what was done.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    telling, broken_off = Telling(say), False
    with click.progressbar(length=1_000, label="explored", file=sys.stderr) as bar:
        try:
            rows = explore(
                plan, lambda done, of: bar.update(max(0, 1_000 * done // of - bar.pos)), telling.tell
            )
        except BrokenOff as end:
            rows, broken_off = end.rows, True
            say("BROKEN OFF: the table counts what was done until then")
    telling.sum_up()
    for line in table(rows):
        say(line)
    if broken_off:
        return INTERRUPTED
    return 1 if telling.kinds else 0


def _replay(wish: Wish, say: Callable[[str], None]) -> int:
    seed, points = _points(wish.again)
    scenarios, worlds = chosen(wish.names, wish.worlds)
    exact = tuple(one for one in wish.names if one in scenarios) or scenarios
    if len(exact) != 1 or len(worlds) != 1:
        raise Invalid("a replay needs one --scenario and one --world")
    lines = replay(exact[0], worlds[0], seed, points, whole=wish.whole)
    for line in lines:
        say(line)
    return 0 if "0 violations" in lines else 1


def _points(again: str) -> tuple[int, list[int]]:
    seed, _, steps = again.partition(":")
    numbers = [seed, *filter(None, steps.split(","))]
    if not all(one.isdecimal() for one in numbers):
        raise Invalid(f"--replay is SEED:STEPS, such as 1:120,431, not {again!r}")
    return int(seed), [int(one) for one in numbers[1:]]
