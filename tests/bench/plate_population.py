"""Cars with plates as a city has them, and cameras that misread some: for the exit's bench and tests.

Misreads go by the failures of real readers: mostly one look-alike, seldom the province, a lost or an added
character, anything at all. Most of them come with a low confidence, one in five with a high one.
"""

from __future__ import annotations

import random  # noqa: TID251 - seeded, so that every run has the same cars
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from edge.parking.observation import PlateRead
from edge.parking.plate import CONFUSABLE, LETTERS, PROVINCES, lookup_keys, normalise
from edge.parking.plate_edits import Confusions
from edge.parking.plate_match import Ranking, rank
from edge.parking.session import Session
from edge.parking.vehicle import PlateColour, VehicleClass
from edge.services.find_session import MAX_CANDIDATES

NOW = 1_795_000_000_000
MINUTE_MS = 60_000

#: Of reads at the entry and at the exit, that are wrong; of vehicles at the exit, that never entered.
MISREAD = 0.05
NEVER_ENTERED = 0.005
COLOUR_WRONG = 0.03

_DIGITS = "0123456789"
_LOOK_ALIKES: dict[str, list[tuple[str, float]]] = {}
for (_one, _other), _share in CONFUSABLE.items():
    _LOOK_ALIKES.setdefault(_one, []).append((_other, _share))


@dataclass(slots=True)
class Tally:
    """What became of exits. wrong: reads and stays of matches that went alone to another vehicle's stay."""

    alone: int = 0
    asked: int = 0
    asked_right_first: int = 0
    strangers_asked: int = 0
    wrong: list[tuple[str, str]] = field(default_factory=list)


class Population:
    """Vehicles and what cameras make of them. confident: the reader tells confidences of characters."""

    def __init__(self, seed: int, confident: bool = True) -> None:
        self._random = random.Random(seed)
        self._confident = confident
        self.colours: dict[str, PlateColour] = {}

    def vehicle(self) -> str:
        """Return the plate of a vehicle that was not there before: 70 % of the city, 30 % new energy."""
        while True:
            plate, colour = self._plate()
            if plate not in self.colours:
                self.colours[plate] = colour
                return plate

    def enter(self, session_id: str, plate: str) -> Session:
        """Return the stay of a vehicle as the entry's camera read it."""
        minutes = self._random.lognormvariate(4.5, 0.8)
        seen = self._seen(plate)[0]
        entered_at = NOW - int(minutes * MINUTE_MS)
        return Session(session_id, "B1", seen, entered_at, "in-1", self._colour(plate), VehicleClass.SMALL)

    def leave(self, plate: str, read_id: str = "r") -> PlateRead:
        """Return the exit's read of a vehicle."""
        seen, confidences = self._seen(plate)
        known = tuple(confidences) if self._confident else ()
        colour, size = self._colour(plate), VehicleClass.SMALL
        return PlateRead(read_id, "out-1", "cam-1", read_id, seen, NOW, NOW, 0, colour, size, known)

    def choose(self, among: Sequence[str]) -> str:
        """Return one of them."""
        return among[self._random.randrange(len(among))]

    def chance(self, share: float) -> bool:
        """Return True so often."""
        return self._random.random() < share

    def _plate(self) -> tuple[str, PlateColour]:
        pick = self._random
        head = "粤B" if pick.random() < 0.7 else pick.choice(PROVINCES) + pick.choice(LETTERS)
        if pick.random() < 0.3:
            tail = pick.choice("DFABC") + pick.choice(_DIGITS * 3 + LETTERS) + self._digits(4)
            return head + tail, PlateColour.GREEN
        serial = list(self._digits(5))
        for place in pick.sample(range(5), pick.choice((0, 1, 1, 1, 2, 2, 2))):
            serial[place] = pick.choice(LETTERS)
        colour = PlateColour.YELLOW if pick.random() < 0.07 else PlateColour.BLUE
        return head + "".join(serial), colour

    def _digits(self, count: int) -> str:
        return "".join(self._random.choice(_DIGITS) for _ in range(count))

    def _colour(self, plate: str) -> PlateColour:
        if self.chance(COLOUR_WRONG):
            return self._random.choice((PlateColour.BLUE, PlateColour.GREEN, PlateColour.YELLOW))
        return self.colours[plate]

    def _seen(self, plate: str) -> tuple[str, list[float]]:
        pick, text = self._random, list(plate)
        sure = [min(0.9995, 1 - pick.expovariate(100)) for _ in text]
        if not self.chance(MISREAD):
            return plate, sure
        kind = pick.random()
        if kind < 0.75:
            self._look_alike(text, sure)
        elif kind < 0.85:
            text[0], sure[0] = pick.choice(PROVINCES), pick.uniform(0.3, 0.99)
        elif kind < 0.92:
            last = len(text) == 8 and self.chance(0.7)
            at = 7 if last else pick.randrange(2, len(text))
            del text[at], sure[at]
        elif kind < 0.95:
            at = pick.randrange(2, len(text))
            text.insert(at, pick.choice(LETTERS + _DIGITS))
            sure.insert(at, 0.5)
        else:
            for _ in range(pick.choice((1, 2))):
                at = pick.randrange(2, len(text))
                text[at], sure[at] = pick.choice(LETTERS + _DIGITS), pick.uniform(0.2, 0.9)
        return normalise("".join(text)), sure

    def _look_alike(self, text: list[str], sure: list[float]) -> None:
        pick = self._random
        at = pick.choice([place for place in range(1, len(text)) if text[place] in _LOOK_ALIKES])
        others = _LOOK_ALIKES[text[at]]
        text[at] = pick.choices([one for one, _ in others], [share for _, share in others])[0]
        sure[at] = pick.uniform(0.3, 0.95) if self.chance(0.8) else pick.uniform(0.95, 0.999)


class CarPark:
    """Vehicles inside, looked up as the store looks them up, but in memory."""

    def __init__(self, population: Population, inside: int) -> None:
        self._population = population
        self._stays: dict[str, tuple[str, Session]] = {}
        self._keys: dict[str, set[str]] = {}
        self._order: list[str] = []
        self._plates: set[str] = set()
        self._gone: list[str] = []
        self._past: set[str] = set()
        self._number = 0
        for _ in range(inside):
            self._enter(population.vehicle())

    def exits(self, count: int) -> Tally:
        """Have so many vehicles leave, each followed by one that comes; return what became of them."""
        tally = Tally()
        for _ in range(count):
            self._exit(tally)
        return tally

    def _exit(self, tally: Tally) -> None:
        population = self._population
        stranger = population.chance(NEVER_ENTERED)
        true = "" if stranger else population.choose(self._order)
        plate = self._stranger() if stranger else self._stays[true][0]
        ranking = self._rank(population.leave(plate))
        if ranking.clear is None:
            tally.asked += 1
            first = ranking.recommended
            tally.asked_right_first += first is not None and first.session.session_id == true
            tally.strangers_asked += stranger
        elif ranking.clear.session.session_id == true:
            tally.alone += 1
        else:
            tally.wrong.append((ranking.read.plate, ranking.clear.session.plate))
        if true:
            self._leave(true)
            again = self._stranger() if population.chance(0.2) else population.vehicle()
            self._enter(again)

    def _rank(self, read: PlateRead) -> Ranking:
        shared = Counter(one for key in lookup_keys(read.plate) for one in self._keys.get(key, ()))
        near = [self._stays[one][1] for one, _ in shared.most_common(MAX_CANDIDATES)]
        exact = any(one.plate == read.plate for one in near)
        named = () if exact else (read.plate, *(stay.plate for stay in near))
        known = {one for one in named if one in self._past}
        return rank(read, near, Confusions(), NOW, len(self._stays), known)

    def _stranger(self) -> str:
        """Return a vehicle that is not inside, one that was here before as often as a new one."""
        if self._gone and self._population.chance(0.5):
            plate = self._population.choose(self._gone)
            if plate not in self._plates:
                return plate
        return self._population.vehicle()

    def _enter(self, plate: str) -> None:
        self._number += 1
        session_id = f"s{self._number:07d}"
        stay = self._population.enter(session_id, plate)
        self._stays[session_id] = (plate, stay)
        self._plates.add(plate)
        self._order.append(session_id)
        for key in lookup_keys(stay.plate):
            self._keys.setdefault(key, set()).add(session_id)

    def _leave(self, session_id: str) -> None:
        plate, stay = self._stays.pop(session_id)
        self._plates.discard(plate)
        self._gone.append(plate)
        self._past.add(stay.plate)
        self._order[self._order.index(session_id)] = self._order[-1]
        self._order.pop()
        for key in lookup_keys(stay.plate):
            self._keys[key].discard(session_id)
