"""What a day's cars and gates are: the truth, on the day's clock."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from devices.types import DeviceStatus, GateInputs, Health
from sim.fakes.clock import FakeClock
from sim.traffic import Trip

#: What a car does, in milliseconds.
READ_AFTER, LOOK_EVERY, GUARD_TAKES, DRIVER_TAKES, MOVES = 400, 500, 6_000, 7_000, 900
BOOM_RISES, BOOM_STAYS = 1_400, 12_000

#: After so long at a barrier a car counts as trapped; nobody in the day may be.
TRAPPED_MS = 180_000

#: What goes on beside other things: it yields how many milliseconds pass until its next step.
Process = Generator[int, None, None]


@dataclass(slots=True)
class DayGate:
    """A boom on the day's clock: up 1.4 s after a pulse, down once the loops were left or after 12 s."""

    name: str
    clock: FakeClock
    pulses: int = 0
    loops: tuple[bool, bool] = (False, False)
    _up_at: int | None = None
    _down_at: int | None = None

    def pulse(self) -> None:
        """Open."""
        self._settle()
        now = self.clock.now().wall_at
        self.pulses += 1
        if self._up_at is None:
            self._up_at = now + BOOM_RISES
        self._down_at = now + BOOM_STAYS

    @property
    def is_up(self) -> bool:
        """Whether a car may go under it."""
        self._settle()
        return self._up_at is not None and self.clock.now().wall_at >= self._up_at

    def stand(self, near: bool, far: bool) -> None:
        """Put a car on the loops; when the last one is left the boom comes down."""
        self._settle()
        left = any(self.loops) and not (near or far)
        self.loops = (near, far)
        if left and self._up_at is not None:
            self._down_at = self.clock.now().wall_at + 600

    def _settle(self) -> None:
        """Let the boom come down if its time is over and nobody is under it."""
        over = self._down_at is not None and self.clock.now().wall_at >= self._down_at
        if over and not any(self.loops):
            self._up_at = self._down_at = None

    def inputs(self) -> GateInputs:
        """Read switches and loops."""
        up = self.is_up
        return GateInputs(up, not up, self.loops)

    def status(self) -> DeviceStatus:
        """Return CONNECTED."""
        return DeviceStatus(self.name, "gate", Health.CONNECTED, "virtual", "", 0)

    def close(self) -> None:
        """Nothing to release."""


@dataclass(slots=True)
class Car:
    """A vehicle and the truth about it. waited_ms: the longest at a barrier. guarded: a person helped."""

    trip: Trip
    entered_at: int | None = None
    left_at: int | None = None
    session_id: str = ""
    waited_ms: int = 0
    guarded: int = 0
    paid_fen: int = 0
