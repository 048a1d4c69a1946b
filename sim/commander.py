"""HQ's hand: sends one command to a box, again until it answers, and shows the answer.

Written from docs/protocols/commands.md, not from the box's code.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from sim.clocks import monotonic_s, unix_ms

#: A command lives so long, and is sent again so often while nobody answers.
LIFE_S = 30.0
RETRY_S = 2.5

CONNECT_S = 10.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What a box is to do."""

    site: str
    edge: str
    kind: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    issued_by: str = "simulated HQ"
    life_s: float = LIFE_S
    command_id: str = ""


def encode(wish: Wish, now_at: int) -> bytes:
    """Return the command on the wire; now_at: Unix milliseconds."""
    message = {
        "id": wish.command_id or f"cmd-{os.urandom(8).hex()}",
        "kind": wish.kind,
        "issued_by": wish.issued_by,
        "issued_at": now_at,
        "expires_at": now_at + int(wish.life_s * 1000),
        "arguments": dict(wish.arguments),
    }
    return json.dumps(message, ensure_ascii=False).encode()


class Commander:
    """One connection to HQ's broker that commands boxes; a context manager."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._address = (host, port)
        self._name = f"commander-{os.urandom(4).hex()}"
        self._ready, self._came = threading.Event(), threading.Event()
        self._answers: list[tuple[bytes, dict[str, object]]] = []
        self._lock = threading.Lock()
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=self._name, protocol=mqtt.MQTTv5)
        client.on_connect = self._on_connect
        client.on_subscribe = lambda *_: self._ready.set()
        client.on_message = self._on_message
        self._client = client

    def __enter__(self) -> Commander:
        """Connect and listen for answers; raises ConnectionError when the broker cannot be reached."""
        try:
            self._client.connect(*self._address, keepalive=10, clean_start=True)
        except OSError as error:
            raise ConnectionError(f"no broker at {self._address}: {error}") from error
        self._client.loop_start()
        if not self._ready.wait(CONNECT_S):
            self.__exit__()
            raise ConnectionError(f"the broker at {self._address} does not take subscriptions")
        return self

    def __exit__(self, *exc: object) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()
        # paho's thread may end before it has closed its socket.
        sock = self._client.socket()
        if sock is not None:
            sock.close()

    def command(self, wish: Wish, patience_s: float = LIFE_S) -> dict[str, object] | None:
        """Send a command, again while nobody answers; return the answer, None when none came."""
        payload, end_s = encode(wish, unix_ms()), monotonic_s() + patience_s
        while (left_s := end_s - monotonic_s()) > 0:
            correlation = self.send(wish, payload)
            answer = self.answer(correlation, min(RETRY_S, left_s))
            if answer is not None:
                return answer
        return None

    def send(self, wish: Wish, payload: bytes) -> bytes:
        """Publish a command once, not retained; return its correlation."""
        correlation = os.urandom(8)
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ContentType = "application/json"
        properties.ResponseTopic = f"{_root(wish)}/replies/v1/{self._name}"
        properties.CorrelationData = correlation
        properties.MessageExpiryInterval = max(1, int(wish.life_s))
        self._client.publish(f"{_root(wish)}/commands/v1", payload, qos=1, properties=properties)
        return correlation

    def answer(self, correlation: bytes, patience_s: float) -> dict[str, object] | None:
        """Return the answer to one sending, None when none came in time."""
        end_s = monotonic_s() + patience_s
        while True:
            self._came.clear()
            with self._lock:
                found = [each for told, each in self._answers if told == correlation]
            left_s = end_s - monotonic_s()
            if found or left_s <= 0:
                return found[0] if found else None
            self._came.wait(left_s)

    def _on_connect(
        self, client: mqtt.Client, data: object, flags: object, reason: ReasonCode, properties: object
    ) -> None:
        if not reason.is_failure:
            client.subscribe(f"mall/+/edge/+/replies/v1/{self._name}", qos=1)

    def _on_message(self, client: mqtt.Client, data: object, message: mqtt.MQTTMessage) -> None:
        correlation = getattr(message.properties, "CorrelationData", b"")
        try:
            answer = json.loads(message.payload)
        except ValueError:
            return
        if isinstance(answer, dict):
            with self._lock:
                self._answers.append((correlation, answer))
            self._came.set()


def _root(wish: Wish) -> str:
    return f"mall/{wish.site}/edge/{wish.edge}"
