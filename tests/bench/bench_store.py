"""The store's writer: durable two-row transactions beside plain sqlite3, shared commits, the outbox's upkeep.

A slow SD card is played by a library that makes each sync last 10 ms longer; it is compiled with gcc here.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from edge.services.outbox_records import OutboxMessage
from edge.services.records import Unit, WorkstationState
from edge.store.database import PRAGMAS
from edge.store.sqlite_store import SqliteStore
from tests.bench.table import RESULTS, Figure, Result, percentile, report

#: One round of each kind, and how many rounds take turns; the disk's mood changes within seconds.
ROUND_S = 1.0
ROUNDS = 5
BODY = b"x" * 400

#: A backlog of this many events is written, counted, acknowledged and given back to the disk.
BACKLOG = 100_000

#: What one sync lasts longer on the simulated card.
SLOW_MS = 10

_SHIM = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
static void nap(void) { struct timespec t = {0, %d * 1000000L}; nanosleep(&t, 0); }
int fsync(int fd) { nap(); return ((int (*)(int)) dlsym(RTLD_NEXT, "fsync"))(fd); }
int fdatasync(int fd) { nap(); return ((int (*)(int)) dlsym(RTLD_NEXT, "fdatasync"))(fd); }
"""
_ROW = (
    "INSERT INTO workstations (workstation, language, touched_at, touched_boot, touched_ns)"
    " VALUES (?, 'zh', 1, 'boot', 1)"
)
_EVENT = (
    "INSERT INTO outbox (sequence, event_id, kind, source, body, created_at)"
    " VALUES ((SELECT coalesce(max(sequence), 0) + 1 FROM outbox), ?, 'order.paid', '/mall/a/edge/b', ?, 1)"
)

Waits = list[float]
Work = Callable[[str], None]


def measure() -> Result:
    """Run everything; take some two minutes."""
    one = _alternating(1)
    many = _alternating(16)
    figures = [
        Figure("raw sqlite3, 1 thread", _rate(one["raw"]), "tx/s"),
        Figure("store, 1 thread", _rate(one["store"]), "tx/s"),
        Figure("store to raw, 1 thread", _ratio(one), "x", 0.8, at_least=True),
        Figure("16 own connections", _rate(many["raw"]), "tx/s"),
        Figure("16 own connections, longest wait", _longest(many["raw"]), "ms"),
        Figure("store, 16 threads", _rate(many["store"]), "tx/s"),
        Figure("store to own connections, 16 threads", _ratio(many), "x", 1.5, at_least=True),
        Figure("store, 16 threads, longest wait", _longest(many["store"]), "ms", 100),
    ]
    figures += _slow_card() + _upkeep()
    waits = [wait * 1000 for wait in _all(many["store"])]
    note = (
        f"workstation row + event of 400 B, WAL, synchronous=FULL; {ROUNDS} rounds of {ROUND_S:g} s in turn"
    )
    return Result("store", figures, {"store16_wait_ms": waits[:5_000]}, note)


def _alternating(threads: int) -> dict[str, list[Waits]]:
    """Return the waits of each round; raw and store take turns on one disk."""
    rounds: dict[str, list[Waits]] = {"raw": [], "store": []}
    with _folder() as folder:
        for number in range(ROUNDS):
            for kind in rounds:
                path = folder / f"{kind}-{number}.db"
                rounds[kind].append(_round(kind, path, threads, ROUND_S))
    return rounds


def _round(kind: str, path: Path, threads: int, seconds: float) -> Waits:
    store = SqliteStore(path, 0)
    if kind == "store":
        with closing(store):
            return _hammer([_store_work(store)] * threads, seconds)
    store.close()
    connections = [_connect(path) for _ in range(threads)]
    try:
        return _hammer([_raw_work(connection) for connection in connections], seconds)
    finally:
        for connection in connections:
            connection.close()


def _hammer(works: list[Work], seconds: float) -> Waits:
    """Let each thread do its work again and again; return how long each transaction took, in seconds."""
    waits: list[Waits] = [[] for _ in works]
    go, stop = threading.Barrier(len(works) + 1), threading.Event()

    def run(index: int, work: Work) -> None:
        go.wait()
        number = 0
        while not stop.is_set():
            began = time.perf_counter()
            work(f"{index}-{number}")
            waits[index].append(time.perf_counter() - began)
            number += 1

    pool = [threading.Thread(target=run, args=each) for each in enumerate(works)]
    for thread in pool:
        thread.start()
    go.wait()
    stop.wait(seconds)
    stop.set()
    for thread in pool:
        thread.join()
    return [wait for each in waits for wait in each]


def _store_work(store: SqliteStore) -> Work:
    def transaction(name: str) -> None:
        def work(unit: Unit) -> None:
            unit.workstations.put(WorkstationState(name, "zh", None, None, None, "", 1, "boot", 1))
            sequence = unit.outbox.next_sequence()
            event = OutboxMessage(sequence, f"event-{name}", "order.paid", "/mall/a/edge/b", BODY, 1)
            unit.outbox.append(event)

        store.write(work)

    return transaction


def _raw_work(connection: sqlite3.Connection) -> Work:
    def transaction(name: str) -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(_ROW, (name,))
        connection.execute(_EVENT, (f"event-{name}", BODY))
        connection.execute("COMMIT")

    return transaction


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=60)
    for name, value in PRAGMAS.items():
        connection.execute(f"PRAGMA {name} = {value}")
    return connection


def _slow_card() -> list[Figure]:
    """Measure both ways with 32 threads in processes whose syncs are slow."""
    with _folder() as folder:
        shim = folder / "slow.so"
        source = folder / "slow.c"
        source.write_text(_SHIM % SLOW_MS, encoding="ascii")
        try:
            subprocess.run(["gcc", "-shared", "-fPIC", "-o", shim, source, "-ldl"], check=True)
        except (OSError, subprocess.CalledProcessError):
            print("no gcc: the slow card is left out", file=sys.stderr)
            return []
        raw, store = (_in_child(kind, folder, shim) for kind in ("raw", "store"))
    name = f"+{SLOW_MS} ms a sync, 32 threads"
    return [
        Figure(f"{name}: row per commit", raw["rate"], "tx/s"),
        Figure(f"{name}: store", store["rate"], "tx/s"),
        Figure(f"{name}: store p99", store["p99_ms"], "ms"),
        Figure(f"{name}: store to row per commit", store["rate"] / raw["rate"], "x", 8, at_least=True),
    ]


def _in_child(kind: str, folder: Path, shim: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.bench_store", "--child", kind, "--folder", str(folder)]
    done = subprocess.run(
        command, env=os.environ | {"LD_PRELOAD": str(shim)}, check=True, capture_output=True, text=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _child(kind: str, folder: Path) -> None:
    waits = _round(kind, folder / f"slow-{kind}.db", 32, 4.0)
    print(json.dumps({"rate": len(waits) / 4.0, "p99_ms": percentile(waits, 99) * 1000}))


def _upkeep() -> list[Figure]:
    """Write a backlog, ask for its depth, acknowledge it as HQ would, and give its pages back."""
    with _folder() as folder, closing(SqliteStore(folder / "edge.db", 0)) as store:
        for first in range(1, BACKLOG, 1_000):
            store.write(lambda unit, first=first: _fill(unit, first))  # type: ignore[misc]
        size = (folder / "edge.db").stat().st_size / BACKLOG
        depth_us = _best_us(lambda: store.read(lambda unit: unit.outbox.depth()))
        window_us = _best_us(lambda: store.read(lambda unit: unit.outbox.window(50_000, 100, urgent=False)))
        acked = _timed(
            lambda: [
                store.write(lambda unit, to=to: unit.outbox.acknowledge(to, (), 1))  # type: ignore[misc]
                for to in range(100, BACKLOG + 1, 100)
            ]
        )
        freed, slices = store.reusable_bytes(), Waits()
        while True:
            began = time.perf_counter()
            if not store.compact(2_048):
                break
            slices.append((time.perf_counter() - began) * 1000)
    return [
        Figure(f"depth of {BACKLOG:,} events", depth_us, "us", 1_000),
        Figure("100 events from the middle", window_us, "us"),
        Figure("disk for an event of 400 B", size, "B"),
        Figure("acknowledged, 100 a commit", BACKLOG / acked, "events/s"),
        Figure("freed and given back", freed / 1e6, "MB"),
        Figure("giving back 8 MiB, longest", max(slices, default=0.0), "ms", 250),
    ]


def _fill(unit: Unit, first: int) -> None:
    for sequence in range(first, first + 1_000):
        unit.outbox.append(
            OutboxMessage(sequence, f"{sequence:036d}", "order.paid", "/mall/a/edge/b", BODY, 1)
        )


def _best_us(work: Callable[[], object]) -> float:
    return min(_timed(work) for _ in range(50)) * 1e6


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _rate(rounds: list[Waits]) -> float:
    """Return the median round's transactions a second."""
    return percentile([len(waits) / ROUND_S for waits in rounds], 50)


def _ratio(rounds: dict[str, list[Waits]]) -> float:
    """Return the median of the store's rate to the raw one's, round by round."""
    pairs = zip(rounds["store"], rounds["raw"], strict=True)
    return percentile([len(store) / max(len(raw), 1) for store, raw in pairs], 50)


def _longest(rounds: list[Waits]) -> float:
    return max(_all(rounds)) * 1000


def _all(rounds: list[Waits]) -> Waits:
    return [wait for waits in rounds for wait in waits]


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder on the work tree's own disk, not in memory."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=RESULTS, prefix="store-") as name:
        yield Path(name)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--child", choices=["raw", "store"])
    parser.add_argument("--folder", type=Path)
    wanted = parser.parse_args()
    if wanted.child:
        _child(wanted.child, wanted.folder)
    else:
        sys.exit(report(measure()))
