"""Exit passes, the ledger of exits, and carts of phones with their codes for a kiosk."""

from __future__ import annotations

import json
import sqlite3

from edge.retail.exit_pass import CheckOutcome, ExitCheck, ExitPass, ExitState, ExitVerdict, Miscount
from edge.services.cart_records import CartCode

_PASS = "order_id, ident, recheck, made_at, state, checked_at, place, by"
_CHECK = "check_id, order_id, place, by, at, verdict, outcome, missing, extra"
_CODE = "ident, session_id, basket_id, made_at, expires_at, used_at, place"
_PUT_PASS = f"""
INSERT INTO exit_passes ({_PASS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (order_id) DO UPDATE SET
    state = excluded.state, checked_at = excluded.checked_at, place = excluded.place, by = excluded.by
"""
_RECENT = f"SELECT {_CHECK} FROM exit_checks WHERE ? IN ('', place) ORDER BY at DESC, check_id DESC LIMIT ?"
_FORSAKEN = """
SELECT basket_id FROM baskets WHERE workstation = 'phone' AND state IN ('open', 'held') AND changed_at < ?
ORDER BY changed_at LIMIT ?
"""
_ORDER_OF = """
SELECT order_id FROM orders WHERE basket_id = ? AND workstation = 'phone' ORDER BY order_id DESC LIMIT 1
"""
_PUT_CODE = f"""
INSERT INTO cart_codes ({_CODE}) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (ident) DO UPDATE SET used_at = excluded.used_at, place = excluded.place
"""
_LAST_CODE = f"""
SELECT {_CODE} FROM cart_codes WHERE session_id = ? ORDER BY made_at DESC, ident DESC LIMIT 1
"""


class ExitTable:
    """Implements cart_records.Exits."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, order_id: str) -> ExitPass | None:
        """Return the pass of an order."""
        return self._pass("order_id", order_id)

    def by_ident(self, ident: str) -> ExitPass | None:
        """Return the pass of a code."""
        return self._pass("ident", ident)

    def put(self, one: ExitPass) -> None:
        """Write a pass; its ident and its choice never change."""
        row = (one.order_id, one.ident, one.recheck, one.made_at, one.state, one.checked_at)
        self._connection.execute(_PUT_PASS, (*row, one.place, one.by))

    def add_check(self, check: ExitCheck) -> None:
        """Append a look."""
        missing = [[one.line_id, one.name, one.quantity] for one in check.missing]
        self._connection.execute(
            f"INSERT INTO exit_checks ({_CHECK}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                check.check_id,
                check.order_id,
                check.place,
                check.by,
                check.at,
                check.verdict,
                check.outcome,
                json.dumps(missing, ensure_ascii=False),
                check.extra,
            ),
        )

    def checks_of(self, order_id: str) -> tuple[ExitCheck, ...]:
        """Return the looks at an order's code, oldest first."""
        select = f"SELECT {_CHECK} FROM exit_checks WHERE order_id = ? ORDER BY at, check_id"
        return tuple(map(_read_check, self._connection.execute(select, (order_id,)).fetchall()))

    def recent(self, place: str, limit: int) -> tuple[ExitCheck, ...]:
        """Return the latest looks at a place, newest first."""
        return tuple(map(_read_check, self._connection.execute(_RECENT, (place, limit)).fetchall()))

    def tidy(self, before: int) -> int:
        """Delete passes made before a moment and looks older than it; return how many passes."""
        self._connection.execute("DELETE FROM exit_checks WHERE at < ?", (before,))
        return self._connection.execute("DELETE FROM exit_passes WHERE made_at < ?", (before,)).rowcount

    def _pass(self, column: str, value: str) -> ExitPass | None:
        select = f"SELECT {_PASS} FROM exit_passes WHERE {column} = ?"
        row = self._connection.execute(select, (value,)).fetchone()
        if row is None:
            return None
        order_id, ident, recheck, made_at, state, checked_at, place, by = row
        return ExitPass(order_id, ident, bool(recheck), made_at, ExitState(state), checked_at, place, by)


class CartTable:
    """Implements cart_records.Carts."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def forsaken(self, before: int, limit: int) -> tuple[str, ...]:
        """Return ids of phones' baskets that nobody changed since, oldest first."""
        return tuple(row[0] for row in self._connection.execute(_FORSAKEN, (before, limit)).fetchall())

    def order_of(self, basket_id: str) -> str | None:
        """Return the newest order of a phone's basket."""
        row = self._connection.execute(_ORDER_OF, (basket_id,)).fetchone()
        return None if row is None else str(row[0])

    def put_code(self, code: CartCode) -> None:
        """Write a code."""
        row = (code.ident, code.session_id, code.basket_id, code.made_at, code.expires_at)
        self._connection.execute(_PUT_CODE, (*row, code.used_at, code.place))

    def code(self, ident: str) -> CartCode | None:
        """Return a code."""
        select = f"SELECT {_CODE} FROM cart_codes WHERE ident = ?"
        row = self._connection.execute(select, (ident,)).fetchone()
        return None if row is None else CartCode(*row)

    def last_code(self, session_id: str) -> CartCode | None:
        """Return the newest code of a session."""
        row = self._connection.execute(_LAST_CODE, (session_id,)).fetchone()
        return None if row is None else CartCode(*row)

    def tidy(self, before: int) -> int:
        """Delete codes that ended before a moment; return how many."""
        return self._connection.execute("DELETE FROM cart_codes WHERE expires_at < ?", (before,)).rowcount


def _read_check(row: tuple[str, str, str, str, int, str, str | None, str, str]) -> ExitCheck:
    check_id, order_id, place, by, at, verdict, outcome, missing, extra = row
    return ExitCheck(
        *(check_id, order_id, place, by, at),
        ExitVerdict(verdict),
        CheckOutcome(outcome) if outcome else None,
        tuple(Miscount(*one) for one in json.loads(missing)),
        extra,
    )
