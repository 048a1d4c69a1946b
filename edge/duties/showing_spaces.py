"""Show on its board how many spaces a zone has free: at once when it changes, and again from time to time."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from devices.types import DeviceError
from edge.clock import boottime_ns
from edge.parking.facility import Zone
from edge.services.box import Box
from edge.services.count_zone import count_zone
from edge.services.ports import SpaceBoard
from edge.workers import Worker

#: Between looks at the count, in seconds.
LOOK_S = 1.0

#: A board shows the same again so often: it may have been switched off meanwhile, and never answers.
REPEAT_S = 60.0

#: Before a board that failed is tried again.
AGAIN_S = 5.0

_log = structlog.get_logger("spaces")


class ShowingSpaces:
    """The space-count boards of this box."""

    def __init__(
        self,
        box: Box,
        boards: Mapping[str, SpaceBoard],
        look_s: float = LOOK_S,
        repeat_s: float = REPEAT_S,
        again_s: float = AGAIN_S,
    ) -> None:
        """boards: by zone; one of a zone that is not here, or whose spaces are not counted, stays dark."""
        found = ((box.parking.facility.zone(name), board) for name, board in boards.items())
        self._shows = [
            _BoardShow(box, zone, board, (look_s, repeat_s, again_s))
            for zone, board in found
            if zone is not None and zone.spaces
        ]

    def workers(self) -> list[Worker]:
        """Return one worker for each board, so that a slow one delays no other."""
        return [Worker(f"spaces-{one.zone.name}", one.step) for one in self._shows]


class _BoardShow:
    """One board's turn, taken by one thread. pauses: between looks, repetitions and tries, in seconds."""

    def __init__(self, box: Box, zone: Zone, board: SpaceBoard, pauses: tuple[float, float, float]) -> None:
        self.zone = zone
        self._box = box
        self._board = board
        self._look_s, repeat_s, self._again_s = pauses
        self._repeat_ns = int(repeat_s * 1e9)
        self._shown: int | None = None
        self._shown_ns = 0
        self._failed = False

    def step(self) -> float:
        """Show the count if it is new or was shown long ago; return the pause."""
        free = self._box.store.read(lambda unit: count_zone(unit, self.zone).free)
        now_ns = boottime_ns()
        if free is None or (free == self._shown and now_ns - self._shown_ns < self._repeat_ns):
            return self._look_s
        try:
            self._board.show_count(free)
        except DeviceError as error:
            if not self._failed:
                _log.warning("space board", board=self._board.name, zone=self.zone.name, why=str(error))
            # What a board shows after a failure nobody knows.
            self._failed, self._shown = True, None
            return self._again_s
        if self._failed:
            _log.info("space board is back", board=self._board.name, zone=self.zone.name)
        self._failed, self._shown, self._shown_ns = False, free, now_ns
        return self._look_s
