"""A guide writes a ticket: opens it, scans and types what is on it, and lowers prices within limits."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import replace

from edge.clock import Instant
from edge.codes.reading import CodeReading
from edge.errors import Declined, Invalid
from edge.retail.catalogue import Product
from edge.retail.ticket import (
    MAX_REASON,
    PriceOverride,
    Ticket,
    add_to_ticket,
    amount_line,
    override_price,
    price_of,
    set_ticket_quantity,
)
from edge.services.box import Box, Workstation, WorkstationKind
from edge.services.business_day import business_day
from edge.services.events import EventKind, record_event
from edge.services.journey_records import LinkKind
from edge.services.records import Unit
from edge.services.scan_item import find_product, line_of
from edge.services.staff import StaffMember
from edge.services.ticket_events import price_overridden
from edge.services.ticket_records import CounterDesk

#: Length of the code in a ticket's QR token.
CODE_CHARS = 15

#: Tickets that a counter may have open or unpaid; more than that nobody keeps an eye on.
MAX_OPEN = 200

#: Who may approve a price that is beyond a guide's own limit.
APPROVER = "supervisor"


def need_counter(box: Box, counter: str) -> Workstation:
    """Return the settings of a counter; raise Invalid for a workstation that is none."""
    place = box.workstation(counter)
    if place.kind is not WorkstationKind.COUNTER:
        raise Invalid(f"workstation {counter} is no counter; tickets are written at counters")
    return place


def open_ticket(box: Box, counter: str, guide_id: str) -> Ticket:
    """Open an empty ticket of a guide and put it on the counter's tablet.

    The guide's first empty ticket there is taken up again. Raises Declined while no new sale is begun, and
    when too many are unpaid.
    """
    place = need_counter(box, counter)
    now = box.clock.now()

    def work(unit: Unit) -> Ticket:
        open_now = unit.tickets.open_of(counter)
        empty = (one for one in open_now if one.guide_id == guide_id and not one.lines)
        ticket = next((one for one in empty if one.state.value == "open"), None)
        if ticket is None:
            _may_open(box, counter, sum(one.paid_at is None for one in open_now))
            ticket = _new(unit, box, place, guide_id, now)
        unit.tickets.put_desk(CounterDesk(counter, guide_id, ticket.ticket_id))
        return ticket

    ticket = box.store.write(work)
    box.changed(counter)
    return ticket


def pick_ticket(box: Box, counter: str, guide_id: str, ticket_id: str) -> None:
    """Put a ticket of this counter on its tablet, "" none; scans go to it from then on."""
    need_counter(box, counter)

    def work(unit: Unit) -> None:
        if ticket_id:
            need_ticket(unit, counter, ticket_id)
        unit.tickets.put_desk(CounterDesk(counter, guide_id, ticket_id))

    box.store.write(work)
    box.changed(counter)


def need_ticket(unit: Unit, counter: str, ticket_id: str) -> Ticket:
    """Return a ticket of a counter; raise Invalid for one of another counter or none."""
    ticket = unit.tickets.get(ticket_id)
    if ticket is None or ticket.counter != counter:
        raise Invalid(f"there is no ticket {ticket_id[:40]} at {counter}; look at the list again")
    return ticket


def change_ticket(
    box: Box, counter: str, ticket_id: str, step: Callable[[Unit, Ticket, Instant], Ticket]
) -> Ticket:
    """Run one step of a ticket in one unit of work and return what was written."""
    need_counter(box, counter)
    now = box.clock.now()

    def work(unit: Unit) -> Ticket:
        changed = step(unit, need_ticket(unit, counter, ticket_id), now)
        unit.tickets.put(changed)
        return changed

    ticket = box.store.write(work)
    box.changed(counter)
    return ticket


def add_article(
    unit: Unit, box: Box, ticket: Ticket, reading: CodeReading, now: Instant
) -> tuple[Ticket, str] | None:
    """Return the ticket with the article of a reading, and its line; None when nobody sells it.

    Raises Declined for another tenant's goods, unless they are allowed.
    """
    found = find_product(unit, reading, now.wall_at)
    if found is None:
        return None
    product, used = found
    if not may_sell(box, ticket, product):
        owner = box.tenant(product.tenant_id).name
        raise Declined(f"{product.name} is sold by {owner}; this counter sells only its own goods")
    line = line_of(box.ids.new_id(), product, used)
    changed = add_to_ticket(ticket, line, now.wall_at)
    unit.tickets.put(changed)
    return changed, changed.lines[-1].line_id


def may_sell(box: Box, ticket: Ticket, product: Product) -> bool:
    """Return whether a product may be on a ticket: the counter's own goods, others where they are allowed."""
    return product.tenant_id == ticket.tenant_id or box.counter.foreign_goods


def add_amount(
    box: Box, counter: str, ticket_id: str, name: str, price_fen: int, quantity: int = 1
) -> Ticket:
    """Add a line of a name and a price, at counters whose goods are in no catalogue."""

    def step(unit: Unit, ticket: Ticket, now: Instant) -> Ticket:
        line = amount_line(box.ids.new_id(), ticket.tenant_id, name, price_fen, quantity)
        return add_to_ticket(ticket, line, now.wall_at)

    return change_ticket(box, counter, ticket_id, step)


def change_quantity(box: Box, counter: str, ticket_id: str, line_id: str, quantity: int) -> Ticket:
    """Set a line's quantity; 0 takes the line out."""
    return change_ticket(
        *(box, counter, ticket_id),
        lambda unit, ticket, now: set_ticket_quantity(ticket, line_id, quantity, now.wall_at),
    )


def lower_price(
    box: Box,
    counter: str,
    ticket_id: str,
    line_id: str,
    price_fen: int,
    reason: str,
    by: str,
    approver: StaffMember | None = None,
) -> Ticket:
    """Lower a line's price, of one piece or of a whole labelled line, with a reason; HQ is told.

    by: the guide. approver: whose PIN was given, needed beyond the guide's own limit. Raises Declined beyond
    the limit of who asks.
    """

    def step(unit: Unit, ticket: Ticket, now: Instant) -> Ticket:
        was_fen = price_of(ticket, line_id)
        words = " ".join(reason.split())[:MAX_REASON]
        asked = PriceOverride(line_id, was_fen, price_fen, by, words, now.wall_at)
        beyond = was_fen > price_fen and asked.off_permille > box.counter.guide_override_permille
        if beyond:
            asked = replace(asked, approved_by=_approved(box, asked, approver))
        changed = override_price(ticket, asked)
        line = next(one for one in changed.lines if one.line_id == line_id)
        data = price_overridden(changed, line, asked)
        kind = EventKind.TICKET_PRICE_OVERRIDDEN
        record_event(unit, box.ids, now, box.origin, kind, ticket.ticket_id, data, _way(unit, ticket))
        return changed

    return change_ticket(box, counter, ticket_id, step)


def _approved(box: Box, asked: PriceOverride, approver: StaffMember | None) -> str:
    own, more = box.counter.guide_override_permille, box.counter.supervisor_override_permille
    if approver is None or approver.role != APPROVER:
        raise Declined(f"more than {own / 10:g} % off needs a supervisor's PIN")
    if asked.off_permille > more:
        raise Declined(f"nobody may take off more than {more / 10:g} %")
    return approver.name


def _way(unit: Unit, ticket: Ticket) -> str:
    return unit.journeys.linked(LinkKind.TICKET, ticket.ticket_id)


def _may_open(box: Box, counter: str, open_now: int) -> None:
    reason = box.closed()
    if reason:
        raise Declined(f"no new ticket is opened at {counter}: {reason}; what has begun goes on")
    if open_now >= MAX_OPEN:
        raise Declined(f"{open_now} tickets are unpaid at {counter}; cancel some first")


def _new(unit: Unit, box: Box, place: Workstation, guide_id: str, now: Instant) -> Ticket:
    day = business_day(box, now)
    digest = hashlib.sha256(box.ids.new_token().encode()).digest()
    ticket = Ticket(
        ticket_id=box.ids.new_id(),
        code=base64.urlsafe_b64encode(digest).decode()[:CODE_CHARS],
        number=f"{place.name}-{unit.orders.take_number(day):04d}",
        counter=place.name,
        tenant_id=place.tenant_id,
        guide_id=guide_id,
        business_day=day,
        opened_at=now.wall_at,
        changed_at=now.wall_at,
    )
    unit.tickets.put(ticket)
    return ticket
