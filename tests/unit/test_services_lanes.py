"""Vehicles at lanes with loops and limit switches: they come, pay, go, turn back, follow each other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.errors import Invalid
from edge.parking.decision import Answer, Verdict, Why
from edge.parking.facility import FullMode
from edge.parking.gate_command import GateCommandState
from edge.parking.passage import PassageEnd, PassageState
from edge.parking.session import SessionState
from edge.services.answer_guard import answer_guard, open_by_hand
from edge.services.lane_answer import LaneOutcome
from edge.services.open_lane import Opening
from tests.unit.lane_rig import ENTRY, HARD, IN, OTHER, OUT, PLATE, LaneRig


def test_a_vehicle_comes_in_and_its_opening_is_followed_to_the_end() -> None:
    lanes = LaneRig()
    lanes.loops(IN, True, False)
    answer = lanes.read(IN)
    assert (answer.outcome, answer.open_now) == (LaneOutcome.OPEN, False)
    assert answer.lines == (PLATE, "欢迎光临")
    assert lanes.gates[IN].pulses == 0
    assert lanes.work(IN) is Opening.ECHOED
    assert lanes.here(IN).state is PassageState.OPENED
    lanes.drive(IN)
    assert lanes.passage(IN) is None
    assert lanes.last(IN).end is PassageEnd.PASSED
    assert not lanes.last(IN).assumed
    (command,) = lanes.commands(IN)
    assert command.state is GateCommandState.CLOSED
    assert None not in (command.commanded_at, command.echoed_at, command.boom_open_at, command.passed_at)
    assert lanes.stay().state is SessionState.INSIDE
    assert lanes.inside() == 1
    assert [one["plate"] for one in lanes.told("parking.entered")] == [PLATE]


def test_the_same_read_and_the_same_plate_again_open_nothing() -> None:
    lanes = LaneRig()
    lanes.loops(IN, True, False)
    lanes.read(IN, key="one")
    lanes.work(IN)
    assert lanes.read(IN, key="one").outcome is LaneOutcome.REPEAT
    assert lanes.read(IN, key="two").outcome is LaneOutcome.REPEAT
    lanes.work(IN)
    lanes.drive(IN)
    assert lanes.read(IN, key="three").outcome is LaneOutcome.REPEAT
    assert lanes.read(IN, key="one").outcome is LaneOutcome.REPEAT
    lanes.work(IN)
    assert lanes.gates[IN].pulses == 1
    assert lanes.inside() == 1


def test_an_hour_later_the_same_vehicle_is_a_new_visit() -> None:
    lanes = LaneRig()
    first = lanes.come()
    lanes.ports.clock.advance(600_000)
    lanes.settle(first.session_id, 500)
    lanes.loops(OUT, True, False)
    assert lanes.read(OUT).outcome is LaneOutcome.OPEN
    lanes.work(OUT)
    lanes.drive(OUT)
    assert lanes.stay().state is SessionState.LEFT
    lanes.ports.clock.advance(3_600_000)
    second = lanes.come()
    assert second.session_id != first.session_id
    assert lanes.gates[IN].pulses == 2
    assert lanes.inside() == 1


def test_a_vehicle_pays_at_the_exit_and_the_gate_opens_on_confirmed_money_alone() -> None:
    lanes = LaneRig()
    stay = lanes.come()
    lanes.ports.clock.advance(5_400_000)
    lanes.loops(OUT, True, False)
    answer = lanes.read(OUT)
    assert answer.outcome is LaneOutcome.WAIT
    assert answer.lines == (PLATE, "请缴费10元")
    lanes.wait(OUT, 20)
    assert lanes.gates[OUT].pulses == 0
    lanes.settle(stay.session_id, 500)
    assert lanes.work(OUT) is Opening.NONE
    assert lanes.here(OUT).decision.due_fen == 500  # type: ignore[union-attr]
    lanes.settle(stay.session_id, 500)
    assert lanes.work(OUT) is Opening.ECHOED
    lanes.drive(OUT)
    assert lanes.stay().state is SessionState.LEFT
    assert lanes.inside() == 0
    (left,) = lanes.told("parking.left")
    assert (left["why"], left["due_fen"]) == ("paid", 0)


def test_a_vehicle_that_turns_back_at_the_entry_never_entered() -> None:
    lanes = LaneRig()
    lanes.loops(IN, True, False)
    lanes.read(IN)
    lanes.work(IN)
    lanes.loops(IN, False, False)
    lanes.wait(IN, 31)
    assert lanes.last(IN).end is PassageEnd.NEVER_ENTERED
    assert lanes.stay().state is SessionState.NEVER_ENTERED
    assert lanes.inside() == 0
    assert len(lanes.told("parking.never_entered")) == 1


def test_the_camera_says_that_it_turned_back() -> None:
    lanes = LaneRig()
    lanes.loops(IN, True, False)
    lanes.read(IN)
    lanes.work(IN)
    lanes.read(IN, trigger="turned_back")
    assert lanes.last(IN).end is PassageEnd.TURNED_BACK
    assert lanes.stay().state is SessionState.NEVER_ENTERED


def test_turning_back_at_the_exit_leaves_the_stay_and_its_money_as_they_are() -> None:
    lanes = LaneRig()
    stay = lanes.come()
    lanes.ports.clock.advance(600_000)
    lanes.settle(stay.session_id, 500)
    lanes.loops(OUT, True, False)
    lanes.read(OUT)
    lanes.work(OUT)
    lanes.read(OUT, trigger="turned_back")
    assert lanes.last(OUT).end is PassageEnd.TURNED_BACK
    assert lanes.stay().state is SessionState.INSIDE
    lanes.loops(OUT, False, False)
    lanes.wait(OUT, 10)
    lanes.loops(OUT, True, False)
    assert lanes.read(OUT).outcome is LaneOutcome.OPEN
    lanes.work(OUT)
    lanes.drive(OUT)
    assert lanes.gates[OUT].pulses == 2
    assert lanes.stay().state is SessionState.LEFT


def test_a_vehicle_that_rolls_back_off_the_far_loop_has_not_passed() -> None:
    lanes = LaneRig()
    lanes.loops(IN, True, False)
    lanes.read(IN)
    lanes.work(IN)
    lanes.loops(IN, True, True)
    lanes.loops(IN, True, False)
    assert lanes.here(IN).state is PassageState.OPENED
    lanes.drive(IN)
    assert lanes.last(IN).end is PassageEnd.PASSED


def test_an_old_read_opens_nothing_and_a_guard_is_asked() -> None:
    lanes = LaneRig()
    lanes.loops(IN, True, False)
    lanes.read(IN, OTHER)
    lanes.work(IN)
    lanes.drive(IN)
    lanes.ports.clock.advance(60_000)
    lanes.loops(IN, True, False)
    lanes.wait(IN, 12)
    assert lanes.read(IN, age_ms=11_000).outcome is LaneOutcome.ASK
    lanes.work(IN)
    assert lanes.gates[IN].pulses == 1
    here = lanes.here(IN)
    assert here.question is not None
    assert here.question.why is Why.STALE
    answer_guard(lanes.box, IN, here.passage_id, Answer.OPEN, "张军", "看到车")
    lanes.work(IN)
    lanes.drive(IN)
    assert lanes.gates[IN].pulses == 2
    assert lanes.inside() == 2


def test_a_young_read_after_an_old_one_opens() -> None:
    lanes = LaneRig()
    lanes.loops(IN, True, False)
    lanes.read(IN, OTHER)
    lanes.work(IN)
    lanes.drive(IN)
    lanes.ports.clock.advance(60_000)
    lanes.loops(IN, True, False)
    lanes.wait(IN, 12)
    lanes.read(IN, age_ms=11_000)
    assert lanes.read(IN).outcome is LaneOutcome.OPEN
    lanes.work(IN)
    assert lanes.gates[IN].pulses == 2


def test_the_next_vehicle_waits_until_the_first_is_through() -> None:
    lanes = LaneRig()
    lanes.loops(IN, True, False)
    lanes.read(IN)
    lanes.work(IN)
    assert lanes.read(IN, OTHER).outcome is LaneOutcome.BEHIND
    lanes.ports.clock.advance(500)
    lanes.loops(IN, True, True)
    lanes.loops(IN, False, True)
    lanes.loops(IN, True, True)
    lanes.loops(IN, True, False)
    lanes.gates[IN].shut()
    lanes.work(IN)
    lanes.work(IN)
    assert lanes.here(IN).plate == OTHER
    lanes.drive(IN)
    assert lanes.gates[IN].pulses == 2
    assert lanes.inside() == 2


def test_a_vehicle_that_follows_under_one_opening_is_told_of_and_counted() -> None:
    lanes = LaneRig()
    lanes.loops(IN, True, False)
    lanes.read(IN)
    lanes.work(IN)
    for occupied in ((True, True), (False, True), (False, False), (True, False), (True, True), (False, True)):
        lanes.ports.clock.advance(400)
        lanes.loops(IN, *occupied)
    lanes.loops(IN, False, False)
    lanes.gates[IN].shut()
    lanes.work(IN)
    assert lanes.gates[IN].pulses == 1
    (told,) = lanes.told("parking.tailgated")
    assert (told["identified"], told["behind_plate"]) == (False, PLATE)
    assert lanes.stay().state is SessionState.INSIDE
    assert lanes.inside() == 2
    assert lanes.box.store.read(lambda unit: unit.work_items.count_open()) == 1


def test_a_full_car_park_refuses_and_lets_in_once_there_is_space() -> None:
    lanes = LaneRig(spaces=1)
    lanes.come()
    lanes.loops(IN, True, False)
    assert lanes.read(IN, OTHER).outcome is LaneOutcome.REFUSE
    assert lanes.here(IN).decision.why is Why.FULL  # type: ignore[union-attr]
    queue = LaneRig(entry=replace(ENTRY, when_full=FullMode.QUEUE), spaces=1)
    queue.come()
    queue.loops(IN, True, False)
    assert queue.read(IN, OTHER).outcome is LaneOutcome.WAIT
    leaving = queue.stay()
    queue.settle(leaving.session_id, 500)
    queue.loops(OUT, True, False)
    queue.read(OUT)
    queue.work(OUT)
    queue.drive(OUT)
    queue.wait(IN, 4)
    assert queue.gates[IN].pulses == 2
    assert queue.here(IN).state is PassageState.OPENED


def test_soft_anti_passback_lets_in_and_tells_hard_asks() -> None:
    lanes = LaneRig()
    first = lanes.come()
    lanes.ports.clock.advance(3_600_000)
    second = lanes.come()
    assert second.session_id != first.session_id
    assert lanes.inside() == 1
    assert lanes.box.store.read(lambda unit: unit.work_items.count_open()) == 1
    hard = LaneRig(entry=replace(ENTRY, passback=HARD))
    hard.come()
    hard.ports.clock.advance(3_600_000)
    hard.loops(IN, True, False)
    assert hard.read(IN).outcome is LaneOutcome.ASK
    assert hard.here(IN).question.why is Why.ALREADY_INSIDE  # type: ignore[union-attr]
    assert hard.gates[IN].pulses == 1


def test_a_vehicle_without_a_stay_waits_for_a_guard_who_lets_it_out() -> None:
    lanes = LaneRig()
    lanes.loops(OUT, True, False)
    assert lanes.read(OUT).outcome is LaneOutcome.ASK
    here = lanes.here(OUT)
    assert here.question is not None
    assert here.question.why is Why.NO_SESSION
    with pytest.raises(Invalid, match="not at lane"):
        answer_guard(lanes.box, OUT, "another", Answer.OPEN, "张军", "放行")
    with pytest.raises(Invalid, match="reason"):
        answer_guard(lanes.box, OUT, here.passage_id, Answer.OPEN, "张军", "")
    answer_guard(lanes.box, OUT, here.passage_id, Answer.OPEN, "张军", "放行")
    answer_guard(lanes.box, OUT, here.passage_id, Answer.OPEN, "张军", "放行")
    lanes.work(OUT)
    lanes.drive(OUT)
    assert lanes.gates[OUT].pulses == 1
    (told,) = lanes.told("parking.gate")
    assert (told["what"], told["by"], told["note"]) == ("opened_by_person", "张军", "放行")


def test_a_guard_corrects_the_plate_and_the_right_stay_leaves() -> None:
    lanes = LaneRig()
    lanes.come()
    lanes.loops(OUT, True, False)
    lanes.read(OUT, "粤Z00000")
    here = lanes.here(OUT)
    answer_guard(lanes.box, OUT, here.passage_id, Answer.CORRECT, "张军", plate="粤B·12345")
    assert lanes.here(OUT).decision.verdict is Verdict.PAY  # type: ignore[union-attr]
    answer_guard(lanes.box, OUT, here.passage_id, Answer.LET_OUT, "张军", "手机没电")
    lanes.work(OUT)
    lanes.drive(OUT)
    assert lanes.stay().state is SessionState.LEFT
    (debt,) = lanes.box.store.read(lambda unit: unit.debts.of_session(lanes.stay().session_id))
    assert (debt.amount_fen, debt.recorded_by) == (500, "张军")


def test_opening_by_hand_with_nobody_known_there_has_a_passage_and_opens_once() -> None:
    lanes = LaneRig()
    open_by_hand(lanes.box, IN, "张军", "送货车")
    open_by_hand(lanes.box, IN, "张军", "送货车")
    lanes.work(IN)
    lanes.work(IN)
    assert lanes.gates[IN].pulses == 1
    lanes.loops(IN, True, False)
    lanes.drive(IN)
    assert lanes.inside() == 1


def test_a_gate_that_is_not_there_is_tried_three_times_and_then_a_guard_is_asked() -> None:
    lanes = LaneRig()
    lanes.loops(IN, True, False)
    lanes.gates[IN].absent = True
    lanes.read(IN)
    assert [lanes.work(IN) for _ in range(4)] == [
        Opening.AGAIN,
        Opening.AGAIN,
        Opening.FAILED,
        Opening.NONE,
    ]
    assert lanes.here(IN).question.why is Why.GATE_FAILED  # type: ignore[union-attr]
    lanes.gates[IN].absent = False
    answer_guard(lanes.box, IN, lanes.here(IN).passage_id, Answer.OPEN, "张军", "再试")
    assert lanes.work(IN) is Opening.ECHOED
    assert lanes.gates[IN].pulses == 1


def test_a_lost_echo_is_never_answered_by_a_second_pulse() -> None:
    lanes = LaneRig()
    lanes.loops(IN, True, False)
    lanes.gates[IN].echo_lost = True
    lanes.gates[IN].stuck = True
    lanes.read(IN)
    assert lanes.work(IN) is Opening.DOUBTFUL
    lanes.wait(IN, 7)
    assert lanes.gates[IN].pulses == 1
    assert lanes.here(IN).question.why is Why.GATE_DOUBTFUL  # type: ignore[union-attr]
    seen = LaneRig()
    seen.loops(IN, True, False)
    seen.gates[IN].echo_lost = True
    seen.read(IN)
    seen.work(IN)
    seen.gates[IN].echo_lost = False
    seen.work(IN)
    assert seen.here(IN).state is PassageState.OPENED
    seen.drive(IN)
    assert seen.gates[IN].pulses == 1


def test_a_boom_that_closes_on_a_standing_vehicle_asks() -> None:
    lanes = LaneRig()
    lanes.loops(IN, True, False)
    lanes.read(IN)
    lanes.work(IN)
    lanes.gates[IN].shut()
    lanes.work(IN)
    assert lanes.here(IN).question.why is Why.CLOSED_TOO_SOON  # type: ignore[union-attr]
    answer_guard(lanes.box, IN, lanes.here(IN).passage_id, Answer.OPEN, "张军", "再开一次")
    lanes.work(IN)
    lanes.drive(IN)
    assert lanes.gates[IN].pulses == 2
    assert lanes.inside() == 1


def test_a_backfilled_entry_opens_nothing_and_lets_its_vehicle_leave_by_the_true_time() -> None:
    lanes = LaneRig()
    made_at = lanes.now.wall_at - 7_200_000
    answer = lanes.read(IN, age_ms=7_200_000, backfill=True)
    assert answer.outcome is LaneOutcome.RECORDED
    assert lanes.commands(IN) == ()
    assert lanes.stay().entered_at == made_at
    lanes.loops(OUT, True, False)
    assert lanes.read(OUT).lines == (PLATE, "请缴费10元")


def test_a_backfilled_exit_ends_the_stay() -> None:
    lanes = LaneRig()
    lanes.come()
    lanes.ports.clock.advance(7_200_000)
    lanes.read(OUT, age_ms=3_600_000, backfill=True)
    assert lanes.stay().state is SessionState.LEFT
    assert lanes.stay().left_at == lanes.now.wall_at - 3_600_000
    assert lanes.commands(OUT) == ()


def test_a_lane_that_is_not_here_is_refused_by_name() -> None:
    with pytest.raises(Invalid, match="no lane 'nowhere'; it has in-1, out-1"):
        LaneRig().read("nowhere")
