"""Ports, printers and scanners."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from edge.cli.group import main, with_config
from edge.config import load_config
from edge.errors import Invalid


@main.command()
def devices() -> None:
    """List serial ports and input devices with the names to configure them by."""
    from edge.technician import list_devices

    for line in list_devices():
        click.echo(line)


@main.command("printer-test")
@click.argument("name")
@with_config
def printer_test(name: str, config: Path) -> None:
    """Print a page with Chinese, a ruler and a QR code on printer NAME."""
    from edge.technician import print_test_page

    result = print_test_page(load_config(config), name)
    click.echo(f"{result.outcome.value} {result.reason}".strip())
    if result.outcome.value != "printed":
        sys.exit(1)


@main.command("scanner-learn")
@click.argument("port", required=False, default="")
@click.option("--baud", default=9600, show_default=True, help="Bits per second; USB-COM ignores it.")
@click.option("--timeout", default=60.0, show_default=True, help="Seconds to scan the codes in.")
@click.option("--sheet", type=click.Path(path_type=Path), default=None, help="Draw the codes as this PNG.")
def scanner_learn(port: str, baud: int, timeout: float, sheet: Path | None) -> None:
    """Find out suffix and prefix of the serial scanner on PORT from known codes."""
    from edge.technician import learn_scanner, write_sheet

    if not port and sheet is None:
        raise Invalid("give the scanner's PORT (see: devices), or --sheet FILE.png to draw the codes")
    if sheet is not None:
        write_sheet(sheet)
        click.echo(f"codes drawn into {sheet}; print it or show it on a screen")
    if port and not learn_scanner(port, baud, timeout, click.echo):
        sys.exit(1)


@main.command("read-plates")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each picture.")
@click.option("--draw", type=click.Path(path_type=Path), default=None, help="Write framed pictures here.")
def read_plates_command(paths: tuple[Path, ...], as_json: bool, draw: Path | None) -> None:
    """Read the Chinese plates in pictures, folders and videos; end with 1 when a file could not be read."""
    from edge.app import read_plates

    count, results = read_plates(paths, as_json, draw)
    failed = 0
    with click.progressbar(length=count, label="plates", file=sys.stderr) as bar:
        for lines, problem, whole in results:
            for line in lines:
                click.echo(line)
            failed += problem
            bar.update(int(whole))
    if failed:
        sys.exit(1)
