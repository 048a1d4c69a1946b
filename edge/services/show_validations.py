"""What staff see of validations: a list to search, and what each merchant owes for a month."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass

from edge.errors import Invalid
from edge.money import format_yuan
from edge.parking.validation import Validation
from edge.services.box import Box
from edge.services.records import Unit
from edge.services.validation_records import MerchantTotal

_MONTH = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])", re.ASCII)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

HEADINGS = (
    "merchant",
    "name",
    "month",
    "granted",
    "used",
    "revoked",
    "expired",
    "minutes",
    "counted_yuan",
    "forgone_yuan",
)


@dataclass(frozen=True, slots=True)
class SettlementReport:
    """What each merchant gave away in a month. names: of merchants, as the catalogue has them."""

    month: str
    totals: tuple[MerchantTotal, ...]
    names: Mapping[str, str]

    @property
    def forgone_fen(self) -> int:
        """What all of them took off fees."""
        return sum(one.forgone_fen for one in self.totals)


def find_validations(box: Box, text: str, day: str, limit: int) -> tuple[Validation, ...]:
    """Return a day's validations by part of a plate, receipt number or coupon, newest first."""
    return box.store.read(lambda unit: unit.validations.search(text.strip(), day, day, limit))


def settlement(box: Box, month: str) -> SettlementReport:
    """Return the report of a month (YYYY-MM); raise Invalid for what is none."""
    check_month(month)
    return box.store.read(lambda unit: read_settlement(unit, month))


def read_settlement(unit: Unit, month: str) -> SettlementReport:
    """Return the report of a month, on a unit of one's own."""
    return SettlementReport(
        month, unit.validations.totals(f"{month}-01", f"{month}-31"), merchant_names(unit)
    )


def check_month(month: str) -> None:
    """Raise Invalid for what is no month."""
    if _MONTH.fullmatch(month) is None:
        raise Invalid(f"{month[:16]!r} is no month; write it like 2026-11")


def settlement_lines(report: SettlementReport) -> list[str]:
    """Return the report for people, one line for each merchant and their sum."""
    lines = []
    for one in report.totals:
        name = report.names.get(one.merchant, one.merchant) or "the mall"
        counts = f"{one.granted} granted, {one.used} used, {one.revoked} revoked, {one.expired} expired"
        lines.append(f"{name}: {counts}, {one.minutes} min, {format_yuan(one.forgone_fen)} yuan forgone")
    return [*lines, f"{report.month}: {format_yuan(report.forgone_fen)} yuan forgone in all"]


def settlement_csv(report: SettlementReport) -> str:
    """Return the report as CSV for spreadsheets, with a byte order mark; no cell can become a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADINGS)
    for one in report.totals:
        writer.writerow(
            [
                _cell(one.merchant),
                _cell(report.names.get(one.merchant, "")),
                report.month,
                one.granted,
                one.used,
                one.revoked,
                one.expired,
                one.minutes,
                format_yuan(one.fen),
                format_yuan(one.forgone_fen),
            ]
        )
    return "\ufeff" + text.getvalue()


def merchant_names(unit: Unit) -> dict[str, str]:
    """Return the names of all tenants by id."""
    return {one.tenant_id: one.name for one in unit.catalogue.intake.tenants()}


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
