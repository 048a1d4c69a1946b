"""A day of traffic through a car park, from a seed: who comes when and for how long, what cameras make of it.

Nothing is played here; sim/parking_day drives it through the service on a virtual clock, and a
demonstration may take the first trips of it.
"""

from __future__ import annotations

import random  # noqa: TID251  # seeded, so that a day can be played again
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS

_PROVINCES = "粤粤粤粤京沪浙苏湘桂闽赣"
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_SERIAL = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"

#: What cameras take for what, both ways.
LOOK_ALIKES = ("0DQ", "8B", "5S", "2Z", "1T", "7Z", "EF", "38", "6G", "UV", "MN", "KX")

#: Vehicles by the hour of the day, in thousandths; a mall is busy at noon and in the evening.
_CURVE = {9: 30, 10: 70, 11: 110, 12: 130, 13: 90, 14: 80, 15: 80, 16: 90, 17: 110, 18: 110, 19: 70, 20: 30}


class Way(StrEnum):
    """How a driver settles: at the exit by code, with cash at the guard's till, before at the kiosk, by what
    was spent in the shops, or never at all (a pass)."""

    CODE = "code"
    CASH = "cash"
    KIOSK = "kiosk"
    SPEND = "spend"
    PASS = "pass"


@dataclass(frozen=True, slots=True)
class Sight:
    """What a camera makes of one vehicle at one lane.

    text: as read, "" for none. confidences: of each character. repeats: how often the push comes again.
    late_ms: how much later than made the first one comes.
    """

    text: str
    confidences: tuple[float, ...]
    repeats: int = 0
    late_ms: int = 0


@dataclass(frozen=True, slots=True)
class Trip:
    """One vehicle's visit. arrives_ms: of the day; stays_ms: until it wants out. lane: its entry."""

    number: int
    plate: str
    colour: str
    arrives_ms: int
    stays_ms: int
    lane: int
    way: Way
    entry: Sight
    exit: Sight


@dataclass(frozen=True, slots=True)
class Habits:
    """Shares of vehicles or reads, 0-1, and how many lanes there are."""

    cars: int = 3_000
    entries: int = 2
    misread: float = 0.05
    unread: float = 0.004
    repeated: float = 0.12
    late: float = 0.03
    passes: float = 0.12
    again: float = 0.04


@dataclass(frozen=True, slots=True)
class Outage:
    """A camera that is away: nothing is pushed, and afterwards what it kept, newest first."""

    lane: int
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class DayOfTraffic:
    """A day's trips in order of arrival, and the outage of one entry's camera."""

    trips: tuple[Trip, ...]
    outage: Outage


def plan_day(seed: int, habits: Habits | None = None) -> DayOfTraffic:
    """Return the day of a seed; the same seed gives the same day."""
    wanted, dice = habits or Habits(), random.Random(seed)
    arrivals = sorted(_arrival(dice) for _ in range(wanted.cars))
    plates = _plates(dice, wanted)
    trips = tuple(
        _trip(dice, wanted, number, plate, at)
        for number, (plate, at) in enumerate(zip(plates, arrivals, strict=True))
    )
    # A pass is the vehicle's, not the visit's.
    passes = {trip.plate for trip in trips if trip.way is Way.PASS}
    trips = tuple(replace(trip, way=Way.PASS) if trip.plate in passes else trip for trip in trips)
    return DayOfTraffic(trips, Outage(0, 13 * HOUR_MS, 13 * HOUR_MS + 40 * MINUTE_MS))


def misread(dice: random.Random, plate: str) -> Sight:
    """Return a read with one mistake, of which the camera is not sure, as it mostly is."""
    if len(plate) == 8 and dice.random() < 0.3:
        return Sight(plate[:7], _sure(dice, 7))
    places = [at for at in range(2, len(plate)) if _likes(plate[at])]
    if not places:
        return Sight(plate, _sure(dice, len(plate)))
    at = dice.choice(places)
    text = plate[:at] + dice.choice(_likes(plate[at])) + plate[at + 1 :]
    confidences = list(_sure(dice, len(plate)))
    confidences[at] = round(dice.uniform(0.35, 0.8), 3)
    return Sight(text, tuple(confidences))


def _trip(dice: random.Random, habits: Habits, number: int, plate: str, at: int) -> Trip:
    stay = max(4 * MINUTE_MS, round(dice.lognormvariate(4.5, 0.6)) * MINUTE_MS)
    way = Way.PASS if dice.random() < habits.passes else dice.choices(_WAYS, _SHARES)[0]
    colour = "green" if len(plate) == 8 else "blue"
    entry, leaves = _sight(dice, habits, plate), _sight(dice, habits, plate)
    return Trip(
        number, plate, colour, at, min(stay, 9 * HOUR_MS), number % habits.entries, way, entry, leaves
    )


_WAYS = (Way.CODE, Way.CASH, Way.KIOSK, Way.SPEND)
_SHARES = (45, 5, 25, 25)


def _sight(dice: random.Random, habits: Habits, plate: str) -> Sight:
    draw = dice.random()
    if draw < habits.unread:
        sight = Sight("", ())
    elif draw < habits.unread + habits.misread:
        sight = misread(dice, plate)
    else:
        sight = Sight(plate, _sure(dice, len(plate)))
    repeats = dice.choice((1, 1, 2, 4)) if dice.random() < habits.repeated else 0
    late_ms = dice.randrange(12_000, 45_000) if dice.random() < habits.late else 0
    return Sight(sight.text, sight.confidences, repeats, late_ms)


def _plates(dice: random.Random, habits: Habits) -> Sequence[str]:
    """Return a plate for each trip; some vehicles come twice, far enough apart to be gone in between."""
    seen: dict[str, None] = {}
    while len(seen) < habits.cars:
        seen[_plate(dice)] = None
    plates = list(seen)
    gap = habits.cars // 2
    for at in range(gap, habits.cars):
        if dice.random() < habits.again:
            plates[at] = plates[at - gap]
    return plates


def _plate(dice: random.Random) -> str:
    head = dice.choice(_PROVINCES) + dice.choice(_LETTERS)
    if dice.random() < 0.3:
        return head + dice.choice("DF") + "".join(dice.choice("0123456789") for _ in range(5))
    letters = dice.choice((0, 1, 1, 2))
    serial = [dice.choice("0123456789") for _ in range(5)]
    for at in dice.sample(range(5), letters):
        serial[at] = dice.choice(_LETTERS)
    return head + "".join(serial)


def _arrival(dice: random.Random) -> int:
    hour = dice.choices(list(_CURVE), list(_CURVE.values()))[0]
    return hour * HOUR_MS + dice.randrange(HOUR_MS)


def _likes(character: str) -> str:
    found = {other for group in LOOK_ALIKES if character in group for other in group if other != character}
    return "".join(sorted(one for one in found if one in _SERIAL))


def _sure(dice: random.Random, count: int) -> tuple[float, ...]:
    return tuple(round(dice.uniform(0.94, 0.995), 3) for _ in range(count))
