"""A ticket as phones (docs/protocols/phone-api.md) and counters (docs/operations/counter.md) see it."""

from __future__ import annotations

from edge.clock import Instant
from edge.members.points import earned as points_earned
from edge.parking.validation import Holder, Purchase
from edge.parking.validation_rule import earned as parking_earned
from edge.parking.validation_words import say_grant
from edge.retail.basket import LineItem
from edge.retail.order import Order, OrderState
from edge.retail.ticket import AMOUNT_SKU, PriceOverride, Ticket, TicketState, price_of
from edge.services.box import PHONE, Box
from edge.services.identify_member import known_member
from edge.services.phone_records import PhoneSession
from edge.services.records import Unit
from edge.services.settle_tickets import paid_here

Json = dict[str, object]


def ticket_state(unit: Unit, ticket: Ticket, at: int) -> str:
    """Return a ticket's state in a word for people: "paying" and "expired" besides its own."""
    if ticket.expired(at) and not _moves(unit, ticket):
        return "expired"
    if ticket.state is TicketState.ISSUED and _moves(unit, ticket):
        return "paying"
    return ticket.state.value


def show_ticket(
    unit: Unit, box: Box, ticket: Ticket, session: PhoneSession | None, language: str, now: Instant
) -> Json:
    """Return what a phone sees of a ticket; the release code for the session that paid it alone."""
    own = bool(ticket.order_id and session and unit.phones.has_order(session, ticket.order_id))
    state = ticket_state(unit, ticket, now.wall_at)
    if state == "open":
        # The guide has taken it back to change it: nothing of it is a promise now.
        state = "cancelled"
    tenant = box.tenant(ticket.tenant_id)
    return {
        "number": ticket.number,
        "state": state,
        "tenant": {"id": tenant.tenant_id, "name": _named(tenant.name, tenant.name_en, language)},
        "counter": ticket.counter,
        "guide": guide_name(box, ticket.guide_id, language),
        "lines": [_line(ticket, line, language) for line in ticket.lines],
        "total_fen": ticket.total_fen,
        "expires_at": ticket.expires_at,
        "offers": _offers(unit, box, ticket, language, now) if state in ("issued", "paying") else [],
        "order_id": ticket.order_id if own else None,
        "release_code": ticket.release_code or None if own else None,
    }


def show_counter_ticket(unit: Unit, box: Box, ticket: Ticket, now: Instant) -> Json:
    """Return what a counter's tablet sees of a ticket, without its release code."""
    order = unit.orders.get(ticket.order_id) if ticket.order_id else None
    return {
        **show_row(unit, box, ticket, now),
        "lines": [
            {
                **_line(ticket, line, "zh"),
                "line_id": line.line_id,
                "name_en": line.name_en or line.name,
                "by_piece": line.weight_g is None and _by_piece(ticket, line),
                "typed": line.sku == AMOUNT_SKU,
                "own_price_fen": price_of(ticket, line.line_id),
                "weight_g": line.weight_g,
                "age_min": line.age_min,
                **_override(ticket, line),
            }
            for line in ticket.lines
        ],
        "age_needed": ticket.age_min if ticket.age_min > ticket.cleared_age else 0,
        "issued_at": ticket.issued_at,
        "expires_at": ticket.expires_at,
        "where": _where(ticket, order),
        "order_number": order.number if order else None,
        "needs_code": ticket.state is TicketState.PAID and not paid_here(unit, ticket),
        "locked": ticket.locked,
        "closed_at": ticket.closed_at,
        "closed_by": _by(box, ticket.closed_by, "zh"),
        "closed_by_en": _by(box, ticket.closed_by, "en"),
        "end": ticket.end.value if ticket.end else None,
        "refunded_fen": ticket.refunded_fen,
        "member": bool(ticket.member_id),
    }


def show_row(unit: Unit, box: Box, ticket: Ticket, now: Instant) -> Json:
    """Return a ticket as a line of the counter's list."""
    guide = box.touch.book.guides.get(ticket.guide_id) if box.touch else None
    return {
        "id": ticket.ticket_id,
        "number": ticket.number,
        "state": ticket_state(unit, ticket, now.wall_at),
        "guide_id": ticket.guide_id,
        "guide": guide.name if guide else ticket.guide_id,
        "guide_en": (guide.name_en or guide.name) if guide else ticket.guide_id,
        "count": sum(line.quantity for line in ticket.lines),
        "total_fen": ticket.total_fen,
        "changed_at": ticket.changed_at,
        "opened_at": ticket.opened_at,
        "refunded_fen": ticket.refunded_fen,
    }


def guide_name(box: Box, guide_id: str, language: str) -> str:
    """Return how people call a guide, the id of one who is not configured (any more)."""
    guide = box.touch.book.guides.get(guide_id) if box.touch else None
    return _named(guide.name, guide.name_en, language) if guide else guide_id


def _moves(unit: Unit, ticket: Ticket) -> bool:
    """Return whether an order is there that pays a ticket: money moves, or it waits on a screen."""
    order = unit.orders.get(ticket.order_id) if ticket.order_id else None
    if order is None or order.state is not OrderState.AWAITING:
        return False
    waits = order.workstation != PHONE or bool(order.tenders)
    return waits or any(one.is_open for one in unit.attempts.of_order(order.order_id))


def _line(ticket: Ticket, line: LineItem, language: str) -> Json:
    changed = any(one.line_id == line.line_id for one in ticket.overrides)
    return {
        "name": _named(line.name, line.name_en, language),
        "quantity": line.quantity,
        "unit_price_fen": line.unit_price_fen,
        "amount_fen": line.amount_fen,
        "was_fen": price_of(ticket, line.line_id) if changed else None,
    }


def _override(ticket: Ticket, line: LineItem) -> Json:
    found: PriceOverride | None = next((one for one in ticket.overrides if one.line_id == line.line_id), None)
    if found is None:
        return {"override": None}
    return {
        "override": {
            "was_fen": found.was_fen,
            "price_fen": found.price_fen,
            "reason": found.reason,
            "approved_by": found.approved_by,
        }
    }


def _by_piece(ticket: Ticket, line: LineItem) -> bool:
    return line.amount_fen == line.unit_price_fen * line.quantity


def _where(ticket: Ticket, order: Order | None) -> str | None:
    """Return where a ticket is or was paid: by a "phone", at the "counter", or the workstation's name."""
    if order is None:
        return None
    if order.workstation == PHONE:
        return "phone"
    return "counter" if order.workstation == ticket.counter else order.workstation


def _offers(unit: Unit, box: Box, ticket: Ticket, language: str, now: Instant) -> list[str]:
    """Return what paying this ticket brings, by the mall's rules for parking and points."""
    en = language == "en"
    member = known_member(unit, ticket.member_id) if ticket.member_id else None
    spent: dict[str, int] = {}
    for line in ticket.lines:
        spent[line.tenant_id] = spent.get(line.tenant_id, 0) + line.amount_fen
    tier = member.tier if member else ""
    purchase = Purchase("", "", Holder(), ticket.business_day, now.wall_at, spent, tier)
    offers = []
    for rule in box.parking.validation.rules:
        for one in parking_earned(rule, [purchase], []):
            worth = say_grant(one.grant, language)
            offers.append(f"{worth} of parking" if en else f"停车优惠 {worth}")
    points = sum(
        points_earned(box.members.points, tenant, fen, tier) for tenant, fen in sorted(spent.items())
    )
    if points and member:
        offers.append(f"{points} points for you" if en else f"本单可得 {points} 积分")
    elif points:
        offers.append(f"{points} points for members" if en else f"会员可得 {points} 积分")
    return offers


def _by(box: Box, closed_by: str, language: str) -> str:
    """Return who closed a ticket, the guide by name; a supervisor and a reason may stand behind."""
    guide, slash, more = closed_by.partition(" / ")
    return f"{guide_name(box, guide, language)}{slash}{more}"


def _named(name: str, name_en: str, language: str) -> str:
    return name_en if language == "en" and name_en else name
