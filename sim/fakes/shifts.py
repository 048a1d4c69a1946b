"""Shifts and business days in memory, over the books in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from edge.errors import Corrupt
from edge.retail.attempt import AttemptState, PaymentAttempt
from edge.retail.ledger import Posting
from edge.retail.order import Order
from edge.retail.shift import BusinessDay, Shift, ShiftState
from edge.retail.shift_report import Booked

_FAILED = (AttemptState.DECLINED, AttemptState.VOIDED, AttemptState.REFUNDED)


@dataclass(slots=True)
class ShiftRows:
    """All shifts by id, their Z reports, and the closed days."""

    shifts: dict[str, Shift] = field(default_factory=dict)
    reports: dict[str, str] = field(default_factory=dict)
    days: dict[str, BusinessDay] = field(default_factory=dict)

    def copy(self) -> ShiftRows:
        """Return rows that can be changed without changing these."""
        return ShiftRows(dict(self.shifts), dict(self.reports), dict(self.days))


@dataclass(frozen=True, slots=True)
class Books:
    """What a shift reads of the other records: postings in the order of writing, orders, attempts."""

    postings: Mapping[tuple[str, str], Posting]
    orders: Mapping[str, Order]
    attempts: Mapping[str, PaymentAttempt]


class FakeShifts:
    """Implements shift_records.Shifts."""

    def __init__(self, rows: ShiftRows, books: Books, writing: Callable[[], None]) -> None:
        self._rows = rows
        self._books = books
        self._writing = writing

    def get(self, shift_id: str) -> Shift | None:
        """Return a shift with its movements and counts."""
        return self._rows.shifts.get(shift_id)

    def put(self, shift: Shift) -> None:
        """Write a shift; its movements are only added."""
        self._writing()
        known = self._rows.shifts.get(shift.shift_id)
        _require(known is None or known.state is not ShiftState.CLOSED, "a closed shift that changes")
        others = [one for one in self._rows.shifts.values() if one.workstation == shift.workstation]
        others = [one for one in others if one.shift_id != shift.shift_id]
        going_on = [one for one in others if one.state is not ShiftState.CLOSED]
        _require(shift.state is ShiftState.CLOSED or not going_on, "a second shift that goes on")
        numbers = {one.number for one in others if one.number is not None}
        _require(shift.number not in numbers, f"Z number {shift.number}")
        moves = {one.movement_id: one for one in shift.movements}
        moves |= {one.movement_id: one for one in known.movements} if known else {}
        kept = tuple(moves[key] for key in sorted(moves))
        self._rows.shifts[shift.shift_id] = replace(shift, movements=kept)

    def current(self, workstation: str) -> Shift | None:
        """Return the shift that goes on there."""
        return next((one for one in self.going_on() if one.workstation == workstation), None)

    def last(self, workstation: str) -> Shift | None:
        """Return the shift of that workstation that was closed last."""
        mine = [one for one in self._rows.shifts.values() if one.workstation == workstation and one.number]
        return max(mine, key=lambda one: one.number or 0, default=None)

    def going_on(self) -> tuple[Shift, ...]:
        """Return every shift that is not closed, by workstation."""
        found = [one for one in self._rows.shifts.values() if one.state is not ShiftState.CLOSED]
        return tuple(sorted(found, key=lambda one: one.workstation))

    def of_day(self, business_day: str) -> tuple[Shift, ...]:
        """Return the shifts of a business day, by workstation, oldest first."""
        found = [one for one in self._rows.shifts.values() if one.business_day == business_day]
        return tuple(sorted(found, key=lambda one: (one.workstation, one.shift_id)))

    def recent(self, limit: int) -> tuple[Shift, ...]:
        """Return the shifts that were opened last, newest first."""
        return tuple(one for _, one in sorted(self._rows.shifts.items(), reverse=True))[:limit]

    def put_report(self, shift_id: str, report: str) -> None:
        """Keep the Z report of a closed shift as JSON; it is written once."""
        self._writing()
        _require(shift_id not in self._rows.reports, f"a second Z report of {shift_id}")
        self._rows.reports[shift_id] = report

    def report(self, shift_id: str) -> str | None:
        """Return the Z report of a shift, None before it is closed."""
        return self._rows.reports.get(shift_id)

    def day(self, business_day: str) -> BusinessDay | None:
        """Return a business day that was closed."""
        return self._rows.days.get(business_day)

    def put_day(self, day: BusinessDay) -> None:
        """Write that a business day is closed; once."""
        self._writing()
        _require(day.day not in self._rows.days, f"a second close of {day.day}")
        self._rows.days[day.day] = day

    def last_day(self) -> BusinessDay | None:
        """Return the latest business day that was closed."""
        return self._rows.days[max(self._rows.days)] if self._rows.days else None

    def beginning(self) -> int:
        """Return the position in the books up to which nothing belongs to a shift."""
        return 0

    def position(self) -> int:
        """Return the position of the newest posting in the books, 0 for none."""
        return len(self._books.postings)

    def booked(self, workstation: str, after: int, through: int | None) -> tuple[Booked, ...]:
        """Return the postings of a workstation above `after`, up to `through` or the end, in order."""
        last = self.position() if through is None else through
        rows = enumerate(self._books.postings.values(), 1)
        return tuple(
            self._booked(at, one) for at, one in rows if after < at <= last and one.workstation == workstation
        )

    def drawer_fen(self, workstation: str, after: int, through: int | None) -> int:
        """Return the sum of the entries of "tender/cash" among these postings."""
        booked = self.booked(workstation, after, through)
        entries = [entry for each in booked for entry in each.posting.entries]
        return sum(entry.amount_fen for entry in entries if entry.account == "tender/cash")

    def places(self) -> tuple[str, ...]:
        """Return every workstation that postings were booked at."""
        return tuple(sorted({one.workstation for one in self._books.postings.values()}))

    def failed_attempts(self, workstation: str, since_at: int, until_at: int) -> Mapping[str, int]:
        """Return how many payments begun there in that time came to nothing, by state."""
        mine = [one for one in self._books.attempts.values() if one.workstation == workstation]
        mine = [one for one in mine if since_at <= one.created_at < until_at]
        return Counter(one.state.value for one in mine if one.state in _FAILED)

    def _booked(self, position: int, posting: Posting) -> Booked:
        order = self._books.orders.get(posting.order_id)
        if order is None:
            return Booked(position, posting, "", posting.posted_at)
        tenders = [
            one for one in order.tenders if (posting.kind, one.tender_id) == ("tender", posting.reference)
        ]
        change_fen = sum(tender.change_fen for tender in tenders)
        return Booked(position, posting, order.number, order.ordered_at, change_fen)


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise Corrupt(f"{what} contradicts what is stored")
