"""The worker that keeps publishing: sleeps until something is to do and survives every failure."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from edge.errors import EdgeError
from edge.services.ports import Clock, HqLink, Store
from edge.services.publish_events import IDLE_MS, PublishCursor, PublishStep, publish_events

_log = logging.getLogger(__name__)


class Publisher:
    """Runs `publish_events` until stopped; one thread, the only caller of the link's send and acks."""

    def __init__(
        self,
        store: Store,
        link: HqLink,
        clock: Clock,
        wake: threading.Event,
        report: Callable[[PublishStep], None] = lambda step: None,
    ) -> None:
        """wake: the link's event; set it after a commit that wrote events. report: told every step."""
        self._store = store
        self._link = link
        self._clock = clock
        self._wake = wake
        self._report = report
        self._cursor = PublishCursor()
        self.failures = 0
        self.last_problem = ""

    def run(self, stop: threading.Event) -> None:
        """Publish until `stop` is set; set `wake` too, to be answered at once."""
        while not stop.is_set():
            self._wake.clear()
            wait_ms = self._step()
            if wait_ms:
                self._wake.wait(wait_ms / 1000)

    def _step(self) -> int:
        try:
            step = publish_events(self._store, self._link, self._clock, self._cursor)
            self._cursor = step.cursor
            if step.unfillable:
                _log.error("HQ misses events %s that it acknowledged before", step.unfillable)
            self._report(step)
            return step.wait_ms
        except EdgeError as error:
            self._note(error)
            _log.error("publishing to HQ: %s", error)
        except Exception as error:
            # A supervisor: whatever went wrong, the outbox is untouched and the next step tries again.
            self._note(error)
            _log.exception("publishing to HQ failed")
        return IDLE_MS

    def _note(self, error: Exception) -> None:
        self.failures += 1
        self.last_problem = str(error)
