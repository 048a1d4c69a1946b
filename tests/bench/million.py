"""A box's database with a million orders and 300,000 stays, made in minutes: each is a copy of a true one.

The real service sells once and lets one car in and out; every row that this left, of the tables that keep
their rows for ever, is copied by SQL with ids, numbers, days, moments and tokens of its own, a thousand
orders to a day into the past. What retention clears (scans, conversions, reads of plates, journeys, counts of
a day) is not copied.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

Row = tuple[object, ...]

#: Kept for ever, for each order and for each stay; parents before children.
OF_ORDERS = (
    "baskets", "basket_lines", "orders", "order_lines", "order_terms", "attempts", "tenders",
    "postings", "entries", "bookings", "receipts", "touches", "attributions", "payment_splits",
)  # fmt: skip
OF_STAYS = ("sessions", "passages", "gate_commands", "parking_claims", "parking_purchases", "validations")

ORDERS_A_DAY = 1_000
_STEP_MS = 86_400_000 // ORDERS_A_DAY

#: Orders in one transaction: its rows fit into the page cache, so that each table grows at its end.
_CHUNK = 10_000

#: Whole numbers around the template's moment are moments in Unix milliseconds.
_AROUND_MS = 86_400_000

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{12}7[0-9a-f]{19}")


def open_read_only(database: Path) -> sqlite3.Connection:
    """Open it beside a running service or after it."""
    return sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)


def rows_of(database: Path, tables: Sequence[str]) -> dict[str, list[Row]]:
    """Return the rows of these tables."""
    with closing(open_read_only(database)) as db:
        return {name: db.execute(f'SELECT * FROM "{name}"').fetchall() for name in tables}


def multiply(
    database: Path,
    template: Mapping[str, Sequence[Row]],
    orders: int,
    stays: int,
    at_ms: int,
    say: Callable[[str], None],
) -> None:
    """Copy the template's rows `orders` times, those of OF_STAYS `stays` times; nobody may have it open.

    at_ms: when the template was made, Unix milliseconds.
    """
    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        for pragma in (
            "journal_mode = OFF",
            "synchronous = OFF",
            "cache_size = -1000000",
            "foreign_keys = OFF",
        ):
            db.execute(f"PRAGMA {pragma}")
        db.execute("CREATE TEMP TABLE copies (i INTEGER PRIMARY KEY, back_ms INTEGER NOT NULL)")
        words = _Words(template, at_ms, orders)
        statements = [
            (_copy(db, words, name, rows), stays if name in OF_STAYS else orders)
            for name, rows in template.items()
            if rows
        ]
        for first in range(1, orders + 1, _CHUNK):
            _fill(db, first, min(first + _CHUNK, orders + 1), orders)
            for statement, most in statements:
                if first > orders - most:
                    db.execute(statement)
            db.execute("COMMIT")
            if first // _CHUNK % 10 == 9:
                say(f"{first + _CHUNK - 1:,} orders")
        # What was sold before today belongs to shifts that were closed long ago.
        db.execute("UPDATE shifts SET after_position = (SELECT max(position) FROM bookings)")
        db.execute("UPDATE order_numbers SET last_number = 1001")
        db.execute("PRAGMA journal_mode = WAL")


def _fill(db: sqlite3.Connection, first: int, end: int, orders: int) -> None:
    db.execute("BEGIN")
    db.execute("DELETE FROM copies")
    db.execute(
        "WITH RECURSIVE n(i) AS (VALUES (?) UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?)"
        " INSERT INTO copies SELECT i, (? - i) * ? FROM n",
        (first, end, orders + 1, _STEP_MS),
    )


def _copy(db: sqlite3.Connection, words: _Words, table: str, rows: Sequence[Row]) -> str:
    """Return the statement that copies a template's rows of one table for all copies of a chunk."""
    keys = {row[1] for row in db.execute(f'PRAGMA table_info("{table}")') if row[5] and row[2] == "INTEGER"}
    columns = [row[1] for row in db.execute(f'PRAGMA table_info("{table}")')]
    lone = len([row for row in db.execute(f'PRAGMA table_info("{table}")') if row[5]]) == 1
    selects = []
    for row in rows:
        values = [
            f"{value} + i * {len(rows)}" if lone and name in keys else words.copied(value)
            for name, value in zip(columns, row, strict=True)
        ]
        selects.append(f"SELECT {', '.join(values)} FROM copies")
    return f'INSERT INTO "{table}" ' + " UNION ALL ".join(selects)


class _Words:
    """How each value of the template is told anew for copy `i`, `back_ms` earlier, as an SQL expression."""

    def __init__(self, template: Mapping[str, Sequence[Row]], at_ms: int, orders: int) -> None:
        self._at_ms = at_ms
        order = template["orders"][0]
        self._number, self._day = str(order[1]), str(order[4])
        self._plates = {str(row[2]) for row in template.get("sessions", ())}
        self._tokens = set(_tokens(template))

    def copied(self, value: object) -> str:
        """Return the expression for one value."""
        if value is None:
            return "NULL"
        if isinstance(value, bytes):
            return f"x'{value.hex()}'"
        if isinstance(value, int):
            return f"{value} - back_ms" if abs(value - self._at_ms) < _AROUND_MS else str(value)
        return " || ".join(self._parts(str(value))) or "''"

    def _parts(self, text: str) -> Iterator[str]:
        known = {
            self._number: f"'{self._number[:-4]}' || printf('%04d', 2 + i % {ORDERS_A_DAY})",
            self._day: f"date(({self._at_ms} - back_ms) / 1000, 'unixepoch', '+8 hours')",
            **{plate: f"'{plate[:2]}' || printf('%05X', i)" for plate in self._plates},
            **{token: f"'{token[:-7]}' || printf('%07d', i)" for token in self._tokens},
        }
        pattern = "|".join(
            [_ID.pattern, *(re.escape(one) for one in sorted(known, key=len, reverse=True) if one)]
        )
        at = 0
        for found in re.finditer(pattern, text):
            if text[at : found.start()]:
                yield _quoted(text[at : found.start()])
            yield known.get(found[0]) or _id(found[0])
            at = found.end()
        if text[at:]:
            yield _quoted(text[at:])


def _tokens(template: Mapping[str, Sequence[Row]]) -> Iterator[str]:
    """Yield what a shopper's link and the gateway's own number of a payment are: unique without being ids."""
    for name in ("receipts", "attributions", "attempts"):
        for row in template.get(name, ()):
            for value in row:
                if isinstance(value, str) and re.fullmatch(r"[\w-]{22}|\d{28}", value, re.ASCII):
                    yield value


def _id(text: str) -> str:
    """Return the expression of an id made `back_ms` earlier."""
    made_ms = int(text.replace("-", "")[:12], 16)
    dash, rest = ("-", text[13:]) if "-" in text else ("", text[12:])
    told = f"printf('%08x{dash}%04x', ({made_ms} - back_ms) >> 16, ({made_ms} - back_ms) & 65535)"
    return f"{told} || {_quoted(rest)}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
