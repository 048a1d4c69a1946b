"""Fetch the gateways' bills of yesterday and compare them with the books."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import structlog

from edge.services.box import Box
from edge.services.payment_ports import BillSource
from edge.services.reconcile_days import compare_day, reconcile_due
from edge.workers import Worker

LOOK_EVERY_S = 600.0

#: The largest bills take seconds; a slow line to fetch several of them takes much longer.
RECONCILE_LONGEST_S = 3_600.0

#: Days that a person may have compared again at a time.
MAX_ASKED = 31

_log = structlog.get_logger("service")


class Reconciling:
    """The bills of all merchant numbers."""

    def __init__(self, box: Box, sources: Sequence[BillSource], from_minute: int) -> None:
        """from_minute: of the day, from which yesterday's bills are asked for."""
        self._box = box
        self._sources = sources
        self._from_minute = from_minute
        self._worker = Worker("reconcile", self._compare, RECONCILE_LONGEST_S)
        # A set, so that a person who is impatient asks for one comparison.
        self._asked: set[date] = set()

    def workers(self) -> list[Worker]:
        """Return the one that compares, if there are bills to be had."""
        return [self._worker] if self._sources else []

    def ask(self, day: date) -> None:
        """Have the bills of a day compared now, also if they were before."""
        if len(self._asked) < MAX_ASKED:
            self._asked.add(day)
        self._worker.wake()

    def _compare(self) -> float:
        while self._asked:
            asked = self._asked.pop()
            for source in self._sources:
                compare_day(self._box, source, asked)
        done = reconcile_due(self._box, self._sources, self._from_minute)
        for day in done.days:
            _log.info(
                "bill compared",
                gateway=day.gateway,
                day=day.day,
                rows=day.rows,
                matched=day.matched,
                differences=day.differences,
            )
        if done.failed is not None:
            raise done.failed
        return LOOK_EVERY_S
