"""From the real outbox over a real broker to HQ: whatever breaks on the way, each event takes effect once."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from edge.clock import SystemClock
from edge.errors import Corrupt
from edge.hq.connection import LinkSettings
from edge.hq.link import MqttLink
from edge.services.outbox_records import OutboxDepth
from edge.services.publish_events import PublishCursor, publish_events
from edge.store.sqlite_store import SqliteStore
from sim.broker import Broker, BrokerKind, installed
from sim.hq import Behaviour, HqServer
from tests.unit.hq_samples import AT, ORIGIN, CountingIds, ManualClock, record

pytestmark = pytest.mark.broker

DEADLINE_S = 40.0

#: Events are sent again after this pause, not after 5 s, so that a test of losses ends soon.
PAUSE_MS = 500

#: What each sample order is worth.
ORDER_FEN = 2_050


class Box:
    """The part of a box that talks to HQ: real store, real link, a worker that publishes."""

    def __init__(self, path: Path, port: int, ids: CountingIds) -> None:
        self.store = SqliteStore(path, AT)
        self.ids = ids
        self.problems: list[str] = []
        self.resent = 0
        self._settings = LinkSettings("127.0.0.1", port, first_delay_s=0.1, last_delay_s=0.5, stall_s=3.0)
        self._stop = threading.Event()
        self.link = MqttLink(self._settings, ORIGIN, SystemClock())
        self._thread = threading.Thread(target=self._publish, daemon=True)

    def start(self) -> None:
        self.link.start()
        self._thread.start()

    def sell(self, count: int) -> None:
        clock = ManualClock(AT)
        self.store.write(lambda unit: record(unit.outbox, self.ids, count, clock))  # type: ignore[arg-type]
        self.link.wake.set()

    def depth(self) -> OutboxDepth:
        return self.store.read(lambda unit: unit.outbox.depth())

    def stop(self) -> None:
        self._stop.set()
        self.link.wake.set()
        self._thread.join(10)
        self.link.close()
        self.store.close()

    def _publish(self) -> None:
        cursor = PublishCursor.starting(PAUSE_MS)
        while not self._stop.is_set():
            self.link.wake.clear()
            try:
                step = publish_events(self.store, self.link, SystemClock(), cursor)
            except Corrupt as error:
                self.problems.append(str(error))
                self.link.wake.wait(0.1)
                continue
            cursor = step.cursor
            self.resent += step.resent
            if step.wait_ms:
                self.link.wake.wait(step.wait_ms / 1000)


def eventually(condition: Callable[[], Any], what: Callable[[], str]) -> Any:
    pause = threading.Event()
    for _ in range(int(DEADLINE_S / 0.02)):
        found = condition()
        if found:
            return found
        pause.wait(0.02)
    raise AssertionError(f"not in {DEADLINE_S:.0f} s: {what()}")


def kinds() -> list[Any]:
    skip = {
        kind: pytest.mark.skipif(not installed(kind), reason=f"{kind} is not installed")
        for kind in BrokerKind
    }
    return [pytest.param(kind, marks=skip[kind], id=kind.value) for kind in BrokerKind]


@pytest.fixture(params=kinds())
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    with Broker(request.param) as one:
        yield one


@pytest.fixture
def hq(broker: Broker) -> Iterator[HqServer]:
    with HqServer(broker.port) as one:
        yield one


@pytest.fixture
def box(broker: Broker, tmp_path: Path, hq: HqServer) -> Iterator[Box]:
    one = Box(tmp_path / "box.db", broker.port, CountingIds())
    one.start()
    yield one
    one.stop()


def empty(box: Box) -> None:
    eventually(lambda: box.depth().count == 0, lambda: f"outbox empty, is {box.depth()}; {box.link.status()}")


def assert_once_each(hq: HqServer, count: int) -> None:
    """Every event took effect once: ids, sequences, turnover and tenders agree."""
    rows = hq.ledger.rows("SELECT sequence FROM events ORDER BY sequence")
    assert [row["sequence"] for row in rows] == list(range(1, count + 1))
    sales = hq.ledger.rows("SELECT sum(amount_fen) AS fen, max(orders) AS orders FROM sales")[0]
    assert sales == {"fen": count * ORDER_FEN, "orders": count}
    edge = hq.ledger.rows("SELECT applied, conflicts, lost FROM edges")[0]
    assert edge == {"applied": count, "conflicts": 0, "lost": 0}
    assert hq.ledger.word("demo-mall", "till-1").through == count


def test_every_event_takes_effect_once_and_the_outbox_empties(box: Box, hq: HqServer) -> None:
    for _ in range(30):
        box.sell(10)
    empty(box)
    assert_once_each(hq, 300)
    assert box.depth().acked_through == 300


def test_a_backlog_written_before_anything_was_connected_arrives(
    broker: Broker, hq: HqServer, tmp_path: Path
) -> None:
    box = Box(tmp_path / "box.db", broker.port, CountingIds())
    box.sell(500)
    assert box.depth().count == 500
    box.start()
    empty(box)
    box.stop()
    assert_once_each(hq, 500)


def test_a_killed_broker_loses_nothing(box: Box, hq: HqServer, broker: Broker) -> None:
    for _ in range(3):
        box.sell(40)
        broker.kill()
        box.sell(40)
        eventually(lambda: not box.link.status().connected, lambda: "the loss is seen")
        broker.start()
    empty(box)
    assert_once_each(hq, 240)


def test_what_happens_while_hq_is_away_arrives_when_it_is_back(box: Box, hq: HqServer) -> None:
    box.sell(20)
    empty(box)
    hq.behaviour = Behaviour(away=True)
    eventually(lambda: not hq.worker.connected, lambda: "HQ gone")
    box.sell(300)
    assert box.depth().count == 300
    hq.behaviour = Behaviour()
    empty(box)
    assert_once_each(hq, 320)


def test_hq_away_and_broker_killed_loses_nothing(box: Box, hq: HqServer, broker: Broker) -> None:
    hq.behaviour = Behaviour(away=True)
    eventually(lambda: not hq.worker.connected, lambda: "HQ gone")
    box.sell(100)
    eventually(lambda: box.link.counts().published >= 100, lambda: "the broker has them all")
    broker.kill()
    broker.start()
    hq.behaviour = Behaviour()
    empty(box)
    assert_once_each(hq, 100)


@pytest.mark.parametrize(
    "behaviour",
    [Behaviour(forget_every=2), Behaviour(ack_copies=3), Behaviour(ack_delay_ms=800)],
    ids=["acks lost", "acks repeated", "acks late"],
)
def test_bad_acks_neither_lose_nor_double_anything(box: Box, hq: HqServer, behaviour: Behaviour) -> None:
    hq.behaviour = behaviour
    for _ in range(10):
        box.sell(15)
    empty(box)
    assert_once_each(hq, 150)


def test_rejected_events_stay_in_the_outbox_and_come_again(box: Box, hq: HqServer) -> None:
    hq.behaviour = Behaviour(reject=True)
    box.sell(10)
    eventually(lambda: hq.worker.tally.rejected >= 20, lambda: "rejected at least twice")
    assert box.depth().count == 10
    hq.behaviour = Behaviour()
    empty(box)
    assert_once_each(hq, 10)


def test_a_box_that_is_restarted_goes_on_where_hq_is(broker: Broker, hq: HqServer, tmp_path: Path) -> None:
    ids = CountingIds()
    hq.behaviour = Behaviour(forget_every=1)
    for _ in range(3):
        box = Box(tmp_path / "box.db", broker.port, ids)
        box.start()
        box.sell(20)
        eventually(lambda: hq.ledger.rows("SELECT count(*) AS n FROM events")[0]["n"], lambda: "some arrived")
        box.stop()
    hq.behaviour = Behaviour()
    box = Box(tmp_path / "box.db", broker.port, ids)
    box.start()
    empty(box)
    box.stop()
    assert_once_each(hq, 60)


def test_a_new_hq_takes_up_a_box_in_the_middle_and_says_what_it_lacks(
    box: Box, hq: HqServer, broker: Broker
) -> None:
    box.sell(10)
    empty(box)
    hq.behaviour = Behaviour(away=True)
    eventually(lambda: not hq.worker.connected, lambda: "HQ gone")
    with HqServer(broker.port) as fresh:
        box.sell(5)
        empty(box)
        assert fresh.ledger.rows("SELECT applied, lost FROM edges") == [{"applied": 5, "lost": 10}]


def test_an_hq_that_knows_more_than_the_box_ever_wrote_is_reported(
    broker: Broker, hq: HqServer, tmp_path: Path
) -> None:
    first = Box(tmp_path / "first.db", broker.port, CountingIds())
    first.start()
    first.sell(30)
    empty(first)
    first.stop()
    ids = CountingIds()
    for _ in range(30):
        ids.new_id()
    second = Box(tmp_path / "second.db", broker.port, ids)
    second.start()
    second.sell(3)
    eventually(lambda: second.problems, lambda: "a problem is told")
    assert "event 30" in second.problems[0]
    assert second.depth().count == 3
    second.stop()


def test_the_page_and_its_switches_show_what_hq_knows(broker: Broker, tmp_path: Path, free_port: int) -> None:
    box = Box(tmp_path / "box.db", broker.port, CountingIds())
    with HqServer(broker.port, free_port, tmp_path / "hq") as hq, httpx.Client() as web:
        box.start()
        box.sell(4)
        empty(box)
        base = f"http://127.0.0.1:{free_port}"
        state = web.get(f"{base}/state.json").json()
        assert state["connected"] is True
        measured = {"last_time": "", "last_at": "", "late_ms": 0, "worst_ms": 0}
        assert state["edges"][0] | measured == {
            "site": "demo-mall",
            "edge": "till-1",
            "settled": 4,
            "applied": 4,
            "repeats": state["edges"][0]["repeats"],
            "conflicts": 0,
            "lost": 0,
            "refused": 0,
            **measured,
            "presence": "online",
            "session": state["edges"][0]["session"],
            "backlog": 0,
            "through": 4,
            "holes": [],
        }
        assert state["funnel"][0] == {"kind": "order.paid", "count": 4}
        assert sum(row["amount_fen"] for row in state["sales"]) == 4 * ORDER_FEN
        assert "总部" in web.get(base).text
        assert web.post(f"{base}/behaviour", json={"reject": True}).json()["reject"] is True
        assert hq.behaviour == Behaviour(reject=True)
        refused = web.post(f"{base}/behaviour", json={"mood": 1})
        assert (refused.status_code, "no switch" in refused.json()["error"]) == (400, True)
        assert web.post(f"{base}/behaviour", content=b"[").status_code == 400
        box.stop()
        gone = eventually(
            lambda: hq.ledger.rows("SELECT presence FROM edges WHERE presence = 'offline'"), lambda: "goodbye"
        )
        assert gone == [{"presence": "offline"}]


@pytest.fixture
def free_port() -> int:
    with Broker() as probe:
        return probe.port


def test_stored_rows_are_the_bytes_on_the_wire(box: Box, hq: HqServer) -> None:
    box.sell(1)
    empty(box)
    data = json.loads(str(hq.ledger.rows("SELECT data FROM events")[0]["data"]))
    assert data["lines"][0]["name"] == "拿铁"
