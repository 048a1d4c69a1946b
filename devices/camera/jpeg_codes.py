"""Codes in one picture that somebody sent: looked at before it is unpacked, a few at a time.

The marker segments of a JPEG say its size (ITU-T T.81, B.2.2), so that a small file with an enormous picture
in it is refused before any memory is taken for it.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import cv2
import numpy as np

from devices.camera.barcodes import BarcodeReader

#: Frame headers SOF0-SOF15 without DHT, JPG and DAC, and markers that stand alone.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset(range(0xD0, 0xDA)) | {0x01}

#: Segments before the frame header that are looked at.
_MOST_SEGMENTS = 64


class BadPicture(ValueError):
    """This is no picture that can be looked at; the message says why."""


class TooBusy(RuntimeError):
    """As many pictures as may be are being looked at; send it again."""


@dataclass(frozen=True, slots=True)
class SeenCode:
    """One code. text: what a scanner would send under `aim`, "" for none. area: pixels that it covers."""

    text: str
    aim: str
    area: float


class JpegCodes:
    """Reads the codes in JPEGs, at most `at_once` at a time; usable from any thread."""

    def __init__(self, reader: BarcodeReader, most_bytes: int, most_pixels: int, at_once: int = 2) -> None:
        self._reader = reader
        self._most_bytes = most_bytes
        self._most_pixels = most_pixels
        self._free = threading.BoundedSemaphore(at_once)

    def read(self, jpeg: bytes) -> tuple[SeenCode, ...]:
        """Return the proven codes, the largest first. Raises BadPicture or TooBusy."""
        if len(jpeg) > self._most_bytes:
            raise BadPicture(f"the picture has {len(jpeg)} bytes; {self._most_bytes} at most")
        width, height = size_of(jpeg)
        if not 0 < width * height <= self._most_pixels:
            raise BadPicture(f"the picture has {width} x {height} pixels; {self._most_pixels} at most")
        if not self._free.acquire(blocking=False):
            raise TooBusy("other pictures are being looked at; send it again")
        try:
            picture = _unpacked(jpeg)
            codes = self._reader.read(picture)
        finally:
            self._free.release()
        seen = [SeenCode(one.payload, one.aim or "", _area(one.box)) for one in codes]
        return tuple(sorted(seen, key=lambda one: -one.area))


def size_of(jpeg: bytes) -> tuple[int, int]:
    """Return width and height in pixels; raise BadPicture for what has no frame header of a JPEG."""
    if jpeg[:2] != b"\xff\xd8":
        raise BadPicture("this is no JPEG; take the picture again")
    at = 2
    for _ in range(_MOST_SEGMENTS):
        while jpeg[at : at + 2] == b"\xff\xff":
            at += 1
        if at + 4 > len(jpeg) or jpeg[at] != 0xFF:
            break
        marker = jpeg[at + 1]
        if marker in _FRAMES and at + 9 <= len(jpeg):
            height, width = (int.from_bytes(jpeg[at + i : at + i + 2], "big") for i in (5, 7))
            return width, height
        at += 2 if marker in _ALONE else 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
    raise BadPicture("this JPEG is broken off; take the picture again")


def _unpacked(jpeg: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    try:
        picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    except cv2.error as error:
        raise BadPicture(f"the picture cannot be unpacked: {str(error)[:100]}") from None
    if picture is None:
        raise BadPicture("the picture cannot be unpacked; take it again")
    return picture.astype(np.uint8, copy=False)


def _area(box: tuple[tuple[float, float], ...]) -> float:
    """Return the area of a quadrilateral (shoelace formula)."""
    pairs = zip(box, (*box[1:], box[0]), strict=True)
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairs)) / 2
