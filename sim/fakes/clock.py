"""A clock that moves when told to, and can be set wrong as a clock without a battery is."""

from __future__ import annotations

import uuid
from dataclasses import replace

from edge.clock import Instant

#: Where time begins: 2026-11-22, 16:26:40 in Shanghai.
START_AT = 1_795_336_000_000


class FakeClock:
    """Port Clock. Every `now` of a standing clock is the same instant.

    passed_ms: how long it has run in truth, whatever it was set to and however often it began anew.
    """

    def __init__(self, wall_at: int = START_AT, boot: int = 1) -> None:
        self._boot = boot
        self.passed_ms = 0
        self._now = Instant(wall_at, _boot_id(boot), 60_000_000_000, trusted=True)

    def now(self) -> Instant:
        """Return the present instant."""
        return self._now

    def advance(self, milliseconds: int) -> None:
        """Let time pass."""
        self.passed_ms += milliseconds
        self._now = replace(
            self._now,
            wall_at=self._now.wall_at + milliseconds,
            boottime_ns=self._now.boottime_ns + milliseconds * 1_000_000,
        )

    def set_wall(self, milliseconds: int) -> None:
        """Step the wall clock by so much, as a time server does; boot time goes on as it was."""
        self._now = replace(self._now, wall_at=self._now.wall_at + milliseconds)

    def reboot(self, milliseconds: int = 30_000) -> None:
        """Start the machine anew, which takes so long; boot time begins again."""
        self.passed_ms += milliseconds
        self._boot += 1
        self._now = replace(
            self._now,
            wall_at=self._now.wall_at + milliseconds,
            boot_id=_boot_id(self._boot),
            boottime_ns=milliseconds * 1_000_000,
        )


def _boot_id(boot: int) -> str:
    return str(uuid.UUID(int=boot))
