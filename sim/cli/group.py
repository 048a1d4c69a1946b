"""The command group, what its numbers may be, and what commands share."""

from __future__ import annotations

import threading

import click
from click.core import ParameterSource

from devices.signals import stop_on_signals

COUNT = click.IntRange(min=1)
COUNT_OR_NONE = click.IntRange(min=0)
NUMBER_OR_NONE = click.FloatRange(min=0)
MINUTES = click.FloatRange(min=0, min_open=True)
PORT = click.IntRange(0, 65535)


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def main(context: click.Context) -> None:
    """A simulated mall: the other end of every wire of the service."""
    if context.invoked_subcommand is None:
        context.invoke(main.commands["mall"])


def refuse_beside(option: str, *names: str) -> None:
    """Raise click.UsageError when one of the command's parameters `names` was given too: it has no effect."""
    context = click.get_current_context()
    given = {
        one.opts[0]
        for one in context.command.params
        if one.name in names and context.get_parameter_source(one.name) is ParameterSource.COMMANDLINE
    }
    if given:
        raise click.UsageError(f"{option} goes by itself; leave out {', '.join(sorted(given))}")


def until_signal() -> threading.Event:
    """Return what is set when the process is asked to end."""
    stop = threading.Event()
    stop_on_signals(stop)
    return stop
