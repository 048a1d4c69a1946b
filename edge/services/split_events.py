"""What HQ is told of money that goes to several merchants, and of tickets that were paid together."""

from __future__ import annotations

from collections.abc import Sequence

from edge.retail.attempt import PaymentAttempt
from edge.retail.money_share import PaymentSplit, TenantTerms
from edge.retail.order import Order
from edge.retail.ticket import Ticket
from edge.services.events import Data


def order_split(
    order: Order,
    attempts: Sequence[PaymentAttempt],
    splits: Sequence[PaymentSplit],
    terms: dict[str, TenantTerms],
    commission: dict[str, int],
) -> Data:
    """Return the data of "order.split": whose numbers were paid, what is to go on, what the mall keeps."""
    return {
        "order_id": order.order_id,
        "number": order.number,
        "business_day": order.business_day,
        "total_fen": order.total_fen,
        "parts": [
            {
                "merchant": part.merchant,
                "merchant_order_no": part.merchant_order_no,
                "transaction_id": part.transaction_id,
                "amount_fen": part.amount_fen,
                "tenants": list(part.tenants),
            }
            for attempt in attempts
            for part in attempt.parts
        ],
        "shares": [
            {
                "payee": split.payee,
                "merchant": one.merchant,
                "tenant_id": one.tenant_id,
                "amount_fen": one.amount_fen,
            }
            for split in splits
            for one in split.shares
        ],
        "commission": [
            {
                "tenant_id": tenant,
                "permille": terms[tenant].commission_permille,
                "amount_fen": fen,
            }
            for tenant, fen in sorted(commission.items())
        ],
    }


def payment_shared(split: PaymentSplit) -> Data:
    """Return the data of "payment.shared": what became of the shares of a payment."""
    return {
        "split_id": split.split_id,
        "order_id": split.order_id,
        "gateway": split.gateway,
        "payee": split.payee,
        "transaction_id": split.transaction_id,
        "sharing_no": split.sharing_no,
        "shares": [
            {
                "merchant": one.merchant,
                "tenant_id": one.tenant_id,
                "amount_fen": one.amount_fen,
                "state": one.state.value,
                "why": one.why,
            }
            for one in split.shares
        ],
        "closed_at": split.closed_at,
    }


def tickets_merged(order: Order, tickets: Sequence[Ticket]) -> Data:
    """Return the data of "tickets.merged": counter tickets that a till's order has paid together."""
    return {
        "order_id": order.order_id,
        "number": order.number,
        "business_day": order.business_day,
        "workstation": order.workstation,
        "total_fen": order.total_fen,
        "tickets": [
            {
                "ticket_id": one.ticket_id,
                "number": one.number,
                "tenant_id": one.tenant_id,
                "counter": one.counter,
                "guide": one.guide_id,
                "total_fen": one.total_fen,
            }
            for one in tickets
        ],
    }
