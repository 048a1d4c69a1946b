"""HQ's books in SQLite, for one worker: the default of the demonstration and of the tests."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict

from sim.hq.behaviour import Behaviour
from sim.hq.books import Books, EventKey, Heard, Row, Tally, Totals
from sim.hq.reading import LOOK_AHEAD, Arrival, Box, Word, settled_of

_VERSION = 4


class Ledger(Books):
    """Books in a file, or in memory; one connection. Raises ValueError for a file of an older simulator."""

    def __init__(self, path: str = ":memory:") -> None:
        super().__init__()
        self._met: set[Box] = set()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        tables = self._db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        if tables and version != _VERSION:
            raise ValueError(f"{path} was made by another version of the simulator; remove it")
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.executescript(_SCHEMA)

    def presence(self, site: str, edge: str, state: str, session: int) -> bool:
        """Note a box's presence; return whether that was news."""
        with self._lock:
            self._meet([(site, edge)])
            given = {"site": site, "edge": edge, "state": state, "session": session}
            return self._db.execute(_PRESENCE, given).rowcount == 1

    def behaviour(self) -> Behaviour:
        """Return how HQ is told to misbehave."""
        rows = self.rows("SELECT switches FROM behaviour")
        return Behaviour(**json.loads(str(rows[0]["switches"]))) if rows else Behaviour()

    def behave(self, wanted: Behaviour) -> None:
        """Switch how HQ misbehaves."""
        with self._lock:
            self._db.execute("REPLACE INTO behaviour VALUES (1, ?)", (json.dumps(wanted.as_json()),))

    def note_worker(self, name: str, tally: Tally, connected: bool, at: int) -> None:
        """Say how the worker fares."""
        with self._lock:
            given = {"name": name, "connected": connected, "seen_at": at} | asdict(tally)
            self._db.execute(_WORKER, given)

    def rows(self, statement: str, *values: object) -> list[dict[str, object]]:
        """Return the rows of a query."""
        with self._lock:
            return [dict(row) for row in self._db.execute(statement, values)]

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._db.close()

    def refusals(self) -> tuple[type[Exception], ...]:
        """What SQLite cannot take in a row."""
        return sqlite3.IntegrityError, sqlite3.DataError, OverflowError, UnicodeError

    def transaction(self) -> AbstractContextManager[object]:
        """A transaction that holds the write lock from its start."""
        return _transaction(self._db)

    def _meet(self, boxes: Iterable[Box]) -> None:
        new = [box for box in boxes if box not in self._met]
        self._db.executemany("INSERT OR IGNORE INTO boxes (site, edge) VALUES (?, ?)", new)
        self._met.update(new)

    def _forgo(self, floors: Mapping[Box, int]) -> None:
        for (site, edge), floor in floors.items():
            self._db.execute(_FORGO, {"site": site, "edge": edge, "floor": floor})

    def _store(self, rows: Sequence[Row]) -> set[EventKey]:
        fresh: set[EventKey] = set()
        for arrival, reading in rows:
            given = (*arrival.box, reading.event_id, reading.sequence, reading.kind, reading.subject)
            stored = self._db.execute(_STORE, (*given, reading.time, reading.data, reading.late_ms)).rowcount
            if stored:
                fresh.add((*arrival.box, reading.event_id))
        return fresh

    def _misplaced(self, rows: Sequence[Row]) -> list[tuple[str, str, bool]]:
        found: list[tuple[str, str, bool]] = []
        batch = {(*arrival.box, reading.event_id) for arrival, reading in rows}
        for arrival, reading in rows:
            given = (*arrival.box, reading.sequence, reading.event_id)
            others = [row[0] for row in self._db.execute(_TAKEN, given)]
            taken = any(it < reading.event_id or (*arrival.box, it) not in batch for it in others)
            below = self._settled(arrival.box) >= reading.sequence
            if taken or below:
                found.append((*arrival.box, taken))
        return found

    def _count(self, column: str, counts: Mapping[Box, int]) -> None:
        for (site, edge), count in counts.items():
            statement = f"UPDATE boxes SET {column} = {column} + ? WHERE site = ? AND edge = ?"
            self._db.execute(statement, (count, site, edge))

    def _add(self, totals: Totals) -> None:
        self._db.executemany(_ADD_SALE, [(*key, *row) for key, row in totals.sales.items()])
        self._db.executemany(_ADD_TENDER, [(*key, *row) for key, row in totals.tenders.items()])
        self._db.executemany(_ADD_KIND, [(*key, count) for key, count in totals.kinds.items()])

    def _dead_letters(self, rows: Sequence[tuple[Arrival, str]]) -> None:
        values = [(*a.box, a.sequence, a.event_id, reason, a.body) for a, reason in rows]
        self._db.executemany(_DEAD, values)

    def _words(self, heard: Mapping[Box, Heard]) -> dict[Box, Word]:
        words: dict[Box, Word] = {}
        for (site, edge), each in heard.items():
            settled = self._settled((site, edge))
            above = [row[0] for row in self._db.execute(_ABOVE, (site, edge, settled, LOOK_AHEAD))]
            note = asdict(each) | {"site": site, "edge": edge, "settled": settled_of(settled, above)}
            self._db.execute(_NOTE, note)
            refused = [(row[0], row[1]) for row in self._db.execute(_REFUSED, (site, edge))]
            words[(site, edge)] = self._word((site, edge), settled, above, refused)
        return words

    def _settled(self, box: Box) -> int:
        row = self._db.execute("SELECT settled FROM boxes WHERE site = ? AND edge = ?", box).fetchone()
        return int(row[0])


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


_SCHEMA = f"""
PRAGMA user_version = {_VERSION};
CREATE TABLE IF NOT EXISTS boxes (
    site TEXT NOT NULL, edge TEXT NOT NULL,
    settled INTEGER NOT NULL DEFAULT 0, oldest INTEGER NOT NULL DEFAULT 0, repeats INTEGER NOT NULL DEFAULT 0,
    conflicts INTEGER NOT NULL DEFAULT 0, lost INTEGER NOT NULL DEFAULT 0, found INTEGER NOT NULL DEFAULT 0,
    last_time TEXT NOT NULL DEFAULT '', late_ms INTEGER NOT NULL DEFAULT 0,
    worst_ms INTEGER NOT NULL DEFAULT 0, newest INTEGER NOT NULL DEFAULT 0,
    presence TEXT NOT NULL DEFAULT 'unknown', session INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (site, edge)
) STRICT;
CREATE TABLE IF NOT EXISTS events (
    site TEXT NOT NULL, edge TEXT NOT NULL, event_id TEXT NOT NULL, sequence INTEGER NOT NULL,
    kind TEXT NOT NULL, subject TEXT NOT NULL, time TEXT NOT NULL, data TEXT NOT NULL, late_ms INTEGER,
    stored_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ')),
    PRIMARY KEY (site, edge, event_id)
) STRICT;
CREATE INDEX IF NOT EXISTS events_by_sequence ON events (site, edge, sequence);
CREATE TABLE IF NOT EXISTS dead_letters (
    number INTEGER PRIMARY KEY, site TEXT NOT NULL, edge TEXT NOT NULL, sequence INTEGER NOT NULL,
    event_id TEXT NOT NULL, reason TEXT NOT NULL, body BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS dead_letters_by_sequence ON dead_letters (site, edge, sequence);
CREATE TABLE IF NOT EXISTS sales (
    site TEXT NOT NULL, tenant_id TEXT NOT NULL, orders INTEGER NOT NULL, amount_fen INTEGER NOT NULL,
    PRIMARY KEY (site, tenant_id)
) STRICT;
CREATE TABLE IF NOT EXISTS tenders (
    site TEXT NOT NULL, kind TEXT NOT NULL, count INTEGER NOT NULL, amount_fen INTEGER NOT NULL,
    PRIMARY KEY (site, kind)
) STRICT;
CREATE TABLE IF NOT EXISTS kinds (
    site TEXT NOT NULL, kind TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (site, kind)
) STRICT;
CREATE TABLE IF NOT EXISTS behaviour (one INTEGER PRIMARY KEY CHECK (one = 1), switches TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS workers (
    name TEXT PRIMARY KEY, connected INTEGER NOT NULL, seen_at INTEGER NOT NULL, received INTEGER NOT NULL,
    rejected INTEGER NOT NULL, acks INTEGER NOT NULL, forgotten INTEGER NOT NULL, failures INTEGER NOT NULL
) STRICT;
CREATE VIEW IF NOT EXISTS edges AS
SELECT site, edge, settled, settled - lost + conflicts + found - refused + above AS applied,
    repeats, conflicts, lost - found AS lost, refused, last_time, late_ms, worst_ms, presence, session,
    max(0, newest - settled) AS backlog
FROM (SELECT *,
    (SELECT count(*) FROM dead_letters AS dead
        WHERE dead.site = boxes.site AND dead.edge = boxes.edge AND sequence > 0) AS refused,
    (SELECT count(DISTINCT sequence) FROM events
        WHERE events.site = boxes.site AND events.edge = boxes.edge AND sequence > settled) AS above
FROM boxes);
CREATE VIEW IF NOT EXISTS latest AS
SELECT site, edge, sequence, kind, subject, time FROM events ORDER BY rowid DESC LIMIT 30;
"""
_STORE = """
INSERT INTO events (site, edge, event_id, sequence, kind, subject, time, data, late_ms)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
"""
_PRESENCE = """
UPDATE boxes SET presence = :state, session = :session WHERE site = :site AND edge = :edge
AND (presence, session) IS NOT (:state, :session)
AND (:state = 'online' AND :session >= session OR :session = session OR session = 0)
"""
_ABOVE = """
SELECT DISTINCT sequence FROM events WHERE site = ? AND edge = ? AND sequence > ? ORDER BY sequence LIMIT ?
"""
_FORGO = """
UPDATE boxes SET settled = :floor, lost = lost + :floor - settled - (
    SELECT count(DISTINCT sequence) FROM events WHERE events.site = boxes.site AND events.edge = boxes.edge
    AND sequence > settled AND sequence <= :floor
) WHERE site = :site AND edge = :edge AND settled < :floor
"""
_NOTE = """
UPDATE boxes SET settled = :settled, last_time = max(last_time, :time), oldest = max(oldest, :oldest),
    newest = max(newest, :newest),
    late_ms = CASE WHEN :time = '' THEN late_ms ELSE :late_ms END, worst_ms = max(worst_ms, :worst_ms)
WHERE site = :site AND edge = :edge AND (settled < :settled OR :time <> '')
"""
_TAKEN = "SELECT event_id FROM events WHERE site = ? AND edge = ? AND sequence = ? AND event_id <> ?"
_DEAD = """
INSERT INTO dead_letters (site, edge, sequence, event_id, reason, body) VALUES (?, ?, ?, ?, ?, ?)
"""
_REFUSED = """
SELECT sequence, reason FROM dead_letters JOIN boxes USING (site, edge)
WHERE site = ? AND edge = ? AND sequence > 0 AND sequence >= oldest ORDER BY sequence
"""
_ADD_KIND = """
INSERT INTO kinds (site, kind, count) VALUES (?, ?, ?)
ON CONFLICT (site, kind) DO UPDATE SET count = count + excluded.count
"""
_ADD_SALE = """
INSERT INTO sales (site, tenant_id, orders, amount_fen) VALUES (?, ?, ?, ?) ON CONFLICT (site, tenant_id)
DO UPDATE SET orders = orders + excluded.orders, amount_fen = amount_fen + excluded.amount_fen
"""
_ADD_TENDER = """
INSERT INTO tenders (site, kind, count, amount_fen) VALUES (?, ?, ?, ?) ON CONFLICT (site, kind)
DO UPDATE SET count = count + excluded.count, amount_fen = amount_fen + excluded.amount_fen
"""
_WORKER = """
REPLACE INTO workers (name, connected, seen_at, received, rejected, acks, forgotten, failures)
VALUES (:name, :connected, :seen_at, :received, :rejected, :acks, :forgotten, :failures)
"""
