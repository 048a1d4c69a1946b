"""The command line: `python -m edge COMMAND`. Each command is described in docs/operations/commands.md."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, Any, BinaryIO, TypeVar

import click

from edge.codes.classify import classify
from edge.codes.explain import explain as explain_reading
from edge.codes.explain import typed_scan
from edge.codes.reading import Context
from edge.config import effective, load_config
from edge.errors import EdgeError, Invalid
from edge.services.import_catalogue import ImportOptions
from edge.services.take_intake import IntakeReport

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
    """Run the service until SIGTERM or SIGINT, or until HQ wants it started anew."""
    from edge.app import build_service
    from edge.logs import set_up_logs

    # The watchdog ends a stuck service with SIGABRT; then the log shows where each thread stood.
    faulthandler.enable()
    set_up_logs()
    service = build_service(load_config(config))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: service.ended.set())
    service.start()
    service.ended.wait()
    service.stop()


@main.command()
@with_config
def check(config: Path) -> None:
    """Print the configuration in force, secrets hidden; end with 1 on any doubt."""
    from edge.errands import check_config

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
@click.option("--config", _CONFIG, type=click.Path(path_type=Path), default=None, help="Use its [codes].")
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


@main.group(invoke_without_command=True)
@with_config
@click.pass_context
def outbox(ctx: click.Context, config: Path) -> None:
    """See how far HQ is behind, and deal with the events that it rejected."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(outbox_status, config=config)


@outbox.command("status")
@with_config
def outbox_status(config: Path) -> None:
    """Print how far HQ is behind, the pace of events and how long the disk lasts."""
    from edge.errands import outbox_lines

    for line in outbox_lines(load_config(config)):
        click.echo(line)


@outbox.command("dead")
@with_config
def dead_letters(config: Path) -> None:
    """List the events that HQ rejected."""
    from edge.errands import letter_lines

    for line in letter_lines(load_config(config)):
        click.echo(line)


@outbox.command("show")
@click.argument("sequence", type=int)
@with_config
def show_event(sequence: int, config: Path) -> None:
    """Print event SEQUENCE as it goes to HQ, with HQ's reason when it was rejected."""
    from edge.errands import event_lines

    for line in event_lines(load_config(config), sequence):
        click.echo(line)


@outbox.command("resend")
@click.argument("sequence", type=int)
@click.option("--data", type=click.File("r", encoding="utf-8"), help="A JSON file with the repaired data.")
@with_config
def resend_event(sequence: int, data: IO[str] | None, config: Path) -> None:
    """Send rejected event SEQUENCE again under a new sequence."""
    from edge.errands import deal_with_letter
    from edge.services.dead_letters import LetterAction

    text = data.read() if data else ""
    _tell(deal_with_letter(load_config(config), sequence, LetterAction.RESEND, data=text))


@outbox.command("drop")
@click.argument("sequence", type=int)
@click.option("--reason", required=True, help="Why it need not reach HQ; kept with the event.")
@with_config
def drop_event(sequence: int, reason: str, config: Path) -> None:
    """Close rejected event SEQUENCE for good."""
    from edge.errands import deal_with_letter
    from edge.services.dead_letters import LetterAction

    _tell(deal_with_letter(load_config(config), sequence, LetterAction.DROP, note=reason))


@main.command()
@click.option("--limit", default=50, show_default=True, help="The newest so many.")
@with_config
def commands(limit: int, config: Path) -> None:
    """List what HQ told the box to do, and what became of it."""
    from edge.errands import command_lines

    for line in command_lines(load_config(config), limit):
        click.echo(line)


@main.command()
@click.option("--limit", default=20, show_default=True, help="So many under way, and the newest so many.")
@with_config
def refunds(limit: int, config: Path) -> None:
    """List refunds with each leg's state and next step; they are decided on the staff page."""
    from edge.errands import refund_lines

    for line in refund_lines(load_config(config), limit):
        click.echo(line)


@main.command()
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="The business day; today when not given.")
@with_config
def shifts(day: datetime | None, config: Path) -> None:
    """List a business day's shifts with totals; they are opened and closed on the staff page."""
    from edge.errands import shift_lines

    for line in shift_lines(load_config(config), f"{day:%Y-%m-%d}" if day else ""):
        click.echo(line)


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


@main.group()
def catalogue() -> None:
    """Import, look up and price products."""


@catalogue.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--skip-bad", is_flag=True, help="Import the good lines although there are bad ones.")
@click.option("--replace", is_flag=True, help="Withdraw products that FILE does not name.")
@click.option("--dry-run", is_flag=True, help="Check and count only.")
@click.option("--tenant", default=None, help="Take lines of this tenant only.")
@with_config
def import_file(
    file: BinaryIO, skip_bad: bool, replace: bool, dry_run: bool, tenant: str | None, config: Path
) -> None:
    """Import products from a CSV file, - for standard input, also while the service runs.

    Nothing is imported when any line is bad.
    """
    from edge.errands import import_products
    from edge.store.intake_folder import MAX_BYTES

    options = ImportOptions(skip_bad, dry_run, replace, tenant)
    name, data = Path(file.name).name, file.read(MAX_BYTES + 1)
    with click.progressbar(length=1000, label=name, file=sys.stderr) as bar:

        def progress(done: int, total: int) -> None:
            bar.update(done * 1000 // max(total, 1) - bar.pos)

        report = import_products(load_config(config), name, data, options, progress)
    _tell(report)


@catalogue.command("show")
@click.argument("code")
@with_config
def show_product(code: str, config: Path) -> None:
    """Print what CODE (a barcode or sku) sells as."""
    from edge.errands import find_product_lines

    for line in find_product_lines(load_config(config), code):
        click.echo(line)


@catalogue.command("price")
@click.argument("sku")
@click.argument("yuan")
@click.option("--from", "valid_from", default="", help="Local date and time, e.g. 2026-12-01T08:00.")
@with_config
def price_product(sku: str, yuan: str, valid_from: str, config: Path) -> None:
    """Set the price of SKU to YUAN from a moment on, now by default; also while the service runs."""
    from edge.errands import set_price

    _tell(set_price(load_config(config), sku, yuan, valid_from))


@main.group()
def snapshots() -> None:
    """See what HQ has sent as a whole, and go back one version."""


@snapshots.command("list")
@with_config
def list_snapshots(config: Path) -> None:
    """List the snapshots that are coming, in force and kept, and the last refusals."""
    from edge.errands import snapshot_lines

    for line in snapshot_lines(load_config(config)):
        click.echo(line)


@snapshots.command("return")
@click.argument("name")
@with_config
def return_version(name: str, config: Path) -> None:
    """Put the previous version of snapshot NAME in force again, also while the service runs."""
    from edge.errands import go_back

    _tell(go_back(load_config(config), name))


def _tell(report: IntakeReport) -> None:
    """Print a report; end with 1 unless it was taken."""
    for line in report.lines:
        click.echo(line)
    if not report.taken:
        sys.exit(1)


def _age(at: int | None, now_at: int) -> str:
    return "never" if at is None else f"{max(0, now_at - at) // 1000} s ago"
