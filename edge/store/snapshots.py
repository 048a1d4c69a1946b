"""Snapshots from HQ and their chunks."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from edge.services.snapshot_records import REBUILT_FROM, SnapshotRefusal, SnapshotRow, SnapshotState

_ROW = "name, version, state, manifest, changed_at, rebuilt"
_PUT_REFUSAL = """
INSERT OR REPLACE INTO snapshot_refusals (name, digest, version, reason, detail, refused_at)
VALUES (?, ?, ?, ?, ?, ?)
"""


class SnapshotTable:
    """Implements records.Snapshots."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def all(self) -> tuple[SnapshotRow, ...]:
        """Return every snapshot, by name and version."""
        rows = self._connection.execute(f"SELECT {_ROW} FROM snapshots WHERE gone = 0 ORDER BY name, version")
        return tuple(_row(row) for row in rows)

    def get(self, name: str, state: SnapshotState) -> SnapshotRow | None:
        """Return the snapshot of that name in that state."""
        found = self._connection.execute(
            f"SELECT {_ROW} FROM snapshots WHERE name = ? AND state = ? AND gone = 0", (name, state.value)
        ).fetchone()
        return None if found is None else _row(found)

    def begin(self, row: SnapshotRow) -> None:
        """Write a snapshot that is coming, in place of any other of its name that was."""
        self.drop(row.name, SnapshotState.COMING)
        # The same version may come again after HQ took it back; then its old chunks go at once.
        self._connection.execute(
            "DELETE FROM snapshots WHERE name = ? AND version = ? AND gone = 1", (row.name, row.version)
        )
        self._connection.execute(
            f"INSERT INTO snapshots ({_ROW}) VALUES (?, ?, ?, ?, ?, 0)",
            (row.name, row.version, SnapshotState.COMING.value, row.manifest, row.changed_at),
        )

    def drop(self, name: str, state: SnapshotState) -> None:
        """Let go of the snapshot in that state, if there is one; its chunks wait for `purge`."""
        self._connection.execute(
            "UPDATE snapshots SET gone = 1 WHERE name = ? AND state = ? AND gone = 0", (name, state.value)
        )

    def has_gone(self) -> bool:
        """Return whether `purge` has anything to do."""
        return (
            self._connection.execute("SELECT 1 FROM snapshots WHERE gone = 1 LIMIT 1").fetchone() is not None
        )

    def purge(self, limit: int) -> bool:
        """Delete up to `limit` chunks that were let go of; return whether there may be others."""
        found = self._connection.execute(
            "SELECT name, version FROM snapshots WHERE gone = 1 LIMIT 1"
        ).fetchone()
        if found is None:
            return False
        name, version = found
        if not self._delete_chunks(name, version, 0, limit):
            self._connection.execute("DELETE FROM snapshots WHERE name = ? AND version = ?", found)
        return True

    def put_chunks(self, name: str, version: int, chunks: Mapping[int, bytes]) -> None:
        """Keep chunks of a snapshot that is here; one that is kept already stays as it is."""
        self._connection.executemany(
            "INSERT OR IGNORE INTO snapshot_chunks (name, version, number, data) VALUES (?, ?, ?, ?)",
            ((name, version, number, data) for number, data in chunks.items()),
        )

    def have(self, name: str, version: int) -> frozenset[int]:
        """Return the numbers of the chunks that are kept."""
        rows = self._connection.execute(
            "SELECT number FROM snapshot_chunks WHERE name = ? AND version = ?", (name, version)
        )
        return frozenset(row[0] for row in rows)

    def chunk(self, name: str, version: int, number: int) -> bytes | None:
        """Return a chunk that is kept."""
        found = self._connection.execute(
            "SELECT data FROM snapshot_chunks WHERE name = ? AND version = ? AND number = ?",
            (name, version, number),
        ).fetchone()
        return None if found is None else bytes(found[0])

    def discard_rebuilt(self, name: str, version: int, limit: int) -> bool:
        """Delete up to `limit` chunks from `REBUILT_FROM` on; return whether there may be others."""
        return self._delete_chunks(name, version, REBUILT_FROM, limit) == limit

    def mark_rebuilt(self, name: str, version: int) -> None:
        """Note that the chunks from `REBUILT_FROM` on are all there."""
        self._connection.execute(
            "UPDATE snapshots SET rebuilt = 1 WHERE name = ? AND version = ?", (name, version)
        )

    def activate(self, name: str, at: int) -> None:
        """Make the coming one active and the active one the previous; the one before that is let go of."""
        self.drop(name, SnapshotState.PREVIOUS)
        self._move(name, SnapshotState.ACTIVE, SnapshotState.PREVIOUS, at)
        self._move(name, SnapshotState.COMING, SnapshotState.ACTIVE, at)

    def swap(self, name: str, at: int) -> None:
        """Let the active and the previous one change places."""
        self._connection.execute(
            "UPDATE snapshots SET changed_at = ?, state = iif(state = 'active', 'previous', 'active')"
            " WHERE name = ? AND state <> 'coming' AND gone = 0",
            (at, name),
        )

    def refusal(self, name: str) -> SnapshotRefusal | None:
        """Return the last refusal of a name."""
        found = self._connection.execute(
            "SELECT name, digest, version, reason, detail, refused_at FROM snapshot_refusals WHERE name = ?",
            (name,),
        ).fetchone()
        return None if found is None else SnapshotRefusal(*found)

    def refusals(self) -> tuple[SnapshotRefusal, ...]:
        """Return the last refusal of every name."""
        rows = self._connection.execute(
            "SELECT name, digest, version, reason, detail, refused_at FROM snapshot_refusals ORDER BY name"
        )
        return tuple(SnapshotRefusal(*row) for row in rows)

    def refuse(self, refusal: SnapshotRefusal) -> None:
        """Write a refusal in place of the last one of that name."""
        values = (refusal.name, refusal.digest, refusal.version, refusal.reason, refusal.detail)
        self._connection.execute(_PUT_REFUSAL, (*values, refusal.refused_at))

    def _move(self, name: str, old: SnapshotState, new: SnapshotState, at: int) -> None:
        self._connection.execute(
            "UPDATE snapshots SET state = ?, changed_at = ? WHERE name = ? AND state = ? AND gone = 0",
            (new.value, at, name, old.value),
        )

    def _delete_chunks(self, name: str, version: int, first: int, limit: int) -> int:
        deleted = self._connection.execute(
            "DELETE FROM snapshot_chunks WHERE rowid IN (SELECT rowid FROM snapshot_chunks"
            " WHERE name = ? AND version = ? AND number >= ? LIMIT ?)",
            (name, version, first, limit),
        )
        return deleted.rowcount


def _row(row: tuple[str, int, str, bytes, int, int]) -> SnapshotRow:
    name, version, state, manifest, changed_at, rebuilt = row
    return SnapshotRow(name, version, SnapshotState(state), manifest, changed_at, bool(rebuilt))
