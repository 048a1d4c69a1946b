"""Bills and the books beside them are kept the same way in SQLite and in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.retail.attempt import AttemptState, PaymentAttempt
from edge.retail.order import Tender
from edge.retail.reconcile import ChannelMoney, LocalPayment, LocalRefund
from edge.retail.refund import LegState, Refund, RefundLeg, RefundPhase
from edge.services.bill_records import BillDay, BillHours
from edge.services.ports import Store
from edge.services.records import Unit
from edge.store.sqlite_store import SqliteStore
from sim.fakes.store import FakeStore
from tests.contract.test_store import ATTEMPT, ORDER, with_order

DONE = BillDay("wechat_pay", "m-1", "2026-11-21", 5, 9, 900, 100, 2, 8, 0, 1, 1)


@pytest.fixture(params=["fake", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = FakeStore() if request.param == "fake" else SqliteStore(tmp_path / "edge.db", 1)
    yield opened
    opened.close()


def attempt(number: int, at: int, state: AttemptState = AttemptState.APPROVED) -> PaymentAttempt:
    return replace(
        ATTEMPT,
        attempt_id=f"attempt-{number}",
        merchant_order_no=f"M{number}",
        created_at=at,
        state=state,
        closed_at=at + 5,
    )


def with_refund(unit: Unit) -> None:
    """A payment of which a part went back at 5,000."""
    with_order(unit)
    unit.attempts.put(attempt(1, 1_000))
    tender = Tender("tender-1", "wechat_pay", ATTEMPT.amount_fen, 1_000, attempt_id="attempt-1")
    unit.orders.put(replace(ORDER, tenders=(tender,)))
    leg = RefundLeg("leg-1", "tender-1", "wechat_pay", 50, "R1", 4_000, 0, LegState.DONE, closed_at=5_000)
    unit.refunds.put(
        Refund(
            "refund-1",
            ORDER.order_id,
            "R-1",
            ORDER.workstation,
            ORDER.business_day,
            50,
            "broken",
            "王",
            3_000,
            legs=(leg,),
            phase=RefundPhase.DONE,
            decided_by="李",
            decided_at=4_000,
            closed_at=5_000,
        )
    )


def test_payments_are_found_by_our_number_whatever_became_of_them(store: Store) -> None:
    def work(unit: Unit) -> None:
        with_order(unit)
        unit.attempts.put(attempt(1, 1_000))
        unit.attempts.put(attempt(2, 2_000, AttemptState.VOIDED))

    store.write(work)
    known = store.read(lambda unit: unit.bills.payments("wechat_pay", ["M1", "M2", "M3"]))
    assert known == {
        f"M{number}": LocalPayment(
            f"M{number}", ORDER.number, ATTEMPT.amount_fen, state, number * 1_000, number * 1_000 + 5
        )
        for number, state in ((1, AttemptState.APPROVED), (2, AttemptState.VOIDED))
    }
    assert store.read(lambda unit: unit.bills.payments("alipay", ["M1"])) == {}


def test_refunds_are_found_by_our_number(store: Store) -> None:
    store.write(with_refund)
    leg = LocalRefund("M1", "R1", ORDER.number, 50, LegState.DONE, 5_000)
    assert store.read(lambda unit: unit.bills.refunds("wechat_pay", ["R1", "R9"])) == {"R1": leg}
    unbilled = store.read(
        lambda unit: unit.bills.unbilled_refunds("wechat_pay", BillHours("d", 5_000, 5_001), "", 9)
    )
    assert unbilled == (leg,)
    store.write(lambda unit: unit.bills.mark_refunds(["R1"], "2026-11-21"))
    assert (
        store.read(lambda unit: unit.bills.unbilled_refunds("wechat_pay", BillHours("d", 0, 9_999), "", 9))
        == ()
    )
    marked = store.read(lambda unit: unit.bills.refunds("wechat_pay", ["R1"]))
    assert marked == {"R1": replace(leg, billed_on="2026-11-21")}


def test_what_is_in_no_bill_comes_page_by_page_and_only_of_the_hours_asked_for(store: Store) -> None:
    def work(unit: Unit) -> None:
        with_order(unit)
        for number in range(1, 6):
            state = AttemptState.DECLINED if number == 3 else AttemptState.APPROVED
            unit.attempts.put(attempt(number, number * 1_000, state))

    store.write(work)

    def page(after: str, limit: int) -> list[str]:
        found = store.read(
            lambda unit: unit.bills.unbilled_payments(
                "wechat_pay", BillHours("2026-11-20", 2_000, 5_000), after, limit
            )
        )
        return [one.merchant_order_no for one in found]

    assert (page("", 1), page("M2", 9), page("M4", 9)) == (["M2"], ["M4"], [])
    store.write(lambda unit: unit.bills.mark_payments(["M2"], "2026-11-21"))
    assert page("", 9) == ["M4"]
    # What this very bill had before is looked for again, in case it has it no more.
    store.write(lambda unit: unit.bills.mark_payments(["M4"], "2026-11-20"))
    assert page("", 9) == ["M4"]


def test_a_payment_stays_in_the_bill_that_it_was_first_found_in(store: Store) -> None:
    def work(unit: Unit) -> None:
        with_order(unit)
        unit.attempts.put(attempt(1, 1_000))
        unit.bills.mark_payments(["M1"], "2026-11-20")
        unit.bills.mark_payments(["M1"], "2026-11-21")
        unit.attempts.put(replace(attempt(1, 1_000), state=AttemptState.REFUNDED))

    store.write(work)
    known = store.read(lambda unit: unit.bills.payments("wechat_pay", ["M1"]))
    assert (known["M1"].billed_on, known["M1"].state) == ("2026-11-20", AttemptState.REFUNDED)


def test_the_last_comparison_of_a_day_counts_and_days_come_newest_first(store: Store) -> None:
    later = replace(DONE, day="2026-11-22")
    for one in (DONE, later, replace(DONE, differences=0)):
        store.write(lambda unit, done=one: unit.bills.put_day(done))  # type: ignore[misc]
    assert store.read(lambda unit: unit.bills.days(9)) == (later, replace(DONE, differences=0))
    assert store.read(lambda unit: unit.bills.day("wechat_pay", "m-1", "2026-11-22")) == later
    assert store.read(lambda unit: unit.bills.day("alipay", "m-1", "2026-11-22")) is None


def test_what_a_bill_leaves_open_is_replaced_when_it_is_compared_again(store: Store) -> None:
    money = ChannelMoney("M1", 350, 0, "SUCCESS", 9)
    store.write(lambda unit: unit.bills.carry("wechat_pay", "m-1", "2026-11-20", [money]))
    store.write(lambda unit: unit.bills.carry("wechat_pay", "m-1", "2026-11-21", [ChannelMoney("M2"), money]))
    store.write(lambda unit: unit.bills.carry("wechat_pay", "m-1", "2026-11-21", [money]))
    carried = store.read(lambda unit: unit.bills.carried("wechat_pay", "m-1", "2026-11-22"))
    assert carried == (("2026-11-20", money), ("2026-11-21", money))
    assert store.read(lambda unit: unit.bills.carried("wechat_pay", "m-1", "2026-11-20")) == ()
    assert store.read(lambda unit: unit.bills.carried("wechat_pay", "m-2", "2026-11-22")) == ()
