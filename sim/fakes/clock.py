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
    drift_ppm: by how many millionths wall and boot time run fast.
    """

    def __init__(self, wall_at: int = START_AT, boot: int = 1) -> None:
        self._boot = boot
        self._begun_at = wall_at
        self._rest = 0
        self.passed_ms = 0
        self.drift_ppm = 0
        self._now = Instant(wall_at, _boot_id(boot), 60_000_000_000, trusted=True)

    @property
    def true_at(self) -> int:
        """What a clock that was always right would show, Unix milliseconds."""
        return self._begun_at + self.passed_ms

    def now(self) -> Instant:
        """Return the present instant."""
        return self._now

    def advance(self, milliseconds: int) -> None:
        """Let time pass, as fast as the crystal makes it."""
        self.passed_ms += milliseconds
        fast, self._rest = divmod(milliseconds * self.drift_ppm + self._rest, 1_000_000)
        shown = milliseconds + fast
        self._now = replace(
            self._now,
            wall_at=self._now.wall_at + shown,
            boottime_ns=self._now.boottime_ns + shown * 1_000_000,
        )

    def set_wall(self, milliseconds: int) -> None:
        """Step the wall clock by so much, as a time server does; boot time goes on as it was."""
        self._now = replace(self._now, wall_at=self._now.wall_at + milliseconds)

    def synchronise(self) -> None:
        """Have a time source set the wall clock right and vouch for it."""
        self._now = replace(self._now, wall_at=self.true_at, trusted=True)

    def reboot(
        self,
        milliseconds: int = 30_000,
        *,
        off_ms: int = 0,
        wall_at: int | None = None,
        trusted: bool | None = None,
    ) -> None:
        """Start the machine anew, which takes so long; boot time begins again.

        off_ms: how long it has been off before. wall_at: what the wall clock shows then, as it was left when
        None. trusted: as it was when None.
        """
        self.passed_ms += off_ms + milliseconds
        self._boot += 1
        self._now = Instant(
            self._now.wall_at + milliseconds if wall_at is None else wall_at,
            _boot_id(self._boot),
            milliseconds * 1_000_000,
            self._now.trusted if trusted is None else trusted,
        )


def _boot_id(boot: int) -> str:
    return str(uuid.UUID(int=boot))
