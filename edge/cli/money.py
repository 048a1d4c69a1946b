"""Refunds, shifts, payments in doubt, and bills against the books."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click

from edge.cli.group import main, tell, with_config
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


@main.command()
@with_config
def phones(config: Path) -> None:
    """Say how many phones are in use, and what WeChat is still to be told about their orders."""
    from edge.errands.money import phone_lines

    for line in phone_lines(load_config(config)):
        click.echo(line)


@main.group(invoke_without_command=True)
@with_config
@click.pass_context
def payments(ctx: click.Context, config: Path) -> None:
    """See payments in doubt with all that was asked about them, and do what is safe."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_payments, past=False, config=config)


@payments.command("list")
@click.option("--past", is_flag=True, help="Those that were in doubt and are settled.")
@with_config
def list_payments(past: bool, config: Path) -> None:
    """List payments on their way: trail, next automatic step with its time, and what is safe to do."""
    from edge.errands.money import payment_lines

    for line in payment_lines(load_config(config), past):
        click.echo(line)


@payments.command("ask-now")
@click.argument("attempt")
@with_config
def ask_gateway(attempt: str, config: Path) -> None:
    """Have the gateway asked about ATTEMPT at the next turn; also while the service runs."""
    _wish(config, "ask-now", attempt=attempt)


@payments.command("give-back")
@click.argument("attempt")
@click.option("--reason", required=True, help="Why the shopper's payment is not waited for any longer.")
@with_config
def give_money_back(attempt: str, reason: str, config: Path) -> None:
    """Reverse ATTEMPT as soon as the gateway takes it; also while the service runs."""
    _wish(config, "give-back", attempt=attempt, reason=reason)


@main.group(invoke_without_command=True)
@with_config
@click.pass_context
def work(ctx: click.Context, config: Path) -> None:
    """See what about money waits for a person, and close it with a reason."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_work, config=config)


@work.command("list")
@with_config
def list_work(config: Path) -> None:
    """List what waits for a person."""
    from edge.errands.money import work_lines

    for line in work_lines(load_config(config)):
        click.echo(line)


@work.command("close")
@click.argument("item")
@click.option("--reason", required=True, help="What was found and done; kept for ever.")
@with_config
def close_item(item: str, reason: str, config: Path) -> None:
    """Close ITEM; also while the service runs."""
    _wish(config, "close-work", item=item, reason=reason)


@main.command()
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="The bill's day; yesterday's.")
@click.option("--list", "only_list", is_flag=True, help="Compare nothing, list the bills compared so far.")
@with_config
def reconcile(day: datetime | None, only_list: bool, config: Path) -> None:
    """Compare the gateways' bills of a day with the books; end with 1 while differences are open."""
    from edge.errands.money import bill_lines, difference_lines, do_wish, yesterday

    loaded = load_config(config)
    if only_list:
        click.echo("\n".join(bill_lines(loaded)))
        return
    wanted = day.date() if day else yesterday()
    with click.progressbar(length=1000, label=f"bills of {wanted}", file=sys.stderr) as bar:

        def progress(done: int, total: int) -> None:
            bar.update(done * 1000 // max(total, 1) - bar.pos)

        report = do_wish(loaded, "reconcile", {"day": wanted.isoformat()}, progress)
        bar.update(1000 - bar.pos)
    tell(report)
    differences = difference_lines(loaded, wanted)
    for line in differences:
        click.echo(line)
    if differences:
        click.echo(f"{len(differences)} differences are open; close each at /staff/bills or with: work close")
        sys.exit(1)


def _wish(config: Path, kind: str, **arguments: str) -> None:
    from edge.errands.money import do_wish, who

    report = do_wish(load_config(config), kind, {**arguments, "by": who()}, lambda done, total: None)
    tell(report)
