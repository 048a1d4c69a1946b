"""What lists and passes say of a vehicle at an entry, in the few words that its gate needs."""

from __future__ import annotations

from enum import StrEnum

from edge.clock import Instant
from edge.parking.facility import Lane
from edge.parking.passage import Passage
from edge.parking.right import RightKind
from edge.parking.vehicle import PlateColour, VehicleClass
from edge.services.box import Box
from edge.services.find_right import find_right
from edge.services.records import Unit


class EntryRight(StrEnum):
    """REFUSED: on a black list. PASS, LISTED, RESERVED: may come in, even when it is full. NONE: a
    visitor."""

    REFUSED = "refused"
    PASS = "pass"
    LISTED = "listed"
    RESERVED = "reserved"
    NONE = "none"


def entry_right(unit: Unit, box: Box, lane: Lane, passage: Passage, now: Instant) -> EntryRight:
    """Return what lists, passes, reservations and HQ's blocks say of the plate of a passage."""
    read = unit.plate_reads.get(passage.read_id)
    colour = PlateColour.UNKNOWN if read is None else read.colour
    size = VehicleClass.UNKNOWN if read is None else read.vehicle_class
    right = find_right(unit, box, passage.plate, colour, size, lane.zone, now.wall_at)
    return _WORDS.get(right.kind, EntryRight.NONE)


_WORDS = {
    RightKind.BLACK: EntryRight.REFUSED,
    RightKind.PASS: EntryRight.PASS,
    RightKind.RESERVED: EntryRight.RESERVED,
    RightKind.OFFICIAL: EntryRight.LISTED,
    RightKind.FREE: EntryRight.LISTED,
    RightKind.WHITE: EntryRight.LISTED,
}
