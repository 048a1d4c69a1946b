"""Stays and what was paid for them, as records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from edge.parking.quote import Settlement
from edge.parking.session import Session, SessionState


class Sessions(Protocol):
    """All stays, of which those inside are found fast however many are past."""

    def get(self, session_id: str) -> Session | None:
        """Return a stay."""

    def put(self, session: Session) -> None:
        """Write a stay, new or changed."""

    def inside(self, plate: str) -> tuple[Session, ...]:
        """Return the stays inside of exactly that plate, the latest entry first."""

    def all_inside(self, limit: int) -> tuple[Session, ...]:
        """Return stays inside, the latest entry first, `limit` at most."""

    def by_ticket(self, ticket: str) -> Session | None:
        """Return the stay of a ticket taken at the entry (no plate), whatever its state."""

    def last_of(self, plate: str, limit: int) -> tuple[Session, ...]:
        """Return the latest stays of a plate in any state, the latest entry first."""

    def count_inside(self, zone: str) -> int:
        """Return how many stays are inside a zone."""

    def between(
        self, from_at: int, to_at: int, state: SessionState, after: str, limit: int
    ) -> tuple[Session, ...]:
        """Return stays by id above `after` that left within [from_at, to_at); for other states, entered."""


class Settlements(Protocol):
    """Confirmed money for stays; one is written for each order and stay, and for each refund of it."""

    def put(self, settlement: Settlement) -> None:
        """Write one; raise Corrupt when that order or refund is settled for that stay already."""

    def of_session(self, session_id: str) -> tuple[Settlement, ...]:
        """Return what was settled for a stay, in order."""

    def of_order(self, order_id: str) -> Sequence[Settlement]:
        """Return what an order settled."""

    def between(self, from_at: int, to_at: int, limit: int) -> Sequence[Settlement]:
        """Return what was settled within [from_at, to_at), in order of time, `limit` at most."""
