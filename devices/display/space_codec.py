"""The space-count board (Xunpeng 讯鹏): 3A colour count(2, low first) info sum 0A, one way.

Source: the board's frame as published; 888 in green is 3A 00 78 03 01 B6 0A. `sum` is the low byte of the sum
of all bytes before it. info 01: show the number. The board does not answer.
"""

from __future__ import annotations

from enum import IntEnum

MAX_COUNT = 9_999
_HEAD, _END, _NUMBER = 0x3A, 0x0A, 0x01


class CountColour(IntEnum):
    """Colour of the digits."""

    GREEN = 0
    RED = 1
    YELLOW = 2


def count_frame(count: int, colour: CountColour = CountColour.GREEN) -> bytes:
    """Return the frame that shows `count`, 0-9999; ValueError for what no board shows."""
    if not 0 <= count <= MAX_COUNT:
        raise ValueError(f"a space board shows 0-{MAX_COUNT}, not {count}")
    body = bytes([_HEAD, colour]) + count.to_bytes(2, "little") + bytes([_NUMBER])
    return body + bytes([sum(body) & 0xFF, _END])


def parse_count(frame: bytes) -> tuple[int, CountColour]:
    """Return what a frame shows; ValueError for bytes that are no such frame."""
    if len(frame) != 7 or frame[0] != _HEAD or frame[6] != _END:
        raise ValueError(f"no frame of a space board: {frame.hex(' ')}")
    if sum(frame[:5]) & 0xFF != frame[5]:
        raise ValueError(f"the sum is wrong: {frame.hex(' ')}")
    return int.from_bytes(frame[2:4], "little"), CountColour(frame[1])
