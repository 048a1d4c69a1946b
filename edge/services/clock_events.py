"""The data of what HQ is told of the box's clock."""

from __future__ import annotations

from edge.services.events import Data


def clock_stepped(before_at: int, after_at: int, synchronised: bool, over_restart: bool) -> Data:
    """Return the data of "clock.stepped": the wall clock was set by more than two seconds.

    before_at: what it would show had it gone on, after_at: what it shows. over_restart: it went back while
    the machine was off, so that `before_at` is the least that it should show.
    """
    return {
        "before_at": before_at,
        "after_at": after_at,
        "step_ms": after_at - before_at,
        "synchronised": synchronised,
        "over_restart": over_restart,
    }
