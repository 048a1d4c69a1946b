"""The command line: `python -m edge COMMAND`. Each command is described in docs/operations/commands.md."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from edge.config import effective, load_config
from edge.errors import EdgeError

F = TypeVar("F", bound=Callable[..., Any])

_CONFIG = "config"


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
        _CONFIG,
        type=click.Path(path_type=Path),
        envvar="MALL_EDGE_CONFIG",
        default=Path("/etc/mall-edge/edge.toml"),
        show_default=True,
        help="The configuration file.",
    )(command)


@main.command()
@with_config
def serve(config: Path) -> None:
    """Run the service until SIGTERM or SIGINT."""
    from edge.app import build_service
    from edge.logs import set_up_logs

    set_up_logs()
    service = build_service(load_config(config))
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    service.start()
    stop.wait()
    service.stop()


@main.command()
@with_config
def check(config: Path) -> None:
    """Print the configuration in force, secrets hidden; end with 1 on any doubt."""
    from edge.app import check_config

    loaded = load_config(config)
    click.echo(effective(loaded))
    doubts = check_config(loaded)
    for doubt in doubts:
        click.echo(f"doubt: {doubt}", err=True)
    if doubts:
        sys.exit(1)
    click.echo("the configuration is sound")


@main.command()
@click.argument("code")
@click.option("--aim", default=None, help='AIM id as the scanner sent it, e.g. "]E0".')
@click.option("--context", default="idle", help="idle, basket, paying, tickets, member or parking.")
@click.option("--reveal", is_flag=True, help="Show payment codes in full.")
@click.option("--config", _CONFIG, type=click.Path(path_type=Path), default=None, help="Use its [codes].")
def explain(code: str, aim: str | None, context: str, reveal: bool, config: Path | None) -> None:
    """Print every field of CODE and why it was taken so; write GS as <GS>."""
    from edge.app import build_code_rules
    from edge.codes.explain import explain_code

    rules = build_code_rules(load_config(config) if config else None)
    click.echo(explain_code(code, aim=aim, rules=rules, context=context, reveal=reveal))


@main.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each image.")
def read(paths: Sequence[Path], as_json: bool) -> None:
    """Read the barcodes in pictures; folders are read with all that is in them."""
    from edge.app import read_images

    failed = 0
    for line, problem in read_images(paths, as_json):
        click.echo(line)
        failed += problem
    if failed:
        sys.exit(1)


@main.command("hash-pin")
@click.password_option("--pin", prompt="PIN (4 to 12 digits)", help="The PIN; asked for when not given.")
def hash_pin_command(pin: str) -> None:
    """Print the hash of a staff PIN for the configuration."""
    from edge.services.staff import hash_pin

    click.echo(hash_pin(pin, os.urandom(16)))


@main.command()
@with_config
def outbox(config: Path) -> None:
    """Print how far HQ is behind."""
    from edge.app import outbox_lines

    for line in outbox_lines(load_config(config)):
        click.echo(line)


@main.command()
def devices() -> None:
    """List serial ports and input devices with the names to configure them by."""
    from edge.app import list_devices

    for line in list_devices():
        click.echo(line)


@main.group()
def catalogue() -> None:
    """Import, look up and price products."""


