"""A day of traffic driven through the use cases on a virtual clock: cars, gates, guard, drivers, cameras.

The shipped use cases run unchanged over a store; time, cameras, booms, loops and people are here and know the
truth, so that afterwards the truth and the books can be compared.
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace

from devices.types import DeviceStatus, GateInputs, Health, PlateSeen, Scan
from edge.errors import Declined, Invalid
from edge.parking.benefit import BenefitKind
from edge.parking.decision import Answer, Verdict, Why
from edge.parking.facility import Facility, Lane, LaneWay, Zone
from edge.parking.parking_pass import PassKind
from edge.parking.passage import Passage
from edge.parking.session import Session, SessionState
from edge.parking.tariff_document import RateLine, Tariff
from edge.parking.validation import Grant
from edge.parking.validation_rule import SpendStep, ValidationPlan, ValidationRule
from edge.services.answer_guard import answer_guard
from edge.services.box import Box, Workstation, WorkstationKind
from edge.services.change_basket import approve_age
from edge.services.charge_stay import charge_stay
from edge.services.check_out import check_out, leave
from edge.services.claim_parking import claim_plate
from edge.services.issue_pass import PassAsk, issue_pass
from edge.services.lane_answer import LaneOutcome
from edge.services.open_lane import open_lane
from edge.services.parking_rules import ParkingRules
from edge.services.ports import Store
from edge.services.receive_scan import receive_scan
from edge.services.see_loop import see_inputs, tick_lane
from edge.services.see_plate import see_plate
from edge.services.take_cash import take_cash
from edge.services.take_payment import submit
from sim.fakes.box import KIOSK, TILL, WINE, WORKSTATIONS, FakePorts, compose_box, stock
from sim.fakes.clock import START_AT, FakeClock
from sim.fakes.gateway import Shopper
from sim.traffic import HOUR_MS, DayOfTraffic, Sight, Trip, Way

#: Midnight of the day in the box's zone (UTC here).
MIDNIGHT_AT = START_AT - START_AT % (24 * HOUR_MS)

ENTRIES, EXITS = ("in-1", "in-2"), ("out-1", "out-2")
GUARD = "张军"

#: What a car does, in milliseconds.
READ_AFTER, LOOK_EVERY, GUARD_TAKES, DRIVER_TAKES, MOVES = 400, 500, 6_000, 7_000, 900
BOOM_RISES, BOOM_STAYS = 1_400, 12_000

#: After so long at a barrier a car counts as trapped; nobody in the day may be.
TRAPPED_MS = 180_000

#: 15 minutes free, 5 yuan an hour, 40 yuan a day; 300 yuan spent are worth 2 hours, 100 yuan 1 hour.
TARIFF = Tariff("standard", "标准", 0, 15, 4_000, (RateLine(60, 500),))
RULES = ValidationPlan(
    (
        ValidationRule(
            "spend",
            (
                SpendStep(9_000, Grant(BenefitKind.MINUTES, 60)),
                SpendStep(30_000, Grant(BenefitKind.MINUTES, 120)),
            ),
        ),
    )
)

Process = Generator[int, None, None]


@dataclass(slots=True)
class DayGate:
    """A boom on the day's clock: up 1.4 s after a pulse, down once the loops were left or after 12 s."""

    name: str
    clock: FakeClock
    pulses: int = 0
    loops: tuple[bool, bool] = (False, False)
    _up_at: int | None = None
    _down_at: int | None = None

    def pulse(self) -> None:
        """Open."""
        self._settle()
        now = self.clock.now().wall_at
        self.pulses += 1
        if self._up_at is None:
            self._up_at = now + BOOM_RISES
        self._down_at = now + BOOM_STAYS

    @property
    def is_up(self) -> bool:
        """Whether a car may go under it."""
        self._settle()
        return self._up_at is not None and self.clock.now().wall_at >= self._up_at

    def stand(self, near: bool, far: bool) -> None:
        """Put a car on the loops; when the last one is left the boom comes down."""
        self._settle()
        left = any(self.loops) and not (near or far)
        self.loops = (near, far)
        if left and self._up_at is not None:
            self._down_at = self.clock.now().wall_at + 600

    def _settle(self) -> None:
        """Let the boom come down if its time is over and nobody is under it."""
        over = self._down_at is not None and self.clock.now().wall_at >= self._down_at
        if over and not any(self.loops):
            self._up_at = self._down_at = None

    def inputs(self) -> GateInputs:
        """Read switches and loops."""
        up = self.is_up
        return GateInputs(up, not up, self.loops)

    def status(self) -> DeviceStatus:
        """Return CONNECTED."""
        return DeviceStatus(self.name, "gate", Health.CONNECTED, "virtual", "", 0)

    def close(self) -> None:
        """Nothing to release."""


@dataclass(slots=True)
class Car:
    """A vehicle and the truth about it. waited_ms: the longest at a barrier. guarded: a person helped."""

    trip: Trip
    entered_at: int | None = None
    left_at: int | None = None
    session_id: str = ""
    waited_ms: int = 0
    guarded: int = 0
    paid_fen: int = 0


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
        self._codes = 0
        self._kept: deque[tuple[str, PlateSeen]] = deque()
        self._leaving: dict[str, deque[Car]] = {name: deque() for name in EXITS}
        self._heap: list[tuple[int, int, Process]] = []
        self.gates = {name: DayGate(f"gate-{name}", self.ports.clock) for name in (*ENTRIES, *EXITS)}
        self.box = self._compose()
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

    def _compose(self) -> Box:
        lanes = (
            *(Lane(name, LaneWay.ENTRY, "p1", f"gate-{name}", loops=2, boom=True) for name in ENTRIES),
            *(
                Lane(name, LaneWay.EXIT, "p1", f"gate-{name}", loops=2, boom=True, workstation=f"pay-{name}")
                for name in EXITS
            ),
        )
        places = {f"pay-{name}": Workstation(f"pay-{name}", WorkstationKind.LANE) for name in EXITS}
        ports = self.ports
        return compose_box(
            ports.clock,
            ports.ids,
            self.store,
            ports.hq,
            {"wechat_pay": ports.gateway},
            ports.printers,
            lambda place: None,
            parking=ParkingRules(Facility("garage", (Zone("p1", self.spaces),), lanes), validation=RULES),
            places={**WORKSTATIONS, **places},
        )

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
                self._issue_pass(car)
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
            self._buy(car)
        if car.trip.way is Way.KIOSK:
            self._prepay(car)
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
        for read in self._reads(name, car, sight):
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
            self._pay_at_exit(name, car)

    def _reads(self, name: str, car: Car, sight: Sight) -> Iterator[Process]:
        """The pushes of one car; of a late one a camera that sees the car still there makes another."""
        outage = self.traffic.outage
        first = self._seen(name, car, sight)
        if name == ENTRIES[outage.lane] and outage.from_ms <= self.now - MIDNIGHT_AT < outage.to_ms:
            self.figures["reads kept by the camera"] += 1
            self._kept.append((name, first))
            return
        if self._kept and name == ENTRIES[outage.lane]:
            yield self._back_fill()
        yield self._push(name, first, sight.late_ms, sight.repeats)
        if sight.late_ms:
            again = replace(self._seen(name, car, sight), trigger="staying")
            yield self._push(name, again, 6_000, 0)

    def _push(self, name: str, seen: PlateSeen, after_ms: int, repeats: int) -> Process:
        made_at = self.now
        if after_ms:
            yield after_ms
            self.figures["late pushes"] += 1
        for number in range(repeats + 1):
            now = self.ports.clock.now()
            arrived = replace(seen, read_ns=now.boottime_ns, camera_at_ms=made_at)
            before = self.gates[name].pulses
            answer = see_plate(self.box, name, arrived)
            self._work(name)
            if number:
                self.figures["repeated pushes"] += 1
                if answer.outcome is not LaneOutcome.REPEAT or self.gates[name].pulses != before:
                    self.figures["repeats that did something"] += 1
            yield 800

    def _back_fill(self) -> Process:
        """A camera that is back sends what it kept, the newest first."""
        while self._kept:
            name, seen = self._kept.pop()
            now = self.ports.clock.now()
            before = self.gates[name].pulses
            see_plate(self.box, name, replace(seen, read_ns=now.boottime_ns, backfill=True))
            if self.gates[name].pulses != before:
                self.figures["back-fills that opened"] += 1
            self.figures["back-filled reads"] += 1
            yield 300

    def _seen(self, name: str, car: Car, sight: Sight) -> PlateSeen:
        self._keys += 1
        now = self.ports.clock.now()
        colour = car.trip.colour if sight.text else "unknown"
        return PlateSeen(
            f"cam-{name}",
            f"{name}-{self._keys}",
            sight.text,
            now.boottime_ns,
            colour,
            "small",
            sight.confidences,
            camera_at_ms=now.wall_at,
        )

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

    def _pay_at_exit(self, name: str, car: Car) -> None:
        place = f"pay-{name}"
        if car.trip.way is Way.CASH:
            self._pay_cash(car)
            return
        self._codes += 1
        code = f"13{self._codes:016d}"
        self.ports.gateway.show_code(code, Shopper(f"openid-{car.trip.number}", balance_fen=1_000_000))
        scan = Scan("lane", code.encode(), code, None, self.ports.clock.now().boottime_ns, None)
        outcome = receive_scan(self.box, place, scan)
        if outcome.attempt_id:
            submit(self.box, outcome.attempt_id, outcome.code)
            self.figures["paid at the exit"] += 1

    def _pay_cash(self, car: Car) -> None:
        """At the guard's till, with a note of 100 yuan."""
        try:
            charge_stay(self.box, car.session_id, TILL)
        except (Declined, Invalid) as error:
            self.figures[f"cash: {error}"[:60]] += 1
            return
        take_cash(self.box, TILL, 10_000)
        leave(self.box, TILL)
        self.figures["paid with cash"] += 1

    def _prepay(self, car: Car) -> None:
        """At the kiosk, by payment code."""
        try:
            charge_stay(self.box, car.session_id, KIOSK)
        except Declined:
            self.figures["nothing to prepay"] += 1
            return
        self._pay_code(KIOSK, car)
        self.figures["prepaid"] += 1

    def _buy(self, car: Car) -> None:
        """Wine at the kiosk for a plate, as its driver knows it."""
        now = self.ports.clock.now()
        receive_scan(self.box, TILL, Scan("usb", WINE.encode(), WINE, None, now.boottime_ns, None))
        approve_age(self.box, TILL, GUARD)
        claim_plate(self.box, TILL, car.trip.plate)
        check_out(self.box, TILL)
        self._pay_code(TILL, car)
        self.figures["bought"] += 1

    def _pay_code(self, place: str, car: Car) -> None:
        self._codes += 1
        code = f"13{self._codes:016d}"
        self.ports.gateway.show_code(code, Shopper(f"openid-{car.trip.number}", balance_fen=1_000_000))
        scan = Scan("usb", code.encode(), code, None, self.ports.clock.now().boottime_ns, None)
        outcome = receive_scan(self.box, place, scan)
        submit(self.box, outcome.attempt_id, outcome.code)
        leave(self.box, place)

    def _issue_pass(self, car: Car) -> None:
        ask = PassAsk(f"pass-{car.trip.plate}", PassKind.MONTH, "车主", (car.trip.plate,))
        issue_pass(self.box, ask, GUARD)
