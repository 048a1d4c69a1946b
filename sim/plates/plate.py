"""Number plates of every kind as flat pictures, in the measures of GA 36-2018."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from sim.plates.glyphs import Mask, glyph

Image = NDArray[np.uint8]
Bgr = tuple[int, int, int]

PROVINCES = "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新"
#: Letters after the province and among the characters: no I and no O.
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
DIGITS = "0123456789"
_MARKS_OF_SMALL = "DABCEGHJK"


class PlateKind(StrEnum):
    """What a plate is for, which decides its shape and colours."""

    BLUE = "blue"
    YELLOW = "yellow"
    YELLOW_TWO_ROWS = "yellow_two_rows"
    GREEN = "green"
    GREEN_YELLOW = "green_yellow"
    POLICE = "police"
    ARMED_POLICE = "armed_police"
    MILITARY = "military"
    BLACK = "black"
    HONG_KONG = "hong_kong"
    MACAU = "macau"
    EMBASSY = "embassy"
    CONSULATE = "consulate"
    LEARNER = "learner"
    TRAILER = "trailer"


@dataclass(frozen=True, slots=True)
class Plate:
    """A plate. text: as it is spoken, without dots and spaces ("粤BD12345", "粤A1234警", "224578使")."""

    text: str
    kind: PlateKind

    @property
    def colour(self) -> str:
        """The colour of its ground: a value of edge's PlateColour."""
        return _COLOURS[self.kind]

    @property
    def size_mm(self) -> tuple[int, int]:
        """Width and height in millimetres."""
        if self.kind in _TWO_ROWS:
            return 440, 220
        return (480, 140) if self.kind in _NEW_ENERGY else (440, 140)


_TWO_ROWS = frozenset({PlateKind.YELLOW_TWO_ROWS, PlateKind.TRAILER})
_NEW_ENERGY = frozenset({PlateKind.GREEN, PlateKind.GREEN_YELLOW})
_COLOURS = {
    PlateKind.BLUE: "blue",
    PlateKind.YELLOW: "yellow",
    PlateKind.YELLOW_TWO_ROWS: "yellow",
    PlateKind.LEARNER: "yellow",
    PlateKind.TRAILER: "yellow",
    PlateKind.GREEN: "green",
    PlateKind.GREEN_YELLOW: "green_yellow",
    PlateKind.POLICE: "white",
    PlateKind.ARMED_POLICE: "white",
    PlateKind.MILITARY: "white",
    PlateKind.BLACK: "black",
    PlateKind.HONG_KONG: "black",
    PlateKind.MACAU: "black",
    PlateKind.EMBASSY: "black",
    PlateKind.CONSULATE: "black",
}

_INK_BLACK, _INK_WHITE, _INK_RED = (28, 26, 26), (246, 246, 244), (38, 30, 196)
_GROUNDS: dict[str, tuple[Bgr, Bgr]] = {
    # ground, ink
    "blue": ((176, 74, 16), _INK_WHITE),
    "yellow": ((18, 182, 246), _INK_BLACK),
    "white": ((238, 238, 236), _INK_BLACK),
    "black": ((30, 26, 26), _INK_WHITE),
    "green": ((112, 190, 84), _INK_BLACK),
    "green_yellow": ((96, 186, 66), _INK_BLACK),
}
_RED_CHARS = {
    PlateKind.POLICE: (-1,),
    PlateKind.ARMED_POLICE: (0, 1, 2),
    PlateKind.MILITARY: (0, 1),
    PlateKind.EMBASSY: (-1,),
    PlateKind.CONSULATE: (-1,),
}


@dataclass(frozen=True, slots=True)
class _Cell:
    """Where one character stands, in millimetres."""

    char: str
    left: float
    top: float
    width: float
    height: float


def plate_kind_of(text: str) -> PlateKind:
    """Return the kind that a text most likely has: yellow and black cannot be told from the text alone."""
    by_last = {
        "警": PlateKind.POLICE, "学": PlateKind.LEARNER, "挂": PlateKind.TRAILER, "使": PlateKind.EMBASSY,
        "领": PlateKind.CONSULATE, "港": PlateKind.HONG_KONG, "澳": PlateKind.MACAU,
    }  # fmt: skip
    if text[-1] in by_last:
        return by_last[text[-1]]
    if text.startswith("WJ"):
        return PlateKind.ARMED_POLICE
    if text[0].isascii():
        return PlateKind.MILITARY
    if len(text) == 8:
        return PlateKind.GREEN if text[2].isalpha() else PlateKind.GREEN_YELLOW
    return PlateKind.BLUE


def any_plate(seed: int, kind: PlateKind | None = None) -> Plate:
    """Return a plate that could exist, of a kind or of any."""
    chance = np.random.default_rng(seed)
    kinds = list(PlateKind)
    chosen = kind or kinds[int(chance.integers(len(kinds)))]
    return Plate(_TEXTS[chosen](chance), chosen)


def draw_plate(plate: Plate, px_per_mm: float = 2.0) -> Image:
    """Return the plate as it leaves the factory, BGR, without its surroundings."""
    width, height = (round(side * px_per_mm) for side in plate.size_mm)
    image = _ground(plate, width, height)
    _frame(image, plate, px_per_mm)
    ink = _GROUNDS[plate.colour][1]
    cells = _cells(plate)
    red = {at % len(cells) for at in _RED_CHARS.get(plate.kind, ())}
    for at, cell in enumerate(cells):
        _paint(image, cell, px_per_mm, _INK_RED if at in red else ink)
    _dots(image, plate, px_per_mm, ink)
    return image


def plate_corners(plate: Plate, px_per_mm: float) -> NDArray[np.float32]:
    """Return the corners of such a picture, clockwise from the upper left."""
    width, height = (side * px_per_mm for side in plate.size_mm)
    return np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)


def _ground(plate: Plate, width: int, height: int) -> Image:
    colour = np.array(_GROUNDS[plate.colour][0], np.float32)
    image = np.broadcast_to(colour, (height, width, 3)).copy()
    if plate.kind is PlateKind.GREEN:
        share = np.linspace(0, 1, height, dtype=np.float32)[:, None, None] ** 0.8
        image = (1 - share) * np.array((228, 244, 226), np.float32) + share * image
        image = np.broadcast_to(image, (height, width, 3)).copy()
    if plate.kind is PlateKind.GREEN_YELLOW:
        image[:, : round(width * 0.29)] = (24, 196, 244)
    return image.astype(np.uint8)


def _frame(image: Image, plate: Plate, scale: float) -> None:
    """Draw the line along the edge and the holes of the bolts."""
    height, width = image.shape[:2]
    inset, line = round(4 * scale), max(1, round(1.8 * scale))
    ink = _GROUNDS[plate.colour][1]
    cv2.rectangle(image, (inset, inset), (width - inset, height - inset), ink, line, cv2.LINE_AA)
    for x in (0.25, 0.75):
        for y in (9 * scale, height - 9 * scale):
            centre = (round(width * x), round(y))
            cv2.circle(image, centre, round(5.5 * scale), (150, 150, 152), -1, cv2.LINE_AA)
            cv2.circle(image, centre, round(2.2 * scale), (84, 84, 88), -1, cv2.LINE_AA)


def _cells(plate: Plate) -> list[_Cell]:
    if plate.kind in _TWO_ROWS:
        return _two_rows(plate.text)
    if plate.kind in _NEW_ENERGY:
        return _row(plate.text, (45.0, 43.0), 9.0, {1: 49.0})
    if plate.kind in (PlateKind.EMBASSY, PlateKind.CONSULATE):
        dot = {2: 34.0} if plate.text[0].isascii() else {1: 34.0}
        return _row(plate.text, (45.0, 45.0), 12.0, dot)
    if plate.kind is PlateKind.ARMED_POLICE:
        return _row(plate.text, (40.0, 40.0), 10.0, {2: 26.0})
    return _row(plate.text, (45.0, 45.0), 12.0, {1: 34.0})


def _row(text: str, widths: tuple[float, float], gap: float, dots: dict[int, float]) -> list[_Cell]:
    """Set one row: the first character of its own width, gaps with a dot wider; centred on the plate."""
    total = widths[0] + widths[1] * (len(text) - 1)
    total += sum(dots.get(at, gap) for at in range(len(text) - 1))
    plate_width = 480 if len(text) == 8 and 1 in dots and dots[1] == 49.0 else 440
    squeeze = min(1.0, (plate_width - 20) / total)
    left = (plate_width - total * squeeze) / 2
    cells = []
    for at, char in enumerate(text):
        width = widths[0 if at == 0 else 1] * squeeze
        cells.append(_Cell(char, left, 25.0, width, 90.0))
        left += width + dots.get(at, gap) * squeeze
    return cells


def _two_rows(text: str) -> list[_Cell]:
    upper = [_Cell(char, 110 + 140 * at, 15, 80, 60) for at, char in enumerate(text[:2])]
    return upper + [_Cell(char, 27.5 + 80 * at, 90, 65, 110) for at, char in enumerate(text[2:])]


def _paint(image: Image, cell: _Cell, scale: float, ink: Bgr) -> None:
    width, height = round(cell.width * scale), round(cell.height * scale)
    mask: Mask = glyph(cell.char, width, height)
    top, left = round(cell.top * scale), round(cell.left * scale)
    part = image[top : top + height, left : left + width]
    share = mask[:, :, None].astype(np.float32) / 255
    part[:] = (part * (1 - share) + np.array(ink, np.float32) * share).astype(np.uint8)


def _dots(image: Image, plate: Plate, scale: float, ink: Bgr) -> None:
    """Draw the separator: a dot after the second or third character, on new-energy plates their sign."""
    cells = _cells(plate)
    if plate.kind in _TWO_ROWS:
        cv2.circle(image, (round(220 * scale), round(45 * scale)), round(5 * scale), ink, -1, cv2.LINE_AA)
        return
    widest = max(range(len(cells) - 1), key=lambda at: cells[at + 1].left - cells[at].left - cells[at].width)
    x = (cells[widest].left + cells[widest].width + cells[widest + 1].left) / 2
    centre = (round(x * scale), round(70 * scale))
    if plate.kind not in _NEW_ENERGY:
        cv2.circle(image, centre, round(5 * scale), ink, -1, cv2.LINE_AA)
        return
    cv2.circle(image, centre, round(16 * scale), (96, 128, 60), round(3 * scale), cv2.LINE_AA)
    cv2.circle(image, centre, round(6 * scale), (180, 120, 40), -1, cv2.LINE_AA)


def _pick(chance: np.random.Generator, choices: str) -> str:
    return choices[int(chance.integers(len(choices)))]


def _digits(chance: np.random.Generator, count: int) -> str:
    return "".join(_pick(chance, DIGITS) for _ in range(count))


def _head(chance: np.random.Generator) -> str:
    return _pick(chance, PROVINCES) + _pick(chance, LETTERS)


def _serial(chance: np.random.Generator) -> str:
    """Five characters with at most two letters, as registration offices give them."""
    chars = list(_digits(chance, 5))
    for _ in range(int(chance.integers(3))):
        chars[int(chance.integers(5))] = _pick(chance, LETTERS)
    return "".join(chars)


_TEXTS = {
    PlateKind.BLUE: lambda chance: _head(chance) + _serial(chance),
    PlateKind.YELLOW: lambda chance: _head(chance) + _serial(chance),
    PlateKind.YELLOW_TWO_ROWS: lambda chance: _head(chance) + _serial(chance),
    PlateKind.GREEN: lambda chance: (
        _head(chance) + _pick(chance, _MARKS_OF_SMALL) + _pick(chance, DIGITS + LETTERS) + _digits(chance, 4)
    ),
    PlateKind.GREEN_YELLOW: lambda chance: _head(chance) + _digits(chance, 5) + _pick(chance, "DF"),
    PlateKind.POLICE: lambda chance: _head(chance) + _digits(chance, 4) + "警",
    PlateKind.ARMED_POLICE: lambda chance: "WJ" + _pick(chance, PROVINCES) + _digits(chance, 5),
    PlateKind.MILITARY: lambda chance: (
        _pick(chance, "VZKHEBSLN") + _pick(chance, "ABCDEFG") + _digits(chance, 5)
    ),
    PlateKind.BLACK: lambda chance: _head(chance) + _digits(chance, 5),
    PlateKind.HONG_KONG: lambda chance: "粤Z" + _pick(chance, LETTERS) + _digits(chance, 3) + "港",
    PlateKind.MACAU: lambda chance: "粤Z" + _pick(chance, LETTERS) + _digits(chance, 3) + "澳",
    PlateKind.EMBASSY: lambda chance: _digits(chance, 6) + "使",
    PlateKind.CONSULATE: lambda chance: _head(chance) + _digits(chance, 4) + "领",
    PlateKind.LEARNER: lambda chance: _head(chance) + _digits(chance, 4) + "学",
    PlateKind.TRAILER: lambda chance: _head(chance) + _digits(chance, 4) + "挂",
}
