"""Refunds in memory, with the rules that the tables enforce."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from edge.errors import Corrupt
from edge.retail.attempt import AttemptState, PaymentAttempt
from edge.retail.order import Order
from edge.retail.refund import MOVING, LegState, Refund, RefundPhase
from edge.services.refund_records import OrderSearch

_FOLLOWED = MOVING | {LegState.ABNORMAL}


class FakeRefunds:
    """Implements records.Refunds over rows."""

    def __init__(
        self,
        rows: dict[str, Refund],
        orders: Mapping[str, Order],
        attempts: Mapping[str, PaymentAttempt],
        writing: Callable[[], None],
    ) -> None:
        self._rows = rows
        self._orders = orders
        self._attempts = attempts
        self._writing = writing

    def get(self, refund_id: str) -> Refund | None:
        """Return a refund."""
        return self._rows.get(refund_id)

    def put(self, refund: Refund) -> None:
        """Write a refund; see the port."""
        self._writing()
        known = self._rows.get(refund.refund_id)
        if known is None:
            order_known = refund.order_id in self._orders
            numbers = {one.number for one in self.of_order(refund.order_id)}
            if not order_known or refund.number in numbers:
                raise Corrupt(f"refund {refund.number} contradicts what is stored")
            known = refund
        lines = refund.lines if known.phase is RefundPhase.REQUESTED else known.lines
        fixed = replace(
            refund,
            order_id=known.order_id,
            number=known.number,
            reason=known.reason,
            requested_by=known.requested_by,
            requested_at=known.requested_at,
            cancels_order=known.cancels_order,
            lines=lines,
        )
        self._rows[refund.refund_id] = fixed
        self._check_tenders(fixed)

    def of_order(self, order_id: str) -> tuple[Refund, ...]:
        """Return an order's refunds, oldest first."""
        return tuple(one for one in self._sorted() if one.order_id == order_id)

    def moving(self, limit: int) -> tuple[Refund, ...]:
        """Return refunds with a leg that the service follows up, the one due first first."""
        due = [(_due_at(one), one.refund_id, one) for one in self._sorted() if _followed(one)]
        return tuple(one for _, _, one in sorted(due, key=lambda each: each[:2]))[:limit]

    def open(self, limit: int) -> tuple[Refund, ...]:
        """Return refunds that are requested or on their way, oldest first."""
        phases = (RefundPhase.REQUESTED, RefundPhase.APPROVED)
        return tuple(one for one in self._sorted() if one.phase in phases)[:limit]

    def recent(self, limit: int) -> tuple[Refund, ...]:
        """Return the newest refunds, newest first."""
        return tuple(reversed(self._sorted()))[:limit]

    def find_orders(self, search: OrderSearch, limit: int) -> tuple[str, ...]:
        """Return the ids of orders that took money, newest first."""
        tails = {
            one.order_id
            for one in self._attempts.values()
            if one.state is AttemptState.APPROVED and one.code_tail == search.text
        }
        text = search.text.lower()
        found = [
            one.order_id
            for one in self._orders.values()
            if one.business_day == search.business_day
            and one.tenders
            and (one.number.lower().endswith(text) or one.order_id in tails)
        ]
        return tuple(sorted(found, reverse=True)[:limit])

    def _sorted(self) -> list[Refund]:
        return [one for _, one in sorted(self._rows.items())]

    def _check_tenders(self, refund: Refund) -> None:
        tenders = {one.tender_id: one.amount_fen for one in self._orders[refund.order_id].tenders}
        for other in self.of_order(refund.order_id):
            for leg in other.legs:
                if leg.state is not LegState.REPLACED:
                    tenders[leg.tender_id] = tenders.get(leg.tender_id, 0) - leg.amount_fen
        if any(left < 0 for left in tenders.values()):
            raise Corrupt(f"refund {refund.number}: more is given back than the tender took")


def _followed(refund: Refund) -> bool:
    return any(leg.state in _FOLLOWED for leg in refund.legs)


def _due_at(refund: Refund) -> int:
    return min(leg.next_step_at for leg in refund.legs if leg.state in _FOLLOWED)
