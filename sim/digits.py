"""Digits that nobody can guess: the simulators' own chance, outside the deterministic world."""

from __future__ import annotations

import os


def random_digits(count: int) -> str:
    """Return `count` decimal digits from the system's randomness."""
    return "".join(str(byte % 10) for byte in os.urandom(count))
