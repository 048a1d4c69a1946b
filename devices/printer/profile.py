"""What one printer can do; every value is a setting of that printer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class EncodeError(ValueError):
    """A job cannot be turned into this printer's bytes; the message names the block and what to do."""


class Chinese(StrEnum):
    """How Chinese text reaches the paper. RASTER draws every line here and needs nothing of the printer."""

    GB18030 = "gb18030"
    GBK = "gbk"
    UTF8 = "utf8"
    RASTER = "raster"


class Cut(StrEnum):
    """What happens at the end of a job. NONE only feeds, for printers without a cutter."""

    FULL = "full"
    PARTIAL = "partial"
    NONE = "none"


class Qr(StrEnum):
    """Who draws a QR code: the printer (GS ( k) or this box, as an image."""

    NATIVE = "native"
    RASTER = "raster"


class Barrier(StrEnum):
    """Which request proves that a job went through.

    PROCESS_ID: GS ( H function 48; the answer carries our id, and the printer gives it when the printing
    is completed. PAPER_SENSOR: GS r 1; nearly every printer has it, the answer is one byte without id.
    """

    PROCESS_ID = "gs_h"
    PAPER_SENSOR = "gs_r"


@dataclass(frozen=True, slots=True)
class PrinterProfile:
    """One printer model as set up on site.

    width: characters of font A on a line (32 on 58 mm paper, 48 on 80 mm). dots: printable dots on a
    line (384, 512, 576). drawer_pin: 2 or 5. font_path: the CJK font for raster text;
    empty looks in the usual Debian places. Raises ValueError when a value cannot be right.
    """

    width: int = 48
    dots: int = 576
    chinese: Chinese = Chinese.GB18030
    cut: Cut = Cut.PARTIAL
    drawer_pin: int = 2
    qr: Qr = Qr.NATIVE
    barrier: Barrier = Barrier.PAPER_SENSOR
    font_path: str = ""

    def __post_init__(self) -> None:
        """Refuse a profile that no printer can have."""
        if not 16 <= self.width <= 64:
            raise ValueError(f"printer width must be 16..64 characters, not {self.width}")
        if not 192 <= self.dots <= 832 or self.dots % 8 or self.dots < self.width * 8:
            raise ValueError(
                f"printer dots must be 192..832, a multiple of 8, 8 a character, not {self.dots}"
            )
        if self.drawer_pin not in (2, 5):
            raise ValueError(f"drawer pin must be 2 or 5, not {self.drawer_pin}")


PAPER_58 = PrinterProfile(width=32, dots=384)
PAPER_80 = PrinterProfile(width=48, dots=576)
