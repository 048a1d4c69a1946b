"""The text form of WeChat Pay's bills: rows, their columns by name, and totals that must agree.

Pure. A bill is a header line, detail lines in which a backtick stands before each field, a header of totals
and a line of totals; UTF-8, amounts in yuan, times in Asia/Shanghai. Nothing is quoted: a name with ",`" in
it makes a line longer, one with a line feed cuts it in two, and both happen to other systems' orders.
Source: pay.weixin.qq.com, download bill, "账单文件格式".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache

from edge.errors import Corrupt, Invalid
from edge.money import check_fen, scale_fen

#: Amounts are summed in 1/100,000 yuan, since fees have five decimals.
UNITS_PER_FEN = 1000

_DECIMALS = 5
_UNITS_PER_YUAN = 100_000
_AMOUNT = re.compile(r"(-?)(\d{1,10})(?:\.(\d{1,5}))?", re.ASCII)
_TIME = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d):(\d\d):(\d\d)", re.ASCII)
_EIGHT_HOURS_MS = 8 * 3_600_000
_LONGEST_LINE = 16 * 1024
_MOST_PIECES = 20
_Step = tuple[str, int, int | None, str]
_MARK = "`"
_BETWEEN = ",`"


@dataclass(frozen=True, slots=True)
class BillForm:
    """What one kind of bill looks like.

    first_total: the column that the header of totals begins with, the number of rows. loose: the first
    column that holds free text; surplus fields belong there. totals: what each total is the sum of.
    """

    first_total: str
    loose: tuple[str, ...]
    totals: Mapping[str, Total]


@dataclass(frozen=True, slots=True)
class Total:
    """The sum of a column, over the rows in which the column `when` says `says`; over all when it is ""."""

    column: str
    when: str = ""
    says: str = ""


@dataclass(slots=True)
class Sums:
    """What the rows read so far come to: their number, and units by the name of the total."""

    rows: int = 0
    units: dict[str, int] = field(default_factory=dict)


class BillTable:
    """One bill, read line by line; rows are dicts of column to text, without the backticks."""

    def __init__(self, form: BillForm, lines: Iterable[bytes]) -> None:
        """`lines`: with or without line ends, none longer than 16 KiB."""
        self._form = form
        self._lines = _texts(lines)
        self._columns: tuple[str, ...] = ()
        self._sums = Sums()

    def rows(self) -> Iterator[Sequence[str]]:
        """Yield the fields of each row, in the order of `columns`; raise Corrupt at what cannot be right.

        The totals are compared after the last row, so only an exhausted iterator vouches for them.
        """
        self._columns = tuple(next(self._lines, "").split(","))
        if len(self._columns) < 2 or len(set(self._columns)) != len(self._columns):
            raise Corrupt("the bill does not begin with a line of column names")
        plan = self._plan()
        for line in self._lines:
            if line.startswith(self._form.first_total):
                self._compare(line.split(","))
                return
            fields = self._fields(line)
            self._add(fields, plan)
            yield fields
        raise Corrupt("the bill ends without its totals; it is cut off")

    def place(self, *names: str) -> int | None:
        """Return where the first of these columns is, None when there is none; after the first row only."""
        return next((self._columns.index(name) for name in names if name in self._columns), None)

    def _plan(self) -> tuple[_Step, ...]:
        known = self._form.totals.items()
        return tuple(
            (name, self._columns.index(total.column), self.place(total.when), total.says)
            for name, total in known
            if total.column in self._columns
        )

    def _fields(self, line: str) -> list[str]:
        wanted, pieces = len(self._columns), 1
        fields = line.split(_BETWEEN)
        while len(fields) < wanted and pieces < _MOST_PIECES:
            more = next(self._lines, None)
            if more is None:
                break
            line, pieces = f"{line} {more}", pieces + 1
            fields = line.split(_BETWEEN)
        number = self._sums.rows + 1
        if not line.startswith(_MARK) or len(fields) < wanted:
            raise Corrupt(f"row {number} of the bill has {len(fields)} fields instead of {wanted}")
        fields[0] = fields[0][1:]
        return self._merge(fields, len(fields) - wanted) if len(fields) > wanted else fields

    def _merge(self, fields: list[str], surplus: int) -> list[str]:
        at = self.place(*self._form.loose)
        if at is None:
            raise Corrupt(f"row {self._sums.rows + 1} of the bill has {surplus} fields too many")
        text = _BETWEEN.join(fields[at : at + surplus + 1])
        return [*fields[:at], text, *fields[at + surplus + 1 :]]

    def _add(self, fields: Sequence[str], plan: tuple[_Step, ...]) -> None:
        self._sums.rows += 1
        units = self._sums.units
        for name, place, when, says in plan:
            if when is None or fields[when] == says:
                units[name] = units.get(name, 0) + parse_units(fields[place])

    def _compare(self, names: Sequence[str]) -> None:
        line = next(self._lines, "")
        values = dict(zip(names, line.removeprefix(_MARK).split(_BETWEEN), strict=False))
        count = values.get(self._form.first_total, "")
        if len(values) != len(names) or not line.startswith(_MARK):
            raise Corrupt("the bill's line of totals is missing or cut off")
        if count != str(self._sums.rows):
            raise Corrupt(f"the bill says {count[:20]} rows and holds {self._sums.rows}")
        for name in names:
            if name in self._form.totals:
                _agree(name, values[name], self._sums.units.get(name, 0))
        if next(self._lines, None) is not None:
            raise Corrupt("the bill goes on after its totals")


@lru_cache(maxsize=4096)
def parse_units(text: str) -> int:
    """Return yuan such as "0.60000" in 1/100,000 yuan; raise Corrupt."""
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise Corrupt(f"{text[:20]!r} in the bill is not an amount in yuan")
    sign, whole, decimals = match.groups()
    units = int(whole) * _UNITS_PER_YUAN + int((decimals or "").ljust(_DECIMALS, "0"))
    return -units if sign else units


def parse_fen(text: str) -> int:
    """Return yuan as fen; raise Corrupt unless it is a whole number of fen within the limits."""
    fen, rest = divmod(parse_units(text), UNITS_PER_FEN)
    if rest:
        raise Corrupt(f"{text!r} in the bill is not a whole number of fen")
    return _limited(fen)


def parse_fee_fen(text: str) -> int:
    """Return a fee in yuan, rounded half away from zero to the fen; raise Corrupt."""
    try:
        return scale_fen(parse_units(text), 1, UNITS_PER_FEN)
    except Invalid as error:
        raise Corrupt(str(error)) from None


def parse_time(text: str) -> int:
    """Return a local time (Asia/Shanghai, which has no summer time) as Unix milliseconds; raise Corrupt."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise Corrupt(f"{text[:30]!r} in the bill is not a time")
    day, hours, minutes, seconds = match.groups()
    within = (int(hours) * 3600 + int(minutes) * 60 + int(seconds)) * 1000
    return _day_ms(day) + within - _EIGHT_HOURS_MS


@lru_cache(maxsize=64)
def _day_ms(day: str) -> int:
    try:
        return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 1000
    except ValueError:
        raise Corrupt(f"{day!r} in the bill is not a day") from None


def _agree(name: str, told: str, units: int) -> None:
    """A total may be rounded to fewer decimals than its rows have: it is within half of its last one."""
    step: int = 10 ** (_DECIMALS - len(told.partition(".")[2]))
    if 2 * abs(parse_units(told) - units) > step * (step > 1):
        raise Corrupt(f"the bill's {name} is {told}, its rows come to {units / _UNITS_PER_YUAN:.5f}")


def _limited(fen: int) -> int:
    try:
        return check_fen(fen)
    except Invalid as error:
        raise Corrupt(str(error)) from None


def _texts(lines: Iterable[bytes]) -> Iterator[str]:
    """Decode, drop the byte-order mark and empty lines."""
    for line in lines:
        if len(line) > _LONGEST_LINE:
            raise Corrupt(f"a line of the bill is longer than {_LONGEST_LINE} bytes")
        try:
            text = line.decode("utf-8").strip("\ufeff\r\n")
        except UnicodeDecodeError:
            raise Corrupt("the bill is not UTF-8 text") from None
        if text:
            yield text
