"""What a box talks to: the gateway, the broker, HQ with its public host, commands and snapshots."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from sim.cli.group import COUNT, NUMBER_OR_NONE, PORT, main, until_signal
from sim.clocks import unix_ms
from sim.digits import random_digits


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--port", default=8091, type=PORT, show_default=True)
def gateway(folder: Path, port: int) -> None:
    """A WeChat Pay v3 gateway with phones; keys are kept in FOLDER."""
    from sim.gateway.server import run

    run("127.0.0.1", port, folder, unix_ms, random_digits, until_signal())


@main.command()
@click.option("--port", default=1883, type=PORT, show_default=True)
@click.option("--kind", default="", help="mosquitto or iotcore; mosquitto where it is installed.")
def broker(port: int, kind: str) -> None:
    """An MQTT 5 broker on loopback."""
    from sim.broker import run

    sys.exit(run(port, kind))


@main.command()
@click.option("--broker-port", default=1883, type=PORT, show_default=True)
@click.option("--port", default=8090, type=PORT, show_default=True)
@click.option("--dir", "folder", type=click.Path(path_type=Path), default=Path("demo-data/hq"))
@click.option("--workers", default=1, type=COUNT, show_default=True, help="More than one use PostgreSQL.")
@click.option("--database", default="", help="postgresql://user@host/name; else a private one when needed.")
def hq(broker_port: int, port: int, folder: Path, workers: int, database: str) -> None:
    """Headquarters: applies each event once and acknowledges it; shows what it knows on a page."""
    from sim.hq import run

    run(broker_port, port, folder, until_signal(), workers=workers, database=database)


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
@click.option("--broker-port", default=1883, type=PORT, show_default=True)
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
@click.option("--broker-port", default=1883, type=PORT, show_default=True)
@click.option("--port", default=8092, type=PORT, show_default=True)
@click.option("--name", default="relay-1", show_default=True, help="Another for each at one broker.")
def relay(broker_port: int, port: int, name: str) -> None:
    """HQ's public host: hands the requests of phones to their boxes over MQTT."""
    from sim.relay import run

    run(broker_port, port, name, until_signal(), click.echo)


@main.command()
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--broker-port", default=1883, type=PORT, show_default=True)
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
    stop = until_signal()
    while not stop.wait(1.0):
        click.echo(f"asked {source.asked}, sent {source.sent} chunks, {source.sent_bytes} bytes")
    source.stop()


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
@click.option("--broker-port", default=1883, type=PORT, show_default=True)
@click.option("--boxes", default=1000, type=COUNT, show_default=True)
@click.option(
    "--rate", default=1.0, type=NUMBER_OR_NONE, show_default=True, help="Events a second of each box."
)
@click.option(
    "--lives",
    default=0.0,
    type=NUMBER_OR_NONE,
    help="Cut each connection after so many seconds on average; 0: never.",
)
@click.option("--seconds", default=60, type=COUNT, show_default=True)
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
