"""Block a plate at HQ's word at once, until HQ's lists say it themselves or its time is over."""

from __future__ import annotations

from collections.abc import Mapping

from edge.clock import Instant
from edge.errors import Invalid
from edge.parking.plate import require_plate
from edge.services.events import Data
from edge.services.plate_records import PlateBlock
from edge.services.records import Unit

#: How long a block lasts unless HQ says otherwise, and at most, in hours.
DEFAULT_HOURS = 72
MAX_HOURS = 24 * 31
MAX_NOTE = 60

HOUR_MS = 3_600_000


def block_plate(unit: Unit, command_id: str, by: str, given: Mapping[str, str], now: Instant) -> Data:
    """Refuse a plate at every entry of this box from now on; return the plate and until when.

    given: `plate`; may hold `hours` in digits and `note`. A vehicle inside leaves all the same. Raises
    Invalid for what can be no plate or no number of hours.
    """
    plate = require_plate(given["plate"])
    until_at = now.wall_at + _hours(given.get("hours", "")) * HOUR_MS
    note = " ".join(given.get("note", "").split())[:MAX_NOTE]
    unit.plates.block(PlateBlock(plate, command_id, by, now.wall_at, until_at, note))
    return {"plate": plate, "until_at": until_at, "inside": len(unit.sessions.inside(plate))}


def _hours(text: str) -> int:
    if not text:
        return DEFAULT_HOURS
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MAX_HOURS):
        raise Invalid(f"hours must be digits, 1 to {MAX_HOURS}, not {text!r:.20}")
    return int(text)
