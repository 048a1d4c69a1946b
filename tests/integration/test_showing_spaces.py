"""Free spaces reach the board over a real line: at once, again, and after the line was gone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from devices.display.space_codec import CountColour
from devices.display.space_driver import CountBoard
from devices.rs485 import Rs485Bus
from devices.transport import SerialSettings
from devices.types import DeviceAbsent, DeviceStatus, Health
from edge.duties.showing_spaces import ShowingSpaces
from edge.parking.facility import Zone
from edge.services.recount import recount
from edge.workers import Supervisor
from sim.space_board import SimCountBoard
from sim.wires import PtyWire
from tests.unit.lane_rig import LaneRig

TIMEOUT_S = 5.0


@pytest.fixture
def line() -> Iterator[tuple[CountBoard, SimCountBoard]]:
    sim = SimCountBoard()
    with PtyWire(sim) as wire:
        bus = Rs485Bus(SerialSettings(wire.path))
        yield CountBoard("hall", bus, few=20), sim
        bus.close()


def test_a_board_shows_what_is_free_and_every_change(line: tuple[CountBoard, SimCountBoard]) -> None:
    board, sim = line
    lanes = LaneRig(spaces=100)
    supervisor = Supervisor(ShowingSpaces(lanes.box, {"p1": board}, look_s=0.02).workers())
    supervisor.start()
    try:
        assert sim.await_shown(100, TIMEOUT_S) == (100, CountColour.GREEN)
        lanes.come()
        assert sim.await_shown(99, TIMEOUT_S) == (99, CountColour.GREEN)
        recount(lanes.box, "p1", 100, "张军")
        assert sim.await_shown(0, TIMEOUT_S) == (0, CountColour.RED)
    finally:
        assert supervisor.stop() == ()


def test_a_board_that_was_switched_off_shows_the_same_again(line: tuple[CountBoard, SimCountBoard]) -> None:
    board, sim = line
    lanes = LaneRig(spaces=7)
    supervisor = Supervisor(ShowingSpaces(lanes.box, {"p1": board}, look_s=0.02, repeat_s=0.1).workers())
    supervisor.start()
    try:
        assert sim.await_shown(7, TIMEOUT_S) == (7, CountColour.YELLOW)
        sim.shown = None
        assert sim.await_shown(7, TIMEOUT_S) == (7, CountColour.YELLOW)
    finally:
        assert supervisor.stop() == ()


class Broken:
    """A board that is not there for a while."""

    name = "hall"

    def __init__(self) -> None:
        self.absent = True
        self.shown: list[int] = []
        self.tries = 0
        self._changed = threading.Condition()

    def show_count(self, free: int) -> None:
        with self._changed:
            self.tries += 1
            self._changed.notify_all()
            if self.absent:
                raise DeviceAbsent("unplugged")
            self.shown.append(free)

    def status(self) -> DeviceStatus:
        return DeviceStatus(self.name, "fake", Health.ABSENT, "", "", 0)

    def close(self) -> None:
        return

    def eventually(self, holds: Callable[[], bool]) -> bool:
        with self._changed:
            return self._changed.wait_for(holds, TIMEOUT_S)


def test_a_board_that_fails_is_tried_again_until_it_is_back() -> None:
    lanes, board = LaneRig(spaces=50), Broken()
    showing = ShowingSpaces(lanes.box, {"p1": board}, look_s=0.02, again_s=0.02)
    supervisor = Supervisor(showing.workers())
    supervisor.start()
    try:
        assert board.eventually(lambda: board.tries >= 3)
        assert [one.state().crashes for one in supervisor.workers] == [0]
        board.absent = False
        assert board.eventually(lambda: board.shown == [50])
        lanes.come()
        assert board.eventually(lambda: board.shown == [50, 49])
    finally:
        assert supervisor.stop() == ()


def test_a_board_of_an_uncounted_or_unknown_zone_stays_dark() -> None:
    lanes, board = LaneRig(spaces=50), Broken()
    assert ShowingSpaces(lanes.box, {"p9": board}).workers() == []
    facility = replace(lanes.box.parking.facility, zones=(Zone("p1"),))
    uncounted = replace(lanes.box, parking=replace(lanes.box.parking, facility=facility))
    assert ShowingSpaces(uncounted, {"p1": board}).workers() == []
