"""The cars of the day at the lanes: they drive up, wait, are helped, pay and drive through.

They act on what stands before them: a boom that is up, a screen that asks for money. The guard of
sim.world.garage looks at the lanes and answers truthfully.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from edge.errors import Declined
from edge.parking.parking_pass import PassKind
from edge.services.charge_stay import charge_stay
from edge.services.check_out import leave
from edge.services.issue_pass import PassAsk, issue_pass
from edge.services.records import Unit
from edge.services.take_cash import take_cash
from sim.mall_day.house import House
from sim.mall_day.site import BOOTH, ENTRIES, EXITS, pay_station
from sim.mall_day.timeline import Process
from sim.traffic import Trip, Way
from sim.world.garage.motorists import _DRIVE, Guard, Look, Motorist, Where
from sim.world.people.person import Person

#: Pauses of people and cars at a lane, in milliseconds.
READ_AFTER, LOOKS_EVERY, DARK_LOOKS, MOVES, FOLLOWS = 400, 1_200, 3_000, 900, 2_500

#: Before a waiting driver pays, and before the guard looks.
PAYS_AFTER, GUARD_AFTER = 4_000, 5_000

#: Looks at one barrier after which a car is given up as trapped: an hour.
MOST_LOOKS = 3_000


@dataclass(slots=True)
class Car(Motorist):
    """A vehicle and the truth about it. came_ms, went_ms: true moments of the day at which it had passed.

    came_at, went_at: the same as the box's clock showed them. drove_up_ms: when it stood at the entry, where
    its stay begins. said: how the visit was planned.
    """

    trip: Trip = field(kw_only=True)
    place: str = ""
    drove_up_ms: int = 0
    came_ms: int | None = None
    went_ms: int | None = None
    came_at: int = 0
    went_at: int = 0
    waits: list[int] = field(default_factory=list)
    visited: bool = True

    @classmethod
    def of(cls, trip: Trip) -> Car:
        """Return the car of a planned visit."""
        looks = (Look(trip.entry.text, trip.entry.confidences), Look(trip.exit.text, trip.exit.confidences))
        return cls(trip.plate, looks, trip=trip)


class Drivers:
    """All cars of the day. inside: true count. moving: cars that are at a lane just now."""

    def __init__(self, house: House, trips: tuple[Trip, ...], send: Callable[[Car], Person | None]) -> None:
        """Nobody has come yet. send: has who came along in a car do the errand, if there is one."""
        self.house, self._send = house, send
        self.cars = [Car.of(trip) for trip in trips]
        self.inside = 0
        self.most_inside = 0
        self.left = self.stayed = 0
        self.at_lanes = 0
        self._plates: set[str] = set()
        self._last: dict[str, str] = {}
        self._queues: dict[str, deque[Car]] = {name: deque() for name in (*ENTRIES, *EXITS)}
        self._served: set[str] = set()
        self._guard = Guard(self.cars)
        self.asked = self._guard.asked

    @property
    def gone(self) -> bool:
        """Whether every car that came has left; one that stayed at home never came."""
        return self.left + self.stayed == len(self.cars)

    def come(self, car: Car) -> Process:
        """One visit from its arrival to its leaving the queue of an entry."""
        if car.plate in self._plates:
            # Its first visit is not over: this vehicle is another one's double and stays at home.
            car.visited = False
            self.stayed += 1
            return
        self._plates.add(car.plate)
        if car.trip.way is Way.PASS:
            ask = PassAsk(f"pass-{car.plate}", PassKind.MONTH, "车主", (car.plate,))
            while self.house.do(lambda: issue_pass(self.house.box, ask, "office")) is None:
                yield DARK_LOOKS
        self._line_up(ENTRIES[car.trip.lane % len(ENTRIES)], car)

    def drive_out(self, car: Car) -> None:
        """Go to the exit with fewer cars."""
        nearer = car.trip.number % len(EXITS)
        lane = min(EXITS[nearer:] + EXITS[:nearer], key=lambda one: len(self._queues[one]))
        self._line_up(lane, car)

    def _line_up(self, lane: str, car: Car) -> None:
        self._queues[lane].append(car)
        if lane not in self._served:
            self._served.add(lane)
            self.house.timeline.start(self._serve(lane))

    def _serve(self, lane: str) -> Process:
        """The cars of one lane, one after another."""
        while self._queues[lane]:
            yield from self._pass(lane, self._queues[lane].popleft())
            yield FOLLOWS
        self._served.discard(lane)

    def _pass(self, lane: str, car: Car) -> Process:
        garage = self.house.garage
        boom, enters = garage.booms[lane], lane in ENTRIES
        while boom.is_up:
            yield LOOKS_EVERY
        self.at_lanes += 1
        car.where = Where.AT_ENTRY if enters else Where.AT_EXIT
        car.place, car.since_ms, car.driven = lane, garage.clock.passed_ms, 0
        if enters:
            car.drove_up_ms = car.since_ms
        garage.queues[lane].append(car)
        boom.stand(True, False)
        self._turn(lane)
        yield READ_AFTER
        look = car.looks[not enters]
        garage.eyes[lane].see(look.text, look.confidences, car.trip.colour)
        yield from self._wait(lane, car)
        waited_ms = garage.clock.passed_ms - car.since_ms
        car.waits.append(waited_ms)
        car.waited_ms = max(car.waited_ms, waited_ms)
        yield from self._drive(lane, car)
        self._note(car, enters)
        yield from self._after(lane, car, enters)
        self.at_lanes -= 1

    def _wait(self, lane: str, car: Car) -> Process:
        house, boom = self.house, self.house.garage.booms[lane]
        for _ in range(MOST_LOOKS):
            house.wanted()
            self._turn(lane)
            if boom.is_up:
                house.decided(lane=True)
                return
            rises_ms = (boom.up_at or 0) - house.clock.passed_ms
            if rises_ms > 0:
                yield rises_ms
                continue
            waited_ms = house.clock.passed_ms - car.since_ms
            if waited_ms >= PAYS_AFTER and lane in EXITS:
                yield from self._pay(lane, car)
            if waited_ms >= GUARD_AFTER:
                house.do(lambda: self._guard.act(house))
            yield LOOKS_EVERY if house.is_on else DARK_LOOKS
        boom.lift()

    def _turn(self, lane: str, *, show: bool = True) -> None:
        """Give the service its turns at a lane."""
        house = self.house
        lanes = house.lanes
        if house.do(lambda: lanes.read(lane)):
            house.decided(lane=True)
        house.do(lambda: lanes.turn(lane))
        if show:
            house.do(lambda: lanes.show(lane))

    def _drive(self, lane: str, car: Car) -> Process:
        boom = self.house.garage.booms[lane]
        for near, far in _DRIVE:
            boom.stand(near, far)
            car.driven += 1
            if not (near or far):
                self.house.garage.queues[lane].popleft()
            self._turn(lane, show=False)
            yield MOVES

    def _note(self, car: Car, enters: bool) -> None:
        """Write down the truth: it has passed now."""
        now_ms, now_at = self.house.clock.passed_ms, self.house.wall_at
        if enters:
            car.came_ms, car.came_at, car.where = now_ms, now_at, Where.INSIDE
        else:
            car.went_ms, car.went_at, car.where = now_ms, now_at, Where.GONE
        self.inside += 1 if enters else -1
        self.most_inside = max(self.most_inside, self.inside)

    def _after(self, lane: str, car: Car, enters: bool) -> Process:
        """Let the lane see that nobody is there any more."""
        for _ in range(MOST_LOOKS):
            self._turn(lane)
            if self.house.is_on:
                break
            yield DARK_LOOKS
        found = self.house.read(lambda unit: _stay(unit, lane))
        if enters:
            passage_id, car.session_id = found
            if passage_id == self._last.get(lane):
                car.session_id = ""
            self.house.timeline.start(self._park(car))
        else:
            car.done = True
            self._plates.discard(car.plate)
            self.left += 1
        self._last[lane] = found[0]

    def _park(self, car: Car) -> Process:
        """What a driver does between entry and exit; the car waits for whoever does an errand."""
        yield max(60_000, car.trip.stays_ms - 240_000)
        car.errand = self._send(car)
        while car.errand is not None and not car.errand.done:
            yield 5_000
        yield 240_000
        self.drive_out(car)

    def _pay(self, lane: str, car: Car) -> Process:
        """Pay what the exit's screen asks for: by a payment code there, or in cash at the booth."""
        house, station = self.house, pay_station(lane)
        screen = house.look(station)["screen"] if house.is_on else "dark"
        if screen == "paid":
            car.has_paid = True
            house.do(lambda: leave(house.box, station))
        elif screen == "checkout" and car.trip.way is Way.CASH:
            yield from self._pay_cash(car)
        elif screen == "checkout":
            house.scan(station, house.code())
            yield 1_500

    def _pay_cash(self, car: Car) -> Process:
        house = self.house

        def charge() -> bool:
            try:
                charge_stay(house.box, car.session_id, BOOTH)
            except Declined:
                return False
            return True

        screen = house.look(BOOTH)["screen"]
        if screen == "attract":
            house.do(charge)
            screen = house.look(BOOTH)["screen"] if house.is_on else "dark"
        if screen == "checkout":
            house.do(lambda: take_cash(house.box, BOOTH, 10_000))
            screen = house.look(BOOTH)["screen"] if house.is_on else "dark"
        if screen == "paid":
            house.do(lambda: leave(house.box, BOOTH))
        yield 2_000


def _stay(unit: Unit, lane: str) -> tuple[str, str]:
    passage = unit.passages.current(lane) or unit.passages.last(lane)
    return ("", "") if passage is None else (passage.passage_id, passage.session_id)
