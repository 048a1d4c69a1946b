"""A broker that dies at the n-th packet between it and box or HQ: before or after that packet is passed on.

Every connection goes through here, packet by packet. What counts as a boundary is each PUBLISH and each
acknowledgement (PUBACK, PUBREC, PUBREL, PUBCOMP) of the box and of HQ's worker, HQ's own acks among them,
once before and once after it went on. Source: MQTT 5.0 (OASIS) §2.1.2.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import socket
import threading
from dataclasses import dataclass
from pathlib import Path

from sim.broker import HOST, MAX_PAYLOAD_BYTES, Broker, BrokerKind
from sim.mqtt import ProtocolError, read_client_id, read_publish, take_whole

#: Packets that are counted, by the upper four bits of their first byte.
_COUNTED = {3: "PUBLISH", 4: "PUBACK", 5: "PUBREC", 6: "PUBREL", 7: "PUBCOMP"}

#: Largest packet passed on, and connections at one time.
_MOST_BYTES = MAX_PAYLOAD_BYTES + 64 * 1024
_MOST_CONNECTIONS = 32
_CHUNK = 65_536

#: A stock Mosquitto: it says where to listen and who may come, and nothing of persistence, which is off then.
STOCK = "listener {port} 127.0.0.1\nallow_anonymous true\nuser {user}\nlog_dest stderr\nlog_type error\n"


@dataclass(slots=True)
class _Aim:
    """target: the boundary that kills, 0 for none. counted: those passed. where: the one that killed."""

    target: int = 0
    counted: int = 0
    where: str = ""


class KilledBroker(Broker):
    """A stock Mosquitto behind a wire that kills it; `port` is the wire's, where clients go."""

    def __init__(self, folder: Path) -> None:
        """folder: for its configuration. Raises BrokerError where Mosquitto is not installed."""
        super().__init__(BrokerKind.MOSQUITTO)
        self._behind = self.port
        config = folder / "stock.conf"
        config.write_text(STOCK.format(port=self._behind, user=pwd.getpwuid(os.getuid()).pw_name), "ascii")
        self._broker = Broker(BrokerKind.MOSQUITTO, self._behind, config)
        self._listener = socket.create_server((HOST, 0), backlog=_MOST_CONNECTIONS)
        self.port = int(self._listener.getsockname()[1])
        self._aim, self._door = _Aim(), threading.Lock()
        self.died = threading.Event()
        threading.Thread(target=self._accept, name="sim-broker-wire", daemon=True).start()

    def start(self) -> None:
        """Start the broker, or again on the same port."""
        self.died.clear()
        self._broker.start()

    def close(self) -> None:
        """End the broker and the wire."""
        self.arm(0)
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._broker.close()
        super().close()

    def arm(self, at: int) -> None:
        """Count boundaries from now on, and kill the broker at the one with this number; 0 counts alone."""
        with self._door:
            self._aim = _Aim(at)

    @property
    def counted(self) -> int:
        """How many boundaries were passed since `arm`."""
        with self._door:
            return self._aim.counted

    @property
    def where(self) -> str:
        """At which boundary it was killed: number, side, packet, direction and topic; "" for none."""
        with self._door:
            return self._aim.where

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection((HOST, self._behind), timeout=2.0)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            for one in (near, far):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line = _Line(near, far)
            for pump in (self._to_broker, self._from_broker):
                threading.Thread(target=pump, args=(line,), name="sim-broker-line", daemon=True).start()

    def _to_broker(self, line: _Line) -> None:
        self._pump(line, line.near, line.far, "to the broker")

    def _from_broker(self, line: _Line) -> None:
        self._pump(line, line.far, line.near, "from the broker")

    def _pump(self, line: _Line, come: socket.socket, go: socket.socket, way: str) -> None:
        buffer = bytearray()
        with contextlib.suppress(OSError, ProtocolError):
            while more := come.recv(_CHUNK):
                buffer += more
                for packet in take_whole(buffer, _MOST_BYTES):
                    if packet[0] >> 4 == 1:
                        line.who = _who(read_client_id(packet))
                    self._pass(line, packet, go, way)
        line.close()

    def _pass(self, line: _Line, packet: bytes, go: socket.socket, way: str) -> None:
        """Pass a packet on, and kill the broker before or after it when its turn has come."""
        name = _COUNTED.get(packet[0] >> 4)
        if name is None or not line.who:
            go.sendall(packet)
            return
        told = f"{name} {way}, {line.who}{_topic(packet)}"
        if self._is_due("before", told):
            raise ConnectionError("the broker was killed")
        go.sendall(packet)
        if self._is_due("after", told):
            raise ConnectionError("the broker was killed")

    def _is_due(self, side: str, told: str) -> bool:
        with self._door:
            aim = self._aim
            aim.counted += 1
            if aim.counted != aim.target:
                return False
            aim.where = f"{aim.counted} {side} {told}"
            self._broker.kill()
            self.died.set()
            return True


class _Line:
    """One client's connection and the broker's end of it. who: box or HQ, "" for others."""

    def __init__(self, near: socket.socket, far: socket.socket) -> None:
        self.near, self.far, self.who = near, far, ""

    def close(self) -> None:
        """End both, so that both pumps end."""
        for one in (self.near, self.far):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


def _who(client_id: str) -> str:
    if client_id.startswith("mall-edge."):
        return "box"
    return "" if client_id.startswith("mall-hq-relay") else "HQ"


def _topic(packet: bytes) -> str:
    """Return the last words of a PUBLISH's topic, with a space before them."""
    if packet[0] >> 4 != 3:
        return ""
    begin = next(at for at in range(1, 5) if packet[at] < 0x80) + 1
    words = read_publish(packet[0] & 0x0F, packet[begin:]).topic.split("/")
    return " " + "/".join(words[4:])
