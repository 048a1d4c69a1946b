"""The page of a mall day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sim.mall_day.money import Heard

if TYPE_CHECKING:
    from sim.mall_day.day import MallDay


def page(day: MallDay, told: Heard, found: Sequence[str], digest: str) -> str:
    """Return the page."""
    return ""
