"""A whole lane whose camera only sees, for the benchmark: frames, reader, books, a relay board on a wire.

Vehicles come one after another onto a real lane's loops; the camera's frames are read by the real reader,
the read is taken by `see_plate` over a store on disk, and the lane's own worker pulses a simulated board
on a pty. Measured from when the deciding frame was taken to when the pulse was on the wire.
"""

from __future__ import annotations

import logging
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from devices.camera.pictures import Picture
from devices.camera.plates.camera import FramePlateCamera, LaneView
from devices.camera.plates.motion import LoopGate
from devices.camera.plates.reader import PlateReader
from devices.gate.driver import BoardSettings, InputMap, RelayGate
from devices.rs485 import Rs485Bus
from devices.transport import SerialSettings
from devices.types import DeviceStatus, Frame, PlateSeen
from edge.clock import SystemClock, boottime_ns, wall_ms
from edge.duties.lanes import Lanes
from edge.ids import TimeOrderedIds
from edge.parking.facility import Facility, Lane, LaneWay, Zone
from edge.services.box import Box
from edge.services.parking_rules import ParkingRules
from edge.services.see_plate import see_plate
from edge.store.sqlite_store import SqliteStore
from edge.workers import Supervisor, Worker
from sim.fakes.box import FakePorts, fake_box
from sim.gate import GateHabits, SimGate
from sim.wires import PtyWire

FRAME_NS = 66_666_667
PATIENCE_S = 6.0
LANE = Lane("in-1", LaneWay.ENTRY, "p1", "gate-in", loops=2, boom=True)
_PULSE = bytes((1, 5, 2))
_TURN_S = 0.5
_PACE_S = 0.2


@dataclass(frozen=True, slots=True)
class Opening:
    """One vehicle that was let in. deciding_ms: from the frame that decided; first_ms: from its first."""

    deciding_ms: float
    first_ms: float


def openings(pictures: Sequence[Picture]) -> list[Opening]:
    """Let each picture's vehicle come, stand until the gate was told to open, and drive through.

    A vehicle for which nothing was pulsed within `PATIENCE_S` is missing from the answer.
    """
    # What lanes log goes to standard output, where the table belongs.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    found = []
    with _site() as site:
        for picture in pictures:
            opening = site.pass_through(picture)
            if opening is not None:
                found.append(opening)
    return found


class _Board(SimGate):
    """A relay board that notes when it was told to pulse."""

    def __init__(self) -> None:
        super().__init__(GateHabits(raise_s=0.3, hold_s=3.0))
        self.pulsed_ns: list[int] = []

    def receive(self, data: bytes) -> bytes:
        if _PULSE in data:
            self.pulsed_ns.append(boottime_ns())
        return super().receive(data)


class _Eye:
    """A camera of 15 pictures a second before which one vehicle stands, or none."""

    def __init__(self) -> None:
        self.taken: list[int] = []
        self._picture: Picture | None = None
        self._stop = threading.Event()

    def show(self, picture: Picture | None) -> None:
        self.taken = []
        self._picture = picture

    def frame(self, timeout_s: float) -> Frame | None:
        until_ns = boottime_ns() + round(timeout_s * 1e9)
        last = self.taken[-1] if self.taken else 0
        while boottime_ns() < until_ns and not self._stop.is_set():
            picture, taken_ns = self._picture, boottime_ns() // FRAME_NS * FRAME_NS
            if picture is not None and taken_ns > last:
                self.taken.append(taken_ns)
                return Frame("in-1", picture, taken_ns)
            self._stop.wait(0.004)
        return None

    def status(self) -> DeviceStatus:
        raise NotImplementedError("the benchmark asks for no status")

    def close(self) -> None:
        self._stop.set()


class _Site:
    """The lane with its workers running. decided: the frame by which the newest vehicle was told."""

    def __init__(self, box: Box, board: _Board, gate: RelayGate) -> None:
        self.board, self.eye, self.decided = board, _Eye(), 0
        loop = LoopGate(tail_s=0.2)
        view = LaneView(least_width=40)
        self.camera = FramePlateCamera("in-1", self.eye, PlateReader(), loop, view=view)
        self.box = replace(box, wake_lane=lambda lane: self.lanes.wake(lane))
        self.lanes = Lanes(
            self.box, {gate.name: gate}, {}, lambda lane, occupied: loop.loop(occupied, boottime_ns())
        )
        self.workers = Supervisor([*self.lanes.workers(), Worker("camera-in-1", self._read)])

    def pass_through(self, picture: Picture) -> Opening | None:
        pulses = len(self.board.pulsed_ns)
        self.board.car(0, True)
        self.eye.show(picture)
        opened = _eventually(lambda: len(self.board.pulsed_ns) > pulses)
        first, decided = (self.eye.taken or [0])[0], self.decided
        self.eye.show(None)
        for loop, present in ((1, True), (0, False), (1, False)):
            threading.Event().wait(_PACE_S)
            self.board.car(loop, present)
        _eventually(lambda: self.box.store.read(lambda unit: unit.passages.current(LANE.name)) is None)
        if not opened:
            return None
        pulsed = self.board.pulsed_ns[pulses]
        return Opening((pulsed - decided) / 1e6, (pulsed - first) / 1e6)

    def _read(self) -> float:
        seen = self.camera.read(_TURN_S)
        if isinstance(seen, PlateSeen):
            self.decided = self.eye.taken[-1] if self.eye.taken else 0
            see_plate(self.box, LANE.name, replace(seen, photos=()))
        return 0.0


@contextmanager
def _site() -> Iterator[_Site]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="plate-lane-")))
        board = _Board()
        bus = Rs485Bus(SerialSettings(stack.enter_context(PtyWire(board)).path))
        stack.callback(bus.close)
        inputs = InputMap(boom_up=0, boom_down=1, loops=(2, 3))
        gate = RelayGate("gate-in", bus, BoardSettings(inputs=inputs))
        store = SqliteStore(folder / "edge.db", 1_000)
        stack.callback(store.close)
        rules = ParkingRules(Facility("garage", (Zone("p1", 10_000),), (LANE,)))
        box = replace(fake_box(FakePorts(store=store), lambda place: None), parking=rules)
        site = _Site(replace(box, clock=SystemClock(), ids=TimeOrderedIds(wall_ms)), board, gate)
        site.workers.start()
        stack.callback(site.workers.stop)
        stack.callback(site.camera.close)
        yield site


def _eventually(holds: Callable[[], bool]) -> bool:
    for _ in range(int(PATIENCE_S / 0.005)):
        if holds():
            return True
        threading.Event().wait(0.005)
    return False
