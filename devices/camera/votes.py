"""Agreement of reads inside one picture: which codes are believed, and which place still waits. Pure.

A misread of a 1-D code passes its check digit once in ten times. The same wrong text from a second,
differently prepared look is rare, and a place where two looks disagree is believed only when one
text has far more votes than any other. What has no such proof is not reported: at a till a miss costs a
second, a wrong article costs money.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from devices.camera.symbols import MATRIX, DecodedCode, Quad, bounds, overlap

NEEDED = 2
PER_CONTRADICTION = 3


@dataclass(slots=True)
class _Candidate:
    code: DecodedCode
    boxes: list[Quad]
    looks: set[str] = field(default_factory=set)

    @property
    def votes(self) -> int:
        return len(self.looks)


class Ballot:
    """The reads of one picture so far; one look gives a text at one place at most one vote."""

    def __init__(self) -> None:
        """Begin with no reads."""
        self._candidates: list[_Candidate] = []

    def add(self, code: DecodedCode, look: str) -> None:
        """Count one read; `look` names the engine and the version of the picture."""
        for candidate in self._candidates:
            same = candidate.code.symbology == code.symbology and candidate.code.text == code.text
            if same and any(overlap(box, code.box) for box in candidate.boxes):
                candidate.looks.add(look)
                candidate.boxes.append(code.box)
                return
        self._candidates.append(_Candidate(code, [code.box], {look}))

    def believed(self) -> tuple[DecodedCode, ...]:
        """Return the codes that have proof, in the order in which they were first seen."""
        return tuple(
            DecodedCode(
                symbology=candidate.code.symbology,
                text=candidate.code.text,
                payload=candidate.code.payload,
                raw=candidate.code.raw,
                aim=candidate.code.aim,
                engine=candidate.code.engine,
                box=candidate.code.box,
                votes=candidate.votes,
            )
            for candidate in self._candidates
            if self._proven(candidate)
        )

    def waiting(self) -> tuple[DecodedCode, ...]:
        """Return the codes that were read but not proven, save where a proven one overrules them."""
        proven = [candidate for candidate in self._candidates if self._proven(candidate)]
        return tuple(
            candidate.code
            for candidate in self._candidates
            if candidate not in proven and not any(_same_place(candidate, other) for other in proven)
        )

    def _proven(self, candidate: _Candidate) -> bool:
        if candidate.code.symbology in MATRIX:
            return True
        against = max((other.votes for other in self._rivals(candidate)), default=0)
        return candidate.votes >= NEEDED + PER_CONTRADICTION * against

    def _rivals(self, candidate: _Candidate) -> list[_Candidate]:
        return [other for other in self._candidates if _contradicts(other, candidate)]


def _contradicts(other: _Candidate, candidate: _Candidate) -> bool:
    if other is candidate or other.code.symbology in MATRIX or _is_piece(other, of=candidate):
        return False
    return _same_place(candidate, other)


def _is_piece(other: _Candidate, of: _Candidate) -> bool:
    """A slanting line through an ITF ends early and reads a shorter one: no contradiction to the whole."""
    both = {other.code.symbology, of.code.symbology}
    return both == {"ITF"} and other.code.text in of.code.text


def _same_place(one: _Candidate, other: _Candidate) -> bool:
    slack = 0.0
    if _is_piece(one, of=other) or _is_piece(other, of=one):
        left, top, right, bottom = bounds(one.code.box)
        slack = 0.25 * max(right - left, bottom - top)
    return any(overlap(a, b, slack) for a in one.boxes for b in other.boxes)
