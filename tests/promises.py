"""Hold docs/promises.md against a run: each test that a promise names was run and passed.

What a test skipped for, a want of the machine, is said and fails nothing: nobody can mend that in the code.

Usage: python -m tests.promises REPORT..., which pytest wrote with --junitxml.
"""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.proof import LATER

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
    """What became of one test. outcome: passed, failed or skipped, with why; name: without its parameters."""

    path: str
    name: str
    outcome: str
    why: str = ""


def named_tests(paper: str) -> list[Named]:
    """Return what the promises name, in order; a promise without any is named with path ""."""
    rows = [found for line in paper.splitlines() if (found := _ROW.match(line))]
    return [Named(row[1], path, name) for row in rows for path, name in _TEST.findall(row[2]) or [("", "")]]


def ran_tests(report: str) -> list[Ran]:
    """Return what a JUnit report of pytest tells."""
    # The report is our own, of a moment ago.
    ran = [_ran(case) for case in ET.fromstring(report).iter("testcase")]
    return [one for one in ran if one.why != LATER]


def broken(named: list[Named], ran: list[Ran]) -> Iterator[str]:
    """Yield a line for each named test, or file of tests, of which something failed or nothing was there."""
    for one in named:
        found = {test.outcome for test in _of(one, ran)}
        if "failed" in found:
            yield f"{one} failed"
        elif not found:
            yield f"{one} did not run"


def not_held(named: list[Named], ran: list[Ran]) -> Iterator[str]:
    """Yield a line for each named test, or file of them, of which this machine could not run all, and why."""
    for one in named:
        found = _of(one, ran)
        whole = " whole" * any(test.outcome == "passed" for test in found)
        if reasons := sorted({test.why for test in found if test.outcome == "skipped"}):
            yield f"{one} is not held{whole} here, because {'; '.join(reasons)}"


def _of(named: Named, ran: list[Ran]) -> list[Ran]:
    return [test for test in ran if test.path == named.path and named.name in ("", test.name)]


def _ran(case: ET.Element) -> Ran:
    path = case.get("classname", "").replace(".", "/") + ".py"
    name = case.get("name", "").partition("[")[0]
    if {"failure", "error"} & {one.tag for one in case}:
        return Ran(path, name, "failed")
    skipped = case.find("skipped")
    if skipped is None:
        return Ran(path, name, "passed")
    return Ran(path, name, "skipped", skipped.get("message", ""))


def main(*reports: Path) -> int:
    """Print what is broken in these reports and what could not be held; return the exit status."""
    named = named_tests(PAPER.read_text(encoding="utf-8"))
    ran = [one for report in reports for one in ran_tests(report.read_text(encoding="utf-8"))]
    lines, told = list(broken(named, ran)), list(not_held(named, ran))
    for line in (*told, *lines):
        print(line)
    kept = len({one.promise for one in named})
    print(
        f"{kept} promises name {len(named)} tests; {len(lines)} of these failed or did not run, "
        f"{len(told)} could not be held whole here"
    )
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
