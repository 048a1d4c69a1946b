"""The simulated gateway on a socket.

On the standard library's threading server instead of waitress, because faults such as a connection that
closes without an answer, or after half of one, need the socket itself.
"""

from __future__ import annotations

import logging
import socket
import socketserver
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar, cast

from sim.gateway.api import PaymentApi
from sim.gateway.control import Control
from sim.gateway.credentials import Credentials, make_credentials
from sim.gateway.endpoints import Auth
from sim.gateway.messages import Dropped, Reply, Request, json_reply
from sim.gateway.office import make_office
from sim.gateway.rooms import ROOMS
from sim.gateway.store import Store

_log = logging.getLogger(__name__)
_MAX_BODY_BYTES = 64 * 1024
_IDLE_S = 60.0
_TICK_S = 0.05
_LET_GO_S = 5.0


class GatewayServer:
    """One gateway listening on host:port; port 0 takes a free one. Use as a context manager or start/stop."""

    def __init__(
        self,
        credentials: Credentials,
        now_ms: Callable[[], int],
        digits: Callable[[int], str],
        host: str = "127.0.0.1",
        port: int = 0,
        store: Path | None = None,
    ) -> None:
        """now_ms: Unix milliseconds. digits: that many random decimal digits. store: a file, or None."""
        self.credentials = credentials
        self._store = Store(store)
        self.office = make_office(credentials, now_ms, digits, self._store)
        self.books, self.faults = self.office.books, self.office.faults
        self.signatures = self.office.signatures
        self._stop, self._stop_clock = threading.Event(), threading.Event()
        for room in ROOMS:
            self._store.add_schema(room.schema)
        endpoints = [endpoint for room in ROOMS for endpoint in room.endpoints(self.office)]
        calls = [endpoint for endpoint in endpoints if endpoint.auth is not Auth.TESTER]
        switches = [endpoint for endpoint in endpoints if endpoint.auth is Auth.TESTER]
        self.api = PaymentApi(self.office, calls, self._stop)
        self._control = Control(self.books, self.faults, self.signatures, self.api, switches)
        self._address = (host, port)
        self._http: _Http | None = None
        self._thread: threading.Thread | None = None
        self._clockwork: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The base address, e.g. http://127.0.0.1:8401; raises RuntimeError before `start`."""
        if self._http is None:
            raise RuntimeError("the gateway is not started")
        host, port = self._http.server_address[:2]
        return f"http://{host!s}:{port}"

    def start(self) -> None:
        """Listen and answer on threads of its own; connections are taken when this returns."""
        self._http = _Http(self._address, self.handle)
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, name="sim-gateway", daemon=True
        )
        self._thread.start()
        self._clockwork = threading.Thread(target=self._tick, name="sim-gateway-clock", daemon=True)
        self._clockwork.start()

    def stop(self) -> None:
        """Stop listening, cut what is open and end all delays; the books stay readable. Safe to repeat."""
        self._stop.set()
        if self._http is not None and self._thread is not None:
            self._http.shutdown()
            self._http.close_connections()
            self._http.server_close()
            self._thread.join()
        self._stop_clock.set()
        if self._clockwork is not None:
            self._clockwork.join()
        self.office.notices.stop()
        self._http = self._thread = self._clockwork = None

    def end_delays(self) -> None:
        """Let everything that a delay holds up go on, now and from now on."""
        self._stop.set()

    def handle(self, request: Request) -> Reply:
        """Answer one request without HTTP; raises Dropped."""
        if request.path == "/" or request.path.startswith("/sim/"):
            return self._control.handle(request)
        return self.api.handle(request)

    def tick(self) -> None:
        """Let happen what is due by the clock; the running gateway does so every 50 ms."""
        self.books.sales.tick()
        self.office.prepays.tick()
        self.office.notices.tick()
        for room in ROOMS:
            room.tick(self.office)

    def _tick(self) -> None:
        while not self._stop_clock.wait(_TICK_S):
            try:
                self.tick()
            except Exception:
                # A supervisor: what one tick could not do is tried again at the next.
                _log.exception("simulated gateway: what was due could not be done")

    def __enter__(self) -> GatewayServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def run(
    host: str,
    port: int,
    folder: Path,
    now_ms: Callable[[], int],
    digits: Callable[[int], str],
    stop: threading.Event,
    announce: Callable[[str], None] = print,
) -> None:
    """Run a gateway with two wallets until `stop` is set; say where it is and which files edge needs."""
    credentials = make_credentials(folder, digits)
    with GatewayServer(credentials, now_ms, digits, host, port, folder / "gateway.db") as server:
        if not server.books.wallets():
            server.books.add_wallet("小林 Lin", 200_000)
            server.books.add_wallet("小周 Zhou (small wallet)", 5_000, password_above_fen=1_000)
        announce(f"simulated WeChat Pay at {server.url} (phones: {server.url}/)")
        announce(f"merchant {credentials.mchid}, appid {credentials.appid}, keys in {folder}")
        stop.wait()


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], answer: Callable[[Request], Reply]) -> None:
        self.answer = answer
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Condition()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # HTTPServer.server_bind would look the host name up; nothing here needs it.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "sim-gateway", self.server_address[1]

    def process_request(self, request: object, client_address: object) -> None:
        with self._open_lock:
            self._open.add(cast(socket.socket, request))
        super().process_request(request, client_address)  # type: ignore[arg-type]

    def shutdown_request(self, request: object) -> None:
        super().shutdown_request(request)  # type: ignore[arg-type]
        with self._open_lock:
            self._open.discard(cast(socket.socket, request))
            self._open_lock.notify_all()

    def close_connections(self) -> None:
        """Hang up on everybody, and wait a little until their threads have let go."""
        with self._open_lock:
            for connection in self._open:
                _hang_up(connection)
            self._open_lock.wait_for(lambda: not self._open, _LET_GO_S)

    def handle_error(self, request: object, client_address: object) -> None:
        _log.debug("simulated gateway: a connection ended early", exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout: ClassVar[float] = _IDLE_S
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def do_PATCH(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent: a request line may hold an order number, and tests read stderr."""

    def _serve(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isascii() or not length.isdigit() or int(length) > _MAX_BODY_BYTES:
            self.close_connection = True
            self._send(
                json_reply(413, {"code": "PARAM_ERROR", "message": f"body over {_MAX_BODY_BYTES} bytes"})
            )
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(length))
        try:
            # self.path would be tidied; a signature is over the target as it was sent.
            target = self.requestline.split()[1]
            self._send(cast(_Http, self.server).answer(Request(self.command, target, headers, body)))
        except Dropped:
            self.close_connection = True
            _hang_up(self.connection)

    def _send(self, reply: Reply) -> None:
        lines = [f"HTTP/1.1 {reply.status} {self.responses.get(reply.status, ('Status',))[0]}"]
        lines += [f"Content-Type: {reply.content_type}", f"Content-Length: {len(reply.body)}"]
        lines += [f"{name}: {value}" for name, value in reply.headers.items()]
        lines += [
            "Cache-Control: no-store",
            *(["Connection: close"] if self.close_connection else []),
            "",
            "",
        ]
        body = reply.body[: len(reply.body) // 2] if reply.cut else reply.body
        self.wfile.write("\r\n".join(lines).encode("latin-1") + body)
        if reply.cut:
            self.close_connection = True
            _hang_up(self.connection)


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        _log.debug("simulated gateway: the other side hung up first")
