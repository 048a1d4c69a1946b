"""The car park at a glance: how full each zone was by the hour, what it took, and which cars are inside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from edge.clock import Instant
from edge.errors import Invalid
from edge.parking.plate import normalise
from edge.parking.quote import Quote
from edge.parking.session import Session
from edge.services.box import Box
from edge.services.business_day import business_day
from edge.services.count_zone import HOUR_MS, HourCount, ZoneCount, count_hours, count_zone
from edge.services.quote_session import quote_session
from edge.services.records import Unit

#: Corrections shown, cars found, stays inside that are searched, settlements of a day.
MAX_CORRECTIONS = 8
MAX_FOUND = 30
MAX_INSIDE = 20_000
MAX_SETTLEMENTS = 100_000


@dataclass(frozen=True, slots=True)
class ZoneDay:
    """A zone on a day: how it counts now, and its hours, those to come left out."""

    count: ZoneCount
    hours: Sequence[HourCount]

    @property
    def entered(self) -> int:
        """How many vehicles came."""
        return sum(one.entered for one in self.hours)

    @property
    def left(self) -> int:
        """How many vehicles left."""
        return sum(one.left for one in self.hours)


@dataclass(frozen=True, slots=True)
class ParkingDay:
    """The car park on a business day. takings: fen by hour from its first hour on, refunds below zero.
    owed_fen: of all open debts."""

    day: str
    begins_at: int
    zones: tuple[ZoneDay, ...]
    takings: tuple[int, ...]
    owed_fen: int

    @property
    def taken_fen(self) -> int:
        """What the day took."""
        return sum(self.takings)


@dataclass(frozen=True, slots=True)
class Parked:
    """A car inside. photo: of its entry, "" without. quote: None when it has no price."""

    session: Session
    photo: str
    quote: Quote | None


def show_parking(box: Box, day: str = "") -> ParkingDay:
    """Return a business day (ISO date), today when none is named; raise Invalid for what is no date."""
    now = box.clock.now()
    wanted = day or business_day(box, now)
    begins_at, ends_at = _bounds(box, wanted)
    until_at = max(begins_at, min(ends_at, now.wall_at + 1))
    counts = box.store.read(
        lambda unit: [count_zone(unit, zone, MAX_CORRECTIONS) for zone in box.parking.facility.zones]
    )
    zones = tuple(ZoneDay(one, count_hours(box, one.zone.name, begins_at, until_at)) for one in counts)
    takings, owed = box.store.read(lambda unit: (_takings(unit, begins_at, ends_at), unit.debts.owed_fen()))
    return ParkingDay(wanted, begins_at, zones, takings, owed)


def find_cars(box: Box, words: str) -> tuple[Parked, ...]:
    """Return cars inside whose plate holds these characters, or the latest ones; `MAX_FOUND` at most."""
    part, now = normalise(words), box.clock.now()

    def query(unit: Unit) -> tuple[Parked, ...]:
        inside = unit.sessions.all_inside(MAX_INSIDE if part else MAX_FOUND)
        found = [one for one in inside if part in one.plate][:MAX_FOUND]
        return tuple(_parked(unit, box, one, now) for one in found)

    return box.store.read(query)


def _parked(unit: Unit, box: Box, session: Session, now: Instant) -> Parked:
    read = unit.plate_reads.get(session.entry_read_id) if session.entry_read_id else None
    photo = read.photos[0] if read is not None and read.photos else ""
    try:
        return Parked(session, photo, quote_session(unit, box, session, now))
    except Invalid:
        # Without a tariff there is no price; the car is shown all the same.
        return Parked(session, photo, None)


def _takings(unit: Unit, from_at: int, to_at: int) -> tuple[int, ...]:
    hours = [0] * ((to_at - from_at) // HOUR_MS + 1)
    for one in unit.settlements.between(from_at, to_at, MAX_SETTLEMENTS):
        hours[(one.settled_at - from_at) // HOUR_MS] += one.amount_fen
    return tuple(hours[: (to_at - from_at) // HOUR_MS])


def _bounds(box: Box, day: str) -> tuple[int, int]:
    try:
        begins = datetime.combine(
            datetime.fromisoformat(day).date(), time(box.rules.day_starts_h), box.rules.zone
        )
    except ValueError:
        raise Invalid(f"{day!r} is no date; write it like 2026-11-22") from None
    return _ms(begins), _ms(begins + timedelta(days=1))


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
