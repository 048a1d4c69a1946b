"""Tariffs as the table that `tariff_document.read_tariffs` reads, and an example of one. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import datetime, tzinfo

from edge.money import format_yuan
from edge.parking.tariff_document import (
    COLUMNS,
    DAY_MIN,
    Boundary,
    FreeTime,
    MinutesFrom,
    RateLine,
    Restart,
    Rounding,
    Tariff,
)

#: A mall's tariff as it stands on many boards: 15 minutes free, the first hour 10 yuan, each further hour 5,
#: nights 5 once, 60 yuan in 24 hours; lorries pay more by day; 20 minutes to drive out.
EXAMPLE = """\
tariff_id,name,valid_from,step_min,price,free_min,day_cap,reentry_min,grace_min,vehicle_class,from,to,after_min
standard,商场停车场,2026-01-01,60,10,15,60,120,20,,08:00,20:00,0
standard,商场停车场,2026-01-01,60,5,15,60,120,20,,08:00,20:00,60
standard,商场停车场,2026-01-01,720,5,15,60,120,20,,20:00,08:00,0
standard,商场停车场,2026-01-01,60,15,15,60,120,20,large,08:00,20:00,0
"""

#: What an empty cell means, by column; these are written empty.
_PLAIN = {
    "free": FreeTime.CHARGED,
    "restart": Restart.NEVER,
    "boundary": Boundary.CUT,
    "rounding": Rounding.DOWN,
    "minutes_from": MinutesFrom.END,
    "days": "daily",
    "reentry_min": "0",
    "after_min": "0",
    "by_min": "0",
    "free_min": "0",
}


def write_tariffs(tariffs: Sequence[Tariff], zone: tzinfo) -> bytes:
    """Return the table of tariffs; columns that nobody uses are left out. zone: of its times."""
    rows = [_row(tariff, line, zone) for tariff in tariffs for line in tariff.lines]
    used = [name for name in COLUMNS.names if name in COLUMNS.required or any(row[name] for row in rows)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(used)
    writer.writerows([row[name] for name in used] for row in rows)
    return text.getvalue().encode()


def _row(tariff: Tariff, line: RateLine, zone: tzinfo) -> dict[str, str]:
    whole = (line.from_min, line.to_min) == (0, DAY_MIN)
    row = {
        "tariff_id": tariff.tariff_id,
        "name": tariff.name,
        "valid_from": _moment(tariff.valid_from, zone),
        "step_min": str(line.step_min),
        "price": format_yuan(line.price_fen),
        "free_min": str(tariff.free_min),
        "day_cap": _fen(tariff.day_cap_fen),
        "vehicle_class": line.vehicle_class,
        "days": line.days.value,
        "from": "" if whole else _clock(line.from_min),
        "to": "" if whole else _clock(line.to_min),
        "after_min": str(line.after_min),
        "cap": _fen(line.cap_fen),
        "colour": line.colour,
        "by_min": str(line.by_min),
        "free": tariff.free.value,
        "date_cap": _fen(tariff.date_cap_fen),
        "visit_cap": _fen(tariff.visit_cap_fen),
        "restart": tariff.restart.value,
        "boundary": tariff.boundary.value,
        "round": _fen(tariff.round_fen or None),
        "rounding": tariff.rounding.value,
        "reentry_min": str(tariff.reentry_min),
        "grace_min": "" if tariff.grace_s is None else str(tariff.grace_s // 60),
        "minutes_from": tariff.minutes_from.value,
    }
    return {name: "" if _PLAIN.get(name) == cell else cell for name, cell in row.items()}


def _fen(amount_fen: int | None) -> str:
    return "" if amount_fen is None else format_yuan(amount_fen)


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _moment(at: int, zone: tzinfo) -> str:
    """Return a time with its offset, so that it means the same in every zone; digits for broken seconds."""
    if at % 1000:
        return str(at)
    return datetime.fromtimestamp(at // 1000, zone).isoformat()
