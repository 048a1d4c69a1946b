"""Plates of stays inside by what is near, corrections, what they teach, and blocked plates."""

from __future__ import annotations

import json
import sqlite3
from operator import attrgetter

from edge.parking.plate import lookup_keys
from edge.parking.plate_edits import Confusions, learned
from edge.parking.session import Session
from edge.services.plate_records import MAX_COUNT, PlateBlock, PlateCorrection, faded
from edge.store.stays import SESSION_COLUMNS, read_session

_NEAR = f"""
WITH found AS (
    SELECT session_id, count(*) AS shared FROM plate_keys WHERE key IN (SELECT value FROM json_each(?))
    GROUP BY session_id ORDER BY shared DESC, session_id DESC LIMIT ?)
SELECT {", ".join(f"s.{one.strip()}" for one in SESSION_COLUMNS.split(","))}
FROM found JOIN sessions AS s USING (session_id) ORDER BY shared DESC, session_id DESC
"""
_CORRECTION = (
    "correction_id, session_id, corrected_at, by, reason, plate_before, plate_after, entered_before, "
    "entered_after, camera, read"
)
_correction_row = attrgetter(*_CORRECTION.split(", "))
_BLOCK = "plate, command_id, blocked_by, blocked_at, until_at, note"
_block_row = attrgetter(*_BLOCK.split(", "))
_LEARN = """
INSERT INTO plate_confusions (camera, true, read, count, changed_at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (camera, true, read) DO UPDATE SET count = excluded.count, changed_at = excluded.changed_at
"""


class PlateTable:
    """Implements plate_records.Plates."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def near(self, plate: str, limit: int) -> tuple[Session, ...]:
        """Return stays inside whose plates are near, those that share most keys first."""
        keys = json.dumps(lookup_keys(plate))
        return tuple(read_session(row) for row in self._connection.execute(_NEAR, (keys, limit)).fetchall())

    def count_inside(self) -> int:
        """Return how many stays with a plate are inside."""
        return int(self._connection.execute("SELECT count(*) FROM plates_inside").fetchone()[0])

    def confusions(self, camera: str, at: int) -> Confusions:
        """Return what corrections have taught of a camera by `at`."""
        rows = self._connection.execute(
            "SELECT true, read, count, changed_at FROM plate_confusions WHERE camera = ?", (camera,)
        )
        return learned({(true, read): faded(count, at - since) for true, read, count, since in rows})

    def learn(self, camera: str, true: str, read: str, at: int) -> None:
        """Note that a camera read `read` where `true` was."""
        count = self.confusions(camera, at).counts.get((true, read), 0.0)
        self._connection.execute(_LEARN, (camera, true, read, min(count + 1, MAX_COUNT), at))

    def put_correction(self, correction: PlateCorrection) -> None:
        """Write a correction."""
        places = ", ".join("?" * 11)
        self._connection.execute(
            f"INSERT INTO plate_corrections ({_CORRECTION}) VALUES ({places})", _correction_row(correction)
        )

    def corrections(self, limit: int) -> tuple[PlateCorrection, ...]:
        """Return corrections, newest first."""
        select = f"SELECT {_CORRECTION} FROM plate_corrections ORDER BY correction_id DESC LIMIT ?"
        return tuple(PlateCorrection(*row) for row in self._connection.execute(select, (limit,)))

    def corrections_of(self, session_id: str) -> tuple[PlateCorrection, ...]:
        """Return the corrections of a stay, oldest first."""
        select = f"SELECT {_CORRECTION} FROM plate_corrections WHERE session_id = ? ORDER BY correction_id"
        return tuple(PlateCorrection(*row) for row in self._connection.execute(select, (session_id,)))

    def block(self, block: PlateBlock) -> None:
        """Write a block."""
        self._connection.execute(
            f"INSERT OR REPLACE INTO plate_blocks ({_BLOCK}) VALUES (?, ?, ?, ?, ?, ?)", _block_row(block)
        )

    def block_of(self, plate: str) -> PlateBlock | None:
        """Return the block of exactly that plate."""
        select = f"SELECT {_BLOCK} FROM plate_blocks WHERE plate = ?"
        row = self._connection.execute(select, (plate,)).fetchone()
        return None if row is None else PlateBlock(*row)

    def blocks(self, limit: int) -> tuple[PlateBlock, ...]:
        """Return blocks, newest first."""
        select = f"SELECT {_BLOCK} FROM plate_blocks ORDER BY blocked_at DESC, plate LIMIT ?"
        return tuple(PlateBlock(*row) for row in self._connection.execute(select, (limit,)))

    def clear_blocks(self) -> int:
        """Delete all blocks; return how many there were."""
        return self._connection.execute("DELETE FROM plate_blocks").rowcount
