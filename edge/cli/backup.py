"""Copies of the box's database."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from edge.cli.group import main, with_config
from edge.config import load_config

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@main.group()
def backup() -> None:
    """Copy the database, look at a copy, put one back."""


@backup.command("make")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--keep", default=14, show_default=True, help="How many copies stay when TARGET is a folder.")
@with_config
def make(target: Path, keep: int, config: Path) -> None:
    """Copy the database to TARGET, a new file or a folder, also while the service runs."""
    from edge.errands.backup import make_backup

    with click.progressbar(length=1000, label="copying", file=sys.stderr) as bar:

        def show(done: int, of: int) -> None:
            bar.update(1000 * done // max(1, of) - bar.pos)

        lines = make_backup(load_config(config), target, keep, show)
    for line in lines:
        click.echo(line)


@backup.command("check")
@click.argument("source", type=_FILE)
def check_copy(source: Path) -> None:
    """Say whether copy SOURCE is sound and what it holds."""
    from edge.errands.backup import look_at_backup

    for line in look_at_backup(source):
        click.echo(line)


@backup.command("restore")
@click.argument("source", type=_FILE)
@with_config
def restore(source: Path, config: Path) -> None:
    """Put copy SOURCE in the database's place; the service must be stopped or show the page of repair."""
    from edge.errands.backup import restore_backup

    for line in restore_backup(load_config(config), source):
        click.echo(line)
