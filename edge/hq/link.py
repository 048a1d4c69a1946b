"""The wire to HQ: MQTT 5, QoS 1, over paho-mqtt.

One thread of ours does every call into paho through its external-loop interface, with a fresh paho
client per connection. So paho keeps nothing from one connection to the next (what is unacknowledged is
in the outbox), no lock is held around publish, an exception in a callback ends a connection and not the
thread, and a connection that stops making progress is dropped.
Source: MQTT 5.0 (OASIS) §3.1.2.11.3 Receive Maximum, §3.4.2.1 PUBACK reason codes; paho-mqtt 2.2.0.
"""

from __future__ import annotations

import logging
import select
import socket
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from edge.errors import Invalid
from edge.hq.codec import MAX_ACK_BYTES, decode_ack
from edge.hq.connection import Connection, LinkSettings
from edge.services.events import Origin
from edge.services.ports import Clock, HqAck, LinkStatus
from edge.services.records import OutboxMessage

_log = logging.getLogger(__name__)

#: Acks kept until the publisher takes them; they are cumulative, so the oldest may go.
MAX_ACKS = 256

#: The longest sleep of the network thread: paho's keepalive and our watchdog are looked at in between.
TICK_S = 1.0


@dataclass(frozen=True, slots=True)
class LinkCounts:
    """Totals since the start, for metrics."""

    connections: int = 0
    published: int = 0
    refused: int = 0
    junk_acks: int = 0
    faults: int = 0


class MqttLink:
    """Implements ports.HqLink. `send` and `acks` are for one thread; `status` is for any.

    wake: set whenever the publisher may have something to do (connection, room, ack).
    """

    def __init__(self, settings: LinkSettings, origin: Origin, clock: Clock) -> None:
        self.wake = threading.Event()
        self._settings = settings
        self._origin = origin
        self._clock = clock
        self._stopping = threading.Event()
        self._raw_acks: deque[bytes] = deque(maxlen=MAX_ACKS)
        self._unacked: set[int] = set()
        self._junk_acks = 0
        self._totals = LinkCounts()
        self._session = 0
        self._connection: Connection | None = None
        self._down = LinkStatus(False, "not started", clock.now().boottime_ns)
        self._poke_out, self._poke_in = socket.socketpair()
        self._poke_out.setblocking(False)
        self._poke_in.setblocking(False)
        self._thread = threading.Thread(target=self._run, name="hq-link", daemon=True)

    def start(self) -> None:
        """Connect in the background, and again for ever; returns at once."""
        self._thread.start()

    def close(self) -> None:
        """Say goodbye (retained "offline") and end; waits for the time-outs of one connection at most."""
        self._stopping.set()
        self._poke()
        if self._thread.ident is not None:
            self._thread.join(self._settings.connect_s + self._settings.goodbye_s + 2 * TICK_S)
        self._poke_out.close()
        self._poke_in.close()

    def send(self, messages: Sequence[OutboxMessage]) -> int:
        """Hand over as many as the window takes, in order; return how many. Not proof of delivery."""
        connection = self._connection
        if connection is None or not connection.accepted:
            return 0
        batch = messages[: connection.room()]
        if batch:
            self._unacked.update(message.sequence for message in batch)
            oldest = min(self._unacked)
            connection.outgoing.extend((oldest, message) for message in batch)
            self._poke()
        return len(batch)

    def acks(self) -> tuple[HqAck, ...]:
        """Return the acks that came since the last call, oldest first; junk is counted and logged."""
        found: list[HqAck] = []
        for _ in range(len(self._raw_acks)):
            try:
                found.append(decode_ack(self._raw_acks.popleft()))
            except Invalid as error:
                self._junk_acks += 1
                _log.warning("ignored from HQ: %s", error)
        for ack in found:
            holes = set(ack.holes)
            self._unacked = {s for s in self._unacked if s > ack.through_sequence or s in holes}
        return tuple(found)

    def status(self) -> LinkStatus:
        """Return whether the broker is connected, since when, and what it complains about."""
        connection = self._connection
        if connection is None or not connection.accepted:
            return self._down
        return LinkStatus(True, connection.complaint or "connected", connection.since_ns)

    def counts(self) -> LinkCounts:
        """Return the totals since the start."""
        totals, connection = self._totals, self._connection
        published = totals.published + (connection.published if connection else 0)
        refused = totals.refused + (connection.refused if connection else 0)
        connections = totals.connections + int(connection is not None and connection.accepted)
        return LinkCounts(connections, published, refused, self._junk_acks, totals.faults)

    def _run(self) -> None:
        delay_s = self._settings.first_delay_s
        while not self._stopping.is_set():
            connection = self._begin()
            try:
                reason = self._serve(connection)
            except OSError as error:
                reason = f"no connection to {self._settings.address}: {error}"
            except Exception as error:
                # A supervisor: a fault in a callback or in paho costs one connection, not the thread.
                reason = f"fault in the link: {error!r}"
                self._totals = _add(self._totals, faults=1)
                _log.exception("the link to HQ failed")
            self._end(connection, reason)
            if connection.accepted:
                delay_s = self._settings.first_delay_s
            if self._stopping.wait(delay_s):
                return
            delay_s = min(delay_s * 2, self._settings.last_delay_s)

    def _begin(self) -> Connection:
        now = self._clock.now()
        # Grows with every connection; the wall clock alone may step back.
        self._session = max(self._session + 1, now.wall_at)
        connection = Connection(
            self._settings, self._origin, self._clock, self._session, self._on_ack, self.wake
        )
        self._connection = connection
        return connection

    def _end(self, connection: Connection, reason: str) -> None:
        connection.drop()
        if self._stopping.is_set():
            _log.info("HQ link closed")
        elif connection.accepted or self._down.detail != reason:
            _log.warning("HQ link down: %s", reason)
        since_ns = self._clock.now().boottime_ns if connection.accepted else self._down.since_ns
        self._down = LinkStatus(False, reason, since_ns)
        self._totals = _add(
            self._totals,
            connections=int(connection.accepted),
            published=connection.published,
            refused=connection.refused,
        )
        self._connection = None
        self.wake.set()

    def _serve(self, connection: Connection) -> str:
        """Work one connection until it ends; return why."""
        connection.open()
        while True:
            sock = connection.socket()
            if sock is None:
                return connection.ended or "the connection was lost"
            problem = connection.stalled()
            if problem:
                return problem
            ready = self._wait(sock.fileno(), connection.wants_write())
            connection.work(readable=bool(ready & ~select.POLLOUT), writable=bool(ready & select.POLLOUT))
            if self._stopping.is_set():
                connection.say_goodbye()
                if connection.finished():
                    return "closed"

    def _wait(self, fileno: int, wants_write: bool) -> int:
        """Sleep until the socket or a poke has something; return the socket's poll events."""
        poller = select.poll()
        poller.register(fileno, select.POLLIN | (select.POLLOUT if wants_write else 0))
        poller.register(self._poke_in, select.POLLIN)
        ready = dict(poller.poll(TICK_S * 1000))
        if self._poke_in.fileno() in ready:
            self._drain_pokes()
        return ready.get(fileno, 0)

    def _on_ack(self, payload: bytes) -> None:
        # One byte too many is enough for the codec to refuse it.
        self._raw_acks.append(payload[: MAX_ACK_BYTES + 1])
        self.wake.set()

    def _poke(self) -> None:
        try:
            self._poke_out.send(b"\0")
        except (BlockingIOError, OSError):
            # A full pipe wakes the thread just as well; a closed one has no thread to wake.
            return

    def _drain_pokes(self) -> None:
        try:
            while self._poke_in.recv(4_096):
                pass
        except BlockingIOError:
            return


def _add(
    totals: LinkCounts, connections: int = 0, published: int = 0, refused: int = 0, faults: int = 0
) -> LinkCounts:
    return LinkCounts(
        totals.connections + connections,
        totals.published + published,
        totals.refused + refused,
        totals.junk_acks,
        totals.faults + faults,
    )
