"""Credited sales, the ledger of commission, and guides' tasks."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from edge.errors import Corrupt
from edge.members.attribution import Attribution, AttributionKind, AttributionRule, Credit
from edge.members.commission import CommissionEntry
from edge.members.guide_task import GuideTask, LifeCycle, TaskKind, TaskState
from edge.services.journey_records import CommissionTotal

_SALE = (
    "order_id, number, correlation, rule, window_days, guide_permille, day, at, amount_fen, left_fen,"
    " credits, member_id"
)
_PUT_SALE = f"""
INSERT INTO attributions ({_SALE}) VALUES ({", ".join("?" * 12)})
ON CONFLICT (order_id) DO UPDATE SET left_fen = excluded.left_fen,
    member_id = iif(member_id = '', excluded.member_id, member_id)
"""
_ENTRY = "entry_id, guide, day, order_id, refund_id, base_fen, permille, amount_fen, at"
_TOTALS = """
SELECT guide, day, sum(refund_id = ''), sum(max(amount_fen, 0)), sum(min(amount_fen, 0))
FROM commissions WHERE day BETWEEN ? AND ? GROUP BY day, guide ORDER BY day, guide
"""
_LIFE = "member_id, purchases, first_at, last_at, last_order, guide, tenant_id"
_TASK = (
    "task_id, kind, member_id, guide, tenant_id, after_order, due_at, expires_at, state, until, closed_at,"
    " closed_by, note, met_by"
)
_PUT_TASK = f"""
INSERT INTO guide_tasks ({_TASK}) VALUES ({", ".join("?" * 14)})
ON CONFLICT (task_id) DO UPDATE SET
    expires_at = excluded.expires_at, state = excluded.state, until = excluded.until,
    closed_at = excluded.closed_at, closed_by = excluded.closed_by, note = excluded.note,
    met_by = excluded.met_by
"""
_WAITS = "state IN ('open', 'snoozed')"
_DUE = "ORDER BY due_at, task_id LIMIT ?"


class CreditTable:
    """Implements journey_records.Credits."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, order_id: str) -> Attribution | None:
        """Return how a sale is credited."""
        row = self._connection.execute(
            f"SELECT {_SALE} FROM attributions WHERE order_id = ?", (order_id,)
        ).fetchone()
        return None if row is None else _sale(row)

    def put(self, one: Attribution) -> None:
        """Write it; of a known one only what is left changes, and whose it is while it is nobody's."""
        rule = one.rule
        credits = [[each.touchpoint, each.guide, each.campaign, each.amount_fen] for each in one.credits]
        row = (
            *(one.order_id, one.number, one.correlation),
            *(rule.kind.value, rule.window_days, rule.guide_permille, one.day, one.at, one.amount_fen),
            *(one.left_fen, json.dumps(credits, ensure_ascii=False), one.member_id),
        )
        self._connection.execute(_PUT_SALE, row)

    def of_days(self, first_day: str, last_day: str, limit: int) -> tuple[Attribution, ...]:
        """Return the sales of some business days, newest first."""
        rows = self._connection.execute(
            f"SELECT {_SALE} FROM attributions WHERE day BETWEEN ? AND ?"
            " ORDER BY day DESC, at DESC, order_id DESC LIMIT ?",
            (first_day, last_day, limit),
        )
        return tuple(_sale(row) for row in rows)

    def post(self, entry: CommissionEntry) -> None:
        """Append a line; raise Corrupt for a second one of the same sale, guide and refund."""
        row = (entry.entry_id, entry.guide, entry.day, entry.order_id, entry.refund_id)
        fen = (entry.base_fen, entry.permille, entry.amount_fen, entry.at)
        try:
            self._connection.execute(
                f"INSERT INTO commissions ({_ENTRY}) VALUES ({', '.join('?' * 9)})", (*row, *fen)
            )
        except sqlite3.IntegrityError as error:
            raise Corrupt(f"commission of {entry.guide} for {entry.order_id} is there already") from error

    def entries(self, order_id: str) -> tuple[CommissionEntry, ...]:
        """Return the lines of a sale, oldest first."""
        rows = self._connection.execute(
            f"SELECT {_ENTRY} FROM commissions WHERE order_id = ? ORDER BY at, entry_id", (order_id,)
        )
        return tuple(CommissionEntry(*row) for row in rows)

    def totals(self, first_day: str, last_day: str) -> tuple[CommissionTotal, ...]:
        """Return what guides earned by day and guide."""
        return tuple(
            CommissionTotal(*row) for row in self._connection.execute(_TOTALS, (first_day, last_day))
        )


class GuideTaskTable:
    """Implements journey_records.GuideTasks."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def life(self, member_id: str) -> LifeCycle | None:
        """Return a member's purchases."""
        row = self._connection.execute(
            f"SELECT {_LIFE} FROM member_lives WHERE member_id = ?", (member_id,)
        ).fetchone()
        return None if row is None else LifeCycle(*row)

    def put_life(self, life: LifeCycle) -> None:
        """Write them."""
        one = life
        row = (
            one.member_id,
            one.purchases,
            one.first_at,
            one.last_at,
            one.last_order,
            one.guide,
            one.tenant_id,
        )
        self._connection.execute(
            f"INSERT OR REPLACE INTO member_lives ({_LIFE}) VALUES (?, ?, ?, ?, ?, ?, ?)", row
        )

    def lives(self, last_from: int, last_to: int, after: str, limit: int) -> tuple[LifeCycle, ...]:
        """Return members whose last purchase was in [last_from, last_to), by member id."""
        rows = self._connection.execute(
            f"SELECT {_LIFE} FROM member_lives WHERE last_at >= ? AND last_at < ? AND member_id > ?"
            " ORDER BY member_id LIMIT ?",
            (last_from, last_to, after, limit),
        )
        return tuple(LifeCycle(*row) for row in rows)

    def get(self, task_id: str) -> GuideTask | None:
        """Return a task."""
        return next(iter(self._tasks("task_id = ?", task_id)), None)

    def find(self, member_id: str, kind: TaskKind, after_order: str) -> GuideTask | None:
        """Return the task of a member's purchase."""
        where = "member_id = ? AND kind = ? AND after_order = ?"
        return next(iter(self._tasks(where, member_id, kind.value, after_order)), None)

    def put(self, task: GuideTask) -> None:
        """Write a task."""
        one = task
        row = (
            *(one.task_id, one.kind.value, one.member_id, one.guide, one.tenant_id, one.after_order),
            *(one.due_at, one.expires_at, one.state.value, one.until, one.closed_at, one.closed_by),
            *(one.note, one.met_by),
        )
        self._connection.execute(_PUT_TASK, row)

    def waiting_of(self, member_id: str) -> tuple[GuideTask, ...]:
        """Return a member's tasks that still wait."""
        return self._tasks(f"{_WAITS} AND member_id = ? {_DUE}", member_id, 100)

    def waiting(self, limit: int) -> tuple[GuideTask, ...]:
        """Return tasks that still wait."""
        return self._tasks(f"{_WAITS} {_DUE}", limit)

    def overdue(self, at: int, limit: int) -> tuple[GuideTask, ...]:
        """Return waiting tasks whose time is over."""
        return self._tasks(f"{_WAITS} AND expires_at <= ? {_DUE}", at, limit)

    def closed_since(self, at: int, limit: int) -> tuple[GuideTask, ...]:
        """Return tasks that ended after a moment, newest first."""
        return self._tasks("closed_at > ? ORDER BY closed_at DESC, task_id DESC LIMIT ?", at, limit)

    def _tasks(self, where: str, *values: str | int) -> tuple[GuideTask, ...]:
        rows = self._connection.execute(f"SELECT {_TASK} FROM guide_tasks WHERE {where}", values)
        return tuple(_task(row) for row in rows)


def _sale(row: tuple[Any, ...]) -> Attribution:
    order_id, number, correlation, kind, window, share, day, at, amount_fen, left_fen, credits, member_id = (
        row
    )
    return Attribution(
        *(order_id, number, correlation),
        AttributionRule(AttributionKind(kind), window, share),
        *(day, at, amount_fen, left_fen),
        tuple(Credit(*each) for each in json.loads(credits)),
        member_id,
    )


def _task(row: tuple[Any, ...]) -> GuideTask:
    task_id, kind, member_id, guide, tenant_id, after, due_at, expires_at, state, *tail = row
    whose = (member_id, guide, tenant_id, after)
    return GuideTask(task_id, TaskKind(kind), *whose, due_at, expires_at, TaskState(state), *tail)
