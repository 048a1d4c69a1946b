"""What goes on of payments, in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from edge.errors import Corrupt
from edge.retail.money_share import PaymentSplit, ShareReturn, ShareState, SplitState, TenantTerms

_MOVING = (ShareState.PLANNED, ShareState.SUBMITTED)


@dataclass(slots=True)
class SplitRows:
    """Splits and returns by id, terms by order."""

    splits: dict[str, PaymentSplit] = field(default_factory=dict)
    returns: dict[str, ShareReturn] = field(default_factory=dict)
    terms: dict[str, dict[str, TenantTerms]] = field(default_factory=dict)

    def copy(self) -> SplitRows:
        """Return rows that can be changed without changing these."""
        return SplitRows(dict(self.splits), dict(self.returns), dict(self.terms))


class FakeSplits:
    """Implements split_records.Splits."""

    def __init__(self, rows: SplitRows, writing: Callable[[], None]) -> None:
        self._rows = rows
        self._writing = writing

    def get(self, split_id: str) -> PaymentSplit | None:
        """Return a split."""
        return self._rows.splits.get(split_id)

    def put(self, split: PaymentSplit) -> None:
        """Write a split; whose payment it is never changes."""
        self._writing()
        self._rows.splits[split.split_id] = split

    def of_order(self, order_id: str) -> tuple[PaymentSplit, ...]:
        """Return an order's splits, oldest first."""
        mine = [one for one in self._rows.splits.values() if one.order_id == order_id]
        return tuple(sorted(mine, key=lambda one: one.split_id))

    def moving(self, limit: int) -> tuple[PaymentSplit, ...]:
        """Return splits that are not done, the one due first first."""
        still = [one for one in self._rows.splits.values() if one.state is not SplitState.DONE]
        return tuple(sorted(still, key=lambda one: one.next_step_at)[:limit])

    def put_return(self, returned: ShareReturn) -> None:
        """Write a return."""
        self._writing()
        self._rows.returns[returned.return_id] = returned

    def returns_of(self, split_id: str) -> tuple[ShareReturn, ...]:
        """Return a split's returns, oldest first."""
        mine = [one for one in self._rows.returns.values() if one.split_id == split_id]
        return tuple(sorted(mine, key=lambda one: one.return_id))

    def moving_returns(self, limit: int) -> tuple[ShareReturn, ...]:
        """Return returns that are not over, the one due first first."""
        still = [one for one in self._rows.returns.values() if one.state in _MOVING]
        return tuple(sorted(still, key=lambda one: one.next_step_at)[:limit])

    def terms(self, order_id: str) -> dict[str, TenantTerms]:
        """Return by tenant on which terms a paid order was."""
        return dict(self._rows.terms.get(order_id, {}))

    def put_terms(self, order_id: str, terms: dict[str, TenantTerms]) -> None:
        """Keep them, once for each order."""
        self._writing()
        if terms and order_id in self._rows.terms:
            raise Corrupt(f"the terms of order {order_id} are kept already")
        if terms:
            self._rows.terms[order_id] = dict(terms)
