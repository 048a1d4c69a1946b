"""Sessions of phones, the orders that they pay, and what WeChat is to be told."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import Any

from edge.services.phone_records import (
    MAX_KEYS,
    MAX_SESSIONS_OF_ONE,
    NoticeKind,
    PhoneNotice,
    PhoneSession,
)

#: Rows that one call of `tidy` deletes at most.
MOST_TIDIED = 1_000

_SESSION = (
    "session_id, token_hash, language, created_at, seen_at, openid, unionid, correlation, scene,"
    " basket_id, order_id"
)
_PUT = f"""
INSERT INTO phone_sessions ({_SESSION}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (session_id) DO UPDATE SET
    token_hash = excluded.token_hash, language = excluded.language, seen_at = excluded.seen_at,
    openid = excluded.openid, unionid = excluded.unionid, correlation = excluded.correlation,
    scene = excluded.scene, basket_id = excluded.basket_id, order_id = excluded.order_id
"""
_PUT_ORDER = """
INSERT INTO phone_orders (order_id, session_id, openid, at) VALUES (?, ?, ?, ?)
ON CONFLICT (order_id, session_id) DO UPDATE SET openid = excluded.openid
"""
_LAST_OF_ORDER = f"""
SELECT {", ".join(f"s.{name}" for name in _SESSION.split(", "))} FROM phone_orders o
JOIN phone_sessions s USING (session_id) WHERE o.order_id = ? ORDER BY o.at DESC, session_id DESC LIMIT 1
"""
_HAS_ORDER = """
SELECT 1 FROM phone_orders WHERE order_id = ? AND (session_id = ? OR (openid <> '' AND openid = ?)) LIMIT 1
"""
_OLD_KEYS = """
DELETE FROM phone_keys WHERE session_id = ? AND key IN
    (SELECT key FROM phone_keys WHERE session_id = ? ORDER BY at DESC, key DESC LIMIT -1 OFFSET ?)
"""
_OTHERS = """
SELECT session_id FROM phone_sessions WHERE openid = ? AND session_id <> ?
ORDER BY seen_at DESC, session_id DESC LIMIT -1 OFFSET ?
"""
_UNSEEN = "SELECT session_id FROM phone_sessions WHERE seen_at < ? ORDER BY seen_at LIMIT ?"
_FORGET_ORDERS = """
DELETE FROM phone_orders WHERE (order_id, session_id) IN
    (SELECT order_id, session_id FROM phone_orders WHERE at < ?
     AND session_id NOT IN (SELECT session_id FROM phone_sessions) LIMIT ?)
"""
_SURPLUS = "SELECT session_id FROM phone_sessions ORDER BY seen_at LIMIT ?"

_NOTICE = (
    "notice_id, kind, order_id, reference, openid, text, at, next_at, page, tries, why, done_at, refused"
)
_PUT_NOTICE = f"""
INSERT INTO phone_notices ({_NOTICE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (notice_id) DO UPDATE SET
    next_at = excluded.next_at, tries = excluded.tries, why = excluded.why, done_at = excluded.done_at,
    refused = excluded.refused
"""
_DUE = f"""
SELECT {_NOTICE} FROM phone_notices WHERE done_at IS NULL AND refused = 0
    AND (next_at <= ? OR next_at > ?)
ORDER BY next_at, notice_id LIMIT ?
"""
_TIDY_NOTICES = """
DELETE FROM phone_notices WHERE notice_id IN
    (SELECT notice_id FROM phone_notices WHERE at < ? AND (done_at IS NOT NULL OR refused = 1) LIMIT ?)
"""


class PhoneTable:
    """Implements phone_records.Phones."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, session_id: str) -> PhoneSession | None:
        """Return a session."""
        return self._one("session_id = ?", session_id)

    def by_token_hash(self, token_hash: str) -> PhoneSession | None:
        """Return the session of a token."""
        return self._one("token_hash = ?", token_hash)

    def put(self, session: PhoneSession) -> None:
        """Write a session, and remember its order; the openid's surplus sessions end."""
        one = session
        row = (
            *(one.session_id, one.token_hash, one.language, one.created_at, one.seen_at, one.openid),
            *(one.unionid, one.correlation, one.scene, one.basket_id, one.order_id),
        )
        self._connection.execute(_PUT, row)
        if one.order_id is not None:
            self._connection.execute(_PUT_ORDER, (one.order_id, one.session_id, one.openid, one.seen_at))
        if one.openid:
            asked = (one.openid, one.session_id, MAX_SESSIONS_OF_ONE - 1)
            for (surplus,) in self._connection.execute(_OTHERS, asked).fetchall():
                self.end(surplus)

    def by_order(self, order_id: str) -> PhoneSession | None:
        """Return the session that is busy with an order, else the one that had it last."""
        busy = self._one("order_id = ?", order_id)
        if busy is not None:
            return busy
        row = self._connection.execute(_LAST_OF_ORDER, (order_id,)).fetchone()
        return None if row is None else PhoneSession(*row)

    def by_basket(self, basket_id: str) -> PhoneSession | None:
        """Return the session that is busy with a basket."""
        return self._one("basket_id = ?", basket_id)

    def has_order(self, session: PhoneSession, order_id: str) -> bool:
        """Return whether it pays or paid an order, by itself or by another session of the same openid."""
        asked = (order_id, session.session_id, session.openid)
        return self._connection.execute(_HAS_ORDER, asked).fetchone() is not None

    def count(self) -> tuple[int, int]:
        """Return how many sessions there are, and how many of them are signed in."""
        known, signed_in = self._connection.execute(
            "SELECT count(*), count(*) FILTER (WHERE openid <> '') FROM phone_sessions"
        ).fetchone()
        return known, signed_in

    def busy(self, before: int, limit: int) -> tuple[PhoneSession, ...]:
        """Return sessions that are busy with an order and were last seen before a moment."""
        rows = self._connection.execute(
            f"SELECT {_SESSION} FROM phone_sessions WHERE order_id IS NOT NULL AND seen_at < ?"
            " ORDER BY seen_at, session_id LIMIT ?",
            (before, limit),
        )
        return tuple(PhoneSession(*row) for row in rows)

    def first_time(self, session_id: str, key: str, at: int) -> bool:
        """Note the key of a tap; return whether it is new."""
        added = self._connection.execute(
            "INSERT INTO phone_keys (session_id, key, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (session_id, key, at),
        ).rowcount
        if added:
            self._connection.execute(_OLD_KEYS, (session_id, session_id, MAX_KEYS))
        return bool(added)

    def end(self, session_id: str) -> None:
        """Delete a session with what belongs to it; whose its orders are stays known by the openid."""
        self._connection.execute("DELETE FROM phone_sessions WHERE session_id = ?", (session_id,))
        self._connection.execute(
            "DELETE FROM phone_orders WHERE session_id = ? AND openid = ''", (session_id,)
        )

    def forget_openid(self, openid: str) -> None:
        """Delete all sessions of an openid and take it out of what was told."""
        for statement in (
            "DELETE FROM phone_sessions WHERE openid = ?",
            "DELETE FROM phone_orders WHERE openid = ?",
            "DELETE FROM phone_notices WHERE openid = ?",
        ):
            self._connection.execute(statement, (openid,))

    def tidy(self, before: int, most: int) -> int:
        """Delete sessions last seen before a moment, and above `most` those seen longest ago."""
        gone = self._connection.execute(_UNSEEN, (before, MOST_TIDIED)).fetchall()
        for (session_id,) in gone:
            self.end(session_id)
        count = self._connection.execute("SELECT count(*) FROM phone_sessions").fetchone()[0]
        surplus: int = min(max(count - most, 0), MOST_TIDIED - len(gone))
        for (session_id,) in self._connection.execute(_SURPLUS, (surplus,)).fetchall():
            self.end(session_id)
        self._connection.execute(_FORGET_ORDERS, (before, MOST_TIDIED))
        return len(gone) + surplus

    def accept(self, order_id: str, template_id: str, at: int) -> bool:
        """Note that the shopper wants one message of a template about an order."""
        added = self._connection.execute(
            "INSERT INTO phone_accepts (order_id, template_id, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (order_id, template_id, at),
        )
        return bool(added.rowcount)

    def accepted(self, order_id: str) -> tuple[str, ...]:
        """Return the templates of which the shopper wants a message about an order."""
        rows = self._connection.execute(
            "SELECT template_id FROM phone_accepts WHERE order_id = ? ORDER BY template_id", (order_id,)
        )
        return tuple(row[0] for row in rows)

    def _one(self, where: str, value: str) -> PhoneSession | None:
        row = self._connection.execute(
            f"SELECT {_SESSION} FROM phone_sessions WHERE {where} ORDER BY seen_at DESC LIMIT 1", (value,)
        ).fetchone()
        return None if row is None else PhoneSession(*row)


class PhoneNoticeTable:
    """Implements phone_records.PhoneNotices."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, notice_id: str) -> PhoneNotice | None:
        """Return a notice."""
        return self._one("notice_id = ?", (notice_id,))

    def put(self, notice: PhoneNotice) -> None:
        """Write a notice."""
        one = notice
        row = (
            *(one.notice_id, one.kind.value, one.order_id, one.reference, one.openid, one.text, one.at),
            *(one.next_at, one.page, one.tries, one.why, one.done_at, int(one.refused)),
        )
        self._connection.execute(_PUT_NOTICE, row)

    def find(self, kind: NoticeKind, order_id: str, reference: str) -> PhoneNotice | None:
        """Return the notice of an order about something."""
        return self._one("kind = ? AND order_id = ? AND reference = ?", (kind.value, order_id, reference))

    def due(self, at: int, far_at: int, limit: int) -> tuple[PhoneNotice, ...]:
        """Return what is to be told by now, or only after far_at; the one planned first first."""
        return tuple(_notice(row) for row in self._connection.execute(_DUE, (at, far_at, limit)))

    def undone(self, limit: int) -> tuple[PhoneNotice, ...]:
        """Return what waits and what was refused, what happened last first."""
        rows = self._connection.execute(
            f"SELECT {_NOTICE} FROM phone_notices WHERE done_at IS NULL"
            " ORDER BY at DESC, notice_id DESC LIMIT ?",
            (limit,),
        )
        return tuple(_notice(row) for row in rows)

    def waiting(self) -> tuple[int, int]:
        """Return how many wait, and how many were refused."""
        waits, refused = self._connection.execute(
            "SELECT count(*) FILTER (WHERE done_at IS NULL AND refused = 0),"
            " count(*) FILTER (WHERE refused = 1) FROM phone_notices"
        ).fetchone()
        return waits, refused

    def tidy(self, before: int) -> int:
        """Delete notices that were done or refused and happened before a moment."""
        self._connection.execute(
            "DELETE FROM phone_accepts WHERE (order_id, template_id) IN"
            " (SELECT order_id, template_id FROM phone_accepts WHERE at < ? LIMIT ?)",
            (before, MOST_TIDIED),
        )
        gone = self._connection.execute(_TIDY_NOTICES, (before, MOST_TIDIED))
        return int(gone.rowcount)

    def _one(self, where: str, values: tuple[str, ...]) -> PhoneNotice | None:
        row = self._connection.execute(
            f"SELECT {_NOTICE} FROM phone_notices WHERE {where}", values
        ).fetchone()
        return None if row is None else _notice(row)


def _notice(row: tuple[Any, ...]) -> PhoneNotice:
    one = PhoneNotice(row[0], NoticeKind(row[1]), *row[2:8])
    page, tries, why, done_at, refused = row[8:]
    return replace(one, page=page, tries=tries, why=why, done_at=done_at, refused=bool(refused))
