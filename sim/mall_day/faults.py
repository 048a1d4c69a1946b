"""Faults of a day, drawn by lot at each port and counted by the hour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

from sim.mall_day.dice import Dice
from sim.traffic import HOUR_MS

T = TypeVar("T")

#: The ports at which something may go wrong, in the order of the report.
PORTS = (
    "gateway",
    "refunds",
    "phone payments",
    "owners",
    "HQ link",
    "snapshots",
    "bills",
    "printers",
    "scanners",
    "cameras",
    "gates",
    "displays",
    "store",
)


class Faults:
    """Draws faults. rate: of all calls of a port, 0-1. calls, hits: by port; by_hour: by (port, hour)."""

    def __init__(self, dice: Dice, rate: float) -> None:
        """Nothing has gone wrong yet."""
        self.dice, self.rate = dice, rate
        self.calls: Counter[str] = Counter()
        self.hits: Counter[str] = Counter()
        self.kinds: Counter[tuple[str, str]] = Counter()
        self.by_hour: Counter[tuple[str, int]] = Counter()
        self.hour = 0

    def draw(self, port: str, kinds: Sequence[T]) -> T | None:
        """Return how this call fails, None for most."""
        self.calls[port] += 1
        if not self.rate or self.dice.random() >= self.rate:
            return None
        kind = self.dice.choice(kinds)
        self.note(port, str(kind))
        return kind

    def note(self, port: str, kind: str) -> None:
        """Count a fault that was drawn elsewhere."""
        self.hits[port] += 1
        self.kinds[port, kind] += 1
        self.by_hour[port, self.hour] += 1

    def at(self, passed_ms: int, from_ms: int) -> None:
        """Say what time it is: so long after the day began at `from_ms` of it."""
        self.hour = (from_ms + passed_ms) // HOUR_MS
