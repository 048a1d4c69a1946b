"""What names a member outside of the members' own tables; docs/security/personal-data.md lists it."""

from __future__ import annotations

import json
import sqlite3

from edge.services.member_records import key_hash, keys_of
from edge.services.trace_records import Erasure, Handing
from edge.store.members import MemberTable

_OF_GONE = "WHERE member_id <> '' AND member_id = :gone"
_OF_MEMBER = "WHERE member_id <> '' AND member_id = :member"
#: Of both members' purchases the first and the last count; guide and tenant are those of the later.
_LIVES = """
INSERT INTO member_lives (member_id, purchases, first_at, last_at, last_order, guide, tenant_id)
SELECT :into, purchases, first_at, last_at, last_order, guide, tenant_id FROM member_lives
WHERE member_id = :gone
ON CONFLICT (member_id) DO UPDATE SET
    purchases = purchases + excluded.purchases, first_at = min(first_at, excluded.first_at),
    last_order = iif(excluded.last_at > last_at, excluded.last_order, last_order),
    guide = iif(excluded.last_at > last_at, excluded.guide, guide),
    tenant_id = iif(excluded.last_at > last_at, excluded.tenant_id, tenant_id),
    last_at = max(last_at, excluded.last_at)
"""
_HAND_OVER = (
    f"UPDATE journeys SET member_id = :into {_OF_GONE}",
    f"UPDATE conversions SET member_id = :into {_OF_GONE}",
    f"UPDATE attributions SET member_id = :into {_OF_GONE}",
    _LIVES,
    "DELETE FROM member_lives WHERE member_id = :gone",
    "UPDATE OR IGNORE guide_tasks SET member_id = :into WHERE member_id = :gone",
    "DELETE FROM guide_tasks WHERE member_id = :gone",
    f"UPDATE parking_claims SET member_id = :into {_OF_GONE}",
    "UPDATE parking_purchases SET member_id = :into,"
    f" shopper = iif(shopper = 'member:' || :gone, 'member:' || :into, shopper) {_OF_GONE}",
    "UPDATE validations SET member_id = :into,"
    f" shopper = iif(shopper = 'member:' || :gone, 'member:' || :into, shopper) {_OF_GONE}",
    f"UPDATE tickets SET member_id = :into {_OF_GONE}",
    "UPDATE landing_shown SET shopper = :into_seen WHERE shopper = :gone_seen",
)
_PAYS = """
SELECT 1 FROM attempts
WHERE state IN ('intended', 'submitted', 'unknown') AND (payer = :value OR openid = :value) LIMIT 1
"""
_PLATES_OF = f"""
SELECT plate FROM parking_claims {_OF_MEMBER} AND plate <> ''
UNION SELECT plate FROM parking_purchases {_OF_MEMBER} AND plate <> ''
UNION SELECT plate FROM validations {_OF_MEMBER} AND plate <> '' ORDER BY plate
"""
_PAST_PLATES = """
SELECT DISTINCT plate FROM sessions WHERE plate > ? AND plate NOT IN
    (SELECT plate FROM sessions WHERE state = 'inside') ORDER BY plate LIMIT ?
"""
#: The stay inside takes over what waits for its plate; the member's books lose whose they were.
_ERASE = (
    "UPDATE validations SET session_id = coalesce((SELECT session_id FROM sessions AS s"
    " WHERE s.plate = validations.plate AND s.state = 'inside' ORDER BY entered_at DESC LIMIT 1), session_id)"
    " WHERE member_id = :member AND state = 'granted' AND session_id = '' AND plate <> ''",
    f"UPDATE journeys SET member_id = '' {_OF_MEMBER}",
    f"UPDATE conversions SET member_id = '' {_OF_MEMBER}",
    f"UPDATE attributions SET member_id = '' {_OF_MEMBER}",
    "DELETE FROM member_lives WHERE member_id = :member",
    "DELETE FROM guide_tasks WHERE member_id = :member AND closed_at IS NULL",
    "UPDATE guide_tasks SET member_id = '', note = '' WHERE member_id = :member",
    f"UPDATE tickets SET member_id = '' {_OF_MEMBER}",
    f"DELETE FROM parking_claims {_OF_MEMBER} AND NOT EXISTS"
    " (SELECT 1 FROM orders AS o WHERE o.basket_id = parking_claims.basket_id)",
)
_RENAME = (
    f"UPDATE parking_claims SET plate = :alias {_OF_MEMBER} AND plate = :plate",
    "UPDATE parking_purchases SET plate = :alias, shopper = iif(shopper = 'plate:' || :plate,"
    f" 'plate:' || :alias, shopper) {_OF_MEMBER} AND plate = :plate",
    "UPDATE validations SET plate = :alias, shopper = iif(shopper = 'plate:' || :plate,"
    f" 'plate:' || :alias, shopper) {_OF_MEMBER} AND plate = :plate",
)
_UNNAME = (
    f"UPDATE parking_claims SET member_id = '' {_OF_MEMBER} AND plate <> ''",
    f"UPDATE parking_purchases SET member_id = '' {_OF_MEMBER} AND plate <> ''",
    f"UPDATE validations SET member_id = '' {_OF_MEMBER} AND plate <> ''",
)
#: Of a car that is not inside: its past stays, with what was read and paid for them.
_PAST = (
    "UPDATE basket_lines SET name = replace(name, :plate, '·'), name_en = replace(name_en, :plate, '·')"
    " WHERE basket_id IN (SELECT basket_id FROM orders WHERE order_id IN (SELECT order_id FROM stay_charges"
    " WHERE session_id IN (SELECT session_id FROM sessions WHERE plate = :plate)))",
    "UPDATE order_lines SET name = replace(name, :plate, '·'), name_en = replace(name_en, :plate, '·')"
    " WHERE order_id IN (SELECT order_id FROM stay_charges WHERE session_id IN"
    " (SELECT session_id FROM sessions WHERE plate = :plate))",
    "UPDATE papers SET blocks = replace(blocks, :plate, '·') WHERE reference IN"
    " (SELECT order_id FROM stay_charges WHERE session_id IN"
    " (SELECT session_id FROM sessions WHERE plate = :plate))",
    "UPDATE passages SET plate = '', body = replace(replace(body, :plate, ''), :escaped, '')"
    " WHERE plate = :plate AND state = 'closed'",
    "UPDATE plate_corrections SET plate_before = replace(plate_before, :plate, ''),"
    " plate_after = replace(plate_after, :plate, ''), read = replace(read, :plate, '')"
    " WHERE session_id IN (SELECT session_id FROM sessions WHERE plate = :plate)",
    "UPDATE plate_reads SET plate = '' WHERE plate = :plate",
    "UPDATE debts SET plate = '' WHERE plate = :plate AND state <> 'open'",
    "UPDATE reservations SET plate = '·' WHERE plate = :plate AND state <> 'booked'",
    "UPDATE sessions SET plate = '' WHERE plate = :plate",
)
_INSIDE = "SELECT 1 FROM sessions WHERE plate = ? AND state = 'inside' LIMIT 1"
_FORGET = (
    "UPDATE attempts SET payer = NULL WHERE payer = :value",
    "UPDATE attempts SET openid = '' WHERE openid <> '' AND openid = :value",
    "DELETE FROM circle_notices WHERE openid = :value",
    "UPDATE scans SET text = '', raw = x'' WHERE text = :value",
)
_FORGET_SEEN = "UPDATE landing_shown SET shopper = order_id WHERE shopper = ?"
_BLANK_TOLD = """
UPDATE members SET card = '', tier = '', phone_hmac = x'', phone_tail = '', plate_hmacs = x''
WHERE member_id = ?
"""


class TraceTable:
    """Implements trace_records.Traces."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def hand_over(self, handing: Handing) -> None:
        """Make one member's traces another's."""
        one = handing
        values = {
            "gone": one.gone,
            "into": one.into,
            "gone_seen": one.gone_seen,
            "into_seen": one.into_seen,
        }
        self._run(_HAND_OVER, values)

    def pays(self, identities: tuple[str, ...]) -> bool:
        """Return whether money of one of these payers may still move."""
        return any(self._connection.execute(_PAYS, {"value": one}).fetchone() for one in identities)

    def plates_of(self, member_id: str) -> tuple[str, ...]:
        """Return the plates that a member's purchases were counted for."""
        return tuple(row[0] for row in self._connection.execute(_PLATES_OF, {"member": member_id}))

    def past_plates(self, after: str, limit: int) -> tuple[str, ...]:
        """Return the plates of stays that are over and of no car inside."""
        return tuple(row[0] for row in self._connection.execute(_PAST_PLATES, (after, limit)))

    def erase(self, erasure: Erasure) -> None:
        """Remove names, openids, cards and plates."""
        one = erasure
        self._run(_ERASE, {"member": one.member_id})
        for seen in one.seen:
            self._connection.execute(_FORGET_SEEN, (seen,))
        counted = self.plates_of(one.member_id)
        for place, plate in enumerate(counted):
            alias = f"{one.alias}{place}"
            self._run(_RENAME, {"member": one.member_id, "plate": plate, "alias": alias})
        self._run(_UNNAME, {"member": one.member_id})
        for plate in one.plates:
            if self._connection.execute(_INSIDE, (plate,)).fetchone() is None:
                self._run(_PAST, {"plate": plate, "escaped": json.dumps(plate)[1:-1]})
        for value in one.identities:
            self._run(_FORGET, {"value": value})
        self._forget_told(one.member_id)

    def _forget_told(self, member_id: str) -> None:
        """Blank what HQ's snapshot told; its next one tells it again, unless HQ has erased it too."""
        told = MemberTable(self._connection).get(member_id)
        if told is not None:
            keys = [(key_hash(kind, value), member_id) for kind, value in keys_of(told)]
            self._connection.executemany("DELETE FROM member_keys WHERE hash = ? AND member_id = ?", keys)
        self._connection.execute(_BLANK_TOLD, (member_id,))

    def _run(self, statements: tuple[str, ...], values: dict[str, str]) -> None:
        for statement in statements:
            self._connection.execute(statement, values)
