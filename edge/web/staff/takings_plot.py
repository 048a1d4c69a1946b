"""The day's takings by hour and tender as the bars of an SVG picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

#: The picture's inner size in its own units.
WIDTH, HEIGHT = 720, 160

#: Tenders that have a colour of their own, in the order in which they are stacked.
TENDERS = ("cash", "wechat_pay", "alipay")

_GAP = 6


@dataclass(frozen=True, slots=True)
class Bar:
    """One tender's part of an hour. style: its CSS class. What went back hangs below the axis."""

    x: float
    y: float
    width: float
    height: float
    style: str
    fen: int


@dataclass(frozen=True, slots=True)
class TakingsPlot:
    """bars in WIDTH x HEIGHT; axis_y: where zero is; top_fen, bottom_fen: the amounts at the edges.

    labels: (x, hour) of every third hour. legend: (tender, CSS class, fen) of what is in it.
    """

    bars: tuple[Bar, ...]
    axis_y: float
    top_fen: int
    bottom_fen: int
    labels: tuple[tuple[float, int], ...]
    legend: tuple[tuple[str, str, int], ...]


def plot_takings(hours: Mapping[str, Mapping[int, int]], starts_h: int) -> TakingsPlot:
    """Return the plot of fen by tender and local hour; the day's first hour stands on the left."""
    kinds = _ordered(hours)
    top = _round_up(max((_stack(hours, hour, 1) for hour in range(24)), default=0))
    lowest = -min((_stack(hours, hour, -1) for hour in range(24)), default=0)
    bottom = _round_up(lowest) if lowest else 0
    scale = HEIGHT / (top + bottom)
    axis_y = round(top * scale, 1)
    slot = WIDTH / 24
    bars = [
        bar
        for place in range(24)
        for bar in _bars(hours, kinds, (place + starts_h) % 24, place * slot, slot, axis_y, scale)
    ]
    labels = tuple((round((place + 0.5) * slot, 1), (place + starts_h) % 24) for place in range(0, 24, 3))
    legend = tuple((kind, style(kind), sum(hours[kind].values())) for kind in kinds)
    return TakingsPlot(tuple(bars), axis_y, top, bottom, labels, legend)


def style(kind: str) -> str:
    """Return the CSS class of a tender."""
    return f"tender-{kind.replace('_', '-')}" if kind in TENDERS else "tender-other"


def _ordered(hours: Mapping[str, Mapping[int, int]]) -> list[str]:
    return [kind for kind in TENDERS if kind in hours] + sorted(set(hours) - set(TENDERS))


def _stack(hours: Mapping[str, Mapping[int, int]], hour: int, sign: int) -> int:
    return sum(max(each.get(hour, 0) * sign, 0) for each in hours.values()) * sign


def _bars(
    hours: Mapping[str, Mapping[int, int]],
    kinds: Sequence[str],
    hour: int,
    left: float,
    slot: float,
    axis_y: float,
    scale: float,
) -> list[Bar]:
    bars, up, down = [], axis_y, axis_y
    for kind in kinds:
        fen = hours[kind].get(hour, 0)
        tall = abs(fen) * scale
        if not fen:
            continue
        y = up - tall if fen > 0 else down
        bars.append(
            Bar(
                round(left + _GAP / 2, 1),
                round(y, 1),
                round(slot - _GAP, 1),
                round(tall, 1),
                style(kind),
                fen,
            )
        )
        up, down = (y, down) if fen > 0 else (up, down + tall)
    return bars


def _round_up(fen: int) -> int:
    """Return the next of 10, 20, 50, 100, ... yuan, so that the scale does not jump with each sale."""
    scales = (step * 10**power for power in range(3, 11) for step in (1, 2, 5))
    return next((scale for scale in scales if scale >= fen), fen)
