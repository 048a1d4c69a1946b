"""A lane's own worker against a simulated relay board: real store, real driver, real bytes on a pty."""

from __future__ import annotations

import statistics
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from devices.gate.driver import BoardSettings, InputMap, RelayGate
from devices.rs485 import Rs485Bus
from devices.transport import SerialSettings
from devices.types import PlateSeen
from edge.clock import SystemClock, boottime_ns, wall_ms
from edge.duties.lanes import Lanes
from edge.ids import TimeOrderedIds
from edge.parking.facility import Facility, Zone
from edge.parking.passage import PassageEnd
from edge.services.answer_guard import open_by_hand
from edge.services.box import Box
from edge.services.parking_rules import ParkingRules
from edge.services.see_plate import see_plate
from edge.store.sqlite_store import SqliteStore
from edge.workers import Supervisor
from sim.fakes.box import FakePorts, fake_box
from sim.fakes.display import FakeDisplay
from sim.gate import GateHabits, SimGate
from sim.wires import PtyWire
from tests.unit.lane_rig import ENTRY, IN, TARIFF

PATIENCE_S = 20.0
PULSE = bytes((1, 5, 2))
LANE = replace(ENTRY, display="board")


class TimedGate(SimGate):
    """A board that notes when a pulse command came over the line."""

    def __init__(self) -> None:
        super().__init__(GateHabits())
        self.pulsed_ns: list[int] = []

    def receive(self, data: bytes) -> bytes:
        if PULSE in data:
            self.pulsed_ns.append(boottime_ns())
        return super().receive(data)


class Site:
    """One lane with its worker running."""

    def __init__(self, box: Box, sim: TimedGate, gate: RelayGate, display: FakeDisplay) -> None:
        self.sim = sim
        self.display = display
        self.keys = 0
        self.lanes: Lanes | None = None
        self.box = replace(box, wake_lane=lambda lane: None if self.lanes is None else self.lanes.wake(lane))
        self.told: deque[tuple[str, bool | None]] = deque(maxlen=1000)
        self.lanes = Lanes(
            self.box, {gate.name: gate}, {display.name: display}, lambda *news: self.told.append(news)
        )
        self.gates = self.lanes.remote_gates({gate.name: gate})
        self.supervisor = Supervisor(self.lanes.workers())

    def push(self, plate: str) -> int:
        """A camera's push as its driver hands it over; return when it came, boot-time nanoseconds."""
        self.keys += 1
        at_ns = boottime_ns()
        seen = PlateSeen("cam", f"key-{self.keys}", plate, at_ns, camera_at_ms=wall_ms())
        see_plate(self.box, IN, seen)
        return at_ns

    def drive(self) -> None:
        for loop, present in ((0, True), (1, True), (0, False), (1, False)):
            self.sim.car(loop, present)
            threading.Event().wait(0.25)

    def last_end(self) -> PassageEnd | None:
        last = self.box.store.read(lambda unit: unit.passages.last(IN))
        return None if last is None else last.end


def eventually(holds: Callable[[], bool]) -> bool:
    """Look again and again until it holds or patience ends."""
    for _ in range(int(PATIENCE_S / 0.01)):
        if holds():
            return True
        threading.Event().wait(0.01)
    return False


@contextmanager
def site(folder: Path) -> Iterator[Site]:
    with ExitStack() as stack:
        sim = TimedGate()
        wire = stack.enter_context(PtyWire(sim))
        bus = Rs485Bus(SerialSettings(wire.path))
        stack.callback(bus.close)
        inputs = InputMap(boom_up=0, boom_down=1, loops=(2, 3))
        gate = RelayGate("gate-in", bus, BoardSettings(inputs=inputs))
        store = SqliteStore(folder / "edge.db", 1_000)
        stack.callback(store.close)
        rules = ParkingRules(Facility("garage", (Zone("p1", 100),), (LANE,)))
        ports = FakePorts(store=store)
        box = replace(fake_box(ports, lambda place: None), parking=rules)
        box = replace(box, clock=SystemClock(), ids=TimeOrderedIds(wall_ms))
        box.store.write(lambda unit: unit.tariffs.replace((TARIFF,)))
        made = Site(box, sim, gate, FakeDisplay("board"))
        made.supervisor.start()
        stack.callback(made.supervisor.stop)
        yield made


def test_vehicles_pass_and_each_push_is_on_the_wire_at_once(tmp_path: Path) -> None:
    with site(tmp_path) as here:
        waits_ms = []
        for number in range(3):
            here.sim.car(0, True)
            threading.Event().wait(0.3)
            before = len(here.sim.pulsed_ns)
            at_ns = here.push(f"粤B1{number}34{number}")
            assert eventually(lambda before=before: len(here.sim.pulsed_ns) > before)  # type: ignore[misc]
            waits_ms.append((here.sim.pulsed_ns[-1] - at_ns) / 1e6)
            assert eventually(lambda: here.sim.boom_up)
            here.drive()
            assert eventually(lambda: here.box.store.read(lambda unit: unit.passages.current(IN)) is None)
            assert here.last_end() is PassageEnd.PASSED
        assert here.sim.opened == 3
        assert here.box.store.read(lambda unit: unit.sessions.count_inside("p1")) == 3
        assert "粤B10340,欢迎光临" in here.display.spoken
        assert eventually(lambda: here.display.shown == ("欢迎光临", "空余车位97"))
        print(f"push to wire: median {statistics.median(waits_ms):.1f} ms, worst {max(waits_ms):.1f} ms")
        assert statistics.median(waits_ms) < 50


def test_who_waits_for_the_lane_s_loops_hears_of_them_and_of_silence(tmp_path: Path) -> None:
    with site(tmp_path) as here:
        assert eventually(lambda: (IN, False) in here.told)
        here.sim.car(1, True)
        assert eventually(lambda: here.told[-1] == (IN, True))
        here.sim.faults.off = True
        assert eventually(lambda: here.told[-1] == (IN, None))


def test_hq_opens_a_lanes_gate_through_its_ledger_and_a_person_opens_once(tmp_path: Path) -> None:
    with site(tmp_path) as here:
        here.gates["gate-in"].pulse()
        assert here.sim.opened == 1
        open_by_hand(here.box, IN, "张军", "再按一次")
        threading.Event().wait(0.5)
        assert here.sim.opened == 1
        (command,) = here.box.store.read(lambda unit: unit.gate_commands.recent(IN, 5))
        assert (command.why, command.by) == ("from_hq", "HQ")
