"""The link against brokers that misbehave: written byte by byte after MQTT 5.0, as no real one does this."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from edge.clock import Instant, SystemClock
from edge.hq.connection import LinkSettings, Saying
from edge.hq.link import MqttLink
from edge.services.outbox_records import OutboxMessage
from tests.unit.hq_samples import ORIGIN, CountingIds, MemoryOutbox, record

DEADLINE_S = 15.0

CONNECT, PUBLISH, SUBSCRIBE, DISCONNECT = 1, 3, 8, 14


@dataclass
class BadBroker:
    """Answers CONNECT, SUBSCRIBE and PUBLISH with what it was told to.

    connack: the whole CONNACK, b"" for silence. puback: the reason code, None for silence.
    """

    connack: bytes = b"\x20\x03\x00\x00\x00"
    puback: int | None = 0
    connections: int = 0
    published: list[bytes] = field(default_factory=list)
    heard: list[bytes] = field(default_factory=list)
    goodbyes: int = 0

    def __post_init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self.port = self._server.getsockname()[1]
        self._threads = [threading.Thread(target=self._listen, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for sock in self._sockets:
            sock.close()
        for thread in self._threads:
            thread.join(5)

    def _listen(self) -> None:
        while True:
            try:
                sock, _ = self._server.accept()
            except OSError:
                return
            self.connections += 1
            self._sockets.append(sock)
            thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket) -> None:
        try:
            with sock.makefile("rb") as stream:
                while head := stream.read(1):
                    self._answer(sock, head[0] >> 4, stream.read(_length(stream)))
        except OSError:
            return

    def _answer(self, sock: socket.socket, kind: int, packet: bytes) -> None:
        if kind == CONNECT:
            sock.sendall(self.connack)
        elif kind == SUBSCRIBE:
            sock.sendall(b"\x90\x04" + packet[:2] + b"\x00\x01")
        elif kind == DISCONNECT:
            self.goodbyes += 1
        elif kind == PUBLISH:
            self.heard.append(packet)
            name = int.from_bytes(packet[:2], "big")
            if b"/events/" in packet[2 : 2 + name]:
                self.published.append(packet)
            if self.puback is not None:
                sock.sendall(b"\x40\x04" + packet[2 + name : 4 + name] + bytes([self.puback, 0]))


def _length(stream: Any) -> int:
    value, shift = 0, 0
    while True:
        byte = stream.read(1)
        if not byte:
            raise OSError("ended inside a packet")
        value |= (byte[0] & 0x7F) << shift
        shift += 7
        if byte[0] < 0x80:
            return value


@pytest.fixture
def start() -> Iterator[Callable[..., MqttLink]]:
    opened: list[Any] = []

    def begin(broker: BadBroker, **settings: Any) -> MqttLink:
        wanted = {"first_delay_s": 0.05, "last_delay_s": 0.1, "connect_s": 1.0, "goodbye_s": 0.2} | settings
        link = MqttLink(LinkSettings("127.0.0.1", broker.port, **wanted), ORIGIN, SystemClock())
        link.start()
        opened.extend([link, broker])
        return link

    yield begin
    for one in opened:
        one.close()


def messages(count: int) -> tuple[OutboxMessage, ...]:
    outbox = MemoryOutbox()
    record(outbox, CountingIds(), count)
    return outbox.window(0, count)


def eventually(condition: Callable[[], Any], what: Callable[[], str]) -> None:
    pause = threading.Event()
    for _ in range(int(DEADLINE_S / 0.01)):
        if condition():
            return
        pause.wait(0.01)
    raise AssertionError(f"not in {DEADLINE_S:.0f} s: {what()}")


def connected(link: MqttLink) -> None:
    eventually(lambda: link.status().connected, lambda: link.status().detail)


def says(link: MqttLink, words: str) -> None:
    eventually(lambda: words in link.status().detail, lambda: f"{words!r} in {link.status().detail!r}")


def test_the_brokers_receive_maximum_bounds_what_is_unacknowledged(start: Callable[..., MqttLink]) -> None:
    broker = BadBroker(connack=b"\x20\x06\x00\x00\x03\x21\x00\x03", puback=None)
    link = start(broker)
    connected(link)
    rest = messages(30)
    # The birth is one of the three.
    assert link.send(rest, 1) <= 3
    eventually(lambda: len(broker.published) == 2, lambda: f"{len(broker.published)} published")
    assert link.send(rest, 1) <= 1
    assert not threading.Event().wait(0.3)
    assert len(broker.published) == 2


def test_a_broker_that_acknowledges_nothing_is_left_for_a_new_connection(
    start: Callable[..., MqttLink],
) -> None:
    broker = BadBroker(puback=None)
    link = start(broker, stall_s=0.5)
    eventually(lambda: broker.connections >= 3, lambda: f"{broker.connections} connections")
    says(link, "acknowledged nothing")


def test_a_broker_that_never_answers_connect_is_left_too(start: Callable[..., MqttLink]) -> None:
    broker = BadBroker(connack=b"")
    link = start(broker, connect_s=0.3)
    says(link, "did not answer CONNECT")
    eventually(lambda: broker.connections >= 2, lambda: f"{broker.connections} connections")
    assert link.send(messages(1), 1) == 0


def test_a_refused_connection_says_why(start: Callable[..., MqttLink]) -> None:
    link = start(BadBroker(connack=b"\x20\x03\x00\x87\x00"))
    says(link, "Not authorized")
    assert not link.status().connected


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0x10, "HQ has not subscribed (0x10)"),
        (0x87, "check its user and access rules"),
        (0x97, "quota"),
        (0x80, "refused an event"),
    ],
)
def test_a_refused_event_is_shown_while_the_connection_stays(
    start: Callable[..., MqttLink], code: int, words: str
) -> None:
    broker = BadBroker(puback=code)
    link = start(broker)
    connected(link)
    since_ns = link.status().since_ns
    link.send(messages(1), 1)
    says(link, words)
    assert link.status().connected
    assert link.status().since_ns == since_ns
    broker.puback = 0
    link.send(messages(1), 1)
    says(link, "connected")
    assert link.counts().refused >= 1


@pytest.mark.parametrize(
    "garbage",
    [
        b"\xff" * 64,
        b"\x20\x03\x00\x00\x00" + b"\x40\x02\x00",
        b"\x20\x03\x00\x00\x00\x30\xff\xff\xff\xff\x7f",
        b"HTTP/1.1 400\r\n\r\n",
    ],
)
def test_garbage_costs_a_connection_and_never_the_thread(
    start: Callable[..., MqttLink], garbage: bytes
) -> None:
    broker = BadBroker(connack=garbage, puback=None)
    link = start(broker, connect_s=0.3, stall_s=0.4)
    eventually(lambda: broker.connections >= 3, lambda: f"{broker.connections}: {link.status()}")
    broker.connack, broker.puback = BadBroker.connack, 0
    connected(link)
    eventually(lambda: link.send(messages(1), 1) == 1, lambda: "room")
    eventually(lambda: broker.published, lambda: "an event came through")


def test_nobody_listening_is_told_and_tried_again(start: Callable[..., MqttLink]) -> None:
    broker = BadBroker()
    broker.close()
    link = MqttLink(LinkSettings("127.0.0.1", broker.port, first_delay_s=0.05), ORIGIN, SystemClock())
    link.start()
    says(link, f"no connection to 127.0.0.1:{broker.port}")
    link.close()


def test_pauses_grow_to_their_end_and_vary_by_half_either_way() -> None:
    """The pauses between attempts, as the random source and nothing else spreads them."""
    for fraction, low, high in ((0.0, 0.15, 0.45), (0.999, 0.45, 1.35)):
        broker = BadBroker(connack=b"\x20\x03\x00\x87\x00")
        times: list[float] = []

        def drawn(value: float = fraction, times: list[float] = times) -> float:
            times.append(time.monotonic())
            return value

        settings = LinkSettings("127.0.0.1", broker.port, first_delay_s=0.1, last_delay_s=0.4)
        link = MqttLink(settings, ORIGIN, SystemClock(), fraction=drawn)
        link.start()
        # 0.1, 0.2, 0.4, 0.4 s, each times 0.5 or 1.5.
        eventually(lambda times=times: len(times) >= 5, lambda times=times: f"{len(times)} attempts")
        link.close()
        broker.close()
        assert low <= times[2] - times[0] <= high + 0.3
        assert times[4] - times[3] >= 0.4 * (0.5 + fraction) - 0.01


def test_a_connection_that_is_dropped_at_once_does_not_begin_the_pauses_anew() -> None:
    broker = BadBroker()
    drawn: list[float] = []

    def draw() -> float:
        drawn.append(time.monotonic())
        return 0.5

    settings = LinkSettings("127.0.0.1", broker.port, first_delay_s=0.05, last_delay_s=5.0, stall_s=0.1)
    link = MqttLink(settings, ORIGIN, SystemClock(), fraction=draw)
    broker.puback = None
    link.start()
    eventually(lambda: len(drawn) >= 4, lambda: f"{len(drawn)} pauses")
    link.close()
    broker.close()
    # 0.05, 0.1 and 0.2 s of pause, and each connection was accepted.
    assert drawn[3] - drawn[0] >= 0.35
    assert link.counts().connections >= 4


def test_a_link_that_was_never_started_can_be_closed() -> None:
    link = MqttLink(LinkSettings("127.0.0.1"), ORIGIN, SystemClock())
    link.close()
    assert not link.status().connected


class OnceFaultyClock:
    """A clock that raises at its next reading in the link's thread, once armed."""

    def __init__(self) -> None:
        self._clock = SystemClock()
        self.armed = False

    def now(self) -> Instant:
        if self.armed and threading.current_thread().name == "hq-link":
            self.armed = False
            raise RuntimeError("a fault of our own")
        return self._clock.now()


def test_a_fault_of_our_own_costs_a_connection_and_never_the_thread() -> None:
    broker, clock = BadBroker(), OnceFaultyClock()
    link = MqttLink(LinkSettings("127.0.0.1", broker.port, first_delay_s=0.05), ORIGIN, clock)
    link.start()
    connected(link)
    clock.armed = True
    # The acknowledgement of this event is read in a callback of paho's, which looks at the clock.
    link.send(messages(1), 1)
    eventually(lambda: link.counts().faults == 1, lambda: str(link.counts()))
    eventually(lambda: broker.connections == 2, lambda: "a second connection")
    connected(link)
    link.close()
    broker.close()


class LeapingClock:
    """A clock whose boot time can leap ahead, as after hours without a word."""

    def __init__(self) -> None:
        self._clock = SystemClock()
        self.ahead_ns = 0

    def now(self) -> Instant:
        now = self._clock.now()
        return replace(now, boottime_ns=now.boottime_ns + self.ahead_ns)


@pytest.mark.parametrize("word", ["answer", "goodbye"])
def test_a_word_after_a_quiet_time_is_given_its_time_to_be_acknowledged(word: str) -> None:
    broker, clock = BadBroker(), LeapingClock()
    settings = LinkSettings("127.0.0.1", broker.port, first_delay_s=0.05, last_delay_s=0.1, stall_s=20.0)
    settings = replace(settings, goodbye_s=0.2)
    link = MqttLink(settings, ORIGIN, clock)
    link.start()
    eventually(lambda: link.status().connected and len(broker.heard) == 1, lambda: "no birth")
    broker.puback = None
    clock.ahead_ns = 60 * 1_000_000_000
    if word == "answer":
        assert link.say(Saying("mall/demo-mall/edge/till-1/replies/v1", b"{}"))
        eventually(lambda: len(broker.heard) == 2, lambda: f"{broker.heard}")
        assert not threading.Event().wait(0.3)
        assert broker.connections == 1
    link.close()
    assert b"offline" in broker.heard[-1]
    eventually(lambda: broker.goodbyes == 1, lambda: f"{broker.goodbyes} goodbyes")
    broker.close()
