"""What a counter's scanner reads goes to the ticket on its tablet: goods, payment codes, release codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from edge.clock import Instant
from edge.codes.reading import CodeKind, CodeReading, Context
from edge.errors import Declined
from edge.retail.attempt import PayWay
from edge.retail.order import OrderState
from edge.retail.ticket import Ticket, TicketState
from edge.services.box import PHONE, Box
from edge.services.hand_over_ticket import release_code_of, try_release
from edge.services.pay_by_phone import hurry_closing, open_phone_attempt
from edge.services.pay_ticket import put_ticket_order
from edge.services.phone_order import cancel_phone_order
from edge.services.records import ScanRecord, Unit
from edge.services.scan_item import find_product
from edge.services.workstation import Busy, NoticeCode
from edge.services.write_ticket import add_article, may_sell

_CONTEXTS = {TicketState.OPEN: Context.BASKET, TicketState.ISSUED: Context.PAYING}


@dataclass(frozen=True, slots=True)
class CounterScan:
    """What became of a scan. notice: the banner, None when what happened is to be seen anyway.

    line_id: the line that it made. secret: the scan is to be kept without its text.
    """

    outcome: str
    notice: NoticeCode | None = None
    params: Mapping[str, str | int] = field(default_factory=dict)
    line_id: str = ""
    secret: bool = False


def shown_ticket(unit: Unit, counter: str) -> Ticket | None:
    """Return the ticket on a counter's tablet."""
    wanted = unit.tickets.desk(counter).ticket_id
    return unit.tickets.get(wanted) if wanted else None


def counter_context(unit: Unit, busy: Busy) -> Context:
    """Return what a scan at a counter is most likely meant for."""
    if busy.screen in {"checkout", "waiting"}:
        return Context.PAYING
    ticket = shown_ticket(unit, busy.state.workstation)
    return _CONTEXTS.get(ticket.state, Context.IDLE) if ticket else Context.IDLE


def ready_to_pay(unit: Unit, box: Box, busy: Busy, now: Instant) -> Busy | NoticeCode:
    """Return the counter with the shown ticket's order on its screen, for a payment code to charge.

    A notice instead when a phone is paying it: its order is then closed at the gateway, and the code can be
    shown again in a moment.
    """
    ticket = shown_ticket(unit, busy.state.workstation)
    if busy.screen in {"checkout", "waiting"} or ticket is None or ticket.state is not TicketState.ISSUED:
        return busy
    order = unit.orders.get(ticket.order_id) if ticket.order_id else None
    if order is not None and order.workstation == PHONE and order.state is OrderState.AWAITING:
        moving = open_phone_attempt(unit, order.order_id)
        if moving is not None and moving.way is not PayWay.CODE:
            hurry_closing(unit, moving, now)
            return NoticeCode.PHONE_CLOSING
        cancel_phone_order(unit, box, order, now)
        ticket = unit.tickets.get(ticket.ticket_id) or ticket
    return put_ticket_order(unit, box, busy, ticket, now)


def take_counter_scan(
    unit: Unit, box: Box, reading: CodeReading, record: ScanRecord, now: Instant
) -> CounterScan:
    """Take what is no payment code; raise Declined or Invalid for what the ticket cannot take."""
    counter, text = record.workstation, record.text
    ticket = shown_ticket(unit, counter)
    code = release_code_of(text)
    if code:
        return _release(unit, box, counter, ticket, code, now)
    if reading.kind not in (CodeKind.ITEM, CodeKind.SCALE_LABEL, CodeKind.GS1, CodeKind.UNKNOWN):
        return CounterScan("not_here", NoticeCode.NOT_HERE, {"kind": reading.kind.value})
    if ticket is None or ticket.state is not TicketState.OPEN:
        return CounterScan("no_ticket", NoticeCode.NO_TICKET)
    refused = _foreign(unit, box, ticket, reading, now) or _repeated(unit, box, ticket, record, now)
    if refused is not None:
        return refused
    added = add_article(unit, box, ticket, reading, now)
    if added is None:
        known = reading.kind is not CodeKind.UNKNOWN
        return CounterScan(
            "unknown_code", NoticeCode.UNKNOWN_CODE if known else NoticeCode.NOT_A_CODE, {"text": text[:64]}
        )
    return CounterScan("added", line_id=added[1])


def _foreign(unit: Unit, box: Box, ticket: Ticket, reading: CodeReading, now: Instant) -> CounterScan | None:
    found = find_product(unit, reading, now.wall_at)
    if found is None or may_sell(box, ticket, found[0]):
        return None
    product, owner = found[0], box.tenant(found[0].tenant_id)
    params: dict[str, str | int] = {"name": product.name, "name_en": product.name_en or product.name}
    params |= {"tenant": owner.name, "tenant_en": owner.name_en or owner.name}
    return CounterScan("foreign_goods", NoticeCode.FOREIGN_GOODS, params)


def _repeated(unit: Unit, box: Box, ticket: Ticket, record: ScanRecord, now: Instant) -> CounterScan | None:
    """Tell of a scan that came twice within the window; more pieces are added by touch."""
    last = unit.scans.last_added(record.workstation, record.text)
    if last is None or last.boot_id != now.boot_id:
        return None
    if (record.read_ns - last.read_ns) // 1_000_000 > box.rules.repeat_window_ms:
        return None
    line = next((one for one in ticket.lines if one.line_id == last.line_id), None)
    if line is None:
        return None
    params: dict[str, str | int] = {"name": line.name, "name_en": line.name_en, "quantity": line.quantity}
    return CounterScan("duplicate", NoticeCode.DUPLICATE, params)


def _release(
    unit: Unit, box: Box, counter: str, ticket: Ticket | None, code: str, now: Instant
) -> CounterScan:
    """Hand over the ticket on the tablet, else the one of this counter that waits with this code."""
    by = unit.tickets.desk(counter).guide_id
    if not by:
        return CounterScan("no_guide", NoticeCode.NO_GUIDE, secret=True)
    if ticket is None or ticket.state is not TicketState.PAID:
        waiting = (one for one in unit.tickets.open_of(counter) if one.state is TicketState.PAID)
        ticket = next((one for one in waiting if one.release_code == code), None)
    if ticket is None:
        return CounterScan("wrong_release", NoticeCode.WRONG_RELEASE, secret=True)
    try:
        done, right = try_release(unit, box, ticket, code, by, now)
    except Declined as refusal:
        return CounterScan("refused", NoticeCode.CANNOT_ADD, {"problem": str(refusal)[:200]}, secret=True)
    if not right:
        return CounterScan("wrong_release", NoticeCode.WRONG_RELEASE, {"number": done.number}, secret=True)
    return CounterScan("released", NoticeCode.RELEASED, {"number": done.number}, secret=True)
