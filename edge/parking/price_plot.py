"""Prices over time, and a comparison of two tariffs, as SVG pictures. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from edge.money import format_yuan
from edge.parking.stay_charges import price_fen
from edge.parking.tariff_diff import Difference, length_labels
from edge.parking.tariff_plan import MINUTE_MS, Plan

#: The size of one plot within its axes, in pixels, and the room around it.
WIDTH, HEIGHT = 720, 220
LEFT, TOP, GAP, BOTTOM = 64, 40, 76, 40

COLOURS = ("#7a7f87", "#b3402f")

#: How far the curves go, and at what distance they are looked at.
HOURS = 30
STEP_MIN = 5


def curve(plan: Plan, entered_at: int, hours: int = HOURS) -> tuple[tuple[int, int], ...]:
    """Return (minutes parked, fen) where the price changes, looked at each five minutes, and at the end."""
    points = [(0, 0)]
    for minute in range(STEP_MIN, hours * 60 + 1, STEP_MIN):
        fen = price_fen(plan, entered_at, entered_at + minute * MINUTE_MS)
        if fen != points[-1][1] or minute == hours * 60:
            points.append((minute, fen))
    return tuple(points)


def step_path(points: Sequence[tuple[int, int]], hours: int, top_fen: int) -> str:
    """Return curve points as the path data of steps in WIDTH x HEIGHT."""
    parts = [f"M0 {HEIGHT}"]
    for minute, fen in points[1:]:
        x, y = round(WIDTH * minute / (hours * 60), 1), round(HEIGHT * (1 - fen / top_fen), 1)
        parts.append(f"H{x} V{y}")
    return " ".join(parts)


def round_up(fen: int) -> int:
    """Return the next of 10, 20, 50, 100 ... yuan, for an axis."""
    scales = (step * 10**power for power in range(3, 15) for step in (1, 2, 5))
    return next((scale for scale in scales if scale >= fen), fen)


def difference_svg(
    found: Difference,
    names: tuple[str, str],
    curves: tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]],
    entry: str,
) -> str:
    """Return one picture: what an entry at `entry` costs over time, and income by length of stay."""
    top_fen = round_up(max(fen for points in curves for _, fen in points))
    upper = [*_axes(top_fen), *(_hour(hour) for hour in range(0, HOURS + 1, 3))]
    for points, colour in zip(curves, COLOURS, strict=True):
        path = step_path(points, HOURS, top_fen)
        upper.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
    height = TOP + HEIGHT + GAP + HEIGHT + BOTTOM
    legend = "".join(
        f'<text x="{LEFT + number * 330}" y="16" fill="{colour}">{word} 元/yuan: {escape(name)}</text>'
        for number, (word, name, colour) in enumerate(zip(("旧 old", "新 new"), names, COLOURS, strict=True))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 16} {height}" '
        'font-family="sans-serif" font-size="12">'
        f'<rect width="100%" height="100%" fill="#ffffff"/>{legend}'
        f'<g transform="translate({LEFT} {TOP})">{"".join(upper)}'
        f'<text x="4" y="-6">{escape(entry)} 入场，停车小时 / entry, hours parked</text></g>'
        f'<g transform="translate({LEFT} {TOP + HEIGHT + GAP})">{"".join(_bars(found))}'
        '<text x="4" y="-6">按停车时长的收入 / income by length of stay</text></g></svg>\n'
    )


def _bars(found: Difference) -> list[str]:
    rows = found.by_length
    top_fen = round_up(max(max(row.old_fen, row.new_fen) for row in rows))
    parts = _axes(top_fen)
    room = WIDTH / len(rows)
    for number, (label, row) in enumerate(zip(length_labels(), rows, strict=True)):
        for place, fen in enumerate((row.old_fen, row.new_fen)):
            high = round(HEIGHT * fen / top_fen, 1)
            x = round(room * number + room * (0.15 + 0.35 * place), 1)
            y, width = round(HEIGHT - high, 1), round(room * 0.33, 1)
            parts.append(f'<rect x="{x}" y="{y}" width="{width}" height="{high}" fill="{COLOURS[place]}"/>')
        middle = round(room * (number + 0.5), 1)
        parts.append(
            f'<text x="{middle}" y="{HEIGHT + 18}" text-anchor="middle">{escape(_short(label))}</text>'
        )
    return parts


def _short(label: str) -> str:
    return label.replace("<= ", "≤")


def _axes(top_fen: int) -> list[str]:
    parts = [f'<path d="M0 0 V{HEIGHT} H{WIDTH}" fill="none" stroke="#333333"/>']
    for share in (0, 1, 2, 3, 4):
        y = HEIGHT - HEIGHT * share // 4
        amount = f"{top_fen * share // 4 // 100:,}" if top_fen >= 400 else format_yuan(top_fen * share // 4)
        parts.append(f'<path d="M0 {y} H{WIDTH}" stroke="#e3e3e3" stroke-width="{int(share > 0)}"/>')
        parts.append(f'<text x="-8" y="{y + 4}" text-anchor="end">{amount}</text>')
    return parts


def _hour(hour: int) -> str:
    x = round(WIDTH * hour / HOURS, 1)
    return f'<text x="{x}" y="{HEIGHT + 18}" text-anchor="middle">{hour}</text>'
