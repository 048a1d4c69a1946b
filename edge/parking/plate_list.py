"""Lists of plates that HQ keeps: free of charge, let in (white), refused (black), for a time. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum

from edge.codes.sheet import (
    MAX_AT,
    BadCell,
    Columns,
    at_line,
    minute_of_day,
    moment,
    one_of,
    pattern,
    printable,
    read_rows,
)
from edge.errors import Invalid
from edge.parking.plate import kinds_of, normalise

#: Lines of all lists of a box together.
MAX_ENTRIES = 200_000
MAX_NOTE = 60

COLUMNS = Columns(("plate", "list"), ("class", "valid_from", "valid_to", "days", "from", "to", "note"))

_CLASS = re.compile(r"[a-z0-9-]{0,16}", re.ASCII)


class PlateListKind(StrEnum):
    """What a list says of its plates: parks free of charge, may come in, may not come in."""

    FREE = "free"
    WHITE = "white"
    BLACK = "black"


class DayKind(StrEnum):
    """On which days something holds: all, working days, or days of rest, as the mall's calendar has them."""

    DAILY = "daily"
    WORKDAY = "workday"
    RESTDAY = "restday"


@dataclass(frozen=True, slots=True)
class PlateEntry:
    """A plate on a list. plate_class: what the pass is for ("staff", "vip" ...), "" for any.

    It holds from `valid_from` to before `valid_to` (Unix milliseconds), on `days`, from `from_min` to before
    `to_min` (minutes after midnight; a window with `to_min` below goes over midnight).
    """

    plate: str
    kind: PlateListKind
    plate_class: str = ""
    valid_from: int = 0
    valid_to: int = MAX_AT
    days: DayKind = DayKind.DAILY
    from_min: int = 0
    to_min: int = 1440
    note: str = ""

    def holds(self, at: int, minute: int, day: DayKind) -> bool:
        """Return whether it holds at an instant that is `minute` of a day that is WORKDAY or RESTDAY."""
        if not self.valid_from <= at < self.valid_to or self.days not in (DayKind.DAILY, day):
            return False
        if self.from_min < self.to_min:
            return self.from_min <= minute < self.to_min
        return minute >= self.from_min or minute < self.to_min


def read_entries(lines: Iterable[bytes], zone: tzinfo) -> Iterator[PlateEntry]:
    """Yield the entries of a table; `zone` is that of times without an offset.

    Raises Invalid naming line and column, also for more than `MAX_ENTRIES`.
    """
    for count, (number, cells) in enumerate(read_rows(lines, COLUMNS), 1):
        if count > MAX_ENTRIES:
            raise Invalid(f"line {number}: a box takes {MAX_ENTRIES} plates on lists at most")
        try:
            yield _entry(cells, zone)
        except BadCell as error:
            raise at_line(number, error) from None


def plate_cell(column: str, cell: str) -> str:
    """Return a plate as it is stored and compared; raise BadCell for what can be none."""
    plate = normalise(cell)
    if not kinds_of(plate):
        raise BadCell(column, f"{cell!r:.40} cannot be used; write it like 粤B12345")
    return plate


def _entry(cells: list[str], zone: tzinfo) -> PlateEntry:
    plate, kind, plate_class, valid_from, valid_to, days, begin, end, note = cells
    entry = PlateEntry(
        plate_cell("plate", plate),
        PlateListKind(one_of("list", kind, list(PlateListKind))),
        pattern("class", plate_class, _CLASS, "use 16 of a-z 0-9 - at most"),
        moment("valid_from", valid_from, zone, 0),
        moment("valid_to", valid_to, zone, MAX_AT),
        DayKind(one_of("days", days or DayKind.DAILY, list(DayKind))),
        minute_of_day("from", begin, 0),
        minute_of_day("to", end, 1440),
        printable("note", note, MAX_NOTE),
    )
    if entry.valid_to <= entry.valid_from:
        raise BadCell("valid_to", "is not after valid_from")
    if entry.from_min == entry.to_min:
        raise BadCell("to", "is the same as from; leave both empty for the whole day")
    return entry
