"""What the proof counts, and how much of it a run does.

`make test` crashes, cuts and kills at some places, `make proof` at all of them: the same tests, told apart by
MALL_EDGE_PROOF. Each test adds what it did to a tally, which is printed as one table at the end.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable
from enum import StrEnum

#: Whether this run is the whole proof.
PROOF = os.environ.get("MALL_EDGE_PROOF") == "1"

#: Why a test is skipped that the fast part leaves to the proof; any other reason is a want of the machine.
LATER = "played by make proof"

#: Where a tally stands among a test's properties.
_MARK = "proof: "


class Counted(StrEnum):
    """What is counted, in the words of the table and in its order."""

    BOUNDARIES = "boundaries of the scenarios"
    CRASHED = "boundaries crashed, in all worlds"
    SINGLES = "runs that crashed once"
    DOUBLES = "runs that crashed twice"
    IMAGES = "images of the disk after a power cut"
    FAULTS = "runs in which the disk failed"
    KILLS = "real kills of the service"
    BROKER_KILLS = "real kills of the broker"
    SEQUENCES = "rows of what people do"
    DAYS = "mall days"
    DEVICES = "faults of devices"
    BUGS = "seeded bugs caught"
    MISSED = "seeded bugs missed"
    VIOLATIONS = "violations"


class Tally:
    """What one test has done of the proof."""

    def __init__(self, record: Callable[[str, object], None]) -> None:
        self._record = record

    def add(self, what: Counted, count: int) -> None:
        """Add to what this test has counted."""
        self._record(_MARK + what.value, count)


def summed(properties: Iterable[tuple[str, object]]) -> Counter[str]:
    """Return the sums over the properties of all tests, by the words of Counted."""
    total: Counter[str] = Counter()
    for name, count in properties:
        if name.startswith(_MARK) and isinstance(count, int):
            total[name.removeprefix(_MARK)] += count
    return total


def table(total: Counter[str]) -> tuple[str, ...]:
    """Return a line for each thing counted; empty when nothing was."""
    if not total:
        return ()
    rows = [one for one in Counted if total[one.value] or one is Counted.VIOLATIONS]
    return tuple(f"{total[one.value]:>10,}  {one.value}" for one in rows)
