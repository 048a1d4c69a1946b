"""Pictures of a lane as its camera takes them: road, kerb, boom, a car with its plate, and the weather.

    picture = lane_picture(Sight(Plate("粤B12345", PlateKind.BLUE), seed=7))
    picture.image, picture.truth.text, picture.truth.box, picture.jpeg()

Everything follows from the arguments: the same sight is the same picture, byte for byte.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from sim.plates.car import MM, PAINTS, CarDrawing, body_for, draw_car
from sim.plates.plate import Image, Plate, PlateKind, any_plate, draw_plate, plate_corners
from sim.plates.weather import Conditions, Light, blurred, dirty, glare, light_up, noisy, rain_on

Matrix = NDArray[np.float64]

#: The picture is drawn this many times as large and shrunk.
_OVER = 2
_PLATE_SCALE = 2.0
_FOCUS = 2.4


@dataclass(frozen=True, slots=True)
class Sight:
    """What stands in the lane. plate: None for an empty lane. size: width and height in pixels.

    paint: of sim.plates.car.PAINTS, "" for one by the seed. seed: of everything that the rest leaves open.
    """

    plate: Plate | None
    conditions: Conditions = field(default_factory=Conditions)
    seed: int = 0
    paint: str = ""
    size: tuple[int, int] = (1280, 720)


@dataclass(frozen=True, slots=True)
class Truth:
    """What a picture shows. text: "" for an empty lane. colour: a value of edge's PlateColour.

    box: left, top, width, height of the plate's surrounding rectangle; corners: four (x, y) clockwise from
    the plate's upper left; both in pixels.
    """

    text: str
    colour: str
    kind: str
    box: tuple[int, int, int, int]
    corners: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture, BGR, and the truth about it."""

    image: Image
    truth: Truth
    sight: Sight

    def jpeg(self) -> bytes:
        """Return it as a camera sends it."""
        return jpeg_of(self.image, self.sight.conditions.jpeg)

    def plate_jpeg(self) -> bytes:
        """Return the plate alone with a little around it, b"" when there is none."""
        if not self.truth.text:
            return b""
        left, top, width, height = self.truth.box
        cut = self.image[max(0, top - 8) : top + height + 8, max(0, left - 8) : left + width + 8]
        return jpeg_of(cut, self.sight.conditions.jpeg)


def lane_picture(sight: Sight) -> Picture:
    """Take a picture."""
    chance = np.random.default_rng(sight.seed)
    wide, high = sight.size[0] * _OVER, sight.size[1] * _OVER
    image = _road(wide, high, sight.conditions, chance)
    if sight.plate is None:
        finished = _finish(image, np.zeros((high, wide), np.uint8), sight, None, chance)
        return Picture(finished, Truth("", "unknown", "", (0, 0, 0, 0), ()), sight)
    placed = _place(image, sight, sight.plate, chance)
    finished = _finish(placed.image, placed.plate_mask, sight, placed.lamps, chance)
    corners = placed.corners / _OVER
    left, top = np.floor(corners.min(axis=0)).astype(int)
    right, bottom = np.ceil(corners.max(axis=0)).astype(int)
    truth = Truth(
        sight.plate.text,
        sight.plate.colour,
        sight.plate.kind,
        (int(left), int(top), int(right - left), int(bottom - top)),
        tuple((float(x), float(y)) for x, y in corners),
    )
    return Picture(finished, truth, sight)


def any_sight(seed: int, kind: PlateKind | None = None, min_plate_px: int = 130, hard: float = 1.0) -> Sight:
    """Return a sight by chance: every kind of plate, every light, angle and weather.

    min_plate_px: the plate's least width before it is turned. hard: 0 keeps all blur, dirt and rain away.
    """
    chance = np.random.default_rng((seed, 1))
    light = (Light.DAY, Light.DAY, Light.DUSK, Light.NIGHT)[int(chance.integers(4))]
    conditions = Conditions(
        light=light,
        plate_px=int(chance.integers(min_plate_px, min_plate_px + 110)),
        yaw=float(chance.uniform(-28, 28)),
        pitch=float(chance.uniform(2, 18)),
        roll=float(chance.uniform(-5, 5)),
        motion_px=hard * max(0.0, float(chance.uniform(-3, 4))),
        defocus_px=hard * max(0.0, float(chance.uniform(-1.0, 1.1))),
        rain=hard * max(0.0, float(chance.uniform(-0.7, 0.9))),
        dirt=hard * max(0.0, float(chance.uniform(-0.8, 0.6))),
        noise=float(chance.uniform(0.1, 0.8)),
        jpeg=int(chance.integers(70, 93)),
    )
    return Sight(any_plate(seed, kind), conditions, seed)


def still(sight: Sight, seed: int) -> Sight:
    """Return the same sight a moment later: only the grain and the rain differ by the seed."""
    return replace(sight, seed=seed, paint=sight.paint or _paint(sight))


def jpeg_of(image: Image, quality: int) -> bytes:
    """Return an image as JPEG; quality 1 to 100."""
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return data.tobytes()


@dataclass(frozen=True, slots=True)
class _Placed:
    image: Image
    plate_mask: NDArray[np.uint8]
    corners: NDArray[np.float64]
    lamps: NDArray[np.float64] | None


def _road(wide: int, high: int, conditions: Conditions, chance: np.random.Generator) -> Image:
    """Concrete with a kerb, a wall with a stripe, joints and stains, and the arrow of the lane."""
    horizon = round(high * 0.30)
    image = np.zeros((high, wide, 3), np.uint8)
    image[:horizon] = np.linspace(150, 178, horizon)[:, None, None]
    image[horizon:] = np.linspace(104, 138, high - horizon)[:, None, None]
    image[round(horizon * 0.72) : round(horizon * 0.86)] = (40, 158, 206)
    for x in range(0, wide, max(60, wide // 7)):
        cv2.line(image, (x + 40, 0), (x + 40, horizon), (128, 128, 128), 6)
    middle = wide // 2
    for side in (-1, 1):
        kerb = [(middle + side * round(wide * 0.26), horizon), (middle + side * round(wide * 0.29), horizon),
                (middle + side * round(wide * 0.60), high),
                (middle + side * round(wide * 0.52), high)]  # fmt: skip
        cv2.fillConvexPoly(image, np.array(kerb, np.int32), (52, 176, 216), cv2.LINE_AA)
    for share in (0.12, 0.38, 0.8):
        y = horizon + round((high - horizon) * share)
        cv2.line(image, (0, y), (wide, y), (92, 92, 92), 5)
    _stains(image, horizon, chance)
    if conditions.rain > 0:
        wet = cv2.GaussianBlur(cv2.resize(cv2.flip(image, 0), (wide // 8, (high - horizon) // 8)), (0, 0), 3)
        shine, amount = cv2.resize(wet, (wide, high - horizon)), conditions.rain
        image[horizon:] = cv2.addWeighted(image[horizon:], 1 - 0.35 * amount, shine, 0.3 * amount, -8)
    return image


def _stains(image: Image, horizon: int, chance: np.random.Generator) -> None:
    """Mottle the ground and put five oil stains on it; drawn small, because they are soft."""
    high, wide = image.shape[:2]
    tone = np.asarray(cv2.resize(chance.normal(0, 9, (45, 80)).astype(np.float32), (wide // 8, high // 8)))
    for _ in range(5):
        centre = (int(chance.integers(wide // 8)), int(chance.integers(horizon // 8, high // 8)))
        axes = (int(chance.integers(3, 14)), int(chance.integers(1, 4)))
        cv2.ellipse(tone, centre, axes, 0, 0, 360, -30.0, -1)
    large = cv2.resize(cv2.GaussianBlur(tone, (0, 0), 0.9), (wide, high))
    offset = cv2.cvtColor(np.clip(large + 128, 0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGR)
    cv2.addWeighted(image, 1.0, offset, 1.0, -128, image)


def _place(image: Image, sight: Sight, plate: Plate, chance: np.random.Generator) -> _Placed:
    """Put the car into the lane with its plate, seen at the angles of the conditions."""
    conditions = sight.conditions
    body = body_for(plate.kind, chance)
    lit = conditions.light is not Light.DAY
    car = draw_car(body, sight.paint or _paint(sight), plate, lit)
    scale = conditions.plate_px * _OVER / (plate.size_mm[0] / MM)
    high, wide = image.shape[:2]
    aim = (wide * float(chance.uniform(0.42, 0.58)), high * float(chance.uniform(0.62, 0.76)))
    view = _view(car, plate, scale, aim, conditions)
    image = _with_shadow(image, car, view)
    image = _with_boom(image, sight.seed)
    image = _laid(image, car.image, car.mask, view)
    flat = dirty(draw_plate(plate, _PLATE_SCALE), conditions.dirt, chance)
    # A flat plate that is much larger than its picture would flicker when it is turned: shrink it first.
    fit = min(1.0, scale / MM / _PLATE_SCALE * 1.25)
    flat = np.asarray(cv2.resize(flat, None, fx=fit, fy=fit, interpolation=cv2.INTER_AREA), np.uint8)
    onto = view @ _plate_to_car(car, plate, flat)
    full = np.full(flat.shape[:2], 255, np.uint8)
    placed = _laid(image, flat, full, onto)
    mask = np.asarray(cv2.warpPerspective(full, onto, (wide, high), flags=cv2.INTER_LINEAR), np.uint8)
    outline = plate_corners(plate, flat.shape[1] / plate.size_mm[0])
    lamps = _through(view, np.array(car.lamps)) if lit else None
    return _Placed(placed, mask, _through(onto, outline.astype(np.float64)), lamps)


def _view(
    car: CarDrawing, plate: Plate, scale: float, aim: tuple[float, float], conditions: Conditions
) -> Matrix:
    """Return how the flat drawing stands in the picture: turned about its plate by a pinhole camera."""
    yaw, pitch, roll = np.radians((conditions.yaw, conditions.pitch, conditions.roll))
    turn = _turn(float(yaw), float(pitch), float(roll))
    middle_x = car.plate[0] + plate.size_mm[0] / MM / 2
    middle_y = car.plate[1] + plate.size_mm[1] / MM / 2
    focus = _FOCUS * car.image.shape[1]
    flat = np.array([(1, 0, -middle_x), (0, 1, -middle_y), (0, 0, 1)], np.float64)
    lift = np.column_stack((turn[:, 0], turn[:, 1], np.array((0, 0, focus))))
    lens = np.diag((focus, focus, 1.0))
    onto = np.array([(scale, 0, aim[0]), (0, scale, aim[1]), (0, 0, 1)], np.float64)
    # The plane's third coordinate is one, so that lift's third column is its distance from the lens.
    view: Matrix = onto @ lens @ lift @ flat
    return np.asarray(view / view[2, 2], np.float64)


def _turn(yaw: float, pitch: float, roll: float) -> Matrix:
    about_y = np.array([(np.cos(yaw), 0, np.sin(yaw)), (0, 1, 0), (-np.sin(yaw), 0, np.cos(yaw))])
    about_x = np.array([(1, 0, 0), (0, np.cos(pitch), -np.sin(pitch)), (0, np.sin(pitch), np.cos(pitch))])
    about_z = np.array([(np.cos(roll), -np.sin(roll), 0), (np.sin(roll), np.cos(roll), 0), (0, 0, 1)])
    return np.asarray(about_z @ about_x @ about_y, np.float64)


def _plate_to_car(car: CarDrawing, plate: Plate, flat: Image) -> Matrix:
    scale = plate.size_mm[0] / MM / flat.shape[1]
    return np.array([(scale, 0, car.plate[0]), (0, scale, car.plate[1]), (0, 0, 1)], np.float64)


def _through(matrix: Matrix, points: NDArray[np.float64]) -> NDArray[np.float64]:
    turned = np.column_stack((points, np.ones(len(points)))) @ matrix.T
    return np.asarray(turned[:, :2] / turned[:, 2:], np.float64)


def _laid(image: Image, layer: Image, mask: NDArray[np.uint8], matrix: Matrix) -> Image:
    """Lay a picture over another where it falls, and nowhere else."""
    high, wide = layer.shape[:2]
    outline = _through(matrix, np.array([(0.0, 0.0), (wide, 0.0), (wide, high), (0.0, high)]))
    left, top = (int(max(0, one)) for one in np.floor(outline.min(axis=0)))
    right, bottom = (int(one) + 1 for one in np.ceil(outline.max(axis=0)))
    part = image[top:bottom, left:right]
    if not part.size:
        return image
    near = np.array([(1, 0, -left), (0, 1, -top), (0, 0, 1)], np.float64) @ matrix
    size = (part.shape[1], part.shape[0])
    over = cv2.warpPerspective(layer, near, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    share = cv2.cvtColor(cv2.warpPerspective(mask, near, size, flags=cv2.INTER_LINEAR), cv2.COLOR_GRAY2BGR)
    under = cv2.multiply(part, cv2.bitwise_not(share), scale=1 / 255)
    part[:] = cv2.add(under, cv2.multiply(over, share, scale=1 / 255))
    return image


def _with_shadow(image: Image, car: CarDrawing, view: Matrix) -> Image:
    high, wide = car.image.shape[:2]
    (x1, y1), (x2, y2) = _through(view, np.array([(40.0, high - 10.0), (wide - 40.0, high - 10.0)]))
    small = np.full((image.shape[0] // 8, image.shape[1] // 8), 255, np.uint8)
    centre, long = (round((x1 + x2) / 16), round((y1 + y2) / 16)), max(1, round(abs(x2 - x1) / 16))
    cv2.ellipse(small, centre, (long, max(1, long // 7)), 0, 0, 360, 76, -1)
    soft = cv2.resize(cv2.GaussianBlur(small, (0, 0), max(1.0, long / 60)), (image.shape[1], image.shape[0]))
    return np.asarray(cv2.multiply(image, cv2.cvtColor(soft, cv2.COLOR_GRAY2BGR), scale=1 / 255), np.uint8)


def _with_boom(image: Image, seed: int) -> Image:
    """A raised or lowered boom stands behind the car, red and white."""
    high, wide = image.shape[:2]
    x, y = round(wide * 0.93), round(high * 0.42)
    cv2.rectangle(image, (x - 26, y), (x + 26, round(high * 0.72)), (44, 150, 214), -1)
    steps = 14
    rise = (0.02, 0.85)[seed % 2]
    for at in range(steps):
        start = (round(x - at * wide / 22 * (1 - rise * 0.75)), round(y + 14 - at * high * 0.05 * rise))
        end = (
            round(x - (at + 1) * wide / 22 * (1 - rise * 0.75)),
            round(y + 14 - (at + 1) * high * 0.05 * rise),
        )
        cv2.line(image, start, end, ((220, 220, 220), (40, 36, 190))[at % 2], 22, cv2.LINE_AA)
    return image


def _finish(
    image: Image,
    plate_mask: NDArray[np.uint8],
    sight: Sight,
    lamps: NDArray[np.float64] | None,
    chance: np.random.Generator,
) -> Image:
    conditions = sight.conditions
    image = np.asarray(cv2.resize(image, sight.size, interpolation=cv2.INTER_AREA), np.uint8)
    plate_mask = np.asarray(cv2.resize(plate_mask, sight.size, interpolation=cv2.INTER_AREA), np.uint8)
    image = light_up(image, conditions.light, plate_mask)
    if lamps is not None:
        image = glare(
            image, lamps / _OVER, sight.size[0] * (0.22 if conditions.light is Light.NIGHT else 0.12)
        )
    image = rain_on(image, conditions.rain, chance)
    image = blurred(image, conditions.motion_px, conditions.defocus_px)
    image = noisy(image, conditions.noise, conditions.light, chance)
    done = cv2.imdecode(np.frombuffer(jpeg_of(image, conditions.jpeg), np.uint8), cv2.IMREAD_COLOR)
    assert done is not None
    return np.asarray(done, np.uint8)


def _paint(sight: Sight) -> str:
    names = list(PAINTS)
    return names[int(np.random.default_rng((sight.seed, 2)).integers(len(names)))]
