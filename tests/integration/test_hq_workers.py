"""HQ as several worker processes on one PostgreSQL: whatever dies, each event takes effect once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sim.broker import Broker, BrokerKind
from sim.broker import installed as broker_installed
from sim.fleet import Fleet, FleetSettings
from sim.hq import HqFleet, HqServer
from sim.postgres import Postgres, installed
from tests.integration.test_hq_delivery import Box, assert_once_each, empty, eventually
from tests.unit.hq_samples import CountingIds

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(not installed(), reason="PostgreSQL is not installed"),
]

BOXES = 40


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


@pytest.fixture(params=list(BrokerKind))
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    if not broker_installed(request.param):
        pytest.skip(f"{request.param} is not installed")
    with Broker(request.param) as one:
        yield one


@pytest.fixture
def hq(broker: Broker, postgres: Postgres) -> Iterator[HqFleet]:
    with HqFleet(broker.port, postgres.new_database(), 2, None) as fleet:
        eventually(lambda: len(working(fleet)) == 2, lambda: f"two workers, are {working(fleet)}")
        yield fleet


@pytest.fixture
def box(broker: Broker, tmp_path: Path, hq: HqFleet) -> Iterator[Box]:
    one = Box(tmp_path / "box.db", broker.port, CountingIds())
    one.start()
    yield one
    one.stop()


def working(hq: HqFleet) -> list[dict[str, Any]]:
    return [row for row in hq.ledger.rows("SELECT * FROM workers ORDER BY name") if row["connected"]]


def once_each(hq: HqFleet, count: int) -> None:
    assert_once_each(hq, count)  # type: ignore[arg-type]


def test_two_workers_share_one_box_and_neither_doubles_anything(box: Box, hq: HqFleet) -> None:
    for _ in range(40):
        box.sell(10)
    empty(box)
    once_each(hq, 400)
    eventually(
        lambda: (
            sum(row["received"] for row in working(hq)) >= 400 and all(r["received"] for r in working(hq))
        ),
        lambda: f"both took part: {working(hq)}",
    )


def test_a_killed_worker_and_a_killed_database_lose_nothing(
    box: Box, hq: HqFleet, postgres: Postgres
) -> None:
    box.sell(100)
    hq.processes[0].kill()
    hq.processes[0].wait()
    box.sell(100)
    postgres.kill()
    box.sell(100)
    postgres.start()
    hq.processes.append(hq.start_worker("3"))
    box.sell(100)
    empty(box)
    eventually(lambda: alive_again(hq), lambda: "the page's own connection is back")
    once_each(hq, 400)


def alive_again(hq: HqFleet) -> bool:
    import psycopg

    try:
        return bool(hq.ledger.rows("SELECT 1 AS one"))
    except psycopg.OperationalError:
        return False


def test_many_boxes_that_come_and_go_are_each_heard_once(broker: Broker, hq: HqFleet) -> None:
    fleet = Fleet(FleetSettings(broker.port, boxes=BOXES, rate=20.0, lives_s=1.5))
    fleet.run(4.0)
    broker.kill()
    fleet.run(0.5)
    broker.start()
    fleet.rate = 0.0
    for _ in range(100):
        fleet.run(0.4)
        if not fleet.waiting():
            break
    counts = fleet.counts
    fleet.close()
    assert fleet.waiting() == 0
    assert counts.connects > BOXES
    rows = hq.ledger.rows("SELECT sum(applied) AS n, sum(conflicts) AS odd, sum(lost) AS lost FROM edges")
    assert {name: int(str(value)) for name, value in rows[0].items()} == {
        "n": counts.written,
        "odd": 0,
        "lost": 0,
    }
    paid = hq.ledger.rows("SELECT sum(orders) AS n FROM sales WHERE tenant_id = 't-coffee'")
    assert int(str(paid[0]["n"])) == counts.written


def test_one_worker_in_process_may_keep_its_books_in_postgresql(
    broker: Broker, postgres: Postgres, tmp_path: Path
) -> None:
    from sim.hq.postgres import PostgresBooks

    books = PostgresBooks(postgres.new_database())
    with HqServer(broker.port, books=books) as hq:
        box = Box(tmp_path / "box.db", broker.port, CountingIds())
        box.start()
        box.sell(50)
        empty(box)
        box.stop()
        assert_once_each(hq, 50)
