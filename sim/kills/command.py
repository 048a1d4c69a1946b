"""What `python -m sim kills` does with its options."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass

import click

from sim.broker import BrokerError
from sim.kills import broker_play
from sim.kills.broker_play import BrokerPlan
from sim.kills.play import KillPlan, play, steps_of, table
from sim.shim import NoShim
from sim.shopper import ShopperError


@dataclass(frozen=True, slots=True)
class KillWish:
    """The options, as they were given. at: N or N:M, "" for every boundary."""

    names: tuple[str, ...] = ()
    every: int = 1
    most: int = 1000
    at: str = ""
    again: int = 0
    workers: int = 1
    cold: bool = False
    broker: bool = False


def run(
    wish: KillWish, now_ms: Callable[[], int], digits: Callable[[int], str], say: Callable[[str], None]
) -> int:
    """Kill and tell; return the exit status: 1 when a property broke. Raises click.ClickException."""
    _refuse_without_effect(wish)
    # Whoever ends this must not leave services behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        lines, good = (_broker if wish.broker else _service)(wish, now_ms, digits)
    except (NoShim, BrokerError, ShopperError, ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    for line in lines:
        say(line)
    return 0 if good else 1


def _refuse_without_effect(wish: KillWish) -> None:
    given = {"--journey": wish.names, "--workers": wish.workers != 1, "--cold": wish.cold}
    idle = [name for name, used in given.items() if used]
    if wish.broker and idle:
        raise click.UsageError(f"--broker has one mall and its own journey; leave out {', '.join(idle)}")


def _service(
    wish: KillWish, now_ms: Callable[[], int], digits: Callable[[int], str]
) -> tuple[list[str], bool]:
    found = play(_plan(wish), now_ms, digits)
    return table(found), not found.violations


def _broker(
    wish: KillWish, now_ms: Callable[[], int], digits: Callable[[int], str]
) -> tuple[list[str], bool]:
    plan = BrokerPlan(wish.every, wish.most, 1, wish.again)
    if wish.at:
        first, again = steps_of(wish.at)
        plan = BrokerPlan(1, 1, first, again, only_again=True)
    toll = broker_play.play(plan, now_ms, digits)
    return broker_play.table(toll), not toll.violations


def _plan(wish: KillWish) -> KillPlan:
    loads = not wish.cold
    if wish.at:
        first, again = steps_of(wish.at)
        return KillPlan(wish.names, 1, 1, first, again, only_again=True, loads=loads)
    return KillPlan(
        wish.names, wish.every, wish.most, again=wish.again, workers=wish.workers, loads=loads, tells=True
    )
