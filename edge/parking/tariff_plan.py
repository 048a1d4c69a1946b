"""A tariff made ready for one kind of vehicle: which rates hold when, as spans of real time. Pure.

The rule of time: steps, free time and cycles of 24 hours count real minutes that passed; windows and dates
are those of the wall clock. A boundary is the first moment at which the wall clock shows that time or a later
one: one that summer time jumps over is at the jump, one that the clock shows twice counts the first time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

from edge.parking.calendar import Calendar, RateDays
from edge.parking.tariff_document import DAY_MIN, RateLine, Tariff
from edge.parking.vehicle import PlateColour, VehicleClass

MINUTE_MS = 60_000
DAY_MS = DAY_MIN * MINUTE_MS

#: The longest stay that is priced to its end; a longer one costs what this one costs.
MAX_STAY_MS = 400 * DAY_MS

#: Days whose spans are kept; the oldest are forgotten all at once.
MAX_DAYS_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class Tier:
    """One rate line in milliseconds: `price_fen` a step, charged in `parts` parts each `inc_ms` long."""

    after_ms: int
    until_ms: int
    inc_ms: int
    parts: int
    price_fen: int
    line: RateLine


@dataclass(frozen=True, slots=True)
class Window:
    """The rate lines of one window of the day, by the time of the stay from which on they hold."""

    number: int
    tiers: tuple[Tier, ...]
    cap_fen: int | None
    days: RateDays
    from_min: int
    to_min: int


class Span(NamedTuple):
    """A stretch of real time within one local day in which one window holds, or none.

    occurrence: tells one opening of the window from the next. day: the ordinal of the local date.
    """

    from_at: int
    to_at: int
    window: Window | None
    occurrence: int
    day: int


class Plan:
    """A tariff for vehicles of one class and colour, in one zone, by one calendar."""

    def __init__(
        self,
        tariff: Tariff,
        zone: tzinfo,
        calendar: Calendar | None = None,
        vehicle_class: VehicleClass = VehicleClass.SMALL,
        colour: PlateColour = PlateColour.UNKNOWN,
    ) -> None:
        self.tariff = tariff
        self.zone = zone
        self.windows = _windows(tariff, vehicle_class, colour)
        self._calendar = calendar or Calendar()
        self._days: dict[int, tuple[Span, ...]] = {}
        # One window for all time needs no calendar and no zone.
        plain = len(self.windows) == 1 and _is_always(self.windows[0]) and not _needs_dates(tariff)
        self.always = self.windows[0] if plain else None

    def spans(self, from_at: int, to_at: int) -> Iterator[Span]:
        """Yield the spans of a stretch of time, in order and without a gap, cut at its ends."""
        if self.always is not None:
            yield Span(from_at, to_at, self.always, 0, 0)
            return
        day = datetime.fromtimestamp(from_at // 1000, self.zone).toordinal()
        at = from_at
        while at < to_at:
            for span in self.day(day):
                if span.to_at <= at:
                    continue
                end = min(span.to_at, to_at)
                yield Span(at, end, span.window, span.occurrence, day)
                at = end
                if at >= to_at:
                    return
            day += 1

    def day(self, ordinal: int) -> tuple[Span, ...]:
        """Return the spans of one local date."""
        found = self._days.get(ordinal)
        if found is None:
            if len(self._days) >= MAX_DAYS_KEPT:
                self._days.clear()
            found = self._days[ordinal] = self._make_day(ordinal)
        return found

    def _make_day(self, ordinal: int) -> tuple[Span, ...]:
        cuts = {0, DAY_MIN}
        for window in self.windows:
            cuts |= {window.from_min, window.to_min}
        ordered = sorted(cuts)
        instants = [local_instant(ordinal, minute, self.zone) for minute in ordered]
        spans: list[Span] = []
        for minute, from_at, to_at in zip(ordered, instants, instants[1:], strict=False):
            if to_at > from_at:
                held, begun = self._holding(ordinal, minute)
                occurrence = begun * len(self.windows) + held.number if held else -1
                spans.append(Span(from_at, to_at, held, occurrence, ordinal))
        return tuple(spans)

    def _holding(self, ordinal: int, minute: int) -> tuple[Window | None, int]:
        """Return the window that holds at a minute of a day, and the day on which it began."""
        for window in self.windows:
            begun = _begun(window, ordinal, minute)
            if begun is not None and self._calendar.holds(window.days, begun):
                return window, begun
        return None, 0


def local_instant(ordinal: int, minute: int, zone: tzinfo) -> int:
    """Return the first moment (Unix ms) at which the wall clock shows that minute of a day or a later one."""
    wanted = datetime.fromordinal(ordinal) + timedelta(minutes=minute)
    said = wanted.replace(tzinfo=zone)
    at = round(said.timestamp())
    if datetime.fromtimestamp(at, zone).replace(tzinfo=None) == wanted:
        return at * 1000
    # The clock jumps over it: the jump lies between its two readings.
    low, high = round(said.replace(fold=1).timestamp()), at
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).replace(tzinfo=None) >= wanted:
            high = middle
        else:
            low = middle
    return high * 1000


def _begun(window: Window, ordinal: int, minute: int) -> int | None:
    """Return the day on which the window that is open at this minute was opened, None while it is closed."""
    if window.from_min < window.to_min:
        return ordinal if window.from_min <= minute < window.to_min else None
    if minute >= window.from_min:
        return ordinal
    return ordinal - 1 if minute < window.to_min else None


def _windows(tariff: Tariff, vehicle_class: VehicleClass, colour: PlateColour) -> tuple[Window, ...]:
    """Return the windows for a vehicle, the one that holds before others first.

    What names the vehicle holds before what is for all, what names days before what is daily; then the order
    of the table.
    """
    groups: dict[tuple[object, ...], list[RateLine]] = {}
    for line in tariff.lines:
        if line.vehicle_class in ("", vehicle_class) and line.colour in ("", colour):
            key = (line.vehicle_class, line.colour, line.days, line.from_min, line.to_min)
            groups.setdefault(key, []).append(line)
    ranked = sorted(groups.values(), key=lambda lines: _rank(lines[0]))
    return tuple(_window(number, lines) for number, lines in enumerate(ranked))


def _rank(line: RateLine) -> tuple[int, int]:
    named = (line.vehicle_class != "") + (line.colour != "")
    days = {RateDays.DAILY: 2, RateDays.RESTDAY: 1, RateDays.WORKDAY: 1}.get(line.days, 0)
    return -named, days


def _window(number: int, lines: list[RateLine]) -> Window:
    ordered = sorted(lines, key=lambda line: line.after_min)
    ends = [line.after_min * MINUTE_MS for line in ordered[1:]] + [2 * MAX_STAY_MS]
    tiers = tuple(_tier(line, end) for line, end in zip(ordered, ends, strict=True))
    caps = [line.cap_fen for line in ordered if line.cap_fen is not None]
    first = ordered[0]
    return Window(number, tiers, min(caps, default=None), first.days, first.from_min, first.to_min)


def _tier(line: RateLine, until_ms: int) -> Tier:
    inc_min = line.by_min or line.step_min
    return Tier(
        line.after_min * MINUTE_MS,
        until_ms,
        inc_min * MINUTE_MS,
        line.step_min // inc_min,
        line.price_fen,
        line,
    )


def _is_always(window: Window) -> bool:
    whole = (window.from_min, window.to_min) == (0, DAY_MIN)
    return whole and window.days is RateDays.DAILY and window.cap_fen is None


def _needs_dates(tariff: Tariff) -> bool:
    return tariff.date_cap_fen is not None or tariff.restart == "date"
