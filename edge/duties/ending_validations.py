"""End validations that nobody used in time, and reservations for which nobody came."""

from __future__ import annotations

import structlog

from edge.errors import EdgeError
from edge.services.box import Box
from edge.services.reserve_space import end_missed
from edge.services.session_benefits import expire_validations
from edge.workers import Worker

EVERY_S = 300.0

_log = structlog.get_logger("service")


class EndingValidations:
    """The validations and reservations of this box; where there are none, a look costs little."""

    def __init__(self, box: Box) -> None:
        self._box = box

    def workers(self) -> list[Worker]:
        """Return the one worker that looks."""
        return [Worker("validations", self._expire)]

    def _expire(self) -> float:
        try:
            ended, missed = expire_validations(self._box), end_missed(self._box)
        except EdgeError as error:
            _log.error("validations or reservations that are over could not be ended", why=str(error))
            return EVERY_S
        if missed:
            _log.info("nobody came for reservations", count=missed)
        if ended:
            _log.info("validations are over", count=ended)
        return EVERY_S
