"""A thousand simulated boxes in one process, each with its own connection, outbox and presence.

They speak docs/protocols/hq-events.md: an event stays until HQ's own ack covers it; after a lost connection
a box waits, longer each time and never as long as its neighbour, and sends again from the oldest. For
measuring HQ and brokers: `python -m sim fleet`. Nothing is kept on disk, so that the fleet takes little of
the machine that it measures.
"""

from __future__ import annotations

import heapq
import json
import os
import selectors
import socket
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from sim import mqtt
from sim.clocks import iso, monotonic_s, unix_ms

SITE_SIZE = 50
KEEPALIVE_S = 60
CONNECT_S = 10.0

#: The pause before connecting again doubles from first to last, each between half of it and one and a half.
FIRST_PAUSE_S = 1.0
LAST_PAUSE_S = 60.0

#: Without progress for so long, everything unacknowledged is sent again; the wait doubles to the last.
FIRST_RESEND_S = 5.0
LAST_RESEND_S = 300.0

#: Events of one box on their way, and those that may wait at all; a real box has a disk for that.
WINDOW = 50
MAX_WAITING = 100_000

READ_BYTES = 65_536
TICK_S = 0.05


@dataclass(frozen=True, slots=True)
class FleetSettings:
    """boxes: how many. rate: events a second of each. lives_s: a connection is cut after so long on average,
    0 for never. refused: what to do is the box's business; see `FleetCounts`.
    """

    port: int
    host: str = "127.0.0.1"
    boxes: int = 1_000
    rate: float = 5.0
    lives_s: float = 0.0


@dataclass(slots=True)
class FleetCounts:
    """Totals since the start. unheard: events that the broker had nobody for (0x10)."""

    connected: int = 0
    connects: int = 0
    failures: int = 0
    written: int = 0
    published: int = 0
    unheard: int = 0
    acks: int = 0
    acked: int = 0


@dataclass(slots=True)
class _Box:
    """One simulated box. waiting: (sequence, event) without HQ's ack, oldest first; sent: how many of them
    are on their way on this connection.
    """

    site: str
    edge: str
    number: int
    sock: socket.socket | None = None
    online: bool = False
    session: int = 0
    received: bytearray = field(default_factory=bytearray)
    unsent: bytearray = field(default_factory=bytearray)
    waiting: deque[tuple[int, bytes]] = field(default_factory=deque)
    sent: int = 0
    sequence: int = 0
    pause_s: float = FIRST_PAUSE_S
    resend_s: float = FIRST_RESEND_S
    progress_s: float = 0.0

    @property
    def root(self) -> str:
        """The box's part of the topics."""
        return f"mall/{self.site}/edge/{self.edge}"


class Fleet:
    """All boxes; one thread calls `run`. on_connect: told of each connection, for plots."""

    def __init__(self, settings: FleetSettings, on_connect: Callable[[], None] = lambda: None) -> None:
        self.counts = FleetCounts()
        self.rate = settings.rate
        self._settings = settings
        self._on_connect = on_connect
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._timer_number = 0
        self._boxes = [_Box(f"site-{n // SITE_SIZE}", f"box-{n}", n) for n in range(settings.boxes)]
        for box in self._boxes:
            # Boxes do not all start in the same second.
            self._later(2 * fraction(), lambda box=box: self._connect(box))  # type: ignore[misc]
            self._later(fraction(), lambda box=box: self._live(box))  # type: ignore[misc]

    def __len__(self) -> int:
        """Return how many boxes there are."""
        return len(self._boxes)

    def run(self, seconds: float) -> None:
        """Work for so long."""
        until = monotonic_s() + seconds
        while (now := monotonic_s()) < until:
            while self._timers and self._timers[0][0] <= now:
                heapq.heappop(self._timers)[2]()
            due = self._timers[0][0] - now if self._timers else TICK_S
            for key, events in self._selector.select(max(0.0, min(TICK_S, due, until - now))):
                self._work(key.data, events)

    def waiting(self) -> int:
        """Return how many events HQ has not acknowledged."""
        return sum(len(box.waiting) for box in self._boxes)

    def cut(self) -> None:
        """Cut every connection, as a power cut of the mall's switch does."""
        for box in self._boxes:
            self._lose(box)

    def close(self) -> None:
        """Close all connections without a goodbye."""
        for box in self._boxes:
            if box.sock is not None:
                self._selector.unregister(box.sock)
                box.sock.close()
        self._selector.close()

    def _later(self, seconds: float, what: Callable[[], None]) -> None:
        self._timer_number += 1
        heapq.heappush(self._timers, (monotonic_s() + seconds, self._timer_number, what))

    def _live(self, box: _Box) -> None:
        """Write an event, look whether something must be sent again, and come back."""
        if self.rate > 0 and len(box.waiting) < MAX_WAITING:
            box.sequence += 1
            self.counts.written += 1
            box.waiting.append((box.sequence, _event(box)))
        now = monotonic_s()
        if box.online and box.sent and now - box.progress_s > box.resend_s:
            box.sent, box.progress_s = 0, now
            box.resend_s = min(2 * box.resend_s, LAST_RESEND_S)
        self._send(box)
        self._later(1 / self.rate if self.rate > 0 else 1.0, lambda: self._live(box))

    def _send(self, box: _Box) -> None:
        if not box.online:
            return
        if not box.sent:
            box.progress_s = monotonic_s()
        while box.sent < min(WINDOW, len(box.waiting)):
            sequence, body = box.waiting[box.sent]
            box.unsent += _published(box, sequence, body)
            box.sent += 1
            self.counts.published += 1
        self._flush(box)

    def _flush(self, box: _Box) -> None:
        if box.sock is None or not box.unsent:
            return
        try:
            del box.unsent[: box.sock.send(box.unsent)]
        except BlockingIOError:
            pass
        except OSError:
            self._lose(box)
            return
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if box.unsent else 0)
        if self._selector.get_key(box.sock).events != wanted:
            self._selector.modify(box.sock, wanted, box)

    def _connect(self, box: _Box) -> None:
        sock = socket.socket()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(BlockingIOError):
            try:
                sock.connect((self._settings.host, self._settings.port))
            except ConnectionError:
                sock.close()
                self._again(box)
                return
        box.sock, box.session = sock, unix_ms()
        box.received.clear()
        will = json.dumps({"state": "lost", "session": box.session}).encode()
        name = f"fleet-{box.site}-{box.edge}"
        box.unsent = bytearray(mqtt.connect(name, KEEPALIVE_S, f"{box.root}/state/v1", will))
        self._selector.register(sock, selectors.EVENT_READ | selectors.EVENT_WRITE, box)
        self._later(CONNECT_S, lambda: self._give_up(box, sock))

    def _give_up(self, box: _Box, sock: socket.socket) -> None:
        if box.sock is sock and not box.online:
            self._lose(box)

    def _again(self, box: _Box) -> None:
        self.counts.failures += 1
        self._later(box.pause_s * (0.5 + fraction()), lambda: self._connect(box))
        box.pause_s = min(2 * box.pause_s, LAST_PAUSE_S)

    def _lose(self, box: _Box) -> None:
        if box.sock is None:
            return
        self._selector.unregister(box.sock)
        box.sock.close()
        box.sock, box.sent = None, 0
        self.counts.connected -= int(box.online)
        box.online = False
        box.unsent.clear()
        self._again(box)

    def _work(self, box: _Box, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            self._flush(box)
        if not events & selectors.EVENT_READ or box.sock is None:
            return
        try:
            data = box.sock.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._lose(box)
            return
        box.received += data
        try:
            for kind, flags, body in list(mqtt.take_packets(box.received)):
                self._take(box, kind, flags, body)
        except (mqtt.ProtocolError, ValueError, KeyError, TypeError):
            self._lose(box)
        self._send(box)

    def _take(self, box: _Box, kind: int, flags: int, body: bytes) -> None:
        if kind == mqtt.CONNACK:
            self._welcome(box, body)
        elif kind == mqtt.PUBACK:
            self.counts.unheard += int(mqtt.read_puback(body)[1] == 0x10)
        elif kind == mqtt.PUBLISH:
            message = mqtt.read_publish(flags, body)
            if message.mid:
                box.unsent += mqtt.puback(message.mid)
            self._acknowledged(box, json.loads(message.payload))
        elif kind == mqtt.DISCONNECT:
            self._lose(box)

    def _welcome(self, box: _Box, body: bytes) -> None:
        if len(body) < 2 or body[1]:
            raise mqtt.ProtocolError(f"the broker refused a box: 0x{body[1:2].hex()}")
        state = json.dumps({"state": "online", "session": box.session}).encode()
        box.unsent += mqtt.subscribe(f"{box.root}/acks/v1", 65_535)
        box.unsent += mqtt.publish(f"{box.root}/state/v1", state, 65_534, retain=True)
        box.online, box.sent, box.pause_s = True, 0, FIRST_PAUSE_S
        self.counts.connected += 1
        self.counts.connects += 1
        self._on_connect()
        sock = box.sock
        self._later(KEEPALIVE_S / 2, lambda: self._ping(box, sock))
        if self._settings.lives_s:
            self._later(self._settings.lives_s * 2 * fraction(), lambda: self._cut(box, sock))

    def _ping(self, box: _Box, sock: socket.socket | None) -> None:
        if box.sock is sock and box.online:
            box.unsent += mqtt.PINGREQ
            self._flush(box)
            self._later(KEEPALIVE_S / 2, lambda: self._ping(box, sock))

    def _cut(self, box: _Box, sock: socket.socket | None) -> None:
        if box.sock is sock:
            self._lose(box)

    def _acknowledged(self, box: _Box, ack: dict[str, object]) -> None:
        """Forget what HQ has settled; holes are sent again with all that follows them."""
        through, holes = int(str(ack["through"])), set(map(int, ack.get("holes", ())))  # type: ignore[call-overload]
        end = min(holes) - 1 if holes else through
        gone = 0
        while box.waiting and box.waiting[0][0] <= end:
            box.waiting.popleft()
            gone += 1
        self.counts.acks += 1
        self.counts.acked += gone
        box.sent = 0 if holes and gone == 0 and box.waiting else max(0, box.sent - gone)
        if gone:
            box.progress_s, box.resend_s = monotonic_s(), FIRST_RESEND_S


def fraction() -> float:
    """Return a number from 0 to below 1 from the system's randomness."""
    return int.from_bytes(os.urandom(4), "big") / 2**32


def _published(box: _Box, sequence: int, body: bytes) -> bytes:
    pairs = (
        ("id", _event_id(box, sequence)),
        ("type", "cn.mall.order.paid.v1"),
        ("source", f"/{box.root}"),
        ("sequence", str(sequence)),
        ("oldest", str(box.waiting[0][0])),
    )
    topic = f"{box.root}/events/v1/order.paid"
    return mqtt.publish(topic, body, sequence % 65_000 + 1, pairs, "application/cloudevents+json")


def _event_id(box: _Box, sequence: int) -> str:
    return f"{box.number:08x}-0000-7000-8000-{sequence:012x}"


def _event(box: _Box) -> bytes:
    order = f"order-{box.number}-{box.sequence}"
    return (
        _BODY.replace("@id", _event_id(box, box.sequence))
        .replace("@root", box.root)
        .replace("@sequence", f"{box.sequence:016d}")
        .replace("@time", iso(unix_ms()))
        .replace("@order", order)
    ).encode()


#: A paid order of two lines, 20.50 yuan.
_BODY = json.dumps(
    {
        "specversion": "1.0",
        "id": "@id",
        "source": "/@root",
        "type": "cn.mall.order.paid.v1",
        "subject": "@order",
        "time": "@time",
        "datacontenttype": "application/json",
        "dataschema": "urn:mall-edge:event:order.paid:v1",
        "sequence": "@sequence",
        "correlationid": "@order",
        "bootid": "6d5c8a3e-0f3f-4a53-9a54-6a5d5c9f0a11",
        "boottimems": "12345",
        "clocktrusted": True,
        "data": {
            "order_id": "@order",
            "number": "0042",
            "workstation": "kiosk-1",
            "business_day": "2026-11-22",
            "ordered_at": 1795300000123,
            "currency": "CNY",
            "total_fen": 2050,
            "paid_at": 1795300002123,
            "tenants": [
                {"tenant_id": "t-bakery", "amount_fen": 800},
                {"tenant_id": "t-coffee", "amount_fen": 1250},
            ],
            "lines": [
                {
                    "sku": "sku-1",
                    "tenant_id": "t-coffee",
                    "name": "拿铁",
                    "barcode": "6901234567892",
                    "quantity": 1,
                    "weight_g": 0,
                    "unit_price_fen": 1250,
                    "amount_fen": 1250,
                },
                {
                    "sku": "sku-2",
                    "tenant_id": "t-bakery",
                    "name": "可颂",
                    "barcode": "6901234567908",
                    "quantity": 1,
                    "weight_g": 0,
                    "unit_price_fen": 800,
                    "amount_fen": 800,
                },
            ],
            "tenders": [
                {
                    "tender_id": "tender-1",
                    "kind": "wechat_pay",
                    "amount_fen": 2050,
                    "received_fen": 2050,
                    "change_fen": 0,
                    "attempt_id": "attempt-1",
                }
            ],
        },
    },
    ensure_ascii=False,
    separators=(",", ":"),
)
