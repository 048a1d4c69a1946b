"""`python -m sim`: a mall on a laptop, whole or each device alone."""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path

import click

from devices.signals import stop_on_signals
from sim.clocks import unix_ms
from sim.digits import random_digits
from sim.mall import MallSettings
from sim.mall import run as run_mall

__all__ = ["main", "random_digits"]

_COUNT = click.IntRange(min=1)
_COUNT_OR_NONE = click.IntRange(min=0)


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def main(context: click.Context) -> None:
    """A simulated mall: the other end of every wire of the service."""
    if context.invoked_subcommand is None:
        context.invoke(mall)


@main.command()
@click.option(
    "--dir", "folder", type=click.Path(path_type=Path), default=Path("demo-data"), show_default=True
)
@click.option("--port", default=8080, show_default=True, help="Of the service's pages.")
@click.option("--hq-port", default=8090, show_default=True)
@click.option("--gateway-port", default=8091, show_default=True)
@click.option("--relay-port", default=8092, show_default=True, help="Of HQ's public host, for phones.")
@click.option("--lanes-port", default=8093, show_default=True, help="Of the lanes' page.")
@click.option("--phone-port", default=8094, show_default=True, help="Of the simulated phone.")
@click.option("--pace", default=1.0, show_default=True, help="Below 1 the shopper hurries.")
@click.option("--visits", default=0, show_default=True, help="End after so many; 0 goes on for ever.")
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
@click.argument("link", type=click.Path(path_type=Path))
def scanner(link: Path) -> None:
    """A serial scanner on a pty published as LINK; scans each line of standard input."""
    from sim.scanner import run

    sys.exit(run(link, sys.stdin))


@main.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--link", type=click.Path(path_type=Path), default=None, help="Publish a pty as this link.")
@click.option("--tcp", type=int, default=None, help="Listen on this port instead of a pty.")
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


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--port", default=8091, show_default=True)
def gateway(folder: Path, port: int) -> None:
    """A WeChat Pay v3 gateway with phones; keys are kept in FOLDER."""
    from sim.gateway.server import run

    run("127.0.0.1", port, folder, unix_ms, random_digits, _until_signal())


@main.command()
@click.option("--port", default=1883, show_default=True)
@click.option("--kind", default="", help="mosquitto or iotcore; mosquitto where it is installed.")
def broker(port: int, kind: str) -> None:
    """An MQTT 5 broker on loopback."""
    from sim.broker import run

    sys.exit(run(port, kind))


@main.command()
@click.option("--broker-port", default=1883, show_default=True)
@click.option("--port", default=8090, show_default=True)
@click.option("--dir", "folder", type=click.Path(path_type=Path), default=Path("demo-data/hq"))
@click.option("--workers", default=1, show_default=True, help="More than one use PostgreSQL.")
@click.option("--database", default="", help="postgresql://user@host/name; else a private one when needed.")
def hq(broker_port: int, port: int, folder: Path, workers: int, database: str) -> None:
    """Headquarters: applies each event once and acknowledges it; shows what it knows on a page."""
    from sim.hq import run

    run(broker_port, port, folder, _until_signal(), workers=workers, database=database)


@main.command("hq-trace")
@click.argument("word")
@click.option("--url", default="http://127.0.0.1:8090", show_default=True, help="Of HQ's page.")
def hq_trace(word: str, url: str) -> None:
    """Follow one shopper event by event at HQ. WORD: an order's id or number, a way's or a member's id."""
    from sim.hq.trace import ask, lines

    try:
        found = ask(url, word)
    except OSError as error:
        raise click.ClickException(f"HQ's page at {url} does not answer ({error}); is HQ running?") from error
    click.echo("\n".join(lines(found)))
    if not found["events"]:
        sys.exit(1)


@main.command("command")
@click.argument("kind")
@click.option("--site", default="demo-mall", show_default=True)
@click.option("--edge", default="edge-1", show_default=True)
@click.option("--arg", "arguments", multiple=True, help="NAME=VALUE, as often as needed.")
@click.option("--id", "command_id", default="", help="Repeat a command by its id; a new one by default.")
@click.option("--broker-port", default=1883, show_default=True)
def send_command(
    kind: str, site: str, edge: str, arguments: tuple[str, ...], command_id: str, broker_port: int
) -> None:
    """Send command KIND from HQ to a box and print its answer; ends with 1 unless it was done."""
    from sim.commander import Commander, Wish

    given = dict(one.split("=", 1) for one in arguments if "=" in one)
    if len(given) != len(arguments):
        raise click.ClickException("write each argument once, as NAME=VALUE")
    try:
        with Commander(broker_port) as hand:
            answer = hand.command(Wish(site, edge, kind, given, command_id=command_id))
    except ConnectionError as error:
        raise click.ClickException(str(error)) from error
    if answer is None:
        raise click.ClickException("the box did not answer; is it online, and is its name right?")
    click.echo(json.dumps(answer, ensure_ascii=False, indent=1))
    if answer.get("state") != "done":
        sys.exit(1)


@main.command()
@click.option("--broker-port", default=1883, show_default=True)
@click.option("--boxes", default=1000, show_default=True)
@click.option("--rate", default=1.0, show_default=True, help="Events a second of each box.")
@click.option("--lives", default=0.0, help="Cut each connection after so many seconds on average; 0: never.")
@click.option("--seconds", default=60, show_default=True)
def fleet(broker_port: int, boxes: int, rate: float, lives: float, seconds: int) -> None:
    """Many simulated boxes at one broker, to see what HQ and the broker can take; one line a second."""
    from dataclasses import asdict

    from sim.fleet import Fleet, FleetSettings

    boxes_on = Fleet(FleetSettings(broker_port, boxes=boxes, rate=rate, lives_s=lives))
    for second in range(1, seconds + 1):
        boxes_on.run(1.0)
        counts = " ".join(f"{name}={value}" for name, value in asdict(boxes_on.counts).items())
        click.echo(f"{second} s: {counts} waiting={boxes_on.waiting()}")
    boxes_on.close()


@main.command("parking-day")
@click.option("--cars", default=3_000, show_default=True, help="Vehicles of the day.")
@click.option("--seed", default=1, show_default=True, help="The same seed plays the same day.")
def parking_day(cars: int, seed: int) -> None:
    """Play a day of traffic through the use cases; end with 1 when the books differ from the truth."""
    from sim.parking_day.play import play

    with click.progressbar(length=cars, label="cars that left", file=sys.stderr) as bar:
        report = play(cars, seed, lambda done, of: bar.update(done - bar.pos))
        bar.update(cars - bar.pos)
    for line in report.lines:
        click.echo(line)
    sys.exit(1 if report.violations else 0)


@main.command()
@click.option("--seed", default=1, show_default=True, help="The same seed plays the same day.")
@click.option("--orders", default=5_000, type=_COUNT_OR_NONE, show_default=True, help="Who come to buy.")
@click.option("--cars", default=3_000, type=_COUNT_OR_NONE, show_default=True, help="Vehicles of the day.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Write day.html here.")
def day(seed: int, orders: int, cars: int, out: Path | None) -> None:
    """Play a whole day of the mall with faults, power cuts and HQ away; end with 1 when anything is wrong."""
    from sim.mall_day.command import run

    sys.exit(run(seed, orders, cars, out, click.echo))


@main.command()
@click.option("--scenario", "names", multiple=True, help="A part of a name, also several times.")
@click.option("--world", "worlds", multiple=True, help="A name, also several times; all with right clocks.")
@click.option("--list", "listed", is_flag=True, help="Only name the scenarios and worlds.")
@click.option("--seed", default=1, show_default=True)
@click.option("--pairs", is_flag=True, help="Crash a second time at every boundary after the first.")
@click.option(
    "--stride",
    default=1,
    type=_COUNT,
    show_default=True,
    help="Only every so many deaths, of pairs the first.",
)
@click.option(
    "--workers",
    default=os.cpu_count() or 1,
    type=_COUNT_OR_NONE,
    show_default="processors",
    help="0: this process.",
)
@click.option("--replay", "again", default="", help="SEED:STEPS to see again: 1:120,431; 1: has no death.")
@click.option("--whole", is_flag=True, help="Replay: tell every moment, not those near deaths and faults.")
def explore(
    names: tuple[str, ...],
    worlds: tuple[str, ...],
    listed: bool,
    seed: int,
    pairs: bool,
    stride: int,
    workers: int,
    again: str,
    whole: bool,
) -> None:
    """Crash every scenario at every boundary in several worlds; end with 1 when a property broke."""
    from sim.world.command import Wish, run

    sys.exit(run(Wish(names, worlds, listed, seed, pairs, stride, workers, again, whole), click.echo))


@main.command()
@click.option("--kiosk", default="http://127.0.0.1:8080", show_default=True)
@click.option("--workstation", default="K01", show_default=True)
@click.option("--wallets", default="http://127.0.0.1:8091", show_default=True)
@click.option(
    "--link", type=click.Path(path_type=Path), required=True, help="Where the scanner is to appear."
)
@click.option("--pin", default="2580", show_default=True, help="A cashier's PIN, for age checks.")
@click.option("--visits", default=1, show_default=True)
def shopper(kiosk: str, workstation: str, wallets: str, link: Path, pin: str, visits: int) -> None:
    """A scripted shopper with a simulated scanner in hand."""
    from itertools import islice

    from sim.scanner import SimulatedScanner
    from sim.shopper import Shop, trips, visit

    with SimulatedScanner(link) as hand:
        shop = Shop(kiosk, workstation, wallets, pin, hand.scan, _until_signal(), click.echo)
        for trip in islice(trips(), visits):
            visit(shop, trip)


@main.command()
@click.option("--shoppers", default=60, show_default=True)
@click.option("--minutes", default=1.0, show_default=True, help="Over which they come.")
@click.option("--seed", default=1, show_default=True, help="The same seed sends the same people.")
@click.option("--dir", "folder", type=click.Path(path_type=Path), default=None, help="Keep the mall here.")
@click.option("--on-foot", is_flag=True, help="Nobody comes by car, which takes its time.")
def crowd(shoppers: int, minutes: float, seed: int, folder: Path | None, on_foot: bool) -> None:
    """A crowd with phones walks through a mall of its own, opened for it; ends with 1 when anything fails."""
    from sim.crowd.own_mall import run_crowd

    sys.exit(run_crowd(shoppers, minutes, seed, folder, not on_foot, unix_ms, random_digits, click.echo))


@main.command()
@click.option("--broker-port", default=1883, show_default=True)
@click.option("--port", default=8092, show_default=True)
@click.option("--name", default="relay-1", show_default=True, help="Another for each at one broker.")
def relay(broker_port: int, port: int, name: str) -> None:
    """HQ's public host: hands the requests of phones to their boxes over MQTT."""
    from sim.relay import run

    run(broker_port, port, name, _until_signal(), click.echo)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--box", "boxes", multiple=True, default=["demo-mall/edge-1"], show_default=True)
@click.option("--host", "hosts", multiple=True, default=["127.0.0.1", "localhost"], show_default=True)
def certificates(folder: Path, boxes: tuple[str, ...], hosts: tuple[str, ...]) -> None:
    """Write a trial authority and certificates for brokers, boxes (SITE/BOX) and HQ's workers into FOLDER."""
    from sim.certificates import CertificateError, make_trial

    named = [(site, box) for site, _, box in (one.partition("/") for one in boxes)]
    try:
        make_trial(folder, unix_ms(), named, hosts)
    except CertificateError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{folder}/ca.pem with the keys of 2 brokers and {len(named)} boxes; for trials alone")


@main.command()
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--broker-port", default=1883, show_default=True)
@click.option("--box", "boxes", multiple=True, default=["demo-mall/edge-1"], show_default=True)
@click.option("--number", default=1, show_default=True, help="The version; each must be above the last.")
@click.option("--valid-from", default=0, help="Unix milliseconds; 0 for at once.")
@click.option(
    "--fault", type=click.Choice(["none", "lost", "wrong", "whole", "cut"]), default="none", show_default=True
)
@click.option(
    "--base", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Send a delta from it."
)
@click.option("--base-number", default=0, help="The version of --base.  [default: the one before]")
def snapshot(
    name: str,
    file: Path,
    broker_port: int,
    boxes: tuple[str, ...],
    number: int,
    valid_from: int,
    fault: str,
    base: Path | None,
    base_number: int,
) -> None:
    """HQ sends FILE as snapshot NAME to boxes (SITE/BOX) and answers their questions until it is ended."""
    from sim.snapshots import Content, SnapshotFault, SnapshotSource

    before = Content(name, base_number or number - 1, base.read_bytes()) if base else None
    content = Content(name, number, file.read_bytes(), valid_from, base=before)
    named = [(site, box) for site, _, box in (one.partition("/") for one in boxes)]
    source = SnapshotSource("127.0.0.1", broker_port, SnapshotFault(fault))
    source.start()
    source.publish(content, named)
    click.echo(f"{name} version {number}: {content.describe()}; Ctrl+C ends it")
    stop = _until_signal()
    while not stop.wait(1.0):
        click.echo(f"asked {source.asked}, sent {source.sent} chunks, {source.sent_bytes} bytes")
    source.stop()


@main.command("power-cuts")
@click.option(
    "--workload", "names", multiple=True, help="A scenario, or catalogues; several times for several."
)
@click.option("--every", default=1, type=_COUNT, show_default=True, help="Cut after each so many operations.")
@click.option("--seed", default=0, show_default=True, help="Chooses what of the unsynced survives.")
@click.option("--at", type=_COUNT, help="Cut after this operation alone, of one workload.")
def power_cuts(names: tuple[str, ...], every: int, seed: int, at: int | None) -> None:
    """Cut the power at every write and sync of the real database and start from what is left."""
    from sim.power_cut.play import play, play_one
    from sim.power_cut.trace import Untraceable

    if at is not None and len(names) != 1:
        raise click.UsageError("--at counts the operations of one workload; name it with one --workload")
    try:
        bad = play_one(names[0], at, seed, click.echo) if at else play(names, every, seed, click.echo)
    except (Untraceable, ValueError) as error:
        raise click.ClickException(str(error)) from error
    sys.exit(1 if bad else 0)


@main.command("io-faults")
@click.option("--scenario", "names", multiple=True, help="One of the deterministic world's; may be repeated.")
@click.option("--every", default=1, type=_COUNT, show_default=True, help="Fail each so many calls.")
@click.option("--fault", "faults", multiple=True, help="full, read error once, ... as told; may be repeated.")
@click.option(
    "--at", type=_COUNT_OR_NONE, help="Fail this call alone, of one scenario with one fault; 0: none."
)
def io_faults(names: tuple[str, ...], every: int, faults: tuple[str, ...], at: int | None) -> None:
    """Have the database's calls to the kernel fail one after another, once and until the disk is repaired."""
    from sim.io_faults.play import play
    from sim.shim import NoShim

    if at is not None and not len(names) == len(faults) == 1:
        raise click.UsageError("--at needs one --scenario and one --fault, whose call it is")
    try:
        bad = play(names, every, click.echo, faults, at)
    except (NoShim, ValueError) as error:
        raise click.ClickException(str(error)) from error
    sys.exit(1 if bad else 0)


@main.command()
@click.option(
    "--journey", "names", multiple=True, help="ticket, scan and go, kiosk, refund or parking; repeatable."
)
@click.option("--every", default=1, type=_COUNT, show_default=True, help="Kill at each so many boundaries.")
@click.option(
    "--most", default=1000, type=_COUNT, show_default=True, help="Walks of one journey; --broker: purchases."
)
@click.option(
    "--at", default="", help="Kill at boundary N alone; N:M kills once more at boundary M of the restart."
)
@click.option(
    "--again",
    default=0,
    type=_COUNT_OR_NONE,
    show_default=True,
    help="Kill the restarted service, too, at 1 to M in turn.",
)
@click.option("--workers", default=1, type=_COUNT, show_default=True, help="Malls side by side.")
@click.option("--cold", is_flag=True, help="Load the program anew at each start, as systemd would.")
@click.option("--broker", is_flag=True, help="Kill the broker instead, at each packet of box and HQ.")
def kills(
    names: tuple[str, ...],
    every: int,
    most: int,
    at: str,
    again: int,
    workers: int,
    cold: bool,
    broker: bool,
) -> None:
    """Kill the real service at each boundary of some journeys, over the real broker, relay and gateway."""
    from sim.kills.command import KillWish, run

    wish = KillWish(names, every, most, at, again, workers, cold, broker)
    sys.exit(run(wish, unix_ms, random_digits, click.echo))


def _until_signal() -> threading.Event:
    stop = threading.Event()
    stop_on_signals(stop)
    return stop


if __name__ == "__main__":
    main()
