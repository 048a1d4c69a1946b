"""HQ's page orders a command of a running service and shows the answer."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from sim.broker import Broker, BrokerKind, installed
from sim.fakes.gate import FakeGate
from sim.hq import HqServer
from sim.ports import free_ports
from tests.integration.test_hq_commands import EDGE, SITE, running

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(not installed(BrokerKind.MOSQUITTO), reason="mosquitto is not installed"),
]


def test_a_command_from_the_page_takes_effect_and_its_answer_comes_back(tmp_path: Path) -> None:
    gate, (port,) = FakeGate("exit-1"), free_ports(1)
    with (
        Broker(BrokerKind.MOSQUITTO) as broker,
        HqServer(broker.port, port),
        running(tmp_path, broker, gate) as box,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20.0) as web,
    ):
        order = {"site": SITE, "edge": EDGE, "kind": "freeze_sales", "issued_by": "Ms Li"}
        answer = web.post("/commands", json={**order, "arguments": {"note": "stocktaking"}})
        assert (answer.status_code, answer.json()["state"]) == (200, "done")
        freeze = box.store.read(lambda unit: unit.commands.freeze())
        assert freeze is not None
        assert freeze.note == "stocktaking"
        refused = web.post("/commands", json={**order, "kind": "open_gate", "arguments": {"gate": "exit-9"}})
        assert (refused.json()["state"], refused.json()["reason"]) == ("refused", "no_such_gate")
