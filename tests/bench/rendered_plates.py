"""Scenes with rendered plates for tests and benchmarks: a bumper, a plate of 130 pixels or more, weather."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from sim.plates.plate import Plate, PlateKind, any_plate, draw_plate

Scene = NDArray[np.uint8]
CONDITIONS = ("clear", "blur", "angle", "night", "rain")
WIDTH, HEIGHT = 960, 600


@dataclass(frozen=True, slots=True)
class RenderedScene:
    """A scene with one plate on it."""

    plate: Plate
    condition: str
    picture: Scene


def scenes(each: int, seed: int = 1) -> Iterator[RenderedScene]:
    """Yield `each` scenes of every kind of plate under every condition, the same for the same seed."""
    for number in range(each):
        for place, kind in enumerate(PlateKind):
            for turn, condition in enumerate(CONDITIONS):
                key = seed * 1_000_003 + number * 10_007 + place * 101 + turn
                plate = any_plate(key, kind)
                yield RenderedScene(plate, condition, scene(plate, condition, key))


def scene(plate: Plate, condition: str, seed: int, width: float | None = None) -> Scene:
    """Return a BGR scene of 960 x 600 with `plate` on a bumper; width: of the plate in pixels, or 130-260."""
    chance = np.random.default_rng(seed)
    canvas = _bumper(chance)
    across = width if width is not None else float(chance.uniform(132, 260))
    drawn = draw_plate(plate, 2.0)
    corners = _corners(chance, drawn.shape, across, steep=condition == "angle")
    _lay(canvas, drawn, corners)
    picture = _weather(canvas, condition, chance)
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 85])
    return cast(Scene, cv2.imdecode(data, cv2.IMREAD_COLOR))


def no_plate(seed: int) -> Scene:
    """Return a bumper without a plate."""
    return _weather(_bumper(np.random.default_rng(seed)), "clear", np.random.default_rng(seed + 1))


def _bumper(chance: np.random.Generator) -> Scene:
    rows = np.linspace(0, 1, HEIGHT, dtype=np.float32)[:, None, None]
    upper, lower = chance.uniform(30, 220, 3), chance.uniform(20, 120, 3)
    canvas = np.broadcast_to(upper * (1 - rows) + lower * rows, (HEIGHT, WIDTH, 3)).astype(np.uint8).copy()
    tone = [int(one) for one in chance.uniform(20, 90, 3)]
    cv2.rectangle(canvas, (220, 60), (740, 190), tone, -1)
    for row in range(70, 190, 18):
        cv2.line(canvas, (230, row), (730, row), [one + 60 for one in tone], 4)
    for side in (90, 870):
        cv2.ellipse(canvas, (side, 170), (75, 45), 0, 0, 360, (225, 230, 235), -1)
    cv2.rectangle(canvas, (0, 470), (WIDTH, 500), tone, -1)
    return canvas


def _corners(
    chance: np.random.Generator, shape: tuple[int, ...], across: float, steep: bool
) -> NDArray[np.float32]:
    height = across * shape[0] / shape[1]
    lean = (
        float(chance.uniform(0.12, 0.28) * chance.choice([-1, 1]))
        if steep
        else float(chance.uniform(-0.06, 0.06))
    )
    squeeze = float(chance.uniform(0.86, 0.97)) if steep else float(chance.uniform(0.97, 1.0))
    x, y = float(chance.uniform(300, 640)), float(chance.uniform(290, 420))
    half, rise = across / 2, lean * across / 2
    left, right = height / 2, height / 2 * squeeze
    corners = [(x - half, y - left - rise), (x + half, y - right + rise), (x + half, y + right + rise)]
    return np.array([*corners, (x - half, y + left - rise)], np.float32)


def _lay(canvas: Scene, drawn: Scene, corners: NDArray[np.float32]) -> None:
    rows, columns = drawn.shape[:2]
    flat = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float32)
    factor = float(np.linalg.norm(corners[1] - corners[0])) / columns
    small = cv2.resize(drawn, None, fx=factor * 2, fy=factor * 2, interpolation=cv2.INTER_AREA)
    matrix = cv2.getPerspectiveTransform(flat * factor * 2, corners)
    laid = cv2.warpPerspective(small, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)
    mask = cv2.warpPerspective(np.full(small.shape[:2], 255, np.uint8), matrix, (WIDTH, HEIGHT))
    canvas[mask > 127] = laid[mask > 127]


def _weather(canvas: Scene, condition: str, chance: np.random.Generator) -> Scene:
    picture = canvas.astype(np.float32)
    if condition == "blur":
        length = int(chance.integers(3, 6))
        picture = cv2.filter2D(picture, -1, np.full((1, length), 1 / length, np.float32)).astype(np.float32)
        picture = cv2.GaussianBlur(picture, (0, 0), 1.0).astype(np.float32)
    elif condition == "night":
        picture = picture * chance.uniform(0.18, 0.32) + chance.normal(0, 5, picture.shape)
    elif condition == "rain":
        picture = picture * 0.75 + 45
        for _ in range(350):
            x, y = int(chance.integers(0, WIDTH)), int(chance.integers(0, HEIGHT))
            cv2.line(picture, (x, y), (x + 2, y + int(chance.integers(6, 16))), (205, 205, 205), 1)
        picture = cv2.GaussianBlur(picture, (0, 0), 0.7).astype(np.float32)
    picture = picture + chance.normal(0, 2, picture.shape)
    return cast(Scene, np.clip(picture, 0, 255).astype(np.uint8))
