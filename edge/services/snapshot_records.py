"""Snapshots from HQ, as records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class SnapshotState(StrEnum):
    """Where a snapshot is: on its way, in force, or the one that was in force before."""

    COMING = "coming"
    ACTIVE = "active"
    PREVIOUS = "previous"


#: The number of the first chunk of a content that was rebuilt here from a delta and its base.
REBUILT_FROM = 1_000_000


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """One version of a snapshot from HQ. manifest: as HQ sent it. changed_at: of its state.

    rebuilt: it came as a delta, and the whole content stands in the chunks from `REBUILT_FROM` on.
    """

    name: str
    version: int
    state: SnapshotState
    manifest: bytes
    changed_at: int
    rebuilt: bool = False


@dataclass(frozen=True, slots=True)
class SnapshotRefusal:
    """Why a snapshot was not taken. digest: SHA-256 of its manifest. version: 0 when it could not be read."""

    name: str
    digest: str
    version: int
    reason: str
    detail: str
    refused_at: int


class Snapshots(Protocol):
    """Snapshots from HQ: of each name at most one in each state."""

    def all(self) -> tuple[SnapshotRow, ...]:
        """Return every snapshot, by name and version."""

    def get(self, name: str, state: SnapshotState) -> SnapshotRow | None:
        """Return the snapshot of that name in that state."""

    def begin(self, row: SnapshotRow) -> None:
        """Write a snapshot that is coming, in place of any other of its name that was."""

    def drop(self, name: str, state: SnapshotState) -> None:
        """Let go of the snapshot in that state, if there is one; its chunks wait for `purge`."""

    def has_gone(self) -> bool:
        """Return whether `purge` has anything to do."""

    def purge(self, limit: int) -> bool:
        """Delete up to `limit` chunks that were let go of; return whether there may be others."""

    def put_chunks(self, name: str, version: int, chunks: Mapping[int, bytes]) -> None:
        """Keep chunks of a snapshot that is here; one that is kept already stays as it is."""

    def have(self, name: str, version: int) -> frozenset[int]:
        """Return the numbers of the chunks that are kept."""

    def chunk(self, name: str, version: int, number: int) -> bytes | None:
        """Return a chunk that is kept."""

    def discard_rebuilt(self, name: str, version: int, limit: int) -> bool:
        """Delete up to `limit` chunks from `REBUILT_FROM` on; return whether there may be others."""

    def mark_rebuilt(self, name: str, version: int) -> None:
        """Note that the chunks from `REBUILT_FROM` on are all there."""

    def activate(self, name: str, at: int) -> None:
        """Make the coming one active and the active one the previous; the one before that is let go of."""

    def swap(self, name: str, at: int) -> None:
        """Let the active and the previous one change places."""

    def refusal(self, name: str) -> SnapshotRefusal | None:
        """Return the last refusal of a name."""

    def refusals(self) -> tuple[SnapshotRefusal, ...]:
        """Return the last refusal of every name."""

    def refuse(self, refusal: SnapshotRefusal) -> None:
        """Write a refusal in place of the last one of that name."""
