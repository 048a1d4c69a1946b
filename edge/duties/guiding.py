"""Give guides their tasks as they fall due, and forget single steps that are too old."""

from __future__ import annotations

import structlog

from edge.errors import EdgeError
from edge.services.box import Box
from edge.services.guide_tasks import forget_steps, plan_tasks
from edge.workers import Worker

EVERY_S = 600.0

_log = structlog.get_logger("service")


class Guiding:
    """The guides' tasks of this box; without members that buy, a look costs little."""

    def __init__(self, box: Box) -> None:
        self._box = box

    def workers(self) -> list[Worker]:
        """Return the one worker that looks."""
        return [Worker("guides", self._look)]

    def _look(self) -> float:
        try:
            given, gone = plan_tasks(self._box), forget_steps(self._box)
        except EdgeError as error:
            _log.error("guides' tasks could not be given out", why=str(error))
            return EVERY_S
        if given:
            _log.info("guides have new tasks", count=given)
        if gone:
            _log.info("old steps of shoppers' ways are forgotten", count=gone)
        return EVERY_S
