"""A lane's text and voice board on RS-485.

board = LaneBoard("in-1", bus, BoardLayout(lines=2, cells=8))
board.show(["京A12345", "请缴费5元"]); board.say("请缴费5元")
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from devices.display import codec
from devices.rs485 import Rs485Bus
from devices.runtime import HealthRecord
from devices.types import DeviceAbsent, DeviceSilent, DeviceStatus


@dataclass(frozen=True, slots=True)
class BoardLayout:
    """One board. lines: 1-8. cells: half-width characters on a line; longer texts move. timeout_s: for one
    acknowledgement. gap_s: the rest that the board needs after each frame."""

    lines: int = 2
    cells: int = 8
    colour: codec.Colour = codec.Colour.RED
    timeout_s: float = 0.5
    gap_s: float = codec.GAP_S

    def __post_init__(self) -> None:
        """Refuse what no board has."""
        if not 1 <= self.lines <= 8 or not 2 <= self.cells <= 64:
            raise ValueError(f"a board has 1-8 lines of 2-64 cells, not {self.lines} of {self.cells}")


class LaneBoard:
    """Port Display. A call takes up to lines x (timeout_s + gap_s)."""

    def __init__(self, name: str, bus: Rs485Bus, layout: BoardLayout | None = None) -> None:
        """Send nothing yet."""
        self.name = name
        self._bus = bus
        self._layout = layout or BoardLayout()
        self._health = HealthRecord(name, "display", bus.path)
        self._closed = threading.Event()
        self._turn = threading.Lock()

    def show(self, lines: Sequence[str]) -> None:
        """Show these lines until the next call; lines that are not given become empty, extra ones are
        joined to the last. Raises DeviceAbsent or DeviceSilent; then some lines may be old."""
        layout = self._layout
        shown = _fitted(lines, layout.lines)
        with self._turn:
            for number, text in enumerate(shown):
                moving = len(codec.encode(text, codec.MAX_TEXT_BYTES, "□")) > layout.cells
                self._send(codec.text_frame(text or " ", number, layout.colour, moving))

    def say(self, text: str) -> None:
        """Speak `text` after clearing what is queued. Raises DeviceAbsent or DeviceSilent."""
        with self._turn:
            self._send(codec.voice_frame(text) if text.strip() else codec.stop_voice_frame())

    def status(self) -> DeviceStatus:
        """Return the health as of the last frame; asks nothing."""
        return self._health.status()

    def close(self) -> None:
        """Send nothing any more; the line belongs to whoever made it."""
        self._closed.set()
        self._health.absent("closed by this service")

    def _send(self, frame: bytes) -> None:
        try:
            if self._closed.is_set():
                raise DeviceAbsent(f"display {self.name} was closed")
            layout = self._layout
            answer = self._bus.exchange(frame, codec.answer_complete, layout.timeout_s, layout.gap_s)
            self._health.heard()
            codec.parse_ack(frame, answer)
        except DeviceAbsent as error:
            self._health.absent(str(error))
            raise
        except DeviceSilent as error:
            self._health.fault(str(error))
            raise
        except codec.BadAck as error:
            self._health.fault(str(error))
            raise DeviceSilent(f"display {self.name}: {error}") from error
        self._health.connected("ready")


def _fitted(lines: Sequence[str], count: int) -> list[str]:
    kept = list(lines[: count - 1])
    last = " ".join(lines[count - 1 :])
    return [*kept, last, *[""] * count][:count]
