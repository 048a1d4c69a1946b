"""A person answers the question about the vehicle at a lane, or opens unasked; always with a name."""

from __future__ import annotations

from edge.clock import Instant
from edge.errors import Invalid
from edge.parking.advance import GuardAnswer
from edge.parking.debt import DebtCause
from edge.parking.decision import Answer, Why
from edge.parking.facility import Lane
from edge.parking.passage import Passage
from edge.parking.plate import normalise, require_plate
from edge.parking.session import SessionState
from edge.services.box import Box
from edge.services.correct_plate import learn_answer
from edge.services.lane_turn import LaneTurn
from edge.services.quote_session import quote_session
from edge.services.record_debt import record_debt
from edge.services.records import Unit
from edge.services.stuck_loops import call_stuck
from edge.services.truer_of import truer_of

#: Letters of a reason, at least and at most.
MIN_REASON = 2
MAX_REASON = 200

_NEEDS_REASON = frozenset({Answer.OPEN, Answer.LET_OUT, Answer.LIFTED})


def answer_guard(
    box: Box,
    lane_name: str,
    passage_id: str,
    answer: Answer,
    by: str,
    reason: str = "",
    plate: str = "",
    session_id: str = "",
) -> Passage:
    """Answer for the vehicle at a lane; return its passage.

    passage_id: the one that the person saw, so that an answer never meets the next vehicle. reason: needed to
    open. plate: for CORRECT; session_id: for CHOOSE, and which stay is let out with its fee written down. To
    name another vehicle than the one whose gate was to open while nobody looked says that it is through.
    Raises Invalid when that vehicle is not there any more or something is missing; repeating changes nothing.
    """
    lane, words = box.parking.lane(lane_name), " ".join(reason.split())
    _require(answer, by, words, plate, session_id)
    now = box.clock.now()

    def work(unit: Unit) -> Passage:
        passage = unit.passages.current(lane.name)
        if passage is None or passage.passage_id != passage_id:
            raise Invalid(f"the vehicle that was asked about is not at lane {lane.name} any more; look again")
        return _answer(unit, box, lane, passage, answer, by, words, plate, session_id, now)

    done = box.store.write(work)
    box.wake_lane(lane.name)
    return done


def open_by_hand(box: Box, lane_name: str, by: str, reason: str, why: Why = Why.BY_HAND) -> Passage:
    """Open a lane's gate for whoever stands there, with a reason; return the passage.

    Opens once for the vehicle there: while its gate opens already, nothing more is sent. A lane with nobody
    known in it begins a passage of its own, so that every opening has one.
    """
    lane, words = box.parking.lane(lane_name), " ".join(reason.split())
    _require(Answer.OPEN, by, words, "", "")
    now = box.clock.now()

    def work(unit: Unit) -> Passage:
        turn = LaneTurn(unit, box, lane, now)
        passage = unit.passages.current(lane.name)
        if passage is None:
            passage = turn.begin()
            unit.passages.put(passage)
        return turn.see(passage, GuardAnswer(Answer.OPEN, by, words, why=why))

    done = box.store.write(work)
    box.wake_lane(lane.name)
    return done


def _answer(
    unit: Unit,
    box: Box,
    lane: Lane,
    passage: Passage,
    answer: Answer,
    by: str,
    words: str,
    plate: str,
    session_id: str,
    now: Instant,
) -> Passage:
    due_fen = 0
    whose = session_id or passage.session_id
    if answer is Answer.LET_OUT:
        due_fen = _owed(unit, box, whose, now)
    chosen = unit.sessions.get(session_id) if answer is Answer.CHOOSE else None
    seen = unit.plate_reads.get(passage.read_id)
    named = normalise(plate) if chosen is None else truer_of(unit, box, chosen, seen, now.wall_at)
    said = GuardAnswer(answer, by, words, named, session_id, due_fen)
    if answer is Answer.GONE:
        passage = call_stuck(unit, box, lane, passage, now, by)
    turn = LaneTurn(unit, box, lane, now)
    after = turn.see(passage, said)
    following = unit.passages.current(lane.name)
    if answer in (Answer.CHOOSE, Answer.CORRECT) and after.is_over and following is not None:
        # The vehicle on the page went through while nobody looked; what is said is of the next one.
        passage, after = following, turn.see(following, said)
    if answer in (Answer.CHOOSE, Answer.CORRECT):
        read = unit.plate_reads.get(passage.read_id or after.read_id)
        learn_answer(unit, box, read, session_id or after.session_id, plate, by, now)
    owing = unit.sessions.get(whose)
    if owing is not None and due_fen and after.opening != passage.opening:
        record_debt(unit, box, owing, due_fen, DebtCause.GUARD, now, lane.name, by)
    return after


def _owed(unit: Unit, box: Box, session_id: str, now: Instant) -> int:
    session = unit.sessions.get(session_id)
    if session is None or session.state is not SessionState.INSIDE:
        return 0
    try:
        return quote_session(unit, box, session, now).due_fen
    except Invalid:
        # Without a tariff nobody can say what is owed; the vehicle is let go all the same.
        return 0


def _require(answer: Answer, by: str, reason: str, plate: str, session_id: str) -> None:
    if not by:
        raise Invalid("say who answers; every opening has a name")
    if answer in _NEEDS_REASON and not MIN_REASON <= len(reason) <= MAX_REASON:
        raise Invalid(f"a gate is opened by hand with a reason of {MIN_REASON} to {MAX_REASON} characters")
    if answer is Answer.CORRECT:
        require_plate(plate)
    if answer is Answer.CHOOSE and not session_id:
        raise Invalid("choose the stay that is this vehicle's")
