"""A text and voice board in memory."""

from __future__ import annotations

from collections.abc import Sequence

from devices.types import DeviceAbsent, DeviceSilent, DeviceStatus, Health


class FakeDisplay:
    """Port Display. absent: no power or no line. silent: it acts and does not answer.

    shown: the present lines; spoken: everything said so far.
    """

    def __init__(self, name: str = "display") -> None:
        self.name = name
        self.absent = False
        self.silent = False
        self.shown: tuple[str, ...] = ()
        self.spoken: list[str] = []

    def show(self, lines: Sequence[str]) -> None:
        """Keep the lines."""
        self._refuse()
        self.shown = tuple(lines)
        self._fall_silent()

    def say(self, text: str) -> None:
        """Keep the text."""
        self._refuse()
        self.spoken.append(text)
        self._fall_silent()

    def status(self) -> DeviceStatus:
        """Return ABSENT, FAULT or CONNECTED."""
        faulty = Health.FAULT if self.silent else Health.CONNECTED
        return DeviceStatus(self.name, "display", Health.ABSENT if self.absent else faulty, "memory", "", 0)

    def close(self) -> None:
        """Become absent."""
        self.absent = True

    def _refuse(self) -> None:
        if self.absent:
            raise DeviceAbsent(f"display {self.name} is not there")

    def _fall_silent(self) -> None:
        if self.silent:
            raise DeviceSilent(f"display {self.name} did not answer")
