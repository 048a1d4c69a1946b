"""What a lane believes of a vehicle of which it saw a part, and then nobody looked for a while."""

from __future__ import annotations

import pytest

from edge.parking.decision import Answer, Why
from edge.parking.passage import PassageEnd
from edge.parking.session import SessionState
from edge.services.answer_guard import answer_guard, open_by_hand
from edge.services.see_loop import note_blind
from tests.unit.lane_rig import IN, OTHER, OUT, PLATE, LaneRig


def opened(lanes: LaneRig) -> None:
    lanes.loops(IN, True, False)
    lanes.read(IN)
    lanes.work(IN)
    lanes.work(IN)


@pytest.mark.parametrize("closed", [True, False])
def test_who_was_seen_to_back_out_did_not_go_in_while_nobody_looked(closed: bool) -> None:
    lanes = LaneRig()
    opened(lanes)
    lanes.loops(IN, False, False)
    if closed:
        lanes.gates[IN].shut()
        lanes.work(IN)
    note_blind(lanes.box, lanes.lane(IN))
    lanes.gates[IN].shut()
    lanes.wait(IN, 60)
    # Under a boom that was still up it may have come back.
    assert lanes.last(IN).end is (PassageEnd.NEVER_ENTERED if closed else PassageEnd.PASSED)
    assert lanes.stay().state is (SessionState.NEVER_ENTERED if closed else SessionState.INSIDE)


def test_who_backs_out_under_an_opening_that_was_decided_after_the_restart_did_not_go_in() -> None:
    lanes = LaneRig()
    lanes.loops(IN, True, False)
    note_blind(lanes.box, lanes.lane(IN))
    opened(lanes)
    lanes.loops(IN, False, False)
    lanes.gates[IN].shut()
    lanes.wait(IN, 60)
    assert lanes.last(IN).end is PassageEnd.NEVER_ENTERED
    assert lanes.inside() == 0


def let_out_unseen(lanes: LaneRig) -> None:
    """A vehicle's exit opens and falls again while nobody looks."""
    lanes.come()
    lanes.settle(lanes.stay().session_id, 500)
    lanes.loops(OUT, True, False)
    lanes.read(OUT)
    lanes.work(OUT)
    note_blind(lanes.box, lanes.lane(OUT))
    lanes.gates[OUT].shut()


def left_unseen(lanes: LaneRig, free_ms: int) -> None:
    """A vehicle's exit opens while nobody looks; the loops are found free for so long, and are occupied."""
    let_out_unseen(lanes)
    lanes.loops(OUT, False, False)
    lanes.ports.clock.advance(free_ms)
    lanes.loops(OUT, True, False)


def test_who_comes_after_a_restart_to_a_closed_boom_is_the_next_vehicle() -> None:
    lanes = LaneRig()
    lanes.come(OTHER)
    left_unseen(lanes, 700)
    assert lanes.stay(PLATE).state is SessionState.LEFT
    assert lanes.last(OUT).end is PassageEnd.PASSED
    assert (lanes.here(OUT).plate, lanes.here(OUT).found) == ("", True)
    lanes.read(OUT, OTHER)
    assert lanes.here(OUT).session_id == lanes.stay(OTHER).session_id


def test_whose_plate_was_read_behind_a_vehicle_that_is_gone_is_the_next_one_at_once() -> None:
    lanes = LaneRig()
    opened(lanes)
    note_blind(lanes.box, lanes.lane(IN))
    lanes.gates[IN].shut()
    lanes.loops(IN, False, False)
    lanes.read(IN, OTHER)
    lanes.loops(IN, True, False)
    assert lanes.last(IN).end is PassageEnd.PASSED
    assert lanes.here(IN).plate == OTHER
    assert lanes.inside() == 2


def test_a_loop_that_flickers_lets_nobody_out() -> None:
    lanes = LaneRig()
    left_unseen(lanes, 300)
    assert lanes.stay(PLATE).state is SessionState.INSIDE
    assert lanes.here(OUT).plate == PLATE


@pytest.mark.parametrize("looked", [True, False])
def test_whose_boom_closed_too_soon_and_who_is_gone_since_nobody_looked_is_in(looked: bool) -> None:
    lanes = LaneRig()
    opened(lanes)
    lanes.gates[IN].shut()
    lanes.work(IN)
    assert lanes.here(IN).question.why is Why.CLOSED_TOO_SOON  # type: ignore[union-attr]
    if not looked:
        note_blind(lanes.box, lanes.lane(IN))
    lanes.loops(IN, False, False)
    lanes.wait(IN, 6)
    assert lanes.last(IN).end is (PassageEnd.TURNED_BACK if looked else PassageEnd.PASSED)
    assert lanes.inside() == (0 if looked else 1)


def test_who_comes_after_whose_boom_closed_too_soon_while_nobody_looked_is_the_next_vehicle() -> None:
    lanes = LaneRig()
    opened(lanes)
    lanes.gates[IN].shut()
    lanes.work(IN)
    note_blind(lanes.box, lanes.lane(IN))
    lanes.loops(IN, False, False)
    lanes.ports.clock.advance(700)
    lanes.loops(IN, True, False)
    assert lanes.last(IN).end is PassageEnd.PASSED
    lanes.read(IN, OTHER)
    assert lanes.here(IN).plate == OTHER
    assert lanes.inside() == 2


@pytest.mark.parametrize("age_ms", [0, 3_000])
def test_a_read_names_a_vehicle_that_is_through_if_it_was_made_before_that(age_ms: int) -> None:
    lanes = LaneRig()
    lanes.loops(IN, True, False)
    open_by_hand(lanes.box, IN, "张军", "no read")
    lanes.work(IN)
    for occupied in ((True, True), (False, True), (False, False)):
        lanes.ports.clock.advance(500)
        lanes.loops(IN, *occupied)
    lanes.ports.clock.advance(500)
    before = lanes.here(IN)
    lanes.read(IN, OTHER, age_ms=age_ms)
    named = lanes.box.store.read(lambda unit: unit.sessions.get(before.session_id))
    assert named is not None
    assert named.plate == (OTHER if age_ms else "")


@pytest.mark.parametrize("typed", [OTHER, "粤B1Z345"])
def test_a_guard_who_names_another_vehicle_after_a_restart_has_the_one_before_it_gone_in(typed: str) -> None:
    lanes = LaneRig()
    opened(lanes)
    note_blind(lanes.box, lanes.lane(IN))
    lanes.gates[IN].shut()
    lanes.work(IN)
    before = lanes.here(IN)
    answer_guard(lanes.box, IN, before.passage_id, Answer.CORRECT, "张军", plate=typed)
    if typed == OTHER:
        assert lanes.last(IN).end is PassageEnd.PASSED
        assert (lanes.here(IN).plate, lanes.here(IN).opening) == (OTHER, 1)
        assert lanes.inside() == 2
        assert lanes.told("parking.corrected") == []
    else:
        # One character off: it may be the same vehicle, whose gate was to open already.
        assert lanes.here(IN) == before


def test_a_guard_who_chooses_another_stay_after_a_restart_has_the_one_before_it_gone_out() -> None:
    lanes = LaneRig()
    stay = lanes.come(OTHER)
    let_out_unseen(lanes)
    before = lanes.here(OUT)
    answer_guard(lanes.box, OUT, before.passage_id, Answer.CHOOSE, "张军", session_id=stay.session_id)
    assert lanes.stay().state is SessionState.LEFT
    assert lanes.here(OUT).session_id == stay.session_id
    assert lanes.inside() == 1


def test_a_late_read_names_who_was_let_in_by_hand_and_stands_before_a_closed_boom() -> None:
    lanes = LaneRig()
    lanes.loops(IN, True, False)
    lanes.ports.clock.advance(40_000)
    open_by_hand(lanes.box, IN, "张军", "no read")
    lanes.read(IN, OTHER, age_ms=20_000)
    here = lanes.here(IN)
    assert (here.plate, here.behind) == (OTHER, None)
    assert lanes.stay(OTHER).session_id == here.session_id
