"""The section of the configuration about counters that write tickets (开单)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CounterConfig:
    """[counter]: how long tickets can be paid and may wait then, and how far prices may be lowered."""

    expire_minutes: int = 120
    guide_override_permille: int = 100
    supervisor_override_permille: int = 500
    foreign_goods: bool = False
    hand_over_hours: int = 24
