"""HQ as one thing to start and stop, and as a command."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from waitress import create_server
from waitress.server import BaseWSGIServer

from sim.hq.behaviour import Behaviour
from sim.hq.consumer import Consumer
from sim.hq.ledger import Ledger
from sim.hq.page import make_app

WEB_HOST = "127.0.0.1"
WEB_THREADS = 4


class HqServer:
    """HQ at a broker, with its page; usable as a context manager.

    http_port: of the page, None for no page. folder: where the books are kept, None for memory only.
    """

    def __init__(
        self,
        broker_port: int,
        http_port: int | None = None,
        folder: Path | None = None,
        broker_host: str = "127.0.0.1",
    ) -> None:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        self.ledger = Ledger(":memory:" if folder is None else str(folder / "hq.db"))
        self.consumer = Consumer(self.ledger, broker_host, broker_port)
        self._http_port = http_port
        self._web: BaseWSGIServer | None = None
        self._web_thread: threading.Thread | None = None

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
        return self.consumer.behaviour

    @behaviour.setter
    def behaviour(self, wanted: Behaviour) -> None:
        self.consumer.behaviour = wanted

    def start(self) -> None:
        """Go to the broker and open the page; raises OSError when the page's port is taken."""
        if self._http_port is not None:
            # Waitress warns of every short queue; a page that refreshes itself is no news.
            logging.getLogger("waitress.queue").setLevel(logging.ERROR)
            app = make_app(self.ledger, self.consumer)
            self._web = create_server(app, host=WEB_HOST, port=self._http_port, threads=WEB_THREADS)
            self._web_thread = threading.Thread(target=self._web.run, name="hq-page", daemon=True)
            self._web_thread.start()
        self.consumer.start()

    def stop(self) -> None:
        """Leave the broker, close the page and the books."""
        self.consumer.stop()
        if self._web is not None and self._web_thread is not None:
            self._web.close()
            self._web_thread.join(5.0)
        self.ledger.close()


def run(
    broker_port: int,
    http_port: int,
    folder: Path,
    stop: threading.Event,
    broker_host: str = "127.0.0.1",
) -> None:
    """Run HQ with its page until `stop` is set. For `python -m sim hq`."""
    with HqServer(broker_port, http_port, folder, broker_host):
        print(f"HQ at mqtt://{broker_host}:{broker_port}, page at http://{WEB_HOST}:{http_port}/", flush=True)
        stop.wait()
