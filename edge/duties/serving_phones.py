"""Keep phones in order: what they left unpaid ends, old sessions end, WeChat is told of hand-overs."""

from __future__ import annotations

import structlog

from edge.errors import EdgeError
from edge.services.box import Box
from edge.services.hand_over_notices import tell_notices, tidy_notices
from edge.services.phone_order import end_forsaken_orders
from edge.services.phone_session import tidy_sessions
from edge.workers import Worker

#: Between two looks: at sessions and orders, and at what WeChat is to be told.
EVERY_S = 60.0
TELL_EVERY_S = 2.0

#: The longest that one go may take: its turn, and the longest calls of the last notice, a token's among them.
LONGEST_S = 120.0

_log = structlog.get_logger("service")


class ServingPhones:
    """The phones of this box; where there are none, a look costs little."""

    def __init__(self, box: Box) -> None:
        self._box = box

    def workers(self) -> list[Worker]:
        """Return the worker that looks, and the one that tells WeChat where there is a mini-program."""
        looks = Worker("phones", self._look)
        if self._box.mini_program is None:
            return [looks]
        return [looks, Worker("notices", self._tell, LONGEST_S)]

    def _look(self) -> float:
        try:
            orders, sessions = end_forsaken_orders(self._box), tidy_sessions(self._box)
            tidy_notices(self._box)
        except EdgeError as error:
            _log.error("orders and sessions of phones could not be ended", why=str(error))
            return EVERY_S
        if orders or sessions:
            _log.info("phones looked at", orders=orders, sessions=sessions)
        return EVERY_S

    def _tell(self) -> float:
        try:
            told = tell_notices(self._box)
        except EdgeError as error:
            _log.error("WeChat could not be told of hand-overs", why=str(error))
            return TELL_EVERY_S
        if told:
            _log.info("WeChat was told", count=told)
        return TELL_EVERY_S
