"""Tariffs and the calendar from files: all or nothing, tried out first, beside what is there."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from edge.errors import Invalid
from edge.parking.calendar import CalendarDay, NamedDay, RateDays, make_calendar, read_calendar
from edge.parking.plate_list import DayKind
from edge.parking.tariff_document import read_tariffs
from edge.parking.tariff_table import EXAMPLE, write_tariffs
from edge.services.import_tariffs import import_calendar, import_tariffs, tariff_wishes
from sim.fakes.store import FakeStore

ZONE = ZoneInfo("Asia/Shanghai")

NEXT_YEAR = EXAMPLE.replace("2026-01-01", "2027-01-01").encode()


def test_a_new_version_is_added_to_what_is_there() -> None:
    store = FakeStore()
    import_tariffs(store, ZONE, EXAMPLE.encode())
    said = import_tariffs(store, ZONE, NEXT_YEAR)
    assert said[-1] == "1 tariffs are taken, 1 others stay"
    assert [one.valid_from for one in store.read(lambda unit: unit.tariffs.all())] == [
        1_767_196_800_000,
        1_798_732_800_000,
    ]
    import_tariffs(store, ZONE, NEXT_YEAR, replace=True)
    assert len(store.read(lambda unit: unit.tariffs.all())) == 1


def test_a_tariff_with_a_gap_is_refused_and_changes_nothing() -> None:
    store = FakeStore()
    import_tariffs(store, ZONE, EXAMPLE.encode())
    gap = "\n".join(line for line in EXAMPLE.splitlines() if "20:00,08:00" not in line).encode()
    with pytest.raises(Invalid, match="tariff standard breaks 'no gap in windows'"):
        import_tariffs(store, ZONE, gap)
    [kept] = store.read(lambda unit: unit.tariffs.all())
    assert len(kept.lines) == 4


def test_the_table_of_a_tariff_reads_back_the_same() -> None:
    tariffs = read_tariffs(EXAMPLE.encode().splitlines(), ZONE)
    assert read_tariffs(write_tariffs(tariffs, ZONE).splitlines(), ZONE) == tariffs


def test_a_calendar_is_taken_and_decides_days() -> None:
    store = FakeStore()
    table = "date,kind,name\n2026-10-01,holiday,国庆节\n2026-10-10,workday,\n".encode()
    assert import_calendar(store, table) == ("2 days are named",)
    calendar = make_calendar(store.read(lambda unit: unit.calendar_days.all()))
    kinds = [calendar.day_kind(date(2026, 10, day)) for day in (1, 2, 10, 11)]
    assert kinds == [DayKind.RESTDAY, DayKind.WORKDAY, DayKind.WORKDAY, DayKind.RESTDAY]
    feast = date(2026, 10, 1).toordinal()
    assert calendar.holds(RateDays.HOLIDAY, feast)
    assert calendar.holds(RateDays.RESTDAY, feast)
    assert not calendar.holds(RateDays.WEEKEND, feast)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("2026-13-01,holiday", "line 2, date: '2026-13-01' is no day"),
        ("2026-10-01,feast", "line 2, kind: 'feast' is not one of holiday, workday"),
        ("2026-10-01,holiday\n2026-10-01,workday", "line 3, date: 2026-10-01 stands twice"),
    ],
)
def test_a_wrong_calendar_is_named_by_line_and_column(rows: str, told: str) -> None:
    with pytest.raises(Invalid, match=told):
        read_calendar(f"date,kind\n{rows}\n".encode().splitlines())


def test_the_last_word_about_a_date_holds() -> None:
    day = date(2026, 10, 1)
    calendar = make_calendar([CalendarDay(day, NamedDay.HOLIDAY), CalendarDay(day, NamedDay.WORKDAY)])
    assert calendar.day_kind(day) is DayKind.WORKDAY


def test_a_running_service_takes_tables_as_wishes() -> None:
    store = FakeStore()
    wishes = tariff_wishes(store, ZONE)
    taken = wishes["import-tariffs"]({"table": EXAMPLE, "replace": "yes"}, lambda done, total: None)
    assert taken.taken
    wishes["import-calendar"]({"table": "date,kind\n2026-10-01,holiday\n"}, lambda done, total: None)
    assert store.read(lambda unit: (len(unit.tariffs.all()), len(unit.calendar_days.all()))) == (1, 1)
