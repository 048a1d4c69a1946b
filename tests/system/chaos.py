"""Kill the box, the broker and HQ at random while events are made; then count what HQ has.

The seed decides who is killed and when; the moments inside the processes are chance. Nothing may be lost
that the store has promised, and nothing may take effect twice.
"""

from __future__ import annotations

import random  # noqa: TID251  # seeded by the caller, so that a run can be tried again
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sim.broker import Broker, BrokerKind
from sim.postgres import Postgres
from tests.system.chaos_parts import EDGE, HQ, ORDER_FEN, open_books

ROOT = Path(__file__).parents[2]
BROKER, POSTGRES = "broker", "postgres"

#: Between two kills, and how long the killed one stays away, in seconds.
PAUSE_S = (0.2, 1.0)
AWAY_S = (0.0, 0.4)

#: Once the killing is over: how long nothing may come through, and how long all of it may take.
STILL_S = 60.0
SETTLE_S = 600.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do. postgres: HQ's books are in PostgreSQL, which is killed like the others."""

    kills: int
    seed: int
    events_per_s: int = 400
    broker: BrokerKind = BrokerKind.MOSQUITTO
    postgres: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What HQ has in the end. promised: the newest sequence that the store had promised; made: the newest
    that it holds. lost: sequences up to `made` that neither HQ nor the outbox has. doubled: events whose
    effect HQ has twice. waiting: events still in the box's outbox. repeats: how many came more than once
    and had no effect.
    """

    kills: Counter[str]
    promised: int
    made: int
    lost: int
    doubled: int
    wrong_fen: int
    waiting: int
    repeats: int
    took_s: float
    settled_s: float


class Victim(Protocol):
    """What can be killed and started again."""

    def start(self) -> None:
        """Start it."""

    def kill(self) -> None:
        """End it with SIGKILL, or as by a power cut."""


class Part:
    """One process that can be killed and started again; what it complains of is appended to `log`."""

    def __init__(self, log: Path, role: str, where: str, port: int, *arguments: str) -> None:
        self._command = [sys.executable, "-m", "tests.system.chaos_parts", role, where, str(port), *arguments]
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; it is ready when it is ready."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, cwd=ROOT, stdin=subprocess.PIPE, stderr=log)

    def kill(self) -> None:
        """End it with SIGKILL."""
        process = self._process
        if process is not None and process.stdin is not None:
            process.kill()
            process.wait()
            process.stdin.close()


def run(plan: Plan, folder: Path) -> Outcome:
    """Do as planned in `folder` and return what came of it."""
    began = time.monotonic()
    box = folder / "box"
    box.mkdir()
    with ExitStack() as stack:
        database = stack.enter_context(Postgres()) if plan.postgres else None
        books = database.url if database else str(folder / "hq.db")
        broker = stack.enter_context(Broker(plan.broker))
        edge, rest = (
            Part(folder / "edge.log", EDGE, str(box), broker.port, str(rate))
            for rate in (plan.events_per_s, 0)
        )
        hq = Part(folder / "hq.log", HQ, books, broker.port)
        with _running(hq):
            with _running(edge):
                victims: dict[str, Victim] = {EDGE: edge, HQ: hq, BROKER: broker}
                kills = _kill_at_random(plan, victims | ({POSTGRES: database} if database else {}))
            ended = time.monotonic()
            with _running(rest):
                _await_all(box / "edge.db")
            settled_s = time.monotonic() - ended
        return _count(box, books, kills, ended - began, settled_s)


def _kill_at_random(plan: Plan, victims: dict[str, Victim]) -> Counter[str]:
    chance, pause = random.Random(plan.seed), threading.Event()
    kills: Counter[str] = Counter()
    for _ in range(plan.kills):
        pause.wait(chance.uniform(*PAUSE_S))
        name = chance.choice(sorted(victims))
        kills[name] += 1
        victims[name].kill()
        pause.wait(chance.uniform(*AWAY_S))
        victims[name].start()
    return kills


@contextmanager
def _running(part: Part) -> Iterator[None]:
    part.start()
    try:
        yield
    finally:
        part.kill()


def _await_all(database: Path) -> None:
    """Wait until the outbox is empty; end when nothing comes through any more, or after too long."""
    pause, began = threading.Event(), time.monotonic()
    least, moved = sys.maxsize, began
    # A box that was killed in each of its starts has no database yet.
    while not database.exists() and time.monotonic() < began + STILL_S:
        pause.wait(0.05)
    while waiting := _one(database, "SELECT waiting FROM outbox_head"):
        now = time.monotonic()
        if waiting < least:
            least, moved = waiting, now
        if now - moved > STILL_S or now - began > SETTLE_S:
            return
        pause.wait(0.05)


def _count(box: Path, books: str, kills: Counter[str], took_s: float, settled_s: float) -> Outcome:
    lines = (box / "told").read_text(encoding="ascii").splitlines()
    made = _one(box / "edge.db", "SELECT last_sequence FROM outbox_head")
    waiting = _column(box / "edge.db", "SELECT sequence FROM outbox")
    with closing(open_books(books)) as known:
        sequences = Counter(int(str(row["sequence"])) for row in known.rows("SELECT sequence FROM events"))
        orders = known.rows("SELECT count(*) AS n FROM events WHERE kind = 'order.paid'")[0]["n"]
        earned = known.rows("SELECT sum(amount_fen) AS fen FROM tenders")[0]["fen"]
        repeats = known.rows("SELECT sum(repeats) AS n FROM edges")[0]["n"]
    return Outcome(
        kills=kills,
        promised=max((int(line) for line in lines if line), default=0),
        made=made,
        lost=len(set(range(1, made + 1)) - set(sequences) - waiting),
        doubled=sum(count - 1 for count in sequences.values()),
        wrong_fen=int(str(earned or 0)) - int(str(orders)) * ORDER_FEN,
        waiting=len(waiting),
        repeats=int(str(repeats or 0)),
        took_s=took_s,
        settled_s=settled_s,
    )


def _column(database: Path, query: str) -> set[int]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)) as db:
        return {int(row[0]) for row in db.execute(query)}


def _one(database: Path, query: str) -> int:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)) as db:
        return int(db.execute(query).fetchone()[0])
