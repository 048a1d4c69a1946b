"""What goes on beside other things, in true time: a heap of processes over the box's clock."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Generator

from edge.clock import Instant
from sim.fakes.clock import FakeClock

#: What somebody does: it yields how many milliseconds pass until the next step.
Process = Generator[int, None, None]


class Timeline:
    """Runs processes in the order of their moments, in true time, whatever the clock shows."""

    def __init__(self, clock: FakeClock) -> None:
        """Begin at the clock's present."""
        self._clock = clock
        self._heap: list[tuple[int, int, Process]] = []
        self._keys = 0

    @property
    def now_ms(self) -> int:
        """True milliseconds since the day began."""
        return self._clock.passed_ms

    def start(self, process: Process, after_ms: int = 0) -> None:
        """Have a process take its first step so much later."""
        self._keys += 1
        heapq.heappush(self._heap, (self.now_ms + after_ms, self._keys, process))

    def run(self, over: Callable[[], bool]) -> None:
        """Take step after step until it is over or nobody is left."""
        while self._heap and not over():
            at, _, process = heapq.heappop(self._heap)
            if at > self.now_ms:
                self._clock.advance(at - self.now_ms)
            pause_ms = next(process, None)
            if pause_ms is not None:
                self.start(process, pause_ms)


def once(act: Callable[[], object]) -> Process:
    """Return the process that does one thing."""
    act()
    yield from ()


class DayClock(FakeClock):
    """The box's clock on a day of millions of steps: the instant is made when somebody looks.

    Look at it before `reboot`.
    """

    def __init__(self, wall_at: int) -> None:
        """Nothing has passed."""
        super().__init__(wall_at)
        self._unseen_ms = 0

    def now(self) -> Instant:
        """Return the present instant."""
        if self._unseen_ms:
            milliseconds, self._unseen_ms = self._unseen_ms, 0
            self.passed_ms -= milliseconds
            super().advance(milliseconds)
        return super().now()

    def advance(self, milliseconds: int) -> None:
        """Let time pass."""
        self.passed_ms += milliseconds
        self._unseen_ms += milliseconds

    def set_wall(self, milliseconds: int) -> None:
        """Step the wall clock by so much."""
        self.now()
        super().set_wall(milliseconds)
