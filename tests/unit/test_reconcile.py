"""The bill against the books: each way in which they can differ is found, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest

from edge.clock import local
from edge.errors import Corrupt, Unavailable
from edge.retail.attempt import AttemptState, PaymentAttempt
from edge.retail.bill import BillKind, BillRow
from edge.retail.reconcile import EDGE_MS, DifferenceKind, LocalRefund, judge_refund, missing_refund
from edge.retail.refund import LegState
from edge.services.bill_records import BillDay
from edge.services.check_out import leave
from edge.services.payment_ports import BillNotReady
from edge.services.reconcile import BILL_ZONE, bill_hours, open_differences, reconcile
from edge.services.reconcile_days import Compared, reconcile_due
from edge.services.refund_order import RefundAsk, refund_order
from edge.services.resolve_refunds import resolve_refunds
from edge.services.staff import StaffMember
from edge.services.work_items import close_work
from edge.services.work_records import WorkItem, WorkKind
from sim.fakes.box import COLA, GATEWAY, KIOSK
from tests.unit.shop import Shop

DAY = date(2026, 11, 21)
BEGINS, ENDS = bill_hours(DAY)
NOON = (BEGINS + ENDS) // 2


class Bill:
    """A gateway's bill of one day, as a list."""

    name = GATEWAY
    merchant = "1900000001"

    def __init__(self, *rows: BillRow, fault: Exception | None = None) -> None:
        self.rows = list(rows)
        self.fault = fault

    def trade_bill(self, day: date) -> Iterator[BillRow]:
        yield from self.rows
        if self.fault is not None:
            raise self.fault


def paid(shop: Shop, at: int = NOON, state: AttemptState = AttemptState.APPROVED) -> PaymentAttempt:
    """Put an attempt of 3.50 into the books."""
    shop.wait(10_000)
    order = shop.order_of(COLA)
    shop.pay(shop.code())
    attempt = shop.attempts(order.order_id)[0]
    changed = replace(attempt, state=state, closed_at=at)
    shop.box.store.write(lambda unit: unit.attempts.put(changed))
    rows = shop.ports.store._committed.attempts
    rows[attempt.attempt_id] = replace(changed, created_at=at)
    leave(shop.box, KIOSK)
    return rows[attempt.attempt_id]


def row(attempt: PaymentAttempt, kind: BillKind = BillKind.PAYMENT, **changes: object) -> BillRow:
    state = "SUCCESS" if kind is BillKind.PAYMENT else "REVOKED"
    made = BillRow(
        kind, attempt.merchant_order_no, "", "t-1", "", attempt.amount_fen, 2, attempt.created_at, state
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def compare(shop: Shop, *rows: BillRow, day: date = DAY) -> BillDay:
    return reconcile(shop.box, Bill(*rows), day)


def found(shop: Shop) -> list[tuple[str, str, int, int]]:
    """Return (kind, order number, channel's fen, our fen) of each open difference."""
    items: tuple[WorkItem, ...] = shop.box.store.read(
        lambda unit: unit.work_items.open(99, WorkKind.BILL_DIFFERENCE)
    )
    facts = [json.loads(item.facts) for item in items]
    return [(one["kind"], one["number"], one["channel_fen"], one["local_fen"]) for one in facts]


def number_of(shop: Shop, attempt: PaymentAttempt) -> str:
    return shop.stored_order(attempt.order_id).number


def test_a_bill_that_agrees_leaves_nothing_to_do() -> None:
    shop = Shop()
    first, second = paid(shop), paid(shop)
    done = compare(shop, row(first), row(second))
    assert (done.rows, done.matched, done.payments_fen, done.fees_fen) == (2, 2, 700, 4)
    assert (done.differences, found(shop), open_differences(shop.box, DAY)) == (0, [], 0)


def test_money_that_only_the_channel_has_is_found() -> None:
    shop = Shop()
    stranger = replace(row(paid(shop)), merchant_order_no="f" * 32)
    done = compare(shop, row(paid(shop)), stranger)
    assert ("channel_only", "", 350, 0) in found(shop)
    assert ("local_only", "kiosk-1-0001", 0, 350) in found(shop)
    assert (done.differences, open_differences(shop.box, DAY)) == (2, 2)


@pytest.mark.parametrize(("at", "missed"), [(NOON, True), (ENDS - EDGE_MS, False), (BEGINS - 1, True)])
def test_money_that_only_the_books_have_is_found_and_what_is_near_midnight_waits(
    at: int, missed: bool
) -> None:
    shop = Shop()
    attempt = paid(shop, at)
    compare(shop)
    assert found(shop) == ([("local_only", number_of(shop, attempt), 0, 350)] if missed else [])
    compare(shop, day=DAY + timedelta(days=1))
    assert len(found(shop)) == 1


def test_a_payment_just_before_midnight_may_stand_in_the_next_bill() -> None:
    shop = Shop()
    attempt = paid(shop, ENDS - 1_000)
    compare(shop)
    compare(shop, row(attempt), day=DAY + timedelta(days=1))
    assert found(shop) == []


def test_another_amount_is_found() -> None:
    shop = Shop()
    attempt = paid(shop)
    compare(shop, row(attempt, amount_fen=351))
    assert found(shop) == [("amount", number_of(shop, attempt), 351, 350)]


@pytest.mark.parametrize("state", [AttemptState.VOIDED, AttemptState.DECLINED, AttemptState.REFUNDED])
def test_money_that_the_books_hold_for_gone_is_found(state: AttemptState) -> None:
    shop = Shop()
    attempt = paid(shop, state=state)
    compare(shop, row(attempt))
    assert found(shop) == [("status", number_of(shop, attempt), 350, 0)]


@pytest.mark.parametrize("turned", [False, True])
def test_a_payment_that_was_reversed_agrees_in_either_order_of_the_rows(turned: bool) -> None:
    shop = Shop()
    attempt = paid(shop, state=AttemptState.VOIDED)
    rows = [row(attempt), row(attempt, BillKind.REFUND)]
    done = compare(shop, *(reversed(rows) if turned else rows))
    assert (found(shop), done.matched, done.refunds_fen) == ([], 1, 350)


@pytest.mark.parametrize("turned", [False, True])
def test_a_reversal_of_what_the_books_hold_for_paid_is_found(turned: bool) -> None:
    shop = Shop()
    attempt = paid(shop)
    rows = [row(attempt), row(attempt, BillKind.REFUND)]
    done = compare(shop, *(reversed(rows) if turned else rows))
    assert found(shop) == [("status", number_of(shop, attempt), 0, 350)]
    assert done.matched == 0


def test_a_reversal_after_midnight_is_carried_to_the_next_bill_and_missed_there() -> None:
    for comes in (True, False):
        shop = Shop()
        attempt = paid(shop, ENDS - 5_000, AttemptState.VOIDED)
        rows = shop.ports.store._committed.attempts
        rows[attempt.attempt_id] = replace(attempt, closed_at=ENDS + 60_000)
        done = compare(shop, row(attempt))
        assert (found(shop), done.carried) == ([], 1)
        next_rows = [row(attempt, BillKind.REFUND)] if comes else []
        compare(shop, *next_rows, day=DAY + timedelta(days=1))
        assert found(shop) == ([] if comes else [("status", number_of(shop, attempt), 350, 0)])


def test_a_payment_that_is_billed_twice_is_found() -> None:
    shop = Shop()
    attempt = paid(shop)
    compare(shop, row(attempt), row(attempt))
    assert found(shop) == [("amount", number_of(shop, attempt), 700, 350)]
    other = Shop()
    attempt = paid(other)
    compare(other, row(attempt))
    compare(other, row(attempt), day=DAY + timedelta(days=1))
    assert found(other) == [("amount", number_of(other, attempt), 700, 350)]


def test_rows_of_other_boxes_with_the_same_merchant_number_are_counted_and_left_alone() -> None:
    shop = Shop()
    attempt = paid(shop)
    foreign = row(attempt, merchant_order_no="e" * 32, attach="mall-1/another")
    done = compare(shop, row(attempt, attach=shop.box.origin.attachment), foreign)
    assert (done.elsewhere, done.matched, found(shop)) == (1, 1, [])


def test_comparing_again_closes_what_agrees_now_and_opens_nothing_twice() -> None:
    shop = Shop()
    attempt = paid(shop)
    compare(shop)
    compare(shop)
    assert len(found(shop)) == 1
    compare(shop, row(attempt))
    assert found(shop) == []
    closed = shop.box.store.read(lambda unit: unit.work_items.closed(9))
    assert [(one.closed_by, one.reason) for one in closed] == [
        ("reconcile", "the bill and the books agree now")
    ]


def test_a_payment_that_a_bill_had_and_has_no_more_is_found() -> None:
    shop = Shop()
    attempt = paid(shop)
    compare(shop, row(attempt))
    compare(shop)
    assert found(shop) == [("local_only", number_of(shop, attempt), 0, 350)]
    compare(shop, row(attempt))
    assert found(shop) == []
    compare(shop)
    assert found(shop) == [("local_only", number_of(shop, attempt), 0, 350)]


def test_a_difference_that_a_person_has_closed_stays_closed() -> None:
    shop = Shop()
    paid(shop)
    compare(shop)
    item = shop.box.store.read(lambda unit: unit.work_items.open(9))[0]
    close_work(shop.box, item.item_id, "王", "the gateway says tomorrow")
    compare(shop)
    assert open_differences(shop.box) == 0


def test_a_bill_that_turns_out_wrong_changes_nothing() -> None:
    shop = Shop()
    attempt = paid(shop)
    # More than is compared in one go, so that something has been compared when it turns out.
    strangers = [row(attempt, merchant_order_no=f"{number:032d}") for number in range(600)]
    with pytest.raises(Corrupt, match="totals"):
        reconcile(shop.box, Bill(row(attempt), *strangers, fault=Corrupt("totals")), DAY)
    assert shop.box.store.read(lambda unit: unit.bills.days(9)) == ()
    payments = shop.box.store.read(lambda unit: unit.bills.payments(GATEWAY, [attempt.merchant_order_no]))
    assert payments[attempt.merchant_order_no].billed_on == ""


def test_progress_is_told_as_rows_are_read() -> None:
    shop = Shop()
    attempt = paid(shop)
    strangers = [row(attempt, merchant_order_no=f"{number:032d}") for number in range(1_200)]
    told: list[int] = []
    done = reconcile(shop.box, Bill(*strangers), DAY, lambda progress: told.append(progress.rows))
    assert told == [500, 1_000, 1_200]
    assert done.differences == 1_201


class Bills:
    """A gateway whose bills come when they come. asked: the days that were asked for, in order."""

    name = GATEWAY
    merchant = "1900000001"

    def __init__(self, ready: dict[date, list[BillRow]], broken: date | None = None) -> None:
        self.ready = ready
        self.broken = broken
        self.asked: list[date] = []

    def trade_bill(self, day: date) -> Iterator[BillRow]:
        self.asked.append(day)
        if day == self.broken:
            raise Unavailable("no answer")
        if day not in self.ready:
            raise BillNotReady("not made yet")
        return iter(self.ready[day])


def at(shop: Shop, moment: int) -> None:
    shop.wait(moment - shop.box.clock.now().wall_at)


HALF_PAST_TEN = 10 * 60 + 30


def test_yesterdays_bill_is_asked_for_from_half_past_ten_and_once() -> None:
    shop = Shop()
    attempt = paid(shop)
    bills = Bills({DAY: [row(attempt)]})
    at(shop, ENDS + 10 * 3_600_000)
    reconcile_due(shop.box, [bills], HALF_PAST_TEN)
    assert DAY not in bills.asked
    at(shop, ENDS + HALF_PAST_TEN * 60_000)
    done = reconcile_due(shop.box, [bills], HALF_PAST_TEN)
    assert [(day.day, day.matched) for day in done.days if day.rows] == [("2026-11-21", 1)]
    bills.asked.clear()
    assert reconcile_due(shop.box, [bills], HALF_PAST_TEN) == Compared(())
    assert bills.asked == []


def test_a_day_without_trade_needs_no_bill_and_one_with_trade_is_asked_for_again() -> None:
    shop = Shop()
    paid(shop)
    bills = Bills({})
    at(shop, ENDS + 12 * 3_600_000)
    done = reconcile_due(shop.box, [bills], HALF_PAST_TEN)
    assert "2026-11-21" not in [day.day for day in done.days]
    assert len(done.days) == 6
    bills.asked.clear()
    reconcile_due(shop.box, [bills], HALF_PAST_TEN)
    assert bills.asked == [DAY]


def test_a_bill_that_never_comes_is_taken_for_empty_so_that_its_money_is_looked_for() -> None:
    shop = Shop()
    attempt = paid(shop)
    at(shop, ENDS + 2 * 86_400_000 + 12 * 3_600_000)
    reconcile_due(shop.box, [Bills({})], HALF_PAST_TEN)
    assert found(shop) == [("local_only", number_of(shop, attempt), 0, 350)]


def test_a_bill_that_cannot_be_fetched_stops_no_other() -> None:
    shop = Shop()
    attempt = paid(shop)
    bills = Bills({DAY: [row(attempt)]}, broken=DAY - timedelta(days=1))
    at(shop, ENDS + 12 * 3_600_000)
    done = reconcile_due(shop.box, [bills], HALF_PAST_TEN)
    assert isinstance(done.failed, Unavailable)
    assert ("2026-11-21", 1) in [(day.day, day.matched) for day in done.days]


LEG = LocalRefund("M1", "R1", "K01-0001", 100, LegState.DONE, NOON)
BACK = BillRow(BillKind.REFUND, "M1", "R1", "t-1", "r-1", 100, -1, NOON, "REFUND")


@pytest.mark.parametrize(
    ("local", "kind", "ours_fen"),
    [
        (None, DifferenceKind.CHANNEL_ONLY, 0),
        (replace(LEG, amount_fen=99), DifferenceKind.AMOUNT, -99),
        (replace(LEG, state=LegState.CLOSED), DifferenceKind.STATUS, 0),
        (replace(LEG, state=LegState.ABNORMAL), DifferenceKind.STATUS, 0),
    ],
)
def test_a_refund_that_differs_is_found(
    local: LocalRefund | None, kind: DifferenceKind, ours_fen: int
) -> None:
    difference = judge_refund(BACK, local)
    assert difference is not None
    assert (difference.kind, difference.reference) == (kind, "R1")
    assert (difference.channel_fen, difference.local_fen) == (-100, ours_fen)


@pytest.mark.parametrize("state", [LegState.DONE, LegState.PROCESSING])
def test_a_refund_that_agrees_or_is_on_its_way_is_none(state: LegState) -> None:
    assert judge_refund(BACK, replace(LEG, state=state)) is None


def test_a_refund_that_was_given_and_is_in_no_bill_is_found() -> None:
    missed = missing_refund(LEG, "2026-11-20")
    assert missed is not None
    assert (missed.kind, missed.channel_fen, missed.local_fen) == (DifferenceKind.LOCAL_ONLY, 0, -100)
    assert missing_refund(replace(LEG, billed_on="2026-11-21"), "2026-11-20") is None
    assert missing_refund(replace(LEG, state=LegState.PROCESSING), "2026-11-20") is None


def test_a_refund_goes_with_its_bill() -> None:
    shop = Shop()
    order = shop.order_of(COLA)
    shop.pay(shop.code())
    attempt = shop.attempts(order.order_id)[0]
    boss = StaffMember("李", "supervisor", "")
    refund_order(shop.box, RefundAsk(shop.box.ids.new_id(), order.order_id, KIOSK, "broken"), "王", boss)
    resolve_refunds(shop.box)
    leg = shop.box.store.read(lambda unit: unit.refunds.of_order(order.order_id))[0].legs[0]
    assert leg.state is LegState.DONE
    now = shop.box.clock.now().wall_at
    day = local(now, BILL_ZONE).date()
    begins_at, _ = bill_hours(day)
    shop.ports.store._committed.attempts[attempt.attempt_id] = replace(attempt, created_at=begins_at)
    given = row(
        attempt, BillKind.REFUND, merchant_refund_no=leg.merchant_refund_no, refund_id="r", state="REFUND"
    )
    done = compare(shop, row(attempt), given, day=day)
    assert (found(shop), done.matched, done.refunds_fen) == ([], 2, 350)
