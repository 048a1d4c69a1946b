"""A stay in the car park, as we believe it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from edge.parking.vehicle import PlateColour, VehicleClass


class SessionState(StrEnum):
    """INSIDE, LEFT, or NEVER_ENTERED: a ghost, whose vehicle turned back or whose entry proved wrong."""

    INSIDE = "inside"
    LEFT = "left"
    NEVER_ENTERED = "never_entered"


@dataclass(frozen=True, slots=True)
class Session:
    """One stay of one vehicle.

    plate: as believed now, "" for a vehicle without one, which then has a `ticket` (the QR at the entry).
    entry_read_id, exit_read_id: the observations behind it, "" when a person entered it. vehicle_class: by
    which it is charged. clock_note: why its times are not sure ("" when they are), said wherever the fee is.
    entered_trusted: whether the clock was synchronised then. entered_boot, entered_ns, left_boot, left_ns:
    boot id and boot time of entry and exit, by which a stay is measured whatever the wall clock did; "" when
    no clock of this box saw it.
    """

    session_id: str
    zone: str
    plate: str
    entered_at: int
    entry_lane: str
    colour: PlateColour = PlateColour.UNKNOWN
    vehicle_class: VehicleClass = VehicleClass.SMALL
    entry_read_id: str = ""
    ticket: str = ""
    state: SessionState = SessionState.INSIDE
    left_at: int | None = None
    exit_lane: str = ""
    exit_read_id: str = ""
    entered_trusted: bool = True
    clock_note: str = ""
    changed_at: int = 0
    entered_boot: str = ""
    entered_ns: int = 0
    left_boot: str = ""
    left_ns: int = 0
