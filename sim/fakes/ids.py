"""Ids that count: the same every time, in order, and never one twice."""

from __future__ import annotations

from edge.ids import compose_uuid7

#: The millisecond that all ids claim to be made in.
_MADE_AT = 1_795_336_000_000


class FakeIds:
    """Port IdSource."""

    def __init__(self) -> None:
        self._made = 0

    def new_id(self) -> str:
        """Return the next id, a UUID version 7 of 36 characters."""
        self._made += 1
        return compose_uuid7(_MADE_AT + (self._made >> 12), self._made & 0xFFF, self._made)

    def new_token(self) -> str:
        """Return the next token, 22 characters."""
        self._made += 1
        return f"token-{self._made:016d}"
