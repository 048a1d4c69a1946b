"""The processes that a chaos run kills: a box that makes and publishes events, and HQ.

Run: python -m tests.system.chaos_parts edge FOLDER BROKER_PORT EVENTS_PER_S
     python -m tests.system.chaos_parts hq BOOKS BROKER_PORT
Each works until standard input ends or it is killed. The box writes down what the store has promised: the
newest sequence after each write that returned, as a line of FOLDER/told.
"""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psycopg

from edge.clock import SystemClock
from edge.errors import EdgeError
from edge.hq.connection import LinkSettings
from edge.hq.link import MqttLink
from edge.ids import TimeOrderedIds
from edge.services import events
from edge.services.events import EventKind, record_event
from edge.services.publish_events import PublishCursor, publish_events
from edge.services.records import Unit
from edge.store.sqlite_store import SqliteStore
from sim.hq import Ledger, Worker
from sim.hq.books import Books
from tests.unit.hq_samples import ORIGIN, paid_order

#: What each order is worth, and how many events one unit of work writes; the last of them is urgent.
ORDER_FEN = 2_050
BATCH = 10

FIRST_PAUSE_MS = 500
EDGE, HQ = "edge", "hq"


def main(role: str, where: str, port: int, rate: int = 0) -> None:
    """Work until standard input ends."""
    stop = threading.Event()
    target = (lambda: run_edge(Path(where), port, rate, stop)) if role == EDGE else None
    thread = threading.Thread(target=target or (lambda: run_hq(where, port, stop)))
    thread.start()
    sys.stdin.read()
    stop.set()
    thread.join()


def run_edge(folder: Path, port: int, rate: int, stop: threading.Event) -> None:
    """Make `rate` events a second and publish all that waits; a rate of 0 only publishes."""
    clock = SystemClock()
    store = SqliteStore(folder / "edge.db", clock.now().wall_at)
    settings = LinkSettings("127.0.0.1", port, first_delay_s=0.1, last_delay_s=0.4, stall_s=2.0)
    link = MqttLink(settings, ORIGIN, clock)
    publisher = threading.Thread(target=_publish, args=(store, link, stop))
    link.start()
    publisher.start()
    with (folder / "told").open("a", encoding="ascii", buffering=1) as told:
        while rate and not stop.wait(BATCH / rate):
            print(_make_events(store), file=told)
            link.wake.set()
    stop.wait()
    publisher.join()
    link.close()
    store.close()


def run_hq(where: str, port: int, stop: threading.Event) -> None:
    """Apply events into the books that `where` names: a file, or postgresql://..."""
    books = None
    while books is None and not stop.is_set():
        # The database may be the one that was killed just now.
        with suppress(psycopg.OperationalError):
            books = open_books(where)
        stop.wait(0 if books else 0.1)
    if books is not None:
        worker = Worker(books, "127.0.0.1", port)
        worker.start()
        stop.wait()
        worker.stop()


def open_books(where: str) -> Books:
    """Return the books that `where` names."""
    if not where.startswith("postgresql:"):
        return Ledger(where)
    from sim.hq.postgres import PostgresBooks

    return PostgresBooks(where)


def _make_events(store: SqliteStore) -> int:
    clock = SystemClock()
    ids = TimeOrderedIds(lambda: clock.now().wall_at)

    def work(unit: Unit) -> int:
        now = clock.now()
        for _ in range(BATCH - 1):
            order = replace(paid_order(), order_id=ids.new_id())
            data = events.order_paid(order)
            record_event(unit, ids, now, ORIGIN, EventKind.ORDER_PAID, order.order_id, data)
        called = events.help_called("kiosk-1")
        return record_event(unit, ids, now, ORIGIN, EventKind.HELP_CALLED, "kiosk-1", called).sequence

    return store.write(work)


def _publish(store: SqliteStore, link: MqttLink, stop: threading.Event) -> None:
    cursor = PublishCursor.starting(FIRST_PAUSE_MS)
    while not stop.is_set():
        link.wake.clear()
        try:
            step = publish_events(store, link, SystemClock(), cursor)
        except EdgeError as error:
            print(error, file=sys.stderr, flush=True)
            link.wake.wait(0.1)
            continue
        cursor = step.cursor
        if step.wait_ms:
            link.wake.wait(step.wait_ms / 1000)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), *(int(one) for one in sys.argv[4:]))
