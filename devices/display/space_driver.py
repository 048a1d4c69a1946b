"""A board that shows how many spaces are free, on RS-485.

board = CountBoard("hall", bus)
board.show_count(132)
"""

from __future__ import annotations

import threading

from devices.display.space_codec import MAX_COUNT, CountColour, count_frame
from devices.rs485 import Rs485Bus
from devices.runtime import HealthRecord
from devices.types import DeviceAbsent, DeviceSilent, DeviceStatus

_SEND_S = 0.5
_GAP_S = 0.1


class CountBoard:
    """Port SpaceBoard. few: at and below it digits are yellow, red at 0; the board never answers."""

    def __init__(self, name: str, bus: Rs485Bus, few: int = 20) -> None:
        """Send nothing yet."""
        self.name = name
        self._bus = bus
        self._few = few
        self._health = HealthRecord(name, "space board", bus.path)
        self._closed = threading.Event()

    def show_count(self, free: int) -> None:
        """Show free spaces, cut to 0-9999. Raises DeviceAbsent or DeviceSilent when the line is lost."""
        shown = min(MAX_COUNT, max(0, free))
        colour = self._colour(shown)
        try:
            if self._closed.is_set():
                raise DeviceAbsent(f"space board {self.name} was closed")
            self._bus.exchange(count_frame(shown, colour), lambda answer: True, _SEND_S, _GAP_S)
        except DeviceAbsent as error:
            self._health.absent(str(error))
            raise
        except DeviceSilent as error:
            self._health.fault(str(error))
            raise
        self._health.connected(f"shows {shown}; such a board never answers")

    def status(self) -> DeviceStatus:
        """Return the health as of the last frame; a board without power cannot be told from a good one."""
        return self._health.status()

    def close(self) -> None:
        """Send nothing any more; the line belongs to whoever made it."""
        self._closed.set()
        self._health.absent("closed by this service")

    def _colour(self, free: int) -> CountColour:
        if not free:
            return CountColour.RED
        return CountColour.YELLOW if free <= self._few else CountColour.GREEN
