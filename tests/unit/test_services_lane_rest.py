"""Lanes with less to see by, gates held open, tickets, counts, clocks, and what a lane shows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.errors import Invalid
from edge.parking.decision import Answer, Verdict, Why
from edge.parking.gate_command import GateCommandState
from edge.parking.passage import Behind, PassageEnd, PassageState
from edge.parking.session import SessionState
from edge.services.answer_guard import answer_guard
from edge.services.collect_answer import collect_answer
from edge.services.count_zone import count_hours
from edge.services.hold_gate import end_hold, hold_gate
from edge.services.lane_answer import LaneOutcome
from edge.services.lane_stays import UNSEEN_EXIT
from edge.services.lane_ticket import show_ticket, take_ticket
from edge.services.open_lane import Opening, end_cut_off, open_lane
from edge.services.passage_records import CorrectionReason, HoldReason
from edge.services.plate_records import PlateBlock
from edge.services.recount import correct_count, recount
from edge.services.see_loop import see_loop
from edge.services.see_plate import see_plate
from edge.services.show_lane import show_lane, show_lanes
from tests.unit.lane_rig import IN, OTHER, OUT, PLATE, LaneRig, camera_only, rig


def relay_lanes() -> LaneRig:
    """Lanes whose cameras open by their own relays."""
    return rig(gate="", loops=0, boom=False)


def test_a_camera_opens_by_the_answer_to_its_push_once() -> None:
    lanes = relay_lanes()
    first = lanes.read(IN, key="one")
    assert (first.outcome, first.open_now) == (LaneOutcome.OPEN, True)
    again = lanes.read(IN, key="one")
    assert (again.outcome, again.open_now) == (LaneOutcome.REPEAT, False)
    assert lanes.here(IN).question.why is Why.GATE_DOUBTFUL  # type: ignore[union-attr]
    answer_guard(lanes.box, IN, lanes.here(IN).passage_id, Answer.OPEN, "张军", "没开")
    collected = collect_answer(lanes.box, IN)
    assert collected is not None
    assert collected.open_now
    assert collect_answer(lanes.box, IN) is None
    assert len(lanes.commands(IN)) == 2


def test_without_loops_time_ends_a_passage_and_the_next_plate_does_sooner() -> None:
    lanes = camera_only()
    lanes.read(IN)
    assert lanes.work(IN) is Opening.ECHOED
    lanes.wait(IN, 3)
    assert lanes.read(IN, OTHER).outcome is LaneOutcome.OPEN
    lanes.work(IN)
    lanes.wait(IN, 20)
    assert lanes.passage(IN) is None
    assert lanes.last(IN).assumed
    assert lanes.gates[IN].pulses == 2
    assert lanes.inside() == 2


def test_a_vehicle_that_comes_again_before_it_was_seen_through_is_on_the_same_visit() -> None:
    lanes = camera_only()
    lanes.read(IN)
    lanes.work(IN)
    lanes.wait(IN, 60)
    assert lanes.passage(IN) is None
    assert lanes.read(IN).outcome is LaneOutcome.OPEN
    lanes.work(IN)
    assert lanes.gates[IN].pulses == 2
    assert lanes.inside() == 1
    assert lanes.here(IN).decision.why is Why.AGAIN  # type: ignore[union-attr]


def test_turned_back_after_all_makes_an_assumed_passage_undone() -> None:
    lanes = camera_only()
    stay = lanes.read(IN)
    lanes.work(IN)
    lanes.wait(IN, 20)
    assert lanes.stay().state is SessionState.INSIDE
    lanes.read(IN, trigger="turned_back")
    assert lanes.stay().state is SessionState.NEVER_ENTERED
    assert stay.passage_id == lanes.last(IN).passage_id
    lanes.read(OUT)
    assert lanes.stay().state is SessionState.INSIDE, "it is at the exit, so it did enter"


def test_turned_back_at_an_exit_without_loops_goes_on_with_the_stay_and_its_money() -> None:
    lanes = camera_only()
    lanes.read(IN)
    lanes.work(IN)
    lanes.wait(IN, 400, step=20)
    stay = lanes.stay()
    lanes.settle(stay.session_id, 500)
    lanes.read(OUT)
    lanes.work(OUT)
    lanes.wait(OUT, 20)
    assert lanes.stay().state is SessionState.LEFT
    lanes.read(OUT, trigger="turned_back")
    assert lanes.stay().state is SessionState.INSIDE
    assert lanes.read(OUT).outcome is LaneOutcome.OPEN


def test_a_vehicle_without_a_plate_takes_a_ticket_and_leaves_by_it() -> None:
    lanes = LaneRig()
    with pytest.raises(Invalid, match="no vehicle"):
        take_ticket(lanes.box, IN)
    lanes.loops(IN, True, False)
    answer = lanes.read(IN, "")
    assert (answer.outcome, answer.look_again) == (LaneOutcome.ASK, True)
    assert answer.lines == ("无牌车请扫码",)
    ticket = take_ticket(lanes.box, IN)
    assert take_ticket(lanes.box, IN) == ticket
    lanes.work(IN)
    lanes.drive(IN)
    assert lanes.gates[IN].pulses == 1
    lanes.loops(OUT, True, False)
    lanes.wait(OUT, 6)
    assert lanes.here(OUT).question.why is Why.NO_PLATE  # type: ignore[union-attr]
    with pytest.raises(Invalid, match="ticket"):
        show_ticket(lanes.box, OUT, "another")
    assert show_ticket(lanes.box, OUT, ticket).decision.verdict is Verdict.PAY  # type: ignore[union-attr]
    with pytest.raises(Invalid, match="gives no tickets"):
        take_ticket(rig(needs_plate=True).box, IN)


def test_a_held_gate_lets_everybody_pass_until_its_time_is_over() -> None:
    lanes = LaneRig()
    hold = hold_gate(lanes.box, IN, HoldReason.FIRE, "张军", 60, "演习")
    assert lanes.work(IN) is Opening.ECHOED
    lanes.loops(IN, True, False)
    assert lanes.read(IN).outcome is LaneOutcome.OPEN
    lanes.work(IN)
    assert lanes.gates[IN].pulses == 1
    assert lanes.here(IN).state is PassageState.OPENED
    for occupied in ((True, True), (False, True), (False, False)):
        lanes.loops(IN, *occupied)
    lanes.wait(IN, 61)
    assert lanes.box.store.read(lambda unit: unit.lane_holds.current(IN)) is None
    assert lanes.inside() == 1
    told = [one["what"] for one in lanes.told("parking.gate")]
    assert told == ["held_open", "hold_ended"]
    assert all(one.is_over for one in lanes.commands(IN))
    assert hold.reason is HoldReason.FIRE


def test_holding_again_prolongs_and_ending_ends_once() -> None:
    lanes = LaneRig()
    first = hold_gate(lanes.box, IN, HoldReason.POWER, "张军", 60)
    again = hold_gate(lanes.box, IN, HoldReason.POWER, "张军", 600)
    assert (again.hold_id, again.until_at - first.until_at) == (first.hold_id, 540_000)
    assert end_hold(lanes.box, IN, "李雷") is not None
    assert end_hold(lanes.box, IN, "李雷") is None
    for seconds, by in ((0, "张军"), (10**6, "张军"), (60, "")):
        with pytest.raises(Invalid):
            hold_gate(lanes.box, IN, HoldReason.POWER, by, seconds)


def test_an_exit_that_is_held_open_ends_stays_and_says_what_was_due() -> None:
    lanes = LaneRig()
    lanes.come()
    hold_gate(lanes.box, OUT, HoldReason.FIRE, "张军", 600)
    lanes.work(OUT)
    lanes.loops(OUT, True, False)
    lanes.read(OUT)
    for occupied in ((True, True), (False, True), (False, False)):
        lanes.loops(OUT, *occupied)
    assert lanes.stay().state is SessionState.LEFT
    (left,) = lanes.told("parking.left")
    assert (left["why"], left["due_fen"]) == ("held_open", 500)


def test_a_recount_puts_the_count_right_with_name_and_reason() -> None:
    lanes = LaneRig(spaces=10)
    lanes.come()
    count = recount(lanes.box, "p1", 7, "张军", "夜间清点")
    assert (count.count, count.inside, count.free) == (7, 1, 3)
    assert count.corrections[0].delta == 6
    after = correct_count(lanes.box, "p1", -2, CorrectionReason.UNSEEN, "张军")
    assert after.count == 5
    assert [one["delta"] for one in lanes.told("parking.occupancy")] == [6, -2]
    for wrong in (lambda: recount(lanes.box, "p9", 1, "x"), lambda: recount(lanes.box, "p1", -1, "x")):
        with pytest.raises(Invalid):
            wrong()
    with pytest.raises(Invalid):
        correct_count(lanes.box, "p1", 0, CorrectionReason.OTHER, "x")
    with pytest.raises(Invalid, match="who"):
        recount(lanes.box, "p1", 1, "")


def test_hours_of_a_zone_add_up() -> None:
    lanes = LaneRig()
    begin = lanes.now.wall_at // 3_600_000 * 3_600_000
    lanes.come()
    hours = count_hours(lanes.box, "p1", begin, begin + 2 * 3_600_000)
    assert sum(one.entered for one in hours) == 1
    assert hours[-1].inside == 1


def test_a_clock_that_is_set_within_one_boot_charges_what_has_gone_by() -> None:
    lanes = LaneRig()
    lanes.come()
    lanes.ports.clock.advance(1_800_000)
    lanes.ports.clock.set_wall(9 * 30 * 86_400_000)
    lanes.loops(OUT, True, False)
    assert lanes.read(OUT).lines == (PLATE, "请缴费5元")
    assert lanes.stay().clock_note == "clock_jumped"


def test_over_a_restart_with_a_clock_that_nobody_vouches_for_what_is_certain_is_charged() -> None:
    lanes = LaneRig()
    lanes.come()
    stay = replace(lanes.stay(), entered_trusted=False)
    lanes.box.store.write(lambda unit: unit.sessions.put(stay))
    lanes.ports.clock.advance(5 * 3_600_000)
    lanes.ports.clock.reboot()
    lanes.loops(OUT, True, False)
    # Nothing tells of the five hours: no heartbeat was written. What this run has lasted is certain.
    assert lanes.read(OUT).lines == (PLATE, "请缴费5元")
    assert lanes.stay().clock_note == "least_time"


def test_of_a_stay_that_no_clock_of_the_box_saw_a_person_is_asked_when_the_clock_is_not_set() -> None:
    lanes = LaneRig()
    lanes.come()
    stay = replace(lanes.stay(), entered_trusted=False, entered_boot="")
    lanes.box.store.write(lambda unit: unit.sessions.put(stay))
    lanes.ports.clock.reboot()
    lanes.loops(OUT, True, False)
    assert lanes.read(OUT).outcome is LaneOutcome.ASK
    assert lanes.here(OUT).question.why is Why.CLOCK  # type: ignore[union-attr]


def test_a_clock_that_is_set_makes_no_opening_old_and_none_young() -> None:
    lanes = LaneRig()
    lanes.loops(IN, True, False)
    lanes.read(IN)
    lanes.ports.clock.set_wall(3_600_000)
    assert lanes.work(IN) is Opening.ECHOED
    lanes = LaneRig()
    lanes.loops(IN, True, False)
    lanes.read(IN)
    lanes.ports.clock.advance(6_000)
    lanes.ports.clock.set_wall(-3_600_000)
    assert lanes.work(IN) is Opening.OLD


def test_an_opening_that_waited_over_a_restart_is_not_sent_by_itself() -> None:
    lanes = LaneRig()
    lanes.loops(IN, True, False)
    lanes.read(IN)
    lanes.ports.clock.advance(6_000)
    lanes.box = lanes.made()
    assert end_cut_off(lanes.box) == 0
    assert lanes.work(IN) is Opening.OLD
    assert lanes.gates[IN].pulses == 0
    assert lanes.here(IN).question.why is Why.GATE_LATE  # type: ignore[union-attr]
    assert lanes.commands(IN)[0].state is GateCommandState.WITHDRAWN


def test_a_young_opening_is_sent_after_a_restart_and_a_pulse_that_was_cut_off_is_not() -> None:
    lanes = LaneRig()
    lanes.loops(IN, True, False)
    lanes.read(IN)
    lanes.ports.clock.advance(2_000)
    lanes.box = lanes.made()
    assert lanes.work(IN) is Opening.ECHOED
    assert lanes.gates[IN].pulses == 1


@pytest.mark.parametrize("cut_off", [True, False])
def test_a_car_that_is_gone_after_a_restart_went_through_the_gate_that_was_being_opened(
    cut_off: bool,
) -> None:
    lanes = LaneRig()
    lanes.loops(IN, True, False)
    lanes.read(IN)
    assert open_lane(lanes.box, lanes.lane(IN), lanes.gates[IN]) is Opening.ECHOED
    if cut_off:
        lanes.box = lanes.made()
        end_cut_off(lanes.box)
    # Before anybody looked again, it was gone and the boom was down.
    lanes.gates[IN].shut()
    lanes.loops(IN, False, False)
    lanes.wait(IN, 60)
    assert lanes.last(IN).end is (PassageEnd.PASSED if cut_off else PassageEnd.TURNED_BACK)
    assert lanes.stay().state is (SessionState.INSIDE if cut_off else SessionState.NEVER_ENTERED)


def test_a_camera_reports_loops_of_its_own() -> None:
    lanes = rig(gate="", loops=1, boom=False)
    see_loop(lanes.box, IN, 0, True)
    assert lanes.here(IN).state is PassageState.APPROACHED
    see_loop(lanes.box, IN, 0, True)
    lanes.read(IN)
    see_loop(lanes.box, IN, 0, False)
    assert lanes.here(IN).state is PassageState.PASSED
    see_loop(lanes.box, OUT, 0, False)
    assert lanes.passage(OUT) is None


def test_a_lane_shows_who_is_there_and_what_is_asked() -> None:
    lanes = LaneRig(spaces=5)
    idle = show_lane(lanes.box, IN)
    assert (idle.passage, idle.words.lines) == (None, ("欢迎光临", "空余车位5"))
    lanes.come()
    lanes.loops(OUT, True, False)
    lanes.read(OUT, "粤Z99999", photos=())
    view = show_lanes(lanes.box)[1]
    assert view.passage is not None
    assert view.read is not None
    assert view.read.plate == "粤Z99999"
    assert view.zone is not None
    assert view.zone.count == 1
    assert view.words.lines == ("粤Z99999", "请稍候")


def test_a_late_entry_of_a_vehicle_that_has_left_already_is_over_at_once() -> None:
    lanes = LaneRig()
    lanes.come()
    lanes.ports.clock.advance(86_400_000)
    lanes.read(IN, age_ms=90_000_000, backfill=True)
    stays = lanes.box.store.read(lambda unit: unit.sessions.last_of(PLATE, 9))
    assert [one.state for one in stays] == [SessionState.INSIDE, SessionState.LEFT]
    assert stays[1].clock_note == UNSEEN_EXIT
    assert stays[1].left_at == stays[0].entered_at
    assert lanes.inside() == 1


def test_a_late_entry_that_was_seen_live_changes_nothing() -> None:
    lanes = LaneRig()
    lanes.come()
    lanes.ports.clock.advance(600_000)
    lanes.read(IN, age_ms=601_000, backfill=True)
    lanes.read(IN, "", age_ms=601_000, backfill=True)
    assert len(lanes.box.store.read(lambda unit: unit.sessions.last_of(PLATE, 9))) == 1


def test_a_late_exit_of_a_vehicle_that_stands_there_waits_for_what_is_decided() -> None:
    lanes = LaneRig()
    lanes.come()
    lanes.ports.clock.advance(900_000)
    lanes.loops(OUT, True, False)
    lanes.read(OUT)
    lanes.read(OUT, age_ms=400_000, backfill=True)
    assert lanes.stay().state is SessionState.INSIDE


def test_a_vehicle_under_an_open_boom_without_a_decision_is_known_to_have_tailgated() -> None:
    lanes = LaneRig(spaces=1)
    lanes.come()
    lanes.loops(IN, True, False)
    lanes.read(IN, OTHER)
    for occupied in ((True, True), (False, True), (False, False)):
        lanes.loops(IN, *occupied)
    lanes.wait(IN, 10)
    assert lanes.last(IN).end is PassageEnd.TAILGATED
    (told,) = lanes.told("parking.tailgated")
    assert (told["identified"], told["plate"]) == (True, OTHER)
    assert lanes.inside() == 2


def test_a_held_boom_that_comes_down_is_raised_again_but_not_all_the_time() -> None:
    lanes = LaneRig()
    hold_gate(lanes.box, IN, HoldReason.FIRE, "张军", 600)
    lanes.work(IN)
    for _ in range(3):
        lanes.gates[IN].shut()
        lanes.wait(IN, 4)
    assert lanes.gates[IN].pulses == 2
    lanes.wait(IN, 10)
    assert lanes.gates[IN].pulses == 2, "it is up"
    end_hold(lanes.box, IN, "张军")
    lanes.gates[IN].shut()
    lanes.wait(IN, 30)
    assert lanes.gates[IN].pulses == 2
    assert all(one.is_over for one in lanes.commands(IN))


def test_a_hold_ends_in_time_after_a_restart_of_the_machine() -> None:
    lanes = LaneRig()
    hold_gate(lanes.box, IN, HoldReason.POWER, "张军", 60)
    lanes.ports.clock.reboot(61_000)
    lanes.look(IN)
    assert lanes.box.store.read(lambda unit: unit.lane_holds.current(IN)) is None


def test_a_black_listed_plate_is_refused_and_a_guard_may_decide_otherwise() -> None:
    lanes = LaneRig()
    block = PlateBlock(PLATE, "command-1", "HQ", lanes.now.wall_at, lanes.now.wall_at + 86_400_000, "stolen")
    lanes.box.store.write(lambda unit: unit.plates.block(block))
    lanes.loops(IN, True, False)
    answer = lanes.read(IN)
    assert (answer.outcome, answer.lines[1]) == (LaneOutcome.REFUSE, "禁止入场,请联系管理员")
    passage = lanes.here(IN)
    assert passage.question is not None
    assert passage.question.recommended is Answer.REFUSE
    answer_guard(lanes.box, IN, passage.passage_id, Answer.REFUSE, "张军")
    assert lanes.here(IN).question is None
    lanes.loops(IN, False, False)
    lanes.wait(IN, 5)
    assert lanes.last(IN).end is PassageEnd.TURNED_BACK
    assert lanes.inside() == 0


def test_without_a_tariff_a_guard_lets_out_and_nothing_is_owed() -> None:
    lanes = LaneRig()
    lanes.come()
    lanes.box.store.write(lambda unit: unit.tariffs.replace(()))
    lanes.loops(OUT, True, False)
    assert lanes.read(OUT).outcome is LaneOutcome.ASK
    passage = lanes.here(OUT)
    assert passage.question is not None
    assert (passage.question.why, passage.question.recommended) == (Why.NO_PRICE, Answer.LET_OUT)
    answer_guard(lanes.box, OUT, passage.passage_id, Answer.LET_OUT, "张军", "没有价格")
    lanes.work(OUT)
    lanes.drive(OUT)
    stay = lanes.stay()
    assert stay.state is SessionState.LEFT
    assert lanes.box.store.read(lambda unit: unit.debts.of_session(stay.session_id)) == ()


def test_an_exit_that_leaves_by_no_stay_takes_the_nameless_one_with_it() -> None:
    lanes = LaneRig()
    lanes.loops(IN, True, False)
    lanes.read(IN)
    lanes.work(IN)
    for occupied in ((True, True), (False, True), (False, False), (True, False), (True, True), (False, True)):
        lanes.loops(IN, *occupied)
    lanes.loops(IN, False, False)
    lanes.gates[IN].shut()
    lanes.work(IN)
    assert lanes.inside() == 2
    lanes.loops(OUT, True, False)
    lanes.read(OUT, OTHER)
    answer_guard(lanes.box, OUT, lanes.here(OUT).passage_id, Answer.OPEN, "张军", "跟车进来的")
    lanes.work(OUT)
    lanes.drive(OUT)
    assert lanes.inside() == 1
    assert lanes.stay().state is SessionState.INSIDE


def test_a_late_read_of_a_vehicle_two_before_begins_nothing_at_an_empty_lane() -> None:
    park = rig()
    for plate in (PLATE, OTHER):
        park.come(plate)
    park.ports.clock.advance(5_000)
    answer = park.read(IN, PLATE, age_ms=40_000)
    assert answer.outcome is LaneOutcome.RECORDED
    assert park.passage(IN) is None
    assert park.inside() == 2
    assert park.gates[IN].pulses == 2


def test_a_late_read_of_the_vehicle_before_is_not_taken_for_the_next_one() -> None:
    park = rig()
    park.come(PLATE)
    park.ports.clock.advance(4_000)
    park.loops(IN, True, False)
    park.read(IN, PLATE, age_ms=9_000)
    assert park.here(IN).plate == ""
    park.read(IN, OTHER)
    assert park.here(IN).plate == OTHER
    assert park.here(IN).behind is None


def test_a_guard_who_names_a_vehicle_takes_its_read_out_of_the_queue_behind_it() -> None:
    park = rig()
    park.loops(IN, True, False)
    park.wait(IN, 7)
    asked = park.here(IN)
    assert asked.question is not None
    # The camera is late: its read of this very vehicle looks like one of the next.
    taken = replace(asked, plate="粤A00000", behind=Behind("r", PLATE, asked.begun_at))
    park.box.store.write(lambda unit: unit.passages.put(taken))
    answer_guard(park.box, IN, asked.passage_id, Answer.CORRECT, "张军", plate=PLATE)
    assert park.here(IN).behind is None
    assert park.here(IN).plate == PLATE


def test_a_back_filled_read_names_the_vehicle_that_followed_another_one_in() -> None:
    park = rig()
    park.loops(IN, True, False)
    park.read(IN, PLATE)
    park.work(IN)
    # The camera fails now; a second vehicle follows under the same opening.
    steps = ((True, True), (False, True), (False, False), (True, False), (True, True), (False, True))
    for occupied in steps:
        park.ports.clock.advance(400)
        park.loops(IN, *occupied)
    park.loops(IN, False, False)
    park.gates[IN].shut()
    park.work(IN)
    nameless = park.box.store.read(lambda unit: unit.sessions.inside(""))
    assert len(nameless) == 1
    park.ports.clock.advance(60_000)
    seen_at = nameless[0].entered_at - 3_000
    late = park.seen(OTHER, device="cam-in-1", backfill=True, camera_at_ms=seen_at)
    see_plate(park.box, IN, late)
    assert park.inside() == 2
    assert park.stay(OTHER).session_id == nameless[0].session_id


@pytest.mark.parametrize("step_ms", [3 * 3_600_000, -3 * 3_600_000, 30_000])
def test_a_clock_that_is_set_makes_no_read_look_old(step_ms: int) -> None:
    lanes = LaneRig()
    lanes.come()
    lanes.ports.clock.advance(600_000)
    lanes.ports.clock.set_wall(step_ms)
    lanes.loops(IN, True, False)
    # The camera's clock goes on as it was.
    camera_at = lanes.now.wall_at - step_ms
    assert lanes.read(IN, OTHER, camera_at_ms=camera_at).outcome is LaneOutcome.OPEN
