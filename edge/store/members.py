"""Members: look-ups by id, card, phone and plate, and how a million of them come in.

Rows are versions, as those of the catalogue (schema/0002.sql): each carries the number of the import that
wrote it and is seen once that number is active. An import writes only what differs, in order of member_id.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from edge.errors import Invalid
from edge.members.member_snapshot import Member
from edge.services.member_records import MemberChange, MemberImport, MemberKey, key_hash, keys_of

#: Members that one look-up returns.
MAX_FOUND = 10

_MEMBER = "m.member_id, m.card, m.tier, m.points, m.points_at, m.phone_hmac, m.phone_tail, m.plate_hmacs"
# The plus keeps SQLite from building an index of all members over `removed` for each stretch.
_SEEN = """
m.import_no = (SELECT max(v.import_no) FROM members AS v
               WHERE v.member_id = m.member_id AND v.import_no <= h.active) AND +m.removed = 0
"""
_GET = f"SELECT {_MEMBER} FROM member_head AS h CROSS JOIN members AS m ON m.member_id = ? WHERE {_SEEN}"
_BY_KEY = f"""
SELECT {_MEMBER}
FROM member_head AS h
CROSS JOIN member_keys AS k ON k.hash = ?
CROSS JOIN members AS m ON m.member_id = k.member_id
WHERE {_SEEN} ORDER BY m.member_id
"""
_STRETCH = f"""
SELECT {_MEMBER}, m.row_id
FROM member_head AS h
CROSS JOIN members AS m ON m.member_id > :after AND m.member_id <= coalesce(:last, char(1114111))
WHERE {_SEEN}
"""
_PUT = """
INSERT INTO members (member_id, card, tier, points, points_at, phone_hmac, phone_tail, plate_hmacs,
                     import_no, removed, new_keys)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_BEGIN = """
UPDATE member_head SET last_import = last_import + 1, importing = last_import + 1, token = ?, after_id = '',
    first_row = 1 + (SELECT coalesce(max(row_id), 0) FROM members), added = 0, changed = 0, removed = 0
"""
_STAGED = """
UPDATE member_head SET after_id = ?, added = added + ?, changed = changed + ?, removed = removed + ?
"""
_ROWS = f"""
SELECT {_MEMBER}, m.row_id FROM members AS m
WHERE m.row_id >= ? AND m.import_no = ? AND m.new_keys = 1 ORDER BY m.row_id LIMIT ?
"""
_PUT_KEY = """
INSERT OR IGNORE INTO member_keys (hash, member_id) SELECT ?, member_id FROM members WHERE row_id = ?
"""
_FINISH = """
UPDATE member_head SET active = importing, importing = NULL, token = '', members = members + added - removed,
    first_row = 1 + (SELECT coalesce(max(row_id), 0) FROM members)
"""
# Rows of an import that was ended lie at the end of the table; what it would have replaced is seen still.
_ABANDONED = f"""
SELECT {_MEMBER}, m.row_id FROM members AS m
WHERE m.row_id >= (SELECT first_row FROM member_head) ORDER BY m.row_id LIMIT ?
"""
_SPARED = "DELETE FROM member_trash WHERE row_id IN (SELECT row_id FROM member_trash LIMIT ?)"
_REPLACED = f"""
SELECT {_MEMBER}, m.row_id FROM member_trash AS t CROSS JOIN members AS m ON m.row_id = t.row_id
ORDER BY t.row_id LIMIT ?
"""

_Row = tuple[str, str, str, int, int, bytes, str, bytes]


class MemberTable:
    """Implements member_records.Members."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.intake = MemberIntakeTable(connection)

    def get(self, member_id: str) -> Member | None:
        """Return a member."""
        row = self._connection.execute(_GET, (member_id,)).fetchone()
        return None if row is None else _member(row)

    def by_key(self, kind: MemberKey, value: str) -> tuple[Member, ...]:
        """Return the members with that card, phone_hmac or plate_hmac, by member_id, 10 at most."""
        rows = self._connection.execute(_BY_KEY, (key_hash(kind, value),))
        found = [member for member in map(_member, rows) if (kind, value) in keys_of(member)]
        return tuple(found[:MAX_FOUND])

    def count(self) -> int:
        """Return how many members there are, without counting them."""
        return int(self._connection.execute("SELECT members FROM member_head").fetchone()[0])


class MemberIntakeTable:
    """Implements member_records.MemberIntake."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def end_other(self, token: str) -> None:
        """End an import under way that has another token; what it staged is for `tidy`."""
        self._connection.execute(
            "UPDATE member_head SET importing = NULL, token = '' WHERE importing IS NOT NULL AND token <> ?",
            (token,),
        )

    def begin(self, token: str) -> MemberImport:
        """Start or go on with an import."""
        present = self._connection.execute("SELECT importing, token FROM member_head").fetchone()
        if present[0] is not None and present[1] != token:
            raise Invalid("another import of members is under way; end it first")
        if present[0] is None:
            self._connection.execute(_BEGIN, (token,))
        row = self._connection.execute("SELECT importing, after_id, first_row FROM member_head").fetchone()
        return MemberImport(*row)

    def stage(self, number: int, after: str, members: Sequence[Member], last: str | None) -> MemberChange:
        """Write, unseen, that from above `after` to `last` there are these members alone."""
        self._require_present(number)
        found = self._connection.execute(_STRETCH, {"after": after, "last": last})
        seen = {row[0]: row for row in found}
        rows = {member.member_id: _row(member) for member in members}
        new = [row for member_id, row in rows.items() if seen.get(member_id, ())[:8] != row]
        gone = [row for member_id, row in seen.items() if member_id not in rows]
        added = sum(row[0] not in seen for row in new)
        change = MemberChange(added, len(new) - added, len(gone))
        if not new and not gone:
            return change
        rows_put = ((*row, number, 0, _has_new_keys(row, seen.get(row[0]))) for row in new)
        self._connection.executemany(_PUT, rows_put)
        self._bury(number, [seen[row[0]][8] for row in new if row[0] in seen])
        self._remove(number, gone)
        place = last or max(row[0] for row in (*new, *gone))
        self._connection.execute(_STAGED, (place, change.added, change.changed, change.removed))
        return change

    def rows(self, number: int, from_row: int, limit: int) -> tuple[tuple[int, tuple[int, ...]], ...]:
        """Return (row, its `key_hash`es) of an import in order, from a row on."""
        rows = self._connection.execute(_ROWS, (from_row, number, limit))
        return tuple((row[8], _hashes(row)) for row in rows)

    def put_keys(self, number: int, keys: Sequence[tuple[int, int]]) -> None:
        """Write (hash, row), unseen; what is there stays."""
        self._require_present(number)
        self._connection.executemany(_PUT_KEY, keys)

    def finish(self, number: int) -> MemberChange:
        """Show everything that was staged; return what the whole import changed."""
        self._require_present(number)
        counts = self._connection.execute("SELECT added, changed, removed FROM member_head").fetchone()
        self._connection.execute(_FINISH)
        return MemberChange(*counts)

    def tidy(self, limit: int) -> bool:
        """Delete up to `limit` rows that nobody can see any more; return whether there may be others."""
        importing, active = self._connection.execute("SELECT importing, active FROM member_head").fetchone()
        trash = self._connection.execute("SELECT import_no FROM member_trash LIMIT 1").fetchone()
        if importing is not None:
            return False
        if trash is not None and trash[0] > active:
            self._connection.execute(_SPARED, (limit,))
            return True
        for query in (_ABANDONED, _REPLACED):
            rows = self._connection.execute(query, (limit,)).fetchall()
            if rows:
                self._delete(rows)
                return True
        return False

    def _remove(self, number: int, gone: Sequence[tuple[object, ...]]) -> None:
        """Write that members are no longer there; the row that says so goes with the row that it hides."""
        for row in gone:
            values = (row[0], "", "", 0, 0, b"", "", b"", number, 1, 0)
            written = self._connection.execute(_PUT, values).lastrowid
            self._bury(number, [row[8], written])

    def _bury(self, number: int, rows: Sequence[object]) -> None:
        self._connection.executemany(
            "INSERT OR REPLACE INTO member_trash (row_id, import_no) VALUES (?, ?)",
            ((row, number) for row in rows),
        )

    def _delete(self, rows: Sequence[tuple[object, ...]]) -> None:
        for table in ("members", "member_trash"):
            self._connection.executemany(f"DELETE FROM {table} WHERE row_id = ?", ((row[8],) for row in rows))
        keys = []
        for row in rows:
            kept = self._connection.execute(_GET, (row[0],)).fetchone()
            stays = frozenset() if kept is None else frozenset(_hashes(kept))
            keys += [(one, row[0]) for one in _hashes(row) if one not in stays]
        self._connection.executemany("DELETE FROM member_keys WHERE hash = ? AND member_id = ?", keys)

    def _require_present(self, number: int) -> None:
        present = self._connection.execute("SELECT importing FROM member_head").fetchone()[0]
        if present != number:
            raise Invalid(f"member import {number} was ended by a newer one; start it again if still wanted")


def _row(member: Member) -> _Row:
    m = member
    phone, plates = bytes.fromhex(m.phone_hmac), bytes.fromhex("".join(m.plate_hmacs))
    return m.member_id, m.card, m.tier, m.points, m.points_at, phone, m.phone_tail, plates


def _has_new_keys(row: _Row, old: Sequence[object] | None) -> bool:
    wanted = (1, 5, 7)
    return old is None or any(row[place] != old[place] and row[place] for place in wanted)


def _member(row: Sequence[object]) -> Member:
    member_id, card, tier, points, points_at, phone, tail, plates = row[:8]
    hexes = plates.hex()  # type: ignore[attr-defined]  # the table is STRICT: BLOB
    listed = tuple(hexes[at : at + 32] for at in range(0, len(hexes), 32))
    hmac = phone.hex()  # type: ignore[attr-defined]
    return Member(member_id, card, tier, points, points_at, hmac, tail, listed)  # type: ignore[arg-type]


def _hashes(row: Sequence[object]) -> tuple[int, ...]:
    return tuple(key_hash(kind, value) for kind, value in keys_of(_member(row)))
