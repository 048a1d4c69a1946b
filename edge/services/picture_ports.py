"""What scan and go needs to read codes in pictures, as a protocol; see ports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

#: The largest picture that a phone may send, as it must also fit HQ's relay.
MAX_PICTURE_BYTES = 48 * 1024

#: The most pixels that a picture may have; a small file can hold an enormous one.
MAX_PICTURE_PIXELS = 16_000_000


@dataclass(frozen=True, slots=True)
class PictureCode:
    """One code in a picture. aim: its AIM id with the bracket, "" where the engine does not say."""

    text: str
    aim: str = ""


class PictureCodes(Protocol):
    """Reads barcodes and QR codes in a JPEG. A call ends within a second."""

    def read(self, jpeg: bytes) -> tuple[PictureCode, ...]:
        """Return the proven codes, the largest first, none for a picture without one.

        Raises Invalid for what is no JPEG or too large, Unavailable while too many others are being read.
        """
