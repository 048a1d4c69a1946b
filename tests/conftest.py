"""What all tests share: properties that are searched the same way every time, and the tally of the proof.

A run must not fail by chance, so examples are drawn from a fixed seed here; MALL_EDGE_FUZZ=1 searches
anew each time, and what it finds becomes an @example.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from hypothesis import settings

from tests.proof import PROOF, Tally, summed, table

settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None)
settings.load_profile("search" if os.environ.get("MALL_EDGE_FUZZ") else "fixed")


@pytest.fixture
def tally(record_property: Callable[[str, object], None]) -> Tally:
    """What this test adds to the proof's table."""
    return Tally(record_property)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the proof's table."""
    stats = terminalreporter.stats
    reports = [one for one in (*stats.get("passed", ()), *stats.get("failed", ())) if one.when == "call"]
    lines = table(summed(found for one in reports for found in one.user_properties))
    if lines:
        terminalreporter.section("proof, the whole" if PROOF else "proof, the fast part")
        for line in lines:
            terminalreporter.write_line(line)
