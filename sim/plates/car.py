"""The front of a car, a van or a truck as a flat drawing in which one pixel is two millimetres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from sim.plates.plate import Bgr, Image, Plate, PlateKind

#: Millimetres of one pixel of the drawing.
MM = 2.0


class Body(StrEnum):
    """The shape of a vehicle."""

    SEDAN = "sedan"
    SUV = "suv"
    TRUCK = "truck"


#: Paints by their names, BGR.
PAINTS: dict[str, Bgr] = {
    "white": (226, 226, 222), "silver": (176, 174, 170), "grey": (104, 102, 100), "black": (44, 42, 40),
    "red": (40, 34, 150), "blue": (120, 66, 30), "brown": (44, 62, 88), "green": (70, 92, 48),
    "yellow": (40, 160, 210), "champagne": (150, 176, 196),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class CarDrawing:
    """A vehicle from the front. image, mask: the drawing and 255 where the vehicle is.

    plate: upper left corner of the number plate; lamps: centres of the headlights; all in pixels.
    """

    image: Image
    mask: NDArray[np.uint8]
    plate: tuple[float, float]
    lamps: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class _Shape:
    """Half widths and heights above the road, in millimetres."""

    half: int
    roof: int
    roof_half: int
    sill: int
    bonnet: int
    lamp_low: int
    lamp_high: int
    plate_middle: int


_SHAPES = {
    Body.SEDAN: _Shape(900, 1450, 560, 940, 800, 620, 740, 470),
    Body.SUV: _Shape(930, 1700, 640, 1120, 980, 760, 900, 590),
    Body.TRUCK: _Shape(1080, 2350, 1000, 1350, 1180, 560, 740, 480),
}


def body_for(kind: PlateKind, chance: np.random.Generator) -> Body:
    """Return a shape that carries such a plate."""
    if kind in (PlateKind.YELLOW, PlateKind.YELLOW_TWO_ROWS, PlateKind.TRAILER, PlateKind.GREEN_YELLOW):
        return Body.TRUCK
    return Body.SUV if chance.random() < 0.4 else Body.SEDAN


def draw_car(body: Body, paint: str, plate: Plate, lit: bool) -> CarDrawing:
    """Draw a vehicle on its wheels; `lit`: the headlights burn. It carries no plate yet."""
    shape = _SHAPES[body]
    pen = _Pen(shape, PAINTS[paint])
    pen.wheels()
    if body is Body.TRUCK:
        pen.cab()
    else:
        pen.cabin()
        pen.bonnet()
    pen.grille(body)
    lamps = pen.lamps(lit)
    pen.shade()
    left, top = pen.at(-plate.size_mm[0] / 2, shape.plate_middle + plate.size_mm[1] / 2)
    pen.holder(plate)
    return CarDrawing(pen.image, pen.mask, (left, top), lamps)


class _Pen:
    """Draws in millimetres: x from the middle of the car, y above the road."""

    def __init__(self, shape: _Shape, paint: Bgr) -> None:
        self._shape, self._paint = shape, paint
        self.wide, self.high = round((2 * shape.half + 440) / MM), round((shape.roof + 60) / MM)
        self.image: Image = np.full((self.high, self.wide, 3), 30, np.uint8)
        self.mask: NDArray[np.uint8] = np.zeros((self.high, self.wide), np.uint8)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return the pixel of a point."""
        return self.wide / 2 + x / MM, self.high - y / MM

    def wheels(self) -> None:
        """Tyres below the bumper, and the dark under the car."""
        half = self._shape.half
        for side in (-1, 1):
            inner, outer = side * (half - 230), side * (half - 10)
            self._fill([(inner, 0), (outer, 0), (outer, 420), (inner, 420)], (26, 26, 26))
        self._fill(
            [(-half + 200, 120), (half - 200, 120), (half - 200, 420), (-half + 200, 420)], (18, 18, 18)
        )

    def cabin(self) -> None:
        """Roof, pillars, windscreen with the shapes of people, mirrors."""
        s = self._shape
        self._fill(
            [(-s.half + 90, s.sill), (-s.roof_half, s.roof - 40), (-s.roof_half + 120, s.roof),
             (s.roof_half - 120, s.roof), (s.roof_half, s.roof - 40), (s.half - 90, s.sill)],
            self._tone(0.82),
        )  # fmt: skip
        self._fill(
            [(-s.half + 190, s.sill + 5), (-s.roof_half + 70, s.roof - 85), (s.roof_half - 70, s.roof - 85),
             (s.half - 190, s.sill + 5)],
            (66, 58, 50),
        )  # fmt: skip
        self._inside(s.sill + 120, s.roof - 330)
        for side in (-1, 1):
            box = [(side * (s.half - 60), s.sill - 20), (side * (s.half + 150), s.sill + 10),
                   (side * (s.half + 140), s.sill + 130), (side * (s.half - 40), s.sill + 100)]  # fmt: skip
            self._fill(box, self._tone(0.7))

    def cab(self) -> None:
        """A truck's upright cab with a large screen and long mirrors."""
        s = self._shape
        self._fill(
            [(-s.half, 330), (-s.half, s.roof - 120), (-s.roof_half, s.roof), (s.roof_half, s.roof),
             (s.half, s.roof - 120), (s.half, 330)],
            self._tone(0.95),
        )  # fmt: skip
        self._fill(
            [(-s.half + 90, s.sill), (-s.roof_half + 60, s.roof - 260), (s.roof_half - 60, s.roof - 260),
             (s.half - 90, s.sill)],
            (62, 54, 48),
        )  # fmt: skip
        self._inside(s.sill + 160, s.roof - 700)
        for side in (-1, 1):
            self._fill(
                [(side * s.half, s.sill - 20), (side * (s.half + 180), s.sill - 20),
                 (side * (s.half + 180), s.sill + 420), (side * s.half, s.sill + 380)],
                (34, 34, 34),
            )  # fmt: skip

    def bonnet(self) -> None:
        """Bonnet, wings and bumper."""
        s = self._shape
        self._fill(
            [(-s.half + 60, s.bonnet - 20), (-s.half + 160, s.sill + 10), (s.half - 160, s.sill + 10),
             (s.half - 60, s.bonnet - 20)],
            self._tone(1.12),
        )  # fmt: skip
        self._fill(
            [(-s.half + 30, s.bonnet), (s.half - 30, s.bonnet), (s.half, s.lamp_low - 60), (s.half - 30, 240),
             (s.half - 130, 190), (-s.half + 130, 190), (-s.half + 30, 240), (-s.half, s.lamp_low - 60)],
            self._tone(0.96),
        )  # fmt: skip
        self._fill(
            [(-s.half + 220, 200), (s.half - 220, 200), (s.half - 300, 310), (-s.half + 300, 310)],
            (32, 32, 32),
        )

    def grille(self, body: Body) -> None:
        """Bars between the lamps and a badge."""
        s = self._shape
        low, high = s.lamp_low + (-40 if body is Body.SUV else 20), s.lamp_high + 10
        half = 420 if body is not Body.TRUCK else 620
        if body is Body.TRUCK:
            low, high = s.lamp_high + 60, s.sill - 120
        self._fill([(-half + 40, low), (half - 40, low), (half, high), (-half, high)], (28, 28, 28))
        for y in range(low + 18, high - 6, 34):
            self._line((-half + 50, y), (half - 50, y), (96, 96, 96), 7)
        across, down = self.at(0, (low + high) / 2)
        cv2.circle(self.image, (round(across), round(down)), 24, (190, 190, 190), 6, cv2.LINE_AA)

    def lamps(self, lit: bool) -> tuple[tuple[float, float], ...]:
        """Two headlights; return their centres in pixels."""
        s = self._shape
        glass, core = ((250, 252, 255), (255, 255, 255)) if lit else ((170, 166, 160), (214, 212, 206))
        centres = []
        for side in (-1, 1):
            inner, outer = side * (s.half - 400), side * (s.half - 50)
            self._fill(
                [(inner, s.lamp_low), (outer, s.lamp_low + 40), (outer, s.lamp_high),
                 (inner - side * 30, s.lamp_high - 30)],
                glass,
            )  # fmt: skip
            centre = self.at((inner + outer) / 2, (s.lamp_low + s.lamp_high) / 2)
            cv2.circle(self.image, (round(centre[0]), round(centre[1])), 22, core, -1, cv2.LINE_AA)
            centres.append(centre)
        return tuple(centres)

    def shade(self) -> None:
        """Make it round: darker towards the sides and the road."""
        x = np.linspace(-1, 1, self.wide, dtype=np.float32)
        y = np.linspace(0, 1, self.high, dtype=np.float32)[:, None]
        light = (1.06 - 0.34 * x**4) * (1.08 - 0.28 * y**2)
        self.image = np.clip(self.image * light[:, :, None], 0, 255).astype(np.uint8)

    def holder(self, plate: Plate) -> None:
        """The dark frame behind the number plate."""
        wide, high = plate.size_mm
        y, half = float(self._shape.plate_middle), wide / 2 + 14
        low, top = y - high / 2 - 14, y + high / 2 + 14
        self._fill([(-half, low), (half, low), (half, top), (-half, top)], (36, 36, 38))

    def _inside(self, low: int, high: int) -> None:
        """Seats and a driver behind the glass, and the sky in it."""
        for x, tone in ((-330.0, 40), (330.0, 48)):
            self._fill([(x - 170, low), (x + 170, low), (x + 130, high), (x - 130, high)], (tone, tone, tone))
            cx, cy = self.at(x, high + 40)
            cv2.ellipse(
                self.image, (round(cx), round(cy)), (40, 52), 0, 0, 360, (52, 60, 74), -1, cv2.LINE_AA
            )
        glass = self.image.copy()
        left, bottom = self.at(-500, low - 60)
        cv2.fillConvexPoly(
            glass,
            np.array([(left, bottom), (left + 190, bottom), (left + 390, 0), (left + 210, 0)], np.int32),
            (168, 160, 150),
        )
        dark = (self.image.max(axis=2) < 80)[:, :, None] & (self.mask > 0)[:, :, None]
        self.image = np.where(dark, (self.image * 0.75 + glass * 0.25), self.image).astype(np.uint8)

    def _tone(self, share: float) -> Bgr:
        blue, green, red = (min(255, round(one * share)) for one in self._paint)
        return blue, green, red

    def _fill(self, points: Sequence[tuple[float, float]], colour: Bgr) -> None:
        pixels = np.round([self.at(*point) for point in points]).astype(np.int32)
        cv2.fillPoly(self.image, [pixels], colour, cv2.LINE_AA)
        cv2.fillPoly(self.mask, [pixels], 255, cv2.LINE_AA)

    def _line(self, start: tuple[float, float], end: tuple[float, float], colour: Bgr, thick: int) -> None:
        (x1, y1), (x2, y2) = self.at(*start), self.at(*end)
        cv2.line(self.image, (round(x1), round(y1)), (round(x2), round(y2)), colour, thick, cv2.LINE_AA)
