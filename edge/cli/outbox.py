"""The outbox: how far HQ is behind, and what it rejected."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import click

from edge.cli.group import main, tell, with_config
from edge.config import load_config


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
    from edge.errands.outbox import outbox_lines

    for line in outbox_lines(load_config(config)):
        click.echo(line)


@outbox.command("dead")
@with_config
def dead_letters(config: Path) -> None:
    """List the events that HQ rejected."""
    from edge.errands.outbox import letter_lines

    for line in letter_lines(load_config(config)):
        click.echo(line)


@outbox.command("show")
@click.argument("sequence", type=int)
@with_config
def show_event(sequence: int, config: Path) -> None:
    """Print event SEQUENCE as it goes to HQ, with HQ's reason when it was rejected."""
    from edge.errands.outbox import event_lines

    for line in event_lines(load_config(config), sequence):
        click.echo(line)


@outbox.command("resend")
@click.argument("sequence", type=int)
@click.option("--data", type=click.File("r", encoding="utf-8"), help="A JSON file with the repaired data.")
@with_config
def resend_event(sequence: int, data: IO[str] | None, config: Path) -> None:
    """Send rejected event SEQUENCE again under a new sequence."""
    from edge.errands.outbox import deal_with_letter
    from edge.services.dead_letters import LetterAction

    text = data.read() if data else ""
    tell(deal_with_letter(load_config(config), sequence, LetterAction.RESEND, data=text))


@outbox.command("drop")
@click.argument("sequence", type=int)
@click.option("--reason", required=True, help="Why it need not reach HQ; kept with the event.")
@with_config
def drop_event(sequence: int, reason: str, config: Path) -> None:
    """Close rejected event SEQUENCE for good."""
    from edge.errands.outbox import deal_with_letter
    from edge.services.dead_letters import LetterAction

    tell(deal_with_letter(load_config(config), sequence, LetterAction.DROP, note=reason))
