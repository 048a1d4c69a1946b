"""A lane's display that fails, or loses its power, has the words of now again by itself."""

from __future__ import annotations

from dataclasses import replace

from edge.duties.lanes import REFRESH_S, Lanes
from edge.workers import Worker
from sim.fakes.display import FakeDisplay
from tests.unit.lane_rig import ENTRY, IN, PLATE, LaneRig

IDLE = ("欢迎光临", "空余车位100")


class Board:
    """An entry's display and the worker that shows."""

    def __init__(self) -> None:
        self.lanes = LaneRig(replace(ENTRY, display="board"))
        self.display = FakeDisplay("board")
        workers = Lanes(self.lanes.box, {}, {"board": self.display}).workers()
        self.worker: Worker = next(one for one in workers if one.name.startswith("show-"))

    def turn(self, seconds: float = 4) -> tuple[str, ...]:
        self.lanes.ports.clock.advance(int(seconds * 1000))
        self.worker.step()
        return self.display.shown


def test_a_board_that_failed_is_given_everything_anew_even_when_the_words_are_the_old_ones() -> None:
    board = Board()
    assert board.turn() == IDLE
    board.lanes.loops(IN, True, False)
    board.lanes.read(IN)
    board.display.absent = True
    assert board.turn() == IDLE
    board.lanes.work(IN)
    board.lanes.drive(IN)
    board.lanes.wait(IN, 20)
    board.display.absent, board.display.shown = False, ()
    assert board.turn() == ("欢迎光临", "空余车位99")


def test_a_board_that_lost_its_power_shows_its_words_again_and_says_nothing_twice() -> None:
    board = Board()
    board.lanes.loops(IN, True, False)
    board.lanes.read(IN)
    board.lanes.work(IN)
    assert board.turn()[0] == PLATE
    said = len(board.display.spoken)
    board.display.shown = ()
    assert board.turn(REFRESH_S / 2) == ()
    assert board.turn(REFRESH_S / 2)[0] == PLATE
    assert len(board.display.spoken) == said == 1
