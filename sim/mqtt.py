"""As much MQTT 5 as a simulated box speaks, as bytes: a thousand boxes in one process leave no time for more.

Pure. Source: MQTT 5.0 (OASIS) §2.1 fixed header, §3.1 CONNECT, §3.3 PUBLISH, §3.4 PUBACK, §3.8 SUBSCRIBE.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

CONNACK, PUBLISH, PUBACK, SUBACK, PINGRESP, DISCONNECT = 2, 3, 4, 9, 13, 14

PINGREQ = b"\xc0\x00"

#: The largest packet taken; a broker sends a box nothing near it.
MAX_PACKET_BYTES = 64 * 1024

Pairs = Sequence[tuple[str, str]]


class ProtocolError(Exception):
    """The broker sent what is no MQTT."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A PUBLISH from the broker; mid is 0 for QoS 0."""

    topic: str
    mid: int
    payload: bytes


def connect(client_id: str, keepalive_s: int, will_topic: str, will: bytes) -> bytes:
    """Return a CONNECT with clean start and a retained will of QoS 1."""
    flags = 0b0010_1110
    body = _text("MQTT") + bytes([5, flags]) + keepalive_s.to_bytes(2, "big") + b"\x00" + _text(client_id)
    return _packet(0x10, body + b"\x00" + _text(will_topic) + len(will).to_bytes(2, "big") + will)


def publish(
    topic: str, payload: bytes, mid: int, pairs: Pairs = (), content_type: str = "", *, retain: bool = False
) -> bytes:
    """Return a PUBLISH of QoS 1 with user properties."""
    properties = b"\x03" + _text(content_type) if content_type else b""
    properties += b"".join(b"\x26" + _text(name) + _text(value) for name, value in pairs)
    head = _text(topic) + mid.to_bytes(2, "big") + _number(len(properties)) + properties
    return _packet(0x32 | int(retain), head + payload)


def puback(mid: int) -> bytes:
    """Return a PUBACK that says success."""
    return b"\x40\x02" + mid.to_bytes(2, "big")


def subscribe(topic: str, mid: int) -> bytes:
    """Return a SUBSCRIBE to one topic with QoS 1."""
    return _packet(0x82, mid.to_bytes(2, "big") + b"\x00" + _text(topic) + b"\x01")


def take_packets(buffer: bytearray) -> Iterator[tuple[int, int, bytes]]:
    """Yield (type, flags, body) of each whole packet and remove it from the buffer; raises ProtocolError."""
    start = 0
    while True:
        found = _length(buffer, start + 1)
        if found is None or found[0] + found[1] > len(buffer):
            break
        begin, length = found
        yield buffer[start] >> 4, buffer[start] & 0x0F, bytes(buffer[begin : begin + length])
        start = begin + length
    del buffer[:start]


def take_whole(buffer: bytearray, most_bytes: int = MAX_PACKET_BYTES) -> Iterator[bytes]:
    """Yield each whole packet as it stands and remove it from the buffer; raises ProtocolError."""
    while (found := _length(buffer, 1, most_bytes)) is not None and sum(found) <= len(buffer):
        end = sum(found)
        packet = bytes(buffer[:end])
        del buffer[:end]
        yield packet


def read_client_id(packet: bytes) -> str:
    """Return who connects, from a whole CONNECT of MQTT 5; raises ProtocolError for another packet."""
    found = _length(packet, 1)
    if packet[:1] != b"\x10" or found is None:
        raise ProtocolError("the first packet is no CONNECT")
    # Protocol name and version, flags, keepalive; then properties and the id.
    begin = found[0] + 10
    properties = _length(packet, begin)
    if properties is None:
        raise ProtocolError("CONNECT without properties")
    at = sum(properties)
    return packet[at + 2 : at + 2 + int.from_bytes(packet[at : at + 2], "big")].decode()


def read_publish(flags: int, body: bytes) -> Incoming:
    """Return the message of a PUBLISH packet."""
    size = int.from_bytes(body[:2], "big")
    at, mid = 2 + size, 0
    if flags & 0b0110:
        mid = int.from_bytes(body[at : at + 2], "big")
        at += 2
    found = _length(body, at)
    if found is None:
        raise ProtocolError("PUBLISH without properties")
    return Incoming(body[2 : 2 + size].decode(), mid, body[found[0] + found[1] :])


def read_puback(body: bytes) -> tuple[int, int]:
    """Return packet id and reason code of a PUBACK."""
    return int.from_bytes(body[:2], "big"), body[2] if len(body) > 2 else 0


def _packet(first: int, body: bytes) -> bytes:
    return bytes([first]) + _number(len(body)) + body


def _text(value: str) -> bytes:
    encoded = value.encode()
    return len(encoded).to_bytes(2, "big") + encoded


def _number(value: int) -> bytes:
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


def _length(buffer: bytes | bytearray, at: int, most_bytes: int = MAX_PACKET_BYTES) -> tuple[int, int] | None:
    """Return where what follows a variable byte integer begins, and its value; None when it is cut off."""
    value, shift = 0, 0
    for place in range(at, min(at + 4, len(buffer))):
        value |= (buffer[place] & 0x7F) << shift
        if buffer[place] < 0x80:
            if value > most_bytes:
                raise ProtocolError(f"a packet of {value} bytes, {most_bytes} at most")
            return place + 1, value
        shift += 7
    if len(buffer) >= at + 4:
        raise ProtocolError("a length of more than 4 bytes")
    return None
