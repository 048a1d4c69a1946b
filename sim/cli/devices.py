"""One simulated device alone."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from sim.cli.group import PORT, main
from sim.clocks import unix_ms


@main.command()
@click.argument("link", type=click.Path(path_type=Path))
def scanner(link: Path) -> None:
    """A serial scanner on a pty published as LINK; scans each line of standard input."""
    from sim.scanner import run

    sys.exit(run(link, sys.stdin))


@main.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--link", type=click.Path(path_type=Path), default=None, help="Publish a pty as this link.")
@click.option("--tcp", type=PORT, default=None, help="Listen on this port instead of a pty.")
@click.option("--width", default=48, show_default=True, help="Characters on a line.")
@click.option("--dots", default=576, show_default=True, help="Printable dots on a line.")
@click.option(
    "--encoding", type=click.Choice(["gb18030", "gbk", "utf-8"]), default="gb18030", show_default=True
)
def printer(out: Path, link: Path | None, tcp: int | None, width: int, dots: int, encoding: str) -> None:
    """A receipt printer that draws its receipts as pictures into OUT; commands come on standard input."""
    from sim.printer import run

    run(out, tcp_port=tcp, link=link, width=width, dots=dots, encoding=encoding)


@main.command()
@click.argument("link", type=click.Path(path_type=Path))
@click.option("--address", default=1, show_default=True, help="The board's Modbus address.")
@click.option("--loops", default=2, show_default=True, help="Presence loops after the two limit switches.")
@click.option("--kmtronic", is_flag=True, help="A KMTronic board instead of a Modbus one.")
def gate(link: Path, address: int, loops: int, kmtronic: bool) -> None:
    """A boom gate behind a relay board, published as LINK; commands come on standard input."""
    from sim.gate import GateHabits, run

    run(link, GateHabits(slave=address, loops=loops, kmtronic=kmtronic))


@main.command()
@click.argument("link", type=click.Path(path_type=Path))
def display(link: Path) -> None:
    """A lane's text and voice board, published as LINK; commands come on standard input."""
    from sim.display import run

    run(link)


@main.command()
@click.argument("kind", type=click.Choice(["vzicom", "hikvision", "dahua", "frames"]))
@click.argument("url")
@click.option("--serial", default="", help="What it says of itself: serial number, MAC address or device id.")
@click.option("--comet", is_flag=True, help="Vzicom: ask for commands all the time at URL/comet.")
def camera(kind: str, url: str, serial: str, comet: bool) -> None:
    """A plate camera that posts to URL, the service's /camera/TOKEN; commands come on standard input.

    Kind frames only sees: its pictures are to be had at URL, such as http://127.0.0.1:8095.
    """
    from sim.cameras import frames
    from sim.cameras.console import ConsoleHabits, run

    if kind == "frames":
        frames.run(url)
        return
    run(ConsoleHabits(kind, url, serial, comet), unix_ms)
