"""Parking tariffs as HQ sends them: rate lines that are checked here and priced elsewhere. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from enum import StrEnum

from edge.codes.sheet import (
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
from edge.parking.calendar import RateDays
from edge.parking.vehicle import PlateColour

#: Rate lines of all tariffs together, and the largest amount, in fen: 10,000 yuan.
MAX_LINES = 2_000
MAX_FEN = 1_000_000

#: A day and a month in minutes.
DAY_MIN = 1_440
MONTH_MIN = 31 * DAY_MIN

#: The longest grace after payment, the longest time without a second free time, and the coarsest rounding.
MAX_GRACE_S = 7_200
MAX_REENTRY_MIN = 7 * DAY_MIN
MAX_ROUND_FEN = 1_000

COLUMNS = Columns(
    ("tariff_id", "name", "valid_from", "step_min", "price"),
    (
        *("free_min", "day_cap", "vehicle_class", "days", "from", "to", "after_min", "cap"),
        *("colour", "by_min", "free", "date_cap", "visit_cap", "restart", "boundary", "round", "rounding"),
        *("reentry_min", "grace_min", "minutes_from"),
    ),
)

_ID = re.compile(r"[a-z0-9-]{1,32}", re.ASCII)
_CLASS = re.compile(r"[a-z0-9_-]{0,16}", re.ASCII)


class FreeTime(StrEnum):
    """What free time is once it is over: CHARGED as other time, or KEPT free, and counting begins after."""

    CHARGED = "charged"
    KEPT = "kept"


class Restart(StrEnum):
    """When `after_min` counts anew, and with it the first block: never, each 24 hours, at each midnight."""

    NEVER = "never"
    CYCLE = "24h"
    DATE = "date"


class Boundary(StrEnum):
    """What the end of a window does to a step: CUT it, as each window counts by itself, or let it FINISH."""

    CUT = "cut"
    FINISH = "finish"


class Rounding(StrEnum):
    """Which way the fee is rounded to the unit; NEAREST rounds half up."""

    DOWN = "down"
    UP = "up"
    NEAREST = "nearest"


class MinutesFrom(StrEnum):
    """Which end of a stay a benefit of minutes is taken from.

    END: as though the vehicle had left so much earlier. START: the first minutes cost nothing, the rest what
    it costs in its place.
    """

    END = "end"
    START = "start"


@dataclass(frozen=True, slots=True)
class RateLine:
    """What a stay costs in a window of the day: each begun `step_min` from `after_min` of the stay on.

    vehicle_class, colour: "" for all. The window is `from_min` to before `to_min` (minutes after midnight;
    `to_min` below goes over midnight and belongs to the day on which it begins) on `days`. cap_fen: the most
    that one window costs, None for no limit; of several lines of one window the least holds. by_min: the
    step's price is charged in parts, one for each begun `by_min`; 0 charges whole steps.
    """

    step_min: int
    price_fen: int
    vehicle_class: str = ""
    days: RateDays = RateDays.DAILY
    from_min: int = 0
    to_min: int = DAY_MIN
    after_min: int = 0
    cap_fen: int | None = None
    colour: str = ""
    by_min: int = 0


@dataclass(frozen=True, slots=True)
class Tariff:
    """What parking costs from `valid_from` (Unix milliseconds) until the next tariff of that id.

    free_min: a stay up to it costs nothing; free: what it is in a longer stay. day_cap_fen: the most of 24
    hours from the entry on, date_cap_fen: of a calendar day, visit_cap_fen: of the stay, None for no limit.
    round_fen: the fee is a multiple of it, 0 for the fen. reentry_min: within it after the last exit there is
    no second free time. grace_s: the time to drive out after payment, None for the box's own.
    """

    tariff_id: str
    name: str
    valid_from: int
    free_min: int
    day_cap_fen: int | None
    lines: tuple[RateLine, ...]
    free: FreeTime = FreeTime.CHARGED
    date_cap_fen: int | None = None
    visit_cap_fen: int | None = None
    restart: Restart = Restart.NEVER
    boundary: Boundary = Boundary.CUT
    round_fen: int = 0
    rounding: Rounding = Rounding.DOWN
    reentry_min: int = 0
    grace_s: int | None = None
    minutes_from: MinutesFrom = MinutesFrom.END


def read_tariffs(lines: Iterable[bytes], zone: tzinfo) -> tuple[Tariff, ...]:
    """Return the tariffs of a table, each of one or more lines that stand together.

    `zone`: of times without an offset. Raises Invalid naming line and column: for cells that cannot be read,
    for a name, free time or day's limit that changes within a tariff, for a tariff that comes twice, for two
    lines that begin at the same point of the same window, and for a table without lines.
    """
    tariffs: list[Tariff] = []
    for count, (number, cells) in enumerate(read_rows(lines, COLUMNS), 1):
        if count > MAX_LINES:
            raise Invalid(f"line {number}: a box takes {MAX_LINES} rate lines at most")
        try:
            _add(tariffs, _tariff(cells, zone))
        except BadCell as error:
            raise at_line(number, error) from None
    if not tariffs:
        raise Invalid("the table has no rate lines; a box cannot do without a tariff")
    return tuple(tariffs)


def tariff_at(tariffs: Sequence[Tariff], tariff_id: str, at: int) -> Tariff | None:
    """Return the tariff of that id that is in force at an instant."""
    begun = [one for one in tariffs if one.tariff_id == tariff_id and one.valid_from <= at]
    return max(begun, key=lambda one: one.valid_from, default=None)


def _tariff(cells: list[str], zone: tzinfo) -> Tariff:
    cell = dict(zip(COLUMNS.names, cells, strict=True))
    if not cell["name"]:
        raise BadCell("name", "is empty; give what stands on the board at the entrance")
    grace = whole_number("grace_min", cell["grace_min"], 0, MAX_GRACE_S // 60, -1)
    tariff = Tariff(
        pattern("tariff_id", cell["tariff_id"], _ID, "use 1 to 32 of a-z 0-9 -"),
        printable("name", cell["name"], 60),
        moment("valid_from", cell["valid_from"], zone),
        whole_number("free_min", cell["free_min"], 0, DAY_MIN, 0),
        _cap("day_cap", cell),
        (_rate_line(cell),),
        FreeTime(one_of("free", cell["free"] or FreeTime.CHARGED, list(FreeTime))),
        _cap("date_cap", cell),
        _cap("visit_cap", cell),
        Restart(one_of("restart", cell["restart"] or Restart.NEVER, list(Restart))),
        Boundary(one_of("boundary", cell["boundary"] or Boundary.CUT, list(Boundary))),
        yuan("round", cell["round"], MAX_ROUND_FEN) if cell["round"] else 0,
        Rounding(one_of("rounding", cell["rounding"] or Rounding.DOWN, list(Rounding))),
        whole_number("reentry_min", cell["reentry_min"], 0, MAX_REENTRY_MIN, 0),
        None if grace < 0 else grace * 60,
        MinutesFrom(one_of("minutes_from", cell["minutes_from"] or MinutesFrom.END, list(MinutesFrom))),
    )
    _check_rounding(tariff)
    return tariff


def _check_rounding(tariff: Tariff) -> None:
    """Refuse limits that rounding up could lift the fee above."""
    caps = (("day_cap", tariff.day_cap_fen), ("date_cap", tariff.date_cap_fen))
    for column, cap_fen in (*caps, ("visit_cap", tariff.visit_cap_fen)):
        if cap_fen and tariff.round_fen and cap_fen % tariff.round_fen:
            raise BadCell(column, "is no multiple of the unit in the column round")


def _cap(column: str, cell: dict[str, str]) -> int | None:
    return yuan(column, cell[column], MAX_FEN) if cell[column] else None


def _rate_line(cell: dict[str, str]) -> RateLine:
    line = RateLine(
        whole_number("step_min", cell["step_min"], 1, DAY_MIN),
        yuan("price", cell["price"], MAX_FEN),
        pattern("vehicle_class", cell["vehicle_class"], _CLASS, "use 16 of a-z 0-9 - _ at most"),
        RateDays(one_of("days", cell["days"] or RateDays.DAILY, list(RateDays))),
        minute_of_day("from", cell["from"], 0),
        minute_of_day("to", cell["to"], DAY_MIN),
        whole_number("after_min", cell["after_min"], 0, MONTH_MIN, 0),
        _cap("cap", cell),
        one_of("colour", cell["colour"], ["", *PlateColour]),
        whole_number("by_min", cell["by_min"], 0, DAY_MIN, 0),
    )
    if line.from_min == line.to_min:
        raise BadCell("to", "is the same as from; leave both empty for the whole day")
    if line.cap_fen is not None and line.cap_fen < line.price_fen:
        raise BadCell("cap", "is below the price of one step")
    if line.by_min and line.step_min % line.by_min:
        raise BadCell("by_min", "must divide the step_min")
    return line


def _add(tariffs: list[Tariff], one: Tariff) -> None:
    """Add a line to the last tariff if it is of that, or begin another."""
    last = tariffs[-1] if tariffs else None
    if last is None or (last.tariff_id, last.valid_from) != (one.tariff_id, one.valid_from):
        if any((had.tariff_id, had.valid_from) == (one.tariff_id, one.valid_from) for had in tariffs):
            raise BadCell(
                "tariff_id", f"{one.tariff_id} of that moment stands above; keep its lines together"
            )
        tariffs.append(one)
        return
    for column, name in _SHARED:
        if getattr(one, name) != getattr(last, name):
            raise BadCell(column, "is not as in the first line of this tariff")
    if any(_place(had) == _place(one.lines[0]) for had in last.lines):
        raise BadCell("after_min", "another line of this tariff begins at the same point of the same window")
    tariffs[-1] = replace(last, lines=last.lines + one.lines)


#: The columns in which the lines of one tariff agree, each with its field.
_SHARED = (
    *(
        (name, name)
        for name in ("name", "free_min", "free", "restart", "boundary", "rounding", "reentry_min")
    ),
    *(("day_cap", "day_cap_fen"), ("date_cap", "date_cap_fen"), ("visit_cap", "visit_cap_fen")),
    *(("round", "round_fen"), ("grace_min", "grace_s"), ("minutes_from", "minutes_from")),
)


def _place(line: RateLine) -> tuple[object, ...]:
    return line.vehicle_class, line.colour, line.days, line.from_min, line.to_min, line.after_min
