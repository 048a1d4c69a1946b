"""Keep scan and go in order: forsaken carts are given up, old codes, passes and looks are deleted."""

from __future__ import annotations

import structlog

from edge.errors import EdgeError
from edge.services.box import Box
from edge.services.forsake_carts import forsake_carts, tidy_codes
from edge.services.pass_exit import keep_exits
from edge.workers import Worker

EVERY_S = 120.0

_log = structlog.get_logger("service")


class KeepingCarts:
    """The carts of phones; where nothing is sold so, nobody looks."""

    def __init__(self, box: Box) -> None:
        self._box = box

    def workers(self) -> list[Worker]:
        """Return the worker that looks."""
        return [Worker("carts", self._look)] if self._box.scan_and_go.is_open else []

    def _look(self) -> float:
        try:
            forsaken, codes, passes = forsake_carts(self._box), tidy_codes(self._box), keep_exits(self._box)
        except EdgeError as error:
            _log.error("forsaken carts could not be given up", why=str(error))
            return EVERY_S
        if forsaken or codes or passes:
            _log.info("carts looked at", forsaken=forsaken, codes=codes, passes=passes)
        return EVERY_S
