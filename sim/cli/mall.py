"""The demonstration, and who buys in it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from sim.cli.group import COUNT, COUNT_OR_NONE, MINUTES, NUMBER_OR_NONE, PORT, main, until_signal
from sim.clocks import unix_ms
from sim.digits import random_digits
from sim.mall import MallSettings
from sim.mall import run as run_mall


@main.command()
@click.option(
    "--dir", "folder", type=click.Path(path_type=Path), default=Path("demo-data"), show_default=True
)
@click.option("--port", default=8080, type=PORT, show_default=True, help="Of the service's pages.")
@click.option("--hq-port", default=8090, type=PORT, show_default=True)
@click.option("--gateway-port", default=8091, type=PORT, show_default=True)
@click.option(
    "--relay-port", default=8092, type=PORT, show_default=True, help="Of HQ's public host, for phones."
)
@click.option("--lanes-port", default=8093, type=PORT, show_default=True, help="Of the lanes' page.")
@click.option("--phone-port", default=8094, type=PORT, show_default=True, help="Of the simulated phone.")
@click.option(
    "--pace", default=1.0, type=NUMBER_OR_NONE, show_default=True, help="Below 1 the shopper hurries."
)
@click.option(
    "--visits",
    default=0,
    type=COUNT_OR_NONE,
    show_default=True,
    help="End after so many; 0 goes on for ever.",
)
def mall(
    folder: Path,
    port: int,
    hq_port: int,
    gateway_port: int,
    relay_port: int,
    lanes_port: int,
    phone_port: int,
    pace: float,
    visits: int,
) -> None:
    """Open the whole mall with the service in it and a shopper who buys by himself."""
    settings = MallSettings(
        folder,
        port,
        hq_port,
        gateway_port,
        pace,
        visits,
        relay_port=relay_port,
        lanes_port=lanes_port,
        phone_port=phone_port,
    )
    sys.exit(run_mall(settings, unix_ms, random_digits))


@main.command()
@click.option("--kiosk", default="http://127.0.0.1:8080", show_default=True)
@click.option("--workstation", default="K01", show_default=True)
@click.option("--wallets", default="http://127.0.0.1:8091", show_default=True)
@click.option(
    "--link", type=click.Path(path_type=Path), required=True, help="Where the scanner is to appear."
)
@click.option("--pin", default="2580", show_default=True, help="A cashier's PIN, for age checks.")
@click.option("--visits", default=1, type=COUNT, show_default=True)
def shopper(kiosk: str, workstation: str, wallets: str, link: Path, pin: str, visits: int) -> None:
    """A scripted shopper with a simulated scanner in hand."""
    from itertools import islice

    from sim.scanner import SimulatedScanner
    from sim.shopper import Shop, trips, visit

    with SimulatedScanner(link) as hand:
        shop = Shop(kiosk, workstation, wallets, pin, hand.scan, until_signal(), click.echo)
        for trip in islice(trips(), visits):
            visit(shop, trip)


@main.command()
@click.option("--shoppers", default=60, type=COUNT, show_default=True)
@click.option("--minutes", default=1.0, type=MINUTES, show_default=True, help="Over which they come.")
@click.option("--seed", default=1, show_default=True, help="The same seed sends the same people.")
@click.option("--dir", "folder", type=click.Path(path_type=Path), default=None, help="Keep the mall here.")
@click.option("--on-foot", is_flag=True, help="Nobody comes by car, which takes its time.")
def crowd(shoppers: int, minutes: float, seed: int, folder: Path | None, on_foot: bool) -> None:
    """A crowd with phones walks through a mall of its own, opened for it; ends with 1 when anything fails."""
    from sim.crowd.own_mall import run_crowd

    sys.exit(run_crowd(shoppers, minutes, seed, folder, not on_foot, unix_ms, random_digits, click.echo))
