"""SIGKILL of the real service at every boundary of what shoppers do, and of the real broker at every packet.

MALL_EDGE_PROOF=1 kills at all of them; else a handful.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from sim.broker import BrokerKind, installed
from sim.clocks import unix_ms
from sim.digits import random_digits
from sim.kills import broker_play
from sim.kills.books import compare, compare_at_rest, newest
from sim.kills.broker_play import BrokerPlan
from sim.kills.journeys import JOURNEYS
from sim.kills.play import KillPlan, play, steps_of, table
from sim.shim import can_shim
from tests.proof import LATER, PROOF, Counted, Tally

pytestmark = pytest.mark.broker

ROOT = Path(__file__).parents[2]

needs_gcc = pytest.mark.skipif(bool(can_shim()), reason=can_shim())
needs_mosquitto = pytest.mark.skipif(not installed(BrokerKind.MOSQUITTO), reason="mosquitto is not installed")

#: What the whole proof must reach.
MOST_PROOF = 300

#: Every boundary of the journeys by phone and at the kiosk; cars take seconds each, so every third of theirs.
WHOLE = (
    KillPlan(tuple(one for one in JOURNEYS if one != "parking"), workers=2),
    KillPlan(("parking",), every=3, workers=2),
    KillPlan(("kiosk", "scan and go"), every=7, again=40, workers=2),
)
PART = (KillPlan(("kiosk",), every=23, most=3, first=3, again=9),)


@needs_gcc
def test_a_service_killed_anywhere_goes_on_and_every_book_agrees(tally: Tally) -> None:
    found = [play(plan, unix_ms, random_digits) for plan in (WHOLE if PROOF else PART)]
    tolls = [toll for one in found for toll in one.tolls.values()]
    kills = sum(toll.kills for toll in tolls)
    tally.add(Counted.KILLS, kills)
    tally.add(Counted.BOUNDARIES, sum(toll.boundaries for toll in found[0].tolls.values()))
    tally.add(Counted.VIOLATIONS, sum(len(one.violations) for one in found))

    for one in found:
        assert not one.violations, "\n".join(table(one))
    assert kills >= (MOST_PROOF if PROOF else 3)
    assert sum(one.paid for one in found) >= sum(toll.walks for toll in tolls)


@needs_mosquitto
def test_a_broker_killed_at_any_packet_loses_and_doubles_nothing(tally: Tally) -> None:
    plans = (
        (BrokerPlan(), BrokerPlan(every=5, again=30)) if PROOF else (BrokerPlan(every=19, first=5, most=4),)
    )
    tolls = [broker_play.play(plan, unix_ms, random_digits) for plan in plans]
    tally.add(Counted.BROKER_KILLS, sum(toll.kills for toll in tolls))
    tally.add(Counted.BOUNDARIES, tolls[0].boundaries)
    tally.add(Counted.VIOLATIONS, sum(len(toll.violations) for toll in tolls))

    for toll in tolls:
        assert not toll.violations, "\n".join(broker_play.table(toll))
    assert tolls[0].kills >= (tolls[0].boundaries if PROOF else 3)


@needs_gcc
@pytest.mark.skipif(not PROOF, reason=LATER)
def test_a_store_that_commits_each_statement_by_itself_is_found(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    for part in ("edge", "devices", "sim"):
        shutil.copytree(ROOT / part, tree / part, ignore=shutil.ignore_patterns("__pycache__"))
    store = tree / "edge" / "store" / "sqlite_store.py"
    text = store.read_text("utf-8")
    broken = text.replace("with self._db.atomic():", "if True:")
    assert broken != text
    store.write_text(broken, "utf-8")
    command = [sys.executable, "-m", "sim", "kills", "--journey", "kiosk", "--every", "1", "--most", "40"]
    told = subprocess.run(
        command, cwd=tree, env=_plain(tree), capture_output=True, text=True, timeout=600, check=False
    )

    assert told.returncode == 1, told.stdout + told.stderr
    assert "VIOLATION" in told.stdout


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        ("DELETE FROM hq.events WHERE sequence = 2", "not at HQ, the first is 2"),
        (
            "INSERT INTO hq.events SELECT * FROM hq.events WHERE sequence = 3",
            "more than once, the first is 3",
        ),
        ("INSERT INTO hq.events VALUES (9, 'x', '{}')", "never committed, the first is 9"),
        ("UPDATE box.outbox_head SET waiting = 1", "1 events still wait"),
        ("UPDATE box.entries SET amount_fen = 99 WHERE posting_id = 'p1' AND position = 0", "p1 by -1 fen"),
        ("UPDATE box.tenders SET amount_fen = 99", "tenders of another sum"),
        ("UPDATE hq.sales SET amount_fen = 50", "HQ's turnover is 50 fen"),
        ("UPDATE hq.edges SET lost = 1", "1 lost"),
        ("UPDATE box.orders SET state = 'cancelled'", "the box has 0 paid orders"),
    ],
)
def test_books_that_do_not_agree_are_told(tmp_path: Path, spoil: str, says: str) -> None:
    with closing(_books(tmp_path)) as db:
        assert compare(tmp_path, lambda: 100) == []
        db.execute(spoil)
    assert any(says in one for one in compare(tmp_path)), compare(tmp_path)


def test_what_the_box_commits_in_the_middle_of_the_look_is_looked_at_anew(tmp_path: Path) -> None:
    with closing(_books(tmp_path)) as db:

        def taken_fen() -> int:
            if newest(tmp_path) == 4:
                return 100
            db.execute("UPDATE box.outbox_head SET last_sequence = 4")
            db.execute("INSERT INTO hq.events VALUES (4, 'alarm.cleared', '{}')")
            return 200

        assert compare_at_rest(tmp_path, threading.Event(), taken_fen) == []
        lasts = compare_at_rest(tmp_path, threading.Event(), lambda: 200)
        assert lasts == ["the gateway kept 200 fen, the box's books say 100"]


def test_money_that_the_gateway_kept_beyond_the_books_is_told(tmp_path: Path) -> None:
    _books(tmp_path).close()
    assert compare(tmp_path, lambda: 200) == ["the gateway kept 200 fen, the box's books say 100"]


@pytest.mark.parametrize(("text", "steps"), [("7", (7, 0)), ("7:3", (7, 3))])
def test_a_boundary_is_named_by_one_number_or_two(text: str, steps: tuple[int, int]) -> None:
    assert steps_of(text) == steps


@pytest.mark.parametrize("text", ["0", "x", "7:", "7:0", "1:2:3", ""])
def test_what_is_no_boundary_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no boundary"):
        steps_of(text)


def _plain(tree: Path) -> dict[str, str]:
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("PYTEST_", "MALL_EDGE_"))}
    return kept | {"PYTHONPATH": str(tree)}


def _books(folder: Path) -> sqlite3.Connection:
    """Return both books of one paid order and three events, which agree."""
    for name in ("state", "hq"):
        (folder / name).mkdir()
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.execute("ATTACH ? AS box", (str(folder / "state" / "edge.db"),))
    db.execute("ATTACH ? AS hq", (str(folder / "hq" / "hq.db"),))
    for statement in _BOOKS.split(";"):
        db.execute(statement)
    return db


_BOOKS = """
CREATE TABLE box.outbox_head (last_sequence, waiting);
CREATE TABLE box.orders (order_id, state, total_fen);
CREATE TABLE box.tenders (order_id, kind, amount_fen);
CREATE TABLE box.entries (posting_id, position, amount_fen);
CREATE TABLE box.refund_legs (state, amount_fen);
CREATE TABLE hq.events (sequence, kind, data);
CREATE TABLE hq.edges (conflicts, lost);
CREATE TABLE hq.sales (amount_fen);
INSERT INTO box.outbox_head VALUES (3, 0);
INSERT INTO box.orders VALUES ('o1', 'paid', 100);
INSERT INTO box.tenders VALUES ('o1', 'wechat_pay', 100);
INSERT INTO box.entries VALUES ('p1', 0, 100), ('p1', 1, -100);
INSERT INTO hq.events VALUES (1, 'a', '{}'), (2, 'b', '{}'),
    (3, 'order.paid', '{"order_id": "o1", "total_fen": 100}');
INSERT INTO hq.edges VALUES (0, 0);
INSERT INTO hq.sales VALUES (100)
"""
