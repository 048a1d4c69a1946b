"""The funnel: how many shoppers took each step."""

from __future__ import annotations

from pathlib import Path

import click

from edge.cli.group import main, with_config
from edge.config import load_config


@main.command("funnel")
@click.option("--day", default="", help="The last business day, as 2026-11-22; today when not given.")
@click.option(
    "--days", default=1, show_default=True, type=click.IntRange(1, 92), help="So many days up to it."
)
@click.option(
    "--by",
    type=click.Choice(["touchpoint", "tenant", "guide", "variant", "hour", "day"]),
    default="touchpoint",
    show_default=True,
    help="What the lines are.",
)
@click.option("--csv", "as_csv", is_flag=True, help="As CSV, for spreadsheets.")
@with_config
def funnel(day: str, days: int, by: str, as_csv: bool, config: Path) -> None:
    """List how many shoppers took each step up to the sale; reads beside a running service."""
    from edge.errands.funnel import funnel_of
    from edge.services.journey_records import FunnelBy
    from edge.services.show_funnel import funnel_csv, funnel_lines

    view = funnel_of(load_config(config), day, days, FunnelBy(by))
    click.echo(funnel_csv(view) if as_csv else "\n".join(funnel_lines(view)), nl=not as_csv)
