"""What a passage does to stays: one begins, ends, never was; vehicles that nobody identified."""

from __future__ import annotations

from dataclasses import replace

from edge.clock import Instant, boottime_of
from edge.errors import Invalid
from edge.parking.decision import Why
from edge.parking.facility import Lane, LaneWay
from edge.parking.passage import Passage
from edge.parking.session import Session, SessionState
from edge.parking.vehicle import VehicleClass
from edge.services.box import Box
from edge.services.events import EventKind, Json
from edge.services.late_stay import stay_of_late_read
from edge.services.parking_events import tell_follower, tell_stay
from edge.services.quote_session import quote_session
from edge.services.records import Unit
from edge.services.reserve_space import note_arrival
from edge.services.same_visit import is_same_visit
from edge.services.session_benefits import use_validations
from edge.services.stay_time import stay_time
from edge.services.use_pass import use_pass
from edge.services.work_items import raise_work
from edge.services.work_records import WorkKind

#: Why the times of a stay are not sure; the sentence is the page's.
ENTRY_CLOCK = "entry_untrusted"
UNSEEN_EXIT = "unseen_exit"
UNSEEN_ENTRY = "unseen_entry"
MATCHED = "matched_unidentified"

#: Stays inside that are looked through for one without plate and ticket.
MAX_LOOKED = 2_000


def begin_stay(unit: Unit, box: Box, lane: Lane, passage: Passage, now: Instant) -> Passage:
    """Begin the stay of a vehicle that comes in, unless it goes on with one; return the passage with its id.

    Stays of the same plate that are still inside left unseen: they end now, and a person is told.
    """
    decision = passage.decision
    if decision is not None and decision.why is Why.AGAIN and passage.session_id:
        return passage
    late = stay_of_late_read(unit, box, lane, passage)
    if late is not None:
        return _go_on(unit, late, passage, now)
    inside = unit.sessions.inside(passage.plate) if passage.plate else ()
    if inside and is_same_visit(unit, lane, inside[0], now):
        # A person let it in, who need not know that it turned back a moment ago.
        return replace(passage, session_id=inside[0].session_id)
    for before in inside:
        leave_unseen(unit, box, before, now.wall_at, now)
    read = unit.plate_reads.get(passage.read_id)
    ticketed = decision is not None and decision.why is Why.TICKET
    session = Session(
        box.ids.new_id(),
        lane.zone,
        passage.plate,
        now.wall_at,
        lane.name,
        entry_read_id=passage.read_id,
        ticket=box.ids.new_token() if ticketed else "",
        entered_trusted=now.trusted,
        clock_note="" if now.trusted else ENTRY_CLOCK,
        changed_at=now.wall_at,
        entered_boot=now.boot_id,
        entered_ns=now.boottime_ns,
    )
    if read is not None:
        known = read.vehicle_class is not VehicleClass.UNKNOWN
        size = read.vehicle_class if known else session.vehicle_class
        session = replace(session, colour=read.colour, vehicle_class=size)
    unit.sessions.put(session)
    note_arrival(unit, box, session)
    tell_stay(unit, box, EventKind.PARKING_ENTERED, session, now, _entry_words(passage))
    return replace(passage, session_id=session.session_id)


def leave_unseen(unit: Unit, box: Box, session: Session, at: int, now: Instant) -> None:
    """End a stay whose vehicle must have left where nobody saw it; a person is told."""
    left = replace(
        session,
        state=SessionState.LEFT,
        left_at=max(at, session.entered_at),
        clock_note=UNSEEN_EXIT,
        changed_at=now.wall_at,
        left_boot=now.boot_id,
        left_ns=boottime_of(at, now),
    )
    unit.sessions.put(left)
    facts: dict[str, str | int] = {
        "number": session.plate,
        "workstation": session.entry_lane,
        "entered_at": session.entered_at,
    }
    raise_work(unit, box, now, WorkKind.PASSED_BACK, session.session_id, facts)
    words: dict[str, Json] = {"why": "unseen_exit", "by": "", "due_fen": 0, "backfill": 0}
    tell_stay(unit, box, EventKind.PARKING_LEFT, left, now, words)


def end_stay(unit: Unit, box: Box, lane: Lane, passage: Passage, now: Instant) -> Passage:
    """End the stay of a vehicle that went out; return the passage with its id.

    One that was let out unasked and whose plate came late has the stay of exactly that plate. One without
    either went in unidentified: it takes with it the oldest stay that nobody could name.
    """
    known = unit.sessions.get(passage.session_id) if passage.session_id else _of_plate(unit, passage.plate)
    session = known or (None if passage.session_id else _nameless(unit, lane))
    if session is None or session.state is not SessionState.INSIDE:
        return passage
    time = stay_time(unit, session, now)
    left = replace(
        time.session,
        state=SessionState.LEFT,
        left_at=max(time.at, time.session.entered_at),
        exit_lane=lane.name,
        exit_read_id=passage.read_id,
        clock_note=MATCHED if known is None else time.session.clock_note,
        changed_at=now.wall_at,
        left_boot=now.boot_id,
        left_ns=now.boottime_ns,
    )
    unit.sessions.put(left)
    due_fen = _use_benefits(unit, box, session, now)
    decision = passage.decision
    words: dict[str, Json] = {
        "why": "tailgated" if decision is None or not passage.opening else decision.why.value,
        "by": "" if decision is None else decision.by,
        "due_fen": due_fen,
        "backfill": 0,
    }
    tell_stay(unit, box, EventKind.PARKING_LEFT, left, now, words)
    return replace(passage, session_id=session.session_id)


def undo_entry(unit: Unit, box: Box, lane: Lane, passage: Passage, now: Instant) -> None:
    """Write that a stay never was: its vehicle did not come in."""
    session = unit.sessions.get(passage.session_id)
    if session is None or session.state is not SessionState.INSIDE:
        return
    if unit.settlements.of_session(session.session_id):
        # Somebody paid for it, so it is not a ghost whatever the lane saw.
        return
    gone = replace(session, state=SessionState.NEVER_ENTERED, changed_at=now.wall_at)
    unit.sessions.put(gone)
    why = passage.end.value if passage.end is not None else "turned_back"
    tell_stay(unit, box, EventKind.PARKING_NEVER_ENTERED, gone, now, {"why": why})


def undo_leave(unit: Unit, box: Box, lane: Lane, passage: Passage, now: Instant) -> None:
    """Write that a stay goes on: its vehicle did not go out. What was paid for it stays paid."""
    session = unit.sessions.get(passage.session_id)
    if session is None or session.state is not SessionState.LEFT:
        return
    inside = replace(
        session,
        state=SessionState.INSIDE,
        left_at=None,
        exit_lane="",
        exit_read_id="",
        changed_at=now.wall_at,
        left_boot="",
        left_ns=0,
    )
    unit.sessions.put(inside)
    words: dict[str, Json] = {"entry_why": "turned_back", "by": "", "backfill": 0}
    tell_stay(unit, box, EventKind.PARKING_ENTERED, inside, now, words)


def meet_follower(unit: Unit, box: Box, lane: Lane, passage: Passage, now: Instant) -> None:
    """Write down a vehicle that went through behind another and that nobody could name."""
    facts: dict[str, str | int] = {"workstation": lane.name, "number": passage.plate, "at": now.wall_at}
    reference = f"{passage.passage_id}/{passage.followers}"
    raise_work(unit, box, now, WorkKind.TAILGATED, reference, facts)
    tell_follower(unit, box, lane, passage, False, now)
    if lane.way is LaneWay.ENTRY:
        session = Session(
            box.ids.new_id(),
            lane.zone,
            "",
            now.wall_at,
            lane.name,
            entered_trusted=now.trusted,
            clock_note="" if now.trusted else ENTRY_CLOCK,
            changed_at=now.wall_at,
            entered_boot=now.boot_id,
            entered_ns=now.boottime_ns,
        )
        unit.sessions.put(session)
        words: dict[str, Json] = {"entry_why": "tailgated", "by": "", "backfill": 0}
        tell_stay(unit, box, EventKind.PARKING_ENTERED, session, now, words)
    else:
        nameless = _nameless(unit, lane)
        if nameless is not None:
            end_stay(unit, box, lane, replace(passage, session_id=nameless.session_id, opening=0), now)


def tell_tailgated(unit: Unit, box: Box, lane: Lane, passage: Passage, now: Instant) -> None:
    """Have a person look at a named vehicle that went through without an opening of its own."""
    facts: dict[str, str | int] = {"workstation": lane.name, "number": passage.plate, "at": now.wall_at}
    raise_work(unit, box, now, WorkKind.TAILGATED, passage.passage_id, facts)
    tell_follower(unit, box, lane, passage, True, now)


def name_stay(unit: Unit, box: Box, lane: Lane, passage: Passage, now: Instant) -> None:
    """Give a stay that began without a plate the one that was read right after; at an exit, end its stay."""
    if lane.way is LaneWay.EXIT:
        if passage.is_through and not passage.session_id and _of_plate(unit, passage.plate) is not None:
            end_stay(unit, box, lane, passage, now)
        return
    session = unit.sessions.get(passage.session_id)
    if session is None or session.plate:
        return
    named = replace(session, plate=passage.plate, entry_read_id=passage.read_id, changed_at=now.wall_at)
    unit.sessions.put(named)


def _go_on(unit: Unit, late: Session, passage: Passage, now: Instant) -> Passage:
    """Give a stay that a read began which looked old to the vehicle that it was of; return the passage.

    It comes in now, whatever the read's age made of its entry; a plate that a person typed is the true one.
    """
    known = replace(
        late,
        plate=passage.plate or late.plate,
        entered_at=now.wall_at,
        entered_trusted=now.trusted,
        clock_note="" if now.trusted else ENTRY_CLOCK,
        changed_at=now.wall_at,
        entered_boot=now.boot_id,
        entered_ns=now.boottime_ns,
    )
    unit.sessions.put(known)
    return replace(passage, session_id=late.session_id, read_id=passage.read_id or late.entry_read_id)


def _entry_words(passage: Passage) -> dict[str, Json]:
    decision = passage.decision
    if decision is None or not passage.opening:
        return {"entry_why": "tailgated", "by": "", "backfill": 0}
    return {"entry_why": decision.why.value, "by": decision.by, "backfill": 0}


def _use_benefits(unit: Unit, box: Box, session: Session, now: Instant) -> int:
    """Use up what the stay's last quote took off; return what was still due, 0 when nobody can say."""
    try:
        quote = quote_session(unit, box, session, now)
    except Invalid:
        return 0
    use_validations(unit, box, session, quote, now)
    use_pass(unit, box, session, quote, now)
    return quote.due_fen


def _of_plate(unit: Unit, plate: str) -> Session | None:
    """Return the one stay inside of exactly that plate."""
    found = unit.sessions.inside(plate) if plate else ()
    return found[0] if len(found) == 1 else None


def _nameless(unit: Unit, lane: Lane) -> Session | None:
    """Return the oldest stay inside the lane's zone that has neither plate nor ticket."""
    found = [one for one in unit.sessions.inside("") if one.zone == lane.zone and not one.ticket]
    return found[-1] if found else None
