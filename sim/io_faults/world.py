"""The deterministic world on a real database whose disk fails at a chosen call, and is repaired later.

The disk fails while the service works, never while people look or the world looks from outside. A service
that gets an error goes on as the shipped one does: whoever asked is told, a worker takes its next turn.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any

from edge.store.database import open_reader, quick_check
from sim.on_disk import OnDisk
from sim.world.checks import violations
from sim.world.scenario import Scenario
from sim.world.service import Service
from sim.world.steps import Crash
from sim.world.world import Stuck, World

#: Rounds after which a disk that fails for ever is repaired; each is a second at least.
BROKEN_ROUNDS = 30

_WRITES, _SYNCS, _READS = 1, 2, 4
_ZEROED = -1


class Fault(Enum):
    """What goes wrong: (errno, whether it lasts, which calls). ZEROED reads return nothing but zeros."""

    FULL_ONCE = (28, False, _WRITES)
    FULL = (28, True, _WRITES)
    WRITE_ERROR_ONCE = (5, False, _WRITES | _SYNCS)
    WRITE_ERROR = (5, True, _WRITES | _SYNCS)
    READ_ERROR_ONCE = (5, False, _READS)
    READ_ERROR = (5, True, _READS)
    ZEROED_ONCE = (_ZEROED, False, _READS)

    @property
    def told(self) -> str:
        """Return its name for a person."""
        return self.name.lower().replace("_", " ")


class Shim:
    """The library that makes calls fail; it must have been loaded first, see play.run_shimmed."""

    def __init__(self, folder: Path) -> None:
        self._library = ctypes.CDLL(None)
        for name in ("fault_counted", "fault_failed"):
            getattr(self._library, name).restype = ctypes.c_long
        self._library.fault_folder(os.fsencode(folder))

    def arm(self, at: int, fault: Fault) -> None:
        """Have the `at`-th call from now on fail, 0 for none; calls are counted anew."""
        number, lasting, kinds = fault.value
        self._library.fault_arm(ctypes.c_long(at), number, int(lasting), kinds)

    def active(self, on: bool) -> None:
        """Count calls, and let them fail, or not."""
        self._library.fault_active(int(on))

    @property
    def counted(self) -> int:
        """How many calls of the armed kinds there were."""
        return int(self._library.fault_counted())

    @property
    def failed(self) -> int:
        """How many of them failed."""
        return int(self._library.fault_failed())


class FaultyService(Service):
    """A service that is told of a failing disk at its scanners and while it charges, too."""

    def read_scanner(self, place: str) -> None:
        """As in any world, one step."""
        self.step(partial(super().read_scanner, place))

    def charge(self) -> None:
        """As in any world, one step."""
        self.step(super().charge)


class FaultyWorld(World):
    """A world whose disk fails. calls, failed: at the disk, until it was repaired."""

    lives = FaultyService

    def __init__(self, scenario: Scenario, state: OnDisk, shim: Shim, at: int, fault: Fault) -> None:
        shim.active(False)
        super().__init__(scenario, 0, (), state)
        self._state_on_disk = state
        self._shim = shim
        self._fault = fault
        self._broken_since = 0
        self._damaged = self._failing = False
        self.calls = self.failed = 0
        self._watch()
        shim.arm(at, fault)

    def look(self, workstation: str) -> Mapping[str, Any]:
        """As in any world; people's eyes do not fail."""
        with self._disk(failing=False):
            return super().look(workstation)

    def step(self, act: Callable[[], object]) -> None:
        """As in any world, while the disk may fail; a service that finds its database damaged ends."""
        self._repair_in_time()
        with self._disk(failing=True):
            super().step(act)
        if self._damaged:
            self._damaged = False
            raise Crash

    def run(self) -> World:
        """As in any world."""
        super().run()
        self._count()
        return self

    def _die(self) -> None:
        super()._die()
        self._watch()

    def _watch(self) -> None:
        def note() -> None:
            self._damaged = True

        self._state_on_disk.store.when_damaged(note)

    def _repair_in_time(self) -> None:
        if self._shim.failed and not self._broken_since:
            self._broken_since = self._rounds
        if self._broken_since and self._rounds == self._broken_since + BROKEN_ROUNDS:
            self._count()
            self._shim.arm(0, self._fault)

    def _count(self) -> None:
        self.calls = max(self.calls, self._shim.counted)
        self.failed = max(self.failed, self._shim.failed)

    @contextmanager
    def _disk(self, *, failing: bool) -> Iterator[None]:
        before = self._failing
        self._failing = failing
        self._shim.active(failing)
        try:
            yield
        finally:
            self._failing = before
            self._shim.active(before)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one run. calls: that could have failed; failed: that did."""

    calls: int
    failed: int
    problems: tuple[str, ...]


def run_faulty(scenario: Scenario, folder: Path, at: int, fault: Fault) -> Outcome:
    """Run a scenario in an empty folder with its `at`-th call failing, 0 for none; return what it broke."""
    shim, state = Shim(folder), OnDisk(folder)
    world = FaultyWorld(scenario, state, shim, at, fault)
    try:
        problems = violations(world.run())
    except Stuck as stuck:
        problems = [str(stuck)]
    state.close()
    with open_reader(state.path) as reader:
        quick_check(reader, state.path)
    return Outcome(world.calls, world.failed, tuple(problems))
