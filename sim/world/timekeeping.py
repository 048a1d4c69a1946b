"""What becomes of the box's clock while the world goes on: steps, drift, starts without time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sim.fakes.clock import FakeClock

MINUTE_MS, HOUR_MS = 60_000, 3_600_000

#: How long a machine takes to start.
BOOT_MS = 20_000


class Wakes(StrEnum):
    """What the wall clock shows when the machine starts: the time, as though it had a battery, the beginning
    of 1970, or the time that was saved last."""

    RIGHT = "right"
    EPOCH = "epoch"
    SAVED = "saved"


@dataclass(frozen=True, slots=True)
class ClockHabits:
    """steps: when (true milliseconds from the beginning) the wall clock is set, and by how much. wakes: see
    there; any but RIGHT is not synchronised. set_after_ms: after its start a machine without time hears of a
    time source, None never. cuts: when the power fails, for `dark_ms` each. drift_ppm: how fast the crystal
    is; while synchronised the wall clock is held right. begins_lost: it starts without time.
    """

    steps: tuple[tuple[int, int], ...] = ()
    wakes: Wakes = Wakes.RIGHT
    set_after_ms: int | None = None
    cuts: tuple[int, ...] = ()
    dark_ms: int = 7 * MINUTE_MS
    drift_ppm: int = 0
    begins_lost: bool = False


#: A clock with a battery.
HONEST = ClockHabits()


class Timekeeper:
    """Moves a world's clock as its habits are, by true time alone: the same run has the same clock."""

    def __init__(self, clock: FakeClock, habits: ClockHabits) -> None:
        """Nothing has happened yet."""
        self._clock, self._habits = clock, habits
        self._steps, self._cuts = list(habits.steps), list(habits.cuts)
        self._begun_ms = 0
        self._saved_at = clock.now().wall_at
        self._saved_ms = 0
        clock.drift_ppm = habits.drift_ppm
        if habits.begins_lost:
            self.restart(BOOT_MS)

    def restart(self, milliseconds: int, off_ms: int = 0) -> None:
        """Start the machine anew, which takes so long, after it was off for a while."""
        right_at = self._clock.true_at + off_ms + milliseconds
        shown = {Wakes.RIGHT: right_at, Wakes.EPOCH: milliseconds}.get(self._habits.wakes, self._saved_at)
        trusted = self._habits.wakes is Wakes.RIGHT
        self._clock.reboot(milliseconds, off_ms=off_ms, wall_at=shown, trusted=trusted)
        self._begun_ms = self._clock.passed_ms

    def advance(self, milliseconds: int) -> None:
        """Let time pass, and do to the clock what is due by then."""
        clock, habits = self._clock, self._habits
        clock.advance(milliseconds)
        late_ms = clock.passed_ms - self._begun_ms
        if not clock.now().trusted and habits.set_after_ms is not None and late_ms >= habits.set_after_ms:
            clock.synchronise()
        while self._steps and self._steps[0][0] <= clock.passed_ms:
            clock.set_wall(self._steps.pop(0)[1])
        if clock.passed_ms - self._saved_ms >= MINUTE_MS:
            self._saved_ms, self._saved_at = clock.passed_ms, clock.now().wall_at
        if habits.drift_ppm and clock.now().trusted:
            clock.synchronise()

    def fails(self) -> bool:
        """Return whether the power fails now; then it has, once."""
        due = bool(self._cuts) and self._cuts[0] <= self._clock.passed_ms
        if due:
            self._cuts.pop(0)
        return due
