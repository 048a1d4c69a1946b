"""Tariffs and the calendar: show, import, explain a stay, compare two, try one out."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import click

from edge.cli.group import main, tell, with_config
from edge.config import Config, load_config

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@main.group()
def tariff() -> None:
    """What parking costs: import, explain, compare and check tariffs.

    TARIFF is a file (a table, or APDS rates as JSON), an id in this box, or an id with a day, such as
    standard@2026-12-01.
    """


@tariff.command("example")
def example() -> None:
    """Print a table to begin with."""
    from edge.parking.tariff_table import EXAMPLE

    click.echo(EXAMPLE, nl=False)


@tariff.command("list")
@with_config
def list_tariffs(config: Path) -> None:
    """List the tariffs of this box and which are in force."""
    from edge.errands.tariff import open_desk, tariff_lines

    for line in tariff_lines(open_desk(load_config(config))):
        click.echo(line)


@tariff.command("import")
@click.argument("file", type=_FILE)
@click.option("--replace", is_flag=True, help="Let go of all tariffs that FILE does not name.")
@with_config
def import_file(file: Path, replace: bool, config: Path) -> None:
    """Put the tariffs of FILE (a table, or APDS rates as JSON) in force, also while the service runs.

    Each is tried out first; one that breaks a promise is refused with the stay that shows it.
    """
    from edge.errands import tariff as errands

    tell(errands.import_file(load_config(config), file, replace))


@tariff.command("export")
@click.argument("tariffs", nargs=-1)
@click.option("--apds", is_flag=True, help="As APDS rate tables; what they cannot say is told on stderr.")
@with_config
def export(tariffs: Sequence[str], apds: bool, config: Path) -> None:
    """Print TARIFFS, all of this box by default, as the table that import reads."""
    from edge.errands import tariff as errands

    data, losses = errands.export(errands.open_desk(_config(config)), tariffs, apds)
    click.echo(data.decode(), nl=False)
    for loss in losses:
        click.echo(loss, err=True)


@tariff.command("explain")
@click.argument("name", metavar="TARIFF")
@click.option("--from", "begin", required=True, help="When the vehicle came in, e.g. 2026-11-20T09:00.")
@click.option("--to", "end", required=True, help="When it wants to leave.")
@click.option("--id", "tariff_id", default="", help="Which tariff of a file with several.")
@click.option("--class", "vehicle", default="small", show_default=True, help="small, large, ...")
@click.option("--colour", default="unknown", show_default=True, help="Of the plate: blue, green, ...")
@click.option("--paid", multiple=True, metavar="TIME:YUAN", help="Paid before, e.g. 2026-11-20T09:55:10.00.")
@click.option("--benefit", multiple=True, help="minutes:120, amount:5.00, permille:200, tariff:ID or all.")
@click.option("--no-free", is_flag=True, help="Without free time, as after a short absence.")
@with_config
def explain(
    name: str,
    begin: str,
    end: str,
    tariff_id: str,
    vehicle: str,
    colour: str,
    paid: Sequence[str],
    benefit: Sequence[str],
    no_free: bool,
    config: Path,
) -> None:
    """Explain the price of one stay in both languages, when it rises and until when to drive out."""
    from edge.errands.tariff import Question, explain_lines, open_desk

    asked = Question(name, tariff_id, begin, end, vehicle, colour, paid, benefit, not no_free)
    for line in explain_lines(open_desk(_config(config)), asked):
        click.echo(line)


@tariff.command("diff")
@click.argument("old")
@click.argument("new")
@click.option(
    "--days", default=31, show_default=True, type=click.IntRange(1, 400), help="Of this box's stays."
)
@click.option("--stays", type=_FILE, help="A table of entered_at,left_at[,vehicle_class,colour] instead.")
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="Write a picture (SVG).")
@with_config
def diff(old: str, new: str, days: int, stays: Path | None, plot: Path | None, config: Path) -> None:
    """Compare two tariffs over the stays of the last days: sums, and who would pay more or less."""
    from edge.errands import tariff as errands

    own = _config(config)
    desk = errands.open_desk(own)
    pair = (desk.find(old), desk.find(new))
    past = errands.past_stays(own, desk, stays, days)
    with click.progressbar(length=len(past), label="stays", file=sys.stderr) as bar:
        lines = errands.diff_lines(desk, pair, past, plot, lambda done, total: bar.update(done - bar.pos))
    for line in lines:
        click.echo(line)


@tariff.command("check")
@click.argument("name", metavar="TARIFF")
@with_config
def check(name: str, config: Path) -> None:
    """Try a tariff out over thousands of stays; ends with 1 when it breaks a promise, and shows the stay."""
    from edge.errands.tariff import check_lines, open_desk

    lines, sound = check_lines(open_desk(_config(config)), name)
    for line in lines:
        click.echo(line)
    if not sound:
        raise SystemExit(1)


@main.group()
def calendar() -> None:
    """Public holidays and weekends that are worked."""


@calendar.command("import")
@click.argument("file", type=click.File("rb"))
@with_config
def import_days(file: BinaryIO, config: Path) -> None:
    """Put the days of FILE (date,kind,name; holiday or workday) in place of all that are named."""
    from edge.errands import tariff as errands

    tell(errands.import_days(load_config(config), file.read(errands.MAX_BYTES + 1)))


@calendar.command("list")
@with_config
def list_days(config: Path) -> None:
    """List the named days."""
    from edge.errands.tariff import calendar_lines

    for line in calendar_lines(load_config(config)):
        click.echo(line)


def _config(path: Path) -> Config | None:
    """Return the configuration; None where there is none, so that files can be looked at anywhere."""
    return load_config(path) if path.exists() else None
