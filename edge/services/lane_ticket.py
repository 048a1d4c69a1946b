"""For vehicles without a readable plate: a phone takes a ticket at the entry and shows it at the exit."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from edge.clock import Instant
from edge.errors import Declined, Invalid
from edge.parking.advance import GuardAnswer
from edge.parking.decision import Answer, Why
from edge.parking.facility import FullMode, Lane, LaneWay
from edge.parking.passage import Passage, PassageState
from edge.parking.session import Session, SessionState
from edge.services.box import Box
from edge.services.count_zone import is_full
from edge.services.find_right import count_kept
from edge.services.lane_turn import LaneTurn
from edge.services.records import Unit

#: Questions at an exit that a ticket answers: nobody knows whose stay it is.
_WHOSE = frozenset({Why.NO_PLATE, Why.NO_SESSION, Why.UNSURE_SESSION})


class OfferState(StrEnum):
    """What the page behind an entry's code says.

    NOBODY: no vehicle is there. COMING: one is, not yet known to have no plate. OFFERED: a ticket may be
    taken. TAKEN: this phone has it. ELSEWHERE: another phone has it, or the vehicle needs none. FULL: no
    space. GUARD: a person decides.
    """

    NOBODY = "nobody"
    COMING = "coming"
    OFFERED = "offered"
    TAKEN = "taken"
    ELSEWHERE = "elsewhere"
    FULL = "full"
    GUARD = "guard"


@dataclass(frozen=True, slots=True)
class TicketOffer:
    """What an entry offers a phone now. passage_id: of the vehicle there. ticket: for TAKEN."""

    state: OfferState
    passage_id: str = ""
    ticket: str = ""


def offer_ticket(box: Box, lane_name: str, phone: str, kept: str = "") -> TicketOffer:
    """Return what an entry offers a phone now; nothing changes.

    phone: the secret of the phone's page; kept: a ticket that it has. Raises Invalid for no entry.
    """
    lane, now = _entry(box, lane_name), box.clock.now()
    return box.store.read(lambda unit: _offer(unit, box, lane, phone, kept, now))


def take_ticket(box: Box, lane_name: str, passage_id: str = "", phone: str = "") -> str:
    """Let in the vehicle without a readable plate that waits at an entry; return its stay's ticket.

    passage_id: the vehicle that the page showed, "" for whoever stands there. Once for each vehicle: the same
    phone gets the same ticket again and nothing opens, another phone gets none. Raises Invalid when no such
    vehicle waits there or the lane lets in nobody without a plate, Declined when there is no space.
    """
    lane, now = _entry(box, lane_name), box.clock.now()
    if lane.needs_plate:
        raise Invalid(f"lane {lane.name} gives no tickets; ask the guard")

    def work(unit: Unit) -> str:
        current = unit.passages.current(lane.name)
        passage = unit.passages.get(passage_id) if passage_id else current
        if passage is None or passage.lane != lane.name:
            raise Invalid(f"no vehicle without a plate waits at lane {lane.name}; drive up to the barrier")
        held = _held(unit, passage, phone)
        if held:
            return held
        if current is None or current.passage_id != passage.passage_id or not _may_take(passage):
            raise Invalid(f"no vehicle without a plate waits at lane {lane.name}; drive up to the barrier")
        if _is_full(unit, box, lane, now):
            raise Declined("the car park is full; wait for a space or ask the guard")
        return _let_in(unit, box, lane, passage, phone, now)

    ticket = box.store.write(work)
    box.wake_lane(lane.name)
    return ticket


def wants_ticket(box: Box, lane_name: str) -> bool:
    """Whether a vehicle waits at an exit of which nobody knows the stay."""
    return box.store.read(lambda unit: _wants(unit.passages.current(lane_name)))


def show_ticket(box: Box, lane_name: str, ticket: str) -> Passage:
    """Say which stay the vehicle at an exit has, by its ticket; return the passage after that.

    Raises Invalid for a ticket that is not known or was used, at an entry, while no vehicle stands there, and
    for a vehicle that is known by its plate.
    """
    lane, now = box.parking.lane(lane_name), box.clock.now()
    if lane.way is not LaneWay.EXIT:
        raise Invalid(f"lane {lane.name} is an entry; show the ticket at the exit")

    def work(unit: Unit) -> Passage:
        session = unit.sessions.by_ticket(ticket) if ticket else None
        if session is None or session.state is not SessionState.INSIDE:
            raise Invalid("this ticket is of no vehicle inside; ask the guard")
        return meet_ticket(unit, box, lane, session, now)

    done = box.store.write(work)
    box.wake_lane(lane.name)
    if lane.workstation:
        box.changed(lane.workstation)
    return done


def meet_ticket(unit: Unit, box: Box, lane: Lane, session: Session, now: Instant) -> Passage:
    """Do what `show_ticket` does, in the caller's unit, for the stay of the ticket."""
    passage = unit.passages.current(lane.name)
    if passage is None:
        raise Invalid(f"no vehicle stands at lane {lane.name}; drive up to the barrier")
    if not _wants(passage):
        if passage.session_id == session.session_id:
            return passage
        raise Invalid(f"the vehicle at lane {lane.name} is known by its plate and needs no ticket")
    said = GuardAnswer(Answer.CHOOSE, "", session_id=session.session_id)
    return LaneTurn(unit, box, lane, now).see(passage, said)


def exit_of(box: Box, workstation: str) -> Lane | None:
    """Return the exit whose fee is paid at that place."""
    lanes = box.parking.facility.lanes
    return next((one for one in lanes if one.workstation == workstation and one.way is LaneWay.EXIT), None)


def _entry(box: Box, lane_name: str) -> Lane:
    lane = box.parking.facility.lane(lane_name)
    if lane is None or lane.way is not LaneWay.ENTRY:
        raise Invalid(f"there is no entry {lane_name}; scan the code at the lane again")
    return lane


def _offer(unit: Unit, box: Box, lane: Lane, phone: str, kept: str, now: Instant) -> TicketOffer:
    passage = unit.passages.current(lane.name)
    if passage is None or passage.state is PassageState.PASSED:
        return TicketOffer(OfferState.NOBODY)
    held = _held(unit, passage, phone, kept)
    if held:
        return TicketOffer(OfferState.TAKEN, passage.passage_id, held)
    if passage.plate or passage.entered:
        return TicketOffer(OfferState.ELSEWHERE, passage.passage_id)
    if passage.state in (PassageState.APPROACHED, PassageState.IDENTIFIED):
        return TicketOffer(OfferState.COMING, passage.passage_id)
    if lane.needs_plate or not _may_take(passage):
        return TicketOffer(OfferState.GUARD, passage.passage_id)
    full = _is_full(unit, box, lane, now)
    return TicketOffer(OfferState.FULL if full else OfferState.OFFERED, passage.passage_id)


def _held(unit: Unit, passage: Passage, phone: str, kept: str = "") -> str:
    """Return the ticket of the vehicle's stay if this phone took it."""
    session = unit.sessions.get(passage.session_id) if passage.session_id else None
    if session is None or not session.ticket or session.state is not SessionState.INSIDE:
        return ""
    decision = passage.decision
    took = decision is not None and decision.why is Why.TICKET and decision.note == _mark(phone)
    return session.ticket if took or kept == session.ticket else ""


def _may_take(passage: Passage) -> bool:
    """Whether a vehicle waits without plate and stay, and nobody has refused it."""
    asked = passage.question is not None and not passage.is_over
    return asked and not (passage.plate or passage.session_id or passage.entered or passage.opening)


def _let_in(unit: Unit, box: Box, lane: Lane, passage: Passage, phone: str, now: Instant) -> str:
    said = GuardAnswer(Answer.OPEN, "", _mark(phone), why=Why.TICKET)
    after = LaneTurn(unit, box, lane, now).see(passage, said)
    session = unit.sessions.get(after.session_id)
    if session is None or not session.ticket:
        raise Invalid(f"lane {lane.name} could not let the vehicle in; ask the guard")
    return session.ticket


def _wants(passage: Passage | None) -> bool:
    if passage is None or passage.way is not LaneWay.EXIT or passage.opening or passage.is_through:
        return False
    if passage.question is not None:
        return passage.question.why in _WHOSE
    return not passage.plate and not passage.session_id


def _is_full(unit: Unit, box: Box, lane: Lane, now: Instant) -> bool:
    if lane.when_full is FullMode.ADMIT:
        return False
    kept = count_kept(unit, box, lane.zone, now.wall_at)
    return is_full(unit, box.parking.facility.zone(lane.zone), kept)


def _mark(phone: str) -> str:
    """Return what is kept of a phone's secret beside the decision: enough to know it again, not to be it."""
    return f"phone {hashlib.sha256(phone.encode()).hexdigest()[:16]}" if phone else ""
