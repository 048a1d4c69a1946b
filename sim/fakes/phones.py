"""Sessions of phones and what WeChat is to be told, in memory, with the rules that the tables enforce."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from edge.errors import Corrupt
from edge.services.phone_records import (
    MAX_KEYS,
    MAX_SESSIONS_OF_ONE,
    NoticeKind,
    PhoneNotice,
    PhoneSession,
)


@dataclass(slots=True)
class PhoneRows:
    """orders: (openid, at) by order and session. keys: when, by session and key. accepts: when, by order."""

    sessions: dict[str, PhoneSession] = field(default_factory=dict)
    orders: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)
    keys: dict[tuple[str, str], int] = field(default_factory=dict)
    accepts: dict[tuple[str, str], int] = field(default_factory=dict)
    notices: dict[str, PhoneNotice] = field(default_factory=dict)

    def copy(self) -> PhoneRows:
        """Return rows that can be changed without changing these."""
        return PhoneRows(
            dict(self.sessions), dict(self.orders), dict(self.keys), dict(self.accepts), dict(self.notices)
        )


class FakePhones:
    """Implements phone_records.Phones."""

    def __init__(self, rows: PhoneRows, writing: Callable[[], None]) -> None:
        self._rows = rows
        self._writing = writing

    def get(self, session_id: str) -> PhoneSession | None:
        """Return a session."""
        return self._rows.sessions.get(session_id)

    def by_token_hash(self, token_hash: str) -> PhoneSession | None:
        """Return the session of a token."""
        return self._newest(lambda one: one.token_hash == token_hash)

    def put(self, session: PhoneSession) -> None:
        """Write a session, and remember its order; the openid's surplus sessions end."""
        self._writing()
        other = self.by_token_hash(session.token_hash)
        if other is not None and other.session_id != session.session_id:
            raise Corrupt(f"the token of session {session.session_id} is that of {other.session_id}")
        known = self._rows.sessions.get(session.session_id, session)
        self._rows.sessions[session.session_id] = replace(session, created_at=known.created_at)
        if session.order_id is not None:
            key = session.order_id, session.session_id
            _, at = self._rows.orders.get(key, ("", session.seen_at))
            self._rows.orders[key] = session.openid, at
        if session.openid:
            mine = [one for one in self._by_seen() if one.openid == session.openid]
            others = [one for one in mine if one.session_id != session.session_id]
            for surplus in others[: max(len(others) - MAX_SESSIONS_OF_ONE + 1, 0)]:
                self.end(surplus.session_id)

    def by_order(self, order_id: str) -> PhoneSession | None:
        """Return the session that is busy with an order, else the one that had it last."""
        busy = self._newest(lambda one: one.order_id == order_id)
        if busy is not None:
            return busy
        had = [(at, session) for (order, session), (_, at) in self._rows.orders.items() if order == order_id]
        there = [(at, session) for at, session in had if session in self._rows.sessions]
        return self._rows.sessions[max(there)[1]] if there else None

    def by_basket(self, basket_id: str) -> PhoneSession | None:
        """Return the session that is busy with a basket."""
        return self._newest(lambda one: one.basket_id == basket_id)

    def has_order(self, session: PhoneSession, order_id: str) -> bool:
        """Return whether it pays or paid an order, by itself or by another session of the same openid."""
        return any(
            order == order_id and (one == session.session_id or (openid and openid == session.openid))
            for (order, one), (openid, _) in self._rows.orders.items()
        )

    def count(self) -> tuple[int, int]:
        """Return how many sessions there are, and how many of them are signed in."""
        sessions = self._rows.sessions.values()
        return len(sessions), sum(one.signed_in for one in sessions)

    def busy(self, before: int, limit: int) -> tuple[PhoneSession, ...]:
        """Return sessions that are busy with an order and were last seen before a moment."""
        mine = [one for one in self._by_seen() if one.order_id is not None and one.seen_at < before]
        return tuple(mine[:limit])

    def first_time(self, session_id: str, key: str, at: int) -> bool:
        """Note the key of a tap; return whether it is new."""
        self._writing()
        if session_id not in self._rows.sessions:
            raise Corrupt(f"there is no session {session_id}")
        if (session_id, key) in self._rows.keys:
            return False
        self._rows.keys[session_id, key] = at
        mine = sorted(((when, known) for (one, known), when in self._rows.keys.items() if one == session_id))
        for _, old in mine[: max(len(mine) - MAX_KEYS, 0)]:
            del self._rows.keys[session_id, old]
        return True

    def end(self, session_id: str) -> None:
        """Delete a session with what belongs to it; whose its orders are stays known by the openid."""
        self._writing()
        self._rows.sessions.pop(session_id, None)
        for key in [one for one in self._rows.keys if one[0] == session_id]:
            del self._rows.keys[key]
        for order in [one for one, held in self._rows.orders.items() if one[1] == session_id and not held[0]]:
            del self._rows.orders[order]

    def forget_openid(self, openid: str) -> None:
        """Delete all sessions of an openid and take it out of what was told."""
        self._writing()
        for session in [one for one in self._rows.sessions.values() if one.openid == openid]:
            self.end(session.session_id)
        for order in [one for one, held in self._rows.orders.items() if held[0] == openid]:
            del self._rows.orders[order]
        for notice in [one for one in self._rows.notices.values() if one.openid == openid]:
            del self._rows.notices[notice.notice_id]

    def tidy(self, before: int, most: int) -> int:
        """Delete sessions last seen before a moment, and above `most` those seen longest ago."""
        self._writing()
        gone = [one for one in self._by_seen() if one.seen_at < before][:1_000]
        for one in gone:
            self.end(one.session_id)
        surplus = self._by_seen()[: max(len(self._rows.sessions) - most, 0)][: 1_000 - len(gone)]
        for one in surplus:
            self.end(one.session_id)
        for order, held in list(self._rows.orders.items()):
            if held[1] < before and order[1] not in self._rows.sessions:
                del self._rows.orders[order]
        return len(gone) + len(surplus)

    def accept(self, order_id: str, template_id: str, at: int) -> bool:
        """Note that the shopper wants one message of a template about an order."""
        self._writing()
        new = (order_id, template_id) not in self._rows.accepts
        self._rows.accepts.setdefault((order_id, template_id), at)
        return new

    def accepted(self, order_id: str) -> tuple[str, ...]:
        """Return the templates of which the shopper wants a message about an order."""
        return tuple(sorted(template for order, template in self._rows.accepts if order == order_id))

    def _by_seen(self) -> list[PhoneSession]:
        return sorted(self._rows.sessions.values(), key=lambda one: (one.seen_at, one.session_id))

    def _newest(self, wanted: Callable[[PhoneSession], bool]) -> PhoneSession | None:
        return next((one for one in reversed(self._by_seen()) if wanted(one)), None)


class FakePhoneNotices:
    """Implements phone_records.PhoneNotices."""

    def __init__(self, rows: PhoneRows, writing: Callable[[], None]) -> None:
        self._rows = rows
        self._writing = writing

    def get(self, notice_id: str) -> PhoneNotice | None:
        """Return a notice."""
        return self._rows.notices.get(notice_id)

    def put(self, notice: PhoneNotice) -> None:
        """Write a notice."""
        self._writing()
        known = self._rows.notices.get(notice.notice_id)
        other = self.find(notice.kind, notice.order_id, notice.reference)
        if known is None and other is not None:
            raise Corrupt(f"order {notice.order_id} has a notice {notice.kind} of {notice.reference} already")
        self._rows.notices[notice.notice_id] = replace(
            known or notice,
            next_at=notice.next_at,
            tries=notice.tries,
            why=notice.why,
            done_at=notice.done_at,
            refused=notice.refused,
        )

    def find(self, kind: NoticeKind, order_id: str, reference: str) -> PhoneNotice | None:
        """Return the notice of an order about something."""
        wanted = (kind, order_id, reference)
        rows = self._rows.notices.values()
        return next((one for one in rows if (one.kind, one.order_id, one.reference) == wanted), None)

    def due(self, at: int, far_at: int, limit: int) -> tuple[PhoneNotice, ...]:
        """Return what is to be told by now, or only after far_at; the one planned first first."""
        waiting = [one for one in self._rows.notices.values() if one.waits]
        found = [one for one in waiting if not at < one.next_at <= far_at]
        return tuple(sorted(found, key=lambda one: (one.next_at, one.notice_id))[:limit])

    def undone(self, limit: int) -> tuple[PhoneNotice, ...]:
        """Return what waits and what was refused, what happened last first."""
        left = [one for one in self._rows.notices.values() if one.done_at is None]
        return tuple(sorted(left, key=lambda one: (one.at, one.notice_id), reverse=True)[:limit])

    def waiting(self) -> tuple[int, int]:
        """Return how many wait, and how many were refused."""
        rows = self._rows.notices.values()
        return sum(one.waits for one in rows), sum(one.refused for one in rows)

    def tidy(self, before: int) -> int:
        """Delete notices that were done or refused and happened before a moment."""
        self._writing()
        for key in [one for one, at in self._rows.accepts.items() if at < before]:
            del self._rows.accepts[key]
        over = [one for one in self._rows.notices.values() if one.at < before and not one.waits]
        for one in over:
            del self._rows.notices[one.notice_id]
        return len(over)
