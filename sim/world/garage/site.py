"""What stands at the lanes of the world: booms with loops, cameras with what they saw, boards, owners.

All of it outlives the service and goes by the world's true time, which no step of the box's clock moves.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from devices.types import DeviceSilent, DeviceStatus, GateInputs, Health, LoopSeen, Photo, PlateSeen
from edge.parking.facility import LaneWay
from edge.services.parking_rules import ParkingRules
from edge.services.payment_ports import AutopayCharge, GatewayAnswer
from sim.fakes.autopay_gateway import FakeAutopayGateway
from sim.fakes.clock import START_AT, FakeClock
from sim.fakes.display import FakeDisplay
from sim.fakes.photos import FakePhotos

if TYPE_CHECKING:
    from sim.world.garage.motorists import Motorist

#: How long a boom takes to rise, stays up, and takes to fall after the loops are free, in milliseconds.
RISES_MS, STAYS_MS, FALLS_MS = 800, 12_000, 500


@dataclass(frozen=True, slots=True)
class EyeHabits:
    """What cameras and their wires do to a read, as shares of all reads.

    late: it comes `late_ms` after it was made. doubled: it is sent again though it was answered. overtaken:
    a later one is sent before it.
    """

    late: float = 0.0
    late_ms: int = 4_000
    doubled: float = 0.0
    overtaken: float = 0.0


@dataclass(slots=True)
class Boom:
    """Port Gate. deaf: of the next pulses nobody hears what became. stuck: the next pulses lift nothing.

    hangs: detectors that report a vehicle whatever stands there.
    """

    name: str
    clock: FakeClock = field(repr=False)
    pulses: int = 0
    deaf: int = 0
    stuck: int = 0
    loops: tuple[bool, bool] = (False, False)
    hangs: tuple[bool, bool] = (False, False)
    up_at: int | None = None
    down_at: int | None = None

    @property
    def is_up(self) -> bool:
        """Whether a car may go under it."""
        now = self.clock.passed_ms
        if self.down_at is not None and now >= self.down_at and not any(self.loops):
            self.up_at = self.down_at = None
        return self.up_at is not None and now >= self.up_at

    def pulse(self) -> None:
        """Open."""
        self.pulses += 1
        if self.stuck:
            self.stuck -= 1
        else:
            self.lift()
        if self.deaf:
            self.deaf -= 1
            raise DeviceSilent(f"gate {self.name} did not echo")

    def lift(self) -> None:
        """Rise, by its motor or by a guard's hands."""
        if not self.is_up:
            self.up_at = self.clock.passed_ms + RISES_MS
        self.down_at = self.clock.passed_ms + STAYS_MS

    def stand(self, near: bool, far: bool) -> None:
        """Put a car on the loops; the boom falls soon after the last one is left."""
        left = any(self.loops) and not (near or far)
        self.loops = (near, far)
        if left and self.up_at is not None:
            self.down_at = self.clock.passed_ms + FALLS_MS

    def inputs(self) -> GateInputs:
        """Read switches and loops."""
        up = self.is_up
        near, far = (is_on or hangs for is_on, hangs in zip(self.loops, self.hangs, strict=True))
        return GateInputs(up, not up, (near, far))

    def status(self) -> DeviceStatus:
        """Return CONNECTED."""
        return DeviceStatus(self.name, "gate", Health.CONNECTED, "world", "", 0)

    def close(self) -> None:
        """Nothing to release."""


@dataclass(frozen=True, slots=True)
class _Sent:
    key: str
    text: str
    confidences: tuple[float, ...]
    colour: str
    made_ms: int
    due_ms: int
    again: bool = False


@dataclass(slots=True)
class Eye:
    """Port PlateCamera. It keeps a read until it is told that it is safe, and sends it again until then."""

    name: str
    clock: FakeClock = field(repr=False)
    chance: Callable[[], float] = field(repr=False)
    habits: EyeHabits
    made: int = 0
    sent: list[_Sent] = field(default_factory=list)

    def see(self, text: str, confidences: tuple[float, ...] = (), colour: str = "blue") -> None:
        """Make a read of a vehicle that is there now. colour: of its plate's ground, misread or not."""
        self.made += 1
        now, chance = self.clock.passed_ms, self.chance
        late_ms = self.habits.late_ms if chance() < self.habits.late else 0
        again = chance() < self.habits.doubled
        one = _Sent(f"{self.name}-{self.made}", text, confidences, colour, now, now + late_ms, again)
        self.sent.insert(0 if chance() < self.habits.overtaken else len(self.sent), one)

    def read(self, timeout_s: float) -> PlateSeen | LoopSeen | None:
        """Return the next read that has come by now."""
        now = self.clock.passed_ms
        one = next((one for one in self.sent if one.due_ms <= now), None)
        if one is None:
            return None
        here = self.clock.now()
        return PlateSeen(
            self.name,
            one.key,
            one.text,
            here.boottime_ns,
            one.colour if one.text else "unknown",
            "small",
            one.confidences,
            camera_at_ms=START_AT + one.made_ms,
            photos=(Photo("scene", one.key.encode()),),
        )

    def done(self, news: PlateSeen | LoopSeen) -> None:
        """It is safe; but for what the wire repeats it is not sent again."""
        for at, one in enumerate(self.sent):
            if isinstance(news, PlateSeen) and one.key == news.key:
                if one.again:
                    self.sent[at] = replace(one, due_ms=self.clock.passed_ms + 900, again=False)
                else:
                    del self.sent[at]
                return

    def status(self) -> DeviceStatus:
        """Return CONNECTED."""
        return DeviceStatus(self.name, "camera", Health.CONNECTED, "world", "", 0)

    def close(self) -> None:
        """Nothing to release."""


class Owners(FakeAutopayGateway):
    """Owners who are charged after leaving. too_early: plates charged while their cars stood at a lane."""

    def __init__(self, queues: Mapping[str, deque[Motorist]]) -> None:
        super().__init__()
        self.too_early: list[str] = []
        self._queues = queues

    def charge(self, charge: AutopayCharge) -> GatewayAnswer:
        """Charge the owner."""
        waiting = {car.plate for queue in self._queues.values() for car in queue}
        if charge.vehicle.plate in waiting:
            self.too_early.append(charge.vehicle.plate)
        return super().charge(charge)


class Garage:
    """The lanes of a car park and who stands at them. owners: who agreed to be charged after leaving."""

    def __init__(
        self, parking: ParkingRules, clock: FakeClock, chance: Callable[[], float], habits: EyeHabits
    ) -> None:
        """One boom, camera and board for each lane that has a gate."""
        self.clock = clock
        self.lanes = {lane.name: lane for lane in parking.facility.lanes if lane.gate and lane.loops}
        self.booms = {name: Boom(lane.gate, clock) for name, lane in self.lanes.items()}
        self.eyes = {name: Eye(f"cam-{name}", clock, chance, habits) for name in self.lanes}
        self.boards = {name: FakeDisplay(lane.display) for name, lane in self.lanes.items() if lane.display}
        self.photos = FakePhotos()
        self.queues: Mapping[str, deque[Motorist]] = {name: deque() for name in self.lanes}
        self.owners = Owners(self.queues)

    @property
    def entry(self) -> str:
        """The first entry."""
        return next(name for name, lane in self.lanes.items() if lane.way is LaneWay.ENTRY)

    @property
    def exit(self) -> str:
        """The first exit."""
        return next(name for name, lane in self.lanes.items() if lane.way is LaneWay.EXIT)

    def first(self, lane: str) -> Motorist | None:
        """Return who stands at a lane's barrier."""
        return self.queues[lane][0] if self.queues[lane] else None

    def go_on(self, moves: int) -> None:
        """Have whoever stands before a risen boom drive on so far, though nobody looks."""
        for queue in self.queues.values():
            for _ in range(moves):
                if not (queue and queue[0].drives(self)):
                    break

    def state(self) -> str:
        """Return how all of it stands, as a text that differs when anything does."""
        boards = [(one.shown, one.spoken) for one in self.boards.values()]
        money = self.owners.taken_fen, self.owners.told
        waits = {name: len(queue) for name, queue in self.queues.items()}
        return repr((self.booms, self.eyes, boards, money, waits, self.clock.passed_ms))

    def moves(self) -> tuple[object, ...]:
        """Return what shows that something has happened at the lanes since the last look."""
        booms = [(one.pulses, one.loops, one.is_up) for one in self.booms.values()]
        return (*booms, *(len(eye.sent) for eye in self.eyes.values()), len(self.owners.taken_fen))
