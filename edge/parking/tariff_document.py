"""Parking tariffs as HQ sends them: rate lines that are checked here and priced elsewhere. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo

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
from edge.parking.plate_list import DayKind

#: Rate lines of all tariffs together, and the largest amount, in fen: 10,000 yuan.
MAX_LINES = 2_000
MAX_FEN = 1_000_000

#: A day and a month in minutes.
DAY_MIN = 1_440
MONTH_MIN = 31 * DAY_MIN

COLUMNS = Columns(
    ("tariff_id", "name", "valid_from", "step_min", "price"),
    ("free_min", "day_cap", "vehicle_class", "days", "from", "to", "after_min", "cap"),
)

_ID = re.compile(r"[a-z0-9-]{1,32}", re.ASCII)
_CLASS = re.compile(r"[a-z0-9-]{0,16}", re.ASCII)


@dataclass(frozen=True, slots=True)
class RateLine:
    """What a stay costs in a window of the day: each begun `step_min` from `after_min` of the stay on.

    vehicle_class: "" for all. The window is `from_min` to before `to_min` (minutes after midnight; `to_min`
    below goes over midnight) on `days`. cap_fen: the most that one window costs, None for no limit.
    """

    step_min: int
    price_fen: int
    vehicle_class: str = ""
    days: DayKind = DayKind.DAILY
    from_min: int = 0
    to_min: int = DAY_MIN
    after_min: int = 0
    cap_fen: int | None = None


@dataclass(frozen=True, slots=True)
class Tariff:
    """What parking costs from `valid_from` (Unix milliseconds) until the next tariff of that id.

    free_min: a stay up to it costs nothing. day_cap_fen: the most of 24 hours, None for no limit.
    """

    tariff_id: str
    name: str
    valid_from: int
    free_min: int
    day_cap_fen: int | None
    lines: tuple[RateLine, ...]


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
    tariff_id, name, valid_from, step, price, free, day_cap, *rest = cells
    if not name:
        raise BadCell("name", "is empty; give what stands on the board at the entrance")
    return Tariff(
        pattern("tariff_id", tariff_id, _ID, "use 1 to 32 of a-z 0-9 -"),
        printable("name", name, 60),
        moment("valid_from", valid_from, zone),
        whole_number("free_min", free, 0, DAY_MIN, 0),
        yuan("day_cap", day_cap, MAX_FEN) if day_cap else None,
        (_rate_line(step, price, rest),),
    )


def _rate_line(step: str, price: str, rest: list[str]) -> RateLine:
    vehicle_class, days, begin, end, after, cap = rest
    line = RateLine(
        whole_number("step_min", step, 1, DAY_MIN),
        yuan("price", price, MAX_FEN),
        pattern("vehicle_class", vehicle_class, _CLASS, "use 16 of a-z 0-9 - at most"),
        DayKind(one_of("days", days or DayKind.DAILY, list(DayKind))),
        minute_of_day("from", begin, 0),
        minute_of_day("to", end, DAY_MIN),
        whole_number("after_min", after, 0, MONTH_MIN, 0),
        yuan("cap", cap, MAX_FEN) if cap else None,
    )
    if line.from_min == line.to_min:
        raise BadCell("to", "is the same as from; leave both empty for the whole day")
    if line.cap_fen is not None and line.cap_fen < line.price_fen:
        raise BadCell("cap", "is below the price of one step")
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
    for column, said, before in (
        ("name", one.name, last.name),
        ("free_min", one.free_min, last.free_min),
        ("day_cap", one.day_cap_fen, last.day_cap_fen),
    ):
        if said != before:
            raise BadCell(column, "is not as in the first line of this tariff")
    if any(_place(had) == _place(one.lines[0]) for had in last.lines):
        raise BadCell("after_min", "another line of this tariff begins at the same point of the same window")
    tariffs[-1] = Tariff(
        last.tariff_id, last.name, last.valid_from, last.free_min, last.day_cap_fen, last.lines + one.lines
    )


def _place(line: RateLine) -> tuple[object, ...]:
    return line.vehicle_class, line.days, line.from_min, line.to_min, line.after_min
