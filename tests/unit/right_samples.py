"""What HQ is told of corrected stays and of passes, one event of each kind; for several tests."""

from __future__ import annotations

from edge.parking.hours import Hours
from edge.parking.parking_pass import ParkingPass, PassEntry, PassEntryKind, PassKind
from edge.services import parking_right_events as told
from edge.services.events import Data, EventKind
from edge.services.plate_records import PlateCorrection

AT = 1_795_336_000_000
CORRECTION = PlateCorrection(
    "correction-1", "stay-1", AT, "张军", "看图", "粤B1234S", "粤B12345", AT - 9, AT - 9, "cam-1", "粤B1234S"
)
PASS = ParkingPass("pass-1", PassKind.STORED_TIMES, "李雷", ("粤B12345",), Hours(AT, AT + 86_400_000))
USE = PassEntry("pass-1", "stay-1", PassEntryKind.USE, -1, AT, "stay-1")


def right_data() -> dict[EventKind, Data]:
    """Return the data of an event of each kind about corrections and passes."""
    return {
        EventKind.PARKING_CORRECTED: told.parking_corrected(CORRECTION),
        EventKind.PASS_CHANGED: told.pass_changed(PASS, "issued", "张军", 30_000, 10),
        EventKind.PASS_USED: told.pass_used(PASS, [USE], 9),
    }
