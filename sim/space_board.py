"""A simulated space-count board: it shows the last good frame and never answers."""

from __future__ import annotations

import threading

from devices.display.space_codec import CountColour, parse_count

_FRAME = 7
_FRAME_GAP_S = 0.05


class SimCountBoard:
    """The board on the wire; usable from any thread. bad: frames that it could not read."""

    def __init__(self) -> None:
        self.shown: tuple[int, CountColour] | None = None
        self.bad = 0
        self._buffer = b""
        self._quiet_s = 0.0
        self._changed = threading.Condition()

    def room(self) -> int:
        """Return how many bytes may come."""
        return 256

    def receive(self, data: bytes) -> bytes:
        """Take bytes from the line; a board that cannot answer gives none back."""
        with self._changed:
            self._quiet_s = 0.0
            self._buffer += data
            while len(self._buffer) >= _FRAME:
                frame, self._buffer = self._buffer[:_FRAME], self._buffer[_FRAME:]
                self._show(frame)
            return b""

    def tick(self, elapsed_s: float) -> bytes:
        """A rest on the line ends a broken frame."""
        with self._changed:
            self._quiet_s += elapsed_s
            if self._quiet_s > _FRAME_GAP_S:
                self._buffer = b""
        return b""

    def await_shown(self, count: int, timeout_s: float) -> tuple[int, CountColour] | None:
        """Wait until the board shows `count`; return what it shows then, or at last."""
        with self._changed:
            self._changed.wait_for(lambda: self.shown is not None and self.shown[0] == count, timeout_s)
            return self.shown

    def _show(self, frame: bytes) -> None:
        try:
            self.shown = parse_count(frame)
            self._changed.notify_all()
        except ValueError:
            self.bad += 1
