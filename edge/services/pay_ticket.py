"""A ticket is paid: by the shopper's phone with an order of its own, or at the counter by a payment code."""

from __future__ import annotations

from dataclasses import replace

from edge.clock import Instant
from edge.errors import Corrupt, Declined, Invalid
from edge.members.conversion import ConversionStep
from edge.retail.basket import Basket, BasketState, change_state
from edge.retail.order import Order, OrderState, freeze
from edge.retail.ticket import Ticket, TicketState
from edge.services.box import PHONE, Box
from edge.services.business_day import business_day
from edge.services.earn_points import claim_member_of
from edge.services.issue_ticket import guide_touchpoint, ticket_of_token
from edge.services.journey_records import LinkKind
from edge.services.pay_by_phone import (
    GATEWAY,
    PaymentShown,
    begin_order_payment,
    give_up_order,
    phone_payment,
)
from edge.services.phone_order import cancel_phone_order
from edge.services.phone_records import PhoneSession
from edge.services.phone_session import busy_with, member_of_session
from edge.services.record_conversion import Details, adopt_way, record_conversion
from edge.services.records import Unit
from edge.services.settle_tickets import bind_tickets, lines_of_ticket
from edge.services.stay_lines import asks_for_stays
from edge.services.workstation import Busy, load, save
from edge.services.write_ticket import need_counter, need_ticket


def meet_ticket(box: Box, token: str, session: PhoneSession) -> Ticket:
    """Return the ticket of a code that a phone has opened, and note whose phone it was.

    Until it is paid the ticket goes on with the phone's way, on which the guide's code was scanned; a phone
    that is signed in makes it its member's. Raises Invalid for a code that is none of ours.
    """
    now = box.clock.now()
    ticket, known = box.store.read(lambda unit: _known(unit, box, token, session, now))
    if known or ticket.state is not TicketState.ISSUED or ticket.order_id:
        return ticket
    return box.store.write(lambda unit: _met(unit, box, ticket.ticket_id, session, now))


def begin_ticket_payment(box: Box, token: str, session: PhoneSession) -> PaymentShown:
    """Make the order with which this phone pays a ticket, and its order at the gateway; once for all.

    Asking again returns the same payment. What the phone was to pay before and left is given up: a phone pays
    one thing at a time, and a cart comes back. Raises Declined for a ticket that somebody else pays or paid,
    that has expired or was taken back, and where phones cannot pay; Unavailable when no gateway can be
    reached: the ticket then stays unpaid, and can be paid again.
    """
    if GATEWAY not in box.prepayers:
        raise Declined("phones cannot pay here by themselves; show your payment code at the counter")
    _leave_other(box, token, session)
    now = box.clock.now()
    order, counter = box.store.write(lambda unit: _order_of_phone(unit, box, token, session, now))
    box.changed(counter)
    if order.state is OrderState.AWAITING:
        begin_order_payment(box, order.order_id, GATEWAY, session.openid)
        box.changed(counter)
    return box.store.read(lambda unit: phone_payment(unit, box, _reread(unit, order)))


def give_up_ticket_payment(box: Box, token: str, session: PhoneSession) -> None:
    """Give up the order by which this phone is to pay a ticket, at the gateway first, unless it is paid.

    The ticket can be paid again then. Raises Declined for another phone's order, Unavailable while it cannot
    be closed for sure.
    """

    def query(unit: Unit) -> tuple[Ticket, bool]:
        found = ticket_of_token(unit, box, token)
        return found, bool(found.order_id) and unit.phones.has_order(session, found.order_id)

    ticket, own = box.store.read(query)
    if ticket.order_id and not own:
        raise Declined(f"ticket {ticket.number} is being paid by another phone")
    if ticket.order_id:
        give_up_order(box, ticket.order_id)
        box.changed(ticket.counter)


def take_ticket_here(box: Box, counter: str, ticket_id: str) -> None:
    """Put a ticket's order on its counter's screen, to be charged by a payment code there.

    What a phone was to pay is closed first, at the gateway. Raises Declined for a ticket that cannot be paid
    (any more), Unavailable while the phone's payment is not surely closed.
    """
    need_counter(box, counter)
    ticket = box.store.read(lambda unit: need_ticket(unit, counter, ticket_id))
    if ticket.order_id and ticket.state is TicketState.ISSUED:
        order = box.store.read(lambda unit: unit.orders.get(ticket.order_id))
        if order is not None and order.workstation == PHONE:
            give_up_order(box, order.order_id)
    now = box.clock.now()
    box.store.write(
        lambda unit: put_ticket_order(
            *(unit, box, load(unit, box, counter), need_ticket(unit, counter, ticket_id), now)
        )
    )
    box.changed(counter)


def put_ticket_order(unit: Unit, box: Box, busy: Busy, ticket: Ticket, now: Instant) -> Busy:
    """Do what `take_ticket_here` does, in the caller's unit, for a ticket that no phone pays."""
    present = busy.order
    if present is not None and present.state is OrderState.AWAITING:
        if present.order_id == ticket.order_id:
            return busy
        raise Declined(f"order {present.number} is on the screen of {ticket.counter}; finish it first")
    order, basket = _order(unit, box, ticket, ticket.counter, now)
    save(unit, busy, now, basket=basket, order=order)
    bind_tickets(unit, box, [ticket], order, now)
    if ticket.member_id:
        claim_member_of(unit, basket.basket_id, ticket.member_id, now)
    return load(unit, box, ticket.counter)


def _known(unit: Unit, box: Box, token: str, session: PhoneSession, now: Instant) -> tuple[Ticket, bool]:
    """Return a ticket, and whether it was met by this phone last, so that looking again writes nothing."""
    ticket = ticket_of_token(unit, box, token)
    member = member_of_session(unit, box, session, now)
    mine = box.touch is None or session.correlation == unit.journeys.linked(LinkKind.TICKET, ticket.ticket_id)
    return ticket, mine and (member is None or member.member_id == ticket.member_id)


def _met(unit: Unit, box: Box, ticket_id: str, session: PhoneSession, now: Instant) -> Ticket:
    ticket = unit.tickets.get(ticket_id)
    if ticket is None:
        raise Corrupt(f"ticket {ticket_id} vanished while a phone looked at it")
    if ticket.state is not TicketState.ISSUED or ticket.order_id:
        return ticket
    way = session.correlation
    if way and box.touch is not None:
        adopt_way(unit, box, LinkKind.TICKET, ticket_id, way, now)
        details = Details(ticket.tenant_id, ticket.guide_id, subject=ticket_id)
        record_conversion(unit, box, ConversionStep.SCANNED, way, guide_touchpoint(ticket), now, details)
    member = member_of_session(unit, box, session, now)
    if member is None or member.member_id == ticket.member_id:
        return ticket
    if way:
        told = Details(ticket.tenant_id, ticket.guide_id, member_id=member.member_id)
        place = guide_touchpoint(ticket)
        record_conversion(unit, box, ConversionStep.IDENTIFIED, way, place, now, told)
    met = replace(ticket, member_id=member.member_id, changed_at=now.wall_at)
    unit.tickets.put(met)
    return met


def _leave_other(box: Box, token: str, session: PhoneSession) -> None:
    """Give up the order of other goods that this phone is busy with, at the gateway first."""

    def other(unit: Unit) -> str:
        ticket = ticket_of_token(unit, box, token)
        present = unit.phones.get(session.session_id) or session
        order = unit.orders.get(present.order_id) if present.order_id else None
        if order is None or order.order_id == ticket.order_id or order.state is not OrderState.AWAITING:
            return ""
        goods = order.workstation == PHONE and not asks_for_stays(order.lines)
        return order.order_id if goods else ""

    order_id = box.store.read(other)
    if order_id:
        give_up_order(box, order_id)


def _order_of_phone(
    unit: Unit, box: Box, token: str, session: PhoneSession, now: Instant
) -> tuple[Order, str]:
    ticket = ticket_of_token(unit, box, token)
    known = unit.orders.get(ticket.order_id) if ticket.order_id else None
    if known is not None:
        if unit.phones.has_order(session, known.order_id):
            return known, ticket.counter
        if ticket.state is TicketState.ISSUED and _forsaken(unit, known):
            cancel_phone_order(unit, box, known, now)
            ticket = ticket_of_token(unit, box, token)
    ticket = _met(unit, box, ticket.ticket_id, session, now)
    order, basket = _order(unit, box, ticket, PHONE, now)
    unit.baskets.put(basket)
    unit.orders.put(order)
    bind_tickets(unit, box, [ticket], order, now)
    member = member_of_session(unit, box, session, now)
    if member is not None:
        claim_member_of(unit, basket.basket_id, member.member_id, now)
    present = unit.phones.get(session.session_id) or session
    busy_with(unit, session, now, basket_id=present.basket_id, order_id=order.order_id)
    return order, ticket.counter


def _order(unit: Unit, box: Box, ticket: Ticket, place: str, now: Instant) -> tuple[Order, Basket]:
    """Return a new order of a ticket's goods, for a place, with its basket; neither is written yet."""
    basket = Basket(
        basket_id=box.ids.new_id(),
        workstation=place,
        opened_at=now.wall_at,
        lines=lines_of_ticket(unit, box, ticket),
        cleared_age=ticket.cleared_age,
        changed_at=now.wall_at,
    )
    day = business_day(box, now)
    number = f"{place}-{unit.orders.take_number(day):04d}"
    order = freeze(basket, box.ids.new_id(), number, day, now.wall_at)
    return order, change_state(basket, BasketState.ORDERED, now.wall_at)


def _forsaken(unit: Unit, order: Order) -> bool:
    waits = order.state is OrderState.AWAITING and order.workstation == PHONE and not order.tenders
    return waits and not any(one.is_open for one in unit.attempts.of_order(order.order_id))


def _reread(unit: Unit, order: Order) -> Order:
    found = unit.orders.get(order.order_id)
    if found is None:
        raise Invalid(f"there is no order {order.order_id}; look again")
    return found
