"""Send events to HQ until its acks cover them."""

from __future__ import annotations

import threading

import structlog

from edge.services.box import Box
from edge.services.publish_events import PublishCursor, publish_events
from edge.workers import Worker

_log = structlog.get_logger("service")


class Publishing:
    """The outbox on its way."""

    def __init__(self, box: Box, wake: threading.Event) -> None:
        """wake: set by the link when something came."""
        self._box = box
        self._cursor = PublishCursor()
        self._worker = Worker("publish", self._publish, wake=wake)

    def workers(self) -> list[Worker]:
        """Return the one publisher."""
        return [self._worker]

    def wake(self) -> None:
        """Look for new events now."""
        self._worker.wake()

    def _publish(self) -> float:
        step = publish_events(self._box.store, self._box.link, self._box.clock, self._cursor)
        self._cursor = step.cursor
        if step.unfillable:
            _log.error("HQ misses events that it acknowledged before", sequences=list(step.unfillable))
        return step.wait_ms / 1000
