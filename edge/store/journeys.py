"""Shoppers' ways with their steps, and the funnel's counts kept in step."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import Any

from edge.members.conversion import Conversion, ConversionStep, Journey, StepCount
from edge.services.journey_records import FunnelBy, FunnelFilter, LinkKind

MOST_STEPS = 200

_JOURNEY = "correlation, begun_at, origin, guide, campaign, variant, member_id"
_PUT_JOURNEY = f"""
INSERT INTO journeys ({_JOURNEY}) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (correlation) DO UPDATE SET
    guide = excluded.guide, campaign = excluded.campaign, variant = excluded.variant,
    member_id = excluded.member_id
"""
_STEP = (
    "conversion_id, key, correlation, step, at, day, hour, touchpoint, origin, first, tenant_id, guide,"
    " campaign, variant, member_id, order_id, amount_fen, served"
)
_ADD = f"""
INSERT INTO conversions ({_STEP}) VALUES ({", ".join("?" * 18)}) ON CONFLICT (correlation, key) DO NOTHING
"""
_COUNT_HOUR = """
INSERT INTO funnel_hours (day, hour, origin, tenant_id, guide, variant, step, shoppers, times, amount_fen)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, ?)
ON CONFLICT (day, hour, origin, tenant_id, guide, variant, step) DO UPDATE SET
    shoppers = shoppers + excluded.shoppers, times = times + 1, amount_fen = amount_fen + excluded.amount_fen
"""
_COUNT_DAY = """
INSERT INTO funnel_days (day, origin, tenant_id, guide, variant, step, shoppers, times, amount_fen)
VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?)
ON CONFLICT (day, origin, tenant_id, guide, variant, step) DO UPDATE SET
    shoppers = shoppers + excluded.shoppers, times = times + 1, amount_fen = amount_fen + excluded.amount_fen
"""
_COLUMNS = {
    FunnelBy.HOUR: "hour",
    FunnelBy.DAY: "day",
    FunnelBy.TOUCHPOINT: "origin",
    FunnelBy.TENANT: "tenant_id",
    FunnelBy.GUIDE: "guide",
    FunnelBy.VARIANT: "variant",
}
_FORGET = (
    "DELETE FROM conversions WHERE conversion_id IN"
    " (SELECT conversion_id FROM conversions WHERE at < ? LIMIT ?)",
    "DELETE FROM journeys WHERE correlation IN (SELECT correlation FROM journeys WHERE begun_at < ? LIMIT ?)",
    "DELETE FROM journey_links WHERE (kind, reference) IN"
    " (SELECT kind, reference FROM journey_links WHERE linked_at < ? LIMIT ?)",
)


class JourneyTable:
    """Implements journey_records.Journeys."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, correlation: str) -> Journey | None:
        """Return a way."""
        row = self._connection.execute(
            f"SELECT {_JOURNEY} FROM journeys WHERE correlation = ?", (correlation,)
        ).fetchone()
        return None if row is None else Journey(*row)

    def put(self, journey: Journey) -> None:
        """Write a way; where and when it began stays."""
        one = journey
        row = (one.correlation, one.begun_at, one.origin, one.guide, one.campaign, one.variant, one.member_id)
        self._connection.execute(_PUT_JOURNEY, row)

    def link(
        self, kind: LinkKind, reference: str, correlation: str, at: int, *, replace: bool = False
    ) -> None:
        """Note which way something belongs to; what was noted first stays unless it is to be replaced."""
        change = "UPDATE SET correlation = excluded.correlation" if replace else "NOTHING"
        self._connection.execute(
            "INSERT INTO journey_links (kind, reference, correlation, linked_at) VALUES (?, ?, ?, ?)"
            f" ON CONFLICT (kind, reference) DO {change}",
            (kind.value, reference, correlation, at),
        )

    def linked(self, kind: LinkKind, reference: str) -> str:
        """Return the correlation id of something."""
        row = self._connection.execute(
            "SELECT correlation FROM journey_links WHERE kind = ? AND reference = ?", (kind.value, reference)
        ).fetchone()
        return row[0] if row else ""

    def add(self, step: Conversion) -> bool:
        """Write a step and count it, once."""
        one = step
        dimensions = (one.origin, one.tenant_id, one.guide, one.variant, one.step.value)
        added = self._connection.execute(_ADD, _row(one)).rowcount
        if not added:
            return False
        counted = (*dimensions, int(one.first), one.amount_fen)
        self._connection.execute(_COUNT_HOUR, (one.day, one.hour, *counted))
        self._connection.execute(_COUNT_DAY, (one.day, *counted))
        return True

    def has(self, correlation: str, step: ConversionStep) -> bool:
        """Return whether a way has a step of this kind."""
        found = self._connection.execute(
            "SELECT 1 FROM conversions WHERE correlation = ? AND step = ? LIMIT 1", (correlation, step.value)
        )
        return found.fetchone() is not None

    def steps(self, correlation: str) -> tuple[Conversion, ...]:
        """Return the steps of a way, oldest first."""
        return self._steps("correlation = ?", (correlation,))

    def of_member(self, member_id: str, since: int) -> tuple[Conversion, ...]:
        """Return a member's steps since a moment, oldest first."""
        return self._steps("member_id <> '' AND member_id = ? AND at >= ?", (member_id, since))

    def counts(self, wanted: FunnelFilter, by: FunnelBy) -> tuple[tuple[str, StepCount], ...]:
        """Return (value, count) for each value of `by` and each step of it."""
        hourly = by is FunnelBy.HOUR or wanted.hour is not None
        column, table = _COLUMNS[by], "funnel_hours" if hourly else "funnel_days"
        where, values = ["day BETWEEN ? AND ?"], [wanted.first_day, wanted.last_day]
        asked = {
            "hour": wanted.hour,
            "origin": wanted.touchpoint,
            "tenant_id": wanted.tenant,
            "guide": wanted.guide,
            "variant": wanted.variant,
        }
        for name, value in asked.items():
            if value is not None:
                where.append(f"{name} = ?")
                values.append(value)  # type: ignore[arg-type]  # an hour is a number
        statement = (
            f"SELECT {column}, step, sum(shoppers), sum(times), sum(amount_fen) FROM {table}"
            f" WHERE {' AND '.join(where)} GROUP BY {column}, step ORDER BY {column}, step"
        )
        return tuple(
            (str(value), StepCount(ConversionStep(step), *sums))
            for value, step, *sums in self._connection.execute(statement, values)
        )

    def forget(self, before: int, limit: int) -> int:
        """Delete steps, ways and links of before a moment; counts stay."""
        return sum(self._connection.execute(statement, (before, limit)).rowcount for statement in _FORGET)

    def _steps(self, where: str, values: tuple[Any, ...]) -> tuple[Conversion, ...]:
        newest = f"ORDER BY at DESC, conversion_id DESC LIMIT {MOST_STEPS}"
        rows = self._connection.execute(f"SELECT {_STEP} FROM conversions WHERE {where} {newest}", values)
        return tuple(reversed([_conversion(row) for row in rows]))


def _row(one: Conversion) -> tuple[Any, ...]:
    return (
        *(one.conversion_id, one.key, one.correlation, one.step.value, one.at, one.day, one.hour),
        *(one.touchpoint, one.origin, int(one.first), one.tenant_id, one.guide, one.campaign),
        *(one.variant, one.member_id, one.order_id, one.amount_fen, int(one.served)),
    )


def _conversion(row: tuple[Any, ...]) -> Conversion:
    conversion_id, key, correlation, step, at, day, hour, touchpoint, origin, first, *rest, served = row
    one = Conversion(conversion_id, key, correlation, ConversionStep(step), at, day, hour, touchpoint, origin)
    tenant_id, guide, campaign, variant, member_id, order_id, amount_fen = rest
    return replace(
        one,
        first=bool(first),
        tenant_id=tenant_id,
        guide=guide,
        campaign=campaign,
        variant=variant,
        member_id=member_id,
        order_id=order_id,
        amount_fen=amount_fen,
        served=bool(served),
    )
