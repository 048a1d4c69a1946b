"""Lists of plates, staged and shown by one number."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from edge.errors import Invalid
from edge.parking.plate_list import DayKind, PlateEntry, PlateListKind

_ENTRY = "plate, kind, plate_class, valid_from, valid_to, days, from_min, to_min, note"
_ACTIVE = "set_no = (SELECT active FROM plate_list_head)"
_PUT_ENTRY = f"INSERT INTO plate_list_entries (set_no, place, {_ENTRY}) VALUES ({', '.join('?' * 11)})"
_ALL = f"""
SELECT {_ENTRY} FROM plate_list_entries WHERE {_ACTIVE} AND plate > :after AND plate <= coalesce(
    (SELECT plate FROM plate_list_entries WHERE {_ACTIVE} AND plate > :after
     ORDER BY plate, place LIMIT 1 OFFSET :limit - 1), char(1114111))
ORDER BY plate, place
"""
_TIDY = """
DELETE FROM plate_list_entries WHERE (set_no, plate, place) IN (
    SELECT set_no, plate, place FROM plate_list_entries WHERE set_no <> (SELECT active FROM plate_list_head)
      AND set_no IS NOT (SELECT importing FROM plate_list_head) LIMIT ?)
"""


class PlateListTable:
    """Implements list_records.PlateLists."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def find(self, plate: str) -> tuple[PlateEntry, ...]:
        """Return what the lists in force say of a plate, in their order."""
        query = f"SELECT {_ENTRY} FROM plate_list_entries WHERE {_ACTIVE} AND plate = ? ORDER BY place"
        return tuple(_entry(row) for row in self._connection.execute(query, (plate,)))

    def all(self, after: str, limit: int) -> tuple[PlateEntry, ...]:
        """Return entries in force by plate, of plates above `after`."""
        rows = self._connection.execute(_ALL, {"after": after, "limit": limit})
        return tuple(_entry(row) for row in rows)

    def count(self) -> int:
        """Return how many entries are in force."""
        return int(self._connection.execute("SELECT entries FROM plate_list_head").fetchone()[0])

    def begin(self) -> int:
        """Start a new set and end any other that is under way; return its number."""
        self._connection.execute(
            "UPDATE plate_list_head SET last_set = last_set + 1, importing = last_set + 1"
        )
        return int(self._connection.execute("SELECT importing FROM plate_list_head").fetchone()[0])

    def stage(self, number: int, first: int, entries: Sequence[PlateEntry]) -> None:
        """Write entries, unseen."""
        self._require_present(number)
        rows = ((number, first + place, *_entry_row(entry)) for place, entry in enumerate(entries))
        self._connection.executemany(_PUT_ENTRY, rows)

    def finish(self, number: int, entries: int) -> None:
        """Show the set that was staged in place of the one before."""
        self._require_present(number)
        self._connection.execute(
            "UPDATE plate_list_head SET active = importing, importing = NULL, entries = ?", (entries,)
        )

    def tidy(self, limit: int) -> bool:
        """Delete up to `limit` entries of other sets; return whether there may be more."""
        return self._connection.execute(_TIDY, (limit,)).rowcount == limit

    def _require_present(self, number: int) -> None:
        present = self._connection.execute("SELECT importing FROM plate_list_head").fetchone()[0]
        if present != number:
            raise Invalid(f"set {number} of plates was ended by a newer one; start it again if still wanted")


def _entry_row(e: PlateEntry) -> tuple[str | int, ...]:
    window = (e.days.value, e.from_min, e.to_min)
    return e.plate, e.kind.value, e.plate_class, e.valid_from, e.valid_to, *window, e.note


def _entry(row: tuple[str, str, str, int, int, str, int, int, str]) -> PlateEntry:
    plate, kind, plate_class, valid_from, valid_to, days, *rest = row
    return PlateEntry(plate, PlateListKind(kind), plate_class, valid_from, valid_to, DayKind(days), *rest)  # type: ignore[arg-type]
