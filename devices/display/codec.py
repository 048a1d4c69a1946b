"""The lane's text and voice board (Jinjie and its relatives) as bytes: DA VR PN CMD DL DATA CRC.

    frame = text_frame("京A12345", line=0)
    parse_ack(frame, answer)

DA 00, VR 64, PN FF FF; CRC16 of Modbus, low byte first; text in GBK. Source: the board's protocol as in
JinjieScreenFactory.java and blog.sdlinka.com/2465, checked against published frames (captures/frames.json).
"""

from __future__ import annotations

import unicodedata
from enum import IntEnum

from devices.gate.codec import crc16

HEAD = b"\x00\x64\xff\xff"
MAX_VOICE_BYTES = 254
MAX_TEXT_BYTES = 236
GAP_S = 0.4
_VOICE, _STOP, _TEXT = 0x30, 0x31, 0x62
_AT_ONCE, _MOVE = 0x00, 0x15
_WIDE = str.maketrans({"¥": "￥", "\u00a0": " "})


class Colour(IntEnum):
    """Text colour, as the first three of four bytes."""

    RED = 0xFF0000
    GREEN = 0x00FF00
    YELLOW = 0xFFFF00


class Voice(IntEnum):
    """What happens to texts that wait to be spoken."""

    QUEUE = 0
    QUEUE_AND_PLAY = 1
    CLEAR_AND_PLAY = 2


class BadAck(ValueError):
    """An answer that is no acknowledgement of our frame; the message says why."""


def voice_frame(text: str, mode: Voice = Voice.CLEAR_AND_PLAY) -> bytes:
    """Speak `text`; what exceeds 254 bytes of GBK is left out at a character's end."""
    return _frame(_VOICE, bytes([mode]) + encode(text, MAX_VOICE_BYTES, missing=" "))


def stop_voice_frame() -> bytes:
    """Stop speaking."""
    return _frame(_STOP, b"")


def text_frame(text: str, line: int, colour: Colour = Colour.RED, moving: bool = False) -> bytes:
    """Show `text` on `line` (from 0) until it is replaced; moving: it runs through, for long texts.

    What exceeds 236 bytes of GBK is left out at a character's end; a missing character shows as □.
    Fields: TWID ETM ETS DM DT EXM EXS FINDEX DRS TC(4) BC(4) TL(2) TEXT.
    """
    if not 0 <= line <= 15:
        raise ValueError(f"a board has lines 0-15, not {line}")
    data = encode(text, MAX_TEXT_BYTES, missing="□")
    effect = _MOVE if moving else _AT_ONCE
    head = bytes([line, effect, 1, 0, 2, effect, 1, 3, 0])
    colours = colour.to_bytes(3, "big") + b"\x00" + bytes(4)
    return _frame(_TEXT, head + colours + len(data).to_bytes(2, "little") + data)


def encode(text: str, limit: int, missing: str) -> bytes:
    """Return `text` in GBK, at most `limit` bytes, whole characters only; `missing` for what GBK lacks."""
    data = b""
    for character in unicodedata.normalize("NFC", text).translate(_WIDE):
        encoded = _gbk(character, missing)
        if len(data) + len(encoded) > limit:
            break
        data += encoded
    return data


def answer_complete(data: bytes) -> bool:
    """Return whether `data` holds as many bytes as its own head says."""
    return len(data) >= 6 and len(data) >= 8 + data[5]


def parse_ack(request: bytes, answer: bytes) -> None:
    """Return when the board said "done" to `request`; raise BadAck otherwise."""
    if len(answer) < 8 or len(answer) != 8 + answer[5]:
        raise BadAck(f"no whole frame: {answer.hex(' ')}")
    if crc16(answer[:-2]) != int.from_bytes(answer[-2:], "little"):
        raise BadAck(f"the CRC is wrong: {answer.hex(' ')}; check wiring and baud rate")
    if answer[4] != request[4]:
        raise BadAck(f"the board answered command {answer[4]:02X} to command {request[4]:02X}")
    if answer[5] != 1 or answer[6] != 0:
        raise BadAck(f"the board refused command {request[4]:02X} with {answer[6:-2].hex(' ') or 'nothing'}")


def _frame(command: int, data: bytes) -> bytes:
    body = HEAD + bytes([command, len(data)]) + data
    return body + crc16(body).to_bytes(2, "little")


def _gbk(character: str, missing: str) -> bytes:
    if unicodedata.category(character)[0] == "C":
        return b" " if character.isspace() else b""
    try:
        return character.encode("gbk")
    except UnicodeEncodeError:
        return missing.encode("gbk")
