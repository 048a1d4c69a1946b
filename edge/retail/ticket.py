"""A counter ticket (开单): goods that a guide writes down, a shopper pays, and a counter hands over.

Values in, values out. A ticket is OPEN while the guide writes it, ISSUED once shoppers can pay it, PAID, and
HANDED_OVER when the goods are gone. Pure.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from enum import StrEnum

from edge.errors import Declined, Invalid
from edge.money import check_fen
from edge.retail.basket import (
    MAX_LINES,
    MAX_QUANTITY,
    Basket,
    LineItem,
    add_line,
    find_line,
    set_quantity,
)

#: The article of a line that was typed as a name and an amount, at counters without a catalogue.
AMOUNT_SKU = "AMOUNT"

#: So many wrong release codes lock a ticket until a supervisor hands it over.
MAX_WRONG_CODES = 5

#: The longest name of a typed line, and the longest reason of a changed price.
MAX_NAME = 60
MAX_REASON = 100


class TicketState(StrEnum):
    """Where a ticket stands; CANCELLED: given up, expired, or paid back before its hand-over."""

    OPEN = "open"
    ISSUED = "issued"
    PAID = "paid"
    HANDED_OVER = "handed_over"
    CANCELLED = "cancelled"


class TicketEnd(StrEnum):
    """Why a ticket was cancelled."""

    GIVEN_UP = "given_up"
    EXPIRED = "expired"
    REFUNDED = "refunded"


@dataclass(frozen=True, slots=True)
class PriceOverride:
    """A price that was lowered by hand. was_fen, price_fen: of one piece, or of a whole labelled line.

    by: the guide. approved_by: the supervisor whose PIN it took, "" when it was within the guide's limit.
    """

    line_id: str
    was_fen: int
    price_fen: int
    by: str
    reason: str
    at: int
    approved_by: str = ""

    @property
    def off_permille(self) -> int:
        """How much was taken off, in thousandths, rounded up so that a limit is never exceeded."""
        return -(-(self.was_fen - self.price_fen) * 1_000 // self.was_fen)


@dataclass(frozen=True, slots=True)
class Ticket:
    """One ticket. code: what its QR token carries. number: for people, unique per box and business day.

    guide_id: who is credited. order_id: the one order that may pay it, "" for none. release_code: six digits
    that only the payer sees; wrong_codes: how often another was said. member_id: whose purchase it is, ""
    when nobody has said. refunded_fen: what was given back. cleared_age: the age that the guide has checked.
    """

    ticket_id: str
    code: str
    number: str
    counter: str
    tenant_id: str
    guide_id: str
    business_day: str
    opened_at: int
    state: TicketState = TicketState.OPEN
    lines: tuple[LineItem, ...] = ()
    overrides: tuple[PriceOverride, ...] = ()
    cleared_age: int = 0
    changed_at: int = 0
    issued_at: int | None = None
    expires_at: int | None = None
    order_id: str = ""
    paid_at: int | None = None
    release_code: str = ""
    wrong_codes: int = 0
    closed_at: int | None = None
    closed_by: str = ""
    end: TicketEnd | None = None
    refunded_fen: int = 0
    member_id: str = ""

    @property
    def total_fen(self) -> int:
        """What the goods cost."""
        return sum(line.amount_fen for line in self.lines)

    @property
    def age_min(self) -> int:
        """The highest age that its goods ask for, 0 for none."""
        return max((line.age_min for line in self.lines), default=0)

    @property
    def locked(self) -> bool:
        """Whether too many wrong release codes were said."""
        return self.wrong_codes >= MAX_WRONG_CODES

    def expired(self, at: int) -> bool:
        """Return whether it can no longer be paid because of its time."""
        over = self.expires_at is not None and at >= self.expires_at
        return self.end is TicketEnd.EXPIRED or (self.state is TicketState.ISSUED and over)


def amount_line(line_id: str, tenant_id: str, name: str, price_fen: int, quantity: int = 1) -> LineItem:
    """Return a line that was typed; raise Invalid for an empty name or a price of nothing."""
    words = " ".join(name.split())
    if not 1 <= len(words) <= MAX_NAME:
        raise Invalid(f"name the article in 1 to {MAX_NAME} characters")
    if price_fen <= 0:
        raise Invalid(f"the price must be more than 0, got {price_fen} fen")
    if not 1 <= quantity <= MAX_QUANTITY:
        raise Invalid(f"quantity must be 1 to {MAX_QUANTITY}, got {quantity}")
    amount_fen = check_fen(price_fen * quantity)
    return LineItem(line_id, AMOUNT_SKU, tenant_id, words, words, "", quantity, price_fen, amount_fen)


def add_to_ticket(ticket: Ticket, line: LineItem, at: int) -> Ticket:
    """Return the ticket with one more line; pieces of the same article at the same price join one line.

    What was typed stays a line of its own.
    """
    _require(ticket, TicketState.OPEN)
    if line.sku != AMOUNT_SKU:
        return _with_lines(ticket, add_line(_basket(ticket), line, at).lines, at)
    if len(ticket.lines) >= MAX_LINES:
        raise Invalid(f"a ticket holds {MAX_LINES} lines at most; issue this one first")
    return _with_lines(ticket, (*ticket.lines, line), at)


def set_ticket_quantity(ticket: Ticket, line_id: str, quantity: int, at: int) -> Ticket:
    """Return the ticket with that line's quantity; 0 removes it, and what was said of its price."""
    _require(ticket, TicketState.OPEN)
    if quantity and _override(ticket, line_id) and not _by_piece(find_line(_basket(ticket), line_id)):
        raise Invalid("this article has its own label; scan another one instead of changing the quantity")
    lines = set_quantity(_basket(ticket), line_id, quantity, at).lines
    there = {line.line_id for line in lines}
    kept = tuple(one for one in ticket.overrides if one.line_id in there)
    return _with_lines(replace(ticket, overrides=kept), lines, at)


def price_of(ticket: Ticket, line_id: str) -> int:
    """Return what a line's price was before anybody changed it: of one piece, or of a whole labelled line."""
    line, known = find_line(_basket(ticket), line_id), _override(ticket, line_id)
    if known is not None:
        return known.was_fen
    return line.unit_price_fen if _by_piece(line) else line.amount_fen


def was_amount_fen(ticket: Ticket, line: LineItem) -> int | None:
    """Return what a line would have cost at its own price, None when nobody changed it."""
    known = _override(ticket, line.line_id)
    if known is None:
        return None
    return known.was_fen * line.quantity if _by_piece(line) else known.was_fen


def override_price(ticket: Ticket, override: PriceOverride) -> Ticket:
    """Return the ticket with a lowered price; the last one said of a line holds, measured by its first price.

    Raises Invalid for a price that is not below the line's own, one of nothing, or without a reason.
    """
    _require(ticket, TicketState.OPEN)
    line = find_line(_basket(ticket), override.line_id)
    if line.sku == AMOUNT_SKU:
        raise Invalid(f"{line.name} was typed; take the line out and type it with the right price")
    own_fen = price_of(ticket, line.line_id)
    if not 0 < override.price_fen < own_fen or override.was_fen != own_fen:
        raise Invalid(f"the new price of {line.name} must be above 0 and below {own_fen} fen")
    if not 1 <= len(override.reason) <= MAX_REASON:
        raise Invalid(f"say why the price is lowered, in 1 to {MAX_REASON} characters")
    by_piece = _by_piece(line)
    changed = replace(
        line,
        unit_price_fen=override.price_fen if by_piece else line.unit_price_fen,
        amount_fen=override.price_fen * line.quantity if by_piece else override.price_fen,
    )
    others = tuple(one for one in ticket.overrides if one.line_id != line.line_id)
    lines = tuple(changed if one is line else one for one in ticket.lines)
    return _with_lines(replace(ticket, overrides=(*others, override)), lines, override.at)


def issue(ticket: Ticket, at: int, expires_at: int, *, age_checked: bool = False) -> Ticket:
    """Return the ticket as shoppers can pay it until `expires_at`.

    Raises Invalid when it is empty, or holds goods with an age limit that the guide has not checked.
    """
    _require(ticket, TicketState.OPEN)
    if not ticket.lines:
        raise Invalid(f"ticket {ticket.number} is empty; scan or type something first")
    age = ticket.age_min
    if age > ticket.cleared_age and not age_checked:
        raise Invalid(f"ticket {ticket.number} has goods from {age} years on; check the shopper's age first")
    return replace(
        ticket,
        state=TicketState.ISSUED,
        cleared_age=max(age, ticket.cleared_age),
        issued_at=at,
        expires_at=expires_at,
        changed_at=at,
    )


def reopen_ticket(ticket: Ticket, at: int) -> Ticket:
    """Return an issued ticket as one that can be changed; raise Declined while it is being paid.

    The shopper may be another one then, so an age check does not last.
    """
    _require(ticket, TicketState.ISSUED)
    _require_free(ticket)
    return replace(
        ticket, state=TicketState.OPEN, cleared_age=0, issued_at=None, expires_at=None, changed_at=at
    )


def cancel_ticket(ticket: Ticket, at: int, by: str, end: TicketEnd = TicketEnd.GIVEN_UP) -> Ticket:
    """Return the ticket cancelled; raise Declined while it is being paid, Invalid once it is paid."""
    if ticket.state not in (TicketState.OPEN, TicketState.ISSUED):
        raise Invalid(f"ticket {ticket.number} is {ticket.state}; it cannot be cancelled")
    _require_free(ticket)
    return replace(ticket, state=TicketState.CANCELLED, end=end, closed_at=at, closed_by=by, changed_at=at)


def bind_ticket(ticket: Ticket, order_id: str, at: int) -> Ticket:
    """Return the ticket as one that this order pays; raise Declined when it cannot be paid (any more)."""
    if ticket.expired(at):
        raise Declined(f"ticket {ticket.number} has expired; ask the counter for a new one")
    if ticket.state is not TicketState.ISSUED:
        raise Declined(f"ticket {ticket.number} is {ticket.state}; it cannot be paid")
    if ticket.order_id and ticket.order_id != order_id:
        raise Declined(f"ticket {ticket.number} is being paid already; wait for its end")
    return replace(ticket, order_id=order_id, changed_at=at)


def free_ticket(ticket: Ticket) -> Ticket:
    """Return the ticket without the order that was to pay it; one that is paid stays as it is."""
    return replace(ticket, order_id="") if ticket.state is TicketState.ISSUED else ticket


def settle_ticket(ticket: Ticket, release_code: str, at: int) -> Ticket:
    """Return the ticket paid by its order, with the code that its goods are released by."""
    _require(ticket, TicketState.ISSUED)
    return replace(
        ticket, state=TicketState.PAID, paid_at=at, release_code=release_code, wrong_codes=0, changed_at=at
    )


def release(ticket: Ticket, code: str, at: int) -> Ticket:
    """Return the ticket after a release code was said; `wrong_codes` has grown when it was not the right one.

    Raises Declined when it is not to be handed over, or locked by too many wrong codes.
    """
    _require_paid(ticket)
    if ticket.locked:
        raise Declined(f"too many wrong codes for ticket {ticket.number}; a supervisor must hand it over")
    if hmac.compare_digest(code.strip().encode(), ticket.release_code.encode()):
        return replace(ticket, wrong_codes=0)
    return replace(ticket, wrong_codes=ticket.wrong_codes + 1, changed_at=at)


def hand_over(ticket: Ticket, at: int, by: str) -> Ticket:
    """Return the ticket with its goods handed over; its release code is used up."""
    _require_paid(ticket)
    return replace(
        ticket, state=TicketState.HANDED_OVER, release_code="", closed_at=at, closed_by=by, changed_at=at
    )


def refund_ticket(ticket: Ticket, refunded_fen: int, at: int, by: str) -> Ticket:
    """Return the ticket after that much more of it was given back.

    One that is paid back in full before its goods were handed over is cancelled: nothing is released for it.
    """
    back_fen = ticket.refunded_fen + refunded_fen
    marked = replace(ticket, refunded_fen=back_fen, changed_at=at)
    if ticket.state is not TicketState.PAID or back_fen < ticket.total_fen:
        return marked
    return replace(
        marked,
        state=TicketState.CANCELLED,
        end=TicketEnd.REFUNDED,
        release_code="",
        closed_at=at,
        closed_by=by,
    )


def _override(ticket: Ticket, line_id: str) -> PriceOverride | None:
    return next((one for one in ticket.overrides if one.line_id == line_id), None)


def _by_piece(line: LineItem) -> bool:
    return line.weight_g is None and line.amount_fen == line.unit_price_fen * line.quantity


def _basket(ticket: Ticket) -> Basket:
    """Return the lines as the basket that knows how lines are joined and changed."""
    return Basket(ticket.ticket_id, ticket.counter, ticket.opened_at, lines=ticket.lines)


def _with_lines(ticket: Ticket, lines: tuple[LineItem, ...], at: int) -> Ticket:
    check_fen(sum(line.amount_fen for line in lines), "the ticket's total")
    return replace(ticket, lines=lines, changed_at=at)


def _require(ticket: Ticket, state: TicketState) -> None:
    if ticket.state is not state:
        raise Invalid(f"ticket {ticket.number} is {ticket.state}, not {state}; look at it again")


def _require_free(ticket: Ticket) -> None:
    if ticket.order_id:
        raise Declined(f"ticket {ticket.number} is being paid; wait for its end")


def _require_paid(ticket: Ticket) -> None:
    if ticket.state is TicketState.HANDED_OVER:
        raise Declined(f"the goods of ticket {ticket.number} were handed over already")
    if ticket.state is not TicketState.PAID:
        raise Declined(f"ticket {ticket.number} is {ticket.state}; nothing is handed over for it")
