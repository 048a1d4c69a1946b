"""HQ as one thing to start and stop, and as a command."""

from __future__ import annotations

import signal
import socket
import threading

from waitress import create_server

from sim.hq.behaviour import Behaviour
from sim.hq.consumer import Consumer
from sim.hq.ledger import Ledger
from sim.hq.page import make_app

WEB_HOST = "127.0.0.1"


class HqSimulator:
    """HQ at a broker. The books are in memory unless `ledger_path` names a file."""

    def __init__(self, broker_host: str, broker_port: int, ledger_path: str = ":memory:") -> None:
        self.ledger = Ledger(ledger_path)
        self.consumer = Consumer(self.ledger, broker_host, broker_port)

    def __enter__(self) -> HqSimulator:
        """Start."""
        self.consumer.start()
        return self

    def __exit__(self, *exc: object) -> None:
        """Stop and close the books."""
        self.consumer.stop()
        self.ledger.close()

    @property
    def behaviour(self) -> Behaviour:
        """How it misbehaves."""
        return self.consumer.behaviour

    @behaviour.setter
    def behaviour(self, wanted: Behaviour) -> None:
        self.consumer.behaviour = wanted


def run(
    broker_port: int = 1883,
    http_port: int = 8090,
    ledger_path: str = ":memory:",
    broker_host: str = "127.0.0.1",
) -> int:
    """Run HQ with its page until SIGINT or SIGTERM; return the exit code. For `python -m sim hq`."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with HqSimulator(broker_host, broker_port, ledger_path) as hq:
        app = make_app(hq.ledger, hq.consumer)
        server = create_server(app, host=WEB_HOST, port=http_port, threads=4)
        web = threading.Thread(target=server.run, name="hq-page", daemon=True)
        web.start()
        print(f"HQ at mqtt://{broker_host}:{broker_port}, page at http://{WEB_HOST}:{http_port}/", flush=True)
        stop.wait()
        server.close()
        _nudge(http_port)
        web.join(5.0)
    return 0


def _nudge(port: int) -> None:
    """Wake waitress's select loop, so that it sees that it was closed."""
    try:
        socket.create_connection((WEB_HOST, port), timeout=0.2).close()
    except OSError:
        return
