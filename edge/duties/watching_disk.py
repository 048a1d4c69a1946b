"""Look at the disk and say what it has room for."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from edge.services.box import Box
from edge.services.ports import Disk
from edge.services.watch_disk import (
    DiskMarks,
    DiskState,
    Use,
    describe_space,
    refuses,
    spare_bytes,
    watch_disk,
)
from edge.web.staff_status import DiskWord
from edge.workers import Worker

_log = structlog.get_logger("service")


class WatchingDisk:
    """The disk that the box's state is on."""

    def __init__(self, box: Box, disk: Disk | None, marks: DiskMarks, redraw: Callable[[str], None]) -> None:
        """disk: None to watch nothing and refuse nothing."""
        self._box = box
        self._disk = disk
        self._marks = marks
        self._redraw = redraw
        self._state = DiskState()
        self._worker = Worker("disk", self._watching(disk)) if disk else None

    def workers(self) -> list[Worker]:
        """Return the one that looks, if there is a disk to look at."""
        return [self._worker] if self._worker else []

    def wake(self) -> None:
        """Look now."""
        if self._worker:
            self._worker.wake()

    def refuses(self, use: Use) -> bool:
        """Return whether there is no room for `use`."""
        return refuses(self._state.level, use)

    def word(self) -> DiskWord:
        """Return what pages say of the disk."""
        level, space = self._state.level.name.lower(), self._state.space
        if space is None:
            return DiskWord(level)
        spare = spare_bytes(space, self._marks)
        return DiskWord(level, describe_space(space), space.free_bytes, spare)

    def _watching(self, disk: Disk) -> Callable[[], float]:
        def step() -> float:
            box = self._box
            done = watch_disk(box.store, disk, box.clock, box.ids, box.origin, self._marks, self._state)
            self._state = done.state
            if done.changed and done.state.space is not None:
                level = done.state.level.name.lower()
                _log.warning("disk", level=level, space=describe_space(done.state.space))
                for workstation in box.workstations:
                    self._redraw(workstation)
            return done.wait_ms / 1000

        return step
