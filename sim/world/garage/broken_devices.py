"""Scripts in which devices break while cars come and go, and while a shopper's receipt is being printed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from devices.types import PaperState
from edge.parking.decision import Answer
from edge.services.answer_guard import answer_guard
from sim.fakes.box import KIOSK
from sim.world.garage.motorists import LOOKS, Guard, Look, Motorist
from sim.world.garage.scenarios import PARKING, PLACES, PLATE, TARIFF
from sim.world.garage.site import Garage
from sim.world.people.buyers import Buyer
from sim.world.people.person import Person, Place
from sim.world.scenario import Scenario
from sim.world.scenarios import GOODS
from sim.world.world import World

#: After so long a broken device is repaired; its people have been told by then.
REPAIRED_MS = 100_000

#: With a loop that hangs a car is known by its camera alone, and the guard gives it the time for that.
PATIENCE_MS = 60_000

#: So often a camera gone mad tells of the same vehicle.
STORM = 25


@dataclass(slots=True)
class Electrician(Person):
    """Comes once somebody has called, and repairs what is broken."""

    repair: Callable[[Place], None] = field(repr=False)
    at_ms: int = REPAIRED_MS

    def act(self, place: Place) -> None:
        """Repair it when the time has come."""
        if place.garage.clock.passed_ms >= self.at_ms:
            self.repair(place)
            self.done = True


@dataclass(slots=True)
class Watchman(Person):
    """Walks over to a lane that asks although no car is to be seen, and says that nobody is there.

    looked: which passage asked, and for how many looks. sent: how often it was said.
    """

    motorists: Sequence[Motorist] = field(repr=False)
    looked: dict[str, tuple[str, int]] = field(default_factory=dict)
    sent: int = 0

    def act(self, place: Place) -> None:
        """Do the next thing."""
        self.done = all(one.done for one in self.motorists)
        for lane in place.garage.lanes:
            self._look(place, lane)

    def _look(self, place: Place, lane: str) -> None:
        passage = place.box.store.read(lambda unit: unit.passages.current(lane))
        asks = passage is not None and passage.question is not None and place.garage.first(lane) is None
        shown = passage.passage_id if passage is not None and asks else ""
        before, looks = self.looked.get(lane, ("", 0))
        self.looked[lane] = shown, looks + 1 if shown == before else 1
        if shown and self.looked[lane][1] >= LOOKS:
            self.sent += 1
            answer_guard(place.box, lane, shown, Answer.GONE, "watchman")


def _car(world: World, pushes: int = 1) -> Motorist:
    codes = [world.code() for _ in range(4)]
    return Motorist(PLATE, (Look(PLATE), Look(PLATE)), codes, pushes=pushes)


def _come(world: World, car: Motorist, *others: Person) -> Sequence[Person]:
    world.store.write(lambda unit: unit.tariffs.replace((TARIFF,)))
    return [car, Guard([car], PATIENCE_MS), Watchman([car]), *others]


def _hanging(near: bool, far: bool) -> Callable[[World], Sequence[Person]]:
    """A loop of each lane reports a vehicle from the beginning on, until it is repaired."""

    def set_all(garage: Garage, hangs: tuple[bool, bool]) -> None:
        for boom in garage.booms.values():
            boom.hangs = hangs

    def prepare(world: World) -> Sequence[Person]:
        set_all(world.garage, (near, far))
        return _come(world, _car(world), Electrician(lambda place: set_all(place.garage, (False, False))))

    return prepare


def _dark(world: World) -> Sequence[Person]:
    """No display shows anything until they are repaired."""

    def set_all(garage: Garage, absent: bool) -> None:
        for board in garage.boards.values():
            board.absent = absent

    set_all(world.garage, True)
    return _come(world, _car(world), Electrician(lambda place: set_all(place.garage, False)))


def _storm(world: World) -> Sequence[Person]:
    return _come(world, _car(world, pushes=STORM))


def _out_of_paper(world: World) -> Sequence[Person]:
    """The roll ends in the middle of a receipt; somebody puts in a new one."""
    printer = world.printers[KIOSK]
    printer.runs_out = True

    def refill(place: Place) -> None:
        printer.paper = PaperState.ENOUGH

    codes = [world.code() for _ in range(3)]
    return [Buyer(KIOSK, GOODS, codes=codes), Electrician(refill, 30_000)]


def _scenario(name: str, prepare: Callable[[World], Sequence[Person]]) -> Scenario:
    return Scenario(name, prepare, parking=PARKING, places=PLACES)


NEAR_HANGS = _scenario("car: first loops that hang", _hanging(True, False))
FAR_HANGS = _scenario("car: last loops that hang", _hanging(False, True))
DARK = _scenario("car: displays that are dead", _dark)
STORMED = _scenario("car: cameras that push without end", _storm)
OUT_OF_PAPER = Scenario("receipt on which the paper ends", _out_of_paper)

BROKEN = (NEAR_HANGS, FAR_HANGS, DARK, STORMED, OUT_OF_PAPER)
