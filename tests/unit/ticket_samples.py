"""What HQ is told of counter tickets, one sample of each kind."""

from __future__ import annotations

from edge.retail.basket import LineItem
from edge.retail.ticket import PriceOverride, Ticket, TicketState
from edge.services import ticket_events
from edge.services.events import Data, EventKind

AT = 1_795_300_000_123
TEA = LineItem("l-1", "tea", "t-tea", "龙井", "Tea", "6901234567892", 2, 9_000, 18_000)
LOWERED = PriceOverride("l-1", 10_000, 9_000, "g-chen", "会员日", AT, "王敏")
TICKET = Ticket(
    *("ticket-1", "code-1", "C01-0007", "C01", "t-tea", "g-chen", "2026-11-22", AT),
    *(TicketState.HANDED_OVER, (TEA,), (LOWERED,), 0, AT, AT, AT + 7_200_000, "order-1", AT),
    *("", 0, AT + 60_000, "g-chen"),
)


def ticket_data() -> dict[EventKind, Data]:
    return {
        EventKind.TICKET_ISSUED: ticket_events.ticket_issued(TICKET),
        EventKind.TICKET_PRICE_OVERRIDDEN: ticket_events.price_overridden(TICKET, TEA, LOWERED),
        EventKind.TICKET_HANDED_OVER: ticket_events.ticket_handed_over(TICKET),
    }
