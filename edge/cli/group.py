"""The command group, its way of refusing, and what commands share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from edge.errors import EdgeError
from edge.services.take_intake import IntakeReport

F = TypeVar("F", bound=Callable[..., Any])

CONFIG = "config"


class _Refusing(click.Group):
    """A command group that ends with one clear line, not a traceback, when the caller is at fault."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; print our errors and exit with 1."""
        try:
            return super().invoke(ctx)
        except EdgeError as error:
            click.echo(f"{type(error).__name__}: {error}", err=True)
            ctx.exit(1)


@click.group(cls=_Refusing, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """In-mall smart checkout and parking edge service."""


def with_config(command: F) -> F:
    """Give a command the option --config, also read from MALL_EDGE_CONFIG."""
    return click.option(
        "--config",
        CONFIG,
        type=click.Path(path_type=Path),
        envvar="MALL_EDGE_CONFIG",
        default=Path("/etc/mall-edge/edge.toml"),
        show_default=True,
        help="The configuration file.",
    )(command)


def tell(report: IntakeReport) -> None:
    """Print a report; end with 1 unless it was taken."""
    for line in report.lines:
        click.echo(line)
    if not report.taken:
        sys.exit(1)
