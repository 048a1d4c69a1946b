"""What a printer says back, told apart byte by byte.

Real-time status (DLE EOT) is 0xx1xx10, the paper sensor answer (GS r 1) has bits 4 and 7 clear, automatic
status is four bytes of which the first is 0xx1xx00, and a process id comes as 37 22 d1 d2 d3 d4 00. They
may be interleaved. Sources: Epson ESC/POS reference, DLE EOT, GS r, GS a, GS ( H function 48.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from devices.types import PaperState, PrinterStatus

_LONGEST_BLOCK = 80


class Ask(IntEnum):
    """The questions of DLE EOT."""

    PRINTER = 1
    OFFLINE = 2
    ERROR = 3
    PAPER = 4


@dataclass(frozen=True, slots=True)
class StatusByte:
    """An answer to DLE EOT. Which question it answers is known only from the order of asking."""

    value: int


@dataclass(frozen=True, slots=True)
class PaperByte:
    """An answer to GS r 1: the printer has processed everything before that request."""

    value: int

    @property
    def paper_out(self) -> bool:
        """Whether the end sensor saw no paper when the request was processed."""
        return bool(self.value & 0x0C)


@dataclass(frozen=True, slots=True)
class ProcessId:
    """An answer to GS ( H: what was sent before this id is printed."""

    value: str


Answer = StatusByte | PaperByte | ProcessId


class AnswerSplitter:
    """Cuts a stream of bytes into answers; keeps at most one unfinished block of 80 bytes."""

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, data: bytes) -> list[Answer]:
        """Take bytes as they came; return the answers that are complete. Noise is dropped."""
        self._pending += data
        answers: list[Answer] = []
        while self._pending:
            taken, answer = _first(self._pending)
            if taken == 0:
                break
            self._pending = self._pending[taken:]
            if answer is not None:
                answers.append(answer)
        return answers

    def clear(self) -> None:
        """Forget an unfinished block."""
        self._pending = b""


def ask(question: Ask) -> bytes:
    """Return DLE EOT n; ask the next only after the answer, for answers do not name their question."""
    return b"\x10\x04" + bytes([question])


def read_status(answers: Mapping[Ask, int]) -> PrinterStatus:
    """Say in words what the status bytes mean; a question without answer counts as nothing seen."""
    printer, offline = answers.get(Ask.PRINTER, 0), answers.get(Ask.OFFLINE, 0)
    error, sensor = answers.get(Ask.ERROR, 0), answers.get(Ask.PAPER)
    paper = _paper(sensor, bool(offline & 0x20))
    cover_open = bool(offline & 0x04)
    troubles = [
        (cover_open, "the cover is open: close it"),
        (paper is PaperState.OUT, "out of paper: put in a new roll"),
        (bool(error & 0x08), "the cutter is blocked: clear it and switch the printer off and on"),
        (bool(error & 0x20), "the printer has a fault that it cannot leave: switch it off and on"),
        (bool(error & 0x40), "the print head is too hot: it will go on by itself"),
        (bool(offline & 0x08), "somebody holds the paper feed button"),
    ]
    details = [words for present, words in troubles if present]
    if not details and (printer & 0x08 or offline & 0x40):
        details = ["the printer says it is offline: look at its lamps"]
    ready = not details
    if ready and paper is PaperState.NEAR_END:
        details = ["the paper is near its end"]
    return PrinterStatus(ready, paper, cover_open, "; ".join(details))


def _paper(sensor: int | None, stopped_by_paper: bool) -> PaperState:
    if stopped_by_paper or (sensor is not None and sensor & 0x60):
        return PaperState.OUT
    if sensor is None:
        return PaperState.UNKNOWN
    return PaperState.NEAR_END if sensor & 0x0C else PaperState.ENOUGH


def _first(data: bytes) -> tuple[int, Answer | None]:
    """Return how many bytes the first thing takes (0: not complete yet) and the answer, if it is one."""
    head = data[0]
    if head == 0x37:
        return _block(data)
    if head & 0x93 == 0x12:
        return 1, StatusByte(head)
    if head & 0x93 == 0x10:
        return (4, None) if len(data) >= 4 else (0, None)
    if head & 0x90 == 0:
        return 1, PaperByte(head)
    return 1, None


def _block(data: bytes) -> tuple[int, Answer | None]:
    end = data.find(b"\x00", 0, _LONGEST_BLOCK)
    if end < 0:
        return (1, None) if len(data) >= _LONGEST_BLOCK else (0, None)
    if end == 6 and data[1] == 0x22:
        return end + 1, ProcessId(data[2:6].decode("latin-1"))
    return end + 1, None
