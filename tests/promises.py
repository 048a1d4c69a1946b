"""Hold docs/promises.md against a run: each test that a promise names was run and passed.

Usage: python -m tests.promises REPORT..., which pytest wrote with --junitxml.
"""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PAPER = Path(__file__).parents[1] / "docs" / "promises.md"

_ROW = re.compile(r"^\| (P\d+) \|(.*)\|$")
_TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


class Named(NamedTuple):
    """A test that a promise names. name: "" for all of the file."""

    promise: str
    path: str
    name: str

    def __str__(self) -> str:
        return f"{self.promise}: {self.path}{'::' * bool(self.name)}{self.name}"


class Ran(NamedTuple):
    """What became of one test. outcome: passed, failed or skipped; name: without its parameters."""

    path: str
    name: str
    outcome: str


def named_tests(paper: str) -> list[Named]:
    """Return what the promises name, in order; a promise without any is named with path ""."""
    rows = [found for line in paper.splitlines() if (found := _ROW.match(line))]
    return [Named(row[1], path, name) for row in rows for path, name in _TEST.findall(row[2]) or [("", "")]]


def ran_tests(report: str) -> list[Ran]:
    """Return what a JUnit report of pytest tells."""
    # The report is our own, of a moment ago.
    return [_ran(case) for case in ET.fromstring(report).iter("testcase")]


def broken(named: list[Named], ran: list[Ran]) -> Iterator[str]:
    """Yield a line for each named test that did not run, or did not pass."""
    for one in named:
        found = {test.outcome for test in ran if test.path == one.path and one.name in ("", test.name)}
        if "failed" in found:
            yield f"{one} failed"
        elif "passed" not in found:
            yield f"{one} did not run" + " (skipped)" * ("skipped" in found)


def _ran(case: ET.Element) -> Ran:
    path = case.get("classname", "").replace(".", "/") + ".py"
    outcome = "failed" if {"failure", "error"} & {one.tag for one in case} else "passed"
    if case.find("skipped") is not None:
        outcome = "skipped"
    return Ran(path, case.get("name", "").partition("[")[0], outcome)


def main(*reports: Path) -> int:
    """Print what is broken in these reports; return the exit status."""
    named = named_tests(PAPER.read_text(encoding="utf-8"))
    ran = [one for report in reports for one in ran_tests(report.read_text(encoding="utf-8"))]
    lines = list(broken(named, ran))
    for line in lines:
        print(line)
    kept = len({one.promise for one in named})
    print(f"{kept} promises name {len(named)} tests; {len(lines)} of these did not run and pass")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
