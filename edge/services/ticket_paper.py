"""A paid ticket's slip: what its counter hands over. The release code is not on it; the payer has that."""

from __future__ import annotations

from devices.types import Align, Columns, PrintBlock, Rule, TextLine
from edge.clock import Instant, local
from edge.errors import Invalid
from edge.money import format_yuan
from edge.retail.order import Order
from edge.retail.ticket import Ticket, was_amount_fen
from edge.services.box import Box
from edge.services.paper_records import PaperKind
from edge.services.print_paper import queue_paper
from edge.services.records import Unit


def queue_ticket_slip(unit: Unit, box: Box, ticket: Ticket, order: Order, now: Instant) -> None:
    """Queue a paid ticket's slip at its counter's printer."""
    blocks = ticket_blocks(box, ticket, order)
    queue_paper(unit, box, ticket.counter, PaperKind.TICKET_SLIP, ticket.ticket_id, blocks, now)


def reprint_ticket(box: Box, counter: str, ticket_id: str) -> None:
    """Queue another copy of a paid ticket's slip; raise Invalid for one that is not paid."""
    now = box.clock.now()

    def work(unit: Unit) -> None:
        ticket = unit.tickets.get(ticket_id)
        order = unit.orders.get(ticket.order_id) if ticket and ticket.paid_at else None
        if ticket is None or order is None or ticket.counter != counter:
            raise Invalid(f"ticket {ticket_id[:40]} has no slip at {counter}; it is not paid")
        queue_ticket_slip(unit, box, ticket, order, now)

    box.store.write(work)
    box.changed(counter)


def ticket_blocks(box: Box, ticket: Ticket, order: Order) -> list[PrintBlock]:
    """Return the blocks of a ticket's slip."""
    paid_at = local(ticket.paid_at or order.ordered_at, box.rules.zone)
    blocks: list[PrintBlock] = [
        TextLine("已付款 PAID", Align.CENTER, bold=True, scale=2),
        TextLine(box.tenant(ticket.tenant_id).name, Align.CENTER),
        Columns(f"开单 Ticket {ticket.number}", f"{paid_at:%Y-%m-%d %H:%M}"),
        Columns("订单 Order", order.number),
        Rule(),
    ]
    for line in ticket.lines:
        blocks.append(Columns(line.name, format_yuan(line.amount_fen)))
        was_fen = was_amount_fen(ticket, line)
        was = f"（原价 was {format_yuan(was_fen)}）" if was_fen is not None else ""
        weight = f"{line.weight_g / 1000:.3f} kg" if line.weight_g is not None else f"x{line.quantity}"
        blocks.append(TextLine(f"  {weight} {was}".rstrip()))
    return [
        *blocks,
        Rule(),
        Columns("合计 Total", format_yuan(ticket.total_fen), bold=True),
        Columns("导购 Guide", _guide_name(box, ticket.guide_id)),
        TextLine("请核对顾客的提货码后交货", Align.CENTER),
        TextLine("Ask for the release code, then hand over", Align.CENTER),
    ]


def _guide_name(box: Box, guide_id: str) -> str:
    guide = box.touch.book.guides.get(guide_id) if box.touch else None
    return guide.name if guide else guide_id
