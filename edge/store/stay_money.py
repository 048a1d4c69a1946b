"""Money for stays: what is asked for, what was confirmed, what is owed."""

from __future__ import annotations

import sqlite3
from operator import attrgetter
from typing import Any

from edge.parking.autopay import Autopay
from edge.parking.debt import Debt, DebtCause, DebtState
from edge.parking.quote import Settlement
from edge.parking.stay_charge import StayCharge

_SETTLEMENT = (
    "settlement_id, session_id, order_id, amount_fen, covers_until, settled_at, at_place, refund_id, "
    "covers_boot, covers_ns"
)
_CHARGE = (
    "line_id, session_id, amount_fen, covers_until, charged_at, quote, order_id, debt_id, "
    "covers_boot, covers_ns"
)
_DEBT = (
    "debt_id, session_id, plate, amount_fen, cause, recorded_at, lane, recorded_by, state, order_id, "
    "closed_at, closed_by, reason"
)
_AUTOPAY = "session_id, gateway, told_at, parking_id, usable, reason"
_UNTOLD = """
SELECT session_id FROM sessions
WHERE state = 'inside' AND entered_at >= ? AND plate <> ''
    AND NOT EXISTS (SELECT 1 FROM autopays WHERE autopays.session_id = sessions.session_id)
ORDER BY entered_at, session_id LIMIT ?
"""
_autopay_row = attrgetter(*_AUTOPAY.split(", "))
_settlement_row = attrgetter(*_SETTLEMENT.split(", "))
_charge_row = attrgetter(*_CHARGE.split(", "))
_debt_row = attrgetter(*_DEBT.split(", "))

_PUT_SETTLEMENT = f"INSERT INTO settlements ({_SETTLEMENT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_PUT_CHARGE = f"""
INSERT INTO stay_charges ({_CHARGE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (line_id) DO UPDATE SET
    amount_fen = excluded.amount_fen, covers_until = excluded.covers_until, charged_at = excluded.charged_at,
    quote = excluded.quote, order_id = excluded.order_id, covers_boot = excluded.covers_boot,
    covers_ns = excluded.covers_ns
"""
_PUT_DEBT = f"""
INSERT INTO debts ({_DEBT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (debt_id) DO UPDATE SET
    amount_fen = excluded.amount_fen, state = excluded.state, order_id = excluded.order_id,
    closed_at = excluded.closed_at, closed_by = excluded.closed_by, reason = excluded.reason
"""
_OF_PLATE = f"""
SELECT {_DEBT} FROM debts WHERE plate = ? AND plate <> '' AND state = 'open' ORDER BY debt_id LIMIT ?
"""
_RECENT = f"""
SELECT {_DEBT} FROM debts WHERE ? IS NULL OR state = ? ORDER BY recorded_at DESC, debt_id DESC LIMIT ?
"""


class SettlementTable:
    """Implements parking_records.Settlements."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def put(self, settlement: Settlement) -> None:
        """Write one; the table refuses a second of the same order, stay and refund."""
        self._connection.execute(_PUT_SETTLEMENT, _settlement_row(settlement))

    def of_session(self, session_id: str) -> tuple[Settlement, ...]:
        """Return what was settled for a stay, in order."""
        return self._all("session_id", session_id)

    def of_order(self, order_id: str) -> tuple[Settlement, ...]:
        """Return what an order settled."""
        return self._all("order_id", order_id)

    def between(self, from_at: int, to_at: int, limit: int) -> tuple[Settlement, ...]:
        """Return what was settled within [from_at, to_at), in order of time."""
        select = (
            f"SELECT {_SETTLEMENT} FROM settlements WHERE settled_at >= ? AND settled_at < ? "
            "ORDER BY settled_at, settlement_id LIMIT ?"
        )
        rows = self._connection.execute(select, (from_at, to_at, limit))
        return tuple(Settlement(*row) for row in rows)

    def _all(self, column: str, value: str) -> tuple[Settlement, ...]:
        select = f"SELECT {_SETTLEMENT} FROM settlements WHERE {column} = ? ORDER BY settlement_id"
        return tuple(Settlement(*row) for row in self._connection.execute(select, (value,)))


class StayChargeTable:
    """Implements charge_records.StayCharges."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, line_id: str) -> StayCharge | None:
        """Return what a line asks for."""
        select = f"SELECT {_CHARGE} FROM stay_charges WHERE line_id = ?"
        row = self._connection.execute(select, (line_id,)).fetchone()
        return None if row is None else StayCharge(*row)

    def put(self, charge: StayCharge) -> None:
        """Write what a line asks for; a line keeps its stay."""
        self._connection.execute(_PUT_CHARGE, _charge_row(charge))

    def of_session(self, session_id: str) -> tuple[StayCharge, ...]:
        """Return the lines that ask or asked for a stay's fee, oldest first."""
        select = f"SELECT {_CHARGE} FROM stay_charges WHERE session_id = ? ORDER BY line_id"
        return tuple(StayCharge(*row) for row in self._connection.execute(select, (session_id,)))


class AutopayTable:
    """Implements charge_records.Autopays."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, session_id: str) -> Autopay | None:
        """Return what is known of a stay."""
        select = f"SELECT {_AUTOPAY} FROM autopays WHERE session_id = ?"
        row = self._connection.execute(select, (session_id,)).fetchone()
        if row is None:
            return None
        return Autopay(row[0], row[1], row[2], row[3], bool(row[4]), row[5])

    def put(self, autopay: Autopay) -> None:
        """Write what is known of a stay."""
        insert = f"INSERT OR REPLACE INTO autopays ({_AUTOPAY}) VALUES (?, ?, ?, ?, ?, ?)"
        self._connection.execute(insert, _autopay_row(autopay))

    def untold(self, entered_from: int, limit: int) -> tuple[str, ...]:
        """Return stays inside of which nothing is known, by the index on stays inside since."""
        rows = self._connection.execute(_UNTOLD, (entered_from, limit))
        return tuple(session_id for (session_id,) in rows)


class DebtTable:
    """Implements charge_records.Debts."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, debt_id: str) -> Debt | None:
        """Return a debt."""
        rows = self._all(f"SELECT {_DEBT} FROM debts WHERE debt_id = ?", debt_id)
        return rows[0] if rows else None

    def put(self, debt: Debt) -> None:
        """Write a debt, new or changed."""
        self._connection.execute(_PUT_DEBT, _debt_row(debt))

    def of_plate(self, plate: str, limit: int) -> tuple[Debt, ...]:
        """Return the open debts of exactly that plate, oldest first; none for a plate of ""."""
        return self._all(_OF_PLATE, plate, limit)

    def of_session(self, session_id: str) -> tuple[Debt, ...]:
        """Return the debts of a stay in any state, oldest first."""
        return self._all(f"SELECT {_DEBT} FROM debts WHERE session_id = ? ORDER BY debt_id", session_id)

    def recent(self, state: DebtState | None, limit: int) -> tuple[Debt, ...]:
        """Return debts, those recorded last first; of one state where given."""
        wanted = None if state is None else state.value
        return self._all(_RECENT, wanted, wanted, limit)

    def owed_fen(self) -> int:
        """Return what all open debts sum to."""
        total = "SELECT coalesce(sum(amount_fen), 0) FROM debts WHERE state = 'open'"
        return int(self._connection.execute(total).fetchone()[0])

    def _all(self, statement: str, *values: str | int | None) -> tuple[Debt, ...]:
        return tuple(_debt(row) for row in self._connection.execute(statement, values))


def _debt(row: tuple[Any, ...]) -> Debt:
    values = list(row)
    values[4], values[8] = DebtCause(row[4]), DebtState(row[8])
    return Debt(*values)
