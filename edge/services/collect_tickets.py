"""Central cashier (集中收银): a till collects several counters' tickets in a basket and takes one payment.

A ticket lies in a basket with its lines as its guide priced them; they are changed or taken out only
together. It is nobody's until the order is made: then all are bound to it in the same unit of work, or none,
and what has changed since is said first. Money, slips and release codes follow as for any order that pays
tickets.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from edge.clock import Instant
from edge.codes.signed_token import TokenKind, read_token
from edge.errors import Declined, Invalid
from edge.parking.validation import Holder
from edge.retail.basket import MAX_LINES, BasketState
from edge.retail.order import OrderState
from edge.retail.ticket import Ticket
from edge.services.box import PHONE, Box, WorkstationKind
from edge.services.check_out import reopen
from edge.services.collected import problem_of, ticket_lines, without_ticket
from edge.services.collection_records import Collected
from edge.services.find_members import find_members
from edge.services.pay_by_phone import give_up_order
from edge.services.records import Unit
from edge.services.validation_records import Claim
from edge.services.workstation import (
    Busy,
    Notice,
    NoticeCode,
    act,
    need_basket,
    open_basket,
    save,
    show_notice,
)

#: Tickets that one search returns, and that one basket takes.
MAX_FOUND = 30
MAX_COLLECTED = 20


@dataclass(frozen=True, slots=True)
class FoundTicket:
    """A ticket as a cashier finds it. problem: why it cannot be collected now, None when it can.

    held_by_phone: a phone has begun to pay it; a cashier may take it over.
    """

    ticket: Ticket
    problem: NoticeCode | None
    held_by_phone: bool = False


def find_tickets(unit: Unit, box: Box, text: str, now: Instant, basket_id: str = "") -> list[FoundTicket]:
    """Return the tickets that a text means, newest first: "" all that wait.

    text: a ticket's number or its end, what its QR code says, or a member's phone number, its last four
    digits, or card.
    """
    tidy = text.strip()
    found: dict[str, Ticket] = {}
    by_code = _by_token(unit, box, tidy.rstrip("/").rpartition("/")[2])
    whole = unit.tickets.by_number(tidy.upper()) if tidy else None
    for one in (by_code, whole, *unit.tickets.find(tidy.upper(), MAX_FOUND)):
        if one is not None:
            found.setdefault(one.ticket_id, one)
    for member in find_members(unit, box, tidy) if tidy else ():
        for one in unit.tickets.of_member(str(member["member_id"]), MAX_FOUND):
            found.setdefault(one.ticket_id, one)
    return [
        FoundTicket(one, problem_of(unit, one, now, basket_id), _at_phone(unit, one))
        for one in list(found.values())[:MAX_FOUND]
    ]


def collect_ticket(box: Box, workstation: str, ticket_id: str, *, take_over: bool = False) -> None:
    """Put a ticket into the till's basket; what cannot be is said on its screen.

    take_over: when a phone has begun to pay it, that is closed first. Raises Unavailable while it cannot be,
    and Declined at a place that is no till.
    """
    if take_over:
        _free_from_phone(box, ticket_id)

    def step(unit: Unit, busy: Busy, now: Instant) -> None:
        ticket = unit.tickets.get(ticket_id)
        if ticket is None:
            raise Invalid(f"there is no ticket {ticket_id}; look for it again")
        take_ticket(unit, box, busy, now, ticket)

    act(box, workstation, step)


def take_ticket(unit: Unit, box: Box, busy: Busy, now: Instant, ticket: Ticket) -> NoticeCode | None:
    """As collect_ticket, in a unit; return what was said on the screen, None when it lies in the basket."""
    need_till(box, busy.state.workstation)
    if busy.order is not None and busy.order.state is OrderState.AWAITING:
        if busy.money_in_flight or busy.order.tenders:
            raise Declined(f"order {busy.order.number} is being paid; finish it before another ticket")
        busy = reopen(unit, box, busy, now)
    filling = busy.basket is not None and busy.basket.state is BasketState.OPEN
    problem = problem_of(unit, ticket, now, busy.basket.basket_id if busy.basket and filling else "")
    if problem is not None:
        _say(unit, busy, now, problem, ticket)
        return problem
    basket = open_basket(box, busy, now)
    lines = ticket_lines(unit, box, ticket)
    if len(basket.lines) + len(lines) > MAX_LINES:
        raise Invalid(f"a basket holds {MAX_LINES} lines at most; pay for these first")
    if len(unit.collections.of_basket(basket.basket_id)) >= MAX_COLLECTED:
        raise Invalid(f"{MAX_COLLECTED} tickets are paid at once at most; pay for these first")
    filled = replace(basket, lines=(*basket.lines, *lines), changed_at=now.wall_at)
    save(unit, busy, now, basket=filled)
    ids = tuple(line.line_id for line in lines)
    unit.collections.put(Collected(basket.basket_id, ticket.ticket_id, ids, now.wall_at))
    _claim(unit, basket.basket_id, ticket, now)
    return None


def scan_ticket(unit: Unit, box: Box, busy: Busy, now: Instant, token: str) -> NoticeCode | None:
    """Collect the ticket whose QR code was scanned, as take_ticket; a token that is not ours is said so."""
    ticket = _by_token(unit, box, token)
    if ticket is None:
        _say(unit, busy, now, NoticeCode.TICKET_UNKNOWN, None)
        return NoticeCode.TICKET_UNKNOWN
    return take_ticket(unit, box, busy, now, ticket)


def take_out_ticket(box: Box, workstation: str, ticket_id: str) -> None:
    """Take a ticket with all its lines out of the till's basket again."""

    def step(unit: Unit, busy: Busy, now: Instant) -> None:
        basket = need_basket(busy)
        save(unit, busy, now, basket=without_ticket(unit, basket, ticket_id, now))

    act(box, workstation, step)


def need_till(box: Box, workstation: str) -> None:
    """Raise Declined at a place where tickets are not collected."""
    if box.workstation(workstation).kind is not WorkstationKind.TILL:
        raise Declined(f"{workstation} is no till; tickets are collected at a till with a cashier")


def _by_token(unit: Unit, box: Box, token: str) -> Ticket | None:
    if not box.phone.key:
        return None
    try:
        code = read_token(TokenKind.TICKET, token, box.phone.key)
    except Invalid:
        return None
    return unit.tickets.by_code(code)


def _claim(unit: Unit, basket_id: str, ticket: Ticket, now: Instant) -> None:
    """The first member among the tickets is whose purchase it is, unless somebody was named already."""
    if ticket.member_id and unit.validations.claim(basket_id) is None:
        unit.validations.put_claim(Claim(basket_id, Holder(member_id=ticket.member_id), now.wall_at))


def _say(unit: Unit, busy: Busy, now: Instant, code: NoticeCode, ticket: Ticket | None) -> None:
    params: dict[str, str | int] = {}
    if ticket is not None:
        params = {"number": ticket.number, "counter": ticket.counter}
    show_notice(unit, busy, now, Notice(f"ticket-{now.boottime_ns}", "warn", code, params))


def _at_phone(unit: Unit, ticket: Ticket) -> bool:
    order = unit.orders.get(ticket.order_id) if ticket.order_id else None
    return order is not None and order.state is OrderState.AWAITING and order.workstation == PHONE


def _free_from_phone(box: Box, ticket_id: str) -> None:
    def query(unit: Unit) -> str:
        ticket = unit.tickets.get(ticket_id)
        return ticket.order_id if ticket is not None and _at_phone(unit, ticket) else ""

    order_id = box.store.read(query)
    if order_id:
        give_up_order(box, order_id)
