"""HQ's books in PostgreSQL, for any number of workers: each has one connection and its own batches.

Nothing is locked that two boxes share until the last statements of a batch, in one order for all workers
(events by key, boxes, then the books by key). An event that two workers hold at once is inserted by one;
the other waits for that commit and sees a repeat. Source: PostgreSQL 15, INSERT ... ON CONFLICT.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, astuple
from typing import Any

import psycopg
from psycopg.rows import dict_row

from sim.hq.behaviour import Behaviour
from sim.hq.books import Books, EventKey, Heard, Key, Row, Tally, Totals
from sim.hq.reading import LOOK_AHEAD, Arrival, Box, Word, settled_of

#: How long one statement may take, and wait for another worker's lock, before the batch is given up.
STATEMENT_MS = 10_000
CONNECT_S = 5


class PostgresBooks(Books):
    """Books in the database at `url` (postgresql://...); makes its tables when they are missing.

    A connection that was lost is opened again by the next call; the call that lost it raises
    psycopg.OperationalError.
    """

    patience_s = 1.0

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self._numbers: dict[Box, int] = {}
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None
        with self._lock, self.transaction():
            self._all("SELECT pg_advisory_xact_lock(20261122)")
            self._db.execute(_SCHEMA)

    def presence(self, site: str, edge: str, state: str, session: int) -> bool:
        """Note a box's presence; return whether that was news."""
        with self._lock:
            self._meet([(site, edge)])
            given = {"box": self._numbers[(site, edge)], "state": state, "session": session}
            return self._open().execute(_PRESENCE, given).rowcount == 1

    def behaviour(self) -> Behaviour:
        """Return how HQ is told to misbehave."""
        rows = self.rows("SELECT switches FROM behaviour")
        return Behaviour(**rows[0]["switches"]) if rows else Behaviour()  # type: ignore[arg-type]

    def behave(self, wanted: Behaviour) -> None:
        """Switch how HQ misbehaves, for every worker on these books."""
        with self._lock, self.transaction():
            self._db.execute(_BEHAVE, (json.dumps(wanted.as_json()),))

    def note_worker(self, name: str, tally: Tally, connected: bool, at: int) -> None:
        """Say how a worker fares."""
        with self._lock, self.transaction():
            given = {"name": name, "connected": connected, "seen_at": at} | asdict(tally)
            self._db.execute(_WORKER, given)

    def rows(self, statement: str, *values: object) -> list[dict[str, object]]:
        """Return the rows of a query, `?` standing for values."""
        with self._lock, self.transaction(), self._db.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(statement.replace("?", "%s").encode(), values).fetchall()

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()

    def refusals(self) -> tuple[type[Exception], ...]:
        """What PostgreSQL or psycopg cannot take in a row, e.g. a NUL in a text."""
        return psycopg.DataError, psycopg.IntegrityError, UnicodeError

    def transaction(self) -> AbstractContextManager[object]:
        """A transaction on the connection; connects first where there is none."""
        return self._open().transaction()

    def _open(self) -> psycopg.Connection[tuple[Any, ...]]:
        if self._connection is None or self._connection.closed:
            self._numbers.clear()
            self._connection = psycopg.connect(
                self._url,
                autocommit=True,
                connect_timeout=CONNECT_S,
                options=f"-c statement_timeout={STATEMENT_MS} -c timezone=UTC",
            )
        return self._connection

    @property
    def _db(self) -> psycopg.Connection[tuple[Any, ...]]:
        assert self._connection is not None
        return self._connection

    def _all(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        return self._db.execute(statement.encode(), values).fetchall()

    def _meet(self, boxes: Iterable[Box]) -> None:
        self._open()
        new = [box for box in boxes if box not in self._numbers]
        if not new:
            return
        columns = _columns(new, 2)
        # Committed before its number is remembered.
        self._open().execute(_MEET, columns)
        for number, site, edge in self._all(_NUMBERS, *columns):
            self._numbers[(site, edge)] = number

    def _forgo(self, floors: Mapping[Box, int]) -> None:
        rows = [(self._numbers[box], floor) for box, floor in floors.items() if floor > 0]
        short = self._all(_SHORT, *_columns(rows, 2)) if rows else []
        for number, floor in short:
            self._db.execute("SELECT FROM boxes WHERE box = %s FOR UPDATE", (number,))
            self._db.execute(_FORGO, {"box": number, "floor": floor})

    def _store(self, rows: Sequence[Row]) -> set[EventKey]:
        by_number = {self._numbers[arrival.box]: arrival.box for arrival, _ in rows}
        values = [
            (self._numbers[a.box], r.event_id, r.sequence, r.kind, r.subject, r.time, r.data, r.late_ms)
            for a, r in rows
        ]
        stored = self._all(_STORE, *_columns(values, 8))
        return {(*by_number[number], event_id) for number, event_id in stored}

    def _misplaced(self, rows: Sequence[Row]) -> list[tuple[str, str, bool]]:
        values = [(self._numbers[a.box], r.event_id, r.sequence) for a, r in rows]
        return [(site, edge, taken) for site, edge, taken in self._all(_MISPLACED, *_columns(values, 3))]

    def _count(self, column: str, counts: Mapping[Box, int]) -> None:
        for box in sorted(counts):
            statement = f"UPDATE boxes SET {column} = {column} + %s WHERE box = %s"
            self._db.execute(statement.encode(), (counts[box], self._numbers[box]))

    def _add(self, totals: Totals) -> None:
        for table, books in (("sales", totals.sales), ("tenders", totals.tenders)):
            rows = [(site, what, *books[(site, what)]) for site, what in sorted(books)]
            if rows:
                self._db.execute(_ADD[table], _columns(rows, 4))
        kinds: Mapping[Key, int] = totals.kinds
        if kinds:
            self._db.execute(_ADD_KINDS, _columns([(*key, kinds[key]) for key in sorted(kinds)], 3))

    def _dead_letters(self, rows: Sequence[tuple[Arrival, str]]) -> None:
        for arrival, reason in rows:
            given = (*arrival.box, arrival.sequence, arrival.event_id, reason, arrival.body)
            self._db.execute(_DEAD, given)

    def _words(self, heard: Mapping[Box, Heard]) -> dict[Box, Word]:
        numbers = [self._numbers[box] for box in heard]
        settled = dict(self._all(_SETTLED, numbers))
        above: dict[int, list[int]] = {number: [] for number in numbers}
        for number, sequence in self._all(_ABOVE, LOOK_AHEAD, numbers):
            above[number].append(sequence)
        notes = [
            (number, settled_of(settled[number], above[number]), *astuple(each))
            for number, each in zip(numbers, heard.values(), strict=True)
        ]
        # What this writes can be had again from the events, so that the ack need not wait for the disk.
        self._db.execute("SET LOCAL synchronous_commit = off")
        self._db.execute(_NOTE, _columns(notes, 7))
        refused: dict[int, list[tuple[int, str]]] = {number: [] for number in numbers}
        for number, sequence, reason in self._all(_REFUSED, numbers):
            refused[number].append((sequence, reason))
        return {
            box: self._word(box, settled[number], above[number], refused[number])
            for box, number in zip(heard, numbers, strict=True)
        }


def _columns(rows: Sequence[Sequence[object]], width: int) -> list[list[object]]:
    """Return rows as lists for unnest: one statement and one round trip for a whole batch.

    They go in PostgreSQL's binary form (%b): as text each quote of a JSON would be escaped in Python.
    """
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


# The events of one box lie side by side in its index; a big HQ partitions `events` by arrival.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS boxes (
    box integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site text NOT NULL, edge text NOT NULL,
    settled bigint NOT NULL DEFAULT 0, oldest bigint NOT NULL DEFAULT 0, repeats bigint NOT NULL DEFAULT 0,
    conflicts bigint NOT NULL DEFAULT 0, lost bigint NOT NULL DEFAULT 0, found bigint NOT NULL DEFAULT 0,
    last_time text NOT NULL DEFAULT '', late_ms bigint NOT NULL DEFAULT 0, worst_ms bigint NOT NULL DEFAULT 0,
    presence text NOT NULL DEFAULT 'unknown', session bigint NOT NULL DEFAULT 0,
    UNIQUE (site, edge)
) WITH (fillfactor = 50);
ALTER TABLE boxes ADD COLUMN IF NOT EXISTS newest bigint NOT NULL DEFAULT 0;
CREATE TABLE IF NOT EXISTS events (
    box integer NOT NULL, event_id text NOT NULL, sequence bigint NOT NULL,
    kind text NOT NULL, subject text NOT NULL, time text NOT NULL, data jsonb NOT NULL, late_ms bigint,
    stored_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (box, event_id)
);
CREATE INDEX IF NOT EXISTS events_by_sequence ON events (box, sequence);
CREATE TABLE IF NOT EXISTS dead_letters (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, site text NOT NULL, edge text NOT NULL,
    sequence bigint NOT NULL, event_id text NOT NULL, reason text NOT NULL, body bytea NOT NULL
);
CREATE INDEX IF NOT EXISTS dead_letters_by_sequence ON dead_letters (site, edge, sequence);
CREATE TABLE IF NOT EXISTS sales (
    site text, tenant_id text, orders bigint NOT NULL, amount_fen bigint NOT NULL,
    PRIMARY KEY (site, tenant_id)
) WITH (fillfactor = 50);
CREATE TABLE IF NOT EXISTS tenders (
    site text, kind text, count bigint NOT NULL, amount_fen bigint NOT NULL, PRIMARY KEY (site, kind)
) WITH (fillfactor = 50);
CREATE TABLE IF NOT EXISTS kinds (
    site text, kind text, count bigint NOT NULL, PRIMARY KEY (site, kind)
) WITH (fillfactor = 50);
CREATE TABLE IF NOT EXISTS behaviour (one integer PRIMARY KEY CHECK (one = 1), switches jsonb NOT NULL);
CREATE TABLE IF NOT EXISTS workers (
    name text PRIMARY KEY, connected boolean NOT NULL, seen_at bigint NOT NULL, received bigint NOT NULL,
    rejected bigint NOT NULL, acks bigint NOT NULL, forgotten bigint NOT NULL, failures bigint NOT NULL
);
CREATE OR REPLACE VIEW edges AS
SELECT site, edge, settled,
    (settled - lost + conflicts + found - refused + (SELECT count(DISTINCT sequence) FROM events
        WHERE events.box = boxes.box AND sequence > settled))::bigint AS applied,
    repeats, conflicts, lost - found AS lost, refused, last_time, late_ms, worst_ms, presence, session,
    greatest(0, newest - settled) AS backlog
FROM boxes, LATERAL (SELECT count(*) AS refused FROM dead_letters
    WHERE dead_letters.site = boxes.site AND dead_letters.edge = boxes.edge AND sequence > 0) AS dead;
CREATE OR REPLACE VIEW latest AS
SELECT site, edge, events.sequence, kind, subject, time
FROM (SELECT * FROM boxes ORDER BY last_time DESC LIMIT 10) AS heard, LATERAL (
    SELECT * FROM events WHERE events.box = heard.box ORDER BY sequence DESC LIMIT 30
) AS events ORDER BY time DESC LIMIT 30;
"""
_MEET = """
INSERT INTO boxes (site, edge) SELECT * FROM unnest(%b::text[], %b::text[])
ON CONFLICT DO NOTHING
"""
_NUMBERS = """
SELECT box, site, edge FROM boxes JOIN unnest(%b::text[], %b::text[]) AS given (site, edge) USING (site, edge)
"""
_STORE = """
INSERT INTO events (box, event_id, sequence, kind, subject, time, data, late_ms)
SELECT * FROM unnest(%b::integer[], %b::text[], %b::bigint[], %b::text[], %b::text[], %b::text[], %b::jsonb[],
                     %b::bigint[])
ON CONFLICT (box, event_id) DO NOTHING RETURNING box, event_id
"""
_MISPLACED = """
WITH given (box, event_id, sequence) AS (SELECT * FROM unnest(%b::integer[], %b::text[], %b::bigint[]))
SELECT site, edge, taken FROM (
    SELECT site, edge, sequence <= settled AS below, EXISTS (
        SELECT FROM events WHERE events.box = given.box AND events.sequence = given.sequence
        AND events.event_id <> given.event_id AND (events.event_id < given.event_id OR NOT EXISTS (
            SELECT FROM given AS beside WHERE (beside.box, beside.event_id) = (events.box, events.event_id)
        ))
    ) AS taken
    FROM given JOIN boxes USING (box)
) AS placed WHERE below OR taken
"""
_SHORT = """
SELECT box, floor FROM unnest(%b::integer[], %b::bigint[]) AS given (box, floor)
JOIN boxes USING (box) WHERE settled < floor ORDER BY box
"""
_FORGO = """
UPDATE boxes SET settled = %(floor)s, lost = lost + %(floor)s - settled - (
    SELECT count(DISTINCT sequence) FROM events
    WHERE events.box = boxes.box AND sequence > settled AND sequence <= %(floor)s
) WHERE box = %(box)s AND settled < %(floor)s
"""
_ABOVE = """
SELECT boxes.box, above.sequence FROM boxes, LATERAL (
    SELECT DISTINCT sequence FROM events WHERE events.box = boxes.box AND sequence > settled
    ORDER BY sequence LIMIT %s
) AS above WHERE boxes.box = ANY(%s) ORDER BY boxes.box, above.sequence
"""
_SETTLED = "SELECT box, settled FROM boxes WHERE box = ANY(%s) ORDER BY box FOR UPDATE"
_NOTE = """
UPDATE boxes SET settled = greatest(boxes.settled, given.settled),
    last_time = greatest(boxes.last_time, given.time), oldest = greatest(boxes.oldest, given.oldest),
    late_ms = CASE WHEN given.time = '' THEN boxes.late_ms ELSE given.late_ms END,
    worst_ms = greatest(boxes.worst_ms, given.worst_ms), newest = greatest(boxes.newest, given.newest)
FROM unnest(%b::integer[], %b::bigint[], %b::text[], %b::bigint[], %b::bigint[], %b::bigint[],
            %b::bigint[])
    AS given (box, settled, time, oldest, late_ms, worst_ms, newest)
WHERE boxes.box = given.box AND (given.settled > boxes.settled OR given.time <> '')
"""
_PRESENCE = """
UPDATE boxes SET presence = %(state)s, session = %(session)s WHERE box = %(box)s
AND (presence, session) IS DISTINCT FROM (%(state)s, %(session)s)
AND (%(state)s = 'online' AND %(session)s >= session OR %(session)s = session OR session = 0)
"""
_ADD = {
    "sales": """
INSERT INTO sales AS old (site, tenant_id, orders, amount_fen)
SELECT * FROM unnest(%b::text[], %b::text[], %b::bigint[], %b::bigint[])
ON CONFLICT (site, tenant_id) DO UPDATE
SET orders = old.orders + excluded.orders, amount_fen = old.amount_fen + excluded.amount_fen
""",
    "tenders": """
INSERT INTO tenders AS old (site, kind, count, amount_fen)
SELECT * FROM unnest(%b::text[], %b::text[], %b::bigint[], %b::bigint[])
ON CONFLICT (site, kind) DO UPDATE
SET count = old.count + excluded.count, amount_fen = old.amount_fen + excluded.amount_fen
""",
}
_ADD_KINDS = """
INSERT INTO kinds AS old (site, kind, count) SELECT * FROM unnest(%b::text[], %b::text[], %b::bigint[])
ON CONFLICT (site, kind) DO UPDATE SET count = old.count + excluded.count
"""
_DEAD = """
INSERT INTO dead_letters (site, edge, sequence, event_id, reason, body) VALUES (%s, %s, %s, %s, %s, %s)
"""
_REFUSED = """
SELECT box, sequence, reason FROM boxes JOIN dead_letters USING (site, edge)
WHERE box = ANY(%s) AND sequence > 0 AND sequence >= oldest ORDER BY box, sequence
"""
_BEHAVE = """
INSERT INTO behaviour (one, switches) VALUES (1, %s)
ON CONFLICT (one) DO UPDATE SET switches = excluded.switches
"""
_WORKER = """
INSERT INTO workers (name, connected, seen_at, received, rejected, acks, forgotten, failures) VALUES (
    %(name)s, %(connected)s, %(seen_at)s, %(received)s, %(rejected)s, %(acks)s, %(forgotten)s, %(failures)s
)
ON CONFLICT (name) DO UPDATE SET connected = excluded.connected, seen_at = excluded.seen_at,
    received = excluded.received, rejected = excluded.rejected, acks = excluded.acks,
    forgotten = excluded.forgotten, failures = excluded.failures
"""
