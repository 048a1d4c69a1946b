"""Urgent events and refusals over a real broker: what overtakes, and what becomes of what HQ refuses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.clock import SystemClock
from edge.services.dead_letters import resend_letter
from edge.services.publish_events import WINDOW
from sim.broker import Broker
from sim.hq import Behaviour, HqServer
from tests.integration.test_hq_delivery import ORDER_FEN, Box, empty
from tests.unit.hq_samples import CountingIds, call_for_help

pytestmark = pytest.mark.broker


@pytest.fixture
def broker() -> Iterator[Broker]:
    with Broker() as one:
        yield one


@pytest.fixture
def hq(broker: Broker) -> Iterator[HqServer]:
    with HqServer(broker.port) as one:
        yield one


@pytest.fixture
def box(broker: Broker, hq: HqServer, tmp_path: Path) -> Iterator[Box]:
    one = Box(tmp_path / "box.db", broker.port, CountingIds())
    yield one
    one.stop()


def arrivals(hq: HqServer) -> list[int]:
    """Return the sequences of the orders and calls that took effect, as they came, batch by batch."""
    rows = hq.ledger.rows("SELECT sequence FROM events WHERE kind LIKE '%.%' ORDER BY rowid")
    return [int(str(row["sequence"])) for row in rows]


def test_an_urgent_event_overtakes_a_backlog_and_nothing_is_given_up(box: Box, hq: HqServer) -> None:
    box.sell(1_500)
    urgent = box.store.write(lambda unit: call_for_help(unit.outbox, box.ids))  # type: ignore[arg-type]
    box.start()
    empty(box)
    order = arrivals(hq)
    assert urgent == 1_501
    # HQ writes a batch in the order of its keys; the urgent one is in the first.
    assert order.index(urgent) < 2 * WINDOW
    assert sorted(order) == list(range(1, 1_502))
    assert hq.ledger.rows("SELECT applied, lost, conflicts FROM edges") == [
        {"applied": 1_501, "lost": 0, "conflicts": 0}
    ]
    # On a busy machine an ack may come late and have some sent again, never all of them.
    assert box.resent < 1_501


def test_what_hq_refuses_is_set_aside_holds_up_nothing_and_can_be_sent_again(box: Box, hq: HqServer) -> None:
    box.start()
    hq.behaviour = Behaviour(refuse=True)
    box.sell(3)
    empty(box)
    letters = box.store.read(lambda unit: unit.outbox.dead_letters(9))
    assert [one.message.sequence for one in letters] == [1, 2, 3]
    assert all(one.reason for one in letters)
    hq.behaviour = Behaviour()
    box.sell(2)
    empty(box)
    assert sorted(arrivals(hq)) == [4, 5]
    for letter in letters:
        resend_letter(box.store, SystemClock(), letter.message.sequence)
    box.link.wake.set()
    empty(box)
    assert box.depth().dead == 0
    assert sorted(arrivals(hq)) == [4, 5, 6, 7, 8]
    assert hq.ledger.rows("SELECT sum(amount_fen) AS fen FROM tenders") == [{"fen": 5 * ORDER_FEN}]
