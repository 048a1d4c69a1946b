"""What HQ ordered and what it sent as a whole."""

from __future__ import annotations

from pathlib import Path

import click

from edge.cli.group import main, tell, with_config
from edge.config import load_config


@main.command()
@click.option("--limit", default=50, show_default=True, help="The newest so many.")
@with_config
def commands(limit: int, config: Path) -> None:
    """List what HQ told the box to do, and what became of it."""
    from edge.errands.hq import command_lines

    for line in command_lines(load_config(config), limit):
        click.echo(line)


@main.group()
def snapshots() -> None:
    """See what HQ has sent as a whole, and go back one version."""


@snapshots.command("list")
@with_config
def list_snapshots(config: Path) -> None:
    """List the snapshots that are coming, in force and kept, and the last refusals."""
    from edge.errands.hq import snapshot_lines

    for line in snapshot_lines(load_config(config)):
        click.echo(line)


@snapshots.command("return")
@click.argument("name")
@with_config
def return_version(name: str, config: Path) -> None:
    """Put the previous version of snapshot NAME in force again, also while the service runs."""
    from edge.errands.hq import go_back

    tell(go_back(load_config(config), name))
