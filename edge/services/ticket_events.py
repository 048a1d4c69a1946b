"""What HQ is told of counter tickets."""

from __future__ import annotations

from edge.retail.basket import LineItem
from edge.retail.ticket import PriceOverride, Ticket
from edge.services.events import MAX_NAME, Data


def ticket_issued(ticket: Ticket) -> Data:
    """Return the data of "ticket.issued": a guide has shown a ticket's code to a shopper."""
    return {
        **_which(ticket),
        "issued_at": ticket.issued_at,
        "expires_at": ticket.expires_at,
        "total_fen": ticket.total_fen,
        "lines": len(ticket.lines),
    }


def price_overridden(ticket: Ticket, line: LineItem, override: PriceOverride) -> Data:
    """Return the data of "ticket.price_overridden": a guide has lowered a price."""
    return {
        **_which(ticket),
        "line_id": line.line_id,
        "sku": line.sku,
        "name": line.name[:MAX_NAME],
        "quantity": line.quantity,
        "was_fen": override.was_fen,
        "price_fen": override.price_fen,
        "by": override.by[:MAX_NAME],
        "approved_by": override.approved_by[:MAX_NAME],
        "reason": override.reason,
        "overridden_at": override.at,
    }


def ticket_handed_over(ticket: Ticket) -> Data:
    """Return the data of "ticket.handed_over": the goods of a paid ticket are gone."""
    return {
        **_which(ticket),
        "order_id": ticket.order_id,
        "total_fen": ticket.total_fen,
        "paid_at": ticket.paid_at,
        "handed_over_at": ticket.closed_at,
        "handed_over_by": ticket.closed_by[:MAX_NAME],
    }


def _which(ticket: Ticket) -> Data:
    return {
        "ticket_id": ticket.ticket_id,
        "number": ticket.number,
        "business_day": ticket.business_day,
        "counter": ticket.counter,
        "tenant_id": ticket.tenant_id,
        "guide": ticket.guide_id,
    }
