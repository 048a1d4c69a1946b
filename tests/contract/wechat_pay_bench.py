"""A simulated gateway with shoppers, tenants and a place for callbacks, that two clients are driven against.

The independent SDK has one address built in and speaks only TLS to it. It is left as it is: a CONNECT proxy
ends the TLS with a certificate that the SDK is told to trust, and hands the bytes on unchanged.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from edge.clock import Instant, SystemClock
from sim.gateway import Credentials, GatewayServer, make_credentials
from sim.gateway.endpoints import Auth, Endpoint
from sim.gateway.messages import Reply, Request
from sim.gateway.office import make_office
from sim.gateway.rooms import ROOMS
from sim.gateway.store import Store
from tests.integration.sim_gateway_rig import NOTIFY_URL, digits

HOST = "api.mch.weixin.qq.com"
TENANTS = {"1900000301": "一楼茶店 Tea", "1900000302": "二楼包店 Bags"}
SUB, SUB_APPID = "1900000401", "wxsub0000000401"
_MAX_BYTES = 1 << 20


class Clock:
    """The real time, a little ahead where a test must wait: signatures may be five minutes off."""

    def __init__(self) -> None:
        self._real = SystemClock()
        self.ahead_ms = 0

    def __call__(self) -> int:
        return self._real.now().wall_at + self.ahead_ms

    def now(self) -> Instant:
        """Return the same for a box."""
        real = self._real.now()
        ahead_ns = real.boottime_ns + self.ahead_ms * 1_000_000
        return Instant(real.wall_at + self.ahead_ms, real.boot_id, ahead_ns, True)


class Watched(GatewayServer):
    """The gateway, noting which of its calls were answered well."""

    def __init__(self, credentials: Credentials, clock: Clock) -> None:
        super().__init__(credentials, clock, digits)
        self.done: set[str] = set()

    def handle(self, request: Request) -> Reply:
        """Answer and note."""
        reply = super().handle(request)
        if reply.status < 300:
            self.done |= {one.name for one in calls(self.credentials) if _is_for(one, request)}
        return reply


@cache
def calls(credentials: Credentials) -> tuple[Endpoint, ...]:
    """Return every call that a merchant signs, and the download of a bill, which it signs, too."""
    store = Store()
    office = make_office(credentials, lambda: 0, digits, store)
    for room in ROOMS:
        store.add_schema(room.schema)
    found = [endpoint for room in ROOMS for endpoint in room.endpoints(office)]
    return tuple(one for one in found if one.auth is Auth.MERCHANT or one.name == "bill_file")


def _is_for(endpoint: Endpoint, request: Request) -> bool:
    return endpoint.match(request.method, request.target) is not None


@dataclass
class Bench:
    """One gateway, one shopper with 10,000 yuan, two tenants, one merchant behind a service provider."""

    server: Watched
    clock: Clock
    mode: str
    proxy: str
    http: httpx.Client
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)
    openid: str = ""
    wallet: str = ""
    at_end: ExitStack = field(default_factory=ExitStack)

    @property
    def who(self) -> Credentials:
        """The merchant's files and numbers."""
        return self.server.credentials

    @property
    def today(self) -> dt.date:
        """The gateway's day."""
        return dt.datetime.fromtimestamp(self.clock() / 1000, dt.timezone(dt.timedelta(hours=8))).date()

    def switch(self, path: str, value: object) -> Any:
        """Use one of the testers' switches."""
        answer = self.http.post(path, json=value)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def code(self, password: bool = False) -> str:
        """Return the payment code on the phone; password: its habit is to wait before typing it."""
        above_fen = 0 if password else 2_000_000
        change = {"password_above_fen": above_fen, "habit": "waits" if password else "types"}
        self.switch(f"/sim/wallets/{self.wallet}", change)
        return str(self.switch(f"/sim/wallets/{self.wallet}/code", {"renew": True})["code"])

    def pay(self, params: dict[str, str]) -> None:
        """Pay in the mini-program with the parameters of wx.requestPayment."""
        told = self.switch(f"/sim/wallets/{self.wallet}/request-payment", params | {"action": "types"})
        assert told["state"] == "paid"

    def scan(self, code_url: str) -> None:
        """Scan a QR code and pay."""
        told = self.switch(f"/sim/wallets/{self.wallet}/scan", {"code_url": code_url, "action": "types"})
        assert told["state"] == "paid"

    def callback(self, event: str) -> tuple[dict[str, str], bytes]:
        """Return the callback of that event; waits until it is there."""

        def find() -> tuple[dict[str, str], bytes] | None:
            return next((one for one in self.got if json.loads(one[1])["event_type"] == event), None)

        with self.arrived:
            found = self.arrived.wait_for(find, timeout=15)
        assert found is not None, f"no {event}"
        return found


@contextmanager
def open_bench(credentials: Credentials, mode: str, tls: Path) -> Iterator[Bench]:
    """Run a gateway that signs in that mode. tls: the file of `write_tls`."""
    clock = Clock()
    with Watched(credentials, clock) as server, _tunnel(server, tls) as proxy:
        # Without TLS, so that no certificates need to be read for each bench.
        http = httpx.Client(base_url=server.url, trust_env=False, verify=False)
        bench = Bench(server, clock, mode, proxy, http)
        bench.at_end.callback(http.close)
        with _receiver(bench) as url, bench.at_end:
            bench.switch("/sim/settings", {"sign_with": mode})
            bench.switch("/sim/notices", {"routes": [{"prefix": NOTIFY_URL, "to": url}]})
            for mchid, name in TENANTS.items():
                bench.switch("/sim/merchants", {"mchid": mchid, "name": name, "sp_mchid": credentials.mchid})
            sub = {"mchid": SUB, "sp_mchid": credentials.mchid, "appids": [SUB_APPID]}
            bench.switch("/sim/merchants", sub)
            wallet = server.books.add_wallet("小林", 1_000_000, password_above_fen=2_000_000)
            bench.openid, bench.wallet = wallet.openid, wallet.wallet_id
            yield bench


def new_credentials(folder: Path) -> Credentials:
    """Return keys for both sides."""
    return make_credentials(folder, digits)


def write_tls(path: Path) -> Path:
    """Write a certificate for the gateway's real name, and its key, into one file; return it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), 1, dt.datetime(2020, 1, 1), dt.datetime(2049, 1, 1)
    )
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    certificate = builder.sign(key, SHA256()).public_bytes(Encoding.PEM)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(certificate + secret)
    return path


@contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def _tunnel(gateway: GatewayServer, tls: Path) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls)
    target = gateway.url.removeprefix("http://").partition(":")

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            asked = _message(self.rfile)
            if not asked.startswith(f"CONNECT {HOST}:443 ".encode()):
                self.wfile.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
                return
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with context.wrap_socket(self.connection, server_side=True) as inside:
                _pass_on(inside, (target[0], int(target[2])))

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    with _serving(server):
        yield f"http://127.0.0.1:{server.server_address[1]}"


def _pass_on(inside: ssl.SSLSocket, target: tuple[str, int]) -> None:
    """Hand one request on and its answer back, byte for byte."""
    with (
        inside.makefile("rb") as requests,
        socket.create_connection(target, 10) as outside,
        outside.makefile("rb") as answers,
    ):
        outside.sendall(_message(requests))
        inside.sendall(_message(answers))


def _message(file: BinaryIO) -> bytes:
    """Return one HTTP message as it stands: head, and as much body as it says."""
    head = b""
    while not head.endswith(b"\r\n\r\n") and len(head) < _MAX_BYTES:
        line = file.readline(_MAX_BYTES)
        if not line:
            break
        head += line
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return head + (file.read(int(length[1])) if length else b"")


@contextmanager
def _receiver(bench: Bench) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with bench.arrived:
                bench.got.append((dict(self.headers.items()), body))
                bench.arrived.notify_all()
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Be quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with _serving(server):
        yield f"http://127.0.0.1:{server.server_address[1]}/notify"
