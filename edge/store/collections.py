"""Counter tickets in a till's baskets."""

from __future__ import annotations

import json
import sqlite3

from edge.services.collection_records import Collected

_OF_BASKET = """
SELECT basket_id, ticket_id, line_ids, collected_at FROM collected_tickets WHERE basket_id = ?
ORDER BY collected_at, ticket_id
"""
_PUT = """
INSERT INTO collected_tickets (basket_id, ticket_id, line_ids, collected_at) VALUES (?, ?, ?, ?)
ON CONFLICT (basket_id, ticket_id) DO UPDATE SET line_ids = excluded.line_ids
"""


class CollectionTable:
    """Implements collection_records.Collections."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def of_basket(self, basket_id: str) -> tuple[Collected, ...]:
        """Return the tickets of a basket, in the order in which they came."""
        rows = self._connection.execute(_OF_BASKET, (basket_id,))
        return tuple(Collected(one, ticket, tuple(json.loads(lines)), at) for one, ticket, lines, at in rows)

    def put(self, collected: Collected) -> None:
        """Write a ticket of a basket that is there."""
        lines = json.dumps(collected.line_ids)
        self._connection.execute(
            _PUT, (collected.basket_id, collected.ticket_id, lines, collected.collected_at)
        )

    def drop(self, basket_id: str, ticket_id: str) -> None:
        """Take a ticket out; nothing happens when it is not there."""
        statement = "DELETE FROM collected_tickets WHERE basket_id = ? AND ticket_id = ?"
        self._connection.execute(statement, (basket_id, ticket_id))
