"""The command line: `python -m edge COMMAND`. Each command is described in docs/operations/commands.md."""

from edge.cli import (
    backup,
    catalogue,
    devices,
    exits,
    funnel,
    hq,
    lanes,
    money,
    outbox,
    service,
    tariff,
    validation,
)
from edge.cli.group import main

__all__ = [
    "backup",
    "catalogue",
    "devices",
    "exits",
    "funnel",
    "hq",
    "lanes",
    "main",
    "money",
    "outbox",
    "service",
    "tariff",
    "validation",
]
