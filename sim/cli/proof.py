"""What proves the service: days with books that must close, and deaths at every step."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from sim.cli.group import COUNT, COUNT_OR_NONE, main, refuse_beside
from sim.clocks import unix_ms
from sim.digits import random_digits


@main.command("parking-day")
@click.option("--cars", default=3_000, type=COUNT, show_default=True, help="Vehicles of the day.")
@click.option("--seed", default=1, show_default=True, help="The same seed plays the same day.")
def parking_day(cars: int, seed: int) -> None:
    """Play a day of traffic through the use cases; end with 1 when the books differ from the truth."""
    from sim.parking_day.play import play

    with click.progressbar(length=cars, label="cars that left", file=sys.stderr) as bar:
        report = play(cars, seed, lambda done, of: bar.update(done - bar.pos))
        bar.update(cars - bar.pos)
    for line in report.lines:
        click.echo(line)
    sys.exit(1 if report.violations else 0)


@main.command()
@click.option("--seed", default=1, show_default=True, help="The same seed plays the same day.")
@click.option("--orders", default=5_000, type=COUNT_OR_NONE, show_default=True, help="Who come to buy.")
@click.option("--cars", default=3_000, type=COUNT_OR_NONE, show_default=True, help="Vehicles of the day.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Write day.html here.")
def day(seed: int, orders: int, cars: int, out: Path | None) -> None:
    """Play a whole day of the mall with faults, power cuts and HQ away; end with 1 when anything is wrong."""
    from sim.mall_day.command import run

    sys.exit(run(seed, orders, cars, out, click.echo))


@main.command()
@click.option("--scenario", "names", multiple=True, help="A part of a name, also several times.")
@click.option("--world", "worlds", multiple=True, help="A name, also several times; all with right clocks.")
@click.option("--list", "listed", is_flag=True, help="Only name the scenarios and worlds.")
@click.option("--seed", default=1, show_default=True)
@click.option("--pairs", is_flag=True, help="Crash a second time at every boundary after the first.")
@click.option(
    "--stride",
    default=1,
    type=COUNT,
    show_default=True,
    help="Only every so many deaths, of pairs the first.",
)
@click.option(
    "--workers",
    default=os.cpu_count() or 1,
    type=COUNT_OR_NONE,
    show_default="processors",
    help="0: this process.",
)
@click.option("--replay", "again", default="", help="SEED:STEPS to see again: 1:120,431; 1: has no death.")
@click.option("--whole", is_flag=True, help="Replay: tell every moment, not those near deaths and faults.")
def explore(
    names: tuple[str, ...],
    worlds: tuple[str, ...],
    listed: bool,
    seed: int,
    pairs: bool,
    stride: int,
    workers: int,
    again: str,
    whole: bool,
) -> None:
    """Crash every scenario at every boundary in several worlds; end with 1 when a property broke."""
    from sim.world.command import Wish, run

    if again:
        refuse_beside("--replay", "listed", "seed", "pairs", "stride", "workers")
    elif whole:
        raise click.UsageError("--whole belongs to --replay; give the SEED:STEPS of a violation")
    sys.exit(run(Wish(names, worlds, listed, seed, pairs, stride, workers, again, whole), click.echo))


@main.command("power-cuts")
@click.option(
    "--workload", "names", multiple=True, help="A scenario, or catalogues; several times for several."
)
@click.option("--every", default=1, type=COUNT, show_default=True, help="Cut after each so many operations.")
@click.option("--seed", default=0, show_default=True, help="Chooses what of the unsynced survives.")
@click.option("--at", type=COUNT, help="Cut after this operation alone, of one workload.")
def power_cuts(names: tuple[str, ...], every: int, seed: int, at: int | None) -> None:
    """Cut the power at every write and sync of the real database and start from what is left."""
    from sim.power_cut.play import play, play_one
    from sim.power_cut.trace import Untraceable

    if at is not None and len(names) != 1:
        raise click.UsageError("--at counts the operations of one workload; name it with one --workload")
    if at is not None:
        refuse_beside("--at", "every")
    try:
        bad = play_one(names[0], at, seed, click.echo) if at else play(names, every, seed, click.echo)
    except (Untraceable, ValueError) as error:
        raise click.ClickException(str(error)) from error
    sys.exit(1 if bad else 0)


@main.command("io-faults")
@click.option("--scenario", "names", multiple=True, help="One of the deterministic world's; may be repeated.")
@click.option("--every", default=1, type=COUNT, show_default=True, help="Fail each so many calls.")
@click.option("--fault", "faults", multiple=True, help="full, read error once, ... as told; may be repeated.")
@click.option(
    "--at", type=COUNT_OR_NONE, help="Fail this call alone, of one scenario with one fault; 0: none."
)
def io_faults(names: tuple[str, ...], every: int, faults: tuple[str, ...], at: int | None) -> None:
    """Have the database's calls to the kernel fail one after another, once and until the disk is repaired."""
    from sim.io_faults.play import play
    from sim.shim import NoShim

    if at is not None and not len(names) == len(faults) == 1:
        raise click.UsageError("--at needs one --scenario and one --fault, whose call it is")
    if at is not None:
        refuse_beside("--at", "every")
    try:
        bad = play(names, every, click.echo, faults, at)
    except (NoShim, ValueError) as error:
        raise click.ClickException(str(error)) from error
    sys.exit(1 if bad else 0)


@main.command()
@click.option(
    "--journey", "names", multiple=True, help="ticket, scan and go, kiosk, refund or parking; repeatable."
)
@click.option("--every", default=1, type=COUNT, show_default=True, help="Kill at each so many boundaries.")
@click.option(
    "--most", default=1000, type=COUNT, show_default=True, help="Walks of one journey; --broker: purchases."
)
@click.option(
    "--at", default="", help="Kill at boundary N alone; N:M kills once more at boundary M of the restart."
)
@click.option(
    "--again",
    default=0,
    type=COUNT_OR_NONE,
    show_default=True,
    help="Kill the restarted service, too, at 1 to M in turn.",
)
@click.option("--workers", default=1, type=COUNT, show_default=True, help="Malls side by side.")
@click.option("--cold", is_flag=True, help="Load the program anew at each start, as systemd would.")
@click.option("--broker", is_flag=True, help="Kill the broker instead, at each packet of box and HQ.")
def kills(
    names: tuple[str, ...],
    every: int,
    most: int,
    at: str,
    again: int,
    workers: int,
    cold: bool,
    broker: bool,
) -> None:
    """Kill the real service at each boundary of some journeys, over the real broker, relay and gateway."""
    from sim.kills.command import KillWish, run

    if at:
        refuse_beside("--at", "every", "most", "again", "workers")
    wish = KillWish(names, every, most, at, again, workers, cold, broker)
    sys.exit(run(wish, unix_ms, random_digits, click.echo))
