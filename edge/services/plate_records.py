"""Plates inside, corrections of them, what these teach, and plates that HQ blocked, as records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from edge.parking.plate_edits import Confusions
from edge.parking.session import Session

#: What a correction teaches is worth half after so long, and a pair counts so much at most.
HALF_LIFE_MS = 30 * 24 * 3_600_000
MAX_COUNT = 50.0


@dataclass(frozen=True, slots=True)
class PlateCorrection:
    """A person put the plate or the entry time of a stay right. by: who; reason: their words.

    camera, read: whose read was wrong and what it was; "" when none was.
    """

    correction_id: str
    session_id: str
    corrected_at: int
    by: str
    reason: str
    plate_before: str
    plate_after: str
    entered_before: int
    entered_after: int
    camera: str = ""
    read: str = ""


@dataclass(frozen=True, slots=True)
class PlateBlock:
    """A plate that HQ has blocked until its lists say so or `until_at`. command_id: of HQ's command."""

    plate: str
    command_id: str
    blocked_by: str
    blocked_at: int
    until_at: int
    note: str = ""


def faded(count: float, since_ms: int) -> float:
    """Return what a count is still worth after a time."""
    return float(count * 0.5 ** (max(since_ms, 0) / HALF_LIFE_MS))


class Plates(Protocol):
    """The plates of stays inside, found by what is near; sessions are indexed as they are put."""

    def near(self, plate: str, limit: int) -> tuple[Session, ...]:
        """Return stays inside whose plates are near, those that share most keys first, `limit` at most.

        Two wrong characters of a serial of up to seven, one of a longer one, any look-alikes, and any
        province and office, are near.
        """

    def count_inside(self) -> int:
        """Return how many stays with a plate are inside."""

    def confusions(self, camera: str, at: int) -> Confusions:
        """Return what corrections have taught of a camera by `at`."""

    def learn(self, camera: str, true: str, read: str, at: int) -> None:
        """Note that a camera read `read` where `true` was; counts fade and are limited."""

    def put_correction(self, correction: PlateCorrection) -> None:
        """Write a correction; it is never changed."""

    def corrections(self, limit: int) -> tuple[PlateCorrection, ...]:
        """Return corrections, newest first."""

    def corrections_of(self, session_id: str) -> tuple[PlateCorrection, ...]:
        """Return the corrections of a stay, oldest first."""

    def block(self, block: PlateBlock) -> None:
        """Write a block; a plate has one, the newest."""

    def block_of(self, plate: str) -> PlateBlock | None:
        """Return the block of exactly that plate, over or not."""

    def blocks(self, limit: int) -> tuple[PlateBlock, ...]:
        """Return blocks, newest first."""

    def clear_blocks(self) -> int:
        """Delete all blocks, as new lists hold what is meant; return how many there were."""
