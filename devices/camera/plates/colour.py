"""The colour of a plate: which of the plates' own colours covers its ground."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from devices.camera.pictures import Picture

_HUES = {"blue": (95, 132), "yellow": (11, 35), "green": (36, 94)}
_LEAST_SHARE = 0.25


def colour_of(strip: Picture) -> tuple[str, float]:
    """Return the colour of a rectified BGR strip (see grammar.COLOURS) and how sure that is, 0-1.

    White and black are told by a ground without colour and whether the characters are darker than it.
    """
    small = cv2.resize(strip, (96, 24), interpolation=cv2.INTER_AREA)
    hsv = cv2.cvtColor(small, cv2.COLOR_BGR2HSV)
    hue, saturation, value = (hsv[..., k].astype(np.int16) for k in range(3))
    shares = {
        name: float(((hue >= low) & (hue <= high) & (saturation > _paleness(name)) & (value > 35)).mean())
        for name, (low, high) in _HUES.items()
    }
    best = max(shares, key=lambda one: shares[one])
    if shares[best] >= _LEAST_SHARE:
        if best in ("green", "yellow") and _two_coloured(hue, saturation):
            return "green_yellow", shares[best]
        return best, min(1.0, shares[best] * 1.4)
    return _colourless(value.astype(np.uint8))


def reddish(strip: Picture) -> bool:
    """Say whether the left quarter of a rectified BGR strip carries red characters, as the army's plates do.

    Printed paper and stickers often read like such a plate, but in one colour.
    """
    small = cv2.resize(strip, (96, 24), interpolation=cv2.INTER_AREA).astype(np.float32)
    red = small[..., 2] - (small[..., 0] + small[..., 1]) / 2
    light = float(small.max())
    left, right = red[5:19, 4:25], red[5:19, 40:92]
    return float(np.percentile(left, 90) - np.percentile(right, 90)) > 0.12 * light


def _paleness(name: str) -> int:
    return {"blue": 60, "yellow": 70, "green": 28}[name]


def _two_coloured(hue: NDArray[np.int16], saturation: NDArray[np.int16]) -> bool:
    """Say whether the left third is yellow and the rest green, as on large new-energy vehicles."""
    left, right = slice(2, 24), slice(40, 94)
    yellow = ((hue[:, left] >= 11) & (hue[:, left] <= 34) & (saturation[:, left] > 90)).mean()
    green = ((hue[:, right] >= 38) & (hue[:, right] <= 94) & (saturation[:, right] > 28)).mean()
    return bool(yellow > 0.4 and green > 0.4)


def _colourless(value: NDArray[np.uint8]) -> tuple[str, float]:
    inner = value[4:20, 4:92]
    level, _ = cv2.threshold(inner, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    light = float((inner > level).mean())
    return ("white", min(1.0, light)) if light > 0.5 else ("black", min(1.0, 1.0 - light))
