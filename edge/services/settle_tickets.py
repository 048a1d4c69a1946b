"""Which order pays which tickets: bound before money moves, freed when it comes to nothing, settled once.

A ticket is paid by at most one order at a time; everything here runs in the unit of work that makes, cancels,
completes or refunds that order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from edge.clock import Instant
from edge.errors import Corrupt
from edge.members.conversion import is_correlation
from edge.retail.basket import LineItem
from edge.retail.order import Order, OrderState
from edge.retail.refund import Refund
from edge.retail.ticket import (
    Ticket,
    TicketState,
    bind_ticket,
    free_ticket,
    refund_ticket,
    settle_ticket,
)
from edge.services.await_hand_over import end_waiting
from edge.services.box import Box
from edge.services.journey_records import LinkKind
from edge.services.record_conversion import adopt_way
from edge.services.records import Unit
from edge.services.ticket_paper import queue_ticket_slip

#: So often another release code is drawn when a ticket of the counter has the same.
_DRAWS = 20


def lines_of_ticket(unit: Unit, box: Box, ticket: Ticket) -> tuple[LineItem, ...]:
    """Return what an order takes over of a ticket: its lines with the prices that its guide gave."""
    return ticket.lines


def bind_tickets(unit: Unit, box: Box, tickets: Iterable[Ticket], order: Order, now: Instant) -> None:
    """Have an order that waits pay these tickets; no other one can from then on.

    The order goes on with the way of the first ticket that has one, unless it has its own. Raises Declined
    for a ticket that another order is to pay, or that cannot be paid (any more).
    """
    way = unit.journeys.linked(LinkKind.ORDER, order.order_id)
    for ticket in tickets:
        bound = bind_ticket(ticket, order.order_id, now.wall_at)
        unit.tickets.put(bound)
        ways = unit.journeys.linked(LinkKind.TICKET, ticket.ticket_id)
        if not way and is_correlation(ways):
            way = ways
            adopt_way(unit, box, LinkKind.ORDER, order.order_id, way, now)
        box.changed(ticket.counter)


def free_tickets(unit: Unit, order: Order) -> tuple[Ticket, ...]:
    """Have the tickets of a cancelled order be payable again; return them."""
    freed = []
    for ticket in unit.tickets.of_order(order.order_id):
        free = free_ticket(ticket)
        if free != ticket:
            unit.tickets.put(free)
            freed.append(free)
    return tuple(freed)


def release_tickets(unit: Unit, box: Box, order: Order) -> bool:
    """Free a cancelled order's tickets and have their counters look again; return whether it had any."""
    freed = free_tickets(unit, order)
    for ticket in freed:
        box.changed(ticket.counter)
    return bool(freed)


def settle_tickets(unit: Unit, box: Box, order: Order, now: Instant) -> None:
    """Mark the tickets of a paid order as paid, each with its release code, and print their counters' slips.

    Raises Corrupt for a ticket that cannot be paid any more: its order would have been refused.
    """
    for ticket in unit.tickets.of_order(order.order_id):
        if ticket.state is not TicketState.ISSUED:
            raise Corrupt(f"order {order.number} pays ticket {ticket.number}, which is {ticket.state}")
        paid = settle_ticket(ticket, _release_code(unit, box, ticket.counter), now.wall_at)
        unit.tickets.put(paid)
        queue_ticket_slip(unit, box, paid, order, now)
        box.changed(ticket.counter)


def unsettle_tickets(unit: Unit, box: Box, order: Order, refund: Refund, now: Instant) -> None:
    """Note on the tickets of an order what a refund gave back of each."""
    back = {line.line_id: line.amount_fen for line in refund.lines}
    for ticket in unit.tickets.of_order(order.order_id):
        back_fen = sum(back.get(line.line_id, 0) for line in ticket.lines)
        if back_fen and order.state is OrderState.PAID:
            marked = refund_ticket(ticket, back_fen, now.wall_at, refund.decided_by)
            unit.tickets.put(marked)
            if marked.state is TicketState.CANCELLED:
                end_waiting(unit, marked, now, "refunded")
            box.changed(ticket.counter)


def paid_here(unit: Unit, ticket: Ticket) -> bool:
    """Return whether a ticket was paid at its own counter, before the eyes of whoever hands it over."""
    order = unit.orders.get(ticket.order_id) if ticket.order_id else None
    return order is not None and order.workstation == ticket.counter


def _release_code(unit: Unit, box: Box, counter: str) -> str:
    """Return six digits that no other ticket waits with at this counter."""
    taken = {one.release_code for one in unit.tickets.open_of(counter)}
    for _ in range(_DRAWS):
        digest = hashlib.sha256(box.ids.new_token().encode()).digest()
        code = f"{int.from_bytes(digest[:8]) % 1_000_000:06d}"
        if code not in taken:
            return code
    raise Corrupt(f"counter {counter} has no release code left; hand over what is paid first")
