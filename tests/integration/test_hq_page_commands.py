"""HQ's page orders a command of a running service and shows the answer; HQ answers who joined by itself."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from edge.members.identity import Identity, IdentityKind
from edge.services.identify_member import known_member
from edge.services.join_member import JoinAsk, join
from sim.broker import Broker, BrokerKind, installed
from sim.fakes.gate import FakeGate
from sim.hq import HqServer
from sim.hq.welcome import Welcome
from sim.ports import free_ports
from tests.integration.test_hq_commands import EDGE, SITE, running
from tests.integration.test_money_service import eventually

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


def test_who_joins_at_a_box_is_hqs_member_soon_and_is_told_once(tmp_path: Path) -> None:
    with (
        Broker(BrokerKind.MOSQUITTO) as broker,
        HqServer(broker.port) as hq,
        running(tmp_path, broker, FakeGate("exit-1")) as it,
    ):
        box = it.box
        here = join(box, JoinAsk((Identity(IdentityKind.OPENID, "o-abcdef"),), "kiosk-1", "1")).member_id

        def provisional() -> bool:
            found = box.store.read(lambda unit: known_member(unit, here))
            assert found is not None
            return found.provisional

        assert provisional()
        for _ in range(2):
            with Welcome(hq.ledger, hq.broker, lambda: hq.behaviour) as answers:
                eventually(lambda: answers.answered == 1, "HQ's answer")
            assert not provisional()
        kinds = [row["kind"] for row in hq.ledger.rows("SELECT kind FROM events")]
        assert kinds.count("command.done") <= 1
        assert "command.refused" not in kinds
