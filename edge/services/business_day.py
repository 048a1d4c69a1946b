"""The mall's trading day: it begins at an hour of the night, not at midnight."""

from __future__ import annotations

from datetime import timedelta

from edge.clock import Instant, local
from edge.services.box import Box


def business_day(box: Box, now: Instant) -> str:
    """Return the ISO date of the business day that `now` belongs to."""
    moment = local(now.wall_at, box.rules.zone) - timedelta(hours=box.rules.day_starts_h)
    return moment.date().isoformat()
