"""From a written ticket to one that can be paid and back: issue, take back, cancel, and expire by time.

All of it works without any network: a ticket and its code are made here. The code is the guide's touchpoint:
whoever scans it goes on with the guide's way.
"""

from __future__ import annotations

from edge.clock import Instant
from edge.codes.signed_token import TokenKind, read_token, sign_token
from edge.errors import Invalid
from edge.members.conversion import ConversionStep
from edge.members.touchpoint import TouchpointKind, touchpoint_id
from edge.retail.ticket import (
    Ticket,
    TicketEnd,
    TicketState,
    cancel_ticket,
    issue,
    reopen_ticket,
)
from edge.services.box import PHONE, Box
from edge.services.events import EventKind, record_event
from edge.services.journey_records import LinkKind
from edge.services.pay_by_phone import give_up_order
from edge.services.record_conversion import Details, record_conversion
from edge.services.records import Unit
from edge.services.ticket_events import ticket_issued
from edge.services.write_ticket import change_ticket, need_ticket

#: Who cancels what nobody paid in time.
SERVICE = "service"

#: A ticket that nobody has written on for so long is given up.
FORGOTTEN_MS = 12 * 3_600_000

#: Tickets that are looked at in one turn.
_TURN = 50


def issue_ticket(box: Box, counter: str, ticket_id: str, *, age_checked: bool = False) -> Ticket:
    """Let shoppers pay a ticket until its time is over; HQ is told, and the guide's touch recorded.

    age_checked: the guide has checked the shopper's age, where goods ask for it.
    """

    def step(unit: Unit, ticket: Ticket, now: Instant) -> Ticket:
        expires_at = now.wall_at + box.counter.expire_ms
        issued = issue(ticket, now.wall_at, expires_at, age_checked=age_checked)
        way = _touch(unit, box, issued, now)
        data = ticket_issued(issued)
        record_event(unit, box.ids, now, box.origin, EventKind.TICKET_ISSUED, ticket.ticket_id, data, way)
        return issued

    return change_ticket(box, counter, ticket_id, step)


def take_back_ticket(box: Box, counter: str, ticket_id: str) -> Ticket:
    """Open an issued ticket again to change it; its code cannot be paid meanwhile.

    What a phone was to pay is closed first. Raises Declined or Unavailable while money may move.
    """
    _stop_payment(box, counter, ticket_id)
    return change_ticket(
        *(box, counter, ticket_id), lambda unit, ticket, now: reopen_ticket(ticket, now.wall_at)
    )


def give_up_ticket(box: Box, counter: str, ticket_id: str, by: str) -> Ticket:
    """Cancel a ticket that is not paid. Raises as take_back_ticket does."""
    _stop_payment(box, counter, ticket_id)
    return change_ticket(
        *(box, counter, ticket_id), lambda unit, ticket, now: cancel_ticket(ticket, now.wall_at, by)
    )


def expire_tickets(box: Box) -> int:
    """Cancel issued tickets whose time is over and that no order is to pay, and forgotten open ones.

    Returns how many.
    """
    now = box.clock.now()
    untouched = now.wall_at - FORGOTTEN_MS

    def work(unit: Unit) -> list[Ticket]:
        over = [
            cancel_ticket(one, now.wall_at, SERVICE, TicketEnd.EXPIRED)
            for one in unit.tickets.due(now.wall_at, untouched, _TURN)
        ]
        for ticket in over:
            unit.tickets.put(ticket)
        return over

    if not box.store.read(lambda unit: unit.tickets.due(now.wall_at, untouched, 1)):
        return 0
    expired = box.store.write(work)
    for counter in {one.counter for one in expired}:
        box.changed(counter)
    return len(expired)


def ticket_token(box: Box, ticket: Ticket) -> str:
    """Return the signed code of a ticket, 32 characters."""
    return sign_token(TokenKind.TICKET, ticket.code, box.phone.key)


def ticket_url(box: Box, ticket: Ticket) -> str:
    """Return what a ticket's QR code holds: one address for the mini-program and for a browser.

    Without a public address it is the path alone.
    """
    return f"{box.rules.public_url.rstrip('/')}/phone/t/{ticket_token(box, ticket)}"


def ticket_of_token(unit: Unit, box: Box, token: str) -> Ticket:
    """Return the ticket of a signed code; raise Invalid for a code that is none of ours."""
    ticket = unit.tickets.by_code(read_token(TokenKind.TICKET, token, box.phone.key))
    if ticket is None:
        raise Invalid("this ticket is not known here (any more); ask at the counter")
    return ticket


def guide_touchpoint(ticket: Ticket) -> str:
    """Return the touchpoint that a ticket's code is."""
    return touchpoint_id(TouchpointKind.GUIDE, ticket.guide_id)


def _touch(unit: Unit, box: Box, ticket: Ticket, now: Instant) -> str:
    """Begin the ticket's way at its guide's touchpoint, once; return it, "" without touch rules."""
    if box.touch is None:
        return ""
    way = unit.journeys.linked(LinkKind.TICKET, ticket.ticket_id) or box.ids.new_token()
    unit.journeys.link(LinkKind.TICKET, ticket.ticket_id, way, now.wall_at)
    details = Details(ticket.tenant_id, ticket.guide_id, subject=ticket.ticket_id)
    record_conversion(unit, box, ConversionStep.SHOWN, way, guide_touchpoint(ticket), now, details)
    return way


def _stop_payment(box: Box, counter: str, ticket_id: str) -> None:
    """Give up the order by which a phone was to pay a ticket, at the gateway first."""
    ticket = box.store.read(lambda unit: need_ticket(unit, counter, ticket_id))
    order = box.store.read(lambda unit: unit.orders.get(ticket.order_id)) if ticket.order_id else None
    if order is not None and ticket.state is TicketState.ISSUED and order.workstation == PHONE:
        give_up_order(box, order.order_id)
