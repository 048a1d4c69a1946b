"""A day of traffic driven through the use cases on a virtual clock: cars, gates, guard, drivers, cameras.

The shipped use cases run unchanged over a store; time, cameras, booms, loops and people are here and know the
truth, so that afterwards the truth and the books can be compared.
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from edge.parking.decision import Answer, Verdict, Why
from edge.parking.facility import LaneWay
from edge.parking.passage import Passage
from edge.parking.session import Session, SessionState
from edge.services.answer_guard import answer_guard
from edge.services.open_lane import open_lane
from edge.services.ports import Store
from edge.services.see_loop import see_inputs, tick_lane
from sim.fakes.box import FakePorts, stock
from sim.fakes.clock import FakeClock
from sim.parking_day.cameras import DayCameras
from sim.parking_day.cars import (
    BOOM_RISES,
    DRIVER_TAKES,
    GUARD_TAKES,
    LOOK_EVERY,
    MOVES,
    READ_AFTER,
    TRAPPED_MS,
    Car,
    DayGate,
    Process,
)
from sim.parking_day.drivers import Drivers
from sim.parking_day.garage import ENTRIES, EXITS, GUARD, MIDNIGHT_AT, TARIFF, compose
from sim.traffic import HOUR_MS, DayOfTraffic, Sight, Way


@dataclass
class ParkingDay:
    """One day. figures: counts of what happened, by word."""

    traffic: DayOfTraffic
    store: Store
    ports: FakePorts = field(default_factory=FakePorts)
    spaces: int = 2_000
    figures: Counter[str] = field(default_factory=Counter)
    cars: list[Car] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ports.clock = FakeClock(MIDNIGHT_AT + 8 * HOUR_MS)
        self.ports.store = self.store
        self._keys = 0
        self._leaving: dict[str, deque[Car]] = {name: deque() for name in EXITS}
        self._heap: list[tuple[int, int, Process]] = []
        self.gates = {name: DayGate(f"gate-{name}", self.ports.clock) for name in (*ENTRIES, *EXITS)}
        self.box = compose(self.ports, self.store, self.spaces)
        clock, outage = self.ports.clock, self.traffic.outage
        self._cameras = DayCameras(self.box, clock, self.gates, outage, self._work, self.figures)
        self._drivers = Drivers(self.box, self.ports, self.figures)
        stock(self.store)
        self.store.write(lambda unit: unit.tariffs.replace((TARIFF,)))

    @property
    def now(self) -> int:
        """The day's clock, Unix milliseconds."""
        return self.ports.clock.now().wall_at

    def run(self, progress: Callable[[int, int], None] = lambda done, of: None) -> None:
        """Play the day to its end. progress: told (cars that have left, all cars)."""
        self.cars = [Car(trip) for trip in self.traffic.trips]
        for number, name in enumerate(ENTRIES):
            mine = deque(car for car in self.cars if car.trip.lane % len(ENTRIES) == number)
            self._start(self._entry(name, mine), 0)
        for name in EXITS:
            self._start(self._exit(name), 0)
        gone = 0
        while self._heap:
            at, _, process = heapq.heappop(self._heap)
            self.ports.clock.advance(max(0, at - self.now))
            try:
                self._start(process, next(process))
            except StopIteration:
                continue
            left = self.figures["left"]
            if left >= gone + 50:
                gone = left
                progress(left, len(self.cars))

    def session(self, session_id: str) -> Session:
        """Return a stay as the books have it."""
        found = self.store.read(lambda unit: unit.sessions.get(session_id))
        assert found is not None, f"stay {session_id} is not in the books"
        return found

    def _start(self, process: Process, after_ms: int) -> None:
        self._keys += 1
        heapq.heappush(self._heap, (self.now + after_ms, self._keys, process))

    def _entry(self, name: str, cars: deque[Car]) -> Process:
        """The cars of one entry, one after another."""
        while cars:
            car = cars.popleft()
            wait = MIDNIGHT_AT + car.trip.arrives_ms - self.now
            if wait > 0:
                yield wait
            if self._is_inside(car.trip.plate):
                # Its first visit is not over: this vehicle is another one's double and stays at home.
                self.figures["at home"] += 1
                car.left_at = self.now
                continue
            if car.trip.way is Way.PASS:
                self._drivers.issue_pass(car)
            yield from self._pass_through(name, car, car.trip.entry)
            car.entered_at = self.now
            car.session_id = self._last_session(name)
            self._start(self._shop(car), 0)
            yield 2_500

    def _exit(self, name: str) -> Process:
        """The cars that want out by one lane; ends when nobody can come any more."""
        while self._expected():
            if not self._leaving[name]:
                yield 2_000
                continue
            car = self._leaving[name].popleft()
            yield from self._pass_through(name, car, car.trip.exit)
            car.left_at = self.now
            self.figures["left"] += 1
            yield 2_500

    def _expected(self) -> bool:
        return any(car.left_at is None for car in self.cars)

    def _is_inside(self, plate: str) -> bool:
        return any(
            other.trip.plate == plate and other.entered_at is not None and other.left_at is None
            for other in self.cars
        )

    def _shop(self, car: Car) -> Process:
        """What a driver does between entry and exit."""
        yield max(60_000, car.trip.stays_ms - 240_000)
        if car.trip.way is Way.SPEND:
            self._drivers.buy(car)
        if car.trip.way is Way.KIOSK:
            self._drivers.prepay(car)
        yield 240_000
        nearer = car.trip.number % len(EXITS)
        name = min(EXITS[nearer:] + EXITS[:nearer], key=lambda lane: len(self._leaving[lane]))
        self._leaving[name].append(car)

    def _pass_through(self, name: str, car: Car, sight: Sight) -> Process:
        """One car through one lane: seen, decided, perhaps helped or paid for, and driven through."""
        gate, came_at = self.gates[name], self.now
        gate.stand(True, False)
        self._work(name)
        yield READ_AFTER
        for read in self._cameras.reads(name, car, sight):
            self._start(read, 0)
        tried = 0
        for _ in range(TRAPPED_MS // LOOK_EVERY):
            yield LOOK_EVERY
            self._work(name)
            if gate.is_up:
                break
            tried += LOOK_EVERY
            yield from self._helped(name, car, tried)
        car.waited_ms = max(car.waited_ms, self.now - came_at)
        if not gate.is_up:
            self.figures["trapped"] += 1
            gate.pulse()
            yield BOOM_RISES
        for near, far in ((True, True), (False, True), (False, False)):
            yield MOVES
            gate.stand(near, far)
            self._work(name)
        yield 700
        self._work(name)

    def _helped(self, name: str, car: Car, waited_ms: int) -> Process:
        """The driver pays what the display says; the guard answers what the lane asks."""
        passage = self._passage(name)
        if passage is None:
            return
        decision = passage.decision
        if passage.question is not None:
            yield GUARD_TAKES
            self._answer(name, car)
        elif decision is not None and decision.verdict is Verdict.PAY and waited_ms >= DRIVER_TAKES:
            self._drivers.pay_at_exit(name, car)

    def _work(self, name: str) -> None:
        """One turn of the lane's worker."""
        lane, gate = self.box.parking.lane(name), self.gates[name]
        open_lane(self.box, lane, gate)
        see_inputs(self.box, lane, gate.inputs())
        tick_lane(self.box, lane)

    def _passage(self, name: str) -> Passage | None:
        return self.store.read(lambda unit: unit.passages.current(name))

    def _last_session(self, name: str) -> str:
        last = self.store.read(lambda unit: unit.passages.last(name))
        current = self._passage(name)
        return (current or last).session_id if (current or last) else ""  # type: ignore[union-attr]

    def _answer(self, name: str, car: Car) -> None:
        """The guard looks at the car, and says what is true."""
        passage = self._passage(name)
        if passage is None or passage.question is None:
            return
        question = passage.question
        self.figures[f"asked: {question.why.value}"] += 1
        car.guarded += 1
        way = self.box.parking.lane(name).way
        say = {"lane_name": name, "passage_id": passage.passage_id, "by": GUARD}
        if way is LaneWay.EXIT and car.session_id in question.candidates:
            answer_guard(self.box, **say, answer=Answer.CHOOSE, session_id=car.session_id)
        elif passage.plate != car.trip.plate and question.why is not Why.ALREADY_INSIDE:
            answer_guard(self.box, **say, answer=Answer.CORRECT, plate=car.trip.plate)
        elif way is LaneWay.EXIT and self.session(car.session_id).state is SessionState.INSIDE:
            answer_guard(self.box, **say, answer=Answer.CHOOSE, session_id=car.session_id)
        else:
            answer_guard(self.box, **say, answer=Answer.OPEN, reason="值班员确认")
