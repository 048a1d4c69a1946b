"""The plate of a stay as it was read surer, when its vehicle came in or now."""

from __future__ import annotations

from edge.parking.observation import PlateRead
from edge.parking.session import Session
from edge.parking.truer_plate import truer_plate
from edge.parking.vehicle import PlateColour
from edge.services.records import Unit


def truer_of(unit: Unit, session: Session, here: PlateRead | None) -> str:
    """Return the plate of a stay, from its read at the entry and the read here, whichever is surer.

    A plate that a person named stands, and so does one without a read to compare with.
    """
    entry = unit.plate_reads.get(session.entry_read_id) if session.entry_read_id else None
    if entry is None or here is None or entry.plate != session.plate:
        return session.plate
    colour = session.colour if session.colour is not PlateColour.UNKNOWN else here.colour
    return truer_plate(session.plate, entry.confidences, here.plate, here.confidences, colour)
