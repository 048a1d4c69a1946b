"""Cancel counter tickets that nobody paid in time, and tell a person of those nobody handed over."""

from __future__ import annotations

import structlog

from edge.errors import EdgeError
from edge.services.await_hand_over import await_hand_overs
from edge.services.box import Box, WorkstationKind
from edge.services.issue_ticket import expire_tickets
from edge.workers import Worker

EVERY_S = 10.0

_log = structlog.get_logger("service")


class ExpiringTickets:
    """The counters' tickets of this box; a box without counters has nobody who looks."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._after = ""

    def workers(self) -> list[Worker]:
        """Return the one worker that looks, where there are counters."""
        places = self._box.workstations.values()
        has_counters = any(one.kind is WorkstationKind.COUNTER for one in places)
        return [Worker("tickets", self._look)] if has_counters else []

    def _look(self) -> float:
        try:
            gone = expire_tickets(self._box)
            self._after = await_hand_overs(self._box, self._after)
        except EdgeError as error:
            _log.error("tickets that are over could not be looked after", why=str(error))
            return EVERY_S
        if gone:
            _log.info("tickets have expired", count=gone)
        return EVERY_S
