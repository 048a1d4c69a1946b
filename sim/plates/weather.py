"""What stands between a number plate and its picture: light, glare, rain, dirt, blur and noise."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from sim.plates.plate import Image


class Light(StrEnum):
    """The time of day."""

    DAY = "day"
    DUSK = "dusk"
    NIGHT = "night"


@dataclass(frozen=True, slots=True)
class Conditions:
    """How a picture is taken.

    plate_px: width of the plate before it is turned. yaw, pitch, roll: of the vehicle against the camera, in
    degrees. motion_px, defocus_px: length of the blur along the drive, radius of that by the lens. rain,
    dirt, noise: 0 none to 1 heavy. jpeg: quality.
    """

    light: Light = Light.DAY
    plate_px: int = 180
    yaw: float = 12.0
    pitch: float = 8.0
    roll: float = 0.0
    motion_px: float = 0.0
    defocus_px: float = 0.0
    rain: float = 0.0
    dirt: float = 0.0
    noise: float = 0.2
    jpeg: int = 85


#: Brightness and tint (BGR) of everything, and how much brighter the plate comes back.
_AMBIENT = {
    Light.DAY: ((1.0, 1.0, 1.0), 1.0),
    Light.DUSK: ((0.62, 0.50, 0.50), 1.15),
    Light.NIGHT: ((0.26, 0.22, 0.20), 2.6),
}


def light_up(image: Image, light: Light, plate: NDArray[np.uint8]) -> Image:
    """Dim the scene; the plate (mask) reflects the camera's lamp, as its foil is made to."""
    tint, back = _AMBIENT[light]
    gain: NDArray[np.float32] = np.broadcast_to(np.array(tint, np.float32), image.shape)
    if back != 1.0:
        level = float(np.mean(tint)) * back
        share = (plate.astype(np.float32) / 255)[:, :, None]
        gain = np.asarray(gain * (1 - share) + level * share, np.float32)
    return np.asarray(np.clip(image * gain, 0, 255).astype(np.uint8), np.uint8)


def glare(image: Image, lamps: NDArray[np.float64], reach: float) -> Image:
    """Let headlights shine into the lens: a core, a halo and a streak; reach: the halo's radius, pixels."""
    height, width = image.shape[:2]
    small = cv2.resize(np.zeros((height, width), np.uint8), (width // 4, height // 4)).astype(np.float32)
    rows, columns = np.mgrid[0 : small.shape[0], 0 : small.shape[1]].astype(np.float32) * 4
    for x, y in lamps:
        far = ((columns - x) ** 2 + (rows - y) ** 2) / reach**2
        small += 150 * np.exp(-far * 14) + 46 * np.exp(-far * 2.2)
        small += 44 * np.exp(-(((rows - y) / (reach * 0.035)) ** 2) - ((columns - x) / (reach * 1.5)) ** 2)
    halo = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)[:, :, None]
    return np.asarray(
        np.clip(image + halo * np.array((0.95, 0.98, 1.0), np.float32), 0, 255).astype(np.uint8), np.uint8
    )


def rain_on(image: Image, amount: float, chance: np.random.Generator) -> Image:
    """Draw falling streaks, drops on the glass and the grey of wet air."""
    if amount <= 0:
        return image
    height, width = image.shape[:2]
    grey = np.full_like(image, round(float(image.mean())))
    veiled = cv2.addWeighted(image, 1 - 0.22 * amount, grey, 0.22 * amount, 8 * amount)
    streaks = np.zeros((height, width), np.uint8)
    for _ in range(round(420 * amount)):
        x, y = int(chance.integers(width)), int(chance.integers(height))
        long, lean = int(chance.integers(14, 46)), int(chance.integers(-5, 2))
        cv2.line(streaks, (x, y), (x + lean, y + long), int(chance.integers(40, 110)), 1, cv2.LINE_AA)
    wet = np.clip(veiled.astype(np.int16) + cv2.blur(streaks, (1, 3))[:, :, None] * 7 // 10, 0, 255)
    result: Image = wet.astype(np.uint8)
    for _ in range(round(16 * amount)):
        _drop(result, int(chance.integers(width)), int(chance.integers(height)), int(chance.integers(5, 15)))
    return np.asarray(result, np.uint8)


def _drop(image: Image, x: int, y: int, radius: int) -> None:
    """A drop on the camera's window shows a small upside-down picture."""
    top, left = max(0, y - radius), max(0, x - radius)
    part = image[top : y + radius, left : x + radius]
    if part.shape[0] < 4 or part.shape[1] < 4:
        return
    turned = cv2.GaussianBlur(cv2.flip(part, -1), (0, 0), radius / 3)
    mask = np.zeros(part.shape[:2], np.uint8)
    cv2.circle(mask, (x - left, y - top), radius - 1, 255, -1, cv2.LINE_AA)
    share = cv2.GaussianBlur(mask, (0, 0), 1.2).astype(np.float32)[:, :, None] / 255 * 0.8
    part[:] = np.clip(part * (1 - share) + (turned * 1.06 + 4) * share, 0, 255).astype(np.uint8)


def dirty(plate: Image, amount: float, chance: np.random.Generator) -> Image:
    """Throw mud at a flat plate: clouds of brown, thicker towards its lower edge, and a few splashes."""
    if amount <= 0:
        return plate
    height, width = plate.shape[:2]
    cloud = cv2.resize(
        chance.random((5, 14)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
    )
    low = np.linspace(0.55, 1.0, height, dtype=np.float32)[:, None]
    share = np.clip((cloud * low - 0.45) * 1.6, 0, 1) * 0.75 * amount
    for _ in range(round(14 * amount)):
        centre = (int(chance.integers(width)), int(chance.integers(height // 2, height)))
        cv2.circle(
            share, centre, int(chance.integers(2, max(3, height // 30))), 0.8 * amount, -1, cv2.LINE_AA
        )
    mud = np.array((70, 96, 118), np.float32)
    return np.asarray(
        np.clip(plate * (1 - share[:, :, None]) + mud * share[:, :, None], 0, 255).astype(np.uint8), np.uint8
    )


def blurred(image: Image, motion_px: float, defocus_px: float) -> Image:
    """Smear along the drive, which is down the picture and a little sideways, and soften by the lens."""
    if motion_px >= 1:
        size = round(motion_px) | 1
        kernel = np.zeros((size, size), np.float32)
        middle = size // 2
        cv2.line(kernel, (middle - size // 6, 0), (middle + size // 6, size - 1), 1.0, 1, cv2.LINE_AA)
        image = np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.uint8)
    if defocus_px > 0:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), defocus_px), np.uint8)
    return image


def noisy(image: Image, amount: float, light: Light, chance: np.random.Generator) -> Image:
    """Add the sensor's grain, coarser and coloured in the dark."""
    if amount <= 0:
        return image
    strength = amount * (7 if light is Light.DAY else 10 if light is Light.DUSK else 14)
    height, width = image.shape[:2]
    grain = chance.standard_normal((height, width, 1), np.float32) * strength
    colour = chance.standard_normal((height // 2, width // 2, 3), np.float32) * strength * 0.5
    grain = grain + cv2.resize(colour, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.clip(image + grain, 0, 255).astype(np.uint8), np.uint8)
