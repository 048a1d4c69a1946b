"""The funnel for people: counts by what they are asked by, rates, what may be chosen, and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from edge.errors import Invalid
from edge.members.conversion import ConversionStep, StepCount, StepRate, add_counts, rates
from edge.money import format_yuan
from edge.services.journey_records import CommissionTotal, FunnelBy, FunnelFilter
from edge.services.records import Unit

#: Days that one look covers, and rows that it shows.
MOST_DAYS = 92
MOST_ROWS = 500


@dataclass(frozen=True, slots=True)
class FunnelRow:
    """One line of a table: a value of what the funnel is told apart by, with a count for each step."""

    value: str
    counts: tuple[StepCount, ...]

    def shoppers(self, step: ConversionStep) -> int:
        """Return how many shoppers took a step."""
        return next(one.shoppers for one in self.counts if one.step is step)

    @property
    def amount_fen(self) -> int:
        """What they bought for."""
        return next(one.amount_fen for one in self.counts if one.step is ConversionStep.BOUGHT)

    @property
    def bought_permille(self) -> int | None:
        """Buyers among those at the step before it that most took, None without one."""
        line = next(one for one in rates(self.counts) if one.count.step is ConversionStep.BOUGHT)
        return line.of_first_permille


@dataclass(frozen=True, slots=True)
class FunnelView:
    """A funnel. hours: by local hour; rows: by what was asked, most shoppers first."""

    wanted: FunnelFilter
    by: FunnelBy
    steps: tuple[StepRate, ...]
    hours: tuple[FunnelRow, ...]
    rows: tuple[FunnelRow, ...]
    more: int


def read_funnel(unit: Unit, wanted: FunnelFilter, by: FunnelBy) -> FunnelView:
    """Return the funnel of some days; raise Invalid for days that are none, turned round or too many."""
    check_filter(wanted)
    rows = _rows(unit.journeys.counts(wanted, by))
    hours = rows if by is FunnelBy.HOUR else _rows(unit.journeys.counts(wanted, FunnelBy.HOUR))
    if by not in (FunnelBy.HOUR, FunnelBy.DAY):
        rows = tuple(sorted(rows, key=lambda row: (-max(one.shoppers for one in row.counts), row.value)))
    whole = add_counts(one for row in rows for one in row.counts)
    return FunnelView(wanted, by, rates(whole), hours, rows[:MOST_ROWS], max(0, len(rows) - MOST_ROWS))


def values_of(unit: Unit, wanted: FunnelFilter, by: FunnelBy) -> tuple[str, ...]:
    """Return the values that steps of these days have, "" left out."""
    days = FunnelFilter(wanted.first_day, wanted.last_day)
    return tuple(dict.fromkeys(value for value, _ in unit.journeys.counts(days, by) if value))


def check_day(text: str) -> str:
    """Return a day as YYYY-MM-DD; raise Invalid for what is none."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise Invalid(f"{text!r} is no day; write it like 2026-11-22") from None


def days_before(day: str, count: int) -> str:
    """Return the day so many days before."""
    return (date.fromisoformat(check_day(day)) - timedelta(days=count)).isoformat()


def funnel_csv(view: FunnelView) -> str:
    """Return the rows as CSV: one line for each value, shoppers by step, sales in yuan."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([view.by.value, *(step.value for step in ConversionStep), "bought_yuan"])
    for row in view.rows:
        counts = (one.shoppers for one in row.counts)
        writer.writerow([_safe(row.value), *counts, format_yuan(row.amount_fen)])
    return text.getvalue()


def commission_csv(totals: Sequence[CommissionTotal]) -> str:
    """Return commission by guide and day as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(["day", "guide", "sales", "earned_yuan", "taken_back_yuan", "commission_yuan"])
    for one in totals:
        fen = (one.earned_fen, one.taken_fen, one.amount_fen)
        writer.writerow([one.day, _safe(one.guide), one.sales, *(format_yuan(each) for each in fen)])
    return text.getvalue()


def funnel_lines(view: FunnelView) -> list[str]:
    """Return the funnel in lines for a terminal."""
    lines = [f"{view.wanted.first_day} to {view.wanted.last_day}"]
    for one in view.steps:
        share = (
            ""
            if one.of_previous_permille is None or one.previous is None
            else f"{one.of_previous_permille / 10:.1f} % of {one.previous.value}"
        )
        lines.append(f"  {one.count.step.value:<11}{one.count.shoppers:>9}  {share}".rstrip())
    lines.append("")
    lines.append(
        f"{view.by.value:<32}" + "".join(f"{step.value:>11}" for step in ConversionStep) + f"{'yuan':>13}"
    )
    for row in view.rows:
        counts = "".join(f"{one.shoppers:>11}" for one in row.counts)
        lines.append(f"{row.value or '-':<32}{counts}{format_yuan(row.amount_fen):>13}")
    if view.more:
        lines.append(f"and {view.more} more")
    return lines


def _rows(counts: Sequence[tuple[str, StepCount]]) -> tuple[FunnelRow, ...]:
    grouped: dict[str, list[StepCount]] = {}
    for value, one in counts:
        grouped.setdefault(value, []).append(one)
    return tuple(FunnelRow(value, add_counts(found)) for value, found in grouped.items())


def check_filter(wanted: FunnelFilter) -> None:
    """Raise Invalid for days that are none, turned round or too many, and for an hour that is none."""
    first, last = (
        date.fromisoformat(check_day(wanted.first_day)),
        date.fromisoformat(check_day(wanted.last_day)),
    )
    if not 0 <= (last - first).days < MOST_DAYS:
        raise Invalid(f"choose 1 to {MOST_DAYS} days, the first before the last")
    if wanted.hour is not None and not 0 <= wanted.hour <= 23:
        raise Invalid(f"hour {wanted.hour} is none; 0 to 23")


def _safe(text: str) -> str:
    """Return text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t")) else text
