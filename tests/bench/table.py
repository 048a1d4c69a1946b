"""Figures against their targets: one table for people, one JSON file for machines."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).parents[2] / "build" / "bench"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. target: what it must reach, None for context; at_least: more is better."""

    name: str
    value: float
    unit: str
    target: float | None = None
    at_least: bool = False

    @property
    def verdict(self) -> str:
        """Return "pass", "MISS" or, without a target, nothing."""
        if self.target is None:
            return ""
        reached = self.value >= self.target if self.at_least else self.value <= self.target
        return "pass" if reached else "MISS"

    @property
    def wanted(self) -> str:
        """Return the target in words, e.g. "<= 30 ms"."""
        if self.target is None:
            return ""
        return f"{'>=' if self.at_least else '<='} {self.target:,g} {self.unit}"


@dataclass(frozen=True, slots=True)
class Result:
    """What one benchmark found. series: samples for plots, by name. note: what was measured how."""

    name: str
    figures: Sequence[Figure]
    series: Mapping[str, Sequence[float]]
    note: str


def table(results: Sequence[Result]) -> str:
    """Return the figures of all results as one table with notes below it."""
    rows = [("figure", "measured", "target", "")]
    for result in results:
        rows.append((f"[{result.name}]", "", "", ""))
        rows += [
            (f"  {one.name}", f"{one.value:,.2f} {one.unit}", one.wanted, one.verdict)
            for one in result.figures
        ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        f"{name:<{widths[0]}}  {value:>{widths[1]}}  {target:<{widths[2]}}  {verdict}".rstrip()
        for name, value, target, verdict in rows
    ]
    notes = [f"{result.name}: {result.note}" for result in results]
    return "\n".join([*lines, "", *notes, machine()])


def machine() -> str:
    """Return what the figures were measured on, and how busy it was with other work."""
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    return f"machine: {os.cpu_count()} cores, load average {load}, SQLite {sqlite3.sqlite_version}"


def write(result: Result) -> Path:
    """Write a result as JSON under build/bench; return the file."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{result.name}.json"
    figures = [asdict(one) | {"verdict": one.verdict} for one in result.figures]
    content = {
        "name": result.name,
        "note": result.note,
        "machine": machine(),
        "figures": figures,
        "series": result.series,
    }
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path


def report(result: Result) -> int:
    """Write and print one result; return 1 when a target was missed."""
    write(result)
    print(table([result]))
    return int(any(one.verdict == "MISS" for one in result.figures))


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the nearest-rank percentile."""
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(int(rank), 1) - 1]
