"""Tables as comma-separated text, read one line at a time: what is wrong is named by line and column. Pure.

UTF-8, a first line with the names of the columns in any order, unknown columns are ignored. Cells may stand
in double quotes; a line end inside a cell is not allowed, so that lines can be counted and cut.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from edge.errors import Invalid
from edge.money import parse_yuan

#: Columns of one table, known and unknown.
MAX_COLUMNS = 64

#: The latest moment that is believed, Unix milliseconds: the year 2100.
MAX_AT = 4_102_444_800_000

_CLOCK = re.compile(r"(\d{1,2}):(\d{2})", re.ASCII)
_BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that a table may have; a missing optional one reads as empty cells."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All, in the order in which rows give their cells."""
        return self.required + self.optional


class BadCell(Exception):
    """What is wrong with a cell of a column and what to do; it leaves `edge` only as Invalid."""

    def __init__(self, column: str, problem: str) -> None:
        super().__init__(f"{column}: {problem}")


def read_rows(lines: Iterable[bytes], columns: Columns) -> Iterator[tuple[int, list[str]]]:
    """Yield (line number, cells in the order of `columns.names`); empty lines are left out.

    Raises Invalid naming the line, and the column where there is one.
    """
    rows = csv.reader(_decoded(lines), strict=True)
    places: Sequence[int] | None = None
    try:
        for row in rows:
            if not row:
                continue
            if places is None:
                places, width = _places(row, columns), len(row)
                continue
            if len(row) != width:
                raise Invalid(f"line {rows.line_num} has {len(row)} cells, the first line names {width}")
            row.append("")
            yield rows.line_num, [row[place] for place in places]
    except csv.Error as error:
        raise Invalid(f"line {rows.line_num}: {error}; write the cells as comma-separated text") from error
    if places is None:
        raise Invalid(f"the table is empty; its first line must name {', '.join(columns.required)}")


def at_line(number: int, error: BadCell) -> Invalid:
    """Return the error of a line for people."""
    return Invalid(f"line {number}, {error}")


def whole_number(column: str, cell: str, least: int, most: int, empty: int | None = None) -> int:
    """Return a whole number in digits; an empty cell is `empty`, where that is given."""
    if not cell and empty is not None:
        return empty
    digits = cell.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 18 and least <= int(cell) <= most):
        raise BadCell(column, f"{cell!r:.40} is no whole number from {least} to {most}")
    return int(cell)


def pattern(column: str, cell: str, wanted: re.Pattern[str], remedy: str) -> str:
    """Return the cell if all of it is as wanted."""
    if wanted.fullmatch(cell) is None:
        raise BadCell(column, f"{cell!r:.40} cannot be used; {remedy}")
    return cell


def printable(column: str, cell: str, longest: int) -> str:
    """Return a text of printable characters; may be empty."""
    if len(cell) > longest or not cell.isprintable():
        raise BadCell(column, f"{cell!r:.40} must be {longest} printable characters at most")
    return cell


def one_of(column: str, cell: str, known: Sequence[str]) -> str:
    """Return the cell if it is one of the known words."""
    if cell not in known:
        raise BadCell(column, f"{cell!r:.40} is not one of {', '.join(word for word in known if word)}")
    return cell


def yuan(column: str, cell: str, most_fen: int) -> int:
    """Return an amount in yuan, such as 12.50, as fen; zero is allowed."""
    try:
        fen = parse_yuan(cell)
    except Invalid:
        fen = -1
    if not 0 <= fen <= most_fen:
        raise BadCell(column, f"{cell!r:.40} is no amount in yuan like 12.50, {most_fen // 100} at most")
    return fen


def moment(column: str, cell: str, zone: tzinfo, empty: int | None = None) -> int:
    """Return ISO date and time (in `zone` unless it has an offset) or Unix milliseconds as the latter."""
    if not cell and empty is not None:
        return empty
    if cell.isascii() and cell.isdigit():
        return whole_number(column, cell, 0, MAX_AT)
    try:
        said = datetime.fromisoformat(cell)
        at = int((said if said.tzinfo else said.replace(tzinfo=zone)).timestamp() * 1000)
    except (ValueError, OverflowError):
        at = -1
    if not 0 <= at <= MAX_AT:
        raise BadCell(column, f"{cell!r:.40} is no time; write it like 2026-12-01 or 2026-12-01T08:00")
    return at


def minute_of_day(column: str, cell: str, empty: int) -> int:
    """Return a time of day such as 08:30 as minutes after midnight; 24:00 is 1440."""
    if not cell:
        return empty
    found = _CLOCK.fullmatch(cell)
    minute = int(found[1]) * 60 + int(found[2]) if found and int(found[2]) < 60 else -1
    if not 0 <= minute <= 1440:
        raise BadCell(column, f"{cell!r:.40} is no time of day; write it like 08:30, 24:00 at most")
    return minute


def _decoded(lines: Iterable[bytes]) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Invalid(f"line {number} is not UTF-8: {error}") from error
        yield text.removeprefix(_BOM) if number == 1 else text


def _places(row: Sequence[str], columns: Columns) -> list[int]:
    """Return where each column stands; the place of one that is missing is behind the last cell."""
    names = [name.strip() for name in row]
    if len(names) > MAX_COLUMNS:
        raise Invalid(f"line 1 names {len(names)} columns, {MAX_COLUMNS} at most")
    missing = [name for name in columns.required if name not in names]
    if missing:
        raise Invalid(f"line 1 must name the columns {', '.join(columns.required)}; {missing[0]} is missing")
    double = [name for name in columns.names if names.count(name) > 1]
    if double:
        raise Invalid(f"line 1 names the column {double[0]} twice")
    return [names.index(name) if name in names else len(names) for name in columns.names]
