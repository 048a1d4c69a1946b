"""The mall's trading day: it begins at an hour of the night, not at midnight."""

from __future__ import annotations

from datetime import timedelta

from edge.clock import Instant, local
from edge.services.box import Box, Rules


def business_day(box: Box, now: Instant) -> str:
    """Return the ISO date of the business day that `now` belongs to."""
    return day_of(now.wall_at, box.rules)


def day_of(at: int, rules: Rules) -> str:
    """Return the ISO date of the business day of a moment."""
    return (local(at, rules.zone) - timedelta(hours=rules.day_starts_h)).date().isoformat()
