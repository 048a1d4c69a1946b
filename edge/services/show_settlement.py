"""What the mall owes each tenant for a time, from the books: sales, commission, what reached the tenant."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from edge.errors import Invalid
from edge.money import format_yuan
from edge.retail.tenant_ledger import TenantSums, tenant_sums
from edge.services.box import Box
from edge.services.records import Unit

#: Days that one report covers.
MAX_DAYS = 92

_HEAD = ("tenant", "name", "first_day", "last_day", "sold", "returned", "commission", "reached", "owed")


@dataclass(frozen=True, slots=True)
class SettlementRow:
    """One tenant's line. name, name_en: as configured; the id where it is not."""

    name: str
    name_en: str
    sums: TenantSums


@dataclass(frozen=True, slots=True)
class Settlement:
    """A report of business days, both ends included. total: of all tenants."""

    first_day: str
    last_day: str
    rows: tuple[SettlementRow, ...]
    total: TenantSums


def read_settlement(unit: Unit, box: Box, first_day: str, last_day: str) -> Settlement:
    """Return the report of business days (ISO dates); raise Invalid for days that are none, or too many."""
    first, last = _day(first_day), _day(last_day)
    if not first <= last < first + timedelta(days=MAX_DAYS):
        raise Invalid(f"a report covers 1 to {MAX_DAYS} days, from the first to the last one")
    moved = unit.ledger.moved(_begins_at(box, first), _begins_at(box, last + timedelta(days=1)))
    sums = tenant_sums(moved)
    rows = tuple(
        SettlementRow(box.tenant(one.tenant_id).name, box.tenant(one.tenant_id).name_en, one) for one in sums
    )
    total = TenantSums(
        "",
        sum(one.sold_fen for one in sums),
        sum(one.returned_fen for one in sums),
        sum(one.commission_fen for one in sums),
        sum(one.reached_fen for one in sums),
    )
    return Settlement(first.isoformat(), last.isoformat(), rows, total)


def settlement_csv(report: Settlement) -> str:
    """Return a report as CSV with a header, yuan with two decimals; a byte-order mark is for spreadsheets."""
    out = io.StringIO()
    lines = csv.writer(out)
    lines.writerow(_HEAD)
    for row in report.rows:
        one = row.sums
        money = (one.sold_fen, one.returned_fen, one.commission_fen, one.reached_fen, one.owed_fen)
        where = (_plain(one.tenant_id), _plain(row.name), report.first_day, report.last_day)
        lines.writerow((*where, *(format_yuan(fen) for fen in money)))
    return "\ufeff" + out.getvalue()


def _plain(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid(f"{text[:20]!r} is no day; write it like 2026-11-22") from None


def _begins_at(box: Box, day: date) -> int:
    begins = datetime.combine(day, time(box.rules.day_starts_h), box.rules.zone)
    return int(begins.timestamp() * 1_000)
