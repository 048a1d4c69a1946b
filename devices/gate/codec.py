"""Relay boards as bytes: Modbus RTU (coils, Waveshare's own pulse, the FC06 clones) and KMTronic.

    request = flash_on(slave=1, coil=0, tenths=7)
    check_answer(request, answer)

Sources: Modbus Application Protocol 1.1b3 and Modbus over Serial Line 1.02; Waveshare Modbus RTU Relay wiki,
development protocol V2; KMTronic relay command pages. Vectors: captures/frames.json.
"""

from __future__ import annotations

_EXCEPTIONS = {
    1: "it does not know this function: is the board family set right?",
    2: "it has no such relay or input: is the number right?",
    3: "it does not take this value",
    4: "it has a fault",
    6: "it is busy",
}


class BadAnswer(ValueError):
    """An answer that cannot be used: wrong CRC, wrong sender, refused. The message says which."""


def crc16(data: bytes) -> int:
    """Return the Modbus CRC (polynomial 0xA001, start 0xFFFF); it goes out low byte first."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def sealed(body: bytes) -> bytes:
    """Return `body` (slave, function, data) with its CRC."""
    return body + crc16(body).to_bytes(2, "little")


def write_coil(slave: int, coil: int, on: bool) -> bytes:
    """Switch a relay: function 05. The answer is an echo."""
    return _request(slave, 0x05, coil, 0xFF00 if on else 0)


def flash_on(slave: int, coil: int, tenths: int) -> bytes:
    """Have a Waveshare board close relay `coil` (0-255) for `tenths` x 100 ms, 1-32767, by itself."""
    if not 0 <= coil <= 0xFF or not 1 <= tenths <= 0x7FFF:
        raise ValueError(f"flash needs coil 0-255 and 1-32767 tenths of a second, not {coil} and {tenths}")
    return _request(slave, 0x05, 0x0200 | coil, tenths)


def clone_set(slave: int, relay: int, on: bool) -> bytes:
    """Switch a relay of the FC06 clones; their registers count from 1, `relay` from 0."""
    return _request(slave, 0x06, relay + 1, 0x0100 if on else 0x0200)


def clone_delay(slave: int, relay: int, seconds: int) -> bytes:
    """Have an FC06 clone close a relay for 1-255 whole seconds by itself (command 06)."""
    if not 1 <= seconds <= 0xFF:
        raise ValueError(f"the board's delay is 1-255 seconds, not {seconds}")
    return _request(slave, 0x06, relay + 1, 0x0600 | seconds)


def read_inputs(slave: int, count: int) -> bytes:
    """Ask for inputs 0 to count-1: function 02."""
    return _request(slave, 0x02, 0, count)


def read_coils(slave: int, count: int) -> bytes:
    """Ask for relays 0 to count-1: function 01."""
    return _request(slave, 0x01, 0, count)


def answer_complete(request: bytes, data: bytes) -> bool:
    """Return whether `data` holds as many bytes as the answer to `request` has, by its own head."""
    if len(data) < 5:
        return False
    if data[1] & 0x80:
        return True
    if request[1] in (0x01, 0x02):
        return len(data) >= 5 + data[2]
    return len(data) >= 8


def check_answer(request: bytes, data: bytes) -> bytes:
    """Return the answer's data after slave and function; raise BadAnswer unless it answers `request`."""
    if request[1] not in (0x05, 0x06) and request.startswith(data[:5]):
        raise BadAnswer("only our own bytes came back: set local_echo, and check the board's power")
    if len(data) < 5 or crc16(data[:-2]) != int.from_bytes(data[-2:], "little"):
        raise BadAnswer(f"the CRC is wrong: {data.hex(' ')}; check wiring, termination and baud rate")
    if data[0] != request[0]:
        raise BadAnswer(f"board {data[0]} answered for board {request[0]}: two boards share an address?")
    if data[1] == request[1] | 0x80:
        why = _EXCEPTIONS.get(data[2], "see its manual")
        raise BadAnswer(f"board {data[0]} refused with code {data[2]}: {why}")
    if data[1] != request[1]:
        raise BadAnswer(f"board {data[0]} answered function {data[1]} to function {request[1]}")
    if data[1] in (0x05, 0x06) and data != request:
        raise BadAnswer(f"the echo differs: sent {request.hex(' ')}, got {data.hex(' ')}")
    return data[2:-2]


def bits(payload: bytes, count: int) -> tuple[bool, ...]:
    """Return `count` bits of a function 01/02 answer (byte count, then bits, lowest first)."""
    if len(payload) < 1 + (count + 7) // 8 or payload[0] != len(payload) - 1:
        raise BadAnswer(f"the answer holds fewer than {count} bits: {payload.hex(' ')}")
    return tuple(bool(payload[1 + at // 8] >> at % 8 & 1) for at in range(count))


def kmtronic_set(relay: int, on: bool) -> bytes:
    """Switch a KMTronic relay, 0-253; the board does not answer."""
    return bytes([0xFF, relay + 1, on])


def kmtronic_ask(relay: int) -> bytes:
    """Ask a KMTronic board whether a relay is on: the answer is FF, relay, 00 or 01."""
    return bytes([0xFF, relay + 1, 0x03])


def kmtronic_is_on(relay: int, answer: bytes) -> bool:
    """Read the answer to kmtronic_ask; raise BadAnswer when it is another."""
    if len(answer) != 3 or answer[:2] != bytes([0xFF, relay + 1]) or answer[2] > 1:
        raise BadAnswer(f"no relay state for relay {relay}: {answer.hex(' ')}")
    return answer[2] == 1


def _request(slave: int, function: int, address: int, value: int) -> bytes:
    if not 1 <= slave <= 247:
        raise ValueError(f"a board's address is 1-247, not {slave}")
    return sealed(bytes([slave, function]) + address.to_bytes(2, "big") + value.to_bytes(2, "big"))
