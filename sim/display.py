"""A simulated text and voice board: it acknowledges frames and keeps what it shows and says.

with PtyWire(SimBoard()) as wire: ...
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from devices.gate.codec import crc16
from sim.wires import PtyWire

_FRAME_GAP_S = 0.2
_HEAD = b"\x00\x64\xff\xff"
HELP = "off | on | ack lost | ack back | crc bad | crc good | refuse CODE"


@dataclass(slots=True)
class BoardFaults:
    """What is wrong. off: no power. ack_lost: it acts and does not answer. crc_bad: damaged answers.
    refuses: it answers with this code and does not act."""

    off: bool = False
    ack_lost: bool = False
    crc_bad: bool = False
    refuses: int = 0


class SimBoard:
    """The board on the wire. shown: text by line; spoken: what came out of the loudspeaker; too_fast: frames
    that came within `rest_s` of the one before, which a real board may lose."""

    def __init__(self, rest_s: float = 0.0) -> None:
        self.faults = BoardFaults()
        self.shown: dict[int, str] = {}
        self.moving: dict[int, bool] = {}
        self.spoken: deque[str] = deque(maxlen=1000)
        self.waiting: deque[str] = deque(maxlen=16)
        self.too_fast = 0
        self._rest_s = rest_s
        self._since_frame_s = rest_s
        self._quiet_s = 0.0
        self._buffer = b""
        self._lock = threading.RLock()

    def lines(self) -> list[str]:
        """Return what stands on the board, from the top, without trailing spaces."""
        with self._lock:
            return [self.shown[number].rstrip() for number in sorted(self.shown)]

    def room(self) -> int:
        """Return how many bytes may come."""
        return 512

    def receive(self, data: bytes) -> bytes:
        """Take bytes from the line; return the acknowledgements."""
        with self._lock:
            if self.faults.off:
                return b""
            self._quiet_s = 0.0
            self._buffer = _from_head((self._buffer + data)[-1024:])
            answers = b""
            while len(self._buffer) >= 6 and len(self._buffer) >= 8 + self._buffer[5]:
                length = 8 + self._buffer[5]
                frame, self._buffer = self._buffer[:length], self._buffer[length:]
                answers += self._answer(frame)
                self._buffer = _from_head(self._buffer)
            return answers

    def tick(self, elapsed_s: float) -> bytes:
        """A rest on the line ends a broken frame."""
        with self._lock:
            self._since_frame_s += elapsed_s
            self._quiet_s += elapsed_s
            if self._quiet_s > _FRAME_GAP_S:
                self._buffer = b""
        return b""

    def command(self, line: str) -> str:
        """Turn a switch by words, see HELP; return what to tell the person."""
        match line.split():
            case ["off" | "on" as state]:
                self.faults.off = state == "off"
            case ["ack", "lost" | "back" as state]:
                self.faults.ack_lost = state == "lost"
            case ["crc", "bad" | "good" as state]:
                self.faults.crc_bad = state == "bad"
            case ["refuse", code] if code.isdigit() and int(code) < 256:
                self.faults.refuses = int(code)
            case _:
                return f"unknown: {line!r}; {HELP}"
        return f"shows {self.lines()}, said {list(self.spoken)[-3:]}"

    def _answer(self, frame: bytes) -> bytes:
        if crc16(frame[:-2]) != int.from_bytes(frame[-2:], "little"):
            return b""
        self.too_fast += self._since_frame_s < self._rest_s
        self._since_frame_s = 0.0
        if not self.faults.refuses:
            self._act(frame[4], frame[6:-2])
        if self.faults.ack_lost:
            return b""
        body = frame[:5] + bytes([1, self.faults.refuses])
        crc = crc16(body) ^ (0x0101 if self.faults.crc_bad else 0)
        return body + crc.to_bytes(2, "little")

    def _act(self, command: int, data: bytes) -> None:
        if command == 0x62:
            length = int.from_bytes(data[17:19], "little")
            self.shown[data[0]] = data[19 : 19 + length].decode("gbk", "replace")
            self.moving[data[0]] = data[1] == 0x15
        elif command == 0x30:
            self._speak(data[0], data[1:].decode("gbk", "replace"))
        elif command == 0x31:
            self.waiting.clear()

    def _speak(self, mode: int, text: str) -> None:
        if mode == 2:
            self.waiting.clear()
        self.waiting.append(text)
        if mode:
            self.spoken.extend(self.waiting)
            self.waiting.clear()


def _from_head(data: bytes) -> bytes:
    """Drop what is no beginning of a frame: other devices on the line have their own."""
    while data and not _HEAD.startswith(data[:4]):
        data = data[1:]
    return data


def run(link: Path | None = None, commands: Iterable[str] | None = None) -> None:
    """Serve a board until `commands` (default: standard input) end."""
    board = SimBoard()
    with PtyWire(board, link) as wire:
        print(f"display board on {link or wire.path}; switches: {HELP}", flush=True)
        for line in sys.stdin if commands is None else commands:
            print(board.command(line.strip()), flush=True)
