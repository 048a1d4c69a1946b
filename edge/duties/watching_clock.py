"""Look at the clock, and leave the heartbeat by which stays are measured over a restart."""

from __future__ import annotations

import structlog

from edge.services.box import Box
from edge.services.watch_clock import ALARM_AFTER_H, LOOK_MS, ClockWatch, watch_clock
from edge.workers import Worker

_log = structlog.get_logger("service")


class WatchingClock:
    """The machine's clock, as its time source sets it."""

    def __init__(self, box: Box, alarm_after_h: int = ALARM_AFTER_H) -> None:
        """alarm_after_h: hours without a time source until HQ and staff are told; 0 for never."""
        self._box = box
        self._alarm_after_h = alarm_after_h
        self._watch = ClockWatch()

    def workers(self) -> list[Worker]:
        """Return the one that looks."""
        return [Worker("clock", self._step)]

    def _step(self) -> float:
        box, before = self._box, self._watch
        self._watch = watch_clock(box.store, box.clock, box.ids, box.origin, self._alarm_after_h, before)
        if self._watch.alarmed is not before.alarmed:
            _log.warning("clock", unsynchronised=self._watch.alarmed)
        return LOOK_MS / 1000
