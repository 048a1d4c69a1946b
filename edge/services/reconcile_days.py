"""Compare the bills of the days that are over, each once it is there, and again while it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from edge.clock import local
from edge.errors import EdgeError
from edge.retail.bill import BillRow
from edge.services.bill_records import BillDay, BillHours
from edge.services.box import Box
from edge.services.payment_ports import BillNotReady, BillSource
from edge.services.reconcile import BILL_ZONE, Progress, bill_hours, payee_of, reconcile

#: How many days back bills are looked for, and after how many a bill that never came is taken for empty.
DAYS_BACK = 7
NEVER_AFTER_DAYS = 3


@dataclass(frozen=True, slots=True)
class Compared:
    """What one turn did. failed: the first failure, to be raised once all bills had their turn."""

    days: tuple[BillDay, ...]
    failed: EdgeError | None = None


@dataclass(slots=True)
class _Nothing:
    """The bill of a day of which the gateway has none."""

    name: str
    merchant: str

    def trade_bill(self, day: date) -> Iterator[BillRow]:
        """Yield nothing."""
        return iter(())


def reconcile_due(box: Box, sources: Sequence[BillSource], from_minute: int) -> Compared:
    """Compare every bill of the last days that is due and was not compared; failures stop no other bill.

    from_minute: of the next day, from which a bill is asked for; gateways make them until 10:00.
    """
    moment = local(box.clock.now().wall_at, BILL_ZONE)
    today = moment.date()
    last = 1 if moment.hour * 60 + moment.minute >= from_minute else 2
    done: list[BillDay] = []
    failed: EdgeError | None = None
    for source in sources:
        for back in range(DAYS_BACK, last - 1, -1):
            day = today - timedelta(days=back)
            try:
                found = _compare_once(box, source, day, never=back >= NEVER_AFTER_DAYS)
            except EdgeError as error:
                failed = failed or error
            else:
                done += [found] if found else []
    return Compared(tuple(done), failed)


def compare_day(
    box: Box, source: BillSource, day: date, tell: Callable[[Progress], None] = lambda progress: None
) -> BillDay | None:
    """Compare one bill now, whether it was before or not; None while there is no bill and money for one."""
    try:
        return reconcile(box, source, day, tell)
    except BillNotReady:
        if _has_money(box, source, day):
            return None
        return reconcile(box, _Nothing(source.name, source.merchant), day)


def _compare_once(box: Box, source: BillSource, day: date, *, never: bool) -> BillDay | None:
    """Compare a bill that was not compared before; None when it was, or when it must still be waited for."""
    known = box.store.read(lambda unit: unit.bills.day(source.name, source.merchant, day.isoformat()))
    if known is not None:
        return None
    found = compare_day(box, source, day)
    if found is None and never:
        return reconcile(box, _Nothing(source.name, source.merchant), day)
    return found


def _has_money(box: Box, source: BillSource, day: date) -> bool:
    """Return whether the books have anything that a bill of that day should have."""
    hours, name = BillHours(day.isoformat(), *bill_hours(day)), source.name
    payee = payee_of(box, source)
    return bool(
        box.store.read(
            lambda unit: (
                unit.bills.unbilled_payments(name, hours, "", 1, payee)
                or unit.bills.unbilled_refunds(name, hours, "", 1, payee)
            )
        )
    )
