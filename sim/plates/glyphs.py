"""The characters of number plates: constant strokes for letters and digits, a CJK font for the rest.

The letters follow GA 36-2018: strokes of one width in a cell that is twice as high as wide, flat ends, Q
with a tail, D with square corners, 0 without. They are drawn, because no free font has them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Mask = NDArray[np.uint8]

#: Where systemd/prepare puts the CJK font, and where other systems have one.
FONTS = (
    Path("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"),
    Path("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc"),
    Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc"),
    Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),
)

_W, _H = 45.0, 90.0
_HALF = 5.5
_L, _R, _T, _B, _M = _HALF, _W - _HALF, _HALF, _H - _HALF, 43.0
_UP, _DOWN, _LEFT, _RIGHT = -9.0, 99.0, -9.0, 54.0


class FontMissing(Exception):
    """There is no font with Chinese characters; the message says which package brings one."""


@dataclass(frozen=True, slots=True)
class _Stroke:
    """A line through points of a 45 x 90 cell; corners are rounded by `bend`."""

    points: tuple[tuple[float, float], ...]
    bend: float = 0.0
    closed: bool = False


def _line(*points: tuple[float, float], bend: float = 0.0) -> _Stroke:
    return _Stroke(points, bend)


def _ring(left: float, top: float, right: float, bottom: float, bend: float) -> _Stroke:
    return _Stroke(((left, top), (right, top), (right, bottom), (left, bottom)), bend, True)


_ROUND = 16.0
_STEM = _line((_L, _UP), (_L, _DOWN))
_BASE = _line((_LEFT, _B), (_RIGHT, _B))
_TOP = _line((_LEFT, _T), (_RIGHT, _T))
_O = _ring(_L, _T, _R, _B, _ROUND)
_P = (_STEM, _line((_L, _T), (_R, _T), (_R, 49), (_L, 49), bend=13))

_STROKES: dict[str, tuple[_Stroke, ...]] = {
    "0": (_O,),
    "1": (_line((9, 21), (25, _T - 3), (25, _DOWN)),),
    "2": (_line((_L, 30), (_L, _T), (_R, _T), (_R, 38), (_L + 1, _B), bend=15), _line((2, _B), (_RIGHT, _B))),
    "3": (
        _line((_L, 25), (_L, _T), (_R - 1, _T), (_R - 1, _M - 2), (18, _M - 2), bend=14),
        _line((18, _M), (_R, _M), (_R, _B), (_L, _B), (_L, 64), bend=15),
    ),
    "4": (_line((26, _UP), (_L, 65), (_RIGHT, 65)), _line((31, 38), (31, _DOWN))),
    "5": (
        _line((_RIGHT, _T), (_L + 3, _T), (_L + 1, 43)),
        _line((_L, 47), (_L + 2, 36), (_R, 36), (_R, _B), (_L, _B), (_L, 66), bend=14),
    ),
    "6": (_line((30, _UP), (_L + 1, 48), (_L, 60), bend=10), _ring(_L, 38, _R, _B, 15)),
    "7": (_line((_LEFT, _T), (_R, _T), (17, _DOWN)),),
    "8": (_ring(_L + 2, _T, _R - 2, _M - 1, 14), _ring(_L, _M - 1, _R, _B, 15)),
    "9": (_line((15, _DOWN), (_R - 1, 42), (_R, 30), bend=10), _ring(_L, _T, _R, 52, 15)),
    "A": (_line((1, _DOWN), (19, -2), (26, -2), (44, _DOWN)), _line((9, 65), (36, 65))),
    "B": (
        _STEM,
        _line((_L, _T), (_R - 2, _T), (_R - 2, _M), (_L, _M), bend=13),
        _line((_L, _M), (_R, _M), (_R, _B), (_L, _B), bend=15),
    ),
    "C": (_line((_R, 31), (_R, _T), (_L, _T), (_L, _B), (_R, _B), (_R, 59), bend=_ROUND),),
    "D": (_STEM, _line((_LEFT, _T), (_R, _T), (_R, _B), (_LEFT, _B), bend=20)),
    "E": (_STEM, _TOP, _BASE, _line((_L, 44), (41, 44))),
    "F": (_STEM, _TOP, _line((_L, 45), (40, 45))),
    "G": (
        _line((_R, 29), (_R, _T), (_L, _T), (_L, _B), (_R, _B), (_R, 48), bend=_ROUND),
        _line((22, 48), (_R + _HALF, 48)),
    ),
    "H": (_STEM, _line((_R, _UP), (_R, _DOWN)), _line((_L, 45), (_R, 45))),
    "I": (_line((22.5, _UP), (22.5, _DOWN)),),
    "J": (_line((_R - 2, _UP), (_R - 2, _B), (_L, _B), (_L, 60), bend=15),),
    "K": (_STEM, _line((44, _UP), (_L, 56)), _line((17, 38), (44, _DOWN))),
    "L": (_STEM, _BASE),
    "M": (_STEM, _line((_R, _UP), (_R, _DOWN)), _line((3, _UP), (22.5, 60), (42, _UP))),
    "N": (_STEM, _line((_R, _UP), (_R, _DOWN)), _line((3, _UP), (42, _DOWN))),
    "O": (_O,),
    "P": _P,
    "Q": (_O, _line((22, 60), (46, 96))),
    "R": (*_P, _line((20, 49), (43, _DOWN))),
    "S": (
        _line((_R, 28), (_R, _T), (_L, _T), (_L, _M), (_R, _M), (_R, _B), (_L, _B), (_L, 62), bend=14),
    ),
    "T": (_TOP, _line((22.5, _T), (22.5, _DOWN))),
    "U": (_line((_L, _UP), (_L, _B), (_R, _B), (_R, _UP), bend=_ROUND),),
    "V": (_line((2, _UP), (22.5, 92), (43, _UP)),),
    "W": (_line((2, _UP), (12, 90), (22.5, 20), (33, 90), (43, _UP)),),
    "X": (_line((1, _UP), (44, _DOWN)), _line((44, _UP), (1, _DOWN))),
    "Y": (_line((2, _UP), (22.5, 50), (43, _UP)), _line((22.5, 48), (22.5, _DOWN))),
    "Z": (_line((_LEFT, _T), (_R, _T), (_L, _B), (_RIGHT, _B)),),
}  # fmt: skip

#: Glyphs whose strokes lie so close that they are drawn thinner, in millimetres of a 45 mm cell.
_THINNER = {"M": 9.0, "W": 8.5, "N": 10.0, "8": 10.5, "B": 10.5}


@lru_cache(maxsize=512)
def glyph(char: str, width: int, height: int) -> Mask:
    """Return `char` filling a cell of width x height pixels, 255 where there is paint.

    Raises FontMissing for a Chinese character without a CJK font, KeyError for a sign that no plate has.
    """
    if char.isascii():
        return _stroked(_STROKES[char], _THINNER.get(char, 2 * _HALF), width, height)
    return _written(char, width, height)


def _stroked(strokes: tuple[_Stroke, ...], thick: float, width: int, height: int) -> Mask:
    """Draw four times as large and shrink; what sticks out of the cell is cut, which makes flat ends."""
    over = 4
    pad = 12
    across, down = width * over / _W, height * over / _H
    # A wide cell, as in the upper row of two, is drawn with strokes between those of its two directions.
    line = max(1, round(thick * (across * down) ** 0.5))
    canvas = np.zeros((round((_H + 2 * pad) * down), round((_W + 2 * pad) * across)), np.uint8)
    for stroke in strokes:
        points = np.array(_bent(stroke), np.float64) + pad
        scaled = np.round(points * (across, down) * 16).astype(np.int32)
        cv2.polylines(canvas, [scaled], stroke.closed, 255, line, cv2.LINE_AA, 4)
    top, left = round(pad * down), round(pad * across)
    cell = canvas[top : top + height * over, left : left + width * over]
    return np.asarray(cv2.resize(cell, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _bent(stroke: _Stroke) -> list[tuple[float, float]]:
    """Return the line with its corners rounded."""
    points, closed = stroke.points, stroke.closed
    if not stroke.bend:
        return list(points)
    line: list[tuple[float, float]] = []
    for at, corner in enumerate(points):
        if not closed and at in (0, len(points) - 1):
            line.append(corner)
            continue
        line += _curve(points[at - 1], corner, points[(at + 1) % len(points)], stroke.bend)
    return line


def _curve(
    before: tuple[float, float], corner: tuple[float, float], after: tuple[float, float], bend: float
) -> list[tuple[float, float]]:
    """Return a quarter of an ellipse around a corner, at most to the middle of its sides."""
    start, end = _towards(corner, before, bend), _towards(corner, after, bend)
    steps = [one / 8 for one in range(9)]
    return [
        (
            (1 - t) ** 2 * start[0] + 2 * t * (1 - t) * corner[0] + t * t * end[0],
            (1 - t) ** 2 * start[1] + 2 * t * (1 - t) * corner[1] + t * t * end[1],
        )
        for t in steps
    ]


def _towards(corner: tuple[float, float], other: tuple[float, float], reach: float) -> tuple[float, float]:
    across, down = other[0] - corner[0], other[1] - corner[1]
    share = min(0.5, reach / max(1e-9, float(np.hypot(across, down))))
    return corner[0] + across * share, corner[1] + down * share


def _written(char: str, width: int, height: int) -> Mask:
    """Squeeze a glyph of the font into the cell and give all strokes about one width."""
    drawing = Image.new("L", (400, 400), 0)
    ImageDraw.Draw(drawing).text((60, 40), char, 255, font=_font())
    ink = np.asarray(drawing)
    rows, columns = np.flatnonzero(ink.max(axis=1)), np.flatnonzero(ink.max(axis=0))
    cut = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    over = 2
    wide, high = width * over, height * over
    grow_x, grow_y = max(1, round(wide * 0.055)), max(1, round(high * 0.008))
    inner = cv2.resize(cut, (wide - grow_x, high - grow_y), interpolation=cv2.INTER_AREA)
    framed = cv2.copyMakeBorder(
        inner, grow_y // 2, grow_y - grow_y // 2, grow_x // 2, grow_x - grow_x // 2, cv2.BORDER_CONSTANT
    )
    bold = cv2.dilate(framed, np.ones((grow_y, grow_x), np.uint8))
    return np.asarray(cv2.resize(bold, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


@lru_cache(maxsize=1)
def _font() -> ImageFont.FreeTypeFont:
    for path in FONTS:
        if path.exists():
            return ImageFont.truetype(str(path), 260)
    raise FontMissing("no font has Chinese characters; install fonts-wqy-microhei, as systemd/prepare does")
