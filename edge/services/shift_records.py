"""What is kept of shifts and business days, and how a unit of work reads and writes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from edge.retail.shift import BusinessDay, Shift
from edge.retail.shift_report import Booked


class Shifts(Protocol):
    """Shifts with their cash movements, Z reports, closed business days, and the books by workstation."""

    def get(self, shift_id: str) -> Shift | None:
        """Return a shift with its movements and counts."""

    def put(self, shift: Shift) -> None:
        """Write a shift; raise Corrupt for a second one that goes on at its workstation, or a Z number twice.

        Movements are only added, and a closed shift never changes.
        """

    def current(self, workstation: str) -> Shift | None:
        """Return the shift that goes on there."""

    def last(self, workstation: str) -> Shift | None:
        """Return the shift of that workstation that was closed last, the one with the highest Z number."""

    def going_on(self) -> tuple[Shift, ...]:
        """Return every shift that is not closed, by workstation."""

    def of_day(self, business_day: str) -> tuple[Shift, ...]:
        """Return the shifts of a business day, by workstation, oldest first."""

    def recent(self, limit: int) -> tuple[Shift, ...]:
        """Return the shifts that were opened last, newest first."""

    def put_report(self, shift_id: str, report: str) -> None:
        """Keep the Z report of a closed shift as JSON; it is written once."""

    def report(self, shift_id: str) -> str | None:
        """Return the Z report of a shift, None before it is closed."""

    def day(self, business_day: str) -> BusinessDay | None:
        """Return a business day that was closed."""

    def put_day(self, day: BusinessDay) -> None:
        """Write that a business day is closed; once."""

    def last_day(self) -> BusinessDay | None:
        """Return the latest business day that was closed."""

    def beginning(self) -> int:
        """Return the position in the books up to which nothing belongs to a shift: there were none yet."""

    def position(self) -> int:
        """Return the position of the newest posting in the books, 0 for none."""

    def booked(self, workstation: str, after: int, through: int | None) -> tuple[Booked, ...]:
        """Return the postings of a workstation above `after`, up to `through` or the end, in order."""

    def drawer_fen(self, workstation: str, after: int, through: int | None) -> int:
        """Return the sum of the entries of "tender/cash" among these postings."""

    def places(self) -> tuple[str, ...]:
        """Return every workstation that postings were booked at, "" among them for postings of none."""

    def failed_attempts(self, workstation: str, since_at: int, until_at: int) -> Mapping[str, int]:
        """Return how many payments begun there in that time came to nothing, by state."""
