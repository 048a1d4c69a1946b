"""The price of a stay found minute by minute, as the posted rules read; slow, and written on its own.

Entries, ends and everything in a tariff are whole minutes. Each minute of the stay is asked which rate holds
then by the wall clock; a step that begins in it is charged there and then.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta, tzinfo

from edge.parking.calendar import Calendar
from edge.parking.tariff_document import Boundary, FreeTime, RateLine, Restart, Rounding, Tariff

MINUTE_S = 60


def slow_price_fen(
    tariff: Tariff,
    zone: tzinfo,
    calendar: Calendar,
    vehicle: tuple[str, str],
    entered_min: int,
    minutes: int,
) -> int:
    """Return the price of a stay of whole minutes from a Unix minute on, for (class, colour)."""
    if minutes <= tariff.free_min:
        return 0
    begin = tariff.free_min if tariff.free is FreeTime.KEPT else 0
    teller = _Teller(tariff, zone, calendar, vehicle, entered_min, begin)
    for minute in range(begin, minutes):
        teller.minute(minute)
    return _rounded(tariff, teller.sum_fen)


def _rounded(tariff: Tariff, fen: int) -> int:
    if not tariff.round_fen:
        return fen
    below = fen - fen % tariff.round_fen
    if tariff.rounding is Rounding.DOWN or below == fen:
        return below
    if tariff.rounding is Rounding.UP:
        return below + tariff.round_fen
    return below + (tariff.round_fen if 2 * (fen - below) >= tariff.round_fen else 0)


class _Teller:
    def __init__(
        self,
        tariff: Tariff,
        zone: tzinfo,
        calendar: Calendar,
        vehicle: tuple[str, str],
        entered_min: int,
        begin: int,
    ) -> None:
        self.tariff, self.zone, self.calendar, self.vehicle = tariff, zone, calendar, vehicle
        self.entered_min = entered_min
        self.counted_from = begin
        self.sum_fen = 0
        self.by_window: dict[object, int] = defaultdict(int)
        self.by_cycle: dict[int, int] = defaultdict(int)
        self.by_date: dict[date, int] = defaultdict(int)
        self.rate: tuple[object, int] | None = None
        self.next_step: int | None = None
        self.steps = 0
        self.last_date: date | None = None
        self.free_again = begin

    def minute(self, minute: int) -> None:
        local = datetime.fromtimestamp((self.entered_min + minute) * MINUTE_S, self.zone)
        self._restart(minute, local)
        found = self._window(local)
        line = None if found is None else self._line(found[1], minute)
        if found is None or line is None:
            self.rate = None
            return
        rate = (found[0], self.counted_from, line)
        if rate != self.rate:
            self.rate, self.steps = rate, 0
            self.next_step = minute
            if self.tariff.boundary is Boundary.FINISH:
                self.next_step = max(minute, self.free_again)
        if minute == self.next_step:
            self._charge(line, (found[0], found[2]), minute, local)

    def _restart(self, minute: int, local: datetime) -> None:
        restart = self.tariff.restart
        new_cycle = restart is Restart.CYCLE and minute and minute % 1_440 == 0
        new_date = restart is Restart.DATE and self.last_date not in (None, local.date())
        self.last_date = local.date()
        if new_cycle or new_date:
            self.counted_from, self.rate = minute, None

    def _window(self, local: datetime) -> tuple[object, list[RateLine], date] | None:
        best = None
        clock = local.hour * 60 + local.minute
        for place, line in enumerate(self.tariff.lines):
            opened = _opened(line, local.date(), clock)
            if opened is None or not self._holds(line, opened):
                continue
            named = (line.vehicle_class != "") + (line.colour != "")
            days = {"daily": 2, "workday": 1, "restday": 1}.get(line.days, 0)
            if best is None or (-named, days, place) < best[0]:
                best = ((-named, days, place), line, opened)
        if best is None:
            return None
        key = _window_of(best[1])
        return key, [line for line in self.tariff.lines if _window_of(line) == key], best[2]

    def _holds(self, line: RateLine, opened: date) -> bool:
        vehicle = line.vehicle_class in ("", self.vehicle[0]) and line.colour in ("", self.vehicle[1])
        return vehicle and self.calendar.holds(line.days, opened.toordinal())

    def _line(self, lines: list[RateLine], minute: int) -> RateLine | None:
        elapsed = minute - self.counted_from
        begun = [line for line in lines if line.after_min <= elapsed]
        return max(begun, key=lambda line: line.after_min, default=None)

    def _charge(self, line: RateLine, opening: object, minute: int, local: datetime) -> None:
        part_min = line.by_min or line.step_min
        parts = line.step_min // part_min
        self.steps += 1
        fen = self.steps * line.price_fen // parts - (self.steps - 1) * line.price_fen // parts
        self.next_step = minute + part_min
        self.free_again = minute + part_min
        caps = [one.cap_fen for one in self.tariff.lines if _window_of(one) == _window_of(line)]
        given = [cap for cap in caps if cap is not None]
        if given:
            fen = min(fen, min(given) - self.by_window[opening])
            self.by_window[opening] += fen
        if self.tariff.day_cap_fen is not None:
            fen = min(fen, self.tariff.day_cap_fen - self.by_cycle[minute // 1_440])
            self.by_cycle[minute // 1_440] += fen
        if self.tariff.date_cap_fen is not None:
            fen = min(fen, self.tariff.date_cap_fen - self.by_date[local.date()])
            self.by_date[local.date()] += fen
        if self.tariff.visit_cap_fen is not None:
            fen = min(fen, self.tariff.visit_cap_fen - self.sum_fen)
        self.sum_fen += fen


def _window_of(line: RateLine) -> object:
    return line.vehicle_class, line.colour, line.days, line.from_min, line.to_min


def _opened(line: RateLine, today: date, clock: int) -> date | None:
    """Return on which date the line's window that is open now was opened."""
    if line.from_min < line.to_min:
        return today if line.from_min <= clock < line.to_min else None
    if clock >= line.from_min:
        return today
    return today - timedelta(days=1) if clock < line.to_min else None
