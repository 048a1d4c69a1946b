"""Parking validations: signed codes for other boxes, and what merchants owe."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from edge.cli.group import main, with_config
from edge.config import load_config


@main.command("validation-qr")
@click.option("--merchant", default="", help="The tenant that bears it; the mall when not given.")
@click.option("--minutes", default=60, show_default=True, help="Minutes of parking; 0 is the whole stay.")
@click.option("--valid", default=240, show_default=True, help="Minutes for which the code may be redeemed.")
@click.option("--reference", default="", help="What people know it by, such as a receipt's number.")
@click.option("--svg", type=click.Path(dir_okay=False, path_type=Path), help="Also draw the QR code there.")
@with_config
def validation_qr(
    merchant: str, minutes: int, valid: int, reference: str, svg: Path | None, config: Path
) -> None:
    """Sign a single-use code that validates parking at a box which knows this one's public key."""
    from edge.errands.validation import minutes_grant, signed_code

    text = signed_code(load_config(config), merchant, minutes_grant(minutes), valid, reference)
    if svg is not None:
        import segno

        segno.make(text, error="m", micro=False).save(str(svg), kind="svg", scale=6)
    click.echo(text)


@main.command("validation-report")
@click.option("--month", type=click.DateTime(["%Y-%m"]), required=True, help="The month, as 2026-11.")
@click.option("--csv", "as_csv", is_flag=True, help="As CSV, for spreadsheets.")
@with_config
def validation_report(month: datetime, as_csv: bool, config: Path) -> None:
    """List what each merchant gave away in parking in a month; reads beside a running service."""
    from edge.errands.validation import month_report
    from edge.services.show_validations import settlement_csv, settlement_lines

    report = month_report(load_config(config), f"{month:%Y-%m}")
    click.echo(settlement_csv(report) if as_csv else "\n".join(settlement_lines(report)))
