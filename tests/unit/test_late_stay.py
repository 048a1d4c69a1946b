"""A read that looks old because a clock is wrong, of a vehicle that stands at the entry: one stay."""

from __future__ import annotations

import pytest

from edge.parking.decision import Answer
from edge.parking.session import SessionState
from edge.services.answer_guard import answer_guard, open_by_hand
from edge.services.lane_answer import LaneOutcome
from edge.services.recover import recover
from edge.services.see_loop import note_blind, see_inputs
from edge.services.watch_clock import ClockWatch, watch_clock
from tests.unit.lane_rig import IN, OTHER, OUT, PLATE, LaneRig

MISREAD = "粤B12B45"


def heartbeat(lanes: LaneRig) -> None:
    box = lanes.box
    watch_clock(box.store, box.clock, box.ids, box.origin, 24, ClockWatch())


def looks_old(lanes: LaneRig) -> None:
    """A live read whose camera seems to be half a minute behind."""
    heartbeat(lanes)
    assert lanes.read(IN, MISREAD, age_ms=30_000).outcome is LaneOutcome.RECORDED
    assert lanes.inside() == 1


def named(lanes: LaneRig) -> None:
    lanes.ports.clock.advance(1_000)
    lanes.loops(IN, True, False)
    lanes.wait(IN, 7)
    answer_guard(lanes.box, IN, lanes.here(IN).passage_id, Answer.CORRECT, "张军", plate=PLATE)
    lanes.work(IN)
    lanes.drive(IN)


def restarted(lanes: LaneRig) -> None:
    lanes.ports.clock.reboot()
    lanes.box = lanes.made()
    recover(lanes.box)
    heartbeat(lanes)


def test_a_guard_who_types_the_plate_moves_the_stay_of_a_read_that_looked_old() -> None:
    lanes = LaneRig()
    looks_old(lanes)
    named(lanes)
    assert lanes.inside() == 1
    assert lanes.stay().entered_at == lanes.last(IN).commanded_at
    assert len(lanes.told("parking.entered")) == 1
    assert lanes.told("parking.left") == []
    corrected = lanes.told("parking.corrected")[0]
    assert (corrected["plate_before"], corrected["plate_after"]) == (MISREAD, PLATE)


def test_whoever_is_let_in_without_a_name_has_the_stay_of_the_read_that_looked_old() -> None:
    lanes = LaneRig()
    looks_old(lanes)
    lanes.ports.clock.advance(1_000)
    lanes.loops(IN, True, False)
    open_by_hand(lanes.box, IN, "张军", "no read")
    lanes.work(IN)
    lanes.drive(IN)
    assert lanes.inside() == 1
    assert lanes.stay(MISREAD).session_id == lanes.last(IN).session_id


@pytest.mark.parametrize("plate", [MISREAD, PLATE])
def test_a_late_read_of_a_vehicle_that_had_gone_in_keeps_its_stay(plate: str) -> None:
    lanes = LaneRig()
    looks_old(lanes)
    lanes.ports.clock.advance(60_000)
    lanes.loops(IN, True, False)
    open_by_hand(lanes.box, IN, "张军", "no read")
    lanes.work(IN)
    lanes.drive(IN)
    assert lanes.inside() == 2
    assert len(lanes.told("parking.entered")) == 2


def test_over_a_restart_the_vehicle_that_is_found_there_is_the_one_of_the_read() -> None:
    lanes = LaneRig()
    looks_old(lanes)
    lanes.ports.clock.advance(1_000)
    restarted(lanes)
    lanes.gates[IN].loops = [True, False]
    assert lanes.passage(IN) is None
    see_inputs(lanes.box, lanes.lane(IN), lanes.gates[IN].inputs(), first=True)
    named(lanes)
    assert lanes.inside() == 1
    assert lanes.stay().plate == PLATE


def test_a_read_that_looks_old_after_a_restart_is_of_the_vehicle_that_stood_there_before() -> None:
    lanes = LaneRig()
    heartbeat(lanes)
    lanes.loops(IN, True, False)
    lanes.ports.clock.advance(1_000)
    restarted(lanes)
    lanes.read(IN, MISREAD, age_ms=200_000)
    assert lanes.inside() == 1
    named(lanes)
    assert lanes.inside() == 1
    assert lanes.stay().plate == PLATE


def test_a_vehicle_that_came_after_another_one_does_not_take_the_stay_of_an_older_read() -> None:
    lanes = LaneRig()
    looks_old(lanes)
    lanes.ports.clock.advance(60_000)
    lanes.come("京C13579")
    restarted(lanes)
    lanes.gates[IN].loops = [True, False]
    see_inputs(lanes.box, lanes.lane(IN), lanes.gates[IN].inputs(), first=True)
    named(lanes)
    assert lanes.inside() == 3


def test_who_turned_back_and_came_again_misread_is_not_taken_for_a_stay_that_never_began() -> None:
    lanes = LaneRig()
    lanes.loops(IN, True, False)
    lanes.read(IN)
    lanes.work(IN)
    lanes.work(IN)
    lanes.loops(IN, False, False)
    lanes.gates[IN].shut()
    lanes.wait(IN, 60)
    ghost = lanes.stay()
    assert ghost.state is SessionState.NEVER_ENTERED
    stay = lanes.come("粤B12745")
    lanes.ports.clock.advance(600_000)
    lanes.loops(OUT, True, False)
    lanes.read(OUT)
    leaving = lanes.here(OUT)
    assert leaving.session_id != ghost.session_id
    assert leaving.question is None or stay.session_id in leaving.question.candidates
    assert lanes.inside() == 1


@pytest.mark.parametrize("back_ms", [0, 26_000])
def test_a_clock_that_is_set_back_makes_no_camera_seem_late(back_ms: int) -> None:
    lanes = LaneRig()
    lanes.ports.clock.set_wall(30_000)
    lanes.loops(IN, True, False)
    made_at = lanes.now.wall_at - 30_000
    assert lanes.read(IN, camera_at_ms=made_at).outcome is not LaneOutcome.OPEN
    lanes.ports.clock.advance(12_000)
    lanes.ports.clock.set_wall(-back_ms)
    lanes.read(IN, MISREAD, camera_at_ms=made_at + 12_000)
    clock = lanes.box.store.read(lambda unit: unit.plate_reads.clock_of(f"cam-{IN}"))
    assert clock is not None
    assert clock.error_ms == 30_000 - back_ms


def test_whoever_stands_where_another_went_in_unseen_has_the_stay_of_its_read_that_looked_old() -> None:
    lanes = LaneRig()
    heartbeat(lanes)
    lanes.loops(IN, True, False)
    lanes.read(IN, OTHER)
    lanes.work(IN)
    restarted(lanes)
    note_blind(lanes.box, lanes.lane(IN))
    assert lanes.read(IN, MISREAD, age_ms=60_000).outcome is LaneOutcome.RECORDED
    lanes.wait(IN, 7)
    answer_guard(lanes.box, IN, lanes.here(IN).passage_id, Answer.CORRECT, "张军", plate=PLATE)
    assert lanes.inside() == 2
    assert lanes.stay().session_id == lanes.here(IN).session_id
    assert len(lanes.told("parking.entered")) == 2


@pytest.mark.parametrize("by_hand", [True, False])
def test_a_cameras_first_read_since_a_restart_is_of_who_stands_there_without_a_name(by_hand: bool) -> None:
    lanes = LaneRig()
    heartbeat(lanes)
    # Half a minute slow, it takes the camera to be ahead; later it is right.
    lanes.loops(IN, True, False)
    lanes.read(IN, OTHER, age_ms=-30_000)
    lanes.work(IN)
    lanes.drive(IN)
    restarted(lanes)
    lanes.ports.clock.advance(60_000)
    lanes.loops(IN, True, False)
    made_at = lanes.now.wall_at
    restarted(lanes)
    if by_hand:
        open_by_hand(lanes.box, IN, "张军", "no read")
    lanes.read(IN, camera_at_ms=made_at)
    here = lanes.here(IN)
    assert (here.plate, here.behind) == (PLATE, None)
    assert (here.question is None) is by_hand
    assert lanes.inside() == (2 if by_hand else 1)


@pytest.mark.parametrize("told", [True, False], ids=["a heartbeat has seen it", "before the next heartbeat"])
def test_a_clock_set_wrong_since_the_start_moves_no_entry_into_the_past(told: bool) -> None:
    lanes = LaneRig()
    heartbeat(lanes)
    lanes.loops(IN, True, False)
    lanes.read(IN, OTHER, camera_at_ms=lanes.now.wall_at)
    lanes.work(IN)
    lanes.drive(IN)
    restarted(lanes)
    lanes.ports.clock.advance(20_000)
    made_at = lanes.now.wall_at
    lanes.ports.clock.set_wall(3 * 3_600_000)
    if told:
        heartbeat(lanes)
    lanes.read(IN, camera_at_ms=made_at)
    assert lanes.now.wall_at - lanes.stay().entered_at <= lanes.lane(IN).stale_read_s * 1_000 + 1
    assert lanes.gates[IN].pulses == 1
