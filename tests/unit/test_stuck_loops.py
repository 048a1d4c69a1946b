"""Loops that report a vehicle though nobody is there: no ghosts, no car lost, told, and believed again."""

from __future__ import annotations

import pytest

from edge.parking.decision import Answer, Why
from edge.parking.passage import PassageEnd
from edge.parking.session import SessionState
from edge.services.answer_guard import answer_guard
from edge.services.lane_answer import LaneOutcome
from edge.services.see_loop import see_loop
from edge.services.show_guard import show_guard
from edge.services.stuck_loops import STUCK_MS, stuck_loops
from tests.unit.lane_rig import IN, OTHER, OUT, PLATE, LaneRig

NEAR, FAR = 0, 1


def hang(lanes: LaneRig, loop: int = NEAR) -> None:
    """A loop begins to hang, and the guard says that nobody is there."""
    lanes.loops(IN, loop == NEAR, loop == FAR)
    lanes.wait(IN, 6)
    assert lanes.here(IN).question is not None
    gone(lanes)


def gone(lanes: LaneRig) -> None:
    answer_guard(lanes.box, IN, lanes.here(IN).passage_id, Answer.GONE, "guard")
    lanes.work(IN)


def stuck(lanes: LaneRig) -> tuple[int, ...]:
    return lanes.box.store.read(lambda unit: stuck_loops(unit, lanes.lane(IN)))


def told(lanes: LaneRig) -> list[tuple[object, object]]:
    alarms = [data for kind, data in lanes.events() if kind.startswith("alarm.")]
    return [(one["alarm"], one["level"]) for one in alarms]


def drive(lanes: LaneRig, hangs: int) -> None:
    """A car drives through while one loop reports a vehicle all the time."""
    for near, far in ((True, False), (True, True), (False, True), (False, False)):
        lanes.ports.clock.advance(700)
        lanes.loops(IN, near or hangs == NEAR, far or hangs == FAR)
    lanes.gates[IN].shut()
    lanes.wait(IN, 1)


@pytest.mark.parametrize("loop", [NEAR, FAR])
def test_when_a_person_says_that_nobody_is_there_no_ghost_comes_after(loop: int) -> None:
    lanes = LaneRig()
    hang(lanes, loop)
    lanes.wait(IN, 60)
    assert lanes.passage(IN) is None
    assert lanes.last(IN).end is PassageEnd.GONE
    assert stuck(lanes) == (loop,)
    assert told(lanes) == [(f"loop:{IN}:{loop + 1}", "stuck")]
    assert [one.stuck for one in show_guard(lanes.box)] == [(loop,), ()]


def test_time_alone_finds_a_loop_that_hangs_and_never_one_with_a_car_on_it() -> None:
    lanes = LaneRig()
    stay = lanes.come()
    lanes.loops(IN, True, False)
    lanes.ports.clock.advance(3_600_000)
    lanes.loops(OUT, True, False)
    lanes.read(OUT)
    lanes.wait(IN, STUCK_MS // 1000 + 1, 5)
    lanes.wait(OUT, STUCK_MS // 1000 + 1, 5)
    assert stuck(lanes) == (NEAR,)
    assert lanes.passage(IN) is None
    assert lanes.here(OUT).session_id == stay.session_id
    assert lanes.box.store.read(lambda unit: stuck_loops(unit, lanes.lane(OUT))) == ()


@pytest.mark.parametrize("loop", [NEAR, FAR])
def test_cars_pass_a_lane_with_a_loop_that_hangs_and_are_counted_once(loop: int) -> None:
    lanes = LaneRig()
    hang(lanes, loop)
    for plate in (PLATE, OTHER):
        lanes.loops(IN, True, loop == FAR)
        assert lanes.read(IN, plate).outcome is LaneOutcome.OPEN
        lanes.work(IN)
        drive(lanes, loop)
        lanes.wait(IN, 10)
        assert lanes.passage(IN) is None
        assert lanes.last(IN).end is PassageEnd.PASSED
        assert lanes.stay(plate).state is SessionState.INSIDE
    assert lanes.inside() == 2
    assert lanes.gates[IN].pulses == 2


def test_a_car_under_which_the_loop_begins_to_hang_is_inside_when_the_guard_says_that_it_is_gone() -> None:
    lanes = LaneRig()
    lanes.loops(IN, True, False)
    lanes.read(IN)
    lanes.work(IN)
    drive(lanes, NEAR)
    assert lanes.here(IN).question is not None
    assert lanes.here(IN).question.why is Why.CLOSED_TOO_SOON  # type: ignore[union-attr]
    gone(lanes)
    lanes.wait(IN, 10)
    assert (lanes.passage(IN), lanes.last(IN).end) == (None, PassageEnd.PASSED)
    assert lanes.stay().state is SessionState.INSIDE
    assert stuck(lanes) == (NEAR,)


def test_a_loop_that_is_free_again_is_believed_again() -> None:
    lanes = LaneRig()
    hang(lanes)
    lanes.loops(IN, False, False)
    assert stuck(lanes) == ()
    assert told(lanes) == [(f"loop:{IN}:1", "stuck"), (f"loop:{IN}:1", "free")]
    lanes.come()
    assert lanes.last(IN).end is PassageEnd.PASSED
    assert not lanes.last(IN).assumed
    assert lanes.passage(IN) is None


def test_a_loop_at_a_camera_that_hangs_is_not_believed_either() -> None:
    lanes = LaneRig()
    see_loop(lanes.box, IN, NEAR, True)
    lanes.gates[IN].absent = True
    lanes.wait(IN, 6)
    gone(lanes)
    see_loop(lanes.box, IN, NEAR, True)
    assert lanes.passage(IN) is None
    see_loop(lanes.box, IN, NEAR, False)
    assert stuck(lanes) == ()
    see_loop(lanes.box, IN, NEAR, True)
    assert lanes.passage(IN) is not None


def test_saying_that_nobody_is_there_when_the_loops_are_free_blames_no_loop() -> None:
    lanes = LaneRig()
    lanes.loops(IN, True, False)
    lanes.read(IN, "")
    lanes.loops(IN, False, False)
    gone(lanes)
    assert stuck(lanes) == ()
    assert told(lanes) == []
