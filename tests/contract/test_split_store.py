"""Splits of payments, returns and tenants' terms are kept the same way in SQLite and in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.retail.attempt import PayWay
from edge.retail.ledger import Entry, Posting
from edge.retail.money_share import (
    MoneyShare,
    PaymentSplit,
    ShareReturn,
    ShareState,
    SplitState,
    TenantTerms,
)
from edge.retail.order import Tender
from edge.retail.refund import Refund
from edge.retail.split import OrderPart
from edge.services.ports import Store
from edge.services.records import Unit
from edge.store.sqlite_store import SqliteStore
from sim.fakes.store import FakeStore
from tests.contract.test_store import ATTEMPT, ORDER, with_order

SHARES = (MoneyShare("t-tea", "1900000011", 90), MoneyShare("t-bakery", "1900000012", 50))
SPLIT = PaymentSplit(
    "split-1", ORDER.order_id, "tender-1", "wechat_pay", "", "tx-1", 200, "S1", 5, 9, ("t-tea",), SHARES
)
RETURN = ShareReturn("return-1", "split-1", "refund-1", "t-tea", "1900000011", 40, "B1", 6, 8)


@pytest.fixture(params=["fake", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = FakeStore() if request.param == "fake" else SqliteStore(tmp_path / "edge.db", 1)
    yield opened
    opened.close()


def fill(unit: Unit) -> None:
    with_order(unit)
    tender = Tender("tender-1", "wechat_pay", 200, 1)
    unit.orders.put(replace(ORDER, tenders=(tender,)))
    unit.refunds.put(
        Refund("refund-1", ORDER.order_id, "R-1", ORDER.workstation, ORDER.business_day, 40, "why", "w", 3)
    )
    unit.splits.put(SPLIT)
    unit.splits.put_return(RETURN)


def test_a_split_and_its_returns_are_read_as_they_were_written(store: Store) -> None:
    store.write(fill)
    assert store.read(lambda unit: unit.splits.get("split-1")) == SPLIT
    assert store.read(lambda unit: unit.splits.of_order(ORDER.order_id)) == (SPLIT,)
    assert store.read(lambda unit: unit.splits.returns_of("split-1")) == (RETURN,)
    assert store.read(lambda unit: unit.splits.get("split-2")) is None


def test_what_moves_comes_by_its_next_step_and_what_is_over_does_not(store: Store) -> None:
    store.write(fill)
    sooner = replace(SPLIT, split_id="split-2", sharing_no="S2", next_step_at=3, state=SplitState.SUBMITTED)
    store.write(lambda unit: unit.splits.put(sooner))
    moving = store.read(lambda unit: unit.splits.moving(9))
    assert [one.split_id for one in moving] == ["split-2", "split-1"]
    shares = tuple(replace(one, state=ShareState.DONE) for one in SHARES)
    done = replace(SPLIT, shares=shares, state=SplitState.DONE, closed_at=7, polls=2, trail="FINISHED")
    over = replace(RETURN, state=ShareState.FAILED, trail="NO", closed_at=7)
    store.write(lambda unit: (unit.splits.put(done), unit.splits.put_return(over)))
    assert store.read(lambda unit: unit.splits.get("split-1")) == done
    assert [one.split_id for one in store.read(lambda unit: unit.splits.moving(9))] == ["split-2"]
    assert store.read(lambda unit: unit.splits.moving_returns(9)) == ()


def test_the_terms_of_an_order_stay_as_they_were(store: Store) -> None:
    terms = {"t-tea": TenantTerms("1900000011", 80), "t-fruit": TenantTerms("", 50)}
    store.write(fill)
    store.write(lambda unit: unit.splits.put_terms(ORDER.order_id, terms))
    assert store.read(lambda unit: unit.splits.terms(ORDER.order_id)) == terms
    assert store.read(lambda unit: unit.splits.terms("order-9")) == {}


def test_the_books_tell_what_a_time_moved(store: Store) -> None:
    def work(unit: Unit) -> None:
        for number, at in enumerate((9, 10, 19, 20)):
            entries = (Entry("sales/t-tea", -5), Entry("due/o", 5))
            unit.ledger.post(Posting(f"p{number}", "sale", f"o{number}", at, entries))

    store.write(work)
    moved = store.read(lambda unit: unit.ledger.moved(10, 20))
    assert moved == {("sale", "due/o"): 10, ("sale", "sales/t-tea"): -10}


def test_a_payment_keeps_its_parts_and_whether_its_money_waits(store: Store) -> None:
    parts = (
        OrderPart("1900000011", "part-1", 90, "tea", ("t-tea",)),
        OrderPart("", "part-2", 110, "mall", ("t-a", "t-b"), frozen=True),
    )
    kept = replace(ATTEMPT, way=PayWay.NATIVE, parts=parts, frozen=True)
    store.write(lambda unit: (with_order(unit), unit.attempts.put(kept)))
    assert store.read(lambda unit: unit.attempts.get(ATTEMPT.attempt_id)) == kept
    paid = replace(kept, parts=tuple(replace(one, transaction_id=f"tx{one.amount_fen}") for one in parts))
    store.write(lambda unit: unit.attempts.put(paid))
    assert store.read(lambda unit: unit.attempts.of_order(ORDER.order_id)) == (paid,)
