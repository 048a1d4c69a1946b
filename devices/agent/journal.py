"""What an agent must not forget: openings that it began, and what was seen and not yet acknowledged."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass
from pathlib import Path

from devices.agent.messages import MAX_TEXT, Outcome, Reply, Seen, decode_seen, encode_seen
from devices.types import LoopSeen, PlateSeen

#: Outcomes kept: a request that comes again is answered from them. Seen things kept while the box is away: as
#: many as a camera keeps, or as many bytes.
KEPT_OUTCOMES = 1_000
KEPT_SEEN = 9_000
KEPT_BYTES = 512 * 1024 * 1024

_SCHEMA = """
CREATE TABLE IF NOT EXISTS outcomes (
    request_id TEXT PRIMARY KEY, outcome TEXT NOT NULL, detail TEXT NOT NULL, place INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS seen (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, boot_id TEXT NOT NULL, read_ns INTEGER NOT NULL,
    read_ms INTEGER NOT NULL, body BLOB NOT NULL
) STRICT;
"""
_BEGIN = "INSERT INTO outcomes VALUES (?, ?, ?, (SELECT coalesce(max(place), 0) + 1 FROM outcomes))"
_CUT_OFF = "the agent ended while it was done; look at the lane"


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, by the agent's machine: its boot, nanoseconds since then, and Unix milliseconds."""

    boot_id: str
    boottime_ns: int
    wall_ms: int


class AgentJournal:
    """One SQLite file, on disk before it counts. Thread safe; sqlite3.Error when it cannot be written."""

    def __init__(self, path: Path, kept_seen: int = KEPT_SEEN) -> None:
        """Open or make the file. kept_seen: how many seen things it holds."""
        self._kept_seen = kept_seen
        self._turn = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(_SCHEMA)
        self.dropped = 0

    def begin(self, request_id: str) -> Reply | None:
        """Note that a request is begun; return what became of it when it had been begun before.

        A request that was begun and has no end is SILENT.
        """
        query = "SELECT outcome, detail FROM outcomes WHERE request_id = ?"
        with self._turn:
            row = self._db.execute(query, (request_id,)).fetchone()
            if row is not None:
                return Reply(request_id, Outcome(row[0]), row[1])
            with self._db:
                self._db.execute("BEGIN IMMEDIATE")
                self._db.execute(_BEGIN, (request_id, Outcome.SILENT, _CUT_OFF))
                self._db.execute(
                    "DELETE FROM outcomes WHERE place <= (SELECT max(place) FROM outcomes) - ?",
                    (KEPT_OUTCOMES,),
                )
            return None

    def end(self, reply: Reply) -> None:
        """Note what became of a request."""
        with self._turn:
            self._db.execute(
                "UPDATE outcomes SET outcome = ?, detail = ? WHERE request_id = ?",
                (reply.outcome, reply.detail[:MAX_TEXT], reply.request_id),
            )

    def keep(self, what: PlateSeen | LoopSeen, now: Moment) -> int:
        """Keep something seen until it is acknowledged; return its number. When full, the oldest goes."""
        body = encode_seen(Seen(0, 0, what))
        read_ms = now.wall_ms - (now.boottime_ns - what.read_ns) // 1_000_000
        with self._turn, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            row = self._db.execute(
                "INSERT INTO seen (boot_id, read_ns, read_ms, body) VALUES (?, ?, ?, ?)",
                (now.boot_id, what.read_ns, read_ms, body),
            )
            count, size = self._db.execute("SELECT count(*), sum(length(body)) FROM seen").fetchone()
            if count > self._kept_seen or size > KEPT_BYTES:
                self._db.execute("DELETE FROM seen WHERE seq = (SELECT min(seq) FROM seen)")
                self.dropped += 1
            return int(row.lastrowid or 0)

    def waiting(self, after: int, limit: int, now: Moment) -> tuple[Seen, ...]:
        """Return what waits with a number above `after`, in order, each with its age."""
        query = "SELECT seq, boot_id, read_ns, read_ms, body FROM seen WHERE seq > ? ORDER BY seq LIMIT ?"
        with self._turn:
            rows = self._db.execute(query, (after, limit)).fetchall()
        return tuple(
            Seen(seq, _age_ms(now, boot_id, read_ns, read_ms), decode_seen(body, read_ns).what)
            for seq, boot_id, read_ns, read_ms, body in rows
        )

    def acked(self, seq: int) -> None:
        """Forget what was acknowledged."""
        with self._turn:
            self._db.execute("DELETE FROM seen WHERE seq = ?", (seq,))

    def count(self) -> int:
        """Return how much waits."""
        with self._turn:
            return int(self._db.execute("SELECT count(*) FROM seen").fetchone()[0])

    def close(self) -> None:
        """Close the file."""
        with self._turn:
            self._db.close()


def _age_ms(now: Moment, boot_id: str, read_ns: int, read_ms: int) -> int:
    """Within one boot by boot time, else by the clock, which may have been wrong then: never below 0."""
    if boot_id == now.boot_id:
        return max(0, (now.boottime_ns - read_ns) // 1_000_000)
    return max(0, now.wall_ms - read_ms)
