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
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge.errors import Invalid
from edge.hq.codec import MAX_ACK_BYTES, decode_ack
from edge.hq.connection import Connection, Incoming, LinkSettings, Saying
from edge.hq.sessions import SessionNumbers
from edge.hq.tls import TlsFiles
from edge.hq.topics import Topics
from edge.ids import random_fraction
from edge.services.events import Origin
from edge.services.outbox_records import OutboxMessage
from edge.services.ports import Clock, HqAck, LinkStatus

_log = logging.getLogger(__name__)

#: Acks kept until the publisher takes them; they are cumulative, so the oldest may go.
MAX_ACKS = 256

#: The longest sleep of the network thread: paho's keepalive, our watchdog and the certificate files are
#: looked at in between.
TICK_S = 1.0

#: A connection that lasted this long was a good one: the pauses begin anew.
STEADY_S = 10.0

#: Ends of a healthy connection; after those in _AT_ONCE the next begins without a pause.
_RENEWED = "the certificate was renewed; connecting with the new one"
_SESSION = "the broker knows a later session of this box; beginning one above it"
_AT_ONCE = (_RENEWED,)


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

    def __init__(
        self,
        settings: LinkSettings,
        origin: Origin,
        clock: Clock,
        sessions: SessionNumbers | None = None,
        fraction: Callable[[], float] = random_fraction,
    ) -> None:
        """sessions: kept over restarts; None begins anew. fraction: random, 0 up to 1, for the pauses."""
        self.wake = threading.Event()
        self._settings = settings
        self._origin = origin
        self._clock = clock
        self._stopping = threading.Event()
        self._raw_acks: deque[bytes] = deque(maxlen=MAX_ACKS)
        self._junk_acks = 0
        self._totals = LinkCounts()
        self._sessions = sessions or SessionNumbers()
        self._fraction = fraction
        self._files = TlsFiles(settings.tls) if settings.tls else None
        self._looked_ns = 0
        self._later_session = 0
        self._nonsense = ""
        self._listeners: dict[str, Callable[[Incoming], None]] = {Topics(origin).acks: self._on_ack}
        self._connection: Connection | None = None
        self._down = LinkStatus(False, "not started", clock.now().boottime_ns)
        self._poke_out, self._poke_in = socket.socketpair()
        self._poke_out.setblocking(False)
        self._poke_in.setblocking(False)
        self._thread = threading.Thread(target=self._run, name="hq-link", daemon=True)

    def listen(self, topic: str, listener: Callable[[Incoming], None]) -> None:
        """Have `listener` take what HQ says on this topic (or filter), in the link's thread; before `start`.

        It must not block; what it raises costs the connection.
        """
        self._listeners[topic] = listener

    def say(self, saying: Saying) -> bool:
        """Send something that is no event, before the events; return whether it could be taken. Any thread.

        It is lost with the connection: whoever waits for it asks again.
        """
        connection = self._connection
        if connection is None or not connection.say(saying):
            return False
        self._poke()
        return True

    def start(self) -> None:
        """Connect in the background, and again for ever; returns at once."""
        self._thread.start()

    def close(self) -> None:
        """Say goodbye (retained "offline") and end; waits for the time-outs of one connection at most."""
        self._stopping.set()
        self._poke()
        if self._thread.ident is not None:
            self._thread.join(2 * self._settings.connect_s + self._settings.goodbye_s + 2 * TICK_S)
        self._poke_out.close()
        self._poke_in.close()

    def send(self, messages: Sequence[OutboxMessage], oldest: int, newest: int = 0) -> int:
        """Hand over as many as the window takes, in order; return how many. Not proof of delivery."""
        connection = self._connection
        if connection is None or not connection.accepted:
            return 0
        batch = messages[: connection.room()]
        if batch:
            connection.outgoing.extend((oldest, newest, message) for message in batch)
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
                self._nonsense = f"HQ's acks cannot be read, events wait in the outbox; tell HQ: {error}"
                _log.warning("ignored from HQ: %s", error)
        if found:
            self._nonsense = ""
        return tuple(found)

    def status(self) -> LinkStatus:
        """Return whether the broker is connected, since when, and what it complains about."""
        connection = self._connection
        if connection is None or not connection.accepted:
            return self._down
        detail = connection.complaint or connection.trouble or self._nonsense or self._connected_detail()
        return LinkStatus(True, detail, connection.since_ns)

    def _connected_detail(self) -> str:
        """Say "connected" and what a person should know of it all the same."""
        if self._settings.exposed:
            return "connected without TLS: others on the way can read and change it; set hq.ca_file"
        files = self._files
        if files is None:
            return "connected"
        if files.problem:
            return f"connected with the former certificate; the new one cannot be used: {files.problem}"
        warning = files.own.warning(self._clock.now()) if files.own else ""
        return f"connected; {warning}" if warning else "connected"

    def certificate_left_s(self) -> float | None:
        """Return how long this box's certificate is still valid, below 0 afterwards, None without one."""
        own = self._files.own if self._files else None
        return None if own is None else (own.valid_until_at - self._clock.now().wall_at) / 1000

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
            connection, reason = self._live()
            if connection is not None:
                delay_s = self._next_delay_s(connection, delay_s)
            # Half either way: many boxes that lost their broker together must not return together.
            if self._stopping.wait(0.0 if reason in _AT_ONCE else delay_s * (0.5 + self._fraction())):
                return
            delay_s = min(delay_s * 2, self._settings.last_delay_s)

    def _next_delay_s(self, connection: Connection, delay_s: float) -> float:
        """Return the pause after a connection: short again only after one that was good for a while."""
        if connection.crowded:
            return self._settings.last_delay_s
        lived_ns = self._clock.now().boottime_ns - connection.since_ns
        steady = connection.accepted and lived_ns >= STEADY_S * 1e9
        return self._settings.first_delay_s if steady else delay_s

    def _live(self) -> tuple[Connection | None, str]:
        """Make one connection and work it to its end; return it, if there was one, and why it ended."""
        connection = None
        try:
            connection = self._begin()
            reason = self._serve(connection)
        except Invalid as error:
            reason = f"no connection to {self._settings.address}: {error}"
        except OSError as error:
            reason = connection.explain(error) if connection else str(error)
        except Exception as error:
            # A supervisor: a fault in a callback or in paho costs one connection, not the thread.
            reason = f"fault in the link: {error!r}"
            self._totals = _add(self._totals, faults=1)
            _log.exception("the link to HQ failed")
        self._end(connection, reason)
        return connection, reason

    def _begin(self) -> Connection:
        session = self._sessions.next(self._clock.now().wall_at, self._later_session)
        sessions = (self._sessions.previous, session)
        connection = Connection(
            self._settings, self._origin, self._clock, sessions, self._listeners, self.wake, self._files
        )
        self._connection = connection
        return connection

    def _end(self, connection: Connection | None, reason: str) -> None:
        accepted = connection is not None and connection.accepted
        if self._stopping.is_set():
            _log.info("HQ link closed")
        elif accepted or self._down.detail != reason:
            _log.warning("HQ link down: %s", reason)
        since_ns = self._clock.now().boottime_ns if accepted else self._down.since_ns
        self._down = LinkStatus(False, reason, since_ns)
        if connection is not None:
            connection.drop()
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
            problem = connection.stalled() or self._due_anew(connection)
            if problem:
                return problem
            ready = self._wait(sock.fileno(), connection.wants_write(), connection.unread())
            connection.work(readable=bool(ready & ~select.POLLOUT), writable=bool(ready & select.POLLOUT))
            if self._stopping.is_set():
                connection.say_goodbye()
                if connection.finished():
                    return "closed"

    def _due_anew(self, connection: Connection) -> str:
        """Say why a new connection must replace this healthy one, or ""."""
        if connection.later_session:
            self._later_session = connection.later_session
            connection.hang_up()
            return _SESSION
        now_ns = self._clock.now().boottime_ns
        if self._files is None or now_ns - self._looked_ns < TICK_S * 1e9:
            return ""
        self._looked_ns = now_ns
        if connection.accepted and self._files.renewed():
            connection.hang_up()
            return _RENEWED
        return ""

    def _wait(self, fileno: int, wants_write: bool, unread: bool) -> int:
        """Sleep until the socket or a poke has something; return the socket's poll events."""
        poller = select.poll()
        poller.register(fileno, select.POLLIN | (select.POLLOUT if wants_write else 0))
        poller.register(self._poke_in, select.POLLIN)
        ready = dict(poller.poll(0 if unread else TICK_S * 1000))
        if self._poke_in.fileno() in ready:
            self._drain_pokes()
        return ready.get(fileno, select.POLLIN if unread else 0)

    def _on_ack(self, incoming: Incoming) -> None:
        # One byte too many is enough for the codec to refuse it.
        self._raw_acks.append(incoming.payload[: MAX_ACK_BYTES + 1])
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
