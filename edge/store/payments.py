"""Payment attempts and the books."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from typing import Any

from edge.retail.attempt import AttemptState, AttemptStep, PaymentAttempt, PayWay, StepKind
from edge.retail.ledger import Posting
from edge.retail.split import OrderPart

_COLUMNS = """
attempt_id, order_id, workstation, gateway, merchant_order_no, amount_fen, code_tail, created_at,
give_up_at, next_step_at, state, polls, transaction_id, payer, trail, closed_at, created_boot, created_ns,
reversal_at, way, pay_url, openid, frozen
"""
_GET = f"SELECT {_COLUMNS} FROM attempts WHERE attempt_id = ?"
_OF_ORDER = f"SELECT {_COLUMNS} FROM attempts WHERE order_id = ? ORDER BY attempt_id"
_OPEN = f"""
SELECT {_COLUMNS} FROM attempts WHERE state IN ('intended', 'submitted', 'unknown')
ORDER BY next_step_at LIMIT ?
"""
_PUT = f"""
INSERT INTO attempts ({_COLUMNS}) VALUES ({", ".join("?" * 23)})
ON CONFLICT (attempt_id) DO UPDATE SET
    give_up_at = excluded.give_up_at, next_step_at = excluded.next_step_at, state = excluded.state,
    polls = excluded.polls, transaction_id = excluded.transaction_id, payer = excluded.payer,
    trail = excluded.trail, closed_at = excluded.closed_at, reversal_at = excluded.reversal_at,
    pay_url = excluded.pay_url
"""
_DOUBTED = f"""
SELECT {_COLUMNS} FROM attempts WHERE closed_at IS NOT NULL
AND attempt_id IN (SELECT DISTINCT attempt_id FROM attempt_steps ORDER BY attempt_id DESC LIMIT 1000)
ORDER BY attempt_id DESC LIMIT ?
"""
_TRAIL = """
SELECT what, state, detail, first_at, last_at, times FROM attempt_steps WHERE attempt_id = ? ORDER BY number
"""
_PUT_STEP = """
INSERT INTO attempt_steps (attempt_id, number, what, state, detail, first_at, last_at, times)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (attempt_id, number) DO UPDATE SET
    what = excluded.what, state = excluded.state, detail = excluded.detail, first_at = excluded.first_at,
    last_at = excluded.last_at, times = excluded.times
"""
_PARTS = """
SELECT merchant, merchant_order_no, amount_fen, description, tenants, transaction_id, frozen
FROM attempt_parts
WHERE attempt_id = ? ORDER BY position
"""
_PUT_PART = """
INSERT INTO attempt_parts
    (attempt_id, position, merchant, merchant_order_no, amount_fen, description, tenants, transaction_id,
    frozen)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (merchant_order_no) DO UPDATE SET transaction_id = excluded.transaction_id
WHERE attempt_id = excluded.attempt_id
"""
#: The ways in which several merchants can be paid at once.
_IN_PARTS = (PayWay.NATIVE, PayWay.JSAPI)
_MOVED = """
SELECT kind, account, sum(amount_fen) FROM postings JOIN entries USING (posting_id)
WHERE posted_at >= ? AND posted_at < ? GROUP BY kind, account ORDER BY kind, account
"""
_BALANCES = "SELECT account, sum(amount_fen) FROM entries GROUP BY account ORDER BY account"


class AttemptTable:
    """Implements records.Attempts."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, attempt_id: str) -> PaymentAttempt | None:
        """Return an attempt."""
        row = self._connection.execute(_GET, (attempt_id,)).fetchone()
        return None if row is None else self._with_parts(_attempt(row))

    def put(self, attempt: PaymentAttempt) -> None:
        """Write an attempt; its key, amount and order never change."""
        self._connection.execute(
            _PUT,
            (
                attempt.attempt_id,
                attempt.order_id,
                attempt.workstation,
                attempt.gateway,
                attempt.merchant_order_no,
                attempt.amount_fen,
                attempt.code_tail,
                attempt.created_at,
                attempt.give_up_at,
                attempt.next_step_at,
                attempt.state,
                attempt.polls,
                attempt.transaction_id,
                attempt.payer,
                attempt.trail,
                attempt.closed_at,
                attempt.created_boot,
                attempt.created_ns,
                attempt.reversal_at,
                attempt.way,
                attempt.pay_url,
                attempt.openid,
                attempt.frozen,
            ),
        )
        self._connection.executemany(_PUT_PART, _part_rows(attempt))

    def of_order(self, order_id: str) -> tuple[PaymentAttempt, ...]:
        """Return an order's attempts, oldest first."""
        return tuple(
            self._with_parts(_attempt(row)) for row in self._connection.execute(_OF_ORDER, (order_id,))
        )

    def open(self, limit: int) -> tuple[PaymentAttempt, ...]:
        """Return attempts whose money may still move, the one due first first."""
        return tuple(self._with_parts(_attempt(row)) for row in self._connection.execute(_OPEN, (limit,)))

    def doubted(self, limit: int) -> tuple[PaymentAttempt, ...]:
        """Return attempts that have a trail and are over, newest first."""
        return tuple(self._with_parts(_attempt(row)) for row in self._connection.execute(_DOUBTED, (limit,)))

    def trail(self, attempt_id: str) -> tuple[AttemptStep, ...]:
        """Return what was asked and answered about an attempt, oldest first."""
        return tuple(_step(row) for row in self._connection.execute(_TRAIL, (attempt_id,)))

    def put_trail(self, attempt_id: str, trail: tuple[AttemptStep, ...]) -> None:
        """Write the last entry of an attempt's trail; those before it are kept already."""
        step = trail[-1]
        row = (step.what, step.state, step.detail, step.first_at, step.last_at, step.times)
        self._connection.execute(_PUT_STEP, (attempt_id, len(trail), *row))

    def _with_parts(self, attempt: PaymentAttempt) -> PaymentAttempt:
        if attempt.way not in _IN_PARTS:
            return attempt
        rows = self._connection.execute(_PARTS, (attempt.attempt_id,)).fetchall()
        return replace(attempt, parts=tuple(_part(row) for row in rows)) if rows else attempt


class LedgerTable:
    """Implements records.Ledger."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def post(self, posting: Posting) -> None:
        """Append a posting; a second one of the same kind and reference is refused by the table."""
        self._connection.execute(
            "INSERT INTO postings (posting_id, kind, reference, posted_at) VALUES (?, ?, ?, ?)",
            (posting.posting_id, posting.kind, posting.reference, posting.posted_at),
        )
        self._connection.execute(
            "INSERT INTO bookings (workstation, order_id, posting_id) VALUES (?, ?, ?)",
            (posting.workstation, posting.order_id, posting.posting_id),
        )
        self._connection.executemany(
            "INSERT INTO entries (posting_id, position, account, amount_fen) VALUES (?, ?, ?, ?)",
            [
                (posting.posting_id, position, entry.account, entry.amount_fen)
                for position, entry in enumerate(posting.entries)
            ],
        )

    def balances(self) -> dict[str, int]:
        """Return every account's balance in fen."""
        return dict(self._connection.execute(_BALANCES).fetchall())

    def moved(self, begins_at: int, ends_at: int) -> dict[tuple[str, str], int]:
        """Return what postings from begins_at to before ends_at moved, by (kind of posting, account)."""
        rows = self._connection.execute(_MOVED, (begins_at, ends_at))
        return {(kind, account): fen for kind, account, fen in rows}


def _part_rows(attempt: PaymentAttempt) -> list[tuple[object, ...]]:
    return [
        (
            *(attempt.attempt_id, position, part.merchant, part.merchant_order_no, part.amount_fen),
            *(part.description, json.dumps(part.tenants), part.transaction_id, part.frozen),
        )
        for position, part in enumerate(attempt.parts)
    ]


def _part(row: tuple[Any, ...]) -> OrderPart:
    merchant, number, amount_fen, description, tenants, transaction_id, frozen = row
    of = tuple(json.loads(tenants))
    return OrderPart(merchant, number, amount_fen, description, of, transaction_id, bool(frozen))


def _step(row: tuple[Any, ...]) -> AttemptStep:
    what, state, *rest = row
    return AttemptStep(StepKind(what), AttemptState(state), *rest)


def _attempt(row: tuple[object, ...]) -> PaymentAttempt:
    values = list(row)
    values[10] = AttemptState(str(values[10]))
    values[19] = PayWay(str(values[19]))
    values[22] = bool(values[22])
    return PaymentAttempt(*values)  # type: ignore[arg-type]  # STRICT columns hold the declared types
