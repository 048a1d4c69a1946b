"""What goes on of payments: splits, shares, returns and terms."""

from __future__ import annotations

import json
import sqlite3
from operator import attrgetter
from typing import Any

from edge.retail.money_share import (
    MoneyShare,
    PaymentSplit,
    ShareReturn,
    ShareState,
    SplitState,
    TenantTerms,
)

_SPLIT = (
    "split_id, order_id, tender_id, gateway, payee, transaction_id, amount_fen, sharing_no, created_at,"
    " next_step_at, tenants, shares, state, polls, trail, closed_at"
)
_RETURN = (
    "return_id, split_id, refund_id, tenant_id, merchant, amount_fen, return_no, created_at, next_step_at,"
    " state, polls, trail, closed_at"
)
_return_row = attrgetter(*_RETURN.replace(" ", "").split(","))
_PUT = f"""
INSERT INTO payment_splits ({_SPLIT}) VALUES ({", ".join("?" * 16)})
ON CONFLICT (split_id) DO UPDATE SET
    next_step_at = excluded.next_step_at, shares = excluded.shares, state = excluded.state,
    polls = excluded.polls, trail = excluded.trail, closed_at = excluded.closed_at
"""
_PUT_RETURN = f"""
INSERT INTO share_returns ({_RETURN}) VALUES ({", ".join("?" * 13)})
ON CONFLICT (return_id) DO UPDATE SET
    next_step_at = excluded.next_step_at, state = excluded.state, polls = excluded.polls,
    trail = excluded.trail, closed_at = excluded.closed_at
"""


class SplitTable:
    """Implements split_records.Splits."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, split_id: str) -> PaymentSplit | None:
        """Return a split."""
        found = self._splits("split_id = ?", split_id)
        return found[0] if found else None

    def put(self, split: PaymentSplit) -> None:
        """Write a split; whose payment it is never changes."""
        shares = [[one.tenant_id, one.merchant, one.amount_fen, one.state, one.why] for one in split.shares]
        self._connection.execute(
            _PUT,
            (
                *(split.split_id, split.order_id, split.tender_id, split.gateway, split.payee),
                *(split.transaction_id, split.amount_fen, split.sharing_no, split.created_at),
                *(split.next_step_at, json.dumps(split.tenants), json.dumps(shares), split.state),
                *(split.polls, split.trail, split.closed_at),
            ),
        )

    def of_order(self, order_id: str) -> tuple[PaymentSplit, ...]:
        """Return an order's splits, oldest first."""
        return self._splits("order_id = ? ORDER BY split_id", order_id)

    def moving(self, limit: int) -> tuple[PaymentSplit, ...]:
        """Return splits that are not done, the one due first first."""
        return self._splits("state IN ('planned', 'submitted') ORDER BY next_step_at LIMIT ?", limit)

    def put_return(self, returned: ShareReturn) -> None:
        """Write a return."""
        self._connection.execute(_PUT_RETURN, _return_row(returned))

    def returns_of(self, split_id: str) -> tuple[ShareReturn, ...]:
        """Return a split's returns, oldest first."""
        return self._returns("split_id = ? ORDER BY return_id", split_id)

    def moving_returns(self, limit: int) -> tuple[ShareReturn, ...]:
        """Return returns that are not over, the one due first first."""
        return self._returns("state IN ('planned', 'submitted') ORDER BY next_step_at LIMIT ?", limit)

    def terms(self, order_id: str) -> dict[str, TenantTerms]:
        """Return by tenant on which terms a paid order was."""
        statement = "SELECT tenant_id, merchant, commission_permille FROM order_terms WHERE order_id = ?"
        return {row[0]: TenantTerms(*row[1:]) for row in self._connection.execute(statement, (order_id,))}

    def put_terms(self, order_id: str, terms: dict[str, TenantTerms]) -> None:
        """Keep them, once for each order."""
        self._connection.executemany(
            "INSERT INTO order_terms (order_id, tenant_id, merchant, commission_permille)"
            " VALUES (?, ?, ?, ?)",
            [(order_id, tenant, one.merchant, one.commission_permille) for tenant, one in terms.items()],
        )

    def _splits(self, where: str, *values: object) -> tuple[PaymentSplit, ...]:
        rows = self._connection.execute(f"SELECT {_SPLIT} FROM payment_splits WHERE {where}", values)
        return tuple(_split(row) for row in rows.fetchall())

    def _returns(self, where: str, *values: object) -> tuple[ShareReturn, ...]:
        rows = self._connection.execute(f"SELECT {_RETURN} FROM share_returns WHERE {where}", values)
        return tuple(_returned(row) for row in rows.fetchall())


def _split(row: tuple[Any, ...]) -> PaymentSplit:
    values = list(row)
    values[10] = tuple(json.loads(values[10]))
    values[11] = tuple(
        MoneyShare(tenant, merchant, fen, ShareState(state), why)
        for tenant, merchant, fen, state, why in json.loads(values[11])
    )
    values[12] = SplitState(values[12])
    return PaymentSplit(*values)


def _returned(row: tuple[Any, ...]) -> ShareReturn:
    values = list(row)
    values[9] = ShareState(values[9])
    return ShareReturn(*values)
