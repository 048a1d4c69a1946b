"""End what is over: shifts that open by themselves, and business days all of whose shifts are closed."""

from __future__ import annotations

import structlog

from edge.services.box import Box
from edge.services.close_day import roll_shifts
from edge.workers import Worker

ROLL_EVERY_S = 20.0

_log = structlog.get_logger("service")


class EndingDays:
    """The shifts and business days of this box."""

    def __init__(self, box: Box) -> None:
        self._box = box

    def workers(self) -> list[Worker]:
        """Return the one worker that looks."""
        return [Worker("days", self._roll)]

    def _roll(self) -> float:
        ended = roll_shifts(self._box)
        if ended:
            _log.info("shifts and days ended by themselves", count=ended)
        return ROLL_EVERY_S
