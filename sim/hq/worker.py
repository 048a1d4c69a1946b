"""One ingest worker of HQ: takes events from the broker, applies them in batches, acknowledges.

Any number of workers on one set of books share the load with `$share`. One thread does it all, in this
order: read what the broker has sent, apply and commit it, only then tell the broker (PUBACK) and the box
(the ack). So a worker may die anywhere: what it had not committed comes again from the boxes, what it
had is a repeat. While it commits, the broker holds back by Receive Maximum.
Source: MQTT 5.0 (OASIS) §4.8.2 shared subscriptions, §3.1.2.11.3 Receive Maximum.
"""

from __future__ import annotations

import json
import logging
import re
import select
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from sim.clocks import monotonic_s, unix_ms
from sim.hq.behaviour import Behaviour
from sim.hq.books import Books, Tally
from sim.hq.reading import Arrival, Box

_log = logging.getLogger(__name__)

#: Messages applied in one transaction, and messages that the broker may send beyond what is acknowledged.
BATCH = 200
RECEIVE_MAXIMUM = 2 * BATCH

#: What one share group is called; every worker of one HQ uses the same.
SHARE = "hq"

EVENTS = "mall/+/edge/+/events/v1/#"
STATES = "mall/+/edge/+/state/v1"

#: The longest sleep; switches and keepalive are looked at in between.
TICK_S = 0.2

#: How often a worker writes down how it fares and reads the switches of the books.
NOTE_S = 1.0

#: The pause after a failure, and how long a broker may take to accept a connection.
AGAIN_S = 0.5
CONNECT_S = 5

#: A box is acknowledged once it has this many events unacknowledged, or after a pause that grows with the
#: number of boxes that wait: an ack costs as much as an event, and one ack covers many events.
ACK_AT = 50
ACK_PAUSE_S = 0.01
ACK_PAUSE_PER_BOX_S = 0.001
ACK_LONGEST_S = 1.0

#: What a box is told when HQ is switched to refuse.
REFUSAL = "refused for rehearsal"

_TOPIC = re.compile(r"mall/([a-z0-9-]{1,32})/edge/([a-z0-9-]{1,32})/(events/v1/[a-z._]{1,40}|state/v1)")


@dataclass(slots=True)
class _Owed:
    """events: applied and not yet acknowledged to one box. since_s: when the first of them was applied."""

    events: int
    since_s: float


class Worker:
    """One connection, one thread. follow: take the switches from the books, as set by another process.

    on_commit: called with what was just committed, before anybody is told; for measuring.
    """

    def __init__(
        self,
        books: Books,
        host: str,
        port: int,
        name: str = "1",
        follow: bool = False,
        on_commit: Callable[[Sequence[Arrival]], None] | None = None,
    ) -> None:
        self.name = name
        self.behaviour = Behaviour()
        self.tally = Tally()
        self.connected = False
        self._books = books
        self._address = (host, port)
        self._follow = follow
        self._on_commit = on_commit
        self._client: mqtt.Client | None = None
        self._arrivals: list[Arrival] = []
        self._mids: list[int] = []
        self._states: list[tuple[Box, bytes, bool]] = []
        self._owed: dict[Box, _Owed] = {}
        self._noted_s = 0.0
        self._complaint = ""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self.run, name=f"hq-worker-{name}", daemon=True)

    def start(self) -> None:
        """Work in the background."""
        self._thread.start()

    def stop(self) -> None:
        """Leave the broker and end."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(10.0)

    def run(self) -> None:
        """Work until stopped."""
        while not self._stopping.is_set():
            try:
                self._step()
            except OSError as error:
                self._fail("HQ's worker has no broker: %s", error)
            except Exception as error:
                # A supervisor: HQ goes on, and what was not acknowledged comes again.
                _log.debug("HQ's worker", exc_info=True)
                self._fail("HQ's worker failed and begins again: %s", error)
        self._leave()

    def _step(self) -> None:
        self._note()
        if self.behaviour.away:
            self._leave()
            self._stopping.wait(TICK_S)
            return
        client = self._client or self._arrive()
        sock = client.socket()
        if sock is None:
            raise OSError("the connection was lost")
        self._wait_and_read(client, sock)
        self._greet()
        self._apply(client, sock)
        self._acknowledge_due(client)
        client.loop_misc()

    def _note(self) -> None:
        now_s = monotonic_s()
        if now_s - self._noted_s < NOTE_S:
            return
        self._noted_s = now_s
        self._books.note_worker(self.name, self.tally, self.connected, unix_ms())
        if self._follow:
            self.behaviour = self._books.behaviour()

    def _fail(self, what: str, error: Exception) -> None:
        if not self._stopping.is_set() and str(error) != self._complaint:
            _log.warning(what, error)
        self._complaint = str(error)
        self.tally = replace(self.tally, failures=self.tally.failures + 1)
        self._leave()
        self._stopping.wait(AGAIN_S)

    def _arrive(self) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"mall-hq-{self.name}",
            protocol=mqtt.MQTTv5,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_S
        client.max_inflight_messages_set(0)
        client.on_socket_open = _without_delay
        client.on_connect = self._welcomed
        client.on_disconnect = self._disconnected
        client.on_message = self._arrived
        limits = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        limits.ReceiveMaximum = RECEIVE_MAXIMUM
        client.connect(*self._address, keepalive=10, clean_start=True, properties=limits)
        self._client = client
        return client

    def _leave(self) -> None:
        client, self._client = self._client, None
        self.connected = False
        if client is None:
            return
        client.disconnect()
        sock = client.socket()
        if sock is not None:
            sock.close()
        for kept in (self._arrivals, self._mids, self._states, self._owed):
            kept.clear()

    def _wait_and_read(self, client: mqtt.Client, sock: mqtt.SocketLike) -> None:
        poller = select.poll()
        poller.register(sock.fileno(), select.POLLIN | (select.POLLOUT if client.want_write() else 0))
        ready = dict(poller.poll(self._pause_s() * 1000))
        events = ready.get(sock.fileno(), 0)
        if events & select.POLLOUT:
            client.loop_write()
        if not events & ~select.POLLOUT:
            return
        while len(self._mids) < BATCH:
            before = len(self._mids)
            client.loop_read()
            if len(self._mids) == before:
                return

    def _pause_s(self) -> float:
        if not self._owed:
            return TICK_S
        soonest = min(owed.since_s for owed in self._owed.values()) + self._hold_s()
        return min(TICK_S, max(0.0, soonest - monotonic_s()))

    def _hold_s(self) -> float:
        delay_s = self.behaviour.ack_delay_ms / 1000
        return delay_s + min(ACK_LONGEST_S, ACK_PAUSE_S + ACK_PAUSE_PER_BOX_S * (len(self._owed) - 1))

    def _apply(self, client: mqtt.Client, sock: mqtt.SocketLike) -> None:
        """Apply what was read; the broker and the box hear of it after the commit."""
        arrivals, mids = list(self._arrivals), list(self._mids)
        if not mids:
            return
        self._arrivals.clear()
        self._mids.clear()
        tally = replace(self.tally, received=self.tally.received + len(arrivals))
        if self.behaviour.reject:
            self.tally = replace(tally, rejected=tally.rejected + len(arrivals))
        else:
            self._books.apply(arrivals, REFUSAL if self.behaviour.refuse else "")
            self.tally = tally
            if self._on_commit is not None:
                self._on_commit(arrivals)
            now_s = monotonic_s()
            for arrival in arrivals:
                self._owed.setdefault(arrival.box, _Owed(0, now_s)).events += 1
        with _Corked(sock):
            for mid in mids:
                client.ack(mid, 1)

    def _greet(self) -> None:
        """Note presence; a box that came is acknowledged, so that one that was waiting long sends again."""
        states = list(self._states)
        self._states.clear()
        for box, payload, retained in states:
            try:
                state = json.loads(payload)
                news = self._books.presence(*box, str(state["state"])[:10], int(state["session"]))
            except (ValueError, KeyError, TypeError):
                _log.warning("unreadable presence of %s/%s", *box)
                continue
            if news or retained:
                self._owed.setdefault(box, _Owed(0, monotonic_s()))

    def _acknowledge_due(self, client: mqtt.Client) -> None:
        now_s, hold_s = monotonic_s(), self._hold_s()
        prompt = ACK_AT if not self.behaviour.ack_delay_ms else 1 << 62
        due = [
            box for box, owed in self._owed.items() if owed.events >= prompt or owed.since_s + hold_s <= now_s
        ]
        if not due:
            return
        for box in due:
            del self._owed[box]
        words = self._books.words(due)
        for (site, edge), word in words.items():
            if word.also and not word.holes:
                # A gap that is not filled soon is told, even if the box says nothing more.
                self._owed[(site, edge)] = _Owed(0, now_s + self._books.patience_s)
            for _ in range(self._copies()):
                client.publish(f"mall/{site}/edge/{edge}/acks/v1", word.as_json(), qos=1)

    def _copies(self) -> int:
        behaviour, acks = self.behaviour, self.tally.acks + 1
        forgotten = behaviour.forget_every > 0 and acks % behaviour.forget_every == 0
        self.tally = replace(self.tally, acks=acks, forgotten=self.tally.forgotten + int(forgotten))
        return 0 if forgotten else behaviour.ack_copies

    def _welcomed(
        self,
        client: mqtt.Client,
        userdata: object,
        flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            raise OSError(f"the broker refused HQ: {reason}")
        client.subscribe([(f"$share/{SHARE}/{EVENTS}", 1), (STATES, 1)])
        self.connected = True
        self._noted_s = 0.0
        self._complaint = ""

    def _disconnected(
        self,
        client: mqtt.Client,
        userdata: object,
        flags: mqtt.DisconnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        self.connected = False

    def _arrived(self, client: mqtt.Client, userdata: object, message: mqtt.MQTTMessage) -> None:
        topic = _TOPIC.fullmatch(message.topic)
        if topic is not None and topic[3] == "state/v1":
            self._states.append(((topic[1], topic[2]), bytes(message.payload), message.retain))
            client.ack(message.mid, message.qos)
            return
        self._mids.append(message.mid)
        if topic is None:
            return
        given = dict(getattr(message.properties, "UserProperty", []))
        self._arrivals.append(
            Arrival(
                topic[1],
                topic[2],
                bytes(message.payload),
                given.get("id", ""),
                _number(given.get("sequence", "")),
                _number(given.get("oldest", "")),
                unix_ms(),
                _number(given.get("newest", "")),
            )
        )


class _Corked:
    """While entered, small packets wait to be sent together: one segment instead of hundreds."""

    def __init__(self, sock: mqtt.SocketLike) -> None:
        self._sock = sock if isinstance(sock, socket.socket) else None

    def __enter__(self) -> None:
        if self._sock is not None:
            self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)

    def __exit__(self, *exc: object) -> None:
        if self._sock is not None and self._sock.fileno() >= 0:
            self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)


def _without_delay(client: mqtt.Client, userdata: object, sock: mqtt.SocketLike) -> None:
    if isinstance(sock, socket.socket):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"\d{1,16}", text, re.ASCII) else 0
