"""Where the money is: every movement goes from one account to another, so that all accounts sum to zero.

Accounts are named by what they stand for: `world` (where wallets are filled from), `wallet:w1`,
`merchant:1900000109`, `frozen:1900000109` (held for profit sharing), `refunds:1900000109` (on its way back
to shoppers). A room may name others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sim.gateway.store import Store, Value

WORLD = "world"

SCHEMA = """
CREATE TABLE IF NOT EXISTS account (
    name TEXT PRIMARY KEY,
    balance_fen INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS movement (
    movement_id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    source TEXT NOT NULL,
    target TEXT NOT NULL,
    amount_fen INTEGER NOT NULL CHECK (amount_fen > 0),
    reason TEXT NOT NULL,
    mchid TEXT NOT NULL,
    order_no TEXT NOT NULL,
    number TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS movement_order ON movement (order_no);
CREATE INDEX IF NOT EXISTS movement_at ON movement (at);
"""


@dataclass(frozen=True, slots=True)
class Why:
    """What a movement is for. reason: pay, reverse, refund, ... number: the refund's or sharing's own."""

    reason: str
    mchid: str = ""
    order_no: str = ""
    number: str = ""


@dataclass(frozen=True, slots=True)
class Movement:
    """amount_fen went from source to target; at: Unix milliseconds."""

    movement_id: int
    at: int
    source: str
    target: str
    amount_fen: int
    reason: str
    mchid: str
    order_no: str
    number: str


class Ledger:
    """Movements and balances; call `move` inside `Store.work` together with the state that it belongs to."""

    def __init__(self, store: Store, now_ms: Callable[[], int]) -> None:
        self._store = store
        self._now_ms = now_ms
        store.add_schema(SCHEMA)

    def move(self, source: str, target: str, amount_fen: int, why: Why) -> None:
        """Move money; raise ValueError unless amount_fen is positive. Nobody's balance is looked at."""
        if amount_fen <= 0:
            raise ValueError(f"a movement must be of a positive amount, got {amount_fen}")
        with self._store.work():
            self._change(source, -amount_fen)
            self._change(target, amount_fen)
            self._store.run(
                "INSERT INTO movement (at, source, target, amount_fen, reason, mchid, order_no, number)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                self._now_ms(), source, target, amount_fen, why.reason, why.mchid, why.order_no, why.number,
            )  # fmt: skip

    def balance(self, account: str) -> int:
        """Return what is on an account, 0 for one that nothing has touched."""
        return self._store.number("SELECT balance_fen FROM account WHERE name = ?", account)

    def left_of(self, account: str, mchid: str, order_no: str) -> int:
        """Return what of one order's money is on an account."""
        return self._store.number(
            "SELECT sum(CASE account WHEN target THEN amount_fen ELSE -amount_fen END) FROM movement,"
            " (SELECT ? AS account) WHERE order_no = ? AND mchid = ? AND account IN (source, target)",
            account, order_no, mchid,
        )  # fmt: skip

    def balances(self) -> Mapping[str, int]:
        """Return every account with its balance; they sum to zero."""
        rows = self._store.rows("SELECT name, balance_fen FROM account ORDER BY name")
        return {row["name"]: row["balance_fen"] for row in rows}

    def movements(self, where: str = "TRUE", *values: Value) -> tuple[Movement, ...]:
        """Return movements, oldest first; `where` is SQL over the fields of Movement."""
        rows = self._store.rows(f"SELECT * FROM movement WHERE {where} ORDER BY movement_id", *values)
        return tuple(Movement(**dict(row)) for row in rows)

    def differences(self) -> tuple[str, ...]:
        """Return what does not add up, in words; nothing when the books are right."""
        found = []
        total = self._store.number("SELECT sum(balance_fen) FROM account")
        if total:
            found.append(f"all accounts sum to {total} fen, not 0")
        rows = self._store.rows(
            "SELECT name, balance_fen,"
            " (SELECT coalesce(sum(amount_fen), 0) FROM movement WHERE target = name) -"
            " (SELECT coalesce(sum(amount_fen), 0) FROM movement WHERE source = name) AS moved FROM account"
        )
        for row in rows:
            if row["balance_fen"] != row["moved"]:
                found.append(f"{row['name']} has {row['balance_fen']} fen, its movements say {row['moved']}")
            if row["balance_fen"] < 0 and row["name"] != WORLD:
                found.append(f"{row['name']} is overdrawn: {row['balance_fen']} fen")
        return tuple(found)

    def _change(self, account: str, amount_fen: int) -> None:
        self._store.run(
            "INSERT INTO account VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET balance_fen = balance_fen + ?",
            account, amount_fen, amount_fen,
        )  # fmt: skip
