"""Snapshots in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from edge.services.snapshot_records import REBUILT_FROM, SnapshotRefusal, SnapshotRow, SnapshotState


@dataclass(slots=True)
class SnapshotRows:
    """All of it: rows by name and state, chunks by name, version and number, refusals by name."""

    rows: dict[tuple[str, SnapshotState], SnapshotRow] = field(default_factory=dict)
    chunks: dict[tuple[str, int, int], bytes] = field(default_factory=dict)
    refusals: dict[str, SnapshotRefusal] = field(default_factory=dict)
    gone: frozenset[tuple[str, int]] = frozenset()

    def copy(self) -> SnapshotRows:
        """Return rows that can be changed without changing these."""
        return SnapshotRows(dict(self.rows), dict(self.chunks), dict(self.refusals), self.gone)


class FakeSnapshots:
    """Implements records.Snapshots."""

    def __init__(self, rows: SnapshotRows, writing: Callable[[], None]) -> None:
        self._rows = rows
        self._writing = writing

    def all(self) -> tuple[SnapshotRow, ...]:
        """Return every snapshot, by name and version."""
        return tuple(sorted(self._rows.rows.values(), key=lambda one: (one.name, one.version)))

    def get(self, name: str, state: SnapshotState) -> SnapshotRow | None:
        """Return the snapshot of that name in that state."""
        return self._rows.rows.get((name, state))

    def begin(self, row: SnapshotRow) -> None:
        """Write a snapshot that is coming, in place of any other of its name that was."""
        self.drop(row.name, SnapshotState.COMING)
        self._rows.gone -= {(row.name, row.version)}
        self._forget([key for key in self._rows.chunks if key[:2] == (row.name, row.version)])
        self._rows.rows[row.name, SnapshotState.COMING] = replace(row, state=SnapshotState.COMING)

    def drop(self, name: str, state: SnapshotState) -> None:
        """Let go of the snapshot in that state, if there is one; its chunks wait for `purge`."""
        self._writing()
        gone = self._rows.rows.pop((name, state), None)
        if gone is not None:
            self._rows.gone |= {(name, gone.version)}

    def has_gone(self) -> bool:
        """Return whether `purge` has anything to do."""
        return bool(self._rows.gone)

    def purge(self, limit: int) -> bool:
        """Delete up to `limit` chunks that were let go of; return whether there may be others."""
        self._writing()
        if not self._rows.gone:
            return False
        first = min(self._rows.gone)
        keys = [key for key in self._rows.chunks if key[:2] == first][:limit]
        self._forget(keys)
        if not keys:
            self._rows.gone -= {first}
        return True

    def put_chunks(self, name: str, version: int, chunks: Mapping[int, bytes]) -> None:
        """Keep chunks of a snapshot that is here; one that is kept already stays as it is."""
        self._writing()
        for number, data in chunks.items():
            self._rows.chunks.setdefault((name, version, number), data)

    def have(self, name: str, version: int) -> frozenset[int]:
        """Return the numbers of the chunks that are kept."""
        return frozenset(key[2] for key in self._rows.chunks if key[:2] == (name, version))

    def chunk(self, name: str, version: int, number: int) -> bytes | None:
        """Return a chunk that is kept."""
        return self._rows.chunks.get((name, version, number))

    def discard_rebuilt(self, name: str, version: int, limit: int) -> bool:
        """Delete up to `limit` chunks from `REBUILT_FROM` on; return whether there may be others."""
        self._writing()
        numbers = sorted(one for one in self.have(name, version) if one >= REBUILT_FROM)[:limit]
        self._forget([(name, version, one) for one in numbers])
        return len(numbers) == limit

    def mark_rebuilt(self, name: str, version: int) -> None:
        """Note that the chunks from `REBUILT_FROM` on are all there."""
        self._writing()
        for key, row in self._rows.rows.items():
            if (row.name, row.version) == (name, version):
                self._rows.rows[key] = replace(row, rebuilt=True)

    def activate(self, name: str, at: int) -> None:
        """Make the coming one active and the active one the previous; the one before that is let go of."""
        self.drop(name, SnapshotState.PREVIOUS)
        self._move(name, SnapshotState.ACTIVE, SnapshotState.PREVIOUS, at)
        self._move(name, SnapshotState.COMING, SnapshotState.ACTIVE, at)

    def swap(self, name: str, at: int) -> None:
        """Let the active and the previous one change places."""
        self._writing()
        active = self._rows.rows.pop((name, SnapshotState.ACTIVE), None)
        self._move(name, SnapshotState.PREVIOUS, SnapshotState.ACTIVE, at)
        if active is not None:
            key = (name, SnapshotState.PREVIOUS)
            self._rows.rows[key] = replace(active, state=SnapshotState.PREVIOUS, changed_at=at)

    def refusal(self, name: str) -> SnapshotRefusal | None:
        """Return the last refusal of a name."""
        return self._rows.refusals.get(name)

    def refusals(self) -> tuple[SnapshotRefusal, ...]:
        """Return the last refusal of every name."""
        return tuple(one for _, one in sorted(self._rows.refusals.items()))

    def refuse(self, refusal: SnapshotRefusal) -> None:
        """Write a refusal in place of the last one of that name."""
        self._writing()
        self._rows.refusals[refusal.name] = refusal

    def _forget(self, keys: list[tuple[str, int, int]]) -> None:
        for key in keys:
            del self._rows.chunks[key]

    def _move(self, name: str, old: SnapshotState, new: SnapshotState, at: int) -> None:
        self._writing()
        row = self._rows.rows.pop((name, old), None)
        if row is not None:
            self._rows.rows[name, new] = replace(row, state=new, changed_at=at)
