"""The mall's calendar: which days are worked, which are rested, which are public holidays. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from edge.codes.sheet import BadCell, Columns, at_line, one_of, printable, read_rows
from edge.errors import Invalid
from edge.parking.plate_list import DayKind

#: Days that one calendar may name: thirty years of holidays.
MAX_DAYS = 2_000

COLUMNS = Columns(("date", "kind"), ("name",))

_SATURDAY = 5


class NamedDay(StrEnum):
    """What the calendar says of a day: a public holiday, or a worked day, on a weekend too (调休)."""

    HOLIDAY = "holiday"
    WORKDAY = "workday"


class RateDays(StrEnum):
    """On which days a rate holds; the first three mean what DayKind means.

    WEEKEND: days of rest that are no public holiday. HOLIDAY: public holidays alone.
    """

    DAILY = "daily"
    WORKDAY = "workday"
    RESTDAY = "restday"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """One day that is not as its day of the week. name: for people ("国庆节")."""

    day: date
    kind: NamedDay
    name: str = ""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Named days by their ordinal (date.toordinal); all others follow the day of the week."""

    named: Mapping[int, CalendarDay] = field(default_factory=lambda: MappingProxyType({}))

    def day_kind(self, day: date) -> DayKind:
        """Return WORKDAY or RESTDAY: a day of rest is a weekend or a public holiday."""
        return DayKind(RateDays.WORKDAY if self._finest(day.toordinal()) == "workday" else RateDays.RESTDAY)

    def holds(self, days: RateDays, ordinal: int) -> bool:
        """Return whether a rate for such days holds on a day."""
        if days is RateDays.DAILY:
            return True
        finest = self._finest(ordinal)
        return finest is days or (days is RateDays.RESTDAY and finest is not RateDays.WORKDAY)

    def _finest(self, ordinal: int) -> RateDays:
        named = self.named.get(ordinal)
        if named is not None:
            return RateDays.HOLIDAY if named.kind is NamedDay.HOLIDAY else RateDays.WORKDAY
        return RateDays.WEEKEND if (ordinal - 1) % 7 >= _SATURDAY else RateDays.WORKDAY


def make_calendar(days: Iterable[CalendarDay]) -> Calendar:
    """Return the calendar of these days; the last one said of a date holds."""
    return Calendar(MappingProxyType({one.day.toordinal(): one for one in days}))


def read_calendar(lines: Iterable[bytes]) -> tuple[CalendarDay, ...]:
    """Return the days of a table of `date`, `kind` (holiday, workday) and, optional, `name`.

    Raises Invalid naming line and column, also for a date that stands twice.
    """
    found: dict[date, CalendarDay] = {}
    for count, (number, cells) in enumerate(read_rows(lines, COLUMNS), 1):
        if count > MAX_DAYS:
            raise Invalid(f"line {number}: a calendar names {MAX_DAYS} days at most")
        try:
            one = _named_day(cells)
            if one.day in found:
                raise BadCell("date", f"{one.day} stands twice")
        except BadCell as error:
            raise at_line(number, error) from None
        found[one.day] = one
    return tuple(found[day] for day in sorted(found))


def _named_day(cells: list[str]) -> CalendarDay:
    said, kind, name = cells
    try:
        day = date.fromisoformat(said)
    except ValueError:
        raise BadCell("date", f"{said!r:.40} is no day; write it like 2026-10-01") from None
    return CalendarDay(day, NamedDay(one_of("kind", kind, list(NamedDay))), printable("name", name, 30))
