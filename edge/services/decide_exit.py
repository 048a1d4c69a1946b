"""Decide whether a vehicle at an exit may go: whose stay it is, what is due, and what a person is asked."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from edge.clock import Instant
from edge.errors import EdgeError, Invalid
from edge.parking.advance import alike
from edge.parking.decision import Decision, Verdict, Why
from edge.parking.facility import Lane
from edge.parking.observation import PlateRead
from edge.parking.passage import Passage
from edge.parking.plate_match import Ranking
from edge.parking.quote import Quote
from edge.parking.session import Session, SessionState
from edge.services.autopay import begin_autopay
from edge.services.box import Box
from edge.services.charge_stay import put_charge
from edge.services.correct_plate import correct_in
from edge.services.find_session import find_session
from edge.services.quote_session import quote_session
from edge.services.record_debt import open_debt
from edge.services.records import Unit
from edge.services.stay_time import JUMPED, LEAST_TIME, stay_time
from edge.services.truer_of import truer_of

#: A vehicle that comes again so soon, and was not seen to go through, is leaving still.
AGAIN_MS = 300_000

#: A stay that counted as never begun so lately is believed again when its vehicle leaves.
REVIVE_MS = 3 * 24 * 3_600_000

#: Who corrects a plate when no person does, and why.
BOX, TRUER_READ = "box", "likelier by the read at the exit"

#: Of a stay whose entry or exit no clock of this box has seen, and one of the two was not synchronised.
EXIT_CLOCK = "exit_untrusted"


def decide_exit(unit: Unit, box: Box, lane: Lane, passage: Passage, now: Instant) -> Decision:
    """Return what becomes of a vehicle at an exit; a fee that is due is put on the lane's own screen."""
    held = unit.lane_holds.current(lane.name) is not None
    session, asked = _whose(unit, box, lane, passage, now)
    if session is None:
        return Decision(Verdict.OPEN, Why.HELD_OPEN, plate=passage.plate) if held else asked
    if session.state is SessionState.LEFT:
        return Decision(Verdict.OPEN, Why.AGAIN, session_id=session.session_id)
    if held:
        return Decision(Verdict.OPEN, Why.HELD_OPEN, session_id=session.session_id)
    return _by_fee(unit, box, lane, _on_this_clock(unit, session, now), now)


def _whose(
    unit: Unit, box: Box, lane: Lane, passage: Passage, now: Instant
) -> tuple[Session | None, Decision]:
    """Return the stay of a vehicle, and what is asked when there is none."""
    chosen = unit.sessions.get(passage.session_id) if passage.session_id else None
    if chosen is not None and chosen.state is SessionState.INSIDE:
        seen = unit.plate_reads.get(passage.read_id)
        named = chosen if seen is None else _truer(unit, box, chosen, seen, now)
        return named, Decision(Verdict.ASK, Why.NO_SESSION)
    if not passage.plate:
        return None, Decision(Verdict.ASK, Why.NO_PLATE)
    ranking = find_session(unit, box, _read(unit, passage, now), now.wall_at)
    if ranking.clear is not None:
        named = _truer(unit, box, ranking.clear.session, ranking.read, now)
        return named, Decision(Verdict.ASK, Why.NO_SESSION)
    known = _left_or_ghost(unit, lane, passage, ranking, now)
    if known is not None:
        return known, Decision(Verdict.ASK, Why.NO_SESSION)
    candidates = tuple(one.session.session_id for one in ranking.candidates)
    first = "" if ranking.recommended is None else ranking.recommended.session.session_id
    why = Why.UNSURE_SESSION if candidates else Why.NO_SESSION
    return None, Decision(Verdict.ASK, why, session_id=first, candidates=candidates)


def _truer(unit: Unit, box: Box, session: Session, read: PlateRead, now: Instant) -> Session:
    """Return the stay under the likelier of its two plates, the one read at the entry or the one here.

    Passes and what was spent hang on the true plate; a misread at the entry must not cost the driver them.
    """
    plate = truer_of(unit, box, session, read, now.wall_at)
    if plate == session.plate or unit.sessions.inside(plate):
        return session
    correct_in(unit, box, session.session_id, BOX, TRUER_READ, now, plate)
    return unit.sessions.get(session.session_id) or session


def _left_or_ghost(
    unit: Unit, lane: Lane, passage: Passage, ranking: Ranking, now: Instant
) -> Session | None:
    """Return the plate's last stay if it has just left here unseen, or was wrongly taken for a ghost.

    A stay inside whose plate may be this one misread is likelier: it turned back, came again and went in.
    """
    last = next(iter(unit.sessions.last_of(passage.plate, 1)), None)
    if last is None:
        return None
    if last.state is SessionState.NEVER_ENTERED and now.wall_at - last.entered_at <= REVIVE_MS:
        if any(alike(one.session.plate, passage.plate) for one in ranking.candidates):
            return None
        alive = replace(last, state=SessionState.INSIDE, changed_at=now.wall_at)
        unit.sessions.put(alive)
        return alive
    just_left = last.exit_lane == lane.name and now.wall_at - (last.left_at or 0) <= AGAIN_MS
    passages = unit.passages.of_session(last.session_id) if just_left else ()
    return last if passages and passages[-1].assumed else None


def _read(unit: Unit, passage: Passage, now: Instant) -> PlateRead:
    """Return the read behind a passage; with a plate that a person corrected, sure of each character."""
    read = unit.plate_reads.get(passage.read_id)
    if read is None:
        at = now.wall_at
        return PlateRead(passage.read_id, passage.lane, "", "", passage.plate, at, at)
    if read.plate == passage.plate:
        return read
    return replace(read, plate=passage.plate, confidences=())


def _by_fee(unit: Unit, box: Box, lane: Lane, session: Session, now: Instant) -> Decision:
    session_id = session.session_id
    debt = open_debt(unit, session_id)
    if debt is not None:
        return Decision(Verdict.OPEN, Why.DEBT, session_id=session_id, due_fen=debt.amount_fen)
    try:
        quote = quote_session(unit, box, session, now)
    except Invalid:
        return Decision(Verdict.ASK, Why.NO_PRICE, session_id=session_id)
    if not quote.due_fen:
        return Decision(Verdict.OPEN, _why_free(quote), session_id=session_id)
    if quote.clock_note == EXIT_CLOCK:
        # A fee by a clock that nobody vouches for is not asked for without a person.
        return Decision(Verdict.ASK, Why.CLOCK, session_id=session_id, due_fen=quote.due_fen)
    if begin_autopay(unit, box, session, now):
        return Decision(Verdict.OPEN, Why.AUTOPAY, session_id=session_id, due_fen=quote.due_fen)
    if lane.workstation:
        # Busy with another: the fee can still be paid elsewhere, and a guard still answers.
        with suppress(EdgeError):
            put_charge(unit, box, session_id, lane.workstation, now)
    return Decision(Verdict.PAY, Why.DUE, session_id=session_id, due_fen=quote.due_fen)


def _why_free(quote: Quote) -> Why:
    if quote.paid_fen:
        return Why.PAID
    if quote.used:
        return Why.FREE
    return Why.CLOCK if quote.clock_note == LEAST_TIME else Why.NO_FEE


def _on_this_clock(unit: Unit, session: Session, now: Instant) -> Session:
    """Return the stay with what its fee rests on written down, its entry put right where that is known."""
    known = stay_time(unit, session, now).session
    told = replace(session, clock_note=known.clock_note)
    if known.clock_note == JUMPED:
        told = replace(told, entered_at=known.entered_at, entered_trusted=now.trusted)
    if told == session:
        return session
    unit.sessions.put(replace(told, changed_at=now.wall_at))
    return replace(told, changed_at=now.wall_at)
