"""Lanes whose machine restarted and whose clock is wrong: who stands there, and what a camera had kept."""

from __future__ import annotations

import pytest

from edge.parking.passage import PassageState
from edge.parking.session import SessionState
from edge.services.lane_answer import LaneOutcome
from edge.services.open_lane import open_lane
from edge.services.recover import recover
from edge.services.see_loop import note_blind
from edge.services.watch_clock import ClockWatch, watch_clock
from tests.unit.lane_rig import IN, OTHER, PLATE, LaneRig

HOUR_MS = 3_600_000

#: What a clock without a battery shows once the machine has started.
WOKEN_AT = 20_000


def started(lanes: LaneRig) -> None:
    lanes.box = lanes.made()
    recover(lanes.box)
    heartbeat(lanes)


def heartbeat(lanes: LaneRig) -> None:
    box = lanes.box
    watch_clock(box.store, box.clock, box.ids, box.origin, 24, ClockWatch())


def restarted_without_time(lanes: LaneRig) -> None:
    lanes.ports.clock.reboot(WOKEN_AT, wall_at=WOKEN_AT, trusted=False)
    started(lanes)


def gone_in_without_time(lanes: LaneRig) -> int:
    """A vehicle comes in while the clock stands in 1970; return what its camera's clock showed."""
    restarted_without_time(lanes)
    made_at = lanes.ports.clock.true_at
    lanes.loops(IN, True, False)
    assert lanes.read(IN, camera_at_ms=made_at).outcome is LaneOutcome.OPEN
    lanes.work(IN)
    lanes.drive(IN)
    lanes.ports.clock.advance(60_000)
    heartbeat(lanes)
    return made_at


def test_a_read_that_its_camera_kept_over_restarts_without_time_is_not_of_another_visit() -> None:
    lanes = LaneRig()
    made_at = gone_in_without_time(lanes)
    before = lanes.stay()
    for _ in range(2):
        restarted_without_time(lanes)
    for _ in range(2):
        assert lanes.read(IN, camera_at_ms=made_at).outcome in (LaneOutcome.REPEAT, LaneOutcome.RECORDED)
        lanes.work(IN)
    assert lanes.stay() == before
    assert (lanes.inside(), lanes.gates[IN].pulses) == (1, 1)
    # A read of now opens, whatever the clock shows.
    lanes.loops(IN, True, False)
    assert lanes.read(IN, OTHER, camera_at_ms=lanes.ports.clock.true_at).outcome is LaneOutcome.OPEN


def test_a_camera_whose_clock_goes_back_with_the_boxs_is_taken_for_live() -> None:
    lanes = LaneRig()
    restarted_without_time(lanes)
    lanes.ports.clock.advance(120_000)
    lanes.come()
    restarted_without_time(lanes)
    lanes.loops(IN, True, False)
    assert lanes.read(IN, OTHER, camera_at_ms=lanes.now.wall_at).outcome is LaneOutcome.OPEN
    assert lanes.stay(OTHER).entered_at == lanes.now.wall_at


@pytest.mark.parametrize("stands", [True, False])
def test_no_vehicle_is_lost_because_the_clock_was_set_since_the_last_heartbeat(stands: bool) -> None:
    lanes = LaneRig()
    heartbeat(lanes)
    lanes.loops(IN, True, False)
    lanes.read(IN)
    lanes.work(IN)
    lanes.ports.clock.reboot()
    started(lanes)
    note_blind(lanes.box, lanes.lane(IN))
    if not stands:
        lanes.gates[IN].loops = [False, False]
        lanes.gates[IN].shut()
    lanes.look(IN)
    lanes.ports.clock.advance(1_000)
    lanes.ports.clock.set_wall(3 * HOUR_MS)
    lanes.wait(IN, 9)
    assert lanes.stay(PLATE).state is SessionState.INSIDE
    assert len(lanes.told("parking.entered")) == 1
    if stands:
        assert lanes.here(IN).plate == PLATE
    else:
        assert lanes.last(IN).is_through


@pytest.mark.parametrize("seen_open", [True, False])
@pytest.mark.parametrize("off_ms", [5 * 60_000, 20 * 60_000])
def test_who_drove_on_during_a_power_cut_went_in_however_long_it_was(off_ms: int, seen_open: bool) -> None:
    lanes = LaneRig()
    heartbeat(lanes)
    lanes.loops(IN, True, False)
    lanes.read(IN)
    open_lane(lanes.box, lanes.lane(IN), lanes.gates[IN])
    if seen_open:
        lanes.look(IN)
    assert lanes.here(IN).state is (PassageState.OPENED if seen_open else PassageState.DECIDED)
    lanes.ports.clock.reboot(30_000, off_ms=off_ms, wall_at=lanes.ports.clock.true_at + off_ms + 30_000)
    started(lanes)
    note_blind(lanes.box, lanes.lane(IN))
    lanes.gates[IN].loops = [False, False]
    lanes.gates[IN].shut()
    lanes.wait(IN, 9)
    assert lanes.last(IN).is_through
    assert lanes.stay().state is SessionState.INSIDE
    assert lanes.told("parking.never_entered") == []


def test_who_stands_there_unopened_after_a_long_power_cut_is_whoever_came_meanwhile() -> None:
    lanes = LaneRig()
    heartbeat(lanes)
    lanes.loops(IN, True, False)
    lanes.read(IN)
    lanes.work(IN)
    off_ms = 20 * 60_000
    lanes.gates[IN].shut()
    lanes.ports.clock.reboot(30_000, off_ms=off_ms, wall_at=lanes.ports.clock.true_at + off_ms + 30_000)
    started(lanes)
    note_blind(lanes.box, lanes.lane(IN))
    lanes.look(IN)
    assert not lanes.last(IN).is_through
    assert lanes.here(IN).plate == ""
