"""HQ commands a running service over a real broker: once in effect, answered whatever dies."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from devices.types import Scan
from edge.clock import Instant, SystemClock, boottime_ns
from edge.hq.connection import LinkSettings
from edge.hq.link import MqttLink
from edge.retail.order import OrderState
from edge.service import Devices, Service
from edge.services.receive_scan import receive_scan
from edge.services.take_cash import take_cash
from edge.store.bundle_folder import KEPT, BundleFolder
from sim.broker import Broker, BrokerKind, installed
from sim.clocks import unix_ms
from sim.commander import Commander, Wish, encode
from sim.fakes.box import COLA, KIOSK
from sim.fakes.gate import FakeGate
from sim.fakes.gateway import FakeGateway
from sim.hq import HqServer
from tests.integration.test_money_service import Running, eventually

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(not installed(BrokerKind.MOSQUITTO), reason="mosquitto is not installed"),
]

SITE, EDGE = "demo-mall", "edge-1"


class Synchronised(SystemClock):
    """The machine's clock, taken at its word."""

    def now(self) -> Instant:
        return replace(super().now(), trusted=True)


class Commanded(Running):
    """A service with a gate, linked to a real broker."""

    def __init__(self, folder: Path, port: int, gate: FakeGate) -> None:
        super().__init__(folder, FakeGateway())
        self.service.web.close()
        parts, clock = self.service._parts, Synchronised()
        settings = LinkSettings("127.0.0.1", port, first_delay_s=0.1, last_delay_s=0.5)
        link = MqttLink(settings, parts.box.origin, clock)
        self.bundles = BundleFolder(folder / "bundles")
        self.service = Service(
            replace(
                parts,
                link=link,
                box=replace(parts.box, link=link, clock=clock),
                devices=Devices(scanners=parts.devices.scanners, gates=(gate,)),
                bundles=self.bundles,
                config_text="hq.password_file = (hidden)",
            )
        )
        self.box = self.service.box

    def kinds(self) -> list[str]:
        return [one.kind for one in self.store.read(lambda unit: unit.commands.recent(99)) if one.finished_at]


@pytest.fixture
def broker() -> Iterator[Broker]:
    with Broker(BrokerKind.MOSQUITTO) as one:
        yield one


@pytest.fixture
def gate() -> FakeGate:
    return FakeGate("exit-1")


@contextmanager
def running(folder: Path, broker: Broker, gate: FakeGate) -> Iterator[Commanded]:
    made = Commanded(folder, broker.port, gate)
    made.service.start()
    try:
        eventually(lambda: made.box.link.status().connected, "the link")
        yield made
    finally:
        made.service.stop()


def wish(kind: str, command_id: str = "", **arguments: str) -> Wish:
    return Wish(SITE, EDGE, kind, arguments, command_id=command_id)


def asked(hand: Commander, wanted: Wish) -> dict[str, object]:
    answer = hand.command(wanted, 20.0)
    assert answer is not None, f"no answer to {wanted}"
    return answer


def test_hq_freezes_and_thaws_sales_over_restarts_and_a_begun_order_is_paid(
    tmp_path: Path, broker: Broker, gate: FakeGate
) -> None:
    with Commander(broker.port) as hand:
        with running(tmp_path, broker, gate) as it:
            order_id = it.order(KIOSK)
            assert asked(hand, wish("freeze_sales", note="stocktaking"))["state"] == "done"
            take_cash(it.box, KIOSK, 10_000)
            order = it.store.read(lambda unit: unit.orders.get(order_id))
            assert order is not None
            assert order.state is OrderState.PAID
        with running(tmp_path, broker, gate) as it:
            view = lambda: it.view(KIOSK)  # noqa: E731
            eventually(lambda: view()["screen"] in ("closed", "paid"), "a screen")
            assert it.service._closed() == "frozen"
            assert asked(hand, wish("thaw_sales"))["state"] == "done"
            eventually(lambda: it.service._closed() == "", "sales to open")


def test_an_idle_screen_says_that_hq_has_frozen_sales(tmp_path: Path, broker: Broker, gate: FakeGate) -> None:
    with Commander(broker.port) as hand, running(tmp_path, broker, gate) as it:
        asked(hand, wish("freeze_sales"))
        eventually(lambda: it.view(KIOSK)["closed"] == "frozen", "the closed screen")
        read = Scan("test", COLA.encode(), COLA, None, boottime_ns())
        assert receive_scan(it.box, KIOSK, read).outcome == "closed"


def test_a_gate_opens_once_although_the_command_comes_three_times(
    tmp_path: Path, broker: Broker, gate: FakeGate
) -> None:
    with Commander(broker.port) as hand, running(tmp_path, broker, gate):
        wanted = wish("open_gate", "cmd-7", gate="exit-1")
        answers = [asked(hand, wanted) for _ in range(3)]
        assert [one["repeated"] for one in answers] == [False, True, True]
        assert [one["state"] for one in answers] == ["done"] * 3
        assert gate.pulses == 1


def test_an_expired_command_opens_nothing_and_hq_is_told(
    tmp_path: Path, broker: Broker, gate: FakeGate
) -> None:
    with Commander(broker.port) as hand, running(tmp_path, broker, gate):
        wanted = wish("open_gate", "cmd-8", gate="exit-1")
        correlation = hand.send(wanted, encode(wanted, unix_ms() - 60_000))
        answer = hand.answer(correlation, 20.0)
        assert answer is not None
        assert (answer["state"], answer["reason"]) == ("refused", "expired")
        assert gate.pulses == 0


def test_hq_gets_each_answer_as_an_event_and_what_cannot_be_done_is_refused(
    tmp_path: Path, broker: Broker, gate: FakeGate
) -> None:
    with HqServer(broker.port) as hq, Commander(broker.port) as hand, running(tmp_path, broker, gate):
        assert asked(hand, wish("block_plate", plate="1"))["reason"] == "bad_arguments"
        assert asked(hand, wish("sing"))["reason"] == "unknown_kind"
        assert asked(hand, wish("thaw_sales"))["state"] == "done"
        kinds = lambda: [row["kind"] for row in hq.ledger.rows("SELECT kind FROM events ORDER BY sequence")]  # noqa: E731
        eventually(lambda: len(kinds()) >= 3, "the events at HQ")
        assert [one for one in kinds() if str(one).startswith("command.")] == [
            "command.refused",
            "command.refused",
            "command.done",
        ]


def test_a_bundle_is_written_without_secrets_and_only_a_few_are_kept(
    tmp_path: Path, broker: Broker, gate: FakeGate
) -> None:
    with Commander(broker.port) as hand, running(tmp_path, broker, gate) as it:
        it.order(KIOSK)
        answers = [asked(hand, wish("send_bundle")) for _ in range(KEPT + 1)]
        files = sorted(path.name for path in it.bundles.folder.iterdir())
        result: Any = answers[-1]["result"]
        assert len(files) == KEPT
        assert result["file"] in files
        path = it.bundles.folder / result["file"]
        assert (path.stat().st_size, path.stat().st_mode & 0o777) == (result["bytes"], 0o600)
        with zipfile.ZipFile(path) as bundle:
            assert sorted(bundle.namelist()) == [
                "commands.txt",
                "configuration.txt",
                "scans.json",
                "status.json",
            ]
            assert b"(hidden)" in bundle.read("configuration.txt")
            scans = json.loads(bundle.read("scans.json"))[KIOSK]
            assert scans[0]["text"] == f"..{COLA[-4:]}"
            assert COLA.encode() not in bundle.read("scans.json")
            assert json.loads(bundle.read("status.json"))["workers"]


def test_reload_ends_the_process_after_its_answer_and_a_repeat_does_not_end_the_next(
    tmp_path: Path, broker: Broker, gate: FakeGate
) -> None:
    with Commander(broker.port) as hand:
        with running(tmp_path, broker, gate) as it:
            assert asked(hand, wish("reload", "cmd-9"))["state"] == "done"
            assert it.service.ended.wait(10)
        with running(tmp_path, broker, gate) as it:
            assert asked(hand, wish("reload", "cmd-9"))["repeated"] is True
            assert asked(hand, wish("reload", "cmd-10"))["reason"] == "too_soon"
            assert not it.service.ended.is_set()


#: A box that obeys one command and dies by SIGKILL: in the gate's relay, or after the last commit.
DYING = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from edge.clock import SystemClock
from edge.services.obey_command import Command, Means, obey_command
from edge.store.sqlite_store import SqliteStore
from sim.fakes.box import FakePorts, fake_box
from sim.fakes.gate import FakeGate

class Deadly(FakeGate):
    def pulse(self):
        with open(sys.argv[2], "ab") as trace:
            trace.write(b"x")
        if sys.argv[3] == "acting":
            os.kill(os.getpid(), signal.SIGKILL)

store = SqliteStore(Path(sys.argv[1]), 1_000)
ports = FakePorts(store=store)
at = ports.clock.now().wall_at
gate = Deadly("exit-1")
means = Means(lambda command_id: {}, {"exit-1": gate})
command = Command("cmd-11", "open_gate", "Ms Li", at, at + 30_000, {"gate": "exit-1"})
obey_command(fake_box(ports, lambda place: None), means, command)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(("moment", "state"), [("acting", "unknown"), ("answering", "done")])
def test_after_a_kill_hq_gets_the_answer_from_the_restarted_box_and_nothing_is_repeated(
    tmp_path: Path, broker: Broker, gate: FakeGate, moment: str, state: str
) -> None:
    trace = tmp_path / "pulses"
    program = [sys.executable, "-c", DYING, str(tmp_path / "edge.db"), str(trace), moment]
    died = subprocess.run(program, cwd=Path(__file__).parents[2], check=False)
    assert died.returncode == -signal.SIGKILL
    with HqServer(broker.port) as hq, running(tmp_path, broker, gate), Commander(broker.port) as hand:
        told = lambda: [  # noqa: E731
            row["kind"] for row in hq.ledger.rows("SELECT kind FROM events") if "command" in str(row["kind"])
        ]
        eventually(told, "the answer at HQ")
        answer = asked(hand, wish("open_gate", "cmd-11", gate="exit-1"))
        assert (answer["state"], answer["repeated"]) == (state, True)
        assert told() == [f"command.{state}"]
    assert (trace.read_bytes(), gate.pulses) == (b"x", 0)
