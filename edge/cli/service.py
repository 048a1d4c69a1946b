"""Run the service, look at its configuration and its codes."""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import click

from devices.signals import stop_on_signals
from edge.cli.group import CONFIG, main, with_config
from edge.codes.classify import classify
from edge.codes.explain import explain as explain_reading
from edge.codes.explain import typed_scan
from edge.codes.reading import Context
from edge.config import effective, load_config
from edge.errors import Corrupt


@main.command()
@with_config
def serve(config: Path) -> None:
    """Run the service until SIGTERM or SIGINT, or until HQ wants it started anew."""
    from edge.app import build_service, serve_repair
    from edge.logs import set_up_logs

    # The watchdog ends a stuck service with SIGABRT; then the log shows where each thread stood.
    faulthandler.enable()
    set_up_logs()
    loaded = load_config(config)
    try:
        service = build_service(loaded)
    except Corrupt as error:
        ended = threading.Event()
        stop_on_signals(ended)
        serve_repair(loaded, str(error), ended)
        raise
    stop_on_signals(service.ended)
    service.start()
    service.ended.wait()
    service.stop()


@main.command()
@with_config
def check(config: Path) -> None:
    """Print the configuration in force, secrets hidden; end with 1 on any doubt."""
    from edge.errands.configuration import check_config

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
@click.option("--context", type=click.Choice([one.value for one in Context]), default="idle")
@click.option("--reveal", is_flag=True, help="Show payment codes in full.")
@click.option("--config", CONFIG, type=click.Path(path_type=Path), default=None, help="Use its [codes].")
def explain(code: str, aim: str | None, context: str, reveal: bool, config: Path | None) -> None:
    """Print every field of CODE and why it was taken so; write GS as <GS>."""
    from edge.app import build_code_rules

    text, typed_aim = typed_scan(code)
    rules = build_code_rules(load_config(config) if config else None)
    reading = classify(text, aim or typed_aim, rules, Context(context))
    for line in explain_reading(reading, reveal):
        click.echo(line)


@main.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each image.")
def read(paths: Sequence[Path], as_json: bool) -> None:
    """Read the barcodes in pictures; folders are read with all that is in them."""
    from edge.app import read_images

    failed = 0
    for lines, problem in read_images(paths, as_json):
        for line in lines:
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
def doctor(config: Path) -> None:
    """Examine clock, disk, database, HQ, WeChat Pay and devices; end with 1 on any doubt."""
    from edge.technician import examine

    doubts = 0
    for finding in examine(load_config(config)):
        click.echo(finding)
        doubts += not finding.sound
    if doubts:
        sys.exit(1)
