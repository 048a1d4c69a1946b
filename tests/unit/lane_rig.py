"""A car park of two lanes over fakes, with gates, loops and a clock that a test turns by hand."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace

from devices.types import PlateSeen
from edge.clock import Instant
from edge.parking.facility import Facility, Lane, LaneWay, PassbackMode, Zone
from edge.parking.gate_command import GateCommand
from edge.parking.passage import Passage
from edge.parking.quote import Settlement
from edge.parking.session import Session
from edge.parking.tariff_document import RateLine, Tariff
from edge.services.box import Box, Workstation, WorkstationKind
from edge.services.hold_gate import keep_held
from edge.services.lane_answer import LaneAnswer
from edge.services.open_lane import Opening, open_lane
from edge.services.parking_rules import ParkingRules
from edge.services.release_lane import note_settled
from edge.services.see_loop import see_inputs, tick_lane
from edge.services.see_plate import see_plate
from sim.fakes.box import WORKSTATIONS, FakePorts, fake_box
from sim.fakes.gate import FakeGate

IN, OUT = "in-1", "out-1"
PLATE, OTHER = "粤B12345", "粤B67890"
PAY_STATION = "pay-1"

#: An hour costs 5 yuan from the first minute on.
TARIFF = Tariff("standard", "标准", 0, 0, None, (RateLine(60, 500),))

ENTRY = Lane(IN, LaneWay.ENTRY, "p1", "gate-in", loops=2, boom=True)
EXIT = Lane(OUT, LaneWay.EXIT, "p1", "gate-out", loops=2, boom=True, workstation=PAY_STATION)


@dataclass
class LaneRig:
    """Two lanes; `entry`, `exit` are their settings. keys: a running number of the cameras' records."""

    entry: Lane = ENTRY
    exit: Lane = EXIT
    spaces: int = 100
    ports: FakePorts = field(default_factory=FakePorts)
    keys: int = 0
    gates: dict[str, FakeGate] = field(init=False)
    box: Box = field(init=False)

    def __post_init__(self) -> None:
        self.gates = {IN: FakeGate("gate-in"), OUT: FakeGate("gate-out")}
        self.box = self.made()
        self.box.store.write(lambda unit: unit.tariffs.replace((TARIFF,)))

    def made(self) -> Box:
        """A box over the same ports, as after a restart."""
        facility = Facility("garage", (Zone("p1", self.spaces),), (self.entry, self.exit))
        places = {**WORKSTATIONS, PAY_STATION: Workstation(PAY_STATION, WorkstationKind.LANE)}
        box = fake_box(self.ports, lambda place: None)
        return replace(box, workstations=places, parking=ParkingRules(facility))

    @property
    def now(self) -> Instant:
        return self.ports.clock.now()

    def lane(self, name: str) -> Lane:
        return self.box.parking.lane(name)

    def seen(self, plate: str = PLATE, key: str = "", age_ms: int = 0, **more: object) -> PlateSeen:
        """A read as a driver hands it over; its camera's clock is right."""
        self.keys += 1
        now = self.now
        made_at = now.wall_at - age_ms
        read = PlateSeen("cam", key or f"key-{self.keys}", plate, now.boottime_ns, camera_at_ms=made_at)
        return replace(read, **more)  # type: ignore[arg-type]

    def read(
        self, lane: str, plate: str = PLATE, key: str = "", age_ms: int = 0, **more: object
    ) -> LaneAnswer:
        return see_plate(self.box, lane, self.seen(plate, key, age_ms, device=f"cam-{lane}", **more))

    def work(self, lane: str) -> Opening:
        """One turn of a lane's worker."""
        opening = open_lane(self.box, self.lane(lane), self.gates[lane])
        self.look(lane)
        return opening

    def look(self, lane: str) -> None:
        """Read the inputs and let time go by, as the worker does."""
        gate, settings = self.gates[lane], self.lane(lane)
        down = False
        if settings.gate and (settings.loops or settings.boom) and not gate.absent and not gate.echo_lost:
            down = gate.inputs().boom_down
            see_inputs(self.box, settings, gate.inputs())
        keep_held(self.box, settings, down)
        tick_lane(self.box, settings)

    def wait(self, lane: str, seconds: float, step: float = 0.5) -> None:
        """Let time go by while the worker looks."""
        for _ in range(int(seconds / step)):
            self.ports.clock.advance(int(step * 1000))
            self.work(lane)

    def loops(self, lane: str, *occupied: bool) -> None:
        self.gates[lane].loops = list(occupied)
        self.work(lane)

    def drive(self, lane: str) -> None:
        """A vehicle on the first loop drives through, and the boom comes down."""
        for occupied in ((True, False), (True, True), (False, True), (False, False)):
            self.ports.clock.advance(700)
            self.loops(lane, *occupied)
        self.gates[lane].shut()
        self.work(lane)

    def come(self, plate: str = PLATE) -> Session:
        """A vehicle enters."""
        self.loops(IN, True, False)
        self.read(IN, plate)
        self.work(IN)
        self.drive(IN)
        self.ports.clock.advance(1_000)
        return self.stay(plate)

    def passage(self, lane: str) -> Passage | None:
        return self.box.store.read(lambda unit: unit.passages.current(lane))

    def last(self, lane: str) -> Passage:
        found = self.box.store.read(lambda unit: unit.passages.last(lane))
        assert found is not None
        return found

    def here(self, lane: str) -> Passage:
        found = self.passage(lane)
        assert found is not None
        return found

    def stay(self, plate: str = PLATE) -> Session:
        return self.box.store.read(lambda unit: unit.sessions.last_of(plate, 1))[0]

    def inside(self) -> int:
        return self.box.store.read(lambda unit: unit.sessions.count_inside("p1"))

    def commands(self, lane: str) -> tuple[GateCommand, ...]:
        return self.box.store.read(lambda unit: unit.gate_commands.recent(lane, 50))

    def paid(self, session_id: str, fen: int) -> Settlement:
        """Confirmed money for a stay, not yet written."""
        self.keys += 1
        number, at = f"order-{self.keys}", self.now.wall_at
        return Settlement(f"s-{number}", session_id, number, fen, at, at)

    def settle(self, session_id: str, fen: int) -> None:
        now, paid = self.now, self.paid(session_id, fen)

        def work(unit) -> None:  # type: ignore[no-untyped-def]
            unit.settlements.put(paid)
            note_settled(unit, self.box, session_id, now)

        self.box.store.write(work)

    def events(self) -> list[tuple[str, dict[str, object]]]:
        """Every event for HQ so far: its kind and its data."""
        messages = self.box.store.read(lambda unit: unit.outbox.window(0, 500))
        return [(one.kind, json.loads(one.body)["data"]) for one in messages]

    def told(self, kind: str) -> list[dict[str, object]]:
        return [data for name, data in self.events() if name == kind]


def rig(**lane: object) -> LaneRig:
    """Lanes whose entry and exit have these settings."""
    entry = replace(ENTRY, **lane)  # type: ignore[arg-type]
    return LaneRig(entry, replace(EXIT, **lane))  # type: ignore[arg-type]


def camera_only() -> LaneRig:
    """Lanes with a gate on a relay, and nothing but a camera to see by."""
    return rig(loops=0, boom=False)


HARD = PassbackMode.HARD
