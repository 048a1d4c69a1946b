"""Refunds, shifts, payments in doubt, and bills against the books."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from edge.cli.group import main, with_config
from edge.config import load_config


@main.command()
@click.option("--limit", default=20, show_default=True, help="So many under way, and the newest so many.")
@with_config
def refunds(limit: int, config: Path) -> None:
    """List refunds with each leg's state and next step; they are decided on the staff page."""
    from edge.errands.money import refund_lines

    for line in refund_lines(load_config(config), limit):
        click.echo(line)


@main.command()
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="The business day; today when not given.")
@with_config
def shifts(day: datetime | None, config: Path) -> None:
    """List a business day's shifts with totals; they are opened and closed on the staff page."""
    from edge.errands.money import shift_lines

    for line in shift_lines(load_config(config), f"{day:%Y-%m-%d}" if day else ""):
        click.echo(line)
