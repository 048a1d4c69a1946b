"""From a rough candidate to the frame that the recogniser reads best: upright, tight, ends in their place.

What a reading says about itself is used: the steps at which its symbols stand, laid on the places that
GA 36 gives them, tell where the plate begins and ends, even where the candidate had cut off the province.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from devices.camera.pictures import Grey, Picture
from devices.camera.plates.decode import Decoded
from devices.camera.plates.localise import Outline, Quad, leaning, rectify

PLATE_MM = 440.0
_SEVEN = np.array([38.0, 95.0, 174.0, 231.0, 288.0, 345.0, 402.0])
_EIGHT = np.array([38.0, 90.0, 163.0, 210.0, 257.0, 304.0, 351.0, 402.0])
_LOWER = np.array([60.0, 140.0, 220.0, 300.0, 380.0])
_CENTRES = {7: _SEVEN, 8: _EIGHT, 5: _LOWER}
"""Centres of the symbols on a 440 mm plate; an 8-symbol plate (480 mm) brought to the same length, and the
lower row of a two-row plate."""


def grown(quad: Quad, left: float, right: float, top: float, bottom: float) -> Quad:
    """Return `quad` with its sides moved out by shares of its width (left, right) or height."""
    tl, tr, br, bl = quad
    upper, lower = tr - tl, br - bl
    grown_rows = np.array([tl - left * upper, tr + right * upper, br + right * lower, bl - left * lower])
    down_left, down_right = grown_rows[3] - grown_rows[0], grown_rows[2] - grown_rows[1]
    return cast(
        Quad,
        np.array(
            [
                grown_rows[0] - top * down_left,
                grown_rows[1] - top * down_right,
                grown_rows[2] + bottom * down_right,
                grown_rows[3] + bottom * down_left,
            ],
            np.float32,
        ),
    )


def refit(quad: Quad, reading: Decoded, steps: int) -> Quad | None:
    """Return `quad` with its ends where the reading's symbols say the plate's are; None when they do not.

    steps: how many steps the strip had that was cut from `quad`.
    """
    centres = _CENTRES.get(len(reading.steps))
    if centres is None:
        return None
    seen = (np.array(reading.steps) + 0.5) / steps
    keep = np.ones(len(seen), bool)
    scale, base = _line(centres, seen)
    off = np.abs(seen - (scale * centres + base))
    keep[int(off.argmax())] = False
    scale, base = _line(centres[keep], seen[keep])
    start, end = base, base + scale * PLATE_MM
    if not (0.25 < end - start < 1.8 and -0.6 < start < 0.6 and 0.4 < end < 1.6):
        return None
    return grown(quad, -start, end - 1.0, 0.0, 0.0)


def upper_row(whole: Quad) -> Quad:
    """Return the frame of the upper row's two symbols of a two-row plate (GA 36: 60 mm high, of 220)."""
    return grown(whole, -0.18, -0.15, -0.03, -0.61)


def lower_row(whole: Quad) -> Quad:
    """Return the frame of the lower row of a two-row plate (GA 36: 110 mm high, of 220)."""
    return grown(whole, 0.0, 0.0, -0.37, -0.03)


def over_lower_row(lower: Quad) -> Quad:
    """Return the two-row plate of which `lower` frames the lower row."""
    return grown(lower, 0.0, 0.0, 0.62, 0.05)


def coloured(picture: Picture, near: Quad) -> Quad | None:
    """Return the patch of a plate's colour that lies around `near`, as a parallelogram; None without one."""
    first = _coloured(picture, grown(near, 0.25, 0.25, 1.2, 0.6))
    return None if first is None else _coloured(picture, grown(first, 0.15, 0.15, 0.2, 0.2))


def _coloured(picture: Picture, wide: Quad) -> Quad | None:
    patch = rectify(picture, wide, 192, 144)
    hsv = cv2.cvtColor(patch, cv2.COLOR_BGR2HSV)
    ground = np.median(hsv[60:100, 64:128].reshape(-1, 3), axis=0)
    if ground[1] < 60:
        return None
    reach = np.array([9, 70, 55])
    mask = cv2.inRange(hsv, np.maximum(ground - reach, 0), np.minimum(ground + reach, 255))
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not outlines:
        return None
    corners = leaning(cast(Outline, max(outlines, key=cv2.contourArea)))
    back = cv2.getPerspectiveTransform(np.array([[0, 0], [192, 0], [192, 144], [0, 144]], np.float32), wide)
    return cast(Quad, cv2.perspectiveTransform(corners[None], back)[0])


def levelled(picture: Picture, quad: Quad) -> Quad:
    """Return `quad` turned and cut so that the characters' rows are level and just inside it.

    The row profile of upright edges is sharpest when the rows are level (tried by shearing the strip).
    """
    wide = grown(quad, 0.0, 0.0, 0.35, 0.35)
    strip = rectify(picture, wide, 160, 64)
    grey = cast(Grey, cv2.cvtColor(strip, cv2.COLOR_BGR2GRAY))
    edges = np.abs(cv2.Sobel(cv2.GaussianBlur(grey, (3, 3), 0), cv2.CV_32F, 1, 0, ksize=3))
    edges = np.minimum(edges, 4 * float(edges.mean()) + 1)
    best, profile = _sharpest(edges)
    top, bottom = _band(profile)
    return _sheared(wide, best / 64.0, top / 64.0, bottom / 64.0)


_SLOPES = (-14.0, -10.0, -7.0, -4.0, -2.0, 0.0, 2.0, 4.0, 7.0, 10.0, 14.0)


def _sharpest(edges: NDArray[np.float32]) -> tuple[float, NDArray[np.float32]]:
    """Return the drop over the strip's width (pixels) that makes the rows level, and the row profile then."""
    found: list[tuple[float, float, NDArray[np.float32]]] = []
    for drop in _SLOPES:
        matrix = np.array([[1, 0, 0], [-drop / 160.0, 1, drop / 2]], np.float32)
        turned = cv2.warpAffine(edges, matrix, (160, 64), flags=cv2.INTER_LINEAR)
        profile = turned.mean(axis=1)
        profile = np.convolve(profile, np.ones(3) / 3, mode="same").astype(np.float32)
        found.append((float(np.square(np.diff(profile[2:-2])).sum()) * (1 - 0.01 * abs(drop)), drop, profile))
    _, drop, profile = max(found, key=lambda one: one[0])
    return drop, profile


def _band(profile: NDArray[np.float32]) -> tuple[float, float]:
    """Return the first and last row (of 64) of the characters, as the best contrast of inside to outside."""
    total = np.concatenate([[0.0], np.cumsum(profile)])
    best = (-1.0, 14.0, 50.0)
    for height in range(22, 56, 2):
        for top in range(0, 64 - height + 1, 2):
            bottom = top + height
            if top > 30 or bottom < 34:
                continue
            inside = (total[bottom] - total[top]) / height
            reach = max(4, height // 5)
            above, below = max(0, top - reach), min(64, bottom + reach)
            outside = (total[top] - total[above]) + (total[below] - total[bottom])
            count = (top - above) + (below - bottom)
            score = (inside - outside / max(count, 1)) * height**0.35
            if score > best[0]:
                best = (float(score), float(top), float(bottom))
    return best[1], best[2]


def _sheared(quad: Quad, drop: float, top: float, bottom: float) -> Quad:
    """Return the part of `quad` from `top` to `bottom` (shares of its height) after a drop over its width."""
    tl, tr, br, bl = quad
    left, right = bl - tl, br - tr
    half = drop / 2
    return np.array(
        [
            tl + (top - half) * left,
            tr + (top + half) * right,
            br + (bottom - 1 + half) * right,
            bl + (bottom - 1 - half) * left,
        ],
        np.float32,
    )


def _line(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    scale, base = np.polyfit(x, y, 1)
    return float(scale), float(base)
