"""Tell whether a vehicle at an entry is on the visit that its stay inside tells of: it turned back unseen."""

from __future__ import annotations

from edge.clock import Instant
from edge.parking.facility import Lane
from edge.parking.session import Session
from edge.services.records import Unit
from edge.services.stay_time import stay_time

#: A vehicle that comes again so soon by the same lane, and was not seen to pass it, is on the same visit.
AGAIN_MS = 300_000


def is_same_visit(unit: Unit, lane: Lane, inside: Session, now: Instant) -> bool:
    """Return whether this lane let it in a moment ago, by whatever clock, and nothing saw it go through.

    So does one of which only a late read of this lane tells: it is the vehicle that stands here.
    """
    if inside.entry_lane != lane.name:
        return False
    time = stay_time(unit, inside, now)
    if time.at - time.session.entered_at > AGAIN_MS:
        return False
    passages = unit.passages.of_session(inside.session_id)
    return not passages or not passages[-1].is_through or passages[-1].assumed
