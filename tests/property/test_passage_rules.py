"""Single rules of a passage, each held by itself; the mixtures are in test_passages.py."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.errors import Invalid
from edge.parking.advance import GateNews, GuardAnswer, Settled, Tick, advance, alike, begin, is_echo
from edge.parking.camera_clock import LastRead, age_of
from edge.parking.decision import Answer, Decision, Verdict, Why, ask, decision_id
from edge.parking.facility import LaneWay
from edge.parking.gate_command import (
    MAX_TRIES,
    GateCommand,
    GateCommandState,
    advanced,
    commanded,
    not_sent,
)
from edge.parking.lane_texts import lane_texts, yuan
from edge.parking.observation import BoomChange, BoomPlace, LoopChange, PlateRead, Trigger
from edge.parking.passage import Passage, PassageEnd, PassageRules, PassageState
from edge.parking.passage_step import Effect, EffectKind

AT = 1_000_000
PLATE, OTHER = "粤B12345", "粤B67890"
CAMERA = PassageRules(LaneWay.ENTRY)
LOOPS = PassageRules(LaneWay.ENTRY, loops=2, boom=True)
OPEN = Decision(Verdict.OPEN, Why.VISITOR, plate=PLATE)
COMMAND = GateCommand("p#1", "in-1", "gate", "p", "visitor", "", AT, "boot", 5)


def read(plate: str = PLATE, **more: object) -> PlateRead:
    one = PlateRead("r1", "in-1", "cam", "1", plate, AT, AT)
    return replace(one, **more)  # type: ignore[arg-type]


def come(rules: PassageRules = CAMERA, plate: str = PLATE) -> Passage:
    passage = begin("p", "in-1", rules.way, AT, loops=(False,) * rules.loops)
    return advance(passage, read(plate), AT, rules)[0]


def decided(rules: PassageRules = CAMERA) -> Passage:
    return advance(come(rules), OPEN, AT, rules)[0]


def opened(rules: PassageRules = CAMERA) -> Passage:
    passage = advance(decided(rules), GateNews(1, GateCommandState.ECHOED), AT, rules)[0]
    if rules.boom:
        passage = advance(passage, BoomChange("in-1", BoomPlace.UP, AT), AT, rules)[0]
    assert passage.state is PassageState.OPENED
    return passage


def kinds(effects: tuple[Effect, ...]) -> list[EffectKind]:
    return [one.kind for one in effects]


def test_a_gate_that_surely_was_not_opened_is_asked_about_at_once() -> None:
    passage, _ = advance(decided(), GateNews(1, GateCommandState.FAILED), AT, CAMERA)
    assert passage.question == ask(Why.GATE_FAILED, AT, "")
    assert passage.state is PassageState.WAITING


@pytest.mark.parametrize(("echoed", "why"), [(True, Why.GATE_STUCK), (False, Why.GATE_DOUBTFUL)])
def test_a_boom_that_is_not_seen_up_in_time_is_asked_about_once(echoed: bool, why: Why) -> None:
    passage = decided(LOOPS)
    if echoed:
        passage = advance(passage, GateNews(1, GateCommandState.ECHOED), AT, LOOPS)[0]
    assert advance(passage, Tick(), AT + LOOPS.open - 1, LOOPS) == (passage, ())
    asked, effects = advance(passage, Tick(), AT + LOOPS.open, LOOPS)
    assert asked.question is not None
    assert asked.question.why is why
    assert kinds(effects) == [EffectKind.TELL]
    assert advance(asked, Tick(), AT + LOOPS.open + 1, LOOPS) == (asked, ())


def test_a_guard_who_says_open_twice_opens_once_and_may_open_anew_when_asked() -> None:
    said = GuardAnswer(Answer.OPEN, "张军", "reason")
    asked = advance(come(), Decision(Verdict.ASK, Why.NO_SESSION), AT, CAMERA)[0]
    first, effects = advance(asked, said, AT, CAMERA)
    assert kinds(effects) == [EffectKind.ENTER, EffectKind.OPEN]
    assert advance(first, said, AT + 10, CAMERA) == (first, ())
    stuck = advance(first, Tick(), AT + CAMERA.open, CAMERA)[0]
    again, effects = advance(stuck, said, AT + CAMERA.open, CAMERA)
    assert again.opening == 2
    assert kinds(effects) == [EffectKind.WITHDRAW, EffectKind.LEDGER, EffectKind.OPEN]


def test_without_loops_a_vehicle_that_waits_and_gives_no_sign_is_gone() -> None:
    waiting = advance(come(), Decision(Verdict.ASK, Why.NO_SESSION), AT, CAMERA)[0]
    assert not advance(waiting, Tick(), AT + CAMERA.unseen - 1, CAMERA)[0].is_over
    gone, effects = advance(waiting, Tick(), AT + CAMERA.unseen, CAMERA)
    assert gone.end is PassageEnd.LOST
    assert effects == ()


def test_a_stale_question_goes_when_the_same_vehicle_is_read_afresh() -> None:
    stale = begin("p", "in-1", LaneWay.ENTRY, AT)
    stale = advance(stale, read(age_ms=20_000), AT, CAMERA)[0]
    stale = advance(stale, OPEN, AT, CAMERA)[0]
    assert stale.question is not None
    fresh, effects = advance(stale, read(read_id="r2"), AT + 1_000, CAMERA)
    assert (fresh.fresh, kinds(effects)) == (True, [EffectKind.DECIDE])
    assert advance(fresh, OPEN, AT + 1_000, CAMERA)[0].opening == 1


def test_a_second_look_with_one_other_character_is_the_same_vehicle() -> None:
    after, effects = advance(opened(), read("粤B12346"), AT + 1_000, CAMERA)
    assert (after.plate, after.behind, effects) == (PLATE, None, ())
    later, _ = advance(opened(), read("粤B12346"), AT + CAMERA.second_look + 1, CAMERA)
    assert later.end is PassageEnd.PASSED


def test_while_a_vehicle_stands_on_its_first_loop_a_late_misread_of_it_is_nobody_behind() -> None:
    there = replace(opened(LOOPS), loops=(True, False), on_near=True)
    late, misread = AT + LOOPS.second_look + 1, read("粤B12346")
    assert advance(there, misread, late, LOOPS)[0].behind is None
    assert advance(there, read(OTHER), late, LOOPS)[0].behind is not None
    for gone in ({"near_freed": True}, {"blind": True}, {"loops": (False, True)}):
        elsewhere = replace(there, **gone)
        assert advance(elsewhere, misread, late, LOOPS)[0].behind is not None


def test_an_exit_that_found_no_stay_tries_the_second_look() -> None:
    rules = PassageRules(LaneWay.EXIT)
    asked = advance(come(rules), Decision(Verdict.ASK, Why.NO_SESSION), AT, rules)[0]
    again, effects = advance(asked, read("粤B12346", read_id="r2"), AT + 900, rules)
    assert (again.plate, kinds(effects)) == ("粤B12346", [EffectKind.DECIDE])


def test_a_plate_that_is_read_right_after_a_ticket_names_the_stay() -> None:
    blank = advance(come(CAMERA, ""), Decision(Verdict.ASK, Why.NO_PLATE), AT, CAMERA)[0]
    let_in = advance(blank, GuardAnswer(Answer.OPEN, "phone", why=Why.TICKET), AT + 500, CAMERA)[0]
    named, effects = advance(let_in, read(), AT + 900, CAMERA)
    assert (named.plate, kinds(effects)) == (PLATE, [EffectKind.NAME])


def test_without_loops_the_next_plate_means_that_the_first_is_through() -> None:
    early, _ = advance(opened(), read(OTHER, read_id="r2"), AT + CAMERA.follow - 1, CAMERA)
    assert early.behind is not None
    assert not early.is_over
    gone, effects = advance(opened(), read(OTHER, read_id="r2"), AT + CAMERA.follow, CAMERA)
    assert (gone.end, gone.assumed) == (PassageEnd.PASSED, True)
    assert kinds(effects)[-1] is EffectKind.NEXT


def test_at_an_exit_a_paying_vehicle_keeps_the_lane_whoever_comes_behind() -> None:
    rules = PassageRules(LaneWay.EXIT)
    paying = advance(come(rules), Decision(Verdict.PAY, Why.DUE, session_id="s"), AT, rules)[0]
    after, _ = advance(paying, read(OTHER, read_id="r2"), AT + 60_000, rules)
    assert (after.state, after.plate) == (PassageState.WAITING, PLATE)
    settled, effects = advance(after, Settled("s"), AT + 70_000, rules)
    assert (settled.state, kinds(effects)) == (PassageState.IDENTIFIED, [EffectKind.DECIDE])
    assert advance(after, Settled("another"), AT + 70_000, rules) == (after, ())


def test_at_an_entry_a_refused_vehicle_gives_way_to_the_next() -> None:
    refused = advance(come(), Decision(Verdict.REFUSE, Why.FULL), AT, CAMERA)[0]
    gone, effects = advance(refused, read(OTHER, read_id="r2"), AT + CAMERA.leave, CAMERA)
    assert gone.end is PassageEnd.LOST
    assert kinds(effects) == [EffectKind.NEXT]


def test_a_late_read_of_a_vehicle_before_does_not_queue_behind() -> None:
    after, effects = advance(opened(), read(OTHER, age_ms=9_000), AT + 1_000, CAMERA)
    assert (after.behind, effects[0].word) == (None, "late")


def test_a_vehicle_behind_that_turns_back_is_forgotten() -> None:
    queued = advance(opened(LOOPS), read(OTHER, read_id="r2"), AT + 1_000, LOOPS)[0]
    assert queued.behind is not None
    after, _ = advance(queued, read(OTHER, trigger=Trigger.TURNED_BACK), AT + 2_000, LOOPS)
    assert (after.behind, after.is_over) == (None, False)


def test_a_camera_may_say_afterwards_that_the_vehicle_turned_back() -> None:
    gone = advance(opened(), Tick(), AT + CAMERA.pass_, CAMERA)[0]
    over = advance(gone, Tick(), AT + CAMERA.pass_ + CAMERA.settle, CAMERA)[0]
    back = read(trigger=Trigger.TURNED_BACK)
    for passage in (gone, over):
        after, effects = advance(passage, back, AT + 20_000, CAMERA)
        assert after.end is PassageEnd.TURNED_BACK
        assert EffectKind.UNDO_ENTRY in kinds(effects)
    too_late = read(trigger=Trigger.TURNED_BACK)
    assert advance(over, too_late, AT + 300_000, CAMERA) == (over, ())
    sure = replace(over, assumed=False)
    assert advance(sure, back, AT + 20_000, CAMERA) == (sure, ())


def test_one_loop_under_the_boom_tells_through_from_back() -> None:
    rules = PassageRules(LaneWay.EXIT, loops=1)
    there = advance(opened(rules), LoopChange("out", 0, True, 0), AT + 500, rules)[0]
    gone, effects = advance(there, LoopChange("out", 0, False, 0), AT + 2_000, rules)
    assert gone.state is PassageState.PASSED
    assert EffectKind.LEAVE in kinds(effects)
    waits = advance(come(rules), Decision(Verdict.PAY, Why.DUE), AT, rules)[0]
    waits = advance(waits, LoopChange("out", 0, True, 0), AT, rules)[0]
    waits = advance(waits, LoopChange("out", 0, False, 0), AT + 9_000, rules)[0]
    assert advance(waits, Tick(), AT + 9_000 + rules.leave, rules)[0].end is PassageEnd.TURNED_BACK


def test_who_pays_before_the_one_loop_under_the_boom_is_given_time() -> None:
    rules = PassageRules(LaneWay.EXIT, loops=1)
    waits = advance(come(rules), Decision(Verdict.PAY, Why.DUE), AT, rules)[0]
    assert advance(waits, Tick(), AT + rules.unseen - 1, rules)[0].end is None
    assert advance(waits, Tick(), AT + rules.unseen, rules)[0].end is PassageEnd.TURNED_BACK
    both = replace(rules, loops=2)
    assert advance(waits, Tick(), AT + 2 * both.ghost, both)[0].end is PassageEnd.TURNED_BACK


def test_at_an_entry_with_one_loop_the_next_plate_says_that_who_was_refused_is_gone() -> None:
    rules = PassageRules(LaneWay.ENTRY, loops=1)
    refused = advance(come(rules), Decision(Verdict.REFUSE, Why.FULL), AT, rules)[0]
    other = replace(read("粤C54321"), seen_at=AT + rules.leave, received_at=AT + rules.leave)
    assert advance(refused, other, AT + rules.leave, rules)[0].is_over
    both = replace(rules, loops=2)
    assert not advance(refused, other, AT + rules.leave, both)[0].is_over


def test_a_vehicle_from_the_other_side_is_no_passage_through() -> None:
    passage = begin("p", "in-1", LaneWay.ENTRY, AT, loops=(False, False))
    for loop, occupied in ((1, True), (0, True), (1, False)):
        passage, effects = advance(passage, LoopChange("in-1", loop, occupied, 0), AT, LOOPS)
    assert passage.end is PassageEnd.REVERSED
    assert EffectKind.FOLLOWER not in kinds(effects)


def test_a_named_vehicle_that_goes_through_without_an_opening_is_tailgating() -> None:
    refused = advance(come(LOOPS), Decision(Verdict.REFUSE, Why.FULL), AT, LOOPS)[0]
    told: list[EffectKind] = []
    for loop, occupied in ((0, True), (1, True), (0, False), (1, False)):
        refused, effects = advance(refused, LoopChange("in-1", loop, occupied, 0), AT + 500, LOOPS)
        told += kinds(effects)
    assert told == [EffectKind.TAILGATED, EffectKind.ENTER]
    over = advance(refused, Tick(), AT + 60_000, LOOPS)[0]
    assert over.end is PassageEnd.TAILGATED


def test_a_boom_that_was_raised_by_somebody_else_is_told_of() -> None:
    asked = advance(come(LOOPS), Decision(Verdict.ASK, Why.NO_SESSION), AT, LOOPS)[0]
    after, effects = advance(asked, BoomChange("in-1", BoomPlace.UP, 0), AT, LOOPS)
    assert [one.word for one in effects] == ["opened_elsewhere"]
    assert after.state is PassageState.WAITING
    boom = PassageRules(LaneWay.EXIT, boom=True)
    out = advance(come(boom), Decision(Verdict.ASK, Why.NO_SESSION, session_id="s"), AT, boom)[0]
    out = advance(out, BoomChange("out", BoomPlace.UP, 0), AT, boom)[0]
    out, effects = advance(out, BoomChange("out", BoomPlace.DOWN, 0), AT + 5_000, boom)
    assert out.end is PassageEnd.TAILGATED
    assert EffectKind.LEAVE in kinds(effects)


def test_a_person_says_that_nobody_is_there_or_that_the_boom_was_lifted() -> None:
    asked = advance(come(), Decision(Verdict.ASK, Why.STALE), AT, CAMERA)[0]
    gone, _ = advance(asked, GuardAnswer(Answer.GONE, "x"), AT, CAMERA)
    assert gone.end is PassageEnd.GONE
    lifted, effects = advance(asked, GuardAnswer(Answer.LIFTED, "x", "no power"), AT, CAMERA)
    assert lifted.state is PassageState.OPENED
    assert EffectKind.OPEN not in kinds(effects)
    refused, _ = advance(asked, GuardAnswer(Answer.REFUSE, "x"), AT, CAMERA)
    assert (refused.question, refused.state) == (None, PassageState.WAITING)


def test_an_opening_in_doubt_afterwards_is_asked_about_where_nothing_else_tells() -> None:
    doubtful, _ = advance(opened(), GateNews(1, GateCommandState.DOUBTFUL), AT, CAMERA)
    assert doubtful.question is not None
    assert doubtful.state is PassageState.DECIDED
    seen, _ = advance(opened(LOOPS), GateNews(1, GateCommandState.DOUBTFUL), AT, LOOPS)
    assert seen.state is PassageState.OPENED


def test_a_vehicle_that_stands_for_long_is_told_of_once() -> None:
    there = replace(come(LOOPS), loops=(True, False))
    there = advance(there, Decision(Verdict.PAY, Why.DUE), AT, LOOPS)[0]
    stayed, effects = advance(there, Tick(), AT + LOOPS.stay, LOOPS)
    assert [one.word for one in effects] == ["stayed"]
    assert advance(stayed, Tick(), AT + LOOPS.stay + 5, LOOPS) == (stayed, ())
    by_camera, effects = advance(come(), read(trigger=Trigger.STAYING), AT + 5, CAMERA)
    assert (by_camera.stayed, [one.word for one in effects]) == (True, ["stayed"])


def test_is_echo_knows_a_vehicle_that_is_through_from_one_that_comes_back() -> None:
    gone = replace(opened(), state=PassageState.CLOSED, end=PassageEnd.PASSED, ended_at=AT)
    assert is_echo(gone, PLATE, AT + CAMERA.repeat, CAMERA)
    assert not is_echo(gone, PLATE, AT + CAMERA.repeat + 1, CAMERA)
    assert not is_echo(gone, OTHER, AT, CAMERA)
    back = replace(gone, end=PassageEnd.TURNED_BACK)
    assert is_echo(back, PLATE, AT, CAMERA)
    assert not is_echo(back, PLATE, AT + 1, CAMERA)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("粤B12345", "粤B12345", True),
        ("粤B12345", "粤B12346", True),
        ("粤BD1234", "粤BD12345", True),
        ("粤BD12345", "粤B12345", True),
        ("粤B12345", "粤B12354", False),
        ("粤B12345", "京B12346", False),
        ("粤B12", "粤B13", False),
    ],
)
def test_alike_is_one_character(one: str, other: str, same: bool) -> None:
    assert alike(one, other) is alike(other, one) is same


def test_a_command_is_sent_once_from_decided_and_tried_again_only_when_surely_not_sent() -> None:
    sent = commanded(COMMAND, AT)
    with pytest.raises(Invalid, match="sent once"):
        commanded(sent, AT)
    doubtful = advanced(sent, GateCommandState.DOUBTFUL, AT)
    with pytest.raises(Invalid, match="sent once"):
        commanded(doubtful, AT)
    assert not_sent(doubtful, "late") == doubtful
    for tries in range(1, MAX_TRIES + 1):
        again = not_sent(sent, "absent")
        assert (again.tries, again.may_have_opened) == (tries, False)
        sent = commanded(again, AT) if not again.is_over else sent
    assert again.state is GateCommandState.FAILED


def test_a_report_that_comes_late_changes_nothing_that_is_further() -> None:
    passed = advanced(commanded(COMMAND, AT), GateCommandState.PASSED, AT)
    assert advanced(passed, GateCommandState.ECHOED, AT + 5) == passed
    closed = advanced(passed, GateCommandState.CLOSED, AT + 5)
    assert advanced(closed, GateCommandState.BOOM_OPEN, AT + 6) == closed
    assert advanced(closed, GateCommandState.WITHDRAWN, AT + 6) == closed
    with pytest.raises(Invalid, match="not sent"):
        advanced(COMMAND, GateCommandState.ECHOED, AT)
    with pytest.raises(Invalid, match="not advanced"):
        advanced(passed, GateCommandState.FAILED, AT)
    assert advanced(COMMAND, GateCommandState.WITHDRAWN, AT).state is GateCommandState.WITHDRAWN
    assert decision_id("p", 1) == "p#1"


@pytest.mark.parametrize(
    ("passage", "language", "lines", "voice"),
    [
        (None, "zh", ("欢迎光临", "空余车位7"), ""),
        (None, "en", ("Welcome", "7 spaces"), ""),
        (opened(), "zh", (PLATE, "欢迎光临"), "粤B12345,欢迎光临"),
        (opened(), "both", (PLATE, "欢迎光临 Welcome"), "粤B12345,欢迎光临"),
        (
            advance(come(), Decision(Verdict.PAY, Why.DUE, due_fen=550), AT, CAMERA)[0],
            "en",
            (PLATE, "Please pay 5.50 yuan"),
            "粤B12345,Please pay 5.50 yuan",
        ),
    ],
)
def test_a_display_says_what_is_to_be_done(
    passage: Passage | None, language: str, lines: tuple[str, ...], voice: str
) -> None:
    texts = lane_texts(passage, LaneWay.ENTRY, language, 7, False)
    assert (texts.lines, texts.voice) == (lines, voice)


def test_every_text_of_a_display_can_be_written_in_gbk() -> None:
    passages = [None, opened(), decided()]
    for verdict in Verdict:
        for why in Why:
            passages.append(advance(come(), Decision(verdict, why, due_fen=100), AT, CAMERA)[0])
    for passage in passages:
        for way in LaneWay:
            for free, held in ((None, False), (0, False), (3, True)):
                texts = lane_texts(passage, way, "both", free, held)
                assert texts.lines
                assert "".join((*texts.lines, texts.voice)).encode("gbk")
    assert (yuan(500), yuan(5)) == ("5", "0.05")


def test_a_live_read_is_as_old_as_its_camera_says_once_the_clock_is_known() -> None:
    assert age_of(AT, None, None, False).age_ms == 0
    assert age_of(AT, AT - 300, None, False).error_ms == 300
    late = age_of(AT, AT - 60_000, None, False)
    assert (late.age_ms, late.error_ms) == (60_000, None)
    ahead = age_of(AT, AT + 3_600_000, None, False)
    assert (ahead.age_ms, ahead.error_ms) == (0, -3_600_000)
    known = LastRead(100, 100, 60_000)
    assert age_of(AT, AT - 40_100, known, False).age_ms == 40_000
    assert age_of(AT, AT - 7_200_100, known, True).age_ms == 7_200_000
    assert age_of(AT, AT - 150, LastRead(None, 90_000, None), False).error_ms == 150


def test_two_live_reads_that_agree_show_a_clock_that_is_behind() -> None:
    first = age_of(AT, AT - 1_800_000, None, False)
    assert first.age_ms == 1_800_000
    apart = LastRead(first.error_ms, 1_800_000, 30_000)
    assert age_of(AT + 30_000, AT + 30_000 - 1_800_400, apart, False).age_ms == 400
    # What is emptied out of a queue comes all at once and teaches nothing.
    at_once = LastRead(None, 1_800_000, 100)
    assert age_of(AT + 100, AT + 100 - 1_800_000, at_once, False).age_ms == 1_800_000
    apart_wrong = LastRead(None, 1_800_000, 30_000)
    assert age_of(AT, AT - 1_700_000, apart_wrong, False).age_ms == 1_700_000
