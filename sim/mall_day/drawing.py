"""Plots as SVG, drawn here: axes, lines, bars and grids of numbers, each word in both languages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from sim.traffic import HOUR_MS

#: The size of a plot and the room around what is plotted, in units that are pixels on a phone.
WIDTH, HEIGHT = 360, 210
LEFT, RIGHT, TOP, BOTTOM = 40, 12, 14, 24

#: Marks of a vertical axis at most.
TICKS = 4


@dataclass(frozen=True, slots=True)
class Words:
    """A text in both languages."""

    zh: str
    en: str

    def html(self) -> str:
        """Return it as HTML in which the page's language shows."""
        return f'<span class="zh">{escape(self.zh)}</span><span class="en">{escape(self.en)}</span>'

    def svg(self) -> str:
        """Return it for an SVG text."""
        return f'<tspan class="zh">{escape(self.zh)}</tspan><tspan class="en">{escape(self.en)}</tspan>'

    def title(self) -> str:
        """Return it as what a pointer is told."""
        return f"<title>{escape(self.zh)} / {escape(self.en)}</title>"


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a plot lies: from_ms to to_ms of the day across, 0 to `most` upwards."""

    from_ms: int
    to_ms: int
    most: float

    def x(self, at_ms: float) -> float:
        """Return where a moment is."""
        share = (at_ms - self.from_ms) / max(1, self.to_ms - self.from_ms)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        """Return where a value is."""
        return round(HEIGHT - BOTTOM - value / (self.most or 1) * (HEIGHT - TOP - BOTTOM), 1)

    @property
    def bottom(self) -> float:
        """Where nothing is."""
        return self.y(0)


def svg(parts: Sequence[str], about: Words, height: int = HEIGHT) -> str:
    """Return a plot. about: what it shows, for who cannot see it."""
    label = escape(f"{about.zh} / {about.en}", quote=True)
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def hours_across(frame: Frame, every: int = 3) -> list[str]:
    """Return the marks of the hours."""
    parts = []
    first = -(-frame.from_ms // HOUR_MS)
    for hour in range(first, frame.to_ms // HOUR_MS + 1):
        if hour % every == 0:
            x = frame.x(hour * HOUR_MS)
            parts.append(text(x, HEIGHT - 8, f"{hour % 24}:00", "middle"))
            parts.append(f'<path class="tick" d="M{x} {frame.bottom}v4"/>')
    return parts


def values_up(frame: Frame) -> list[str]:
    """Return the marks of the values, with lines across."""
    step = nice(frame.most / TICKS)
    parts = []
    value = 0.0
    while value <= frame.most:
        y = frame.y(value)
        parts.append(f'<path class="grid" d="M{LEFT} {y}H{WIDTH - RIGHT}"/>')
        parts.append(text(LEFT - 5, y + 3.5, short(value), "end"))
        value += step
    return parts


def line(points: Sequence[tuple[float, float]], kind: str) -> str:
    """Return a line through points. kind: its class."""
    path = "L".join(f"{x} {y}" for x, y in points)
    return f'<path class="line {kind}" d="M{path}"/>' if points else ""


def bar(x: float, y: float, width: float, height: float, kind: str, told: Words) -> str:
    """Return a bar that tells what it is when pointed at."""
    if height <= 0 or width <= 0:
        return ""
    box = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect class="{kind}" {box} rx="1.5">{told.title()}</rect>'


def band(frame: Frame, from_ms: float, to_ms: float, words: Words) -> str:
    """Return a shade over a part of the day, with its name."""
    x, width = frame.x(from_ms), frame.x(to_ms) - frame.x(from_ms)
    label = f'<text class="note" x="{x + width / 2}" y="{TOP + 9}" text-anchor="middle">{words.svg()}</text>'
    return f'<rect class="away" x="{x}" y="{TOP}" width="{width}" height="{HEIGHT - TOP - BOTTOM}"/>{label}'


def moment(frame: Frame, at_ms: float, words: Words) -> str:
    """Return a line at a moment, which tells what it is when pointed at."""
    x = frame.x(at_ms)
    return f'<path class="cut" d="M{x} {TOP}V{frame.bottom}">{words.title()}</path>'


def text(x: float, y: float, words: str, anchor: str = "start", kind: str = "mark") -> str:
    """Return a short text that is the same in both languages."""
    return f'<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}">{escape(words)}</text>'


def nice(value: float) -> float:
    """Return the next of 1, 2, 5, 10, 20, ... that is no less, 1 at least."""
    step = 1.0
    while True:
        for times in (1, 2, 5):
            if step * times >= value:
                return step * times
        step *= 10


def short(value: float) -> str:
    """Return a number for an axis."""
    return f"{value / 1000:g}k" if value >= 1_000 else f"{value:g}"
