"""Lanes held open and let go, and spaces counted."""

from __future__ import annotations

from pathlib import Path

import click

from edge.cli.group import main, tell, with_config
from edge.config import load_config

#: As services.passage_records.HoldReason, which this module does not load for `--help`.
_REASONS = ("fire", "power", "congestion", "service", "other")
_LONGEST_MIN = 12 * 60
_MOST_COUNTED = 10_000


@main.group()
def lanes() -> None:
    """See lanes, hold their gates open, let them go."""


@lanes.command("show")
@with_config
def show_lanes(config: Path) -> None:
    """Show each lane: who is there, what is asked, whether it is held open."""
    from edge.errands.lanes import lane_lines

    for line in lane_lines(load_config(config)):
        click.echo(line)


@lanes.command("hold")
@click.argument("lane")
@click.argument("reason", type=click.Choice(_REASONS))
@click.argument("minutes", type=click.IntRange(1, _LONGEST_MIN))
@click.option("--note", default="", help="What happened.")
@with_config
def hold_lane(lane: str, reason: str, minutes: int, note: str, config: Path) -> None:
    """Hold LANE's gate open for MINUTES because of REASON; everybody passes."""
    _wish(config, "hold-lane", lane=lane, reason=reason, minutes=str(minutes), note=note)


@lanes.command("release")
@click.argument("lane")
@with_config
def release_lane(lane: str, config: Path) -> None:
    """Let LANE's gate go again."""
    _wish(config, "release-lane", lane=lane)


@main.group()
def zones() -> None:
    """See how full zones are, and put a count right."""


@zones.command("show")
@with_config
def show_zones(config: Path) -> None:
    """Show how many vehicles are inside each zone and how many spaces are free."""
    from edge.errands.lanes import zone_lines

    for line in zone_lines(load_config(config)):
        click.echo(line)


@zones.command("recount")
@click.argument("zone")
@click.argument("counted", type=click.IntRange(0, _MOST_COUNTED))
@click.option("--note", default="", help="Who counted, or how.")
@with_config
def recount_zone(zone: str, counted: int, note: str, config: Path) -> None:
    """Take COUNTED as the number of vehicles inside ZONE."""
    _wish(config, "recount-zone", zone=zone, counted=str(counted), note=note)


def _wish(config: Path, kind: str, **arguments: str) -> None:
    from edge.errands.lanes import ask_service
    from edge.errands.money import who

    tell(ask_service(load_config(config), kind, {**arguments, "by": who()}))
