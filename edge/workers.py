"""Threads that take a step again and again, and a supervisor that keeps them at it.

A step that raises is logged and counted, and taken again after a growing pause: no worker ever ends
before the service does. A worker that is stuck inside a step stops the watchdog's ping.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from edge.clock import boottime_ns, wait
from edge.errors import EdgeError

_log = structlog.get_logger("workers")

#: Pauses after a step that raised, in seconds: the first, then doubled up to the last.
PAUSES_S = (0.5, 30.0)


@dataclass(frozen=True, slots=True)
class WorkerState:
    """How a worker is doing. quiet_s: since its last finished step; crashes: steps that raised."""

    name: str
    quiet_s: float
    crashes: int
    last_error: str


class Worker:
    """One thread that takes one kind of step."""

    def __init__(
        self,
        name: str,
        step: Callable[[], float],
        longest_s: float = 60.0,
        wake: threading.Event | None = None,
        pauses_s: tuple[float, float] = PAUSES_S,
    ) -> None:
        """step: does one thing and returns the seconds to wait before the next, unless woken earlier.

        longest_s: a step that takes longer counts as stuck. wake: an event of somebody else's to wake on.
        pauses_s: the first and the last after steps that raised.
        """
        self.name = name
        #: What it does again and again, for whoever plays the worker without a thread.
        self.step = step
        self.longest_s = longest_s
        self.pauses_s = pauses_s
        self._wake = wake or threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._finished_ns = boottime_ns()
        # When the present step began, None while it waits for the next.
        self._begun_ns: int | None = None
        self._crashes = 0
        self._in_a_row = 0
        self._last_error = ""

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Take the next step now."""
        self._wake.set()

    def stop(self) -> None:
        """Ask for the end after the present step."""
        self._stopping.set()
        self._wake.set()

    def join(self, timeout_s: float) -> bool:
        """Wait for the end; return whether it came. One that never began is at its end."""
        if self._thread.ident is None:
            return True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def state(self) -> WorkerState:
        """Return how the worker is doing."""
        quiet_s = (boottime_ns() - self._finished_ns) / 1e9
        return WorkerState(self.name, quiet_s, self._crashes, self._last_error)

    def is_stuck(self) -> bool:
        """Whether its present step takes too long; one that waits for its next step is well."""
        begun_ns = self._begun_ns
        return begun_ns is not None and (boottime_ns() - begun_ns) / 1e9 > self.longest_s

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            self._begun_ns = boottime_ns()
            pause_s = self._take_step()
            self._finished_ns, self._begun_ns = boottime_ns(), None
            if pause_s > 0 and not self._stopping.is_set():
                wait(self._wake, pause_s)

    def _take_step(self) -> float:
        try:
            pause_s = self.step()
        # The supervisor's boundary: whatever a step raises is logged, counted and tried again.
        except Exception as error:
            self._crashes += 1
            self._in_a_row += 1
            self._last_error = f"{type(error).__name__}: {error}"
            surprise = not isinstance(error, EdgeError)
            _log.error(
                "step failed", worker=self.name, crashes=self._crashes, why=str(error), exc_info=surprise
            )
            first_s, last_s = self.pauses_s
            return float(min(first_s * 2 ** min(self._in_a_row - 1, 10), last_s))
        self._in_a_row = 0
        return pause_s


class Supervisor:
    """All workers of the service."""

    def __init__(self, workers: Sequence[Worker]) -> None:
        self.workers = tuple(workers)

    def start(self) -> None:
        """Begin all."""
        for worker in self.workers:
            worker.start()

    def stop(self, timeout_s: float = 5.0) -> tuple[str, ...]:
        """End all; return the names of those still inside a step after `timeout_s` each."""
        for worker in self.workers:
            worker.stop()
        return tuple(worker.name for worker in self.workers if not worker.join(timeout_s))

    def stuck(self) -> tuple[str, ...]:
        """Return the names of workers whose present step takes too long."""
        return tuple(one.name for one in self.workers if one.is_stuck())
