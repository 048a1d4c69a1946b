"""What a till shows of counter tickets: those in its basket, those that were paid, those it finds."""

from __future__ import annotations

from edge.clock import local
from edge.retail.order import Order
from edge.retail.ticket import Ticket
from edge.services.box import Box, WorkstationKind
from edge.services.collect_tickets import FoundTicket, find_tickets, need_till
from edge.services.records import Unit
from edge.services.workstation import Busy, load

#: Names of goods that a found ticket shows.
MAX_NAMES = 3


def screen_tickets(unit: Unit, box: Box, busy: Busy) -> list[dict[str, object]] | None:
    """Return the tickets on a till's screen, None where none are collected.

    release_code: once the order is paid; it goes to the shopper alone, so a cashier's screen alone has it.
    """
    if not collects(box, busy.state.workstation):
        return None
    if busy.screen == "paid" and busy.order is not None:
        return [_shown(box, one, code=one.release_code) for one in unit.tickets.of_order(busy.order.order_id)]
    if busy.basket is None:
        return []
    rows = []
    for kept in unit.collections.of_basket(busy.basket.basket_id):
        ticket = unit.tickets.get(kept.ticket_id)
        if ticket is not None:
            rows.append(_shown(box, ticket) | {"lines": list(kept.line_ids)})
    return rows


def paid_tickets(unit: Unit, box: Box, order: Order) -> list[dict[str, object]]:
    """Return the tickets that a till's order paid, each with its release code until the goods are gone.

    Whoever has the till's receipt has the codes, as they stand on its paper; other orders have none here.
    """
    if not shows_codes(unit, box, order):
        return []
    return [
        _shown(box, one, code=one.release_code) | {"state": one.state.value}
        for one in unit.tickets.of_order(order.order_id)
    ]


def shows_codes(unit: Unit, box: Box, order: Order) -> bool:
    """Return whether an order was paid at a till and has goods at counters."""
    place = box.workstations.get(order.workstation)
    if place is None or place.kind is not WorkstationKind.TILL:
        return False
    return bool(unit.tickets.of_order(order.order_id))


def collects(box: Box, workstation: str) -> bool:
    """Return whether tickets are collected there: at tills of a box whose counters write any."""
    counters = any(one.kind is WorkstationKind.COUNTER for one in box.workstations.values())
    return counters and box.workstation(workstation).kind is WorkstationKind.TILL


def search_tickets(box: Box, workstation: str, text: str) -> list[dict[str, object]]:
    """Return the tickets that a cashier may mean, newest first; raise Declined at a place that is no till."""
    need_till(box, workstation)
    now = box.clock.now()

    def query(unit: Unit) -> list[dict[str, object]]:
        basket = load(unit, box, workstation).basket
        found = find_tickets(unit, box, text, now, basket.basket_id if basket is not None else "")
        return [_found(box, one) for one in found]

    return box.store.read(query)


def _found(box: Box, found: FoundTicket) -> dict[str, object]:
    ticket = found.ticket
    names = [line.name for line in ticket.lines]
    names_en = [line.name_en or line.name for line in ticket.lines]
    issued = ticket.issued_at or ticket.opened_at
    return _shown(box, ticket) | {
        "problem": found.problem.value if found.problem is not None else None,
        "at_phone": found.held_by_phone,
        "count": len(names),
        "goods": "、".join(names[:MAX_NAMES]),
        "goods_en": ", ".join(names_en[:MAX_NAMES]),
        "issued": f"{local(issued, box.rules.zone):%H:%M}",
    }


def _shown(box: Box, ticket: Ticket, *, code: str = "") -> dict[str, object]:
    tenant = box.tenant(ticket.tenant_id)
    return {
        "id": ticket.ticket_id,
        "number": ticket.number,
        "counter": ticket.counter,
        "tenant": tenant.name,
        "tenant_en": tenant.name_en or tenant.name,
        "total_fen": ticket.total_fen,
        "release_code": code or None,
    }
