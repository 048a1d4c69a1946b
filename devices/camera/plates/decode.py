"""Posteriors to a plate: the best CTC path through the grammar, and how sure each symbol is. Pure.

Viterbi over states (blank, slot 1's symbols, blank, slot 2's symbols, ...): a step stays where it is or
goes on, and two equal symbols in a row need a blank between them, as CTC has it (Graves et al., 2006).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from devices.camera.plates.grammar import SELDOM, SYMBOLS, SYNTAXES, Syntax, kind_of, slot_indices

Floats = NDArray[np.float32]

_FLOOR = 1e-6
_ACTIVE = 24
_GLANCED = 0.4
_SEEN = 1e-3
_NEVER = np.float32(-1e9)


@dataclass(frozen=True, slots=True)
class Decoded:
    """One reading of one strip.

    slots: (len(syntax), len(SYMBOLS)) probability of each symbol in each slot. steps: the step (column of
    8 pixels) where each symbol stands. score: logarithm of the best path's probability, per step of no
    meaning alone, comparable between syntaxes over the same strip.
    """

    syntax: Syntax
    text: str
    slots: Floats
    steps: tuple[float, ...]
    score: float

    @property
    def confidence(self) -> float:
        """Geometric mean of the probabilities of the text's symbols, 0-1."""
        return confidence(self.text, self.slots)


@dataclass(frozen=True, slots=True)
class Glance:
    """The plain reading of a strip: its symbols, the step of each, and how many steps the strip has."""

    text: str
    steps: tuple[int, ...]
    length: int

    @property
    def pitch(self) -> float:
        """The median distance of neighbours, as a share of the strip's width."""
        gaps = np.diff(self.steps)
        return float(np.median(gaps)) / self.length if len(gaps) else 1.0 / 7


def decode(posteriors: Floats, syntaxes: tuple[Syntax, ...] = SYNTAXES) -> list[Decoded]:
    """Return the best reading under each syntax, most probable first; none where the strip is too short.

    posteriors: (steps, 1 + len(SYMBOLS)), blank first.
    """
    logs = np.log(np.maximum(posteriors, _FLOOR))
    active = np.sort(np.argsort(-posteriors[:, 1:].max(axis=0))[:_ACTIVE])
    syntaxes = _possible(posteriors, syntaxes)
    if not syntaxes:
        return []
    left = _run(logs, active, _masks(syntaxes))
    found = []
    for number, syntax in enumerate(syntaxes):
        score, segments = _walk(left, number, len(syntax))
        if segments:
            found.append(_decoded(syntax, segments, active, posteriors, score + syntax.rarity))
    return sorted(found, key=lambda one: -one.score)


def join_rows(upper: Decoded, lower: Decoded) -> Decoded | None:
    """Return the plate that an upper and a lower row make; None when no kind is written so."""
    text = upper.text + lower.text
    kind = kind_of(text)
    syntax = next((one for one in SYNTAXES if one.kind == kind), None)
    if syntax is None:
        return None
    return Decoded(syntax, text, np.concatenate([upper.slots, lower.slots]), (), upper.score + lower.score)


def glance(posteriors: Floats) -> Glance:
    """Return what the strip shows without any grammar: the plain CTC reading of the plates' symbols."""
    best = posteriors.argmax(axis=1)
    sure = posteriors.max(axis=1)
    places = [
        step
        for step in range(len(best))
        if best[step] > 0 and sure[step] > _GLANCED and (step == 0 or best[step] != best[step - 1])
    ]
    return Glance("".join(SYMBOLS[best[step] - 1] for step in places), tuple(places), len(best))


def confidence(text: str, slots: Floats) -> float:
    """Return the geometric mean of the probabilities of `text` in `slots`."""
    logs = [np.log(max(float(slots[k, SYMBOLS.index(one)]), 1e-6)) for k, one in enumerate(text)]
    return float(np.exp(np.mean(logs))) if logs else 0.0


def best_text(slots: Floats) -> str:
    """Return the most probable symbol of each slot."""
    return "".join(SYMBOLS[int(k)] for k in slots.argmax(axis=1))


def _possible(posteriors: Floats, syntaxes: tuple[Syntax, ...]) -> tuple[Syntax, ...]:
    """Leave out the rarer kinds of which a symbol that they need is nowhere to be seen."""
    seen = posteriors[:, 1:].max(axis=0)
    return tuple(
        one
        for one in syntaxes
        if one.rarity == 0.0 or all(seen[list(slot_indices(slot))].max() > _SEEN for slot in one.slots)
    )


@lru_cache(maxsize=64)
def _masks(syntaxes: tuple[Syntax, ...]) -> Floats:
    """(syntaxes, slots, symbols): 0 where a symbol is allowed, _NEVER elsewhere."""
    most = max(len(syntax) for syntax in syntaxes)
    masks = np.full((len(syntaxes), most, len(SYMBOLS)), _NEVER, np.float32)
    for k, syntax in enumerate(syntaxes):
        for place, slot in enumerate(syntax.slots):
            masks[k, place, list(slot_indices(slot))] = [-SELDOM.get(one, 0.0) for one in slot]
    return masks


@dataclass(slots=True)
class _Trellis:
    """What one run left: final scores, and from where each state was entered at each step.

    symbol_from: 0 stayed, 1 from the blank before it, 2 from the symbol before it. blank_left: the blank was
    entered from the symbol before it. best: which symbol of each slot led before each step; second: the next.
    """

    symbols: Floats
    blanks: Floats
    symbol_from: NDArray[np.int8]
    blank_left: NDArray[np.bool_]
    best: NDArray[np.intp]
    second: NDArray[np.intp]


def _run(logs: Floats, active: NDArray[np.intp], masks: Floats) -> _Trellis:
    allowed = masks[:, :, active]
    steps, (kinds, slots, width) = len(logs), allowed.shape
    symbols = np.full((kinds, slots, width), _NEVER, np.float32)
    blanks = np.full((kinds, slots + 1), _NEVER, np.float32)
    blanks[:, 0] = 0.0
    left = _Trellis(
        symbols,
        blanks,
        np.zeros((steps, kinds, slots, width), np.int8),
        np.zeros((steps, kinds, slots), np.bool_),
        np.zeros((steps, kinds, slots), np.intp),
        np.zeros((steps, kinds, slots), np.intp),
    )
    entry = np.empty((3, kinds, slots, width), np.float32)
    for step in range(steps):
        _step(left, entry, step, logs[step, 0], logs[step, 1 + active] + allowed)
    return left


def _step(left: _Trellis, entry: Floats, step: int, blank: np.float32, emit: Floats) -> None:
    symbols, blanks = left.symbols, left.blanks
    best = symbols.argmax(axis=2)
    top = np.take_along_axis(symbols, best[..., None], axis=2)
    without = symbols.copy()
    np.put_along_axis(without, best[..., None], _NEVER, axis=2)
    second = without.argmax(axis=2)
    after = np.take_along_axis(without, second[..., None], axis=2)
    entry[0] = symbols
    entry[1] = blanks[:, :-1, None]
    entry[2, :, 0] = _NEVER
    entry[2, :, 1:] = top[:, :-1]
    np.put_along_axis(entry[2, :, 1:], best[:, :-1, None], after[:, :-1], axis=2)
    left.best[step], left.second[step] = best, second
    came = entry.argmax(axis=0)
    left.symbol_from[step] = came
    left.blank_left[step] = top[..., 0] > blanks[:, 1:]
    left.symbols = entry.max(axis=0) + emit
    blanks[:, 1:] = np.maximum(blanks[:, 1:], top[..., 0])
    left.blanks = blanks + blank


def _walk(left: _Trellis, kind: int, slots: int) -> tuple[float, list[tuple[int, int, int]]]:
    """Return the score and (symbol among the active, first step, last step) of each slot; [] for no path."""
    last = slots - 1
    at = int(left.symbols[kind, last].argmax())
    ended = float(left.symbols[kind, last, at])
    score = max(ended, float(left.blanks[kind, slots]))
    if score <= _NEVER / 2:
        return score, []
    segments: list[tuple[int, int, int]] = []
    slot, in_blank = (slots, True) if left.blanks[kind, slots] > ended else (last, False)
    until = len(left.symbol_from) - 1
    for step in range(len(left.symbol_from) - 1, -1, -1):
        if in_blank:
            if slot > 0 and left.blank_left[step, kind, slot - 1]:
                slot, in_blank, until = slot - 1, False, step - 1
                at = int(left.best[step, kind, slot])
            continue
        came = int(left.symbol_from[step, kind, slot, at])
        if came == 0:
            continue
        segments.append((at, step, until))
        if came == 1:
            in_blank = True
            continue
        before = int(left.best[step, kind, slot - 1])
        at = before if before != at else int(left.second[step, kind, slot - 1])
        slot, until = slot - 1, step - 1
    return score, segments[::-1]


def _decoded(
    syntax: Syntax,
    segments: list[tuple[int, int, int]],
    active: NDArray[np.intp],
    posteriors: Floats,
    score: float,
) -> Decoded:
    slots = np.stack([posteriors[first : last + 1, 1:].max(axis=0) for _, first, last in segments])
    text = "".join(SYMBOLS[int(active[at])] for at, _, _ in segments)
    steps = tuple(
        first + float(posteriors[first : last + 1, 1 + int(active[at])].argmax())
        for at, first, last in segments
    )
    return Decoded(syntax, text, slots, steps, score)
