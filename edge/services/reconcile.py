"""Compare a gateway's bill of one day with the books, and have a person look at what disagrees.

Nothing is marked before the whole bill was read and its hash and totals were right. A day may be compared
again at any time: differences that are gone are closed, those that a person has closed stay closed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import TypeVar
from zoneinfo import ZoneInfo

from edge.clock import Instant
from edge.retail.bill import BillKind, BillRow
from edge.retail.reconcile import (
    EDGE_MS,
    Carried,
    ChannelMoney,
    Difference,
    LocalPayment,
    LocalRefund,
    Verdict,
    add_row,
    judge_payment,
    judge_refund,
    missing_payment,
    missing_refund,
)
from edge.services.bill_records import BillDay, BillHours
from edge.services.box import Box
from edge.services.payment_ports import BillSource
from edge.services.records import Unit
from edge.services.work_items import close_work, raise_work
from edge.services.work_records import WorkKind

T = TypeVar("T")

#: Where a bill's day begins and ends.
BILL_ZONE = ZoneInfo("Asia/Shanghai")

#: Rows compared in one go, and marked in one unit of work.
CHUNK = 500

#: Differences of one bill that become work items; a bill with more is not ours.
MAX_DIFFERENCES = 2_000

#: Who closes a difference that is gone.
RECONCILER = "reconcile"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a comparison is. rows: of the bill that were read."""

    rows: int
    differences: int


@dataclass(slots=True)
class _Tally:
    """What one pass over a bill has found."""

    rows: int = 0
    payments_fen: int = 0
    refunds_fen: int = 0
    fees_fen: int = 0
    elsewhere: int = 0
    agreed: int = 0
    # Ours that are in this bill, by order number with what was paid, and by refund number.
    payments: dict[str, int] = field(default_factory=dict)
    refunds: list[str] = field(default_factory=list)
    # What is not one payment in full, by order number: judged once the bill is read.
    odd: dict[str, ChannelMoney] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    carried: list[ChannelMoney] = field(default_factory=list)


def bill_hours(day: date) -> tuple[int, int]:
    """Return when a bill's day begins and ends, in Unix milliseconds."""

    def midnight(of: date) -> int:
        return int(datetime.combine(of, time(), BILL_ZONE).astimezone(UTC).timestamp() * 1000)

    return midnight(day), midnight(day + timedelta(days=1))


def reconcile(
    box: Box, source: BillSource, day: date, tell: Callable[[Progress], None] = lambda progress: None
) -> BillDay:
    """Compare one bill with the books and return what came of it; raises what `trade_bill` raises."""
    tally = _Tally()
    _begin_with_carried(box, source, day, tally)
    for rows in _chunks(source.trade_bill(day)):
        _compare(box, source, day.isoformat(), rows, tally)
        tell(Progress(tally.rows, len(tally.differences)))
    _judge_odd(box, source, day, tally)
    _look_for_missing(box, source, day, tally)
    _mark(box, tally, day.isoformat())
    return _write_down(box, source, day.isoformat(), tally)


def payee_of(box: Box, source: BillSource) -> str:
    """Return whose parts of combined payments stand in this bill; "" for the gateway's own number."""
    tenants = {one.merchant for one in box.tenants.values()}
    return source.merchant if source.merchant in tenants else ""


def open_differences(box: Box, day: date | None = None) -> int:
    """Return how many differences nobody has closed, of one day or of all."""
    wanted = day.isoformat() if day else ""
    return box.store.read(lambda unit: unit.work_items.count_open(WorkKind.BILL_DIFFERENCE, wanted))


def _begin_with_carried(box: Box, source: BillSource, day: date, tally: _Tally) -> None:
    """Take up what the bill before has left open."""
    before = box.store.read(lambda unit: unit.bills.carried(source.name, source.merchant, day.isoformat()))
    yesterday = (day - timedelta(days=1)).isoformat()
    tally.odd.update({money.merchant_order_no: money for on, money in before if on == yesterday})


def _chunks(rows: Iterable[BillRow]) -> Iterator[list[BillRow]]:
    several = iter(rows)
    while chunk := list(islice(several, CHUNK)):
        yield chunk


def _compare(box: Box, source: BillSource, day: str, rows: list[BillRow], tally: _Tally) -> None:
    ours = [row for row in rows if row.attach in ("", box.origin.attachment)]
    tally.rows += len(rows)
    tally.elsewhere += len(rows) - len(ours)
    for row in ours:
        tally.fees_fen += row.fee_fen
        if row.kind is BillKind.PAYMENT:
            tally.payments_fen += row.amount_fen
        else:
            tally.refunds_fen += row.amount_fen
    _compare_refunds(box, source, [row for row in ours if row.merchant_refund_no], tally)
    _compare_payments(box, source, day, [row for row in ours if not row.merchant_refund_no], tally)


def _compare_refunds(box: Box, source: BillSource, rows: list[BillRow], tally: _Tally) -> None:
    numbers = [row.merchant_refund_no for row in rows]
    known = box.store.read(lambda unit: unit.bills.refunds(source.name, numbers)) if rows else {}
    for row in rows:
        difference = judge_refund(row, known.get(row.merchant_refund_no))
        if row.merchant_refund_no in known:
            tally.refunds.append(row.merchant_refund_no)
        _take_verdict(tally, difference)


def _compare_payments(box: Box, source: BillSource, day: str, rows: list[BillRow], tally: _Tally) -> None:
    """Settle at once what is one payment in full; keep the rest for the end."""
    numbers = [row.merchant_order_no for row in rows]
    known = box.store.read(lambda unit: unit.bills.payments(source.name, numbers)) if rows else {}
    for row in rows:
        number, local = row.merchant_order_no, known.get(row.merchant_order_no)
        before = tally.odd.get(number) or _billed_before(number, local, day, tally)
        money = add_row(before, row)
        if before == ChannelMoney(number) and local is not None and judge_payment(money, local, 0) is None:
            tally.payments[number] = row.amount_fen
            tally.agreed += 1
        else:
            tally.agreed -= number in tally.payments and number not in tally.odd
            tally.odd[number] = money


def _billed_before(number: str, local: LocalPayment | None, day: str, tally: _Tally) -> ChannelMoney:
    """Return what this bill's earlier rows, or an earlier bill, said of a payment."""
    paid_fen = tally.payments.get(number, 0)
    if local is not None and local.billed_on not in ("", day):
        paid_fen += local.amount_fen
    return ChannelMoney(number, paid_fen)


def _judge_odd(box: Box, source: BillSource, day: date, tally: _Tally) -> None:
    ends_at = bill_hours(day)[1]
    numbers = iter(list(tally.odd))
    while chunk := list(islice(numbers, CHUNK)):
        known = box.store.read(lambda unit, some=chunk: unit.bills.payments(source.name, some))  # type: ignore[misc]
        for number in chunk:
            local = known.get(number)
            if local is not None:
                tally.payments[number] = tally.odd[number].paid_fen
            _take_verdict(tally, judge_payment(tally.odd[number], local, ends_at))


def _take_verdict(tally: _Tally, verdict: Verdict) -> None:
    if isinstance(verdict, Carried):
        tally.carried.append(verdict.money)
    elif verdict is not None:
        tally.differences.append(verdict)
    else:
        tally.agreed += 1


def _look_for_missing(box: Box, source: BillSource, day: date, tally: _Tally) -> None:
    """Find what the books have of that day and the bill has not; the last half hour waits for the next."""
    begins_at, ends_at = bill_hours(day)
    hours = BillHours(day.isoformat(), begins_at - EDGE_MS, ends_at - EDGE_MS)
    payee = payee_of(box, source)

    def payments(after: str) -> tuple[LocalPayment, ...]:
        return box.store.read(
            lambda unit: unit.bills.unbilled_payments(source.name, hours, after, CHUNK, payee)
        )

    def refunds(after: str) -> tuple[LocalRefund, ...]:
        return box.store.read(
            lambda unit: unit.bills.unbilled_refunds(source.name, hours, after, CHUNK, payee)
        )

    refunded = set(tally.refunds)
    for payment in _paged(payments, lambda one: one.merchant_order_no):
        if payment.merchant_order_no not in tally.payments and (found := missing_payment(payment, hours.day)):
            tally.differences.append(found)
    for refund in _paged(refunds, lambda one: one.merchant_refund_no):
        if refund.merchant_refund_no not in refunded and (found := missing_refund(refund, hours.day)):
            tally.differences.append(found)


def _paged(fetch: Callable[[str], tuple[T, ...]], key: Callable[[T], str]) -> Iterator[T]:
    """Yield everything that `fetch` has, page by page, each after the last one's key."""
    after = ""
    while page := fetch(after):
        yield from page
        after = key(page[-1])


def _mark(box: Box, tally: _Tally, day: str) -> None:
    payments, refunds = iter(tally.payments), iter(tally.refunds)
    while chunk := list(islice(payments, CHUNK)):
        box.store.write(lambda unit, some=chunk: unit.bills.mark_payments(some, day))  # type: ignore[misc]
    while chunk := list(islice(refunds, CHUNK)):
        box.store.write(lambda unit, some=chunk: unit.bills.mark_refunds(some, day))  # type: ignore[misc]


def _write_down(box: Box, source: BillSource, day: str, tally: _Tally) -> BillDay:
    now = box.clock.now()
    found = tally.differences[:MAX_DIFFERENCES]
    done = BillDay(
        gateway=source.name,
        merchant=source.merchant,
        day=day,
        compared_at=now.wall_at,
        rows=tally.rows,
        payments_fen=tally.payments_fen,
        refunds_fen=tally.refunds_fen,
        fees_fen=tally.fees_fen,
        matched=tally.agreed,
        elsewhere=tally.elsewhere,
        carried=len(tally.carried),
        differences=len(tally.differences),
    )
    for start in range(0, len(found), CHUNK):
        chunk = found[start : start + CHUNK]
        box.store.write(lambda unit, some=chunk: _raise(unit, box, source, some, day, now))  # type: ignore[misc]
    _close_gone(box, source, day, {reference_of(source, one) for one in found})

    def work(unit: Unit) -> None:
        unit.bills.carry(source.name, source.merchant, day, tally.carried)
        unit.bills.put_day(done)

    box.store.write(work)
    return done


def _raise(
    unit: Unit, box: Box, source: BillSource, differences: list[Difference], day: str, now: Instant
) -> None:
    for one in differences:
        facts: dict[str, str | int] = {**asdict(one), "kind": one.kind.value, "gateway": source.name}
        facts["merchant"] = source.merchant
        item = raise_work(unit, box, now, WorkKind.BILL_DIFFERENCE, reference_of(source, one), facts, day)
        if item.closed_by == RECONCILER:
            # It was gone and is back; what a person has closed stays closed.
            unit.work_items.put(replace(item, closed_at=None, closed_by="", reason=""))


def _close_gone(box: Box, source: BillSource, day: str, still: set[str]) -> None:
    items = box.store.read(lambda unit: unit.work_items.open(MAX_DIFFERENCES, WorkKind.BILL_DIFFERENCE, day))
    for item in items:
        facts = json.loads(item.facts)
        # Differences of before there were bills of several merchants do not name theirs.
        mine = facts["gateway"] == source.name and facts.get("merchant", source.merchant) == source.merchant
        if mine and item.reference not in still:
            close_work(box, item.item_id, RECONCILER, "the bill and the books agree now")


def reference_of(source: BillSource, difference: Difference) -> str:
    """Return what a difference is known by for ever: gateway, what it is about, and how it differs."""
    return f"{source.name}/{difference.reference}/{difference.kind}"
