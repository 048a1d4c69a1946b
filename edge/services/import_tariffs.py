"""Tariffs and the calendar from a file: read, tried out, and put in force all or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo

from edge.parking.calendar import make_calendar, read_calendar
from edge.parking.tariff_check import require_sound
from edge.parking.tariff_document import Tariff, read_tariffs
from edge.retail.catalogue_csv import Progress
from edge.services.ports import Store
from edge.services.records import Unit
from edge.services.take_intake import IntakeReport, WishHandler, wished


def import_tariffs(store: Store, zone: tzinfo, table: bytes, replace: bool = False) -> tuple[str, ...]:
    """Put the tariffs of a table in force, and return lines for people.

    zone: of times without an offset. replace: tariffs that the table does not name go; otherwise those of the
    same id and moment are replaced and all others stay. Raises Invalid for a table that cannot be read, and
    for a tariff that breaks a promise (edge.parking.tariff_check), with the stay that shows it; nothing has
    changed then.
    """
    tariffs = read_tariffs(table.splitlines(keepends=True), zone)
    calendar = make_calendar(store.read(lambda unit: unit.calendar_days.all()))
    require_sound(tariffs, zone, calendar)

    def work(unit: Unit) -> int:
        named = {(one.tariff_id, one.valid_from) for one in tariffs}
        kept = [one for one in unit.tariffs.all() if (one.tariff_id, one.valid_from) not in named]
        unit.tariffs.replace((*tariffs, *(() if replace else kept)))
        return 0 if replace else len(kept)

    kept = store.write(work)
    lines = [describe_tariff(one, zone) for one in tariffs]
    return (*lines, f"{len(tariffs)} tariffs are taken, {kept} others stay")


def import_calendar(store: Store, table: bytes) -> tuple[str, ...]:
    """Put the days of a table in place of all that the calendar names; raise Invalid for a bad line."""
    days = read_calendar(table.splitlines(keepends=True))
    store.write(lambda unit: unit.calendar_days.replace(days))
    return (f"{len(days)} days are named",)


def describe_tariff(tariff: Tariff, zone: tzinfo) -> str:
    """Return one line about a tariff."""
    begins = datetime.fromtimestamp(tariff.valid_from // 1000, zone)
    return f"{tariff.tariff_id}  from {begins:%Y-%m-%d %H:%M}  {tariff.name}  {len(tariff.lines)} rate lines"


def tariff_wishes(store: Store, zone: tzinfo) -> Mapping[str, WishHandler]:
    """Return by kind what is done for a wish about tariffs; a table is the text of the file."""

    def take(arguments: Mapping[str, str], progress: Progress) -> IntakeReport:
        table, replace = wished(arguments, "table", "replace")
        return IntakeReport(True, import_tariffs(store, zone, table.encode(), replace == "yes"))

    def name_days(arguments: Mapping[str, str], progress: Progress) -> IntakeReport:
        (table,) = wished(arguments, "table")
        return IntakeReport(True, import_calendar(store, table.encode()))

    return {"import-tariffs": take, "import-calendar": name_days}
