"""Snapshots over a real broker into a real store, with cuts, restarts and kills in the middle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from edge.clock import SystemClock, boottime_ns, wait, wall_ms
from edge.hq.connection import LinkSettings
from edge.hq.link import MqttLink
from edge.hq.snapshots import SnapshotDesk
from edge.hq.topics import Topics
from edge.ids import TimeOrderedIds
from edge.services.events import Origin
from edge.services.snapshot_kinds import snapshot_kinds
from edge.services.snapshot_records import SnapshotState
from edge.services.take_snapshot import FetchCursor, Shelf, return_snapshot, take_snapshots
from edge.store.database import open_reader
from edge.store.sqlite_store import SqliteStore, SqliteUnit
from sim.broker import Broker
from sim.goods import catalogue_csv, many_goods
from sim.mall_lists import members_csv
from sim.snapshots import Content, SnapshotFault, SnapshotSource

pytestmark = pytest.mark.broker

ORIGIN = Origin("demo-mall", "edge-1")
BOX = ("demo-mall", "edge-1")
GOODS = tuple(many_goods(10_000))
MEMBERS = Content("members", 1, members_csv(20_000), chunk_bytes=32 * 1024)
CATALOGUE = Content("catalogue", 1, catalogue_csv(GOODS), chunk_bytes=16 * 1024)


class Receiver:
    """A box as far as snapshots go."""

    def __init__(self, port: int, folder: Path) -> None:
        clock = SystemClock()
        self.store = SqliteStore(folder / "edge.db", clock.now().wall_at)
        self.link = MqttLink(
            LinkSettings("127.0.0.1", port, first_delay_s=0.1, last_delay_s=0.3), ORIGIN, clock
        )
        topics = Topics(ORIGIN)
        self.desk = SnapshotDesk(topics, self.link.say)
        for wanted in (topics.manifests, topics.chunks):
            self.link.listen(wanted, self.desk.hear)
        kinds = snapshot_kinds(ZoneInfo("Asia/Shanghai"))
        self.shelf = Shelf(self.store, clock, TimeOrderedIds(wall_ms), ORIGIN, kinds)
        self.cursor = FetchCursor()
        self.news: list[str] = []
        self.link.start()

    def close(self) -> None:
        self.link.close()
        self.store.close()

    def step(self) -> None:
        done = take_snapshots(self.shelf, self.desk, self.cursor)
        self.cursor = done.cursor
        self.news += done.news
        self.desk.wake.clear()
        if done.wait_ms:
            wait(self.desk.wake, 0.05)

    def until(self, words: str, within_s: float = 60.0) -> None:
        """Take steps until the news say so."""
        end_ns = boottime_ns() + within_s * 1e9
        while not any(words in one for one in self.news):
            assert boottime_ns() < end_ns, f"no {words!r} in {self.news}"
            self.step()

    def count(self) -> int:
        skus = self.store.read(lambda unit: unit.catalogue.intake.live_skus("", 100_000, None))
        return len(skus)


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with Broker() as running:
        yield running


@pytest.fixture
def source(broker: Broker) -> Iterator[SnapshotSource]:
    made = SnapshotSource("127.0.0.1", broker.port)
    made.start()
    yield made
    for name in ("catalogue", "landing-pages", "members"):
        made.say(BOX, name, b"")
    made.stop()


@pytest.fixture
def receiver(broker: Broker, tmp_path: Path) -> Iterator[Receiver]:
    made = Receiver(broker.port, tmp_path)
    yield made
    made.close()


def test_ten_thousand_products_and_pages_come_in_and_go_back(
    source: SnapshotSource, receiver: Receiver
) -> None:
    source.publish(CATALOGUE, [BOX])
    page = {"landing_id": "l", "title": "谢谢", "tenant_id": ""}
    source.publish(Content("landing-pages", 1, json.dumps({"pages": [page]}).encode()), [BOX])
    receiver.until("catalogue version 1 is in force")
    receiver.until("landing-pages version 1 is in force")
    assert receiver.count() == len(GOODS)
    assert source.sent == len(CATALOGUE.chunks()) + 1
    smaller = Content("catalogue", 2, catalogue_csv(GOODS[:5_000]))
    source.publish(smaller, [BOX])
    receiver.until("catalogue version 2 is in force")
    assert receiver.count() == 5_000
    return_snapshot(receiver.shelf, "catalogue")
    assert receiver.count() == len(GOODS)
    assert receiver.store.read(lambda unit: unit.landings.pages())[0].title == "谢谢"


@pytest.mark.parametrize("fault", [SnapshotFault.LOST, SnapshotFault.WRONG])
def test_chunks_that_are_lost_or_wrong_are_fetched_again(
    source: SnapshotSource, receiver: Receiver, fault: SnapshotFault
) -> None:
    source.fault = fault
    source.publish(Content("catalogue", 1, catalogue_csv(GOODS[:3_000]), chunk_bytes=16 * 1024), [BOX])
    receiver.until("catalogue version 1 is in force")
    assert receiver.count() == 3_000


def test_a_manifest_of_another_content_changes_nothing(source: SnapshotSource, receiver: Receiver) -> None:
    source.fault = SnapshotFault.WHOLE
    source.publish(Content("catalogue", 1, catalogue_csv(GOODS[:500])), [BOX])
    receiver.until("was refused (wrong_hash)")
    assert receiver.count() == 0


def test_a_broker_that_dies_in_the_middle_costs_only_what_is_missing(tmp_path: Path) -> None:
    with Broker() as broker:
        source = SnapshotSource("127.0.0.1", broker.port, SnapshotFault.CUT)
        source.start()
        source.publish(CATALOGUE, [BOX])
        receiver = Receiver(broker.port, tmp_path)
        receiver.until("is coming in")
        have: frozenset[int] = frozenset()
        while len(have) < 5:
            receiver.step()
            have = receiver.store.read(lambda unit: unit.snapshots.have("catalogue", 1))
        source.stop()
        broker.kill()
        broker.start()
        again = SnapshotSource("127.0.0.1", broker.port)
        again.start()
        again.publish(CATALOGUE, [BOX])
        receiver.until("catalogue version 1 is in force")
        again.stop()
        receiver.close()
    assert again.sent <= len(CATALOGUE.chunks()) - len(have)


def test_a_box_that_is_killed_in_the_middle_goes_on_where_it_was(
    broker: Broker, source: SnapshotSource, tmp_path: Path
) -> None:
    source.fault = SnapshotFault.CUT
    source.publish(CATALOGUE, [BOX])
    have = _killed_with(broker.port, tmp_path, 5)
    source.fault = SnapshotFault.NONE
    before = source.sent
    receiver = Receiver(broker.port, tmp_path)
    receiver.until("catalogue version 1 is in force")
    assert receiver.count() == len(GOODS)
    assert source.sent - before == len(CATALOGUE.chunks()) - have
    receiver.close()


def test_a_box_that_is_killed_while_it_imports_shows_all_or_nothing(
    broker: Broker, source: SnapshotSource, tmp_path: Path
) -> None:
    first = Content("catalogue", 1, catalogue_csv(GOODS[:200]))
    source.publish(first, [BOX])
    receiver = Receiver(broker.port, tmp_path)
    receiver.until("catalogue version 1 is in force")
    receiver.close()
    source.publish(Content("catalogue", 2, CATALOGUE.data, chunk_bytes=16 * 1024), [BOX])
    _killed_with(broker.port, tmp_path, len(CATALOGUE.chunks()), version=2)
    receiver = Receiver(broker.port, tmp_path)
    state = receiver.store.read(lambda unit: unit.snapshots.get("catalogue", SnapshotState.ACTIVE))
    assert state is not None
    # The import may be over although the kill came before it was written down as the one in force.
    assert receiver.count() in ((200, len(GOODS)) if state.version == 1 else (len(GOODS),))
    if state.version == 1:
        receiver.until("catalogue version 2 is in force")
    assert receiver.count() == len(GOODS)
    kinds = [row.kind for row in receiver.store.read(lambda unit: unit.outbox.window(0, 10))]
    assert kinds == ["snapshot.applied"] * 2
    receiver.close()


def test_a_delta_is_taken_and_one_from_another_base_brings_the_full_form(
    source: SnapshotSource, receiver: Receiver
) -> None:
    source.publish(MEMBERS, [BOX])
    receiver.until("members version 1 is in force")
    second = Content("members", 2, members_csv(20_000, points=7), base=MEMBERS)
    source.publish(second, [BOX])
    receiver.until("members version 2 is in force: 0 added, 2000 changed, 0 removed; 20000 members")
    assert len(second.chunks()) < len(MEMBERS.chunks()) / 3
    return_snapshot(receiver.shelf, "members")
    third = Content("members", 3, members_csv(20_100, points=8), base=second.full())
    source.publish(third, [BOX])
    receiver.until("members version 3 was refused (base)")
    # The publisher of events tells HQ; here the test does so.
    [told] = receiver.store.read(
        lambda unit: [one for one in unit.outbox.window(0, 10) if "refused" in one.kind]
    )
    source.hear_refusal(BOX, told.body)
    receiver.until("members version 3 is in force: 100 added, 2000 changed")
    assert receiver.store.read(lambda unit: unit.members.count()) == 20_100


def test_a_box_that_is_killed_while_it_stages_members_goes_on_behind_the_last_one(
    broker: Broker, source: SnapshotSource, tmp_path: Path
) -> None:
    source.publish(MEMBERS, [BOX])
    _killed_when(broker.port, tmp_path, lambda path: _staged_members(path) >= 2_000)
    staged = _staged_members(tmp_path / "edge.db")
    receiver = Receiver(broker.port, tmp_path)
    head = receiver.store._db.conn.execute("SELECT importing, after_id FROM member_head").fetchone()
    assert receiver.store.read(lambda unit: unit.members.count()) == 0
    receiver.until("members version 1 is in force: 20000 added, 0 changed, 0 removed")
    again = receiver.store._db.conn.execute("SELECT active, last_import FROM member_head").fetchone()
    assert head[1] == f"m{staged:09d}", "what was staged before the kill counts"
    assert again == (head[0], head[0]), "the same import went on"
    assert receiver.store.read(lambda unit: unit.members.get("m000000001")) is not None
    receiver.close()


def test_a_box_that_is_killed_while_it_rebuilds_or_stages_a_delta_ends_in_the_same_state(
    broker: Broker, source: SnapshotSource, tmp_path: Path
) -> None:
    source.publish(MEMBERS, [BOX])
    receiver = Receiver(broker.port, tmp_path)
    receiver.until("members version 1 is in force")
    receiver.close()
    source.publish(Content("members", 2, members_csv(20_000, points=7, without=7), base=MEMBERS), [BOX])
    _killed_when(broker.port, tmp_path, lambda path: _count(path, _REBUILT) >= 2)
    _killed_when(broker.port, tmp_path, lambda path: _count(path, _REPLACED) >= 200)
    receiver = Receiver(broker.port, tmp_path)
    assert receiver.store.read(lambda unit: unit.members.count()) in (20_000, 20_000 - 20_000 // 7)
    row = receiver.store.read(lambda unit: unit.snapshots.get("members", SnapshotState.ACTIVE))
    if row is not None and row.version == 1:
        receiver.until("members version 2 is in force")
    assert receiver.store.read(lambda unit: unit.members.count()) == 20_000 - 20_000 // 7
    return_snapshot(receiver.shelf, "members")
    assert receiver.store.read(lambda unit: unit.members.count()) == 20_000
    receiver.close()


_REBUILT = "SELECT count(*) FROM snapshot_chunks WHERE number >= 1000000"
_REPLACED = "SELECT count(*) FROM member_trash"


def _staged_members(path: Path) -> int:
    return _count(path, "SELECT count(*) FROM members")


def _count(path: Path, query: str) -> int:
    connection = open_reader(path)
    try:
        return int(connection.execute(query).fetchone()[0])
    finally:
        connection.close()


def _killed_when(port: int, folder: Path, reached: Callable[[Path], bool]) -> None:
    """Run a receiver as a process and kill it once that is so of its database."""
    child = _child(port, folder)
    end_ns, pause = boottime_ns() + 40e9, threading.Event()
    path = folder / "edge.db"
    try:
        while not (_has_tables(path) and reached(path)):
            assert boottime_ns() < end_ns
            assert child.poll() is None
            pause.wait(0.005)
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait(10)


def _has_tables(path: Path) -> bool:
    if not path.exists():
        return False
    return _count(path, "SELECT count(*) FROM sqlite_schema WHERE name = 'member_trash'") == 1


def _child(port: int, folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.integration.test_snapshots", str(port), str(folder)]
    return subprocess.Popen(command, cwd=Path(__file__).parents[2])


def _killed_with(port: int, folder: Path, count: int, version: int = 1) -> int:
    """Run a receiver as a process, kill it once it has `count` chunks, and return how many it kept."""
    child = _child(port, folder)
    end_ns, pause = boottime_ns() + 40e9, threading.Event()
    have = 0
    try:
        while have < count:
            assert boottime_ns() < end_ns, f"{have} of {count} chunks"
            assert child.poll() is None
            pause.wait(0.02)
            have = _count_chunks(folder / "edge.db", version)
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait(10)
    return _count_chunks(folder / "edge.db", version)


def _count_chunks(path: Path, version: int) -> int:
    if not path.exists():
        return 0
    connection = open_reader(path)
    try:
        if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'snapshot_chunks'").fetchone():
            return 0
        return len(SqliteUnit(connection).snapshots.have("catalogue", version))
    finally:
        connection.close()


if __name__ == "__main__":
    mine = Receiver(int(sys.argv[1]), Path(sys.argv[2]))
    while True:
        mine.step()
