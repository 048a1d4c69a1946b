"""HQ's page: what may be ordered from it."""

from __future__ import annotations

import pytest

from sim.commander import Wish
from sim.hq.behaviour import Behaviour
from sim.hq.ledger import Ledger
from sim.hq.page import COMMAND_S, make_app, wish_of
from sim.ports import free_ports

ORDER = {"site": "demo-mall", "edge": "edge-1", "kind": "open_gate", "issued_by": "Ms Li"}


class QuietHq:
    """HQ with empty books and no broker."""

    def __init__(self) -> None:
        self.behaviour = Behaviour()
        self.ledger = Ledger()
        self.broker = ("127.0.0.1", free_ports(1)[0])


def test_an_order_becomes_a_command_that_expires_with_the_pages_patience() -> None:
    wish = wish_of({**ORDER, "arguments": {"gate": "exit-1"}})
    assert wish == Wish("demo-mall", "edge-1", "open_gate", {"gate": "exit-1"}, "Ms Li", life_s=COMMAND_S)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"site": "a/b"}, "site"),
        ({"edge": "+"}, "edge"),
        ({"issued_by": ""}, "issued_by"),
        ({"kind": 7}, "kind"),
        ({"arguments": []}, "arguments"),
        ({"arguments": {"gate": "x" * 201}}, "arguments.gate"),
    ],
)
def test_an_order_that_cannot_be_sent_is_refused_by_name(wrong: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        wish_of({**ORDER, **wrong})


def test_the_page_says_what_is_wrong_and_when_there_is_no_broker() -> None:
    hq = QuietHq()
    client = make_app(hq).test_client()
    refused = client.post("/commands", json={**ORDER, "site": "#"})
    assert (refused.status_code, "site" in refused.get_json()["error"]) == (400, True)
    assert client.post("/commands", data="x").status_code == 400
    lonely = client.post("/commands", json=ORDER)
    assert (lonely.status_code, "no broker" in lonely.get_json()["error"]) == (503, True)
    hq.ledger.close()
