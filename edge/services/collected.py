"""Counter tickets in a till's basket: what they gave to it, whether they still hold, who pays them."""

from __future__ import annotations

from dataclasses import replace

from edge.clock import Instant
from edge.errors import Invalid
from edge.retail.basket import Basket, LineItem
from edge.retail.order import Order
from edge.retail.ticket import Ticket, TicketState
from edge.services.box import Box
from edge.services.collection_records import Collected
from edge.services.records import Unit
from edge.services.settle_tickets import bind_tickets, lines_of_ticket
from edge.services.workstation import Busy, Notice, NoticeCode, save


def problem_of(unit: Unit, ticket: Ticket, now: Instant, basket_id: str = "") -> NoticeCode | None:
    """Return why a ticket cannot be collected now, None when it can; basket_id: where it would go."""
    if any(one.ticket_id == ticket.ticket_id for one in unit.collections.of_basket(basket_id)):
        return NoticeCode.TICKET_HERE
    if ticket.expired(now.wall_at):
        return NoticeCode.TICKET_EXPIRED
    if ticket.state in (TicketState.PAID, TicketState.HANDED_OVER):
        return NoticeCode.TICKET_PAID
    if ticket.state is not TicketState.ISSUED:
        return NoticeCode.TICKET_NOT_READY
    return NoticeCode.TICKET_ELSEWHERE if ticket.order_id else None


def collected_lines(unit: Unit, basket_id: str) -> frozenset[str]:
    """Return the ids of the lines that tickets gave to a basket: they join no others and stay as they are."""
    return frozenset(line for one in unit.collections.of_basket(basket_id) for line in one.line_ids)


def refresh_tickets(unit: Unit, box: Box, busy: Busy, basket: Basket, now: Instant) -> Basket | None:
    """Return the basket with its tickets as they were collected; None when one of them has changed.

    Then the basket on the screen has what they are now, without those that cannot be paid any more, and a
    notice says so: the cashier looks before anybody pays.
    """
    changed: list[str] = []
    fresh = basket
    for one in unit.collections.of_basket(basket.basket_id):
        ticket = unit.tickets.get(one.ticket_id)
        payable = ticket is not None and problem_of(unit, ticket, now) is None
        lines = ticket_lines(unit, box, ticket) if ticket is not None and payable else ()
        there = tuple(line for line in fresh.lines if line.line_id in one.line_ids)
        if lines == there:
            continue
        changed.append(ticket.number if ticket is not None else one.ticket_id)
        fresh = without_ticket(unit, fresh, one.ticket_id, now)
        if lines:
            ids = tuple(line.line_id for line in lines)
            fresh = replace(fresh, lines=(*fresh.lines, *lines))
            unit.collections.put(Collected(basket.basket_id, one.ticket_id, ids, now.wall_at))
    if not changed:
        return basket
    words: dict[str, str | int] = {"numbers": " ".join(changed)}
    notice = Notice(box.ids.new_id(), "warn", NoticeCode.TICKETS_CHANGED, words)
    save(unit, busy, now, basket=fresh, notice=notice)
    return None


def bind_collected(unit: Unit, box: Box, order: Order, now: Instant) -> None:
    """Have an order that was made of a basket pay the basket's tickets; raise Declined when one cannot be."""
    kept = [unit.tickets.get(one.ticket_id) for one in unit.collections.of_basket(order.basket_id)]
    bind_tickets(unit, box, [one for one in kept if one is not None], order, now)


def ticket_lines(unit: Unit, box: Box, ticket: Ticket) -> tuple[LineItem, ...]:
    """Return a ticket's lines for a basket; the guide has checked the shopper's age already."""
    return tuple(replace(line, age_min=0) for line in lines_of_ticket(unit, box, ticket))


def without_ticket(unit: Unit, basket: Basket, ticket_id: str, now: Instant) -> Basket:
    kept = {one.ticket_id: one for one in unit.collections.of_basket(basket.basket_id)}
    if ticket_id not in kept:
        raise Invalid(f"ticket {ticket_id} is not in this basket; look at the screen again")
    gone = frozenset(kept[ticket_id].line_ids)
    unit.collections.drop(basket.basket_id, ticket_id)
    left = tuple(line for line in basket.lines if line.line_id not in gone)
    return replace(basket, lines=left, changed_at=now.wall_at)
