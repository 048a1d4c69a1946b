"""Tariffs with their rate lines, and the mall's calendar."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import date

from edge.parking.calendar import CalendarDay, NamedDay, RateDays
from edge.parking.tariff_document import (
    Boundary,
    FreeTime,
    MinutesFrom,
    RateLine,
    Restart,
    Rounding,
    Tariff,
)

_KEY = "tariff_id, valid_from"
_HEAD = (
    f"{_KEY}, name, free_min, day_cap_fen, free, date_cap_fen, visit_cap_fen, restart, boundary, round_fen,"
    " rounding, reentry_min, grace_s, minutes_from"
)
_LINE = "step_min, price_fen, vehicle_class, days, from_min, to_min, after_min, cap_fen, colour, by_min"
_IN_FORCE = """
SELECT coalesce(max(valid_from) FILTER (WHERE valid_from <= ?2), min(valid_from))
FROM tariffs WHERE tariff_id = ?1
"""
_PUT_HEAD = f"INSERT INTO tariffs ({_HEAD}) VALUES ({', '.join('?' * 15)})"
_PUT_LINE = f"INSERT INTO rate_lines ({_KEY}, place, {_LINE}) VALUES ({', '.join('?' * 13)})"

_HeadRow = tuple[
    str, int, str, int, int | None, str, int | None, int | None, str, str, int, str, int, int | None, str
]


class TariffTable:
    """Implements list_records.Tariffs."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def all(self) -> tuple[Tariff, ...]:
        """Return all, by id and moment."""
        return self._read("")

    def in_force(self, tariff_id: str, at: int) -> Tariff | None:
        """Return the tariff of that id in force at a moment; before the first one, the first."""
        row = self._connection.execute(_IN_FORCE, (tariff_id, at)).fetchone()
        if row[0] is None:
            return None
        return self._read("WHERE tariff_id = ? AND valid_from = ?", (tariff_id, row[0]))[0]

    def _read(self, where: str, values: tuple[str | int, ...] = ()) -> tuple[Tariff, ...]:
        lines: dict[tuple[str, int], list[RateLine]] = {}
        query = f"SELECT {_KEY}, {_LINE} FROM rate_lines {where} ORDER BY {_KEY}, place"
        rows = self._connection.execute(query, values)
        for tariff_id, valid_from, step, price, vehicle, days, *rest in rows:
            line = RateLine(step, price, vehicle, RateDays(days), *rest)
            lines.setdefault((tariff_id, valid_from), []).append(line)
        heads = self._connection.execute(f"SELECT {_HEAD} FROM tariffs {where} ORDER BY {_KEY}", values)
        return tuple(_tariff(head, tuple(lines[head[0], head[1]])) for head in heads)

    def replace(self, tariffs: Sequence[Tariff]) -> None:
        """Write these in place of all others."""
        self._connection.execute("DELETE FROM tariffs")
        for tariff in tariffs:
            self._connection.execute(_PUT_HEAD, _head_row(tariff))
            rows = (
                (tariff.tariff_id, tariff.valid_from, place, *_line_row(line))
                for place, line in enumerate(tariff.lines)
            )
            self._connection.executemany(_PUT_LINE, rows)


class CalendarTable:
    """Implements list_records.CalendarDays."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def all(self) -> tuple[CalendarDay, ...]:
        """Return all named days, by date."""
        rows = self._connection.execute("SELECT day, kind, name FROM calendar_days ORDER BY day")
        return tuple(CalendarDay(date.fromisoformat(day), NamedDay(kind), name) for day, kind, name in rows)

    def replace(self, days: Sequence[CalendarDay]) -> None:
        """Write these in place of all others."""
        self._connection.execute("DELETE FROM calendar_days")
        rows = ((one.day.isoformat(), one.kind.value, one.name) for one in days)
        self._connection.executemany("INSERT INTO calendar_days (day, kind, name) VALUES (?, ?, ?)", rows)


def _head_row(t: Tariff) -> tuple[str | int | None, ...]:
    caps = (t.date_cap_fen, t.visit_cap_fen)
    rules = (t.restart.value, t.boundary.value, t.round_fen, t.rounding.value, t.reentry_min, t.grace_s)
    head = (t.tariff_id, t.valid_from, t.name, t.free_min, t.day_cap_fen, t.free.value)
    return *head, *caps, *rules, t.minutes_from.value


def _tariff(row: _HeadRow, lines: tuple[RateLine, ...]) -> Tariff:
    tariff_id, valid_from, name, free_min, day_cap, free, date_cap, visit_cap, restart, boundary, *rest = row
    round_fen, rounding, reentry, grace, minutes_from = rest
    return Tariff(
        tariff_id,
        name,
        valid_from,
        free_min,
        day_cap,
        lines,
        FreeTime(free),
        date_cap,
        visit_cap,
        Restart(restart),
        Boundary(boundary),
        round_fen,  # type: ignore[arg-type]
        Rounding(str(rounding)),
        reentry,  # type: ignore[arg-type]
        grace,  # type: ignore[arg-type]
        MinutesFrom(str(minutes_from)),
    )


def _line_row(line: RateLine) -> tuple[str | int | None, ...]:
    window = (line.vehicle_class, line.days.value, line.from_min, line.to_min)
    return line.step_min, line.price_fen, *window, line.after_min, line.cap_fen, line.colour, line.by_min
