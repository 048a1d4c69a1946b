"""What HQ knows: every event applied once, its effect and its id in one transaction.

SQLite, one connection behind a lock. `settled` of a box is the sequence up to which nothing is missing;
what a box can no longer send (`oldest`) and HQ never saw counts as lost and is settled too.
"""

from __future__ import annotations

import json
import re
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

MAX_HOLES = 100

#: How far above `settled` one ack looks.
LOOK_AHEAD = 10_000

_TYPE = re.compile(r"cn\.mall\.([a-z]+\.[a-z]+)\.v1")


class Outcome(StrEnum):
    """What became of one arrival."""

    APPLIED = "applied"
    REPEAT = "repeat"
    PUT_ASIDE = "put aside"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message from one box; event_id, sequence and oldest are the user properties, 0 when absent."""

    site: str
    edge: str
    body: bytes
    event_id: str = ""
    sequence: int = 0
    oldest: int = 0


@dataclass(frozen=True, slots=True)
class Word:
    """HQ's ack."""

    through: int
    holes: tuple[int, ...] = ()

    def as_json(self) -> bytes:
        """Return the payload."""
        return json.dumps({"through": self.through, "holes": list(self.holes)}).encode()


@dataclass(frozen=True, slots=True)
class _Event:
    event_id: str
    sequence: int
    kind: str
    subject: str
    time: str
    data: dict[str, object]


class Ledger:
    """HQ's books; safe from any thread."""

    def __init__(self, path: str = ":memory:") -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.executescript(_SCHEMA)

    def apply(self, arrivals: Sequence[Arrival]) -> list[Outcome]:
        """Apply a batch in one transaction; each event takes effect at most once."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                outcomes = [self._apply(arrival) for arrival in arrivals]
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
            return outcomes

    def presence(self, site: str, edge: str, state: str, session: int) -> None:
        """Note a box's presence; the end of a session other than the last one begun is old news."""
        with self._lock:
            self._meet(site, edge)
            self._db.execute(_PRESENCE, {"site": site, "edge": edge, "state": state, "session": session})

    def word(self, site: str, edge: str) -> Word:
        """Return what HQ can acknowledge to a box now."""
        with self._lock:
            settled = self._settle(site, edge)
            rows = self._db.execute(_ABOVE, (site, edge, settled, LOOK_AHEAD)).fetchall()
        return _word(settled, [row[0] for row in rows])

    def rows(self, statement: str, *values: object) -> list[dict[str, object]]:
        """Return the rows of a query, for the page and for tests."""
        with self._lock:
            return [dict(row) for row in self._db.execute(statement, values)]

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._db.close()

    def _apply(self, arrival: Arrival) -> Outcome:
        self._meet(arrival.site, arrival.edge)
        self._forgo(arrival)
        try:
            event = _parse(arrival)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            return self._put_aside(arrival, str(error))
        if self._known(event.event_id):
            self._count(arrival, "repeats")
            return Outcome.REPEAT
        self._store(arrival, event)
        self._db.execute("SAVEPOINT effect")
        try:
            self._take_effect(arrival.site, event)
        except (ValueError, KeyError, TypeError, sqlite3.Error) as error:
            self._db.execute("ROLLBACK TO effect")
            self._dead_letter(arrival, f"{event.kind}: {error!r}")
            return Outcome.PUT_ASIDE
        finally:
            self._db.execute("RELEASE effect")
        self._count(arrival, "applied")
        return Outcome.APPLIED

    def _take_effect(self, site: str, event: _Event) -> None:
        self._db.execute(_COUNT_KIND, (site, event.kind))
        if event.kind != "order.paid":
            return
        tenants, tenders = event.data["tenants"], event.data["tenders"]
        if not isinstance(tenants, list) or not isinstance(tenders, list):
            raise ValueError("tenants and tenders must be lists")
        for share in tenants:
            self._db.execute(_ADD_SALE, (site, share["tenant_id"], share["amount_fen"]))
        for tender in tenders:
            self._db.execute(_ADD_TENDER, (site, tender["kind"], tender["amount_fen"]))

    def _put_aside(self, arrival: Arrival, reason: str) -> Outcome:
        if not arrival.event_id or arrival.sequence < 1:
            self._dead_letter(arrival, f"unreadable and without properties: {reason}")
            return Outcome.UNREADABLE
        if self._known(arrival.event_id):
            self._count(arrival, "repeats")
            return Outcome.REPEAT
        self._store(arrival, _Event(arrival.event_id, arrival.sequence, "unreadable", "", "", {}))
        self._dead_letter(arrival, f"unreadable: {reason}")
        return Outcome.PUT_ASIDE

    def _dead_letter(self, arrival: Arrival, reason: str) -> None:
        self._db.execute(_DEAD, (arrival.site, arrival.edge, reason[:200], arrival.body))

    def _known(self, event_id: str) -> bool:
        return self._db.execute("SELECT 1 FROM events WHERE event_id = ?", (event_id,)).fetchone() is not None

    def _store(self, arrival: Arrival, event: _Event) -> None:
        where = (arrival.site, arrival.edge, event.sequence)
        if self._db.execute(_TAKEN, where).fetchone() is not None:
            self._count(arrival, "conflicts")
        data = json.dumps(event.data, ensure_ascii=False)
        self._db.execute(_STORE, (event.event_id, *where, event.kind, event.subject, event.time, data))
        self._db.execute(_HEARD, (event.time, arrival.site, arrival.edge))

    def _meet(self, site: str, edge: str) -> None:
        self._db.execute("INSERT OR IGNORE INTO edges (site, edge) VALUES (?, ?)", (site, edge))

    def _count(self, arrival: Arrival, column: str) -> None:
        self._db.execute(
            f"UPDATE edges SET {column} = {column} + 1 WHERE site = ? AND edge = ?",
            (arrival.site, arrival.edge),
        )

    def _forgo(self, arrival: Arrival) -> None:
        """Give up what the box can no longer send: an earlier HQ had acknowledged it."""
        key = (arrival.site, arrival.edge)
        settled = self._db.execute("SELECT settled FROM edges WHERE site = ? AND edge = ?", key).fetchone()[0]
        floor = arrival.oldest - 1
        if floor <= settled:
            return
        have = self._db.execute(_BETWEEN, (*key, settled, floor)).fetchone()[0]
        self._db.execute(_FORGO, (floor, floor - settled - have, *key))

    def _settle(self, site: str, edge: str) -> int:
        row = self._db.execute(
            "SELECT settled FROM edges WHERE site = ? AND edge = ?", (site, edge)
        ).fetchone()
        settled = start = int(row[0]) if row else 0
        for (sequence,) in self._db.execute(_ABOVE, (site, edge, settled, LOOK_AHEAD)):
            if sequence != settled + 1:
                break
            settled = sequence
        if settled != start:
            self._db.execute(
                "UPDATE edges SET settled = ? WHERE site = ? AND edge = ?", (settled, site, edge)
            )
        return settled


def _parse(arrival: Arrival) -> _Event:
    envelope = json.loads(arrival.body)
    if envelope["specversion"] != "1.0":
        raise ValueError(f"specversion {envelope['specversion']!r}")
    kind = _TYPE.fullmatch(envelope["type"])
    if kind is None:
        raise ValueError(f"type {envelope['type']!r}")
    if envelope["source"] != f"/mall/{arrival.site}/edge/{arrival.edge}":
        raise ValueError(f"source {envelope['source']!r} came on the topic of {arrival.site}/{arrival.edge}")
    data = envelope["data"]
    if not isinstance(data, dict):
        raise ValueError("data is not an object")
    sequence = int(envelope["sequence"])
    return _Event(
        str(envelope["id"]), sequence, kind[1], str(envelope["subject"]), str(envelope["time"]), data
    )


def _word(settled: int, above: Sequence[int]) -> Word:
    through, holes = settled, list[int]()
    for sequence in above:
        missing = range(through + 1, sequence)
        if len(holes) + len(missing) > MAX_HOLES:
            break
        holes.extend(missing)
        through = sequence
    return Word(through, tuple(holes))


_SCHEMA = """
CREATE TABLE IF NOT EXISTS edges (
    site TEXT NOT NULL, edge TEXT NOT NULL,
    settled INTEGER NOT NULL DEFAULT 0, applied INTEGER NOT NULL DEFAULT 0,
    repeats INTEGER NOT NULL DEFAULT 0, conflicts INTEGER NOT NULL DEFAULT 0,
    lost INTEGER NOT NULL DEFAULT 0, last_time TEXT NOT NULL DEFAULT '',
    presence TEXT NOT NULL DEFAULT 'unknown', session INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (site, edge)
) STRICT;
CREATE TABLE IF NOT EXISTS events (
    event_id TEXT PRIMARY KEY, site TEXT NOT NULL, edge TEXT NOT NULL, sequence INTEGER NOT NULL,
    kind TEXT NOT NULL, subject TEXT NOT NULL, time TEXT NOT NULL, data TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS events_by_sequence ON events (site, edge, sequence);
CREATE TABLE IF NOT EXISTS dead_letters (
    site TEXT NOT NULL, edge TEXT NOT NULL, reason TEXT NOT NULL, body BLOB NOT NULL
) STRICT;
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
"""
_STORE = """
INSERT INTO events (event_id, site, edge, sequence, kind, subject, time, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_PRESENCE = """
UPDATE edges SET presence = :state, session = :session WHERE site = :site AND edge = :edge
AND (:state = 'online' AND :session >= session OR :session = session OR session = 0)
"""
_ABOVE = """
SELECT DISTINCT sequence FROM events WHERE site = ? AND edge = ? AND sequence > ? ORDER BY sequence LIMIT ?
"""
_BETWEEN = """
SELECT count(DISTINCT sequence) FROM events WHERE site = ? AND edge = ? AND sequence > ? AND sequence <= ?
"""
_FORGO = "UPDATE edges SET settled = ?, lost = lost + ? WHERE site = ? AND edge = ?"
_TAKEN = "SELECT 1 FROM events WHERE site = ? AND edge = ? AND sequence = ?"
_HEARD = "UPDATE edges SET last_time = ? WHERE site = ? AND edge = ?"
_DEAD = "INSERT INTO dead_letters (site, edge, reason, body) VALUES (?, ?, ?, ?)"
_COUNT_KIND = """
INSERT INTO kinds (site, kind, count) VALUES (?, ?, 1)
ON CONFLICT (site, kind) DO UPDATE SET count = count + 1
"""
_ADD_SALE = """
INSERT INTO sales (site, tenant_id, orders, amount_fen) VALUES (?, ?, 1, ?)
ON CONFLICT (site, tenant_id) DO UPDATE SET orders = orders + 1, amount_fen = amount_fen + excluded.amount_fen
"""
_ADD_TENDER = """
INSERT INTO tenders (site, kind, count, amount_fen) VALUES (?, ?, 1, ?)
ON CONFLICT (site, kind) DO UPDATE SET count = count + 1, amount_fen = amount_fen + excluded.amount_fen
"""
