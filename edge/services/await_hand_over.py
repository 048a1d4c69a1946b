"""Have a person look at tickets that were paid long ago and that nobody has handed over.

WeChat keeps what was paid inside the mini-program frozen until the hand-over is told (发货信息管理), so a
ticket that a counter forgets to mark keeps its tenant's money away; or its shopper never came for the goods.
"""

from __future__ import annotations

from edge.clock import Instant
from edge.retail.ticket import Ticket, TicketState
from edge.services.box import Box
from edge.services.records import Unit
from edge.services.work_items import SERVICE, end_work, raise_work
from edge.services.work_records import WorkKind

#: Tickets that are looked at in one go.
MAX_AT_ONCE = 50


def await_hand_overs(box: Box, after: str = "") -> str:
    """Raise a work item, once, for each ticket that waits for longer than the counters' rules say.

    Looks at MAX_AT_ONCE tickets with ids after `after`; returns after which to go on, "" for the first.
    """
    now = box.clock.now()
    paid_by = now.wall_at - box.counter.hand_over_ms

    def query(unit: Unit) -> tuple[tuple[Ticket, ...], list[str]]:
        found = unit.tickets.waiting(paid_by, after, MAX_AT_ONCE)
        kind = WorkKind.NOT_HANDED_OVER
        return found, [one.ticket_id for one in found if unit.work_items.find(kind, one.ticket_id) is None]

    found, new = box.store.read(query)
    if new:
        box.store.write(lambda unit: _raise(unit, box, new, now))
    return found[-1].ticket_id if len(found) == MAX_AT_ONCE else ""


def end_waiting(unit: Unit, ticket: Ticket, now: Instant, reason: str) -> None:
    """Close the work item of a ticket that waits no more, if it has one; call it where the ticket ends."""
    end_work(unit, now, WorkKind.NOT_HANDED_OVER, ticket.ticket_id, SERVICE, reason)


def _raise(unit: Unit, box: Box, ticket_ids: list[str], now: Instant) -> None:
    for ticket_id in ticket_ids:
        one = unit.tickets.get(ticket_id)
        if one is None or one.state is not TicketState.PAID:
            continue
        facts: dict[str, str | int] = {"number": one.number, "workstation": one.counter}
        facts["amount_fen"] = one.total_fen - one.refunded_fen
        raise_work(unit, box, now, WorkKind.NOT_HANDED_OVER, ticket_id, facts, one.business_day)
