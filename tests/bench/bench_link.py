"""From the box's outbox through a real broker to HQ's commit: how fast a backlog drains, how long one takes.

Run: .venv/bin/python -m tests.bench.bench_link. Real store, publisher and link in this process; the broker
and one HQ worker (SQLite, synchronous=FULL) in processes of their own; all share this machine's cores. The
latency begins before the event's own commit at the box and ends after HQ's.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from edge.clock import SystemClock, wall_ms
from edge.hq.connection import LinkSettings
from edge.hq.link import MqttLink
from edge.ids import TimeOrderedIds
from edge.services.events import EventKind, Origin, record_event
from edge.services.publish_events import PublishCursor, publish_events
from edge.services.records import Unit
from edge.store.sqlite_store import SqliteStore
from edge.workers import Worker
from sim.broker import Broker
from tests.bench.big_mall import say
from tests.bench.table import RESULTS, Figure, Result, percentile, report
from tests.unit.hq_samples import samples

BACKLOG = 20_000
ROUNDS = 3
PACE = 100
PACED = 1_500
DRAIN_S = 60.0
WARM_UP = 100

ORIGIN = Origin("bench", "edge-1")
KINDS = (EventKind.ORDER_PAID, EventKind.PAYMENT_APPROVED, EventKind.RECEIPT_ISSUED, EventKind.LANDING_SHOWN)


class Box:
    """The part of a box that talks to HQ, as the service composes it."""

    def __init__(self, path: Path, port: int) -> None:
        self.store = SqliteStore(path, wall_ms())
        self._ids = TimeOrderedIds(wall_ms)
        self._clock = SystemClock()
        self._data = samples()
        self.link = MqttLink(LinkSettings("127.0.0.1", port, window=100), ORIGIN, self._clock)
        self._cursor = PublishCursor()
        self._worker = Worker("publish", self._publish, wake=self.link.wake)

    def start(self) -> None:
        """Connect and publish."""
        self.link.start()
        self._worker.start()

    def stop(self) -> None:
        """End all."""
        self._worker.stop()
        self._worker.join(10.0)
        self.link.close()
        self.store.close()

    def write(self, count: int) -> int:
        """Write so many events in one commit; return the last sequence."""

        def work(unit: Unit) -> int:
            for number in range(count):
                kind = KINDS[number % len(KINDS)]
                now = self._clock.now()
                row = record_event(unit, self._ids, now, ORIGIN, kind, f"order-{number}", self._data[kind])
            return row.sequence

        last = self.store.write(work)
        self.link.wake.set()
        return last

    def waiting(self) -> int:
        """Return how many events HQ has not acknowledged."""
        return self.store.read(lambda unit: unit.outbox.depth()).count

    def _publish(self) -> float:
        step = publish_events(self.store, self.link, self._clock, self._cursor)
        self._cursor = step.cursor
        return step.wait_ms / 1000


def measure() -> Result:
    """Drain a backlog several times, then write at a steady pace."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    rates: list[float] = []
    with tempfile.TemporaryDirectory(dir=RESULTS, prefix="link-") as name:
        for turn in range(ROUNDS):
            folder = Path(name) / str(turn)
            folder.mkdir()
            rates.append(drain(folder))
            say(f"drain {turn + 1} of {ROUNDS}: {rates[-1]:,.0f} events/s")
        waits = paced(Path(name))
    figures = [
        Figure("backlog with HQ acks", median(rates), "events/s", 5_000, at_least=True),
        Figure(f"event to HQ's commit at {PACE}/s, p50", percentile(waits, 50), "ms", 15),
        Figure(f"event to HQ's commit at {PACE}/s, p99", percentile(waits, 99), "ms", 60),
        Figure(f"event to HQ's commit at {PACE}/s, longest", max(waits), "ms"),
    ]
    note = f"median of {ROUNDS} drains of {BACKLOG:,} events (four kinds in turn); {PACED:,} paced events"
    return Result("link", figures, {"drain events/s": rates, "event to commit ms": waits}, note)


def drain(folder: Path) -> float:
    """Return the events a second with which a backlog that waited for the connection leaves the outbox."""
    with Broker() as broker, hq(broker.port, folder):
        box = Box(folder / "box.db", broker.port)
        try:
            box.write(BACKLOG)
            begun = time.perf_counter()
            box.start()
            await_empty(box)
            return BACKLOG / (time.perf_counter() - begun)
        finally:
            box.stop()


def paced(folder: Path) -> list[float]:
    """Return how many milliseconds each event of a steady stream took to HQ's commit."""
    with Broker() as broker, hq(broker.port, folder):
        box, written = Box(folder / "box.db", broker.port), dict[int, int]()
        pause, begun = threading.Event(), time.monotonic()
        try:
            box.start()
            for number in range(WARM_UP + PACED):
                pause.wait(max(0.0, begun + number / PACE - time.monotonic()))
                now_ns = time.monotonic_ns()
                written[box.write(1)] = now_ns
            await_empty(box)
        finally:
            box.stop()
    took = []
    for line in (folder / "trace").read_text(encoding="ascii").splitlines():
        at_ns, *events = line.split()
        took += [(int(at_ns) - written.pop(sequence)) / 1e6 for sequence in first_seen(events, written)]
    assert not written, f"{len(written)} events were never committed"
    return took[WARM_UP:]


def first_seen(events: list[str], waiting: dict[int, int]) -> list[int]:
    """Return the sequences of a trace line that were not committed before."""
    return [each for each in (int(event.rpartition("/")[2]) for event in events) if each in waiting]


def await_empty(box: Box) -> None:
    """Wait until HQ has acknowledged everything."""
    pause, until = threading.Event(), time.monotonic() + DRAIN_S
    while box.waiting():
        if time.monotonic() > until:
            raise TimeoutError(f"{box.waiting()} events still wait after {DRAIN_S:.0f} s")
        pause.wait(0.02)


@contextmanager
def hq(port: int, folder: Path) -> Iterator[None]:
    """Run one HQ worker process."""
    command = [sys.executable, "-m", "tests.bench.hq_process", str(port), str(folder / "hq.db")]
    process = subprocess.Popen(
        [*command, str(folder / "trace"), "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"ready\n"
        yield
    finally:
        process.communicate()


if __name__ == "__main__":
    sys.exit(report(measure()))
