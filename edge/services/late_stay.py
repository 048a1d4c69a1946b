"""Find the stay that a read began which looked old, and was of the vehicle that then stood at the entry.

How old a read is goes by our clock and the camera's. After a restart nobody can say whether the camera kept
it or our clock is fast, so its stay is written and nothing opens; a person then lets the vehicle in.
"""

from __future__ import annotations

from edge.clock import Instant
from edge.parking.advance import alike
from edge.parking.facility import Lane
from edge.parking.observation import PlateRead
from edge.parking.passage import Passage
from edge.parking.session import Session
from edge.services.box import Box
from edge.services.records import Unit
from edge.services.stay_time import MAX_BOOTS

#: Reads of a lane that are looked at: those of one vehicle, and of whoever stood there before it.
MAX_READS = 20

_NS = 1_000_000


def stay_of_late_read(unit: Unit, box: Box, lane: Lane, passage: Passage) -> Session | None:
    """Return the stay inside that a read began which came while this vehicle drove up or stood there.

    Its plate is the vehicle's or misread by one character, whatever it is for a vehicle without a name. None
    when there is none, more than one, or another passage tells of the stay.
    """
    approach_ms = box.parking.passage_rules(lane).approach
    found = {
        stay.session_id: stay
        for read in unit.plate_reads.recent(lane.name, MAX_READS)
        if read.plate
        and (not passage.plate or read.plate == passage.plate or alike(read.plate, passage.plate))
        for stay in unit.sessions.inside(read.plate)
        if stay.entry_read_id == read.read_id
        and not unit.passages.of_session(stay.session_id)
        and _came_with(unit, passage, _received(stay, read), approach_ms)
    }
    return next(iter(found.values())) if len(found) == 1 else None


def _received(stay: Session, read: PlateRead) -> Instant:
    """Return when a read came in; its stay has the boot time at which it seemed to have been made."""
    return Instant(read.received_at, stay.entered_boot, stay.entered_ns + read.age_ms * _NS, trusted=False)


def _came_with(unit: Unit, passage: Passage, received: Instant, approach_ms: int) -> bool:
    """Whether a read came in no sooner than its vehicle can have been before the lane's camera."""
    if received.boot_id == passage.begun_boot:
        near = received.boottime_ns >= passage.begun_ns - approach_ms * _NS
        if near or not passage.found:
            return near
    runs = {one.boot_id: one.number for one in unit.boots.recent(MAX_BOOTS)}
    read_in, begun_in = runs.get(received.boot_id), runs.get(passage.begun_boot)
    if read_in is None or begun_in is None:
        return False
    return read_in > begun_in or (passage.found and _is_first_since(unit, passage, received, read_in, runs))


def _is_first_since(
    unit: Unit, passage: Passage, received: Instant, read_in: int, runs: dict[str, int]
) -> bool:
    """Whether no vehicle came to the lane between a read and one that was found there after a restart."""
    last = unit.passages.last(passage.lane)
    if last is None or runs.get(last.begun_boot, 0) < read_in:
        return True
    return last.begun_boot == received.boot_id and last.begun_ns < received.boottime_ns
