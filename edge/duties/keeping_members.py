"""Keep members and points in order: leases end, points expire, the unseen are forgotten, WeChat is told."""

from __future__ import annotations

import structlog

from edge.errors import EdgeError
from edge.services.box import Box
from edge.services.circle_points import PointsCircle, tell_circle
from edge.services.erase_member import forget_unseen
from edge.services.spend_points import end_leases, expire_points
from edge.workers import Worker

#: Between two looks: at leases, at what is kept too long, and at what the circle is to be told.
EVERY_S = 60.0
CIRCLE_EVERY_S = 10.0

_log = structlog.get_logger("service")


class KeepingMembers:
    """The members and points of this box; where there are none, a look costs little."""

    def __init__(self, box: Box, circle: PointsCircle | None = None) -> None:
        self._box = box
        self._circle = circle

    def workers(self) -> list[Worker]:
        """Return the worker that looks, and the one that tells the business circle where there is one."""
        looks = Worker("members", self._look)
        return [looks] if self._circle is None else [looks, Worker("circle", self._tell)]

    def _look(self) -> float:
        try:
            ended, expired = end_leases(self._box), expire_points(self._box)
            forgotten = forget_unseen(self._box)
        except EdgeError as error:
            _log.error("leases, points or members that are over could not be ended", why=str(error))
            return EVERY_S
        if ended or expired or forgotten:
            _log.info("members looked at", leases=ended, expired=expired, forgotten=forgotten)
        return EVERY_S

    def _tell(self) -> float:
        if self._circle is None:
            return CIRCLE_EVERY_S
        try:
            told = tell_circle(self._box, self._circle)
        except EdgeError as error:
            _log.error("the business circle could not be told of points", why=str(error))
            return CIRCLE_EVERY_S
        if told:
            _log.info("the business circle was told of points", count=told)
        return CIRCLE_EVERY_S
