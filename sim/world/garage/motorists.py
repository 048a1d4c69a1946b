"""Drivers who come in, see to their money and drive out, and the guard who helps at the lanes.

They act on what stands before them: a boom that is up, a screen that asks for money, a question on the
guard's page. A crash of the service makes them wait, and nothing else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from edge.errors import Declined
from edge.parking.decision import Answer, Verdict, Why
from edge.parking.facility import LaneWay
from edge.parking.parking_pass import PassKind
from edge.parking.passage import Passage
from edge.parking.session import SessionState
from edge.services.answer_guard import answer_guard, open_by_hand
from edge.services.charge_stay import charge_stay
from edge.services.check_out import leave
from edge.services.issue_pass import PassAsk, issue_pass
from edge.services.lane_ticket import show_ticket, take_ticket
from edge.services.records import Unit
from sim.fakes.box import KIOSK
from sim.world.garage.site import Garage
from sim.world.people.person import Person, Place

#: The place to pay at the exit.
PAY_STATION = "pay-1"

#: After so long at a barrier the guard comes without being asked, and when nobody pays what is due.
HELPED_MS, UNPAID_MS = 30_000, 90_000

#: How long a car that turned back stays away.
AWAY_MS = 60_000

#: How often a guard looks at a page that does not change before doing something about it.
LOOKS = 3

#: What stands on the two loops while a car drives through.
_DRIVE = ((True, True), (False, True), (False, False))


class Where(StrEnum):
    """Where a car is."""

    COMING = "coming"
    AT_ENTRY = "at_entry"
    INSIDE = "inside"
    AT_EXIT = "at_exit"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Look:
    """What a camera makes of the car. confidences: one for each character, () for sure."""

    text: str
    confidences: tuple[float, ...] = ()


@dataclass(slots=True)
class Motorist(Person):
    """Comes with a car, stays a while with an errand, and leaves.

    looks: at the entry and at the exit. codes: shown at the exit's screen while it asks for money. errand:
    somebody who acts while the car is inside. times: when it was last anywhere, in true milliseconds.
    after: comes only when that car is inside. owes_nothing: has a right to leave without paying. balks: how
    often it backs out under the entry's risen boom. comes_ms: not before then. stays_ms: longer than a
    clock that is put right may jump back over twice. pushes: how often a camera tells of it each time.
    """

    plate: str
    looks: tuple[Look, Look]
    codes: list[str] = field(default_factory=list)
    errand: Person | None = None
    after: Motorist | None = field(default=None, repr=False)
    owes_nothing: bool = False
    balks: int = 0
    comes_ms: int = 0
    pushes: int = 1
    stays_ms: int = 70_000
    where: Where = Where.COMING
    since_ms: int = 0
    driven: int = 0
    waited_ms: int = 0
    helped: int = 0
    session_id: str = ""
    ticket: str = ""
    before: str = ""
    times: dict[Where, int] = field(default_factory=dict)

    @property
    def company(self) -> tuple[Person, ...]:
        """Whoever came in this car."""
        return () if self.errand is None else (self.errand,)

    def act(self, place: Place) -> None:
        """Do the next thing."""
        garage = place.garage
        if self.where is Where.COMING:
            free = self.after is None or self.after.where not in (Where.COMING, Where.AT_ENTRY)
            if free and garage.clock.passed_ms >= self.comes_ms:
                self._drive_up(place, garage.entry, Where.AT_ENTRY)
        elif self.where is Where.INSIDE:
            self._stay(place)
        elif self.drives(garage):
            self._note_stay(place)
        else:
            self._wait(place)

    def lane(self, garage: Garage) -> str:
        """Return the lane at whose barrier the car is."""
        return garage.entry if self.where is Where.AT_ENTRY else garage.exit

    def _drive_up(self, place: Place, lane: str, where: Where) -> None:
        garage = place.garage
        if garage.queues[lane] or garage.booms[lane].is_up:
            # Nobody drives up under another's opening.
            return
        self.before = place.box.store.read(lambda unit: _before(unit, lane, self._known_as()))
        garage.queues[lane].append(self)
        self.where, self.since_ms, self.driven = where, garage.clock.passed_ms, 0
        self.times[where] = self.since_ms
        garage.booms[lane].stand(True, False)
        look = self.looks[where is Where.AT_EXIT]
        for _ in range(self.pushes):
            garage.eyes[lane].see(look.text, look.confidences)

    def _known_as(self) -> tuple[str, ...]:
        """Return the plates by which an entry may still know this car from before it turned back."""
        turned_back = self.where is Where.COMING and Where.AT_ENTRY in self.times
        return tuple(look.text for look in self.looks if look.text) if turned_back else ()

    def drives(self, garage: Garage) -> bool:
        """Go on if the boom lets it; return whether the car moved."""
        lane = self.lane(garage)
        boom = garage.booms[lane]
        if not (self.driven or boom.is_up):
            return False
        if not self.driven:
            self.waited_ms = max(self.waited_ms, garage.clock.passed_ms - self.since_ms)
        if self.balks and self.where is Where.AT_ENTRY and not self.driven:
            self.balks -= 1
            boom.stand(False, False)
            garage.queues[lane].popleft()
            self.where, self.comes_ms = Where.COMING, garage.clock.passed_ms + AWAY_MS
            return True
        boom.stand(*_DRIVE[self.driven])
        self.driven += 1
        if self.driven == len(_DRIVE):
            garage.queues[lane].popleft()
            self.where = Where.INSIDE if self.where is Where.AT_ENTRY else Where.GONE
            self.since_ms, self.done = garage.clock.passed_ms, self.where is Where.GONE
            self.times[self.where] = self.since_ms
        return True

    def _note_stay(self, place: Place) -> None:
        """Remember which stay the entry began, as its driver's phone or the guard's page has it."""
        if self.where not in (Where.AT_ENTRY, Where.INSIDE) or self.session_id:
            return
        passage_id, session_id = place.box.store.read(lambda unit: _passage(unit, place.garage.entry))
        if passage_id != self.before:
            self.session_id = session_id

    def _stay(self, place: Place) -> None:
        self._note_stay(place)
        garage = place.garage
        if garage.clock.passed_ms - self.since_ms < self.stays_ms:
            return
        if self.errand is not None and not self.errand.done:
            self.errand.act(place)
        else:
            self._drive_up(place, garage.exit, Where.AT_EXIT)

    def _wait(self, place: Place) -> None:
        garage = place.garage
        self.waited_ms = max(self.waited_ms, garage.clock.passed_ms - self.since_ms)
        lane = self.lane(garage)
        if self.where is Where.AT_ENTRY:
            if not self.looks[0].text:
                self.ticket = take_ticket(place.box, lane, phone=f"phone-{self.plate}")
        elif self.ticket and self._is_asked(place, lane):
            show_ticket(place.box, lane, self.ticket)
        else:
            self._pay(place)

    def _is_asked(self, place: Place, lane: str) -> bool:
        passage = place.box.store.read(lambda unit: unit.passages.current(lane))
        return passage is not None and passage.question is not None

    def _pay(self, place: Place) -> None:
        screen = place.look(PAY_STATION)
        if screen["screen"] == "paid":
            self.has_paid = True
            leave(place.box, PAY_STATION)
        elif screen["screen"] == "checkout" and self.codes:
            place.scan(PAY_STATION, self.codes.pop(0))


def _passage(unit: Unit, lane: str) -> tuple[str, str]:
    """Return the passage that goes on at a lane, or the last one, and its stay."""
    passage = unit.passages.current(lane) or unit.passages.last(lane)
    return ("", "") if passage is None else (passage.passage_id, passage.session_id)


def _before(unit: Unit, lane: str, known_as: Collection[str]) -> str:
    """Return the passage before the one that a car driving up becomes, "" for none.

    A ghost without a plate becomes it, and so may the car's own, where nobody noticed that it turned back.
    """
    current, last = unit.passages.current(lane), unit.passages.last(lane)
    if current is not None and current.plate in known_as:
        return ""
    if current is not None and current.plate:
        return current.passage_id
    return "" if last is None else last.passage_id


@dataclass(slots=True)
class Prepayer(Person):
    """Pays at the kiosk before going to the car; `plate` is typed there."""

    plate: str
    codes: list[str]
    shown: int = 0
    looked: int = 0

    def act(self, place: Place) -> None:
        """Do the next thing."""
        screen = place.look(KIOSK)["screen"]
        if screen == "paid":
            self.has_paid = True
            leave(place.box, KIOSK)
        elif screen == "checkout" and self.codes:
            self.shown += 1
            place.scan(KIOSK, self.codes.pop(0))
        elif screen == "attract":
            self._begin(place)

    def _begin(self, place: Place) -> None:
        self.looked += bool(self.shown)
        if self.has_paid or self.looked > 3:
            self.done = True
            return
        stays = place.box.store.read(lambda unit: unit.sessions.inside(self.plate))
        try:
            if stays:
                charge_stay(place.box, stays[0].session_id, KIOSK)
        except Declined:
            self.done = True
        self.done = self.done or not stays


@dataclass(slots=True)
class Revoker(Person):
    """Takes the consent to be charged back, in the wallet."""

    plate: str

    def act(self, place: Place) -> None:
        """Do the next thing."""
        place.garage.owners.owners.discard(self.plate)
        self.done = True


@dataclass(slots=True)
class Office(Person):
    """Makes out a pass for a plate before anything else happens."""

    plate: str

    def act(self, place: Place) -> None:
        """Do the next thing."""
        issue_pass(place.box, PassAsk(f"pass-{self.plate}", PassKind.MONTH, "车主", (self.plate,)), "office")
        self.done = True


@dataclass(slots=True)
class Guard(Person):
    """Looks at the cars, answers truthfully what is asked, and helps whoever waits too long.

    asked: how often of each reason. looks: what stood on the page of each lane, and for how many looks.
    patience_ms: how long a car waits unknown before the guard opens for whoever it is.
    """

    motorists: Sequence[Motorist] = field(repr=False)
    patience_ms: int = HELPED_MS
    asked: dict[str, int] = field(default_factory=dict)
    looks: dict[str, tuple[str, int]] = field(default_factory=dict)

    def act(self, place: Place) -> None:
        """Do the next thing."""
        self.done = all(one.done for one in self.motorists)
        for lane in place.garage.lanes:
            passage = place.box.store.read(lambda unit, lane=lane: unit.passages.current(lane))  # type: ignore[misc]
            self._help(place, lane, passage)

    def _help(self, place: Place, lane: str, passage: Passage | None) -> None:
        car = place.garage.first(lane)
        if car is None or car.driven or not self._is_sure(lane, passage):
            return
        waited_ms = place.garage.clock.passed_ms - car.since_ms
        if passage is not None and passage.question is not None:
            self._answer(place, lane, passage, car)
        elif passage is not None and _is_to_pay(passage):
            if waited_ms > UNPAID_MS:
                self._say(place, lane, passage, car, Answer.LET_OUT)
        elif waited_ms > self.patience_ms and not place.garage.booms[lane].is_up:
            self._come(place, lane, passage, car)

    def _come(self, place: Place, lane: str, passage: Passage | None, car: Motorist) -> None:
        if passage is not None and self._is_another(place, passage, car):
            self._say(place, lane, passage, car, self._names(place, passage, car))
            return
        if passage is not None and passage.way is LaneWay.EXIT and self._has_stay(place, car):
            # The driver shows a ticket or says when it came: the guard finds the stay on the page.
            self._say(place, lane, passage, car, Answer.CHOOSE)
            return
        car.helped += 1
        open_by_hand(place.box, lane, "guard", "a car waits")

    def _is_sure(self, lane: str, passage: Passage | None) -> bool:
        question = "" if passage is None or passage.question is None else passage.question.why.value
        page = f"{passage.passage_id if passage is not None else ''} {question}"
        before, looks = self.looks.get(lane, ("", 0))
        self.looks[lane] = page, looks + 1 if page == before else 1
        return self.looks[lane][1] >= LOOKS

    def _answer(self, place: Place, lane: str, passage: Passage, car: Motorist) -> None:
        question = passage.question
        assert question is not None
        self.asked[question.why.value] = self.asked.get(question.why.value, 0) + 1
        answers = self._answers(place, passage, car)
        self._say(place, lane, passage, car, next(answers))

    def _answers(self, place: Place, passage: Passage, car: Motorist) -> Iterator[Answer]:
        question = passage.question
        assert question is not None
        if self._is_another(place, passage, car):
            yield self._names(place, passage, car)
        if question.why.value.startswith("gate_") or question.why is Why.CLOSED_TOO_SOON:
            yield question.recommended
        unnamed = passage.way is LaneWay.EXIT and passage.session_id != car.session_id
        if unnamed and self._has_stay(place, car):
            yield Answer.CHOOSE
        if car.looks[0].text and passage.plate != car.plate and question.why is not Why.ALREADY_INSIDE:
            yield Answer.CORRECT
        yield Answer.LET_OUT if passage.way is LaneWay.EXIT and passage.session_id else Answer.OPEN

    def _is_another(self, place: Place, passage: Passage, car: Motorist) -> bool:
        """Whether the page shows a vehicle that drove on while nobody looked, and this one can be named."""
        if not (passage.opening and passage.blind):
            return False
        if passage.way is LaneWay.EXIT:
            return passage.session_id != car.session_id and self._has_stay(place, car)
        known = (car.plate, *(look.text for look in car.looks))
        return bool(passage.plate and car.looks[0].text) and passage.plate not in known

    def _names(self, place: Place, passage: Passage, car: Motorist) -> Answer:
        return Answer.CHOOSE if passage.way is LaneWay.EXIT else Answer.CORRECT

    def _has_stay(self, place: Place, car: Motorist) -> bool:
        stay = place.box.store.read(lambda unit: unit.sessions.get(car.session_id))
        return stay is not None and stay.state is SessionState.INSIDE

    def _say(self, place: Place, lane: str, passage: Passage, car: Motorist, answer: Answer) -> None:
        car.helped += 1
        if answer is Answer.LIFTED:
            place.garage.booms[lane].lift()
        answer_guard(
            place.box,
            lane,
            passage.passage_id,
            answer,
            "guard",
            "a car waits",
            car.plate if answer is Answer.CORRECT else "",
            car.session_id if answer is Answer.CHOOSE else "",
        )


def _is_to_pay(passage: Passage) -> bool:
    return passage.decision is not None and passage.decision.verdict is Verdict.PAY
