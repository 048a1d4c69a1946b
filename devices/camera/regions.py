"""Where a picture holds parallel bars, and that place turned upright as a strip of its own.

Bars of one code share one direction: the structure tensor of the picture is strong and coherent there.
A strip has its bars vertical whatever the angle in the picture, so that a decoder that looks along rows
reads codes at 45 degrees too, and blurring along the bars takes noise away without touching their widths.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from devices.camera.pictures import Grey
from devices.camera.symbols import Point, Quad

Floats = NDArray[np.float32]

_SEARCH_SIDE = 400
_COHERENCE = 0.6
_STRENGTH = 0.12
_MAX_COLUMNS = 1400
_MAX_ROWS = 200


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle turned by `angle` (radians, direction across the bars); u runs across, v along the bars."""

    angle: float
    u0: float
    u1: float
    v0: float
    v1: float


@dataclass(frozen=True, slots=True)
class View:
    """A version of the picture and how its pixels lie in the original: original = matrix @ (x, y, 1)."""

    grey: Grey
    matrix: tuple[float, float, float, float, float, float] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)

    def back(self, box: Quad) -> Quad:
        """Return a box of this view in pixels of the original."""
        a, b, c, d, e, f = self.matrix
        points: list[Point] = [(a * x + b * y + c, d * x + e * y + f) for x, y in box]
        return points[0], points[1], points[2], points[3]


def find_regions(grey: Grey, most: int) -> list[Region]:
    """Return up to `most` places with parallel bars, the strongest first."""
    factor = min(1.0, _SEARCH_SIDE / max(grey.shape))
    small = (
        grey if factor == 1.0 else cv2.resize(grey, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    )
    window = max(11, min(small.shape) // 14) | 1
    xx, yy, xy = _tensor(cast(Grey, small), window)
    strength = cv2.magnitude(xx - yy, 2 * xy)
    limit = _STRENGTH * float(np.percentile(strength[::3, ::3], 98))
    mask = ((strength > _COHERENCE * (xx + yy + 200)) & (strength > limit)).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    weights = np.bincount(labels.ravel(), strength.ravel(), count)
    large = [i for i in range(1, count) if stats[i, cv2.CC_STAT_AREA] >= window * window]
    large.sort(key=lambda i: -weights[i])
    return [
        _region(cast(NDArray[Any], labels), cast(NDArray[Any], stats[i]), i, (xx, yy, xy), factor)
        for i in large[:most]
    ]


def region_of(box: Quad) -> Region:
    """Return the region of a code that was read at `box` (clockwise, its first side across the bars)."""
    (x0, y0), (x1, y1) = box[0], box[1]
    angle = math.atan2(y1 - y0, x1 - x0)
    cos, sin = math.cos(angle), math.sin(angle)
    us = [x * cos + y * sin for x, y in box]
    vs = [y * cos - x * sin for x, y in box]
    return Region(angle, min(us), max(us), min(vs), max(vs))


def strip(grey: Grey, region: Region, scale: float, rows: int = _MAX_ROWS) -> View:
    """Return the region with its bars upright and quiet zones beside it, enlarged `scale` times.

    At most 1400 pixels wide and `rows` high; the height is squeezed first: bars are the same all along.
    """
    margin = 0.15 * (region.u1 - region.u0) + 10
    over = 0.05 * (region.v1 - region.v0)
    u0, u1, v0, v1 = region.u0 - margin, region.u1 + margin, region.v0 - over, region.v1 + over
    width = max(16, min(_MAX_COLUMNS, int((u1 - u0) * scale)))
    height = max(8, min(rows, int((v1 - v0) * scale)))
    step_u, step_v = (u1 - u0) / width, (v1 - v0) / height
    cos, sin = math.cos(region.angle), math.sin(region.angle)
    matrix = (
        cos * step_u,
        -sin * step_v,
        u0 * cos - v0 * sin,
        sin * step_u,
        cos * step_v,
        u0 * sin + v0 * cos,
    )
    warped = cv2.warpAffine(
        grey,
        np.array(matrix, np.float32).reshape(2, 3),
        (width, height),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return View(cast(Grey, warped), matrix)


def _tensor(grey: Grey, window: int) -> tuple[Floats, Floats, Floats]:
    gx = cv2.Sobel(grey, cv2.CV_32F, 1, 0)
    gy = cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    size = (window, window)
    parts = (cv2.blur(gx * gx, size), cv2.blur(gy * gy, size), cv2.blur(gx * gy, size))
    return cast(tuple[Floats, Floats, Floats], parts)


def _region(
    labels: NDArray[Any],
    stats: NDArray[Any],
    label: int,
    tensor: tuple[Floats, Floats, Floats],
    factor: float,
) -> Region:
    left, top, width, height = (int(stats[i]) for i in range(4))
    place = (slice(top, top + height), slice(left, left + width))
    chosen = labels[place] == label
    xx, yy, xy = (float(part[place][chosen].sum()) for part in tensor)
    angle = 0.5 * math.atan2(2 * xy, xx - yy)
    ys, xs = np.nonzero(chosen)
    cos, sin = math.cos(angle), math.sin(angle)
    us = (xs + left) * cos + (ys + top) * sin
    vs = (ys + top) * cos - (xs + left) * sin
    u0, u1 = (float(value) / factor for value in np.percentile(us, (0.5, 99.5)))
    v0, v1 = (float(value) / factor for value in np.percentile(vs, (5, 95)))
    return Region(angle, u0, u1, v0, v1)
