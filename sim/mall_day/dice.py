"""Where a day's lots come from: a seed, so that it can be played again."""

from __future__ import annotations

from random import Random  # noqa: TID251 - seeded

Dice = Random


def dice(seed: int, what: str) -> Dice:
    """Return the lots of one thing; the same seed and thing draw the same."""
    return Random(f"{seed} {what}")
