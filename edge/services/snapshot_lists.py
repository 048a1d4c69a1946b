"""Snapshots of plates on lists, of parking tariffs and of the calendar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from edge.parking.calendar import make_calendar, read_calendar
from edge.parking.plate_list import PlateEntry, read_entries
from edge.parking.tariff_check import require_sound
from edge.parking.tariff_document import read_tariffs
from edge.services.ports import Clock, Store
from edge.services.records import Unit
from edge.services.snapshot_content import Content
from edge.services.snapshot_delta import split_lines
from edge.services.snapshot_kind import MIB, Done

MAX_LINE_BYTES = 2_048

#: Entries in one unit of work.
STAGE_ROWS = 500


@dataclass(frozen=True, slots=True)
class ListsKind:
    """All plates on lists: a table of edge/parking/plate_list.py. zone: of times without an offset."""

    zone: tzinfo
    name: str = "lists"
    max_bytes: int = 32 * MIB

    def apply(self, store: Store, clock: Clock, content: Content, done: Done, returned: bool) -> str:
        """Stage the entries as a set that nobody sees, and show it in place of the one before."""
        number = store.write(lambda unit: unit.plate_lists.begin())
        _tidy(store)
        total, batch = 0, list[PlateEntry]()
        for entry in read_entries(split_lines(content.blocks(), MAX_LINE_BYTES), self.zone):
            batch.append(entry)
            if len(batch) == STAGE_ROWS:
                total += _stage(store, number, total, batch)
                batch = []
        total += _stage(store, number, total, batch)

        def work(unit: Unit) -> None:
            unit.plate_lists.finish(number, total)
            if not returned:
                # HQ's new lists hold what is meant; those that a person went back to may not.
                unit.plates.clear_blocks()
            done(unit)

        store.write(work)
        _tidy(store)
        return f"{total} plates"


@dataclass(frozen=True, slots=True)
class TariffsKind:
    """All tariffs: a table of edge/parking/tariff_document.py. zone: of times without an offset."""

    zone: tzinfo
    name: str = "tariffs"
    max_bytes: int = MIB

    def apply(self, store: Store, clock: Clock, content: Content, done: Done, returned: bool) -> str:
        """Replace all tariffs in one unit; one that breaks a promise of its own is refused."""
        tariffs = read_tariffs(split_lines(content.blocks(), MAX_LINE_BYTES), self.zone)
        calendar = make_calendar(store.read(lambda unit: unit.calendar_days.all()))
        require_sound(tariffs, self.zone, calendar)

        def work(unit: Unit) -> None:
            unit.tariffs.replace(tariffs)
            done(unit)

        store.write(work)
        lines = sum(len(tariff.lines) for tariff in tariffs)
        return f"{len(tariffs)} tariffs, {lines} rate lines"


@dataclass(frozen=True, slots=True)
class CalendarKind:
    """Public holidays and worked weekends: a table of edge/parking/calendar.py."""

    name: str = "calendar"
    max_bytes: int = MIB

    def apply(self, store: Store, clock: Clock, content: Content, done: Done, returned: bool) -> str:
        """Replace all named days in one unit."""
        days = read_calendar(split_lines(content.blocks(), MAX_LINE_BYTES))

        def work(unit: Unit) -> None:
            unit.calendar_days.replace(days)
            done(unit)

        store.write(work)
        return f"{len(days)} days"


def _stage(store: Store, number: int, first: int, batch: Sequence[PlateEntry]) -> int:
    store.write(lambda unit: unit.plate_lists.stage(number, first, batch))
    return len(batch)


def _tidy(store: Store) -> None:
    while store.write(lambda unit: unit.plate_lists.tidy(STAGE_ROWS)):
        pass
