"""X and Z reports: what a shift took, from the books; and the day's totals of all its shifts.

An X report is a look at a shift that goes on, a Z report its last word. Both are the same figures over the
postings that the shift owns; a Z is kept as it was told, so that it never changes afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from edge.retail.ledger import Posting
from edge.retail.shift import Shift, ShiftState

#: The most late movements and open payments that a report lists; the totals count all.
MAX_LISTED = 50


@dataclass(frozen=True, slots=True)
class Booked:
    """A posting in a shift. order_number, begun_at: of its order, "" and the posting's moment without one.

    position: where it stands in the books. change_fen: change given with it.
    """

    position: int
    posting: Posting
    order_number: str
    begun_at: int
    change_fen: int = 0


@dataclass(frozen=True, slots=True)
class TenderTotal:
    """What came in and went back by one tender."""

    kind: str
    payments: int = 0
    taken_fen: int = 0
    refunds: int = 0
    refunded_fen: int = 0

    @property
    def net_fen(self) -> int:
        """What is left."""
        return self.taken_fen - self.refunded_fen


@dataclass(frozen=True, slots=True)
class TenantTotal:
    """What one tenant sold and took back."""

    tenant_id: str
    sold_fen: int = 0
    returned_fen: int = 0

    @property
    def net_fen(self) -> int:
        """What is left."""
        return self.sold_fen - self.returned_fen


@dataclass(frozen=True, slots=True)
class LateMoney:
    """Money of an order begun before the shift: a late approval, or a refund (negative)."""

    order_number: str
    tender: str
    amount_fen: int
    begun_at: int
    booked_at: int


@dataclass(frozen=True, slots=True)
class OpenPayment:
    """A payment without an end when the report was made; it belongs to the shift its money is booked in."""

    attempt_id: str
    gateway: str
    amount_fen: int
    created_at: int


@dataclass(frozen=True, slots=True)
class ShiftReport:
    """An X (number None) or Z report; the shift carries cash movements, counts and over or short.

    orders: how many were completed, with the first and last number. attempts: (state, how many) of the
    payments begun in it that came to nothing. drawer_fen: what the books expect in the drawer.
    """

    shift: Shift
    made_at: int
    orders: int
    first_order: str
    last_order: str
    tenders: tuple[TenderTotal, ...]
    tenants: tuple[TenantTotal, ...]
    change_fen: int
    drawer_fen: int
    attempts: tuple[tuple[str, int], ...]
    open_payments: tuple[OpenPayment, ...]
    late: tuple[LateMoney, ...]

    @property
    def final(self) -> bool:
        """Whether it is a Z report."""
        return self.shift.state is ShiftState.CLOSED

    @property
    def taken_fen(self) -> int:
        """What all tenders brought, less what went back."""
        return sum(tender.net_fen for tender in self.tenders)


@dataclass(frozen=True, slots=True)
class DayReport:
    """A business day over its closed shifts. over_short_fen: of those that were counted."""

    day: str
    z_numbers: tuple[tuple[str, int], ...]
    orders: int
    tenders: tuple[TenderTotal, ...]
    tenants: tuple[TenantTotal, ...]
    change_fen: int
    over_short_fen: int

    @property
    def taken_fen(self) -> int:
        """What all tenders brought, less what went back."""
        return sum(tender.net_fen for tender in self.tenders)


def drawer_fen(shift: Shift, booked: Iterable[Booked]) -> int:
    """Return what the books expect in the drawer: float + cash taken - refunded + pay-ins - pick-ups."""
    entries = (entry for each in booked for entry in each.posting.entries)
    cash = sum(entry.amount_fen for entry in entries if entry.account == "tender/cash")
    return shift.float_fen + cash + sum(one.change_fen for one in shift.movements)


def report(
    shift: Shift,
    booked: Sequence[Booked],
    attempts: Mapping[str, int],
    open_payments: Sequence[OpenPayment],
    at: int,
) -> ShiftReport:
    """Return the figures of a shift over the postings that it owns, oldest first."""
    sales = [each for each in booked if each.posting.kind == "sale"]
    late = [money for each in booked if each.begun_at < shift.opened_at for money in _late(each)]
    return ShiftReport(
        shift=shift,
        made_at=at,
        orders=len(sales),
        first_order=sales[0].order_number if sales else "",
        last_order=sales[-1].order_number if sales else "",
        tenders=_tenders(booked),
        tenants=_tenants(booked),
        change_fen=sum(each.change_fen for each in booked),
        drawer_fen=drawer_fen(shift, booked),
        attempts=tuple(sorted(attempts.items())),
        open_payments=tuple(open_payments[:MAX_LISTED]),
        late=tuple(late[:MAX_LISTED]),
    )


def day_report(day: str, reports: Sequence[ShiftReport]) -> DayReport:
    """Return the totals of a day over its shifts' Z reports."""
    numbers = sorted((each.shift.workstation, each.shift.number or 0) for each in reports)
    return DayReport(
        day=day,
        z_numbers=tuple(numbers),
        orders=sum(each.orders for each in reports),
        tenders=_all_tenders(reports),
        tenants=_all_tenants(reports),
        change_fen=sum(each.change_fen for each in reports),
        over_short_fen=sum(each.shift.over_short_fen or 0 for each in reports),
    )


def add_tender(totals: dict[str, TenderTotal], tender: TenderTotal) -> None:
    """Add `tender` to the total of its kind."""
    had = totals.get(tender.kind, TenderTotal(tender.kind))
    totals[tender.kind] = TenderTotal(
        tender.kind,
        had.payments + tender.payments,
        had.taken_fen + tender.taken_fen,
        had.refunds + tender.refunds,
        had.refunded_fen + tender.refunded_fen,
    )


def tender_amounts(posting: Posting) -> list[tuple[str, int]]:
    """Return (tender, fen) of the money that a posting moved: positive in, negative back."""
    found = [(entry.account.partition("/"), entry.amount_fen) for entry in posting.entries]
    return [(path[2], amount) for path, amount in found if path[0] == "tender"]


def takings(booked: Iterable[Booked], hour_of: Callable[[int], int]) -> dict[str, dict[int, int]]:
    """Return, by tender and hour (as `hour_of` tells it of a moment), what came in less what went back."""
    found: dict[str, dict[int, int]] = {}
    for each in booked:
        hour = hour_of(each.posting.posted_at)
        for kind, amount in tender_amounts(each.posting):
            hours = found.setdefault(kind, {})
            hours[hour] = hours.get(hour, 0) + amount
    return found


def _all_tenders(reports: Sequence[ShiftReport]) -> tuple[TenderTotal, ...]:
    totals: dict[str, TenderTotal] = {}
    for tender in (one for each in reports for one in each.tenders):
        add_tender(totals, tender)
    return tuple(totals[kind] for kind in sorted(totals))


def _all_tenants(reports: Sequence[ShiftReport]) -> tuple[TenantTotal, ...]:
    totals: dict[str, TenantTotal] = {}
    for one in (one for each in reports for one in each.tenants):
        had = totals.get(one.tenant_id, TenantTotal(one.tenant_id))
        sold_fen, back_fen = had.sold_fen + one.sold_fen, had.returned_fen + one.returned_fen
        totals[one.tenant_id] = TenantTotal(one.tenant_id, sold_fen, back_fen)
    return tuple(totals[name] for name in sorted(totals))


def _tenders(booked: Sequence[Booked]) -> tuple[TenderTotal, ...]:
    totals: dict[str, TenderTotal] = {}
    for kind, amount in (money for each in booked for money in tender_amounts(each.posting)):
        one = TenderTotal(kind, 1, amount) if amount >= 0 else TenderTotal(kind, 0, 0, 1, -amount)
        add_tender(totals, one)
    return tuple(totals[kind] for kind in sorted(totals))


def _tenants(booked: Sequence[Booked]) -> tuple[TenantTotal, ...]:
    totals: dict[str, TenantTotal] = {}
    for entry in (entry for each in booked for entry in each.posting.entries):
        account, _, tenant = entry.account.partition("/")
        if account != "sales":
            continue
        had = totals.get(tenant, TenantTotal(tenant))
        if entry.amount_fen <= 0:
            totals[tenant] = replace(had, sold_fen=had.sold_fen - entry.amount_fen)
        else:
            totals[tenant] = replace(had, returned_fen=had.returned_fen + entry.amount_fen)
    return tuple(totals[name] for name in sorted(totals))


def _late(each: Booked) -> list[LateMoney]:
    posted_at = each.posting.posted_at
    moved = tender_amounts(each.posting)
    return [LateMoney(each.order_number, kind, fen, each.begun_at, posted_at) for kind, fen in moved]
