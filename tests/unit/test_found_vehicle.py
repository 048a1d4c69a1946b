"""A vehicle that came while nobody looked is one vehicle: the read that its camera kept is its own."""

from __future__ import annotations

import pytest

from edge.duties.lanes import Lanes
from edge.parking.decision import Answer, Why
from edge.parking.session import SessionState
from edge.services.answer_guard import answer_guard, open_by_hand
from edge.services.lane_answer import LaneOutcome
from tests.unit.lane_rig import IN, OTHER, OUT, PLATE, LaneRig

#: How long the service was away.
AWAY_MS = 40_000


def started(rig: LaneRig) -> LaneRig:
    """Start the service anew over what stands at the lanes."""
    rig.ports.clock.advance(AWAY_MS)
    rig.box = rig.made()
    Lanes(rig.box, {one.name: one for one in rig.gates.values()}, {}).begin()
    return rig


def stays(rig: LaneRig) -> list[tuple[str, SessionState]]:
    """Return plate and state of every stay inside."""
    inside = rig.box.store.read(lambda unit: unit.sessions.all_inside(9))
    return [(one.plate, one.state) for one in inside]


def test_the_read_that_its_camera_kept_names_it_and_asks_a_person() -> None:
    rig = LaneRig()
    rig.gates[IN].loops = [True, False]
    started(rig)
    answer = rig.read(IN, age_ms=AWAY_MS - 1_000)
    passage = rig.passage(IN)
    assert passage is not None
    assert (passage.plate, answer.outcome) == (PLATE, LaneOutcome.ASK)
    assert passage.question is not None
    assert passage.question.why is Why.STALE
    answer_guard(rig.box, IN, passage.passage_id, Answer.OPEN, "guard", "it stands here")
    rig.work(IN)
    rig.drive(IN)
    assert stays(rig) == [(PLATE, SessionState.INSIDE)]


def test_a_read_that_comes_when_a_person_has_let_it_in_names_its_stay() -> None:
    rig = LaneRig()
    rig.gates[IN].loops = [True, False]
    started(rig)
    open_by_hand(rig.box, IN, "guard", "it waits")
    rig.work(IN)
    rig.drive(IN)
    rig.wait(IN, 10)
    rig.read(IN, age_ms=AWAY_MS + 8_000)
    assert stays(rig) == [(PLATE, SessionState.INSIDE)]


def test_the_read_of_the_vehicle_before_it_is_not_taken_for_its_own() -> None:
    rig = LaneRig()
    rig.come(OTHER)
    rig.wait(IN, 10)
    rig.gates[IN].loops = [True, False]
    started(rig)
    rig.read(IN, OTHER, key="again", age_ms=AWAY_MS + 14_000)
    passage = rig.passage(IN)
    assert passage is not None
    assert passage.plate == ""


def test_a_vehicle_that_was_seen_to_come_has_no_read_from_before() -> None:
    rig = LaneRig()
    rig.work(IN)
    rig.loops(IN, True, False)
    rig.read(IN, age_ms=AWAY_MS)
    passage = rig.passage(IN)
    assert passage is not None
    assert passage.plate == ""


@pytest.mark.parametrize("late", ["before it has gone", "when it has gone"])
def test_a_vehicle_let_out_by_hand_whose_read_comes_late_has_ended_its_own_stay(late: str) -> None:
    rig = LaneRig()
    rig.come()
    rig.wait(IN, 10)
    rig.loops(OUT, True, False)
    open_by_hand(rig.box, OUT, "guard", "it waits")
    rig.work(OUT)
    if late == "before it has gone":
        rig.read(OUT, age_ms=300)
        rig.drive(OUT)
    else:
        for occupied in ((True, True), (False, True), (False, False)):
            rig.loops(OUT, *occupied)
        rig.read(OUT, age_ms=300)
    assert stays(rig) == []
    assert rig.stay().state is SessionState.LEFT


def test_a_vehicle_whose_read_seemed_to_be_of_one_before_it_has_one_stay() -> None:
    """As when the box's clock jumped and the camera's did not."""
    rig = LaneRig()
    rig.work(IN)
    rig.loops(IN, True, False)
    rig.read(IN, age_ms=30_000)
    assert stays(rig) == [(PLATE, SessionState.INSIDE)]
    passage = rig.here(IN)
    assert passage.plate == ""
    answer_guard(rig.box, IN, passage.passage_id, Answer.CORRECT, "guard", plate=PLATE)
    rig.work(IN)
    rig.drive(IN)
    assert stays(rig) == [(PLATE, SessionState.INSIDE)]
    assert [kind for kind, _ in rig.events() if kind in ("parking.entered", "parking.left")] == [
        "parking.entered"
    ]
