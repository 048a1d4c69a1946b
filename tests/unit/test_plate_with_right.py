"""A plate that has a pass for a stay is believed over a misread of it, at either end of the stay."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from edge.parking.decision import Answer, Verdict, Why
from edge.parking.parking_pass import PassKind
from edge.services.answer_guard import answer_guard
from edge.services.issue_pass import PassAsk, issue_pass
from edge.services.quote_session import quote_session
from tests.unit.lane_rig import IN, OUT, LaneRig

#: A green plate, and what is left of it when its last character is lost: a blue plate by its form.
WHOLE, CUT = "湘PF48540", "湘PF4854"
ONE, OTHER = "粤B12345", "粤B1Z345"
HOUR_MS = 3_600_000


def sure(plate: str, doubtful: int | None = None) -> tuple[float, ...]:
    return tuple(0.5 if at == doubtful else 0.97 for at in range(len(plate)))


def rig_with_pass(*plates: str) -> LaneRig:
    rig = LaneRig()
    for plate in plates:
        issue_pass(rig.box, PassAsk(f"pass-{plate}", PassKind.MONTH, "车主", (plate,)), "office")
    return rig


def stays_an_hour(
    rig: LaneRig, entry: tuple[str, Sequence[float]], leaves: tuple[str, Sequence[float]], colour: str = ""
) -> tuple[Verdict, Why, str, int]:
    """Return what became of the vehicle at the exit, the plate of its stay and what is due."""
    more = {"colour": colour} if colour else {}
    rig.loops(IN, True, False)
    rig.read(IN, entry[0], confidences=tuple(entry[1]), **more)
    rig.work(IN)
    rig.drive(IN)
    session_id = rig.stay(entry[0]).session_id
    rig.ports.clock.advance(HOUR_MS)
    rig.loops(OUT, True, False)
    rig.read(OUT, leaves[0], confidences=tuple(leaves[1]), **more)
    decision = rig.here(OUT).decision
    stay = rig.box.store.read(lambda unit: unit.sessions.get(session_id))
    assert stay is not None
    assert decision is not None
    due_fen = rig.box.store.read(lambda unit: quote_session(unit, rig.box, stay, rig.now)).due_fen
    return decision.verdict, decision.why, stay.plate, due_fen


@pytest.mark.parametrize("colour", ["blue", "green", ""])
def test_a_pass_that_let_a_vehicle_in_is_not_taken_from_it_by_a_misread_at_the_exit(colour: str) -> None:
    rig = rig_with_pass(WHOLE)
    done = stays_an_hour(rig, (WHOLE, sure(WHOLE)), (CUT, sure(CUT)), colour)
    assert done == (Verdict.OPEN, Why.FREE, WHOLE, 0)


def test_a_pass_counts_that_the_entry_has_hidden_once_the_guard_has_said_whose_stay_it_is() -> None:
    rig = rig_with_pass(WHOLE)
    asked = stays_an_hour(rig, (CUT, sure(CUT)), (WHOLE, sure(WHOLE)), "blue")
    assert asked == (Verdict.ASK, Why.UNSURE_SESSION, CUT, 1_000)
    stay = rig.stay(CUT)
    passage_id = rig.here(OUT).passage_id
    answer_guard(rig.box, OUT, passage_id, Answer.CHOOSE, "张军", session_id=stay.session_id)
    decision = rig.here(OUT).decision
    assert decision is not None
    assert (decision.verdict, decision.why) == (Verdict.OPEN, Why.FREE)
    assert rig.stay(WHOLE).session_id == stay.session_id


def test_a_pass_outweighs_a_surer_read() -> None:
    rig = rig_with_pass(ONE)
    assert stays_an_hour(rig, (ONE, sure(ONE, 3)), (OTHER, sure(OTHER)))[2:] == (ONE, 0)
    rig = rig_with_pass(OTHER)
    assert stays_an_hour(rig, (ONE, sure(ONE)), (OTHER, sure(OTHER, 3)))[2:] == (OTHER, 0)


def test_a_pass_that_does_not_hold_for_the_stay_outweighs_nothing() -> None:
    rig = rig_with_pass(ONE)
    rig.ports.clock.advance(40 * 24 * HOUR_MS)
    done = stays_an_hour(rig, (ONE, sure(ONE, 3)), (OTHER, sure(OTHER)))
    assert done == (Verdict.PAY, Why.DUE, OTHER, 1_000)


def test_without_a_pass_the_surer_read_is_believed() -> None:
    done = stays_an_hour(LaneRig(), (ONE, sure(ONE, 3)), (OTHER, sure(OTHER)))
    assert done == (Verdict.PAY, Why.DUE, OTHER, 1_000)
