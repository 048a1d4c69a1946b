"""Counter tickets in a till's baskets, in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from edge.services.collection_records import Collected


@dataclass(slots=True)
class CollectionRows:
    """Collected tickets by basket and ticket."""

    collected: dict[tuple[str, str], Collected] = field(default_factory=dict)

    def copy(self) -> CollectionRows:
        """Return rows that can be changed without changing these."""
        return CollectionRows(dict(self.collected))


class FakeCollections:
    """Implements collection_records.Collections."""

    def __init__(self, rows: CollectionRows, writing: Callable[[], None]) -> None:
        self._rows = rows
        self._writing = writing

    def of_basket(self, basket_id: str) -> tuple[Collected, ...]:
        """Return the tickets of a basket, in the order in which they came."""
        mine = [one for one in self._rows.collected.values() if one.basket_id == basket_id]
        return tuple(sorted(mine, key=lambda one: (one.collected_at, one.ticket_id)))

    def put(self, collected: Collected) -> None:
        """Write a ticket of a basket that is there."""
        self._writing()
        key = (collected.basket_id, collected.ticket_id)
        known = self._rows.collected.get(key, collected)
        self._rows.collected[key] = replace(known, line_ids=collected.line_ids)

    def drop(self, basket_id: str, ticket_id: str) -> None:
        """Take a ticket out; nothing happens when it is not there."""
        self._writing()
        self._rows.collected.pop((basket_id, ticket_id), None)
