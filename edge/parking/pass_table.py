"""Passes as HQ sends them: a table, checked line by line. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import tzinfo

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
    whole_number,
    yuan,
)
from edge.errors import Invalid
from edge.parking.hours import Hours
from edge.parking.parking_pass import (
    MAX_BALANCE,
    MAX_PLATES,
    MAX_TEXT,
    ParkingPass,
    PassKind,
    PassState,
    check_pass,
)
from edge.parking.plate_list import DayKind, plate_cell
from edge.parking.vehicle import VehicleClass

#: Passes of one box that HQ keeps.
MAX_PASSES = 20_000

COLUMNS = Columns(
    ("pass_id", "kind", "holder", "plates", "valid_from", "valid_to"),
    ("spaces", "zones", "vehicle_class", "days", "from", "to", "price", "state", "credit", "note"),
)

_ID = re.compile(r"[0-9A-Za-z_-]{1,64}", re.ASCII)
_ZONE = re.compile(r"[^\s]{1,32}")


@dataclass(frozen=True, slots=True)
class PassLine:
    """A pass of HQ's. credit: what HQ has put into a stored one in all so far: fen, visits or days."""

    one: ParkingPass
    credit: int


def read_passes(lines: Iterable[bytes], zone: tzinfo) -> tuple[PassLine, ...]:
    """Return the passes of a table; `zone` is that of times without an offset.

    plates, zones: divided by spaces. valid_to: empty for a stored pass without end. price: yuan. Raises
    Invalid naming line and column, for an id that stands twice and for more than `MAX_PASSES`.
    """
    found: dict[str, PassLine] = {}
    for number, cells in read_rows(lines, COLUMNS):
        if len(found) == MAX_PASSES:
            raise Invalid(f"line {number}: a box takes {MAX_PASSES} passes at most")
        try:
            line = _line(cells, zone)
            if line.one.pass_id in found:
                raise BadCell("pass_id", f"{line.one.pass_id} stands twice")
        except BadCell as error:
            raise at_line(number, error) from None
        except Invalid as error:
            raise Invalid(f"line {number}: {error}") from None
        found[line.one.pass_id] = line
    return tuple(found.values())


def _line(cells: list[str], zone: tzinfo) -> PassLine:
    pass_id, kind_cell, holder, plates, valid_from, valid_to, spaces, zones, *rest = cells
    size, days, begin, end, price, state, credit, note = rest
    kind = PassKind(one_of("kind", kind_cell, list(PassKind)))
    if not kind.stored and not valid_to:
        raise BadCell("valid_to", f"is empty; a {kind} pass has an end")
    hours = Hours(
        moment("valid_from", valid_from, zone, 0),
        moment("valid_to", valid_to, zone, MAX_AT),
        DayKind(one_of("days", days or DayKind.DAILY, list(DayKind))),
        minute_of_day("from", begin, 0),
        minute_of_day("to", end, 1440),
    )
    one = ParkingPass(
        pattern("pass_id", pass_id, _ID, "use 64 of 0-9 A-Z a-z _ - at most"),
        kind,
        printable("holder", holder, MAX_TEXT),
        tuple(plate_cell("plates", plate) for plate in plates.split()),
        hours,
        whole_number("spaces", spaces, 1, MAX_PLATES, 1),
        tuple(pattern("zones", name, _ZONE, "use names of zones") for name in zones.split()),
        VehicleClass(one_of("vehicle_class", size or VehicleClass.UNKNOWN, list(VehicleClass))),
        yuan("price", price or "0", MAX_BALANCE),
        PassState(one_of("state", state or PassState.ACTIVE, list(PassState))),
        note=printable("note", note, MAX_TEXT),
        from_hq=True,
    )
    return PassLine(check_pass(one), whole_number("credit", credit, 0, MAX_BALANCE, 0))
