"""The ledger of exits in lines for people, and as a table for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from edge.clock import local
from edge.retail.exit_pass import ExitCheck
from edge.services.records import Unit

COLUMNS = ("at", "place", "order", "result", "by", "missing", "extra")


@dataclass(frozen=True, slots=True)
class ExitLine:
    """One look with the number of its order, "" for an unknown code."""

    check: ExitCheck
    number: str


def latest_exits(unit: Unit, place: str, limit: int) -> tuple[ExitLine, ...]:
    """Return the latest looks at a way out, newest first; "" for all of them."""
    looks = unit.exits.recent(place, limit)
    orders = {one.order_id: unit.orders.get(one.order_id) for one in looks if one.order_id}
    numbers = {order_id: order.number for order_id, order in orders.items() if order is not None}
    return tuple(ExitLine(one, numbers.get(one.order_id, "")) for one in looks)


def exit_lines(looks: Sequence[ExitLine], zone: tzinfo) -> list[str]:
    """Return one line for each look."""
    rows = [_row(one, zone) for one in looks]
    return ["  ".join(cell for cell in row if cell) for row in rows] or ["no exit code was looked at yet"]


def exit_csv(looks: Sequence[ExitLine], zone: tzinfo) -> str:
    """Return the looks as CSV with a heading."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_row(one, zone) for one in looks)
    return table.getvalue()


def _row(one: ExitLine, zone: tzinfo) -> tuple[str, ...]:
    check = one.check
    missing = ", ".join(f"{miss.quantity} x {miss.name}" for miss in check.missing)
    result = f"{check.verdict}: {check.outcome}" if check.outcome else str(check.verdict)
    at = f"{local(check.at, zone):%Y-%m-%d %H:%M:%S}"
    return (at, check.place, one.number, result, check.by, missing, check.extra)
