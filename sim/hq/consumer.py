"""HQ's end of MQTT: takes events, applies them in batches, acknowledges; misbehaves on demand."""

from __future__ import annotations

import json
import logging
import queue
import re
import socket
import threading
import time
from dataclasses import dataclass

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from sim.hq.behaviour import Behaviour
from sim.hq.ledger import Arrival, Ledger

_log = logging.getLogger(__name__)

#: Messages that may wait for the worker; more are dropped, and the boxes send them again.
MAX_WAITING = 10_000

#: Messages applied in one transaction.
BATCH = 200

#: Acks that paho may hold while the broker is away.
MAX_QUEUED_ACKS = 1_000

#: The longest sleep of the worker, which also looks at the switches.
TICK_S = 0.2

_TOPIC = re.compile(r"mall/([a-z0-9-]{1,32})/edge/([a-z0-9-]{1,32})/(events/v1/[a-z.]{1,40}|state/v1)")

Box = tuple[str, str]


@dataclass(slots=True)
class Tally:
    """What HQ's end has counted since its start."""

    received: int = 0
    rejected: int = 0
    dropped: int = 0
    acks: int = 0
    forgotten: int = 0


class Consumer:
    """One connection to the broker and one worker."""

    def __init__(self, ledger: Ledger, host: str, port: int) -> None:
        self.behaviour = Behaviour()
        self.tally = Tally()
        self._ledger = ledger
        self._address = (host, port)
        self._waiting: queue.Queue[Arrival | Box] = queue.Queue(MAX_WAITING)
        self._due: dict[Box, float] = {}
        self._client: mqtt.Client | None = None
        self._stopping = threading.Event()
        self._worker = threading.Thread(target=self._run, name="hq-consumer", daemon=True)

    @property
    def connected(self) -> bool:
        """Whether HQ is at the broker."""
        client = self._client
        return client is not None and client.is_connected()

    def start(self) -> None:
        """Connect and work in the background."""
        self._worker.start()

    def stop(self) -> None:
        """Disconnect and end."""
        self._stopping.set()
        self._worker.join(10.0)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._follow_switch()
                self._take_batch()
                self._send_due()
            except Exception:
                # A supervisor: HQ goes on, and what was not acknowledged comes again.
                _log.exception("HQ's worker failed")
        self._leave()

    def _follow_switch(self) -> None:
        if self.behaviour.away:
            self._leave()
        elif self._client is None:
            self._client = self._arrive()

    def _arrive(self) -> mqtt.Client:
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="mall-hq", protocol=mqtt.MQTTv5)
        client.reconnect_delay_set(1, 2)
        # An exception in a callback would end paho's thread unseen.
        client.suppress_exceptions = True
        client.max_queued_messages_set(MAX_QUEUED_ACKS)
        client.on_socket_open = _without_delay
        client.on_connect = self._connected
        client.on_message = self._arrived
        client.connect_async(*self._address, keepalive=10, clean_start=True)
        client.loop_start()
        return client

    def _leave(self) -> None:
        client, self._client = self._client, None
        if client is None:
            return
        client.disconnect()
        client.loop_stop()
        while not self._waiting.empty():
            self._waiting.get_nowait()
        self._due.clear()

    def _take_batch(self) -> None:
        items = self._next_items()
        arrivals = [item for item in items if isinstance(item, Arrival)]
        self.tally.received += len(arrivals)
        if self.behaviour.reject:
            self.tally.rejected += len(arrivals)
            return
        if arrivals:
            self._ledger.apply(arrivals)
        due = time.monotonic() + self.behaviour.ack_delay_ms / 1000
        for item in items:
            box = (item.site, item.edge) if isinstance(item, Arrival) else item
            self._due.setdefault(box, due)

    def _next_items(self) -> list[Arrival | Box]:
        try:
            items = [self._waiting.get(timeout=self._pause_s())]
        except queue.Empty:
            return []
        while len(items) < BATCH and not self._waiting.empty():
            items.append(self._waiting.get_nowait())
        return items

    def _pause_s(self) -> float:
        soonest = min(self._due.values(), default=None)
        return TICK_S if soonest is None else min(TICK_S, max(0.001, soonest - time.monotonic()))

    def _send_due(self) -> None:
        now = time.monotonic()
        for box in [box for box, due in self._due.items() if due <= now]:
            del self._due[box]
            self._acknowledge(*box)

    def _acknowledge(self, site: str, edge: str) -> None:
        if self._client is None:
            return
        self.tally.acks += 1
        if self.behaviour.forget_every and self.tally.acks % self.behaviour.forget_every == 0:
            self.tally.forgotten += 1
            return
        payload = self._ledger.word(site, edge).as_json()
        for _ in range(self.behaviour.ack_copies):
            self._client.publish(f"mall/{site}/edge/{edge}/acks/v1", payload, qos=1)

    def _connected(
        self,
        client: mqtt.Client,
        userdata: object,
        flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        # What was queued for a broker that has died would only be old acks.
        client.drop_out_messages()
        client.subscribe([("mall/+/edge/+/events/v1/#", 1), ("mall/+/edge/+/state/v1", 1)])

    def _arrived(self, client: mqtt.Client, userdata: object, message: mqtt.MQTTMessage) -> None:
        topic = _TOPIC.fullmatch(message.topic)
        if topic is None:
            return
        site, edge, what = topic.groups()
        if what == "state/v1":
            self._note_presence(site, edge, bytes(message.payload))
            return
        given = dict(getattr(message.properties, "UserProperty", []))
        self._queue(
            Arrival(
                site,
                edge,
                bytes(message.payload),
                given.get("id", "")[:64],
                _number(given.get("sequence", "")),
                _number(given.get("oldest", "")),
            )
        )

    def _note_presence(self, site: str, edge: str, payload: bytes) -> None:
        try:
            state = json.loads(payload)
            self._ledger.presence(site, edge, str(state["state"])[:10], int(state["session"]))
        except (ValueError, KeyError, TypeError):
            _log.warning("unreadable presence of %s/%s", site, edge)
            return
        # Greeted with an ack, a box that was waiting long sends again soon.
        self._queue((site, edge))

    def _queue(self, item: Arrival | Box) -> None:
        try:
            self._waiting.put_nowait(item)
        except queue.Full:
            self.tally.dropped += 1


def _without_delay(client: mqtt.Client, userdata: object, sock: mqtt.SocketLike) -> None:
    if isinstance(sock, socket.socket):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"\d{1,16}", text, re.ASCII) else 0
