"""The ledger of exits, for the command line."""

from __future__ import annotations

from edge.config import Config
from edge.errands.handing_over import reading_unit
from edge.services.list_exits import ExitLine, latest_exits


def exits_of(config: Config, place: str, limit: int) -> tuple[ExitLine, ...]:
    """Return the latest looks at exit codes; reads beside a running service."""
    with reading_unit(config) as unit:
        return latest_exits(unit, place, limit)
