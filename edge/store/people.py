"""Members as this box met them: profiles, identities, mergers, consents, plates, and what staff did."""

from __future__ import annotations

import sqlite3
from typing import Any

from edge.errors import Corrupt
from edge.members.consent import Consent, ConsentPurpose
from edge.members.identity import Identity, IdentityKind
from edge.members.member import MemberMerge, MemberNote, MemberProfile, PlateBinding, ProfileState

#: Members that share one plate and are returned.
MAX_FOUND = 10

_PROFILE = "member_id, state, joined_at, seen_at, joined_via, phone_tail, tags, merged_into"
_PUT_PROFILE = f"""
INSERT INTO people ({_PROFILE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (member_id) DO UPDATE SET
    state = excluded.state, joined_at = excluded.joined_at, seen_at = excluded.seen_at,
    joined_via = excluded.joined_via, phone_tail = excluded.phone_tail, tags = excluded.tags,
    merged_into = excluded.merged_into
"""
_CONSENT = "consent_id, member_id, purpose, version, channel, given_at, withdrawn_at"
_PUT_CONSENT = f"""
INSERT INTO consents ({_CONSENT}) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (consent_id) DO UPDATE SET withdrawn_at = excluded.withdrawn_at
"""
_PLATE = "member_id, plate_hmac, masked, consent_version, bound_at, unbound_at"
_PUT_PLATE = f"""
INSERT INTO person_plates ({_PLATE}) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (member_id, plate_hmac) DO UPDATE SET
    masked = excluded.masked, consent_version = excluded.consent_version, bound_at = excluded.bound_at,
    unbound_at = excluded.unbound_at
"""
_MERGE = "absorbed_id, member_id, why, done_by, merged_at"
_NOTE = "note_id, member_id, action, done_by, noted_at, detail"
_THERE = "state IN ('provisional', 'known')"
#: Of a plate that both had bound, the binding of the one who stays is kept.
_MOVE = (
    "UPDATE person_identities SET member_id = :to WHERE member_id = :gone",
    "UPDATE consents SET member_id = :to WHERE member_id = :gone",
    "UPDATE OR IGNORE person_plates SET member_id = :to WHERE member_id = :gone",
    "DELETE FROM person_plates WHERE member_id = :gone",
)


class PeopleTable:
    """Implements people_records.People."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def profile(self, member_id: str) -> MemberProfile | None:
        """Return a profile."""
        found = self._profiles("member_id = ?", (member_id,))
        return found[0] if found else None

    def put_profile(self, profile: MemberProfile) -> None:
        """Write a profile."""
        one = profile
        row = (one.joined_at, one.seen_at, one.joined_via, one.phone_tail, " ".join(one.tags))
        self._connection.execute(_PUT_PROFILE, (one.member_id, one.state.value, *row, one.merged_into))

    def by_identity(self, identity: Identity) -> str:
        """Return whose identity it is."""
        row = self._connection.execute(
            "SELECT member_id FROM person_identities WHERE kind = ? AND value = ?",
            (identity.kind.value, identity.value),
        ).fetchone()
        return row[0] if row else ""

    def put_identity(self, identity: Identity, member_id: str, at: int) -> None:
        """Note whose identity it is."""
        known = self.by_identity(identity)
        if known not in ("", member_id):
            raise Corrupt(f"a {identity.kind} of member {member_id} is member {known}'s; merge them first")
        self._connection.execute(
            "INSERT OR IGNORE INTO person_identities (kind, value, member_id, bound_at) VALUES (?, ?, ?, ?)",
            (identity.kind.value, identity.value, member_id, at),
        )

    def drop_identity(self, identity: Identity) -> None:
        """Delete an identity."""
        self._connection.execute(
            "DELETE FROM person_identities WHERE kind = ? AND value = ?",
            (identity.kind.value, identity.value),
        )

    def identities(self, member_id: str) -> tuple[Identity, ...]:
        """Return a member's identities."""
        rows = self._connection.execute(
            "SELECT kind, value FROM person_identities WHERE member_id = ? ORDER BY kind, value", (member_id,)
        )
        return tuple(Identity(IdentityKind(kind), value) for kind, value in rows)

    def move(self, absorbed_id: str, member_id: str) -> None:
        """Make identities, consents and plates of one member those of another."""
        for statement in _MOVE:
            values = {"to": member_id, "gone": absorbed_id}
            used = values if ":to" in statement else {"gone": absorbed_id}
            self._connection.execute(statement, used)

    def forget(self, member_id: str) -> None:
        """Delete identities and plates of a member."""
        for table in ("person_identities", "person_plates"):
            self._connection.execute(f"DELETE FROM {table} WHERE member_id = ?", (member_id,))

    def put_merge(self, merge: MemberMerge) -> None:
        """Add to the audit of mergers."""
        row = (merge.absorbed_id, merge.member_id, merge.why, merge.by, merge.merged_at)
        self._connection.execute(f"INSERT INTO person_merges ({_MERGE}) VALUES (?, ?, ?, ?, ?)", row)

    def merges(self, member_id: str) -> tuple[MemberMerge, ...]:
        """Return which members one has absorbed."""
        rows = self._connection.execute(
            f"SELECT {_MERGE} FROM person_merges WHERE member_id = ? ORDER BY merged_at, absorbed_id",
            (member_id,),
        )
        return tuple(MemberMerge(*row) for row in rows)

    def consents(self, member_id: str) -> tuple[Consent, ...]:
        """Return all consents of a member."""
        rows = self._connection.execute(
            f"SELECT {_CONSENT} FROM consents WHERE member_id = ? ORDER BY given_at, consent_id", (member_id,)
        )
        return tuple(Consent(row[0], row[1], ConsentPurpose(row[2]), *row[3:]) for row in rows)

    def put_consent(self, consent: Consent) -> None:
        """Write a consent."""
        one = consent
        row = (one.consent_id, one.member_id, one.purpose.value, one.version, one.channel, one.given_at)
        self._connection.execute(_PUT_CONSENT, (*row, one.withdrawn_at))

    def plates(self, member_id: str) -> tuple[PlateBinding, ...]:
        """Return the plates that a member has bound."""
        rows = self._connection.execute(
            f"SELECT {_PLATE} FROM person_plates WHERE member_id = ? AND unbound_at IS NULL"
            " ORDER BY bound_at, plate_hmac",
            (member_id,),
        )
        return tuple(PlateBinding(*row) for row in rows)

    def by_plate(self, plate_hmac: str) -> tuple[str, ...]:
        """Return which members have bound a plate."""
        rows = self._connection.execute(
            "SELECT member_id FROM person_plates WHERE plate_hmac = ? AND unbound_at IS NULL"
            " ORDER BY member_id LIMIT ?",
            (plate_hmac, MAX_FOUND),
        )
        return tuple(row[0] for row in rows)

    def put_plate(self, binding: PlateBinding) -> None:
        """Write a binding."""
        one = binding
        row = (one.member_id, one.plate_hmac, one.masked, one.consent_version, one.bound_at, one.unbound_at)
        self._connection.execute(_PUT_PLATE, row)

    def by_tail(self, phone_tail: str, limit: int) -> tuple[MemberProfile, ...]:
        """Return members by the last digits of their phone."""
        where = f"phone_tail <> '' AND phone_tail = ? AND {_THERE} ORDER BY seen_at DESC, member_id LIMIT ?"
        return self._profiles(where, (phone_tail, limit))

    def unseen_since(self, at: int, limit: int) -> tuple[MemberProfile, ...]:
        """Return members who were last met before a moment."""
        return self._profiles(f"seen_at < ? AND {_THERE} ORDER BY seen_at, member_id LIMIT ?", (at, limit))

    def put_note(self, note: MemberNote) -> None:
        """Add to the audit of what staff did."""
        row = (note.note_id, note.member_id, note.action, note.by, note.at, note.detail)
        self._connection.execute(f"INSERT INTO person_notes ({_NOTE}) VALUES (?, ?, ?, ?, ?, ?)", row)

    def notes(self, member_id: str, limit: int) -> tuple[MemberNote, ...]:
        """Return what staff did with a member's data."""
        rows = self._connection.execute(
            f"SELECT {_NOTE} FROM person_notes WHERE member_id = ?"
            " ORDER BY noted_at DESC, note_id DESC LIMIT ?",
            (member_id, limit),
        )
        return tuple(MemberNote(*row) for row in rows)

    def _profiles(self, where: str, values: tuple[Any, ...]) -> tuple[MemberProfile, ...]:
        rows = self._connection.execute(f"SELECT {_PROFILE} FROM people WHERE {where}", values)
        return tuple(_profile(row) for row in rows)


def _profile(row: tuple[Any, ...]) -> MemberProfile:
    member_id, state, joined_at, seen_at, via, tail, tags, into = row
    own = ProfileState(state)
    return MemberProfile(member_id, own, joined_at, seen_at, via, tail, tuple(tags.split()), into)
