"""Hand a paid ticket's goods over: against the payer's release code, or by a supervisor with a reason."""

from __future__ import annotations

import re

from edge.clock import Instant
from edge.errors import Corrupt, Declined, Invalid
from edge.retail.ticket import Ticket, TicketState, hand_over, release
from edge.services.await_hand_over import end_waiting
from edge.services.box import Box
from edge.services.events import EventKind, record_event
from edge.services.hand_over_notices import queue_hand_over
from edge.services.journey_records import LinkKind
from edge.services.records import Unit
from edge.services.settle_tickets import paid_here
from edge.services.staff import StaffMember
from edge.services.ticket_events import ticket_handed_over
from edge.services.write_ticket import APPROVER, change_ticket, need_counter, need_ticket

#: What the phone's code of a release code holds, for the counter's scanner.
RELEASE_PREFIX = "HO-"
_RELEASE = re.compile(rf"{RELEASE_PREFIX}([0-9]{{6}})", re.ASCII)

#: The longest description of goods that WeChat takes (item_desc, 120 characters).
_MAX_DESCRIPTION = 120


def release_code_of(text: str) -> str:
    """Return the release code in what a scanner read, "" for anything else."""
    found = _RELEASE.fullmatch(text.strip())
    return found.group(1) if found else ""


def hand_over_ticket(box: Box, counter: str, ticket_id: str, code: str, by: str) -> Ticket:
    """Hand a ticket over against its release code, and have WeChat told that the goods were picked up.

    A ticket that was paid at this counter itself needs none ("" then). Raises Declined for a wrong code, each
    of which counts, for a ticket that is locked by them, and for one that is not to be handed over.
    """
    need_counter(box, counter)
    now = box.clock.now()
    ticket, right = box.store.write(
        lambda unit: try_release(unit, box, need_ticket(unit, counter, ticket_id), code, by, now)
    )
    box.changed(counter)
    if not right:
        raise Declined(wrong_code(ticket))
    return ticket


def force_hand_over(
    box: Box, counter: str, ticket_id: str, approver: StaffMember, by: str, reason: str
) -> Ticket:
    """Hand a paid ticket over without its code, by a supervisor, such as when the phone's battery is empty.

    Raises Declined for who is no supervisor, Invalid without a reason.
    """
    if approver.role != APPROVER:
        raise Declined("only a supervisor hands goods over without the release code")
    words = " ".join(reason.split())[:100]
    if not words:
        raise Invalid("say why the goods are handed over without the code")
    who = f"{by} / {approver.name}: {words}"
    return change_ticket(
        *(box, counter, ticket_id), lambda unit, ticket, now: _hand_over(unit, box, ticket, who, now)
    )


def try_release(
    unit: Unit, box: Box, ticket: Ticket, code: str, by: str, now: Instant
) -> tuple[Ticket, bool]:
    """Do what `hand_over_ticket` does, in the caller's unit; return the ticket and whether it is gone."""
    if not code and ticket.state is TicketState.PAID and paid_here(unit, ticket):
        done = _hand_over(unit, box, ticket, by, now)
        unit.tickets.put(done)
        return done, True
    tried = release(ticket, code, now.wall_at)
    if tried.wrong_codes:
        unit.tickets.put(tried)
        return tried, False
    done = _hand_over(unit, box, tried, by, now)
    unit.tickets.put(done)
    return done, True


def wrong_code(ticket: Ticket) -> str:
    """Return what to tell somebody who said a wrong release code."""
    if ticket.locked:
        return f"too many wrong codes for ticket {ticket.number}; a supervisor must hand it over"
    return f"this is not the release code of ticket {ticket.number}; look at the payer's phone again"


def _hand_over(unit: Unit, box: Box, ticket: Ticket, by: str, now: Instant) -> Ticket:
    done = hand_over(ticket, now.wall_at, by)
    end_waiting(unit, done, now, "handed over")
    order = unit.orders.get(ticket.order_id)
    if order is None:
        raise Corrupt(f"ticket {ticket.number} was paid by order {ticket.order_id}, which is not there")
    way = unit.journeys.linked(LinkKind.ORDER, order.order_id)
    data = ticket_handed_over(done)
    record_event(unit, box.ids, now, box.origin, EventKind.TICKET_HANDED_OVER, ticket.ticket_id, data, way)
    others = (one for one in unit.tickets.of_order(order.order_id) if one.ticket_id != ticket.ticket_id)
    if all(one.state is not TicketState.PAID for one in others):
        # One payment has one hand-over: WeChat is told with the last ticket of it.
        goods = "、".join(line.name for line in order.lines)[:_MAX_DESCRIPTION]
        queue_hand_over(unit, box, order, goods, now)
    return done
