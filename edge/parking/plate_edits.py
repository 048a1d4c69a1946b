"""How a plate as it was read differs from a plate as it was stored, and how likely that is. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from edge.parking.observation import PlateRead
from edge.parking.plate import PROVINCES, confusion, is_confusable
from edge.parking.vehicle import PlateColour

#: A character read with less confidence than this may be any other.
DOUBTFUL = 0.6

#: So many misreads of a character weigh as much as the general shares; and so many explain an edit.
PRIOR = 10.0
LEARNED = 2.0

#: How often a character is misread: at the least, when nothing is known, at the most; and at the entry.
_LEAST, _UNKNOWN, _MOST, _AT_ENTRY = 0.003, 0.015, 0.6, 0.007

#: How often a character is lost: any, one of a run of the same, the eighth, the eighth of a green plate.
_LOST, _LOST_OF_RUN, _LOST_EIGHTH, _LOST_ON_GREEN = 0.003, 0.02, 0.02, 0.3
_MADE_UP = 0.002

#: Characters by which read and stored may be shifted against each other.
_BAND = 3


class EditKind(StrEnum):
    """How read and stored differ at a place: another character, one that was lost, one too many."""

    CHANGED = "changed"
    LOST = "lost"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Edit:
    """One difference. place: from 0 in the stored plate. stored: "" for ADDED; read: "" for LOST.

    cost: what it takes from the score, a natural logarithm, above 0. confidence: of the character read, None
    when unknown. explained: look-alikes, a doubtful character, one of a run or the eighth of a green plate.
    """

    kind: EditKind
    place: int
    stored: str
    read: str
    cost: float
    confidence: float | None = None
    explained: bool = False


@dataclass(frozen=True, slots=True)
class Confusions:
    """What corrections have taught about one camera: how often each (true, read) pair was met, decayed.

    A character's own counts stand beside `PRIOR` misreads that went by the general shares.
    """

    counts: Mapping[tuple[str, str], float] = field(default_factory=dict)
    totals: Mapping[str, float] = field(default_factory=dict)

    def share(self, true: str, read: str) -> float:
        """Return how often `true`, when it is misread here, is read as `read`; 0.6 at most."""
        general = confusion(true, read)
        met = self.counts.get((true, read), 0.0)
        return min((general * PRIOR + met) / (PRIOR + self.totals.get(true, 0.0)), 0.6) if met else general

    def knows(self, true: str, read: str) -> bool:
        """Return whether the pair was corrected here often enough to explain an edit."""
        return self.counts.get((true, read), 0.0) >= LEARNED


def learned(counts: Mapping[tuple[str, str], float]) -> Confusions:
    """Return what counts of (true, read) pairs teach."""
    totals: dict[str, float] = {}
    for (true, _), count in counts.items():
        totals[true] = totals.get(true, 0.0) + count
    return Confusions(dict(counts), totals)


def align(read: PlateRead, stored: str, confusions: Confusions) -> tuple[float, tuple[Edit, ...]]:
    """Return the logarithm of how likely a plate stored as `stored` is read so, and the edits in between.

    Of all alignments it is the likeliest, with read and stored shifted by `_BAND` places at most; what is
    shifted more has the logarithm -inf and no edits.
    """
    confidences = read.confidences if len(read.confidences) == len(read.plate) else ()
    errors = [_error(one) for one in confidences] or [_UNKNOWN] * len(read.plate)
    if read.plate == stored:
        return sum(math.log((1 - one) * (1 - _AT_ENTRY)) for one in errors), ()
    losses = [math.log(_chance_lost(stored, place, read)[0]) for place in range(len(stored))]
    scores, steps = _table(read.plate, stored, errors, losses, confusions)
    end = scores.get((len(stored), len(read.plate)), -math.inf)
    if end == -math.inf:
        return end, ()
    found = _Found(read, stored, confidences, errors, losses, confusions)
    edits = [one for step in _way_back(steps, found) if (one := _edit(found, *step)) is not None]
    return end, tuple(reversed(edits))


def edits_between(stored: str, read: str) -> tuple[Edit, ...]:
    """Return the likeliest edits from one plate to another as it was read, by the general shares."""
    return align(PlateRead("", "", "", "", read, 0, 0), stored, Confusions())[1]


def changed_pairs(edits: Sequence[Edit]) -> Iterator[tuple[str, str]]:
    """Yield the (true, read) pairs of edits that are one character for another."""
    return ((one.stored, one.read) for one in edits if one.kind is EditKind.CHANGED)


_READ, _LOSE, _ADD = 0, 1, 2
_Scores = dict[tuple[int, int], float]


def _table(
    text: str, stored: str, errors: Sequence[float], losses: Sequence[float], confusions: Confusions
) -> tuple[_Scores, dict[tuple[int, int], int]]:
    added = math.log(_MADE_UP)
    scores: _Scores = {(0, 0): 0.0}
    steps: dict[tuple[int, int], int] = {}
    for place in range(len(stored) + 1):
        for at in range(max(0, place - _BAND), min(len(text), place + _BAND) + 1):
            best, step = scores.get((place, at), -math.inf), _READ
            if place and at:
                before = scores.get((place - 1, at - 1), -math.inf)
                best = before + _log_read(stored[place - 1], text[at - 1], errors[at - 1], confusions)
            if place and (way := scores.get((place - 1, at), -math.inf) + losses[place - 1]) > best:
                best, step = way, _LOSE
            if at and (way := scores.get((place, at - 1), -math.inf) + added) > best:
                best, step = way, _ADD
            scores[place, at], steps[place, at] = best, step
    return scores, steps


class _Found(NamedTuple):
    read: PlateRead
    stored: str
    confidences: Sequence[float]
    errors: Sequence[float]
    losses: Sequence[float]
    confusions: Confusions


def _way_back(steps: Mapping[tuple[int, int], int], found: _Found) -> Iterator[tuple[int, int, int]]:
    """Yield each step of the likeliest alignment with its places in stored and read, the last one first."""
    place, at = len(found.stored), len(found.read.plate)
    while place or at:
        step = steps[place, at]
        place, at = place - (step != _ADD), at - (step != _LOSE)
        yield step, place, at


def _edit(found: _Found, step: int, place: int, at: int) -> Edit | None:
    """Return what a step changes, None when the character was read as it is stored."""
    stored, text = found.stored, found.read.plate
    if step == _LOSE:
        explained = _chance_lost(stored, place, found.read)[1]
        return Edit(EditKind.LOST, place, stored[place], "", -found.losses[place], None, explained)
    if step == _READ and stored[place] == text[at]:
        return None
    given = found.confidences[at] if found.confidences else None
    if step == _ADD:
        return Edit(EditKind.ADDED, place, "", text[at], -math.log(_MADE_UP), given)
    return _changed(stored[place], text[at], place, found.errors[at], given, found.confusions)


def _log_read(true: str, read: str, error: float, confusions: Confusions) -> float:
    if true == read:
        return math.log((1 - error) * (1 - _AT_ENTRY))
    # Either the exit misread what the entry had right, or the entry did.
    return math.log(error * confusions.share(true, read) + _AT_ENTRY * confusions.share(read, true))


def _changed(
    true: str, read: str, place: int, error: float, confidence: float | None, confusions: Confusions
) -> Edit:
    explained = (
        is_confusable(true, read)
        or confusions.knows(true, read)
        or (true in PROVINCES and read in PROVINCES)
        or (confidence is not None and confidence < DOUBTFUL)
    )
    cost = -_log_read(true, read, error, confusions)
    return Edit(EditKind.CHANGED, place, true, read, cost, confidence, explained)


def _chance_lost(stored: str, place: int, read: PlateRead) -> tuple[float, bool]:
    """How often that character is lost, and whether that explains it."""
    if len(stored) == 8 and place == 7 and len(read.plate) == 7:
        green = read.colour in (PlateColour.GREEN, PlateColour.GREEN_YELLOW)
        return (_LOST_ON_GREEN if green else _LOST_EIGHTH), True
    if stored[place] in (stored[place - 1 : place], stored[place + 1 : place + 2]):
        return _LOST_OF_RUN, True
    return _LOST, False


def _error(confidence: float) -> float:
    return min(max(1 - confidence, _LEAST), _MOST)
