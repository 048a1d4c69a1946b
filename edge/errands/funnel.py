"""The funnel for the command line; reads beside a running service."""

from __future__ import annotations

from edge.app.rules import build_rules
from edge.clock import SystemClock
from edge.config import Config
from edge.errands.handing_over import reading_unit
from edge.services.business_day import day_of
from edge.services.journey_records import FunnelBy, FunnelFilter
from edge.services.show_funnel import FunnelView, days_before, read_funnel


def funnel_of(config: Config, day: str, days: int, by: FunnelBy) -> FunnelView:
    """Return the funnel of so many days up to `day` (YYYY-MM-DD, "" for today's business day)."""
    last = day or day_of(SystemClock().now().wall_at, build_rules(config))
    wanted = FunnelFilter(days_before(last, days - 1), last)
    with reading_unit(config) as unit:
        return read_funnel(unit, wanted, by)
