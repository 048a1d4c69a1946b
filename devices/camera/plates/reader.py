"""Chinese plates out of pictures.

reader = PlateReader()
for plate in reader.read(cv2.imread("lane.jpg")):
    print(plate.text, plate.colour, plate.confidence)

localise.py proposes places, the recogniser reads the likeliest ones, each reading says itself where its
plate begins and ends (framing.py), and the best places are read again in several frames
that vote on every character.
docs/protocols/plate-reading.md tells the steps and the figures; tests/bench/bench_plates.py measures them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import cv2
import numpy as np

from devices.camera.pictures import Picture
from devices.camera.plates.colour import colour_of, reddish
from devices.camera.plates.decode import Decoded, Glance, decode, glance, join_rows
from devices.camera.plates.framing import (
    coloured,
    grown,
    levelled,
    lower_row,
    over_lower_row,
    refit,
    upper_row,
)
from devices.camera.plates.grammar import LOWER_ROW, PROVINCES, UPPER_ROW
from devices.camera.plates.localise import Candidate, Quad, candidates, overlap, rectify, size_of
from devices.camera.plates.recogniser import HEIGHT, Posteriors, Recogniser
from devices.camera.plates.vote import Verdict, vote

Box = tuple[int, int, int, int]
Corners = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class PlateFound:
    """One plate in one picture.

    text: the plate. kind: a syntax of grammar.SYNTAXES. colour: of grammar.COLOURS. confidence: geometric
    mean of `confidences`, one for each character, 0-1. box: left, top, right, bottom in pixels.
    corners: the plate's four corners, clockwise from the top left. rows: rows of characters, 1 or 2.
    """

    text: str
    kind: str
    colour: str
    confidence: float
    confidences: tuple[float, ...]
    box: Box
    corners: Corners
    rows: int = 1
    verdict: Verdict | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class PlateSettings:
    """How hard to look.

    side: longer side of the picture in which places are looked for. tries: places that are read at most.
    plates: plates that are returned at most. least: confidence below which a reading is not reported.
    """

    side: int = 960
    tries: int = 9
    plates: int = 4
    least: float = 0.5

    def __post_init__(self) -> None:
        """Raise ValueError for settings under which nothing can be read."""
        if self.side < 160 or not 1 <= self.plates <= self.tries <= 16 or not 0 <= self.least < 1:
            raise ValueError(
                f"a plate reader needs side >= 160, 1 <= plates <= tries <= 16, 0 <= least < 1: {self}"
            )


@dataclass(slots=True)
class _Place:
    """A place and its readings under the syntaxes, the most probable first.

    quad: the plate. start: the candidate that it came from.
    """

    quad: Quad
    readings: list[Decoded]
    start: Quad
    rows: int = 1
    reads: int = 1

    @property
    def best(self) -> Decoded:
        return self.readings[0]

    @property
    def sure(self) -> float:
        return self.readings[0].confidence if self.readings else 0.0


class PlateReader:
    """Reads plates from pictures; keeps no state between pictures, safe to use from several threads."""

    def __init__(self, settings: PlateSettings | None = None, recogniser: Recogniser | None = None) -> None:
        """Load the model (0.1 s). Raises ModelMissing where it is not installed."""
        self.settings = settings or PlateSettings()
        self._recogniser = recogniser or Recogniser()

    def read(self, image: Picture) -> tuple[PlateFound, ...]:
        """Return the plates in `image` (grey, BGR or BGRA, 8 or 16 bit), the one that it is about first.

        Raises ValueError for an array that is no picture.
        """
        picture = _bgr(image)
        places = self._places(picture, candidates(picture, self.settings.side))
        order = sorted(places, key=lambda one: -_about(picture, one))
        order = [one for number, one in enumerate(order) if number == 0 or one.sure >= _HESITANT[0]]
        found: list[PlateFound] = []
        for number, place in enumerate(order[: self.settings.plates]):
            plate = self._settle(picture, place, _FRAMES if number == 0 else _FEW_FRAMES)
            if plate is not None and plate.confidence >= self.settings.least:
                found.append(plate)
        return tuple(_without_doubles(found))

    def _places(self, picture: Picture, proposed: Sequence[Candidate]) -> list[_Place]:
        """Read the likeliest candidates; return those that may be plates."""
        places: list[_Place] = []
        spent = 0
        for number, candidate in enumerate(proposed[: self.settings.tries]):
            if spent >= _MOST_READS:
                break
            if any(overlap(candidate.quad, place.quad) > 0.3 and place.sure > 0.8 for place in places):
                continue
            place = self._probe(picture, candidate)
            spent += 1 if place is None else place.reads
            if place is not None and place.sure > _HOPELESS:
                places.append(place)
            if number >= 1 and any(place.sure > 0.85 for place in places):
                break
            if place is not None and place.sure > 0.95 and _outranks(proposed, number):
                break
        return places

    def _probe(self, picture: Picture, candidate: Candidate) -> _Place | None:
        """Read a candidate as it is; where that shows characters, find its ends and rows and read again."""
        quad = candidate.quad
        posteriors = self._strip(picture, quad, _PROBE)
        seen = glance(posteriors)
        if len(seen.text) < _FEWEST:
            return None
        place = _Place(quad, decode(posteriors), start=quad)
        if place.sure < _NOTHING and len(seen.text) < 5:
            return None
        if place.sure >= _CERTAIN:
            place.quad = levelled(picture, _ends(place))
            return place
        place = self._better(picture, place, levelled(picture, _ends(place)))
        if place.sure < _FAINT and not _like_a_plate(seen.text) and self._colourless(picture, place):
            return place
        for wider in _completed(quad, seen):
            if place.sure < _GOOD:
                place = self._better(picture, place, wider)
        if place.sure < _GOOD:
            place = self._two_rows(picture, place, posteriors)
        return place

    def _better(self, picture: Picture, place: _Place, quad: Quad) -> _Place:
        """Return the place as read in `quad`, or as it was where that reads worse."""
        place.reads += 1
        other = _Place(quad, self._look(picture, quad, _PROBE), start=place.start, reads=place.reads)
        if not other.readings:
            return place
        other.quad = _ends(other)
        return other if other.sure >= 0.9 * place.sure else place

    def _two_rows(self, picture: Picture, place: _Place, posteriors: Posteriors) -> _Place:
        lower = decode(posteriors, LOWER_ROW)
        if not lower or lower[0].confidence < _HALF:
            return place
        patch = coloured(picture, place.start)
        if patch is None or not _two_row_shaped(patch):
            return place
        ends = refit(place.start, lower[0], _PROBE // 8)
        row = levelled(picture, place.start if ends is None else ends)
        wholes = [patch, over_lower_row(row), row]
        best = place
        for whole in wholes:
            if best.sure > _GOOD:
                break
            reads = best.reads = best.reads + 2
            found = self._look_twice(picture, whole, _PROBE)
            two = _Place(whole, found, start=place.start, rows=2, reads=reads)
            best = two if two.sure > best.sure else best
        return best

    def _settle(
        self, picture: Picture, place: _Place, frames: Sequence[tuple[float, float, int]]
    ) -> PlateFound | None:
        readings = [place.readings]
        look = self._look if place.rows == 1 else self._look_twice
        colour, sure = colour_of(self._ground(picture, place))
        for wider, taller, width in frames:
            readings.append(look(picture, grown(place.quad, wider, wider, taller, taller), width))
            if len(readings) >= _ENOUGH and (_agreed(readings) or _hopeless(readings)):
                break
        verdict = vote(readings, colour, sure)
        if (
            verdict is not None
            and frames is _FRAMES
            and place.rows == 1
            and _HESITANT[0] < verdict.confidence < _HESITANT[1]
        ):
            readings += [self._look_evened(picture, place.quad, frame) for frame in _EVENED_FRAMES]
            verdict = vote(readings, colour, sure)
        if verdict is None or (verdict.syntax.kind == "army" and not reddish(self._ground(picture, place))):
            return None
        return _found(verdict, place, colour)

    def _colourless(self, picture: Picture, place: _Place) -> bool:
        return colour_of(self._ground(picture, place))[0] in ("white", "black")

    def _ground(self, picture: Picture, place: _Place) -> Picture:
        return rectify(picture, place.quad, 96, 24)

    def _strip(self, picture: Picture, quad: Quad, width: int) -> Posteriors:
        return self._recogniser.read(rectify(picture, quad, width, HEIGHT))

    def _look(self, picture: Picture, quad: Quad, width: int) -> list[Decoded]:
        return decode(self._strip(picture, quad, width))

    def _look_evened(self, picture: Picture, quad: Quad, frame: tuple[float, float, int]) -> list[Decoded]:
        """Read a strip whose light was evened out, for plates that are dark, hazy or half in shade."""
        wider, taller, width = frame
        strip = rectify(picture, grown(quad, wider, wider, taller, taller), width, HEIGHT)
        parts = cv2.cvtColor(strip, cv2.COLOR_BGR2LAB)
        parts[..., 0] = cv2.createCLAHE(2.0, (2, 4)).apply(parts[..., 0])
        return decode(self._recogniser.read(cast(Picture, cv2.cvtColor(parts, cv2.COLOR_LAB2BGR))))

    def _look_twice(self, picture: Picture, whole: Quad, width: int) -> list[Decoded]:
        """Read the two rows of a plate, each by itself, as one plate."""
        under = decode(self._strip(picture, lower_row(whole), width), LOWER_ROW)
        over = decode(self._strip(picture, upper_row(whole), _UPPER), UPPER_ROW)
        joined = [join_rows(over[0], one) for one in under] if over else []
        return [one for one in joined if one is not None]


_PROBE = 160
_UPPER = 144
_HALF = 0.75
_FEWEST = 4
_NOTHING = 0.03
_FAINT = 0.12
_CERTAIN = 0.985
_AHEAD = 2.5
_ENOUGH = 3
_MOST_READS = 15
_GOOD = 0.8
_HOPELESS = 0.2
_AGREED = 0.97


def _outranks(proposed: Sequence[Candidate], number: int) -> bool:
    """Say whether a candidate is so much more like a plate than the next that the next needs no look."""
    after = proposed[number + 1].rank if number + 1 < len(proposed) else -math.inf
    return proposed[number].rank - after > _AHEAD


def _like_a_plate(seen: str) -> bool:
    """Say whether what a glance saw is a plate's text, or one that lacks its province or its 使."""
    if seen.isdigit():
        return len(seen) == 6
    body = seen[1:] if seen[0] in PROVINCES else seen
    return 5 <= len(body) <= 7 and body[0].isalpha() and any(one.isdigit() for one in body[1:])


def _ends(place: _Place) -> Quad:
    """Return the place's quad with its ends where its best reading says they are."""
    found = refit(place.quad, place.best, _PROBE // 8) if place.readings else None
    return place.quad if found is None else found


def _completed(quad: Quad, seen: Glance) -> list[Quad]:
    """Return `quad` with room for the characters that a glance missed, at the likelier end first."""
    lack = max(1, 7 - len(seen.text)) * seen.pitch * 1.15
    left, right = grown(quad, lack, 0.0, 0.0, 0.0), grown(quad, 0.0, lack, 0.0, 0.0)
    if seen.text[0] in PROVINCES:
        return [right]
    return [right, left] if seen.text.isdigit() and len(seen.text) == 6 else [left]


def _two_row_shaped(patch: Quad) -> bool:
    width, height = size_of(patch)
    return 1.2 <= width / max(height, 1.0) <= 3.2


def _hopeless(readings: Sequence[Sequence[Decoded]]) -> bool:
    return max((one[0].confidence for one in readings if one), default=0.0) < _HESITANT[0]


def _agreed(readings: Sequence[Sequence[Decoded]]) -> bool:
    best = [one[0] for one in readings if one]
    return len({one.text for one in best}) == 1 and min(one.confidence for one in best) > _AGREED


_FRAMES = (
    (0.0, 0.05, 160),
    (0.02, 0.0, 192),
    (0.0, 0.05, 176),
    (0.05, 0.05, 192),
    (0.02, 0.12, 208),
    (0.0, -0.05, 160),
)
_HESITANT = (0.3, 0.94)
_EVENED_FRAMES = ((0.02, 0.05, 160), (0.0, 0.12, 192), (0.05, 0.2, 192), (0.02, 0.0, 224))
_FEW_FRAMES = _FRAMES[:3]


def _bgr(image: Picture) -> Picture:
    """Return a picture as 8-bit BGR; raises ValueError for an array that is none."""
    channels = image.shape[2] if image.ndim == 3 else 1
    if image.ndim not in (2, 3) or image.size == 0 or channels not in (1, 3, 4):
        raise ValueError(f"a picture has rows, columns and 1, 3 or 4 channels, got shape {image.shape}")
    if image.dtype == np.uint16:
        image = (image >> 8).astype(np.uint8)
    if image.dtype != np.uint8:
        raise ValueError(f"a picture has 8 or 16 bits for each channel, got {image.dtype}")
    if channels == 1:
        return cast(Picture, cv2.cvtColor(image.reshape(image.shape[:2]), cv2.COLOR_GRAY2BGR))
    return np.ascontiguousarray(image[:, :, :3])


def _about(picture: Picture, place: _Place) -> float:
    """Say how much the picture is about this place: read well, large, near the middle."""
    width, _ = size_of(place.quad)
    centre = place.quad.mean(axis=0) / np.array([picture.shape[1], picture.shape[0]])
    away = float(np.abs(centre - np.array([0.5, 0.55])).max())
    edge = float(np.minimum(place.quad.min(axis=0), 0).min())
    cut = edge < -2 or float(place.quad[:, 0].max()) > picture.shape[1] + 2
    return 2.0 * place.sure - (1.0 if cut else 0.0) + 0.9 * math.log(max(width, 8.0)) - 0.4 * away


def _found(verdict: Verdict, place: _Place, colour: str) -> PlateFound:
    low, high = place.quad.min(axis=0), place.quad.max(axis=0)
    box = (round(float(low[0])), round(float(low[1])), round(float(high[0])), round(float(high[1])))
    corners = tuple((round(float(x), 1), round(float(y), 1)) for x, y in place.quad)
    return PlateFound(
        verdict.text,
        verdict.syntax.kind,
        colour,
        verdict.confidence,
        verdict.confidences,
        box,
        corners,
        place.rows,
        verdict,
    )


def _without_doubles(found: Sequence[PlateFound]) -> list[PlateFound]:
    kept: list[PlateFound] = []
    for one in found:
        quad = np.array(one.corners, np.float32)
        same = any(overlap(quad, np.array(other.corners, np.float32)) > 0.2 for other in kept)
        if not same and all(other.text != one.text for other in kept):
            kept.append(one)
    return kept
