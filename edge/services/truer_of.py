"""The plate of a stay: read at the entry or here, the one that has a right or was read surer."""

from __future__ import annotations

from dataclasses import replace

from edge.parking.observation import PlateRead
from edge.parking.session import Session
from edge.parking.truer_plate import truer_plate
from edge.parking.vehicle import PlateColour
from edge.services.box import Box
from edge.services.find_right import right_of_stay
from edge.services.records import Unit


def truer_of(unit: Unit, box: Box, session: Session, here: PlateRead | None, now: int) -> str:
    """Return the plate of a stay, from its read at the entry and the read here.

    A plate that a person named stands, and so does one without a read to compare with. When exactly one of
    the two is on a pass or list that lowers the fee of this stay, that is the plate: one misread character
    away from it a stranger is far rarer than its own vehicle, misread, and a pass is not taken from who has
    paid for it on a camera's word. Else it is the one that was read surer. now: Unix milliseconds.
    """
    entry = unit.plate_reads.get(session.entry_read_id) if session.entry_read_id else None
    if entry is None or here is None or entry.plate != session.plate:
        return session.plate
    if not here.plate or here.plate == session.plate:
        return session.plate
    kept, gained = (_has_right(unit, box, session, one, now) for one in (session.plate, here.plate))
    if kept is not gained:
        return session.plate if kept else here.plate
    colour = session.colour if session.colour is not PlateColour.UNKNOWN else here.colour
    return truer_plate(session.plate, entry.confidences, here.plate, here.confidences, colour)


def _has_right(unit: Unit, box: Box, session: Session, plate: str, now: int) -> bool:
    return right_of_stay(unit, box, replace(session, plate=plate), now).benefit is not None
