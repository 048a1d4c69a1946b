"""HQ as one thing to start and stop, and as a command."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

from sim.hq.behaviour import Behaviour
from sim.hq.books import Books
from sim.hq.ledger import Ledger
from sim.hq.page import make_app
from sim.hq.welcome import Welcome
from sim.hq.worker import Worker
from sim.pages import PageServer

WEB_HOST = "127.0.0.1"
WEB_THREADS = 4

#: Worker processes of one HQ on one machine.
MAX_WORKERS = 16

STOP_S = 10.0


class HqServer:
    """HQ at a broker with one worker in this process, and its page; usable as a context manager.

    http_port: of the page, None for no page. folder: where the books are kept, None for memory only.
    books: other books than SQLite's in `folder`; closed with the server.
    """

    def __init__(
        self,
        broker_port: int,
        http_port: int | None = None,
        folder: Path | None = None,
        broker_host: str = "127.0.0.1",
        books: Books | None = None,
    ) -> None:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        self.ledger = books or Ledger(":memory:" if folder is None else str(folder / "hq.db"))
        self.broker = (broker_host, broker_port)
        self.worker = Worker(self.ledger, broker_host, broker_port)
        self._page = Page(self, http_port) if http_port is not None else None

    def __enter__(self) -> HqServer:
        """Start."""
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        """Stop."""
        self.stop()

    @property
    def behaviour(self) -> Behaviour:
        """How it misbehaves."""
        return self.worker.behaviour

    @behaviour.setter
    def behaviour(self, wanted: Behaviour) -> None:
        self.worker.behaviour = wanted

    def start(self) -> None:
        """Go to the broker and open the page; raises OSError when the page's port is taken."""
        if self._page is not None:
            self._page.open()
        self.worker.start()

    def stop(self) -> None:
        """Leave the broker, close the page and the books."""
        self.worker.stop()
        if self._page is not None:
            self._page.close()
        self.ledger.close()


class HqFleet:
    """HQ as several worker processes on one PostgreSQL at `database`, and its page.

    Each worker can be killed by itself: the others go on, and the boxes send again what was lost.
    """

    def __init__(
        self,
        broker_port: int,
        database: str,
        workers: int,
        http_port: int | None,
        broker_host: str = WEB_HOST,
    ) -> None:
        from sim.hq.postgres import PostgresBooks

        if not 1 <= workers <= MAX_WORKERS:
            raise ValueError(f"workers must be 1 to {MAX_WORKERS}, got {workers}")
        self.ledger: Books = PostgresBooks(database)
        self.broker = (broker_host, broker_port)
        self.processes: list[subprocess.Popen[bytes]] = []
        self._arguments = ("--broker-host", broker_host, "--broker-port", str(broker_port))
        self._database = database
        self._names = [str(number) for number in range(1, workers + 1)]
        self._page = Page(self, http_port) if http_port is not None else None

    def __enter__(self) -> HqFleet:
        """Start."""
        if self._page is not None:
            self._page.open()
        self.processes = [self.start_worker(name) for name in self._names]
        return self

    def __exit__(self, *exc: object) -> None:
        """Stop."""
        for process in self.processes:
            assert process.stdin is not None
            # Nothing was ever written to it: this cannot fail, even when the worker is gone.
            process.stdin.close()
        for process in self.processes:
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._page is not None:
            self._page.close()
        self.ledger.close()

    @property
    def behaviour(self) -> Behaviour:
        """How its workers misbehave; they look every second."""
        return self.ledger.behaviour()

    @behaviour.setter
    def behaviour(self, wanted: Behaviour) -> None:
        self.ledger.behave(wanted)

    def start_worker(self, name: str) -> subprocess.Popen[bytes]:
        """Start one worker process; it ends when our end of its standard input does."""
        command = [sys.executable, "-m", "sim.hq.ingest", *self._arguments, "--name", name, self._database]
        return subprocess.Popen(command, stdin=subprocess.PIPE)


class Page:
    """The web server of HQ's page."""

    def __init__(self, hq: HqServer | HqFleet, port: int) -> None:
        self._hq = hq
        self._port = port
        self._web: PageServer | None = None

    def open(self) -> None:
        """Serve in the background; raises OSError when the port is taken."""
        self._web = PageServer(make_app(self._hq), WEB_HOST, self._port, WEB_THREADS, "hq-page")
        self._web.start()

    def close(self) -> None:
        """Stop serving."""
        if self._web is not None:
            self._web.close()


def run(
    broker_port: int,
    http_port: int,
    folder: Path,
    stop: threading.Event,
    broker_host: str = "127.0.0.1",
    workers: int = 1,
    database: str = "",
) -> None:
    """Run HQ with its page until `stop` is set; it answers who joins at a box. For `python -m sim hq`.

    One worker keeps its books in SQLite under `folder`. More of them, or a `database`
    (postgresql://user@host/name), use PostgreSQL: the named one, else a private one that is gone at the end.
    """
    with ExitStack() as running:
        hq: HqServer | HqFleet
        if workers == 1 and not database:
            hq = running.enter_context(HqServer(broker_port, http_port, folder, broker_host))
        else:
            url = database or _private_database(running)
            hq = running.enter_context(HqFleet(broker_port, url, workers, http_port, broker_host))
        running.enter_context(Welcome(hq.ledger, hq.broker, lambda: hq.behaviour))
        print(f"HQ at mqtt://{broker_host}:{broker_port}, page at http://{WEB_HOST}:{http_port}/", flush=True)
        stop.wait()


def _private_database(running: ExitStack) -> str:
    from sim.postgres import Postgres

    postgres = running.enter_context(Postgres())
    print(f"PostgreSQL at {postgres.url}; its books end with this program", flush=True)
    return postgres.url
