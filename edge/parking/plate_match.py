"""Which stay is the vehicle at the exit: candidates ranked with the evidence for each. Pure.

A candidate's score is the natural logarithm of how much likelier the read is if the vehicle is that stay's
than if it is none of those inside. Its parts add up, so that a person can be told why:

* the plate: each character that agrees, each edit between what was stored at the entry and what was read now,
  priced by the reader's confidence and by how often the two characters are taken for each other (at this
  camera, once guards have corrected it);
* the colour and the class, by how often they agree by chance;
* the time inside, as few leave at once and few after days;
* how many vehicles are inside, among whom it would be one; and how rarely a vehicle has no stay at all.

A candidate goes alone only when all of the rules in `rank` hold; else one question goes to the guard.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from edge.parking.observation import PlateRead
from edge.parking.plate import PlateDoubt, why_not
from edge.parking.plate_edits import Confusions, Edit, align
from edge.parking.session import Session
from edge.parking.vehicle import PlateColour, VehicleClass

#: A clear match is so much likelier than no stay at all (1,000 times), and than the next one (100 times).
CLEAR_SCORE = math.log(1_000)
CLEAR_MARGIN = math.log(100)

#: Edits that a match which goes alone may have, and those that a candidate may have at all.
CLEAR_EDITS = 1
MAX_EDITS = 3

#: Candidates that a person is shown.
MAX_SHOWN = 6

#: How rarely a vehicle at the exit has no stay inside, and how many plates it may then be one of.
_UNKNOWN_VEHICLE, _WORLD = 0.005, 5_000_000
#: When both plates were here before, the vehicle is one of far fewer.
_KNOWN_WORLD = 5_000
#: How often the plate of an unknown vehicle would be read as something that no plate can be.
_IMPLAUSIBLE = 0.05

#: Shares of colours among vehicles, and how often a colour is read right.
_COLOURS = {
    PlateColour.BLUE: 0.6,
    PlateColour.GREEN: 0.3,
    PlateColour.YELLOW: 0.06,
    PlateColour.GREEN_YELLOW: 0.02,
    PlateColour.WHITE: 0.01,
    PlateColour.BLACK: 0.01,
}
_COLOUR_RIGHT = 0.97
_CLASSES = {VehicleClass.SMALL: 0.93, VehicleClass.LARGE: 0.05}
_CLASS_RIGHT = 0.95
_RARE = 0.02

#: Until so many minutes inside: how much rarer leaving is than at the usual time (natural logarithm).
_TIMES = ((2, -1.5), (12 * 60, 0.0), (24 * 60, -0.7), (3 * 24 * 60, -1.4), (7 * 24 * 60, -2.5))
_LONGEST = -3.5


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a stay is, or is not, the vehicle's. The parts and `among` add up to `score`.

    colour, vehicle_class: True when both are known and agree, False when they differ, None when unknown.
    """

    score: float
    plate: float
    edits: tuple[Edit, ...]
    colour: bool | None
    colour_part: float
    vehicle_class: bool | None
    class_part: float
    minutes_inside: int
    time_part: float
    among: float

    @property
    def exact(self) -> bool:
        """Whether read and stored plate are the same."""
        return not self.edits


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stay that may be the vehicle's. chance: among all candidates and "none of them", 0-1."""

    session: Session
    evidence: Evidence
    chance: float = 0.0


class MatchWhy(StrEnum):
    """Why a match goes alone (EXACT, LOOK_ALIKE), or why a person is asked.

    NOBODY: no stay is near. TIE: two are. FAR: too many or unexplained edits. KNOWN: both plates were here
    before, so they are two vehicles. COLOUR: colour or class contradict. UNSURE: not likely enough. NO_PLATE:
    none was read.
    """

    EXACT = "exact"
    LOOK_ALIKE = "look_alike"
    NOBODY = "nobody"
    TIE = "tie"
    FAR = "far"
    KNOWN = "known"
    COLOUR = "colour"
    UNSURE = "unsure"
    NO_PLATE = "no_plate"


@dataclass(frozen=True, slots=True)
class Ranking:
    """The candidates, the likeliest first, `MAX_SHOWN` at most.

    clear: the one that goes alone, None when a person is asked. recommended: what that person is offered
    first; None when none of them is likelier than that the vehicle has no stay. doubt: why the read itself
    can hardly be a plate.
    """

    read: PlateRead
    candidates: tuple[Candidate, ...]
    clear: Candidate | None
    recommended: Candidate | None
    why: MatchWhy
    doubt: PlateDoubt | None = None


def rank(
    read: PlateRead,
    candidates: Sequence[Session],
    confusions: Confusions,
    now: int,
    inside: int = 1_000,
    known: Collection[str] = (),
) -> Ranking:
    """Rank stays inside by how likely the vehicle that was read is theirs.

    inside: how many vehicles are inside in all. known: plates among those of the read and the stays whose
    vehicles were here before or stand on a list or pass, so that they are really on the road. now: Unix ms.

    The first goes alone when it is `CLEAR_SCORE` likelier than no stay, `CLEAR_MARGIN` likelier than the
    second, has at most `CLEAR_EDITS` edit which is explained, and, unless it is exact, contradicts neither
    colour nor class, and not both plates are known: then they are two vehicles.
    """
    doubt = why_not(read.plate, read.colour)
    if not read.plate:
        return Ranking(read, (), None, None, MatchWhy.NO_PLATE, doubt)
    found = []
    for one in candidates:
        two = read.plate != one.plate and read.plate in known and one.plate in known
        among = _among(read, inside, two, doubt)
        evidence = weigh(read, one, confusions, now, among) if one.plate else None
        if evidence is not None:
            found.append(Candidate(one, evidence))
    found.sort(key=lambda one: (-one.evidence.score, -one.session.entered_at, one.session.session_id))
    shown = _with_chances(found[:MAX_SHOWN])
    why = _why(shown, read.plate in known and bool(shown) and shown[0].session.plate in known)
    clear = shown[0] if why in (MatchWhy.EXACT, MatchWhy.LOOK_ALIKE) else None
    recommended = shown[0] if shown and shown[0].evidence.score > 0 else None
    return Ranking(read, shown, clear, recommended, why, doubt)


def weigh(
    read: PlateRead, session: Session, confusions: Confusions, now: int, among: float = 0.0
) -> Evidence | None:
    """Return the evidence that the vehicle read is a stay's, None with more than `MAX_EDITS` edits."""
    plate, edits = align(read, session.plate, confusions)
    if len(edits) > MAX_EDITS or plate == -math.inf:
        return None
    colour = _agree(read.colour, session.colour, PlateColour.UNKNOWN)
    colour_part = _part(colour, _COLOURS.get(read.colour, _RARE), _COLOUR_RIGHT)
    kind = _agree(read.vehicle_class, session.vehicle_class, VehicleClass.UNKNOWN)
    class_part = _part(kind, _CLASSES.get(read.vehicle_class, _RARE), _CLASS_RIGHT)
    minutes = max(now - session.entered_at, 0) // 60_000
    time_part = next((part for until, part in _TIMES if minutes < until), _LONGEST)
    score = plate + colour_part + class_part + time_part + among
    return Evidence(score, plate, edits, colour, colour_part, kind, class_part, minutes, time_part, among)


def _among(read: PlateRead, inside: int, two: bool, doubt: PlateDoubt | None) -> float:
    """The part that is the same for all: one of those inside, against a vehicle without a stay."""
    world = _KNOWN_WORLD if two else _WORLD
    # What lost a character may be what is left of many plates; any other odd text is rarely read.
    odd = doubt is not None and doubt not in (PlateDoubt.EIGHTH_MISSING, PlateDoubt.TOO_SHORT)
    nobody = math.log(_UNKNOWN_VEHICLE / world) + (math.log(_IMPLAUSIBLE) if odd else 0.0)
    return -math.log(max(inside, 1)) - nobody


def _why(found: Sequence[Candidate], two: bool) -> MatchWhy:
    if not found:
        return MatchWhy.NOBODY
    first = found[0].evidence
    problems = (
        (len(found) > 1 and first.score - found[1].evidence.score < CLEAR_MARGIN, MatchWhy.TIE),
        (len(first.edits) > CLEAR_EDITS or not all(one.explained for one in first.edits), MatchWhy.FAR),
        (two and not first.exact, MatchWhy.KNOWN),
        (not first.exact and (first.colour is False or first.vehicle_class is False), MatchWhy.COLOUR),
        (first.score < CLEAR_SCORE, MatchWhy.UNSURE),
    )
    settled = MatchWhy.EXACT if first.exact else MatchWhy.LOOK_ALIKE
    return next((why for problem, why in problems if problem), settled)


def _with_chances(found: Sequence[Candidate]) -> tuple[Candidate, ...]:
    if not found:
        return ()
    top = max(0.0, found[0].evidence.score)
    weights = [math.exp(one.evidence.score - top) for one in found]
    total = sum(weights) + math.exp(-top)
    return tuple(
        Candidate(one.session, one.evidence, weight / total)
        for one, weight in zip(found, weights, strict=True)
    )


def _agree(read: str, stored: str, unknown: str) -> bool | None:
    return None if unknown in (read, stored) else read == stored


def _part(agrees: bool | None, by_chance: float, right: float) -> float:
    if agrees is None:
        return 0.0
    return math.log((right if agrees else 1 - right) / (by_chance if agrees else 1 - by_chance))
