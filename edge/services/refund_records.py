"""How a unit of work reads and writes refunds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from edge.retail.refund import Refund


@dataclass(frozen=True, slots=True)
class OrderSearch:
    """What a person knows of an order: its day, and a part of its number or of the payment code's tail.

    business_day: ISO date. text: the end of the order's number, or the last four digits of a payment
    code; "" for all of that day.
    """

    business_day: str
    text: str = ""


class Refunds(Protocol):
    """Refunds with their lines and legs."""

    def get(self, refund_id: str) -> Refund | None:
        """Return a refund."""

    def put(self, refund: Refund) -> None:
        """Write a refund: order, number and who asked never change; a decided refund's lines neither."""

    def of_order(self, order_id: str) -> tuple[Refund, ...]:
        """Return an order's refunds, oldest first."""

    def moving(self, limit: int) -> tuple[Refund, ...]:
        """Return refunds with a leg that the service follows up, the one due first first."""

    def open(self, limit: int) -> tuple[Refund, ...]:
        """Return refunds that are requested or on their way, oldest first."""

    def recent(self, limit: int) -> tuple[Refund, ...]:
        """Return the newest refunds, newest first."""

    def find_orders(self, search: OrderSearch, limit: int) -> tuple[str, ...]:
        """Return the ids of orders that took money, newest first."""
