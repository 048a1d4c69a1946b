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


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """One version of a snapshot from HQ. manifest: as HQ sent it. changed_at: of its state."""

    name: str
    version: int
    state: SnapshotState
    manifest: bytes
    changed_at: int


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
        """Delete the snapshot in that state, with its chunks, if there is one."""

    def put_chunks(self, name: str, version: int, chunks: Mapping[int, bytes]) -> None:
        """Keep chunks of a snapshot that is here; one that is kept already stays as it is."""

    def have(self, name: str, version: int) -> frozenset[int]:
        """Return the numbers of the chunks that are kept."""

    def chunks(self, name: str, version: int) -> tuple[bytes, ...]:
        """Return the chunks that are kept, in order."""

    def activate(self, name: str, at: int) -> None:
        """Make the coming one active and the active one the previous; the one before that is deleted."""

    def swap(self, name: str, at: int) -> None:
        """Let the active and the previous one change places."""

    def refusal(self, name: str) -> SnapshotRefusal | None:
        """Return the last refusal of a name."""

    def refusals(self) -> tuple[SnapshotRefusal, ...]:
        """Return the last refusal of every name."""

    def refuse(self, refusal: SnapshotRefusal) -> None:
        """Write a refusal in place of the last one of that name."""
