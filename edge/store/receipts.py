"""Receipts and the scan history."""

from __future__ import annotations

import sqlite3
from operator import attrgetter

from edge.retail.receipt import PrintState, Receipt
from edge.services.records import ScanRecord

#: How many scans each workstation keeps for support; the oldest go first.
SCANS_KEPT = 5_000
#: Old scans are removed in one go each time this many were added.
_PRUNE_EVERY = 100

_RECEIPT = "receipt_id, order_id, workstation, token, issued_at, print_state, print_problem, copies"
#: The columns are the fields' names; dataclasses.astuple would copy deeply, at ten times the price.
_receipt_row = attrgetter(*_RECEIPT.split(", "))
_GET = f"SELECT {_RECEIPT} FROM receipts WHERE receipt_id = ?"
_BY_TOKEN = f"SELECT {_RECEIPT} FROM receipts WHERE token = ?"
_OF_ORDER = f"SELECT {_RECEIPT} FROM receipts WHERE order_id = ?"
# A partial index is used where its own condition is repeated to the letter, or all receipts would be read.
_UNPRINTED = "print_state IN ('queued', 'printing')"
_TO_PRINT = f"""
SELECT {_RECEIPT} FROM receipts WHERE {_UNPRINTED} AND workstation = ? AND print_state = 'queued'
ORDER BY receipt_id LIMIT 1
"""
_PRINTING = f"""
SELECT {_RECEIPT} FROM receipts INDEXED BY receipts_printing
WHERE print_state = 'printing' ORDER BY receipt_id
"""
_PUT = f"""
INSERT INTO receipts ({_RECEIPT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (receipt_id) DO UPDATE SET
    print_state = excluded.print_state, print_problem = excluded.print_problem, copies = excluded.copies
"""
_SCAN = "scan_id, workstation, device, raw, text, aim, kind, outcome, scanned_at, boot_id, read_ns, line_id"
_scan_row = attrgetter(*_SCAN.split(", "))
_LAST_ADDED = f"""
SELECT {_SCAN} FROM scans WHERE workstation = ? AND text = ? AND outcome = 'added'
ORDER BY scan_id DESC LIMIT 1
"""
_RECENT = f"SELECT {_SCAN} FROM scans WHERE workstation = ? ORDER BY scan_id DESC LIMIT ?"
_PRUNE = """
DELETE FROM scans WHERE workstation = ?1 AND scan_id <=
    (SELECT scan_id FROM scans WHERE workstation = ?1 ORDER BY scan_id DESC LIMIT 1 OFFSET ?2)
"""


class ReceiptTable:
    """Implements records.Receipts."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, receipt_id: str) -> Receipt | None:
        """Return a receipt."""
        return self._one(_GET, receipt_id)

    def by_token(self, token: str) -> Receipt | None:
        """Return the receipt behind a page address."""
        return self._one(_BY_TOKEN, token)

    def of_order(self, order_id: str) -> Receipt | None:
        """Return an order's receipt."""
        return self._one(_OF_ORDER, order_id)

    def put(self, receipt: Receipt) -> None:
        """Write a receipt."""
        self._connection.execute(_PUT, _receipt_row(receipt))

    def mark_touched(self, receipt_id: str, touchpoint: str, at: int) -> bool:
        """Note the first time that a step was taken on a receipt's page; return whether it was the first."""
        added = self._connection.execute(
            "INSERT OR IGNORE INTO touches (receipt_id, touchpoint, touched_at) VALUES (?, ?, ?)",
            (receipt_id, touchpoint, at),
        )
        return added.rowcount == 1

    def to_print(self, workstation: str) -> Receipt | None:
        """Return the oldest receipt of that workstation that is queued for paper."""
        return self._one(_TO_PRINT, workstation)

    def printing(self) -> tuple[Receipt, ...]:
        """Return receipts that were on their way to paper when the service last stopped."""
        return tuple(_receipt(row) for row in self._connection.execute(_PRINTING))

    def _one(self, statement: str, key: str) -> Receipt | None:
        row = self._connection.execute(statement, (key,)).fetchone()
        return None if row is None else _receipt(row)


class ScanTable:
    """Implements records.Scans."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._since_prune = 0

    def append(self, record: ScanRecord) -> None:
        """Add a scan; the oldest go when the history is full."""
        self._connection.execute(
            f"INSERT INTO scans ({_SCAN}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", _scan_row(record)
        )
        self._since_prune += 1
        if self._since_prune >= _PRUNE_EVERY:
            self._since_prune = 0
            self._connection.execute(_PRUNE, (record.workstation, SCANS_KEPT))

    def get(self, scan_id: str) -> ScanRecord | None:
        """Return one scan."""
        row = self._connection.execute(f"SELECT {_SCAN} FROM scans WHERE scan_id = ?", (scan_id,)).fetchone()
        return None if row is None else ScanRecord(*row)

    def last_added(self, workstation: str, text: str) -> ScanRecord | None:
        """Return the newest scan of `text` on that workstation whose outcome is "added"."""
        row = self._connection.execute(_LAST_ADDED, (workstation, text)).fetchone()
        return None if row is None else ScanRecord(*row)

    def recent(self, workstation: str, limit: int) -> tuple[ScanRecord, ...]:
        """Return the newest scans of a workstation, newest first."""
        return tuple(ScanRecord(*row) for row in self._connection.execute(_RECENT, (workstation, limit)))


def _receipt(row: tuple[object, ...]) -> Receipt:
    values = list(row)
    values[5] = PrintState(str(values[5]))
    return Receipt(*values)  # type: ignore[arg-type]  # STRICT columns hold the declared types
