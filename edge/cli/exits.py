"""The way out after scan and go: which exit codes were looked at."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import click

from edge.cli.group import main, with_config
from edge.config import load_config


@main.command("exits")
@click.option("--place", default="", help="The way out; all of them when not given.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help="So many looks.")
@click.option("--csv", "as_csv", is_flag=True, help="As CSV, for spreadsheets.")
@with_config
def exits(place: str, limit: int, as_csv: bool, config: Path) -> None:
    """List the latest looks at exit codes of scan and go; reads beside a running service."""
    from edge.errands.exits import exits_of
    from edge.services.list_exits import exit_csv, exit_lines

    settings = load_config(config)
    looks, zone = exits_of(settings, place, limit), ZoneInfo(settings.box.time_zone)
    click.echo(exit_csv(looks, zone) if as_csv else "\n".join(exit_lines(looks, zone)), nl=not as_csv)
