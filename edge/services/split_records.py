"""How a unit of work reads and writes what goes on of payments, and on which terms tenants are paid."""

from __future__ import annotations

from typing import Protocol

from edge.retail.money_share import PaymentSplit, ShareReturn, TenantTerms


class Splits(Protocol):
    """Splits of payments with their shares and returns, and the terms that held when an order was paid."""

    def get(self, split_id: str) -> PaymentSplit | None:
        """Return a split."""

    def put(self, split: PaymentSplit) -> None:
        """Write a split; whose payment it is never changes."""

    def of_order(self, order_id: str) -> tuple[PaymentSplit, ...]:
        """Return an order's splits, oldest first."""

    def moving(self, limit: int) -> tuple[PaymentSplit, ...]:
        """Return splits that are not done, the one due first first."""

    def put_return(self, returned: ShareReturn) -> None:
        """Write a return."""

    def returns_of(self, split_id: str) -> tuple[ShareReturn, ...]:
        """Return a split's returns, oldest first."""

    def moving_returns(self, limit: int) -> tuple[ShareReturn, ...]:
        """Return returns that are not over, the one due first first."""

    def terms(self, order_id: str) -> dict[str, TenantTerms]:
        """Return by tenant on which terms a paid order was."""

    def put_terms(self, order_id: str, terms: dict[str, TenantTerms]) -> None:
        """Keep them, once for each order."""
