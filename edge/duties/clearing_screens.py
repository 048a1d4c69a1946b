"""Bring forsaken screens back to the start."""

from __future__ import annotations

import structlog

from edge.errors import EdgeError
from edge.services.box import Box
from edge.services.reset_idle import reset_idle
from edge.workers import Worker

IDLE_EVERY_S = 1.0

_log = structlog.get_logger("service")


class ClearingScreens:
    """The screens of all workstations."""

    def __init__(self, box: Box) -> None:
        self._box = box

    def workers(self) -> list[Worker]:
        """Return the one worker that looks."""
        return [Worker("idle", self._reset_idle)]

    def _reset_idle(self) -> float:
        for workstation in self._box.workstations:
            try:
                reset_idle(self._box, workstation)
            except EdgeError as error:
                # One workstation's contradiction must not keep the others' screens.
                _log.error("cannot go back to the start", workstation=workstation, why=str(error))
        return IDLE_EVERY_S
