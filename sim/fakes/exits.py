"""Exit passes, the ledger of exits, and carts of phones in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from edge.errors import Corrupt
from edge.retail.basket import Basket, BasketState
from edge.retail.exit_pass import ExitCheck, ExitPass
from edge.retail.order import Order
from edge.services.box import PHONE
from edge.services.cart_records import CartCode


@dataclass(slots=True)
class ExitRows:
    """All rows; values are frozen."""

    passes: dict[str, ExitPass] = field(default_factory=dict)
    checks: dict[str, ExitCheck] = field(default_factory=dict)
    codes: dict[str, CartCode] = field(default_factory=dict)

    def copy(self) -> ExitRows:
        """Return rows that can be changed without changing these."""
        return ExitRows(dict(self.passes), dict(self.checks), dict(self.codes))


class FakeExits:
    """Implements cart_records.Exits."""

    def __init__(self, rows: ExitRows, writing: Callable[[], None]) -> None:
        self._rows = rows
        self._writing = writing

    def get(self, order_id: str) -> ExitPass | None:
        """Return the pass of an order."""
        return self._rows.passes.get(order_id)

    def by_ident(self, ident: str) -> ExitPass | None:
        """Return the pass of a code."""
        return next((one for one in self._rows.passes.values() if one.ident == ident), None)

    def put(self, one: ExitPass) -> None:
        """Write a pass; its ident and its choice never change."""
        self._writing()
        holder = self.by_ident(one.ident)
        if holder is not None and holder.order_id != one.order_id:
            raise Corrupt(f"exit code {one.ident} belongs to order {holder.order_id}")
        known = self._rows.passes.get(one.order_id, one)
        self._rows.passes[one.order_id] = replace(
            known, state=one.state, checked_at=one.checked_at, place=one.place, by=one.by
        )

    def add_check(self, check: ExitCheck) -> None:
        """Append a look."""
        self._writing()
        self._rows.checks[check.check_id] = check

    def checks_of(self, order_id: str) -> tuple[ExitCheck, ...]:
        """Return the looks at an order's code, oldest first."""
        return tuple(reversed([one for one in self.recent("", 1_000_000) if one.order_id == order_id]))

    def recent(self, place: str, limit: int) -> tuple[ExitCheck, ...]:
        """Return the latest looks at a place, newest first."""
        here = [one for one in self._rows.checks.values() if place in ("", one.place)]
        return tuple(sorted(here, key=lambda one: (one.at, one.check_id), reverse=True)[:limit])

    def tidy(self, before: int) -> int:
        """Delete passes made before a moment and looks older than it; return how many passes."""
        self._writing()
        for one in [one for one in self._rows.checks.values() if one.at < before]:
            del self._rows.checks[one.check_id]
        old = [one for one in self._rows.passes.values() if one.made_at < before]
        for one_pass in old:
            del self._rows.passes[one_pass.order_id]
        return len(old)


class FakeCarts:
    """Implements cart_records.Carts."""

    def __init__(
        self,
        rows: ExitRows,
        baskets: Mapping[str, Basket],
        orders: Mapping[str, Order],
        writing: Callable[[], None],
    ) -> None:
        self._rows = rows
        self._baskets = baskets
        self._orders = orders
        self._writing = writing

    def forsaken(self, before: int, limit: int) -> tuple[str, ...]:
        """Return ids of phones' baskets that nobody changed since, oldest first."""
        left = [
            one
            for one in self._baskets.values()
            if one.workstation == PHONE
            and one.state in (BasketState.OPEN, BasketState.HELD)
            and one.changed_at < before
        ]
        return tuple(one.basket_id for one in sorted(left, key=lambda one: one.changed_at)[:limit])

    def order_of(self, basket_id: str) -> str | None:
        """Return the newest order of a phone's basket."""
        orders = self._orders.values()
        own = [one.order_id for one in orders if one.basket_id == basket_id and one.workstation == PHONE]
        return max(own, default=None)

    def put_code(self, code: CartCode) -> None:
        """Write a code."""
        self._writing()
        known = self._rows.codes.get(code.ident, code)
        self._rows.codes[code.ident] = replace(known, used_at=code.used_at, place=code.place)

    def code(self, ident: str) -> CartCode | None:
        """Return a code."""
        return self._rows.codes.get(ident)

    def last_code(self, session_id: str) -> CartCode | None:
        """Return the newest code of a session."""
        own = [one for one in self._rows.codes.values() if one.session_id == session_id]
        return max(own, key=lambda one: (one.made_at, one.ident), default=None)

    def tidy(self, before: int) -> int:
        """Delete codes that ended before a moment; return how many."""
        self._writing()
        old = [one for one in self._rows.codes.values() if one.expires_at < before]
        for one in old:
            del self._rows.codes[one.ident]
        return len(old)
