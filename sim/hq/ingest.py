"""One ingest worker as a process: `python -m sim.hq.ingest postgresql://...`."""

from __future__ import annotations

import logging
import signal
import sys

import click

from sim.hq.worker import Worker


@click.command()
@click.argument("database")
@click.option("--broker-host", default="127.0.0.1", show_default=True)
@click.option("--broker-port", default=1883, show_default=True)
@click.option("--name", default="1", show_default=True, help="Different for each worker of one HQ.")
def main(database: str, broker_host: str, broker_port: int, name: str) -> None:
    """Take events from the broker and put them into DATABASE, sharing the load with other workers.

    Ends when its standard input does, so that it never outlives its parent.
    """
    from sim.hq.postgres import PostgresBooks

    logging.basicConfig(level=logging.WARNING)
    books = PostgresBooks(database)
    worker = Worker(books, broker_host, broker_port, name, follow=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    worker.start()
    try:
        # Nothing is ever said here: the end of the pipe is the end of our parent.
        sys.stdin.buffer.read()
    finally:
        worker.stop()
        books.close()


if __name__ == "__main__":
    main()
