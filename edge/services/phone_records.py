"""Phones as records: their sessions, the orders that they pay, and what is to be told to WeChat."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

#: Keys of taps that are remembered for one session; the oldest go.
MAX_KEYS = 200

#: Sessions of one openid; the one that was seen longest ago goes.
MAX_SESSIONS_OF_ONE = 10


@dataclass(frozen=True, slots=True)
class PhoneSession:
    """One phone that is in use: nobody's yet, or signed in with its openid.

    It is to a phone what WorkstationState is to a kiosk: basket_id and order_id are what it is busy with.
    token_hash: SHA-256 of its token in hexadecimal; the token itself is never kept. correlation: of the
    shopper's way, "" without. scene: by what the mini-program was opened (WeChat's number), 0 unknown.
    """

    session_id: str
    token_hash: str
    language: str
    created_at: int
    seen_at: int
    openid: str = ""
    unionid: str = ""
    correlation: str = ""
    scene: int = 0
    basket_id: str | None = None
    order_id: str | None = None

    @property
    def signed_in(self) -> bool:
        """Whether it is known whose phone it is."""
        return bool(self.openid)


class NoticeKind(StrEnum):
    """What WeChat is told: that goods were handed over (发货信息), or a message to the shopper (订阅消息)."""

    HAND_OVER = "hand_over"
    MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class PhoneNotice:
    """Something that WeChat is to be told about a paid order, until it has taken it.

    reference: the payment's transaction id for HAND_OVER, the template's id for MESSAGE; there is one notice
    for each kind, order and reference. text: what was handed over, or the message's fields as JSON. page: of
    the mini-program that a message opens. at: when it happened. next_at: when it is told (again).
    why: WeChat's last word. done_at: when it took it. refused: it will not take it.
    """

    notice_id: str
    kind: NoticeKind
    order_id: str
    reference: str
    openid: str
    text: str
    at: int
    next_at: int
    page: str = ""
    tries: int = 0
    why: str = ""
    done_at: int | None = None
    refused: bool = False

    @property
    def waits(self) -> bool:
        """Whether it is still to be told."""
        return self.done_at is None and not self.refused


class Phones(Protocol):
    """The sessions of phones."""

    def get(self, session_id: str) -> PhoneSession | None:
        """Return a session."""

    def by_token_hash(self, token_hash: str) -> PhoneSession | None:
        """Return the session of a token."""

    def put(self, session: PhoneSession) -> None:
        """Write a session; of a known one created_at stays. An order_id is remembered as its order.

        Of one openid MAX_SESSIONS_OF_ONE stay, the others end.
        """

    def by_order(self, order_id: str) -> PhoneSession | None:
        """Return the session that is busy with an order, else the one that had it last."""

    def by_basket(self, basket_id: str) -> PhoneSession | None:
        """Return the session that is busy with a basket."""

    def has_order(self, session: PhoneSession, order_id: str) -> bool:
        """Return whether it pays or paid an order, by itself or by another session of the same openid."""

    def count(self) -> tuple[int, int]:
        """Return how many sessions there are, and how many of them are signed in."""

    def busy(self, before: int, limit: int) -> tuple[PhoneSession, ...]:
        """Return sessions that are busy with an order and were last seen before a moment, oldest first."""

    def first_time(self, session_id: str, key: str, at: int) -> bool:
        """Note the key of a tap; return whether it is new. The latest MAX_KEYS of a session are known."""

    def end(self, session_id: str) -> None:
        """Delete a session with what belongs to it."""

    def forget_openid(self, openid: str) -> None:
        """Delete all sessions of an openid and take it out of what was told."""

    def tidy(self, before: int, most: int) -> int:
        """Delete sessions last seen before a moment, and above `most` those seen longest ago.

        Returns how many, 1,000 at most.
        """

    def accept(self, order_id: str, template_id: str, at: int) -> bool:
        """Note that the shopper wants one message of a template about an order; return whether it is new."""

    def accepted(self, order_id: str) -> tuple[str, ...]:
        """Return the templates of which the shopper wants a message about an order."""


class PhoneNotices(Protocol):
    """What WeChat is to be told."""

    def undone(self, limit: int) -> tuple[PhoneNotice, ...]:
        """Return what waits and what was refused, what happened last first."""

    def get(self, notice_id: str) -> PhoneNotice | None:
        """Return a notice."""

    def put(self, notice: PhoneNotice) -> None:
        """Write a notice."""

    def find(self, kind: NoticeKind, order_id: str, reference: str) -> PhoneNotice | None:
        """Return the notice of an order about something."""

    def due(self, at: int, far_at: int, limit: int) -> tuple[PhoneNotice, ...]:
        """Return what is to be told by now, or only after far_at; the one planned first first.

        far_at: nothing is planned beyond it unless the clock was set back since.
        """

    def waiting(self) -> tuple[int, int]:
        """Return how many wait, and how many were refused."""

    def tidy(self, before: int) -> int:
        """Delete notices that were done or refused and happened before a moment; return how many."""


def hash_token(token: str) -> str:
    """Return under what a session's token is kept."""
    return hashlib.sha256(token.encode()).hexdigest()
