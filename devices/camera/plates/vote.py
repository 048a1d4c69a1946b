"""The vote per character: over framings of one picture, and over frames of one passage. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from devices.camera.plates.decode import Decoded, Floats
from devices.camera.plates.grammar import SELDOM, SYMBOLS, Syntax, slot_indices

_WORST = 8.0
_WRONG_COLOUR = 2.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a vote gave. slots: (symbols of the plate, len(SYMBOLS)) mean probabilities. voters: how many."""

    syntax: Syntax
    text: str
    confidences: tuple[float, ...]
    slots: Floats
    voters: int

    @property
    def confidence(self) -> float:
        """Geometric mean of the characters' confidences."""
        return float(np.exp(np.mean(np.log(np.maximum(self.confidences, 1e-6)))))


def vote(readings: Sequence[Sequence[Decoded]], colour: str = "unknown", sure: float = 0.0) -> Verdict | None:
    """Return the plate on which several readings agree best; None without any.

    readings: of each framing its readings under the syntaxes, as `decode` gives them. colour, sure: as
    `colour_of` gives them; a kind that is not made in that colour loses by it.
    """
    syntax = _chosen([one for one in readings if one], colour, sure)
    if syntax is None:
        return None
    chosen = [one for reading in readings for one in reading if one.syntax is syntax]
    return combine(syntax, [one.slots for one in chosen], [one.confidence**2 for one in chosen])


def vote_frames(verdicts: Sequence[Verdict]) -> Verdict:
    """Return the plate of one vehicle on which the verdicts of several frames agree best.

    verdicts: one or more. Kinds are weighed first, by the sum of their frames' confidences.
    """
    weight: dict[str, float] = {}
    for one in verdicts:
        weight[one.syntax.kind] = weight.get(one.syntax.kind, 0.0) + one.confidence**2
    kind = max(weight, key=lambda name: weight[name])
    chosen = [one for one in verdicts if one.syntax.kind == kind]
    return combine(chosen[0].syntax, [one.slots for one in chosen], [one.confidence**2 for one in chosen])


def combine(syntax: Syntax, slots: Sequence[Floats], weights: Sequence[float]) -> Verdict:
    """Return the weighted mean of what each voter says about each slot."""
    shares = np.array(weights, np.float32) + 1e-4
    mean = np.tensordot(shares / shares.sum(), np.stack(slots), axes=1).astype(np.float32)
    text, sure = [], []
    for place, slot in enumerate(syntax.slots):
        allowed = slot_indices(slot)
        best = max(allowed, key=lambda index: mean[place, index] * math.exp(-SELDOM.get(SYMBOLS[index], 0.0)))
        text.append(SYMBOLS[best])
        sure.append(min(1.0, float(mean[place, best])))
    return Verdict(syntax, "".join(text), tuple(sure), mean, len(slots))


def _chosen(readings: Sequence[Sequence[Decoded]], colour: str, sure: float) -> Syntax | None:
    """Return the syntax with the best mean score, where no framing may spoil more than `_WORST`."""
    syntaxes = {one.syntax.kind: one.syntax for reading in readings for one in reading}
    totals = dict.fromkeys(syntaxes, 0.0)
    for reading in readings:
        scores = {one.syntax.kind: one.score for one in reading}
        top = max(scores.values())
        for kind in totals:
            totals[kind] += max(scores.get(kind, top - _WORST) - top, -_WORST)
    if not totals:
        return None
    for kind, syntax in syntaxes.items():
        fits = colour == "unknown" or colour in syntax.colours
        totals[kind] = totals[kind] / len(readings) - (0.0 if fits else _WRONG_COLOUR * sure)
    return syntaxes[max(totals, key=lambda kind: totals[kind])]
