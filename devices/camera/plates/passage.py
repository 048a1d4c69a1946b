"""From readings of single frames to one plate for each vehicle that passes: a vote per character. Pure.

A passage begins with the first reading of a plate and is decided as soon as enough frames agree, or when the
vehicle is out of view, or after a while. It is told once; a plate that was gone and comes back is a new
passage.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from devices.camera.pictures import Picture
from devices.camera.plates.reader import PlateFound
from devices.camera.plates.vote import Verdict, vote_frames

_NS_PER_MS = 1_000_000
_MOST_TRACKS = 8
_MOST_FRAMES = 12


@dataclass(frozen=True, slots=True)
class PassageSettings:
    """When a passage is decided.

    needed: frames that must have voted. sure: confidence of the weakest character with which it is decided
    at once. alone: the same for a single frame, above 1 to always wait for more. hurry_ms: after which time
    it is decided with what there is. gone_ms: how long out of view until the same plate is a new passage.
    least: confidence below which it is not told at all.
    """

    needed: int = 2
    sure: float = 0.9
    alone: float = 0.985
    hurry_ms: int = 1200
    gone_ms: int = 4000
    least: float = 0.5

    def __post_init__(self) -> None:
        """Raise ValueError for limits without sense."""
        if not 1 <= self.needed <= _MOST_FRAMES or not 0 <= self.least <= self.sure <= 1:
            raise ValueError(
                f"a passage needs 1-{_MOST_FRAMES} frames and 0 <= least <= sure <= 1, got {self}"
            )
        if self.hurry_ms < 0 or self.gone_ms < 0:
            raise ValueError(f"a passage needs hurry_ms and gone_ms of 0 or more, got {self}")


@dataclass(frozen=True, slots=True)
class Passage:
    """One decided passage: the plate by the vote of `frames` frames, and the picture that shows it best."""

    plate: PlateFound
    frames: int
    first_ns: int
    best_ns: int
    picture: Picture


@dataclass(slots=True)
class _Track:
    readings: list[PlateFound]
    first_ns: int
    last_ns: int
    best_ns: int
    picture: Picture
    told: bool = False

    @property
    def best(self) -> PlateFound:
        return max(self.readings, key=_worth)


class PassageVote:
    """The vehicles in one lane's view. One per camera; not thread safe."""

    def __init__(self, settings: PassageSettings | None = None) -> None:
        """Begin with nobody in view."""
        self._settings = settings or PassageSettings()
        self._tracks: list[_Track] = []

    def frame(self, plates: Sequence[PlateFound], taken_ns: int, picture: Picture) -> None:
        """Take what one frame showed; only the plate that the picture is about has a voice."""
        for plate in plates[:1]:
            track = next((one for one in self._tracks if _same(one.best.text, plate.text)), None)
            if track is None or taken_ns - track.last_ns > self._settings.gone_ms * _NS_PER_MS:
                self._begin(plate, taken_ns, picture, track)
            else:
                self._add(track, plate, taken_ns, picture)

    def decided(self, now_ns: int) -> list[Passage]:
        """Return the passages that are decided by now, each once; forget who has been gone for long."""
        ready = [one for one in self._tracks if not one.told and self._ripe(one, now_ns)]
        self._tracks = [
            one
            for one in self._tracks
            if now_ns - one.last_ns <= self._settings.gone_ms * _NS_PER_MS
            or (not one.told and one not in ready)
        ]
        return self._tell(ready)

    def rest(self) -> list[Passage]:
        """Return what is still open, at the end of the frames or when the gate has closed."""
        return self._tell([one for one in self._tracks if not one.told])

    def _begin(self, plate: PlateFound, taken_ns: int, picture: Picture, old: _Track | None) -> None:
        if old is not None:
            self._tracks.remove(old)
        if len(self._tracks) >= _MOST_TRACKS:
            self._tracks.pop(0)
        self._tracks.append(_Track([plate], taken_ns, taken_ns, taken_ns, picture))

    def _add(self, track: _Track, plate: PlateFound, taken_ns: int, picture: Picture) -> None:
        if _worth(plate) > _worth(track.best):
            track.picture, track.best_ns = picture, taken_ns
        track.readings.append(plate)
        track.last_ns = taken_ns
        if len(track.readings) > _MOST_FRAMES:
            track.readings.remove(min(track.readings, key=_worth))

    def _ripe(self, track: _Track, now_ns: int) -> bool:
        if now_ns - track.first_ns >= self._settings.hurry_ms * _NS_PER_MS:
            return True
        weakest = min(_voted(track.readings).confidences)
        if len(track.readings) >= self._settings.needed:
            return weakest >= self._settings.sure
        return weakest >= self._settings.alone

    def _tell(self, tracks: Sequence[_Track]) -> list[Passage]:
        told = []
        for track in tracks:
            track.told = True
            plate = _voted(track.readings)
            if plate.confidence >= self._settings.least:
                told.append(Passage(plate, len(track.readings), track.first_ns, track.best_ns, track.picture))
        return told


def _voted(readings: Sequence[PlateFound]) -> PlateFound:
    """Return the best reading with the vote's text and confidences."""
    best = max(readings, key=_worth)
    verdicts: list[Verdict] = [one.verdict for one in readings if one.verdict is not None]
    if len(verdicts) < 2:
        return best
    verdict = vote_frames(verdicts)
    return replace(
        best,
        text=verdict.text,
        kind=verdict.syntax.kind,
        confidence=verdict.confidence,
        confidences=verdict.confidences,
        verdict=verdict,
    )


def _worth(plate: PlateFound) -> float:
    return plate.confidence * math.sqrt(math.sqrt(max(1, plate.box[2] - plate.box[0])))


def _same(one: str, other: str) -> bool:
    """Say whether two readings may be of one plate: two characters apart at most, or one lost or added."""
    if len(one) == len(other):
        return sum(a != b for a, b in zip(one, other, strict=True)) <= 2
    short, long = sorted((one, other), key=len)
    return len(long) - len(short) == 1 and any(long[:k] + long[k + 1 :] == short for k in range(len(long)))
