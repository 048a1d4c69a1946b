"""Two tariffs over the same stays: what would have come in, and who would have paid more or less. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import NamedTuple

from edge.codes.sheet import BadCell, Columns, at_line, moment, one_of, read_rows
from edge.errors import Invalid
from edge.parking.calendar import Calendar
from edge.parking.stay_charges import price_fen
from edge.parking.tariff_document import Tariff
from edge.parking.tariff_plan import MINUTE_MS, Plan
from edge.parking.vehicle import PlateColour, VehicleClass

#: Stays that one comparison takes.
MAX_STAYS = 500_000

#: Where buckets of the length of stay end, in minutes; the last has no end.
ENDS_MIN = (15, 30, 60, 120, 180, 240, 360, 480, 720, 1_440)

COLUMNS = Columns(("entered_at", "left_at"), ("vehicle_class", "colour"))


class PastStay(NamedTuple):
    """A stay that is over, as far as its price goes."""

    entered_at: int
    left_at: int
    vehicle_class: VehicleClass = VehicleClass.SMALL
    colour: PlateColour = PlateColour.UNKNOWN


@dataclass(frozen=True, slots=True)
class Row:
    """Stays of one bucket: what they come to by each tariff, and how many would pay more, or less."""

    stays: int = 0
    old_fen: int = 0
    new_fen: int = 0
    more: int = 0
    less: int = 0

    def plus(self, old_fen: int, new_fen: int) -> Row:
        """Return the row with one more stay."""
        return Row(
            self.stays + 1,
            self.old_fen + old_fen,
            self.new_fen + new_fen,
            self.more + (new_fen > old_fen),
            self.less + (new_fen < old_fen),
        )


@dataclass(frozen=True, slots=True)
class Changed:
    """A stay with its price by both tariffs."""

    stay: PastStay
    old_fen: int
    new_fen: int


@dataclass(frozen=True, slots=True)
class Difference:
    """What became of all stays: in all, by length of stay, and by the hour of the entry.

    rise, fall: the stays whose price rises and falls most, None when no price does.
    """

    total: Row
    by_length: tuple[Row, ...]
    by_hour: tuple[Row, ...]
    rise: Changed | None
    fall: Changed | None


class Comparison:
    """Adds up stays one by one, by two tariffs, before benefits and with free time for each."""

    def __init__(self, old: Tariff, new: Tariff, zone: tzinfo, calendar: Calendar | None = None) -> None:
        self._tariffs = (old, new)
        self._zone = zone
        self._calendar = calendar
        self._plans: dict[tuple[VehicleClass, PlateColour], tuple[Plan, Plan]] = {}
        self._found = Difference(Row(), (Row(),) * (len(ENDS_MIN) + 1), (Row(),) * 24, None, None)
        self._lengths = list(self._found.by_length)
        self._hours = list(self._found.by_hour)

    def add(self, stay: PastStay) -> None:
        """Add one stay."""
        old, new = self._plans_for(stay)
        old_fen = price_fen(old, stay.entered_at, stay.left_at)
        new_fen = price_fen(new, stay.entered_at, stay.left_at)
        length, hour = self._buckets(stay)
        self._lengths[length] = self._lengths[length].plus(old_fen, new_fen)
        self._hours[hour] = self._hours[hour].plus(old_fen, new_fen)
        changed = Changed(stay, old_fen, new_fen)
        self._found = replace(
            self._found,
            total=self._found.total.plus(old_fen, new_fen),
            rise=_wider(self._found.rise, changed, 1),
            fall=_wider(self._found.fall, changed, -1),
        )

    def result(self) -> Difference:
        """Return what was added up so far."""
        return replace(self._found, by_length=tuple(self._lengths), by_hour=tuple(self._hours))

    def _plans_for(self, stay: PastStay) -> tuple[Plan, Plan]:
        key = stay.vehicle_class, stay.colour
        found = self._plans.get(key)
        if found is None:
            old, new = (Plan(one, self._zone, self._calendar, *key) for one in self._tariffs)
            found = self._plans[key] = (old, new)
        return found

    def _buckets(self, stay: PastStay) -> tuple[int, int]:
        length_ms = stay.left_at - stay.entered_at
        length = sum(length_ms > end * MINUTE_MS for end in ENDS_MIN)
        return length, datetime.fromtimestamp(stay.entered_at // 1000, self._zone).hour


def read_stays(lines: Iterable[bytes], zone: tzinfo) -> tuple[PastStay, ...]:
    """Return the stays of a table of `entered_at`, `left_at` and, optional, `vehicle_class`, `colour`.

    zone: of times without an offset. Raises Invalid naming line and column.
    """
    stays: list[PastStay] = []
    for number, cells in read_rows(lines, COLUMNS):
        if len(stays) >= MAX_STAYS:
            raise Invalid(f"line {number}: {MAX_STAYS} stays at most can be compared")
        try:
            stays.append(_stay(cells, zone))
        except BadCell as error:
            raise at_line(number, error) from None
    return tuple(stays)


def length_labels() -> tuple[str, ...]:
    """Return what the buckets of lengths are called: "<= 15 min" to "> 24 h"."""
    ends = [f"{end} min" if end < 60 else f"{end // 60} h" for end in ENDS_MIN]
    return (*(f"<= {end}" for end in ends), f"> {ends[-1]}")


def difference_lines(found: Difference, zone: tzinfo) -> list[str]:
    """Return the table for people: a row for each length and each hour that has stays, then the whole."""
    head = f"{'':12}{'stays':>9}{'old yuan':>14}{'new yuan':>14}{'change':>12}{'more':>8}{'less':>8}"
    lines = [head, "by length of stay"]
    lines += _rows(length_labels(), found.by_length)
    lines.append("by hour of the entry")
    lines += _rows(tuple(f"{hour:02d}:00" for hour in range(24)), found.by_hour)
    lines += _rows(("all",), (found.total,))
    for word, changed in (("rises most", found.rise), ("falls most", found.fall)):
        if changed is not None:
            begin, end = (
                datetime.fromtimestamp(at // 1000, zone).strftime("%Y-%m-%d %H:%M")
                for at in (changed.stay.entered_at, changed.stay.left_at)
            )
            lines.append(f"{word}: {begin} to {end}: {_yuan(changed.old_fen)} -> {_yuan(changed.new_fen)}")
    return lines


def _stay(cells: list[str], zone: tzinfo) -> PastStay:
    entered, left, vehicle, colour = cells
    stay = PastStay(
        moment("entered_at", entered, zone),
        moment("left_at", left, zone),
        VehicleClass(one_of("vehicle_class", vehicle or VehicleClass.SMALL, list(VehicleClass))),
        PlateColour(one_of("colour", colour or PlateColour.UNKNOWN, list(PlateColour))),
    )
    if stay.left_at < stay.entered_at:
        raise BadCell("left_at", "is before entered_at")
    return stay


def _wider(before: Changed | None, now: Changed, sign: int) -> Changed | None:
    """Return of two stays the one whose price changes more in a direction."""
    gap = (now.new_fen - now.old_fen) * sign
    had = 0 if before is None else (before.new_fen - before.old_fen) * sign
    return now if gap > had else before


def _rows(labels: Sequence[str], rows: Sequence[Row]) -> list[str]:
    return [
        f"{label:12}{row.stays:>9}{_yuan(row.old_fen):>14}{_yuan(row.new_fen):>14}"
        f"{_yuan(row.new_fen - row.old_fen):>12}{row.more:>8}{row.less:>8}"
        for label, row in zip(labels, rows, strict=True)
        if row.stays
    ]


def _yuan(amount_fen: int) -> str:
    """Return an amount that may be beyond what one payment can be."""
    whole, cents = divmod(abs(amount_fen), 100)
    return f"{'-' if amount_fen < 0 else ''}{whole}.{cents:02d}"
