"""When something holds: from a moment to a moment, on some days, for some minutes of the day. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from edge.codes.sheet import MAX_AT
from edge.parking.calendar import Calendar
from edge.parking.plate_list import DayKind
from edge.parking.tariff_plan import local_instant

#: Days of one stay that are looked at; what lies behind them is not covered.
MAX_DAYS = 400


@dataclass(frozen=True, slots=True)
class Hours:
    """From `valid_from` to before `valid_to` (Unix ms), on `days`, from `from_min` to before `to_min`.

    Minutes count from local midnight. A window whose `to_min` is not above `from_min` goes over midnight and
    belongs to the day of each of its minutes.
    """

    valid_from: int = 0
    valid_to: int = MAX_AT
    days: DayKind = DayKind.DAILY
    from_min: int = 0
    to_min: int = 1440

    @property
    def always(self) -> bool:
        """Whether it holds on all days, all day long."""
        return self.days is DayKind.DAILY and self.to_min - self.from_min == 1440

    def holds(self, at: int, zone: tzinfo, calendar: Calendar) -> bool:
        """Return whether it holds at a moment."""
        if not self.valid_from <= at < self.valid_to:
            return False
        if self.always:
            return True
        moment = datetime.fromtimestamp(at / 1000, zone)
        if self.days not in (DayKind.DAILY, calendar.day_kind(moment.date())):
            return False
        return any(since <= at < until for since, until in _windows(self, moment.date(), zone))


def covered_ms(hours: Hours, from_at: int, to_at: int, zone: tzinfo, calendar: Calendar) -> int:
    """Return for how many milliseconds of [from_at, to_at) it holds, of the first `MAX_DAYS` days."""
    begin, end = max(from_at, hours.valid_from), min(to_at, hours.valid_to)
    if end <= begin:
        return 0
    if hours.always:
        return end - begin
    total = 0
    day = _date(begin, zone)
    for _ in range(MAX_DAYS):
        if hours.days in (DayKind.DAILY, calendar.day_kind(day)):
            total += sum(
                max(0, min(end, until) - max(begin, since)) for since, until in _windows(hours, day, zone)
            )
        day += timedelta(days=1)
        if _midnight(day, zone) >= end:
            break
    return total


def dates_of(from_at: int, to_at: int, zone: tzinfo) -> tuple[str, ...]:
    """Return the local dates that a stay touches, as ISO dates, its first `MAX_DAYS` at most."""
    first, last = _date(from_at, zone), _date(max(to_at - 1, from_at), zone)
    count = min((last - first).days + 1, MAX_DAYS)
    return tuple((first + timedelta(days=one)).isoformat() for one in range(count))


def day_start(at: int, zone: tzinfo, later: int = 0) -> int:
    """Return the local midnight before a moment, or so many days after that."""
    return _midnight(_date(at, zone) + timedelta(days=later), zone)


def _windows(hours: Hours, day: date, zone: tzinfo) -> tuple[tuple[int, int], ...]:
    def at(minute: int) -> int:
        if minute == 1440:
            return _midnight(day + timedelta(days=1), zone)
        return local_instant(day.toordinal(), minute, zone)

    if hours.from_min < hours.to_min:
        return ((at(hours.from_min), at(hours.to_min)),)
    return ((at(0), at(hours.to_min)), (at(hours.from_min), at(1440)))


def _date(at: int, zone: tzinfo) -> date:
    return datetime.fromtimestamp(at / 1000, zone).date()


def _midnight(day: date, zone: tzinfo) -> int:
    return int(datetime.combine(day, time(), zone).timestamp()) * 1000
