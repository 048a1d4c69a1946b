"""Plates inside, corrections, what they teach, and blocked plates in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from edge.errors import Corrupt
from edge.parking.plate import lookup_keys
from edge.parking.plate_edits import Confusions, learned
from edge.parking.session import Session, SessionState
from edge.services.plate_records import MAX_COUNT, PlateBlock, PlateCorrection, faded
from sim.fakes.stays import StayRows


@dataclass(slots=True)
class PlateRows:
    """Corrections and blocks by id; counts and when they changed by camera, true and read."""

    corrections: dict[str, PlateCorrection] = field(default_factory=dict)
    blocks: dict[str, PlateBlock] = field(default_factory=dict)
    counts: dict[tuple[str, str, str], tuple[float, int]] = field(default_factory=dict)

    def copy(self) -> PlateRows:
        """Return rows that can be changed without changing these."""
        return PlateRows(dict(self.corrections), dict(self.blocks), dict(self.counts))


class FakePlates:
    """Implements plate_records.Plates."""

    def __init__(self, rows: PlateRows, stays: StayRows, writing: Callable[[], None]) -> None:
        self._rows = rows
        self._stays = stays.sessions
        self._writing = writing

    def near(self, plate: str, limit: int) -> tuple[Session, ...]:
        """Return stays inside whose plates are near, those that share most keys first."""
        wanted = set(lookup_keys(plate))
        shared = [(len(wanted & set(lookup_keys(one.plate))), one.session_id) for one in self._inside()]
        nearest = sorted((pair for pair in shared if pair[0]), reverse=True)[:limit]
        return tuple(self._stays[session_id] for _, session_id in nearest)

    def count_inside(self) -> int:
        """Return how many stays with a plate are inside."""
        return len(self._inside())

    def confusions(self, camera: str, at: int) -> Confusions:
        """Return what corrections have taught of a camera by `at`."""
        mine = {key[1:]: value for key, value in self._rows.counts.items() if key[0] == camera}
        return learned({(true, read): faded(n, at - since) for (true, read), (n, since) in mine.items()})

    def learn(self, camera: str, true: str, read: str, at: int) -> None:
        """Note that a camera read `read` where `true` was."""
        self._writing()
        count = self.confusions(camera, at).counts.get((true, read), 0.0)
        self._rows.counts[camera, true, read] = (min(count + 1, MAX_COUNT), at)

    def put_correction(self, correction: PlateCorrection) -> None:
        """Write a correction."""
        self._writing()
        if correction.correction_id in self._rows.corrections or not (correction.by and correction.reason):
            raise Corrupt(f"correction {correction.correction_id} contradicts what is kept")
        self._rows.corrections[correction.correction_id] = correction

    def corrections(self, limit: int) -> tuple[PlateCorrection, ...]:
        """Return corrections, newest first."""
        return tuple(one for _, one in sorted(self._rows.corrections.items(), reverse=True))[:limit]

    def corrections_of(self, session_id: str) -> tuple[PlateCorrection, ...]:
        """Return the corrections of a stay, oldest first."""
        found = (one for _, one in sorted(self._rows.corrections.items()))
        return tuple(one for one in found if one.session_id == session_id)

    def block(self, block: PlateBlock) -> None:
        """Write a block."""
        self._writing()
        self._rows.blocks[block.plate] = block

    def block_of(self, plate: str) -> PlateBlock | None:
        """Return the block of exactly that plate."""
        return self._rows.blocks.get(plate)

    def blocks(self, limit: int) -> tuple[PlateBlock, ...]:
        """Return blocks, newest first."""
        found = sorted(self._rows.blocks.values(), key=lambda one: (-one.blocked_at, one.plate))
        return tuple(found)[:limit]

    def clear_blocks(self) -> int:
        """Delete all blocks; return how many there were."""
        self._writing()
        count = len(self._rows.blocks)
        self._rows.blocks.clear()
        return count

    def _inside(self) -> list[Session]:
        return [one for one in self._stays.values() if one.plate and one.state is SessionState.INSIDE]
