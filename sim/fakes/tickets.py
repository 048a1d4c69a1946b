"""Counter tickets in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from edge.errors import Corrupt
from edge.retail.ticket import Ticket, TicketState
from edge.services.ticket_records import CounterDesk

_WORKING = (TicketState.OPEN, TicketState.ISSUED, TicketState.PAID)


@dataclass(slots=True)
class TicketRows:
    """Tickets by id and desks by counter."""

    tickets: dict[str, Ticket] = field(default_factory=dict)
    desks: dict[str, CounterDesk] = field(default_factory=dict)

    def copy(self) -> TicketRows:
        """Return rows that can be changed without changing these."""
        return TicketRows(dict(self.tickets), dict(self.desks))


class FakeTickets:
    """Implements ticket_records.Tickets."""

    def __init__(self, rows: TicketRows, writing: Callable[[], None]) -> None:
        self._rows = rows
        self._writing = writing

    def get(self, ticket_id: str) -> Ticket | None:
        """Return a ticket."""
        return self._rows.tickets.get(ticket_id)

    def put(self, ticket: Ticket) -> None:
        """Write a ticket; where, by whom and when it was opened never changes."""
        self._writing()
        known = self._rows.tickets.get(ticket.ticket_id)
        if known is None and any(_clash(one, ticket) for one in self._rows.tickets.values()):
            raise Corrupt(f"UNIQUE constraint failed: ticket {ticket.number}")
        first = known or ticket
        overrides = tuple(sorted(ticket.overrides, key=lambda one: (one.at, one.line_id)))
        self._rows.tickets[ticket.ticket_id] = replace(
            ticket,
            overrides=overrides,
            code=first.code,
            number=first.number,
            counter=first.counter,
            tenant_id=first.tenant_id,
            guide_id=first.guide_id,
            business_day=first.business_day,
            opened_at=first.opened_at,
        )

    def by_code(self, code: str) -> Ticket | None:
        """Return the ticket whose QR token carries this code."""
        return next((one for one in self._rows.tickets.values() if one.code == code), None)

    def by_number(self, number: str) -> Ticket | None:
        """Return the ticket with this number, the newest one of all days."""
        found = _newest(one for one in self._rows.tickets.values() if one.number == number)
        return found[0] if found else None

    def find(self, text: str, limit: int) -> tuple[Ticket, ...]:
        """Return issued tickets whose number ends with `text` ("": all), newest first."""
        return _newest(one for one in self._issued() if one.number.endswith(text))[:limit]

    def of_member(self, member_id: str, limit: int) -> tuple[Ticket, ...]:
        """Return a member's issued tickets, newest first."""
        return _newest(one for one in self._issued() if member_id and one.member_id == member_id)[:limit]

    def of_order(self, order_id: str) -> tuple[Ticket, ...]:
        """Return the tickets that an order pays or paid, by number."""
        mine = [one for one in self._rows.tickets.values() if order_id and one.order_id == order_id]
        return tuple(sorted(mine, key=lambda one: (one.number, one.ticket_id)))

    def open_of(self, counter: str) -> tuple[Ticket, ...]:
        """Return a counter's tickets that are open, issued or paid and not handed over, newest first."""
        here = (one for one in self._rows.tickets.values() if one.counter == counter)
        return _newest(one for one in here if one.state in _WORKING)

    def of_day(self, counter: str, business_day: str, limit: int) -> tuple[Ticket, ...]:
        """Return a counter's tickets of a business day, newest first."""
        here = (one for one in self._rows.tickets.values() if one.counter == counter)
        return _newest(one for one in here if one.business_day == business_day)[:limit]

    def due(self, at: int, untouched: int, limit: int) -> tuple[Ticket, ...]:
        """Return tickets that are over, oldest first."""
        over = [
            one
            for one in self._issued()
            if not one.order_id and one.expires_at is not None and one.expires_at <= at
        ]
        left = (one for one in self._rows.tickets.values() if one.state is TicketState.OPEN)
        over += [one for one in left if one.changed_at <= untouched]
        return tuple(sorted(over, key=lambda one: (one.changed_at, one.ticket_id))[:limit])

    def waiting(self, paid_by: int, after: str, limit: int) -> tuple[Ticket, ...]:
        """Return tickets paid by a moment and not handed over, by id, those after `after`."""
        paid = (one for one in self._rows.tickets.values() if one.state is TicketState.PAID)
        late = (one for one in paid if one.paid_at is not None and one.paid_at <= paid_by)
        return tuple(sorted((one for one in late if one.ticket_id > after), key=_by_id)[:limit])

    def desk(self, counter: str) -> CounterDesk:
        """Return what a counter's tablet works on; nothing at first."""
        return self._rows.desks.get(counter, CounterDesk(counter))

    def put_desk(self, desk: CounterDesk) -> None:
        """Write it."""
        self._writing()
        self._rows.desks[desk.counter] = desk

    def _issued(self) -> list[Ticket]:
        return [one for one in self._rows.tickets.values() if one.state is TicketState.ISSUED]


def _newest(tickets: Iterable[Ticket]) -> tuple[Ticket, ...]:
    return tuple(sorted(tickets, key=lambda one: one.ticket_id, reverse=True))


def _clash(one: Ticket, other: Ticket) -> bool:
    return one.code == other.code or (one.business_day, one.number) == (other.business_day, other.number)


def _by_id(ticket: Ticket) -> str:
    return ticket.ticket_id
