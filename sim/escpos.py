"""What an ESC/POS printer makes of the bytes: text with its looks, dots, QR codes, cuts and requests.

Written from the command references and not from the encoder in devices/printer, so that a mistake there
shows here. Unknown commands are kept in `unknown`, for a real printer would print garbage there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

ESC, FS, GS, DLE = 0x1B, 0x1C, 0x1D, 0x10


@dataclass(frozen=True, slots=True)
class Printed:
    """One printed line. scale: (width, height). align: 0 left, 1 centre, 2 right."""

    text: str
    align: int = 0
    bold: bool = False
    scale: tuple[int, int] = (1, 1)


@dataclass(frozen=True, slots=True)
class Dots:
    """Part of a picture: rows of `row_bytes` bytes, a set bit is black."""

    row_bytes: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Code:
    """A QR code that the printer draws itself."""

    text: str
    module: int


@dataclass(frozen=True, slots=True)
class Feed:
    """Empty lines."""

    lines: int


@dataclass(frozen=True, slots=True)
class CutPaper:
    """The receipt ends here."""

    partial: bool


@dataclass(frozen=True, slots=True)
class Kick:
    """The drawer on this connector pin was opened."""

    pin: int


@dataclass(frozen=True, slots=True)
class Answer:
    """Bytes to send back now that everything before is processed; b"paper" stands for the sensor byte."""

    data: bytes
    paper_sensor: bool = False


Effect = Printed | Dots | Code | Feed | CutPaper | Kick | Answer


class Interpreter:
    """Turns a byte stream into effects; holds at most one unfinished command and one unfinished line."""

    def __init__(self, encoding: str = "gb18030") -> None:
        """encoding: of text in Chinese mode; "utf-8" printers read every byte so."""
        self._encoding = encoding
        self._buffer = bytearray()
        self.unknown: list[bytes] = []
        self.reset()

    def reset(self) -> None:
        """As after switching on."""
        self._buffer.clear()
        self._needed = 0
        self._initialise()
        self._qr_text = ""
        self._qr_module = 3

    @property
    def swallowing(self) -> bool:
        """Whether a command has begun and waits for the rest of its bytes."""
        return bool(self._buffer)

    def feed(self, byte: int) -> list[Effect]:
        """Take one byte; return what it caused."""
        self._buffer.append(byte)
        if len(self._buffer) < self._needed:
            return []
        first = self._buffer[0]
        if first in (ESC, FS, GS, DLE):
            return self._command()
        self._buffer.clear()
        if first == 0x0A:
            return [self._end_line()]
        if first >= 0x20:
            self._line.append((self._chinese, first))
        return []

    def _initialise(self) -> None:
        self._line: list[tuple[bool, int]] = []
        self._align, self._bold, self._scale = 0, False, (1, 1)
        self._chinese = True

    def _command(self) -> list[Effect]:
        data = bytes(self._buffer)
        if len(data) < 2:
            return []
        needed = self._length(data)
        if needed == 0:
            self.unknown.append(data)
            self._buffer.clear()
            return []
        if len(data) < needed:
            self._needed = needed  # a picture is not looked at again before it is whole
            return []
        self._needed = 0
        self._buffer.clear()
        return self._obey(data)

    def _length(self, data: bytes) -> int:
        """Return the bytes of the whole command, 0 for an unknown one; may grow as more comes."""
        head = data[:2]
        if head in _FIXED:
            return _FIXED[head]
        if head == b"\x1dV":
            return 4 if len(data) >= 3 and data[2] >= 65 else 3
        if head == b"\x1d(":
            return 5 + int.from_bytes(data[3:5], "little") if len(data) >= 5 else 5
        if head == b"\x1dv":
            rows = int.from_bytes(data[4:6], "little") * int.from_bytes(data[6:8], "little")
            return 8 + rows if len(data) >= 8 else 8
        return 0

    def _obey(self, data: bytes) -> list[Effect]:
        handlers: dict[bytes, Callable[[bytes], list[Effect]]] = {
            b"\x1b@": self._on_initialise,
            b"\x1ba": self._on_align,
            b"\x1bE": self._on_bold,
            b"\x1d!": self._on_scale,
            b"\x1c&": self._on_chinese,
            b"\x1c.": self._on_chinese,
            b"\x1bd": lambda data: [*self._rest(), Feed(data[2])],
            b"\x1bp": lambda data: [Kick(5 if data[2] & 1 else 2)],
            b"\x1dV": lambda data: [*self._rest(), CutPaper(data[2] in (1, 49, 66))],
            b"\x1dr": lambda _data: [Answer(b"", paper_sensor=True)],
            b"\x1dv": lambda data: [Dots(int.from_bytes(data[4:6], "little"), data[8:])],
            b"\x1d(": self._on_group,
        }
        handler = handlers.get(data[:2])
        return handler(data) if handler else []

    def _on_initialise(self, _data: bytes) -> list[Effect]:
        self._initialise()
        return []

    def _on_align(self, data: bytes) -> list[Effect]:
        self._align = data[2] % 48
        return []

    def _on_bold(self, data: bytes) -> list[Effect]:
        self._bold = bool(data[2] & 1)
        return []

    def _on_scale(self, data: bytes) -> list[Effect]:
        self._scale = ((data[2] >> 4) + 1, (data[2] & 0x0F) + 1)
        return []

    def _on_chinese(self, data: bytes) -> list[Effect]:
        self._chinese = data[1:2] == b"&"
        return []

    def _on_group(self, data: bytes) -> list[Effect]:
        if data[2:3] == b"H" and data[5:7] == b"00":
            return [Answer(b"\x37\x22" + data[7:11] + b"\x00")]
        if data[2:3] == b"k" and data[5:6] == b"1":
            return self._on_qr(data[6], data[7:])
        self.unknown.append(data)
        return []

    def _on_qr(self, function: int, data: bytes) -> list[Effect]:
        if function == 67:
            self._qr_module = data[0]
        elif function == 80:
            self._qr_text = data[1:].decode("utf-8", "replace")
        elif function == 81 and self._qr_text:
            return [Code(self._qr_text, self._qr_module)]
        return []

    def _rest(self) -> list[Effect]:
        return [self._end_line()] if self._line else []

    def _end_line(self) -> Printed:
        text = ""
        for chinese in _runs(self._line):
            raw = bytes(byte for _, byte in chinese)
            text += raw.decode(self._encoding_of(chinese[0][0]), "replace")
        self._line = []
        return Printed(text, self._align, self._bold, self._scale)

    def _encoding_of(self, chinese: bool) -> str:
        if self._encoding == "utf-8" or chinese:
            return self._encoding
        return "cp437"


_FIXED = {
    b"\x1b@": 2,
    b"\x1ba": 3,
    b"\x1bE": 3,
    b"\x1bd": 3,
    b"\x1bt": 3,
    b"\x1bp": 5,
    b"\x1d!": 3,
    b"\x1da": 3,
    b"\x1dr": 3,
    b"\x1c&": 2,
    b"\x1c.": 2,
    b"\x10\x04": 3,
}


def _runs(line: list[tuple[bool, int]]) -> list[list[tuple[bool, int]]]:
    runs: list[list[tuple[bool, int]]] = []
    for item in line:
        if runs and runs[-1][0][0] == item[0]:
            runs[-1].append(item)
        else:
            runs.append([item])
    return runs
