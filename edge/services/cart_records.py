"""What scan and go keeps: exit passes with the ledger of exits, and codes by which a kiosk takes a cart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from edge.retail.exit_pass import ExitCheck, ExitPass


@dataclass(frozen=True, slots=True)
class CartCode:
    """What a phone shows to a kiosk's scanner so that its cart comes onto that screen, once.

    ident: what the signed code carries. used_at, place: when and where it was taken.
    """

    ident: str
    session_id: str
    basket_id: str
    made_at: int
    expires_at: int
    used_at: int | None = None
    place: str = ""


class Exits(Protocol):
    """Exit passes and the ledger of every look at one."""

    def get(self, order_id: str) -> ExitPass | None:
        """Return the pass of an order."""

    def by_ident(self, ident: str) -> ExitPass | None:
        """Return the pass of a code."""

    def put(self, one: ExitPass) -> None:
        """Write a pass; its ident and its choice never change."""

    def add_check(self, check: ExitCheck) -> None:
        """Append a look; the ledger's entries never change."""

    def checks_of(self, order_id: str) -> tuple[ExitCheck, ...]:
        """Return the looks at an order's code, oldest first."""

    def recent(self, place: str, limit: int) -> tuple[ExitCheck, ...]:
        """Return the latest looks at a place, newest first; "" for every place."""

    def tidy(self, before: int) -> int:
        """Delete passes made before a moment and looks older than it; return how many passes."""


class Carts(Protocol):
    """Carts of phones: which are forsaken, and the codes by which a kiosk takes one over."""

    def forsaken(self, before: int, limit: int) -> tuple[str, ...]:
        """Return ids of baskets of phones, open or held, last changed before a moment; oldest first."""

    def order_of(self, basket_id: str) -> str | None:
        """Return the newest order of a phone's basket."""

    def put_code(self, code: CartCode) -> None:
        """Write a code."""

    def code(self, ident: str) -> CartCode | None:
        """Return a code."""

    def last_code(self, session_id: str) -> CartCode | None:
        """Return the newest code of a session."""

    def tidy(self, before: int) -> int:
        """Delete codes that ended before a moment; return how many."""
