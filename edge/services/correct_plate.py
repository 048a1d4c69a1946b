"""Put a stay right: the plate or the entry time that a person knows better, with their name and reason."""

from __future__ import annotations

from dataclasses import replace

from edge.clock import Instant, boottime_of
from edge.errors import Invalid
from edge.parking.observation import PlateRead
from edge.parking.plate import normalise, require_plate
from edge.parking.plate_edits import changed_pairs, edits_between
from edge.parking.session import Session, SessionState
from edge.services.box import Box
from edge.services.events import EventKind, record_event
from edge.services.parking_right_events import parking_corrected
from edge.services.plate_records import PlateCorrection
from edge.services.records import Unit

#: The longest reason, and the earliest entry that a person may write: a year ago.
MAX_REASON = 100
MAX_BACK_MS = 366 * 24 * 3_600_000

#: So few wrong characters teach; more of them are another vehicle's plate.
MAX_TAUGHT = 2


def correct_session(
    box: Box, session_id: str, by: str, reason: str, plate: str | None = None, entered_at: int | None = None
) -> PlateCorrection:
    """Put the plate, the entry time or both of a stay inside right, and tell HQ; return the record of it.

    plate: as a person types it. entered_at: Unix ms. Raises Invalid for a stay that is not inside, a plate
    that cannot be one or that is inside already, a moment to come, or without a name or a reason.
    """
    now = box.clock.now()
    return box.store.write(lambda unit: correct_in(unit, box, session_id, by, reason, now, plate, entered_at))


def correct_in(
    unit: Unit,
    box: Box,
    session_id: str,
    by: str,
    reason: str,
    now: Instant,
    plate: str | None = None,
    entered_at: int | None = None,
) -> PlateCorrection:
    """Do the same in a unit of work that does more."""
    session = _inside(unit, session_id)
    named = session.plate if plate is None else _checked_plate(unit, session, plate)
    begun = session.entered_at if entered_at is None else _checked_time(entered_at, now)
    if (named, begun) == (session.plate, session.entered_at):
        raise Invalid("nothing was changed; write the other plate or entry time")
    changed = replace(session, plate=named, entered_at=begun, changed_at=now.wall_at)
    if entered_at is not None:
        changed = replace(changed, clock_note="", entered_trusted=True)
        # Said by a person in the time that the wall clock shows now.
        changed = replace(changed, entered_boot=now.boot_id, entered_ns=boottime_of(begun, now))
    unit.sessions.put(changed)
    read = None if plate is None else _misread(unit, session, named)
    entered = (session.entered_at, begun)
    return _keep(unit, box, session_id, (session.plate, named), entered, by, _words(by, reason), read, now)


def learn_answer(
    unit: Unit, box: Box, read: PlateRead | None, session_id: str, plate: str, by: str, now: Instant
) -> PlateCorrection | None:
    """Note what a guard's answer at a lane says of the read there, and teach the camera from it.

    session_id: the stay that the guard chose, or that the vehicle has. plate: what the guard typed, "" when a
    stay was chosen. Returns None when the read was right or there was none. HQ is told.
    """
    session = unit.sessions.get(session_id) if session_id else None
    true = normalise(plate) or (session.plate if session else "")
    if read is None or not read.plate or not true or read.plate == true or not by:
        return None
    begun = session.entered_at if session else now.wall_at
    before = read.plate if plate else true
    subject, entered = session_id or read.read_id, (begun, begun)
    return _keep(unit, box, subject, (before, true), entered, by, "answered at the lane", read, now)


def teach(unit: Unit, camera: str, true: str, read: str, at: int) -> int:
    """Learn a camera's confusions from what a plate was and what was read; return how many pairs.

    More than `MAX_TAUGHT` differences teach nothing: that was another plate.
    """
    edits = edits_between(true, read) if camera and true and read else ()
    if not edits or len(edits) > MAX_TAUGHT:
        return 0
    pairs = tuple(changed_pairs(edits))
    for stored, seen in pairs:
        unit.plates.learn(camera, stored, seen, at)
    return len(pairs)


def _inside(unit: Unit, session_id: str) -> Session:
    session = unit.sessions.get(session_id)
    if session is None or session.state is not SessionState.INSIDE:
        raise Invalid(f"stay {session_id} is not inside; look at the list again")
    return session


def _misread(unit: Unit, session: Session, true: str) -> PlateRead | None:
    """Return the read at the entry if it said another plate."""
    read = unit.plate_reads.get(session.entry_read_id) if session.entry_read_id else None
    return read if read is not None and read.plate != true else None


def _keep(
    unit: Unit,
    box: Box,
    subject: str,
    plates: tuple[str, str],
    entered: tuple[int, int],
    by: str,
    words: str,
    read: PlateRead | None,
    now: Instant,
) -> PlateCorrection:
    """Write what was and what is, tell HQ, and teach the camera whose read was wrong."""
    seen = (read.camera, read.plate) if read is not None else ("", "")
    correction = PlateCorrection(box.ids.new_id(), subject, now.wall_at, by, words, *plates, *entered, *seen)
    unit.plates.put_correction(correction)
    data = parking_corrected(correction)
    record_event(unit, box.ids, now, box.origin, EventKind.PARKING_CORRECTED, subject, data)
    if read is not None:
        teach(unit, read.camera, plates[1], read.plate, now.wall_at)
    return correction


def _checked_plate(unit: Unit, session: Session, text: str) -> str:
    plate = require_plate(text)
    others = [one for one in unit.sessions.inside(plate) if one.session_id != session.session_id]
    if others:
        raise Invalid(f"{plate} is inside already, as stay {others[0].session_id}; end that one first")
    return plate


def _checked_time(entered_at: int, now: Instant) -> int:
    if entered_at > now.wall_at:
        raise Invalid("the entry time lies in the future; look at the date")
    if entered_at < now.wall_at - MAX_BACK_MS:
        raise Invalid("the entry time is more than a year ago; look at the date")
    return entered_at


def _words(by: str, reason: str) -> str:
    words = " ".join(reason.split())[:MAX_REASON]
    if not by or not words:
        raise Invalid("correct a stay with a name and a reason, such as: plate misread")
    return words
