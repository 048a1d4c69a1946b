"""HQ's public host: hands the request of a phone to its box over MQTT and the box's answer back.

A box is named by path, /b/{site}/{edge}/..., or by host, {edge}.{site}.{domain}. What a box serves to the
world is for the box to say; this host only limits sizes, numbers and time. Written from
docs/protocols/relay.md, not from the box's code.
"""

from __future__ import annotations

import base64
import hmac
import json
import logging
import os
import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import paho.mqtt.client as mqtt
from flask import Flask, Response, request
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from sim.clocks import monotonic_s
from sim.pages import PageServer

_log = logging.getLogger(__name__)

WEB_HOST = "127.0.0.1"
WEB_THREADS = 64

MAX_CONNECTIONS = 2_000
MAX_BODY = 64 * 1024
MAX_HEADERS = 60

#: Requests that may wait for one box, and all boxes that are remembered.
MAX_WAITING = 90
MAX_BOXES = 20_000

#: How long a phone waits, and after how long its request is published again, in seconds.
DEADLINE_S = 10.0
RETRY_S = 2.5

_NAME = r"[a-z0-9-]{1,32}"
_STATE = re.compile(rf"mall/({_NAME})/edge/({_NAME})/state/v1")
_HOST = re.compile(rf"({_NAME})\.({_NAME})\.[A-Za-z0-9.-]+(:\d+)?")
_PATH = re.compile(rf"/b/({_NAME})/({_NAME})(/.*)")
_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host", "upgrade", "te"}

#: Under which callers' addresses are hashed: a box can neither know them nor compare them for long.
_SECRET = os.urandom(16)

Box = tuple[str, str]
Answer = tuple[int, list[tuple[str, str]], bytes]


@dataclass
class _Waiting:
    box: Box
    done: threading.Event = field(default_factory=threading.Event)
    answer: Answer | None = None


@dataclass(frozen=True, slots=True)
class ClientTls:
    """The certificate by which this host is known to the broker."""

    ca_file: Path
    certificate: Path
    key: Path


class Relay:
    """One connection to HQ's broker that asks boxes and waits for their answers."""

    def __init__(self, host: str, port: int, name: str = "relay-1", tls: ClientTls | None = None) -> None:
        """name: of this relay among several, 1-40 of a-z, 0-9 and -; answers come to a topic of its own."""
        self.deadline_s = DEADLINE_S
        self.retry_s = RETRY_S
        self.asked = self.repeated = self.answered = 0
        self._name = name
        self._address = (host, port)
        self._lock = threading.Lock()
        self._waiting: dict[bytes, _Waiting] = {}
        self._states: dict[Box, tuple[int, bool]] = {}
        self._client = self._make_client(tls)

    def start(self) -> None:
        """Go to the broker, and again whenever it is lost."""
        self._client.connect_async(*self._address, keepalive=10, clean_start=True)
        self._client.loop_start()

    def stop(self) -> None:
        """Leave; who waits gets no answer."""
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def connected(self) -> bool:
        """Whether this host is at the broker."""
        return self._client.is_connected()

    def presence(self, box: Box) -> bool | None:
        """Return whether a box is online; None for one that was never heard of."""
        with self._lock:
            known = self._states.get(box)
        return known[1] if known else None

    def ask(self, box: Box, payload: bytes) -> Answer | None:
        """Return the box's answer to a request; None when none came in time or too many wait.

        It is published again with the same correlation every `retry_s`: a box that was just connecting
        missed the first, and one that got both answers without doing it twice.
        """
        correlation = os.urandom(16)
        waiting = _Waiting(box)
        with self._lock:
            if sum(one.box == box for one in self._waiting.values()) >= MAX_WAITING:
                return None
            self._waiting[correlation] = waiting
            self.asked += 1
        end_s = monotonic_s() + self.deadline_s
        try:
            while not waiting.done.is_set() and (left_s := end_s - monotonic_s()) > 0:
                self._publish(box, payload, correlation, left_s)
                if not waiting.done.wait(min(self.retry_s, left_s)):
                    self.repeated += 1
        finally:
            with self._lock:
                del self._waiting[correlation]
        return waiting.answer

    def _publish(self, box: Box, payload: bytes, correlation: bytes, left_s: float) -> None:
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ResponseTopic = f"mall/{box[0]}/edge/{box[1]}/replies/v1/{self._name}"
        properties.CorrelationData = correlation
        properties.MessageExpiryInterval = max(1, round(left_s))
        properties.ContentType = "application/json"
        self._client.publish(f"mall/{box[0]}/edge/{box[1]}/requests/v1", payload, 1, properties=properties)

    def _make_client(self, tls: ClientTls | None) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=f"mall-hq-{self._name}", protocol=mqtt.MQTTv5
        )
        client.reconnect_delay_set(1, 2)
        client.suppress_exceptions = True
        client.max_queued_messages_set(1_000)
        if tls is not None:
            client.tls_set(str(tls.ca_file), str(tls.certificate), str(tls.key))
        client.on_socket_open = _without_delay
        client.on_connect = self._connected
        client.on_message = self._arrived
        return client

    def _connected(
        self,
        client: mqtt.Client,
        userdata: object,
        flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        client.subscribe([(f"mall/+/edge/+/replies/v1/{self._name}", 1), ("mall/+/edge/+/state/v1", 1)])

    def _arrived(self, client: mqtt.Client, userdata: object, message: mqtt.MQTTMessage) -> None:
        state = _STATE.fullmatch(message.topic)
        if state is not None:
            self._note_state((state[1], state[2]), bytes(message.payload))
            return
        correlation = bytes(getattr(message.properties, "CorrelationData", b""))
        with self._lock:
            waiting = self._waiting.get(correlation)
        site_edge = message.topic.split("/")[1:4:2]
        # A box may answer for itself alone, also where the broker has no access rules.
        if waiting is None or list(waiting.box) != site_edge:
            return
        waiting.answer = _read_answer(bytes(message.payload))
        self.answered += 1
        waiting.done.set()

    def _note_state(self, box: Box, payload: bytes) -> None:
        """Note a box's presence; the end of an older session than the last one begun is old news."""
        try:
            state = json.loads(payload)
            session, online = int(state["session"]), state["state"] == "online"
        except (ValueError, KeyError, TypeError):
            return
        with self._lock:
            if session >= self._states.get(box, (0, False))[0] and len(self._states) < MAX_BOXES:
                self._states[box] = (session, online)


def make_public_app(relay: Relay) -> Flask:
    """Return the public host's application: every path of every box, and nothing of HQ's own."""
    app = Flask("sim.relay", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY

    @app.route("/", defaults={"path": ""}, methods=["GET", "POST"])
    @app.route("/<path:path>", methods=["GET", "POST"])
    def forward(path: str) -> Response:
        found = _find_box()
        if found is None:
            return _page(404, "没有这个地址，请重新扫码。", "There is no such address. Scan the code again.")
        box, prefix, target = found
        online = relay.presence(box)
        if online is None and relay.connected:
            return _page(404, "没有这家门店，请重新扫码。", "There is no such shop. Scan the code again.")
        if not online:
            return _page(503, *_AWAY)
        answer = relay.ask(box, _payload(prefix, target))
        if answer is None:
            return _page(504, *_AWAY)
        status, headers, body = answer
        return Response(body, status, [one for one in headers if one[0].lower() not in _HOP])

    return app


class PublicHost:
    """The relay and its web server; usable as a context manager. port 0 takes a free one."""

    def __init__(
        self,
        broker_port: int,
        port: int = 0,
        broker_host: str = "127.0.0.1",
        tls: ClientTls | None = None,
        name: str = "relay-1",
    ) -> None:
        """Listen at once; raises OSError when the port is taken. name: as of Relay, its own at the broker."""
        self.relay = Relay(broker_host, broker_port, name, tls)
        self._server = PageServer(
            make_public_app(self.relay),
            WEB_HOST,
            port,
            WEB_THREADS,
            "hq-public",
            max_request_body_size=MAX_BODY + 1,
            # Phones keep their connections; beyond the limit the server accepts once a second alone.
            connection_limit=MAX_CONNECTIONS,
        )
        self.port = self._server.port

    def __enter__(self) -> PublicHost:
        """Start."""
        self.relay.start()
        self._server.start()
        return self

    def __exit__(self, *exc: object) -> None:
        """Stop."""
        self._server.close()
        self.relay.stop()

    def url(self, site: str, edge: str) -> str:
        """Return the public address of a box, for [box] public_url."""
        return f"http://{WEB_HOST}:{self.port}/b/{site}/{edge}"


def run(broker_port: int, port: int, name: str, stop: threading.Event, say: Callable[[str], None]) -> None:
    """Run the public host until `stop` is set. name: another for each that runs at one broker."""
    with PublicHost(broker_port, port, name=name) as host:
        say(f"public host for phones at {host.url('SITE', 'BOX')}/")
        stop.wait()


def _without_delay(client: mqtt.Client, userdata: object, sock: mqtt.SocketLike) -> None:
    """Send small packets at once: with Nagle's algorithm a page took 44 to 88 ms."""
    if isinstance(sock, socket.socket):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


_AWAY = (
    "门店暂时连不上总部，您的小票没有丢失。请稍候重试，或请收银员补打小票。",
    "The shop cannot be reached right now; your receipt is not lost. Try again in a moment, "
    "or ask a cashier to print it again.",
)


def _find_box() -> tuple[Box, str, str] | None:
    """Return the box that the request is for, the prefix of its address, and the rest as it was sent."""
    # The raw target: Flask's path has its escapes resolved already.
    raw = str(request.environ.get("REQUEST_URI") or request.full_path.rstrip("?"))
    by_path = _PATH.fullmatch(raw)
    if by_path:
        site, edge, target = by_path.groups()
        return (site, edge), f"/b/{site}/{edge}", target
    by_host = _HOST.fullmatch(request.host)
    if by_host and raw.startswith("/"):
        return (by_host[2], by_host[1]), "", raw
    return None


def _caller(address: str) -> str:
    """Return by what the box tells phones apart: not the address, and another word after each start."""
    return hmac.digest(_SECRET, address.encode(), "sha256").hex()[:24]


def _payload(prefix: str, target: str) -> bytes:
    headers = [[name, value] for name, value in request.headers if name.lower() not in _HOP]
    message = {
        "method": request.method,
        "target": target,
        "host": request.host,
        "prefix": prefix,
        "secure": request.is_secure,
        "caller": _caller(request.remote_addr or ""),
        "headers": headers[:MAX_HEADERS],
        "body": base64.b64encode(request.get_data()).decode(),
    }
    return json.dumps(message, separators=(",", ":")).encode()


def _read_answer(payload: bytes) -> Answer:
    try:
        answer = json.loads(payload)
        headers = [(str(name), str(value)) for name, value in answer["headers"]]
        return int(answer["status"]), headers, base64.b64decode(answer["body"], validate=True)
    except (ValueError, KeyError, TypeError):
        _log.warning("a box answered with something that is no answer")
        return 502, [("Content-Type", "text/plain; charset=utf-8")], "门店应答有误 / bad answer".encode()


def _page(status: int, zh: str, en: str) -> Response:
    body = (
        '<!doctype html><html lang="zh-CN"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<title>请稍候 · Please wait</title>"
        "<style>body{font:18px/1.6 system-ui,sans-serif;max-width:28em;margin:20vh auto;padding:0 1.2em;"
        "color:#222}p[lang=en]{color:#666}</style>"
        f'<body><p><strong>{zh}</strong></p><p lang="en">{en}</p></body></html>'
    )
    headers = {"Cache-Control": "no-store"}
    if status in (503, 504):
        headers["Retry-After"] = "5"
    return Response(body, status, headers, mimetype="text/html")
