"""A mall day: who comes when, what goes wrong when, and what is looked at meanwhile."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from edge.services.count_zone import count_zone
from edge.services.records import Unit
from sim.mall_day.dice import Dice, dice
from sim.mall_day.disk import DayDisk
from sim.mall_day.drivers import Car, Drivers
from sim.mall_day.duties import Duties
from sim.mall_day.house import MIDNIGHT_AT, OPENS_H, House
from sim.mall_day.office import Office
from sim.mall_day.shoppers import Shoppers, errand_of_driver, prepayer
from sim.mall_day.site import PLACES
from sim.mall_day.timeline import Process, once
from sim.traffic import HOUR_MS, MINUTE_MS, Habits, Way, plan_day
from sim.world.people.buyers import Driver
from sim.world.people.person import Person

#: Orders by the hour of the day, in thousandths; as cars come.
CURVE = {9: 30, 10: 70, 11: 110, 12: 130, 13: 90, 14: 80, 15: 80, 16: 90, 17: 110, 18: 110, 19: 70, 20: 30}

#: Between two looks at the counts and the outbox.
LOOKS_EVERY = 5 * MINUTE_MS

#: Between two looks whether it is over, once everybody has come.
IS_OVER_EVERY = 2_000

#: A day that is not at rest so long after it began never will be.
LONGEST_MS = 84 * HOUR_MS

#: The share of cars whose owners agreed to be charged after leaving.
OWNERS = 0.04


@dataclass(frozen=True, slots=True)
class Plan:
    """What kind of day. fault: share of calls at each port that fail. Hours are of the mall's day.

    cuts: (hour, seconds off, milliseconds by which the clock is off then). steps: (hour, milliseconds) of the
    box's clock. away: from which hour to which HQ hears nothing, () for never.
    """

    seed: int = 1
    orders: int = 5_000
    cars: int = 3_000
    fault: float = 0.05
    spaces: int = 800
    cuts: tuple[tuple[float, int, int], ...] = ((11.6, 45, 0), (18.4, 90, -40_000))
    steps: tuple[tuple[float, int], ...] = ((12.5, 180_000), (18.6, 40_000))
    away: tuple[float, ...] = (14.0, 17.0)


@dataclass(frozen=True, slots=True)
class Sample:
    """One look. at_ms: true milliseconds since midnight. at_lanes: cars that are passing just now."""

    at_ms: int
    inside: int
    counted: int
    at_lanes: int
    backlog: int
    on: bool


@dataclass
class MallDay:
    """One day. samples: what was looked at, in order."""

    plan: Plan
    disk: DayDisk
    samples: list[Sample] = field(default_factory=list)

    def __post_init__(self) -> None:
        plan = self.plan
        lots = dice(plan.seed, "shoppers")
        self.house = House(plan.seed, plan.fault, self.disk, plan.spaces)
        trips = plan_day(plan.seed, Habits(cars=plan.cars, misread=plan.fault, repeated=0, late=0)).trips
        self.shoppers = Shoppers(self.house, lots)
        self.office = Office(self.house)
        self.drivers = Drivers(self.house, trips, self._send)
        self.arrivals = sorted(_arrival(lots) for _ in range(plan.orders))
        self.come = self._looks_ms = 0
        hours = [*(one[0] for one in plan.cuts), *(one[0] for one in plan.steps), *plan.away, 0.0]
        self._troubled_until = max(hours) * HOUR_MS
        for car in self.drivers.cars:
            if car.trip.way is Way.CODE and lots.random() < OWNERS / 0.4:
                self.house.garage.owners.owners.add(car.plate)

    @property
    def at_ms(self) -> int:
        """True milliseconds since midnight."""
        return OPENS_H * HOUR_MS + self.house.clock.passed_ms

    @property
    def midnight_at(self) -> int:
        """Where the day begins by the box's clock, Unix milliseconds."""
        return MIDNIGHT_AT

    @property
    def buyers(self) -> int:
        """How many people came to buy goods."""
        return self.come + sum(isinstance(one, Driver) for one in self.shoppers.people)

    def run(self, progress: Callable[[int, int], None] = lambda done, of: None) -> None:
        """Play the day to its end. progress: told (orders and cars that are done, all of them)."""
        self._begin_duties()
        self._begin_troubles()
        start = self.house.timeline.start
        start(self._open_doors())
        start(self._watch(progress))
        for car in self.drivers.cars:
            start(self.drivers.come(car), car.trip.arrives_ms - OPENS_H * HOUR_MS)
        self.house.timeline.run(self._is_over)

    def digest(self) -> str:
        """Return the SHA-256 of every step that was taken and of every event as HQ applied it, in order."""
        log = hashlib.sha256(self.house.tape.digest().encode())
        for message in self.house.hq.applied:
            log.update(message.body)
        return log.hexdigest()

    def _open_doors(self) -> Process:
        for number, at_ms in enumerate(self.arrivals):
            if at_ms > self.at_ms:
                yield at_ms - self.at_ms
            self.come += 1
            self.shoppers.come(number)

    def _send(self, car: Car) -> Person | None:
        """Have who came along in a car do what they came for; None for who came for nothing of that kind."""
        makes = {Way.SPEND: errand_of_driver, Way.KIOSK: prepayer}.get(car.trip.way)
        if makes is None:
            return None
        place, person = makes(self.shoppers, car.plate)
        self.shoppers.line_up(place, person)
        return person

    def _begin_duties(self) -> None:
        for process in Duties(self.house, lambda: self.drivers.at_lanes > 0).processes():
            self.house.timeline.start(process)
        for process in self.office.processes():
            self.house.timeline.start(process)

    def _begin_troubles(self) -> None:
        house, plan, start = self.house, self.plan, self.house.timeline.start
        for hour, off_s, step_ms in plan.cuts:
            cut = once(lambda off_s=off_s, step_ms=step_ms: house.cut_power(off_s * 1_000, step_ms))  # type: ignore[misc]
            start(cut, self._until(hour))
        for hour, step_ms in plan.steps:
            start(once(lambda step_ms=step_ms: house.clock.set_wall(step_ms)), self._until(hour))  # type: ignore[misc]
        if plan.away:
            start(once(lambda: self._hq_is(away=True)), self._until(plan.away[0]))
            start(once(house.hq.disconnect), self._until(sum(plan.away) / 2))
            start(once(self._hq_is_back), self._until(plan.away[1]))

    def _hq_is_back(self) -> None:
        self._hq_is(away=False)
        self.house.hq.connect()

    def _hq_is(self, *, away: bool) -> None:
        self.house.hq.away = self.house.air.away = away

    def _until(self, hour: float) -> int:
        return round((hour - OPENS_H) * HOUR_MS)

    def _watch(self, progress: Callable[[int, int], None]) -> Process:
        zone = self.house.parking.facility.zones[0]

        def look(unit: Unit) -> tuple[int, int]:
            return count_zone(unit, zone).inside, unit.outbox.depth().count

        while True:
            house, drivers = self.house, self.drivers
            if self.office.is_evening:
                return
            house.faults.at(house.clock.passed_ms, OPENS_H * HOUR_MS)
            if house.is_on:
                counted, backlog = house.read(look)
                self.samples.append(
                    Sample(self.at_ms, drivers.inside, counted, drivers.at_lanes, backlog, house.is_on)
                )
            progress(
                self.shoppers.finished + drivers.left + drivers.stayed, self.plan.orders + self.plan.cars
            )
            yield LOOKS_EVERY

    def _is_over(self) -> bool:
        house = self.house
        if not house.is_on:
            return False
        if house.clock.passed_ms > LONGEST_MS:
            return True
        troubled = self.at_ms < self._troubled_until or len(house.cuts) < len(self.plan.cuts)
        if troubled or self.come < self.plan.orders or not self.drivers.gone:
            return False
        if house.clock.passed_ms < self._looks_ms:
            return False
        self._looks_ms = house.clock.passed_ms + IS_OVER_EVERY
        if not self.office.is_evening:
            everybody = all(one.done for one in self.shoppers.people)
            self.office.is_evening = everybody and house.read(_is_still)
        return self.office.done and house.read(_is_still)


def _is_still(unit: Unit) -> bool:
    """Whether no money, event or paper is on its way any more."""
    moves = unit.attempts.open(1) or any(one.moving for one in unit.refunds.open(99))
    papers = any(unit.receipts.to_print(place) for place in PLACES)
    return not (moves or papers or unit.outbox.depth().count or unit.passages.going_on())


def _arrival(dice: Dice) -> int:
    hour = dice.choices(list(CURVE), list(CURVE.values()))[0]
    return hour * HOUR_MS + dice.randrange(HOUR_MS)
