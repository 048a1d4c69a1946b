"""How a unit of work reads and writes counter tickets, and which one a counter's tablet works on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from edge.retail.ticket import Ticket


@dataclass(frozen=True, slots=True)
class CounterDesk:
    """What a counter's tablet shows: the guide who signed in last, and the ticket that scans go to.

    guide_id, ticket_id: "" for none.
    """

    counter: str
    guide_id: str = ""
    ticket_id: str = ""


class Tickets(Protocol):
    """Counter tickets with their lines and lowered prices."""

    def get(self, ticket_id: str) -> Ticket | None:
        """Return a ticket."""

    def put(self, ticket: Ticket) -> None:
        """Write a ticket; where, by whom and when it was opened never changes."""

    def by_code(self, code: str) -> Ticket | None:
        """Return the ticket whose QR token carries this code."""

    def by_number(self, number: str) -> Ticket | None:
        """Return the ticket with this number, the newest one of all days."""

    def find(self, text: str, limit: int) -> tuple[Ticket, ...]:
        """Return issued tickets whose number ends with `text` ("": all), newest first."""

    def of_member(self, member_id: str, limit: int) -> tuple[Ticket, ...]:
        """Return a member's issued tickets, newest first."""

    def of_order(self, order_id: str) -> tuple[Ticket, ...]:
        """Return the tickets that an order pays or paid, by number."""

    def open_of(self, counter: str) -> tuple[Ticket, ...]:
        """Return a counter's tickets that are open, issued or paid and not handed over, newest first."""

    def of_day(self, counter: str, business_day: str, limit: int) -> tuple[Ticket, ...]:
        """Return a counter's tickets of a business day, newest first."""

    def due(self, at: int, untouched: int, limit: int) -> tuple[Ticket, ...]:
        """Return tickets that are over, oldest first.

        Issued ones that no order is to pay and whose time ended by `at`, and open ones that nobody has
        changed since `untouched`.
        """

    def waiting(self, paid_by: int, after: str, limit: int) -> tuple[Ticket, ...]:
        """Return tickets paid by a moment (Unix milliseconds) and not handed over, by id.

        after: only those with a greater id, "" for all.
        """

    def desk(self, counter: str) -> CounterDesk:
        """Return what a counter's tablet works on; nothing at first."""

    def put_desk(self, desk: CounterDesk) -> None:
        """Write it."""
