"""What the records of refunds promise, over the store in memory and the one on disk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.errors import Corrupt
from edge.retail.attempt import AttemptState, PaymentAttempt
from edge.retail.basket import LineItem
from edge.retail.order import Order, OrderState, Tender
from edge.retail.refund import LegState, Refund, RefundLeg, RefundLine, RefundPhase
from edge.services.ports import Store
from edge.services.records import Unit
from edge.services.refund_records import OrderSearch
from edge.store.sqlite_store import SqliteStore
from sim.fakes.store import FakeStore

DAY = "2026-11-22"
LINES = (LineItem("l1", "cola", "t1", "可乐", "Cola", "69", 2, 500, 1_000),)
ATTEMPT = PaymentAttempt("a1", "o1", "till-1", "wechat_pay", "merchant-1", 600, "4321", 1, 2, 3)
TENDERS = (Tender("t1", "cash", 400, 1, 400), Tender("t2", "wechat_pay", 600, 2, attempt_id="a1"))
ORDER = Order("o1", "till-1-0001", "b1", "till-1", DAY, 0, LINES, OrderState.PAID, (), 2)
ASKED = Refund("r1", "o1", "till-1-0001-R1", "till-1", DAY, 500, "破损", "Li", 5, (RefundLine("l1", 1, 500),))
LEG = RefundLeg("leg-1", "t2", "wechat_pay", 500, "leg1", 6, 6)
APPROVED = replace(ASKED, phase=RefundPhase.APPROVED, decided_by="Wang", decided_at=6, legs=(LEG,))


@pytest.fixture(params=["memory", "disk"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened: Store = FakeStore() if request.param == "memory" else SqliteStore(tmp_path / "edge.db", 0)

    def work(unit: Unit) -> None:
        unit.orders.put(ORDER)
        unit.attempts.put(replace(ATTEMPT, state=AttemptState.APPROVED))
        unit.orders.put(replace(ORDER, tenders=TENDERS))
        unit.orders.put(replace(ORDER, order_id="o2", number="kiosk-1-0002"))

    opened.write(work)
    yield opened
    opened.close()


def put(store: Store, *refunds: Refund) -> None:
    for refund in refunds:
        store.write(lambda unit, one=refund: unit.refunds.put(one))


def test_a_refund_is_read_back_as_it_was_written(store: Store) -> None:
    put(store, ASKED)
    assert store.read(lambda unit: unit.refunds.get("r1")) == ASKED
    put(store, APPROVED)
    assert store.read(lambda unit: unit.refunds.get("r1")) == APPROVED
    done = replace(LEG, state=LegState.DONE, polls=2, gateway_refund_id="g", trail="ok", closed_at=9)
    ended = replace(APPROVED, legs=(done,), phase=RefundPhase.DONE, closed_at=9)
    put(store, ended)
    assert store.read(lambda unit: unit.refunds.of_order("o1")) == (ended,)
    assert store.read(lambda unit: unit.refunds.get("nobody")) is None


def test_what_a_refund_is_for_never_changes_and_its_lines_not_once_decided(store: Store) -> None:
    put(store, APPROVED)
    put(store, replace(APPROVED, reason="other", requested_by="Zhao", lines=(RefundLine("l1", 2, 500),)))
    assert store.read(lambda unit: unit.refunds.get("r1")) == APPROVED


def test_no_tender_gives_back_more_than_it_took(store: Store) -> None:
    put(store, APPROVED)
    too_much = replace(LEG, leg_id="leg-2", merchant_refund_no="leg2", amount_fen=101)
    second = replace(APPROVED, refund_id="r2", number="R2", legs=(too_much,))
    with pytest.raises(Corrupt, match="more is given back"):
        put(store, second)
    replaced = replace(LEG, state=LegState.REPLACED)
    instead = replace(LEG, leg_id="leg-3", merchant_refund_no="leg3", kind="cash", state=LegState.DONE)
    put(store, replace(APPROVED, legs=(replaced, instead)))
    assert store.read(lambda unit: unit.refunds.get("r2")) is None


def test_a_refund_needs_its_order_and_a_number_of_its_own(store: Store) -> None:
    with pytest.raises(Corrupt):
        put(store, replace(ASKED, order_id="nowhere"))
    put(store, ASKED)
    with pytest.raises(Corrupt):
        put(store, replace(ASKED, refund_id="r2"))


def test_what_is_followed_up_comes_by_time_and_what_is_open_by_age(store: Store) -> None:
    later = replace(LEG, amount_fen=50, next_step_at=99)
    other = replace(LEG, leg_id="leg-2", merchant_refund_no="leg2", amount_fen=50, next_step_at=7)
    abnormal = replace(other, state=LegState.ABNORMAL, closed_at=7)
    first = replace(APPROVED, legs=(later,))
    second = replace(APPROVED, refund_id="r2", number="R2", legs=(abnormal,))
    third = replace(ASKED, refund_id="r3", number="R3")
    rejected = replace(
        third, refund_id="r4", number="R4", phase=RefundPhase.REJECTED, decided_at=9, closed_at=9
    )
    put(store, first, second, third, rejected)
    assert store.read(lambda unit: unit.refunds.moving(9)) == (second, first)
    assert store.read(lambda unit: unit.refunds.moving(1)) == (second,)
    assert store.read(lambda unit: unit.refunds.open(9)) == (first, second, third)
    assert store.read(lambda unit: unit.refunds.recent(2)) == (rejected, third)


@pytest.mark.parametrize(
    ("day", "text", "found"),
    [
        (DAY, "", ("o1",)),
        (DAY, "0001", ("o1",)),
        (DAY, "TILL-1-0001", ("o1",)),
        (DAY, "4321", ("o1",)),
        (DAY, "0002", ()),
        (DAY, "1%", ()),
        (DAY, "_001", ()),
        (DAY, "9999", ()),
        ("2026-11-23", "", ()),
    ],
)
def test_orders_that_took_money_are_found_by_number_and_payment_code(
    store: Store, day: str, text: str, found: tuple[str, ...]
) -> None:
    assert store.read(lambda unit: unit.refunds.find_orders(OrderSearch(day, text), 9)) == found
