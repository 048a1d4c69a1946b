"""Which counter tickets a till has collected into a basket, as records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Collected:
    """A ticket in a basket. line_ids: of the lines that it gave to the basket."""

    basket_id: str
    ticket_id: str
    line_ids: tuple[str, ...]
    collected_at: int


class Collections(Protocol):
    """Tickets in baskets; they stay here when the basket has become an order."""

    def of_basket(self, basket_id: str) -> tuple[Collected, ...]:
        """Return the tickets of a basket, in the order in which they came."""

    def put(self, collected: Collected) -> None:
        """Write a ticket of a basket that is there."""

    def drop(self, basket_id: str, ticket_id: str) -> None:
        """Take a ticket out; nothing happens when it is not there."""
