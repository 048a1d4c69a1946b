"""Products: import, look up, price."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO

import click

from edge.cli.group import main, tell, with_config
from edge.config import load_config
from edge.services.import_catalogue import ImportOptions


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
    from edge.errands.catalogue import import_products
    from edge.store.intake_folder import MAX_BYTES

    options = ImportOptions(skip_bad, dry_run, replace, tenant)
    name, data = Path(file.name).name, file.read(MAX_BYTES + 1)
    with click.progressbar(length=1000, label=name, file=sys.stderr) as bar:

        def progress(done: int, total: int) -> None:
            bar.update(done * 1000 // max(total, 1) - bar.pos)

        report = import_products(load_config(config), name, data, options, progress)
    tell(report)


@catalogue.command("show")
@click.argument("code")
@with_config
def show_product(code: str, config: Path) -> None:
    """Print what CODE (a barcode or sku) sells as."""
    from edge.errands.catalogue import find_product_lines

    for line in find_product_lines(load_config(config), code):
        click.echo(line)


@catalogue.command("price")
@click.argument("sku")
@click.argument("yuan")
@click.option("--from", "valid_from", default="", help="Local date and time, e.g. 2026-12-01T08:00.")
@with_config
def price_product(sku: str, yuan: str, valid_from: str, config: Path) -> None:
    """Set the price of SKU to YUAN from a moment on, now by default; also while the service runs."""
    from edge.errands.catalogue import set_price

    tell(set_price(load_config(config), sku, yuan, valid_from))
