"""An HQ worker in a process of its own that writes down what it committed and when, for benchmarks.

Run: python -m tests.bench.hq_process BROKER_PORT BOOKS TRACE NAME, BOOKS being a file (SQLite) or postgresql://...
A line of TRACE is CLOCK_MONOTONIC in ns, then `site/edge/sequence` of each event of one commit.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from sim.hq import Arrival, Ledger, Worker
from sim.hq.books import Books


def main() -> None:
    """Say "ready" once the broker is there; work until standard input ends."""
    port, where, trace, name = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), sys.argv[4]
    books = open_books(where)
    with trace.open("a", encoding="ascii", buffering=1) as file:

        def note(arrivals: Sequence[Arrival]) -> None:
            told = " ".join(f"{each.site}/{each.edge}/{each.sequence}" for each in arrivals)
            file.write(f"{time.monotonic_ns()} {told}\n")

        worker = Worker(books, "127.0.0.1", port, name, on_commit=note)
        worker.start()
        pause = threading.Event()
        while not worker.connected:
            pause.wait(0.01)
        print("ready", flush=True)
        sys.stdin.read()
        worker.stop()
    books.close()


def open_books(where: str) -> Books:
    """Return the books that `where` names."""
    if not where.startswith("postgresql:"):
        return Ledger(where)
    from sim.hq.postgres import PostgresBooks

    return PostgresBooks(where)


if __name__ == "__main__":
    main()
