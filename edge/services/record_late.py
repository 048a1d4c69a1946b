"""Put stays right by reads that come long after they were made: an outage, a camera that kept them.

They open nothing. An entry that nobody saw is written with its true moment, so that the vehicle is neither
stuck at the exit nor charged for the wrong time; an exit that nobody saw ends its stay.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import zip_longest

from edge.clock import Instant, boottime_of
from edge.parking.advance import alike
from edge.parking.facility import Lane, LaneWay
from edge.parking.observation import PlateRead, Trigger
from edge.parking.passage import Passage
from edge.parking.session import Session, SessionState
from edge.parking.vehicle import PlateColour, VehicleClass
from edge.services.box import Box
from edge.services.events import EventKind, Json
from edge.services.lane_stays import UNSEEN_ENTRY, leave_unseen
from edge.services.parking_events import tell_stay
from edge.services.records import Unit
from edge.services.same_visit import is_same_visit

#: Two reads of a plate at the same side of the car park so close together are of one entry, or one exit.
SAME_MS = 300_000

#: Stays and passages of a plate that are looked at, and passages of a lane: an outage of hours.
MAX_LAST = 20
MAX_PASSAGES = 500

#: A vehicle that followed another one in was seen so near the moment at which the loops told of it.
FOLLOWED_MS = 10_000

#: A camera sees a vehicle so long before the loop does.
EARLY_MS = 5_000


def record_late(unit: Unit, box: Box, lane: Lane, read: PlateRead, now: Instant) -> None:
    """Begin, mend or end the stay that a late read tells of; a read without a plate tells of none."""
    if not read.plate or read.trigger in (Trigger.TURNED_BACK, Trigger.STAYING):
        return
    if lane.way is LaneWay.ENTRY:
        _came(unit, box, lane, read, now)
    else:
        _went(unit, box, lane, read, now)


def _came(unit: Unit, box: Box, lane: Lane, read: PlateRead, now: Instant) -> None:
    stays = [one for one in unit.sessions.last_of(read.plate, MAX_LAST) if _counts(one)]
    if _is_known(stays, read) or _goes_on(unit, lane, stays, now):
        return
    unread = _unread_entry(unit, lane, read)
    if unread is not None:
        unit.sessions.put(_read_after_all(unread, read, now))
        return
    for before in stays:
        if before.state is SessionState.INSIDE and before.entered_at < read.seen_at:
            leave_unseen(unit, box, before, read.seen_at, now)
    session = _late_stay(box, lane, read, now)
    unit.sessions.put(session)
    words: dict[str, Json] = {"entry_why": "backfill", "by": "", "backfill": 1}
    tell_stay(unit, box, EventKind.PARKING_ENTERED, session, now, words)
    left_at = _left_since(unit, box, read, stays)
    if left_at is not None:
        leave_unseen(unit, box, session, left_at, now)


def _is_known(stays: list[Session], read: PlateRead) -> bool:
    """Whether a stay of the plate began then, or went on then by what was seen at both ends."""
    return any(
        abs(one.entered_at - read.seen_at) <= SAME_MS or one.entered_at <= read.seen_at < (one.left_at or 0)
        for one in stays
    )


def _goes_on(unit: Unit, lane: Lane, stays: list[Session], now: Instant) -> bool:
    """Whether the vehicle was taken to have come in here a moment ago, and is seen here still."""
    return any(one.state is SessionState.INSIDE and is_same_visit(unit, lane, one, now) for one in stays)


def _late_stay(box: Box, lane: Lane, read: PlateRead, now: Instant) -> Session:
    known = read.vehicle_class is not VehicleClass.UNKNOWN
    return Session(
        box.ids.new_id(),
        lane.zone,
        read.plate,
        read.seen_at,
        lane.name,
        read.colour,
        read.vehicle_class if known else VehicleClass.SMALL,
        read.read_id,
        entered_trusted=now.trusted,
        clock_note="" if now.trusted else UNSEEN_ENTRY,
        changed_at=now.wall_at,
        entered_boot=now.boot_id,
        entered_ns=boottime_of(read.seen_at, now),
    )


def _read_after_all(session: Session, read: PlateRead, now: Instant) -> Session:
    """Return the stay with the read that belongs to it; what a person typed stays."""
    return replace(
        session,
        plate=session.plate or read.plate,
        colour=read.colour if session.colour is PlateColour.UNKNOWN else session.colour,
        entry_read_id=read.read_id,
        changed_at=now.wall_at,
    )


def _unread_entry(unit: Unit, lane: Lane, read: PlateRead) -> Session | None:
    """Return the stay of a vehicle that a person let in at that moment without a read: it is this one.

    A person who typed the plate is believed where the camera read another character.
    """
    passages = unit.passages.recent(lane.name, MAX_PASSAGES)
    for passage, older in zip_longest(passages, passages[1:]):
        if not _came_by(passage, older) <= read.seen_at <= (passage.passed_at or passage.signs_at):
            continue
        session = unit.sessions.get(passage.session_id) if passage.entered else None
        if session is None or session.entry_read_id:
            continue
        if not session.plate or session.plate == read.plate or alike(session.plate, read.plate):
            return session
    return _nameless(unit, lane, read)


def _came_by(passage: Passage, older: Passage | None) -> int:
    """Return the earliest moment at which a vehicle may have come; one that was found, after the last one."""
    if not passage.found:
        return passage.begun_at - EARLY_MS
    if older is None:
        return 0
    return older.begun_at if older.blind else older.ended_at or older.signs_at


def _nameless(unit: Unit, lane: Lane, read: PlateRead) -> Session | None:
    """Return the stay of a vehicle that followed another one in at that moment and that nobody could name."""
    near = [
        one
        for one in unit.sessions.inside("")
        if one.entry_lane == lane.name
        and not one.entry_read_id
        and not one.ticket
        and abs(one.entered_at - read.seen_at) <= FOLLOWED_MS
    ]
    return min(near, key=lambda one: abs(one.entered_at - read.seen_at), default=None)


def _left_since(unit: Unit, box: Box, read: PlateRead, stays: list[Session]) -> int | None:
    """Return when a vehicle that came in then must have left again: it was seen to, or it came in anew."""
    anew = [one.entered_at for one in stays if one.entered_at > read.seen_at]
    exits = {one.name for one in box.parking.facility.lanes if one.way is LaneWay.EXIT}
    passed = [
        one.passed_at
        for one in unit.passages.last_of(read.plate, MAX_LAST)
        if one.lane in exits and one.is_through and not one.session_id and one.passed_at is not None
    ]
    later = sorted(at for at in (*anew, *passed) if at > read.seen_at)
    return later[0] if later else None


def _went(unit: Unit, box: Box, lane: Lane, read: PlateRead, now: Instant) -> None:
    session = next((one for one in unit.sessions.inside(read.plate) if one.entered_at <= read.seen_at), None)
    if session is None:
        return
    passages = unit.passages.of_session(session.session_id)
    if any(one.lane == lane.name and not one.is_over for one in passages):
        # It stands at this very exit: what is decided there ends its stay.
        return
    left = replace(
        session,
        state=SessionState.LEFT,
        left_at=read.seen_at,
        exit_lane=lane.name,
        exit_read_id=read.read_id,
        changed_at=now.wall_at,
        left_boot=now.boot_id,
        left_ns=boottime_of(read.seen_at, now),
    )
    unit.sessions.put(left)
    words: dict[str, Json] = {"why": "backfill", "by": "", "due_fen": 0, "backfill": 1}
    tell_stay(unit, box, EventKind.PARKING_LEFT, left, now, words)


def _counts(session: Session) -> bool:
    return session.state is not SessionState.NEVER_ENTERED
