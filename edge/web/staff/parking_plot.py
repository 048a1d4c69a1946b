"""A zone's day, and what the car park took, as SVG pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge.services.count_zone import HourCount

#: The pictures' inner size in their own units.
WIDTH, HEIGHT = 720, 150
HOURS = 24

_GAP = 10


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar in WIDTH x HEIGHT. value: what it stands for."""

    x: float
    y: float
    width: float
    height: float
    value: int


@dataclass(frozen=True, slots=True)
class OccupancyPlot:
    """line, area: how many were inside at the end of each hour. came, went: vehicles by hour.

    top: the number at the upper edge. limit_y: where the zone is full, None when its spaces are not counted.
    """

    line: str
    area: str
    came: tuple[Bar, ...]
    went: tuple[Bar, ...]
    top: int
    limit_y: float | None


@dataclass(frozen=True, slots=True)
class IncomePlot:
    """Fen by hour. top_fen: at the upper edge; bottom_fen: at the lower one, for what was given back."""

    bars: tuple[Bar, ...]
    axis_y: float
    top_fen: int
    bottom_fen: int


def plot_occupancy(hours: Sequence[HourCount], spaces: int, corrected: int) -> OccupancyPlot:
    """Return the plot of a zone's hours. corrected: vehicles that people added or took, over all time."""
    inside = [max(0, one.inside + corrected) for one in hours[:HOURS]]
    busiest = max((max(one.entered, one.left) for one in hours), default=0)
    top = _round_up(max([*inside, busiest, spaces, 1]))
    slot = WIDTH / HOURS
    points = [(round((place + 1) * slot, 1), _y(count, top)) for place, count in enumerate(inside)]
    line = "M" + " L".join(f"{x} {y}" for x, y in points) if points else ""
    area = f"{line} V{HEIGHT} H{points[0][0]} Z" if points else ""
    width = round((slot - _GAP) / 2, 1)
    came = tuple(_bar(place * slot + _GAP / 2, width, one.entered, top) for place, one in enumerate(hours))
    went = tuple(
        _bar(place * slot + _GAP / 2 + width, width, one.left, top) for place, one in enumerate(hours)
    )
    return OccupancyPlot(line, area, came, went, top, _y(spaces, top) if spaces else None)


def plot_income(takings: Sequence[int]) -> IncomePlot:
    """Return the plot of fen by hour; what was given back hangs below the axis."""
    top = _round_up(max([*takings, 1_000]))
    lowest = -min([*takings, 0])
    bottom = _round_up(lowest) if lowest else 0
    scale = HEIGHT / (top + bottom)
    axis_y = round(top * scale, 1)
    slot = WIDTH / max(HOURS, len(takings))
    bars = []
    for place, fen in enumerate(takings):
        tall = round(abs(fen) * scale, 1)
        y = round(axis_y - tall, 1) if fen > 0 else axis_y
        if fen:
            bars.append(Bar(round(place * slot + _GAP / 2, 1), y, round(slot - _GAP, 1), tall, fen))
    return IncomePlot(tuple(bars), axis_y, top, bottom)


def labels(starts_h: int) -> tuple[tuple[float, int], ...]:
    """Return (x, hour) of every third hour of a day that begins at `starts_h`."""
    return tuple(
        (round(WIDTH / HOURS * place, 1), (place + starts_h) % HOURS) for place in range(0, HOURS, 3)
    )


def _bar(x: float, width: float, value: int, top: int) -> Bar:
    y = _y(value, top)
    return Bar(round(x, 1), y, width, round(HEIGHT - y, 1), value)


def _y(value: int, top: int) -> float:
    return round(HEIGHT * (1 - value / top), 1)


def _round_up(value: int) -> int:
    """Return the next of 10, 20, 50, 100, ... so that the scale does not jump with each car."""
    scales = (step * 10**power for power in range(1, 11) for step in (1, 2, 5))
    return next((scale for scale in scales if scale >= value), value)
