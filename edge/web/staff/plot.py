"""The outbox's depth as the path of an SVG picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge.web.depth_history import SPAN_S, STEP_S

#: The picture's inner size in its own units.
WIDTH, HEIGHT = 720, 140


@dataclass(frozen=True, slots=True)
class Plot:
    """line, area: SVG path data in WIDTH x HEIGHT. top: the depth at the upper edge."""

    line: str
    area: str
    top: int


def plot_depth(points: Sequence[tuple[int, int]]) -> Plot:
    """Return the plot of (seconds ago, depth), oldest first; a gap in the samples is a gap in the line."""
    top = _round_up(max((depth for _, depth in points), default=0))
    runs = [[(_x(ago), _y(depth, top)) for ago, depth in run] for run in _runs(points)]
    line = " ".join(_path(run) for run in runs)
    area = " ".join(f"{_path(run)} V{HEIGHT} H{run[0][0]} Z" for run in runs)
    return Plot(line, area, top)


def trend_of(points: Sequence[tuple[int, int]]) -> float | None:
    """Return by how much the depth changes a second over the two newest whole steps, None while unknown.

    A step keeps its highest depth, so that the newest one, which is not over, would tell too little.
    """
    over = points[-3:-1]
    if len(over) < 2 or not 0 < over[0][0] - over[1][0] <= 4 * STEP_S:
        return None
    return (over[1][1] - over[0][1]) / (over[0][0] - over[1][0])


def short(count: int) -> str:
    """Return a count for an axis: 950, 20k, 1.5M."""
    for unit, size in (("M", 1_000_000), ("k", 1_000)):
        if count >= 10 * size or (count >= size and unit == "M"):
            return f"{count / size:.1f}".removesuffix(".0") + unit
    return str(count)


def _runs(points: Sequence[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    runs: list[list[tuple[int, int]]] = []
    for point in points:
        if runs and runs[-1][-1][0] - point[0] <= 4 * STEP_S:
            runs[-1].append(point)
        else:
            runs.append([point])
    return runs


def _path(run: Sequence[tuple[float, float]]) -> str:
    return "M" + " L".join(f"{x} {y}" for x, y in run)


def _x(ago_s: int) -> float:
    return round(WIDTH * (1 - ago_s / SPAN_S), 1)


def _y(depth: int, top: int) -> float:
    return round(HEIGHT * (1 - depth / top), 1)


def _round_up(depth: int) -> int:
    """Return the next of 10, 20, 50, 100, ... so that the scale does not jump with each event."""
    scales = (step * 10**power for power in range(1, 10) for step in (1, 2, 5))
    return next((scale for scale in scales if scale >= depth), depth)
