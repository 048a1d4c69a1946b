"""One lane of a car park as cars drive through it: camera, gate board with loops and boom, display, cars.

    lane = SimLane("B1-in", camera, SimGate(GateHabits(real_time=False)), SimBoard(), now_ms)
    lane.arrive(Car(Plate("粤B12345", PlateKind.BLUE)))
    while not lane.empty: lane.advance(0.1)

Time comes in through `advance`. Metres count from the middle of the first loop, in driving order; the second
loop lies under the boom.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from sim.cameras.sight import Read, misread
from sim.display import SimBoard
from sim.gate import SimGate
from sim.plates import Plate

#: Where cars stop, the boom, the second loop, and where a car has left; metres.
STOP_M, BOOM_M, AFTER_M, GONE_M = 0.8, 3.0, 5.0, 10.0
_LOOP_M = 1.0
_SEEN_M = -0.5
_START_M = -9.0
_GAP_M = 1.5
_STEP_S = 0.1
#: A board whose lines stay the same for so long can be read.
_READ_S = 0.6
#: Cars that can stand before a lane.
QUEUE = 50


class Habit(StrEnum):
    """How a driver behaves at the gate.

    STAYS stands for `patience_s` although the boom is up; TURNS_BACK leaves backwards after that time;
    TAILGATES follows the car before without waiting for the boom.
    """

    DRIVES = "drives"
    TURNS_BACK = "turns_back"
    STAYS = "stays"
    TAILGATES = "tailgates"


@dataclass(frozen=True, slots=True)
class Car:
    """A vehicle that comes to a lane. read_as: what the camera takes the plate for, "" for the truth."""

    plate: Plate
    habit: Habit = Habit.DRIVES
    patience_s: float = 8.0
    read_as: str = ""
    confidences: tuple[int, ...] = ()
    scene: bytes = b""
    cut: bytes = b""


class Sees(Protocol):
    """A simulated camera of any maker."""

    def see(self, read: Read) -> None:
        """Report a recognition."""


@dataclass(frozen=True, slots=True)
class Happening:
    """What one sees beside the lane: seen, opened, closed, passed, turned_back, told (by the board)."""

    what: str
    plate: str
    at_ms: int
    words: str = ""


@dataclass(slots=True)
class _Driving:
    """front_m: of the car; waited_s: at the gate."""

    car: Car
    front_m: float = _START_M
    waited_s: float = 0.0
    seen: bool = False
    staying: bool = False
    backwards: bool = False

    @property
    def rear_m(self) -> float:
        return self.front_m - 4.5


@dataclass(slots=True)
class _Road:
    cars: deque[_Driving] = field(default_factory=lambda: deque(maxlen=QUEUE))
    number: int = 0
    up: bool = False
    words: tuple[str, ...] = ()
    new_words: tuple[str, ...] = ()
    steady_s: float = 0.0


class SimLane:
    """The lane; usable from any thread. happened: the last thousand happenings."""

    def __init__(
        self,
        name: str,
        camera: Sees,
        gate: SimGate,
        board: SimBoard,
        now_ms: Callable[[], int],
        tell: Callable[[Happening], None] = lambda _: None,
        first_number: int = 0,
    ) -> None:
        """first_number: of the camera's records, so that a new run does not repeat those of an old one.

        misreads: so many of the next cars are misread by the camera.
        """
        self.name, self.gate, self.board = name, gate, board
        self.misreads = 0
        self._camera, self._now_ms, self._tell = camera, now_ms, tell
        self.happened: deque[Happening] = deque(maxlen=1000)
        self._road, self._lock = _Road(number=first_number), threading.RLock()
        self._left = threading.Condition(self._lock)

    def arrive(self, car: Car) -> None:
        """Let a car come; it queues behind those that are there. Raises OverflowError when none can stand."""
        with self._lock:
            if len(self._road.cars) >= QUEUE:
                raise OverflowError(f"{QUEUE} cars stand before {self.name}")
            behind = self._road.cars[-1].rear_m - _GAP_M if self._road.cars else _START_M
            self._road.cars.append(_Driving(car, min(_START_M, behind)))

    @property
    def empty(self) -> bool:
        """Whether no car is in the lane."""
        with self._lock:
            return not self._road.cars

    def cars(self) -> list[tuple[str, float]]:
        """Return the plates of the cars and where their fronts are, the first first."""
        with self._lock:
            return [(one.car.plate.text, one.front_m) for one in self._road.cars]

    def await_left(self, plate: str, timeout_s: float) -> bool:
        """Wait until that car is no longer in the lane; for lanes that run in real time."""
        with self._left:
            return self._left.wait_for(
                lambda: all(one.car.plate.text != plate for one in self._road.cars), timeout_s
            )

    def advance(self, seconds: float) -> None:
        """Let cars drive, in steps of 0.1 s; a gate that does not run in real time moves with them."""
        with self._lock:
            while seconds > 1e-9:
                step = min(_STEP_S, seconds)
                self._step(step)
                seconds -= step

    def run(self, stop: threading.Event, speed: float = 1.0) -> None:
        """Drive until `stop` is set, in real time or `speed` times as fast."""
        while not stop.wait(_STEP_S):
            self.advance(_STEP_S * speed)

    def _step(self, seconds: float) -> None:
        before: _Driving | None = None
        for driving in list(self._road.cars):
            self._drive(driving, before, seconds)
            before = driving
        self._set_loops()
        if not self.gate.habits.real_time:
            self.gate.advance(seconds)
        self._look_at_gate()
        self._read_board(seconds)
        for gone in [one for one in self._road.cars if _is_gone(one)]:
            self._road.cars.remove(gone)
            self._note("turned_back" if gone.backwards else "passed", gone.car.plate.text)
            self._left.notify_all()

    def _drive(self, driving: _Driving, before: _Driving | None, seconds: float) -> None:
        if driving.front_m >= _SEEN_M and not driving.seen:
            driving.seen = True
            self._see(driving.car, "auto")
        if driving.backwards:
            driving.front_m -= 1.5 * seconds
            return
        goal = driving.front_m + 2.5 * seconds
        limit = self._limit(driving, before)
        driving.front_m = max(driving.front_m, min(goal, limit))
        if driving.front_m >= STOP_M - 1e-6 and driving.front_m <= BOOM_M and limit <= STOP_M + 1e-6:
            self._wait(driving, seconds)

    def _limit(self, driving: _Driving, before: _Driving | None) -> float:
        """Return how far the front may go now."""
        ahead = GONE_M + 10 if before is None else before.rear_m - _GAP_M
        tailgates = driving.car.habit is Habit.TAILGATES and before is not None
        if before is not None and not tailgates and not before.backwards:
            # One at a time: who waits does not drive onto the loop behind a car that is under the boom.
            ahead = min(ahead, -_LOOP_M - 0.5)
        if driving.front_m > BOOM_M or tailgates:
            return ahead
        patient = driving.car.habit is Habit.STAYS and driving.waited_s < driving.car.patience_s
        may_go = self.gate.boom_up and not patient and driving.car.habit is not Habit.TURNS_BACK
        return ahead if may_go else min(ahead, STOP_M)

    def _wait(self, driving: _Driving, seconds: float) -> None:
        driving.waited_s += seconds
        car = driving.car
        if car.habit is Habit.TURNS_BACK and driving.waited_s >= car.patience_s:
            driving.backwards = True
            self._see(car, "turned_back")
        if car.habit is Habit.STAYS and driving.waited_s >= 60 and not driving.staying:
            driving.staying = True
            self._see(car, "staying")

    def _see(self, car: Car, trigger: str) -> None:
        self._road.number += 1
        text = car.read_as or car.plate.text
        plate = car.plate
        read = Read(text, self._road.number, self._now_ms(), plate.colour, plate.kind, trigger,
                    car.confidences, car.scene, car.cut)  # fmt: skip
        if trigger == "auto" and self.misreads > 0:
            self.misreads -= 1
            read = misread(read, read.number)
        self._camera.see(read)
        if trigger == "auto":
            self._note("seen", plate.text, read.text)

    def _set_loops(self) -> None:
        for number, middle in enumerate((0.0, (BOOM_M + AFTER_M) / 2)[: self.gate.habits.loops]):
            there = any(
                one.front_m > middle - _LOOP_M and one.rear_m < middle + _LOOP_M for one in self._road.cars
            )
            if self.gate.loops[number] != there:
                self.gate.car(number, there)

    def _look_at_gate(self) -> None:
        first = self._road.cars[0].car.plate.text if self._road.cars else ""
        up = self.gate.boom_up
        if up != self._road.up:
            self._road.up = up
            self._note("opened" if up else "closed", first)

    def _read_board(self, seconds: float) -> None:
        """Read the board as people do: not between two of its lines."""
        road, words = self._road, tuple(one for one in self.board.lines() if one)
        road.steady_s = road.steady_s + seconds if words == road.new_words else 0.0
        road.new_words = words
        if words and words != road.words and road.steady_s >= _READ_S:
            road.words = words
            self._note("told", road.cars[0].car.plate.text if road.cars else "", " / ".join(words))

    def _note(self, what: str, plate: str, words: str = "") -> None:
        happening = Happening(what, plate, self._now_ms(), words)
        self.happened.append(happening)
        self._tell(happening)


def _is_gone(driving: _Driving) -> bool:
    return driving.rear_m > GONE_M - 4.5 or (driving.backwards and driving.front_m < _START_M)
