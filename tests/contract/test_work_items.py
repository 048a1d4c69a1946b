"""Work items are kept the same way in SQLite and in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.errors import Corrupt, Invalid
from edge.services.ports import Store
from edge.services.work_items import close_work, raise_work
from edge.services.work_records import WorkItem, WorkKind
from edge.store.sqlite_store import SqliteStore
from sim.fakes.store import FakeStore
from tests.unit.shop import Shop

FIRST = WorkItem("w-1", WorkKind.LATE_PAYMENT, "attempt-1", 1_000, '{"number": "K01-0001"}', "2026-11-22")
SECOND = WorkItem("w-2", WorkKind.BILL_DIFFERENCE, "attempt-1", 2_000, "{}", "2026-11-21")


@pytest.fixture(params=["fake", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = FakeStore() if request.param == "fake" else SqliteStore(tmp_path / "edge.db", 1)
    yield opened
    opened.close()


def keep(store: Store, *items: WorkItem) -> None:
    for item in items:
        store.write(lambda unit, one=item: unit.work_items.put(one))  # type: ignore[misc]


def test_open_items_are_listed_oldest_first_and_by_kind_and_day(store: Store) -> None:
    keep(store, SECOND, FIRST)
    assert store.read(lambda unit: unit.work_items.open(9)) == (FIRST, SECOND)
    assert store.read(lambda unit: unit.work_items.open(1)) == (FIRST,)
    assert store.read(lambda unit: unit.work_items.open(9, WorkKind.BILL_DIFFERENCE)) == (SECOND,)
    assert store.read(lambda unit: unit.work_items.open(9, day="2026-11-22")) == (FIRST,)
    assert store.read(lambda unit: unit.work_items.count_open()) == 2
    assert store.read(lambda unit: unit.work_items.count_open(WorkKind.BILL_DIFFERENCE)) == 1
    assert store.read(lambda unit: unit.work_items.count_open(day="2026-11-20")) == 0


def test_a_closed_item_is_kept_with_who_and_why(store: Store) -> None:
    closed = replace(FIRST, closed_at=5_000, closed_by="王", reason="goods handed over")
    keep(store, FIRST, SECOND, closed, replace(SECOND, closed_at=4_000, closed_by="李", reason="fee"))
    assert store.read(lambda unit: unit.work_items.open(9)) == ()
    assert store.read(lambda unit: unit.work_items.closed(1)) == (closed,)
    assert store.read(lambda unit: unit.work_items.get("w-1")) == closed
    assert store.read(lambda unit: unit.work_items.get("w-9")) is None


def test_one_thing_is_worked_on_once(store: Store) -> None:
    keep(store, FIRST)
    with pytest.raises(Corrupt, match="late_payment attempt-1"):
        keep(store, replace(FIRST, item_id="w-3"))
    assert store.read(lambda unit: unit.work_items.find(WorkKind.LATE_PAYMENT, "attempt-1")) == FIRST
    assert store.read(lambda unit: unit.work_items.find(WorkKind.MONEY_ADRIFT, "attempt-1")) is None


def test_raising_the_same_work_again_opens_nothing_new_even_when_it_was_closed() -> None:
    box = Shop().box
    facts = {"number": "K01-0001", "amount_fen": 990}
    now = box.clock.now()

    def raised() -> WorkItem:
        return box.store.write(lambda unit: raise_work(unit, box, now, WorkKind.LATE_PAYMENT, "a-1", facts))

    item = raised()
    assert raised() == item
    closed = close_work(box, item.item_id, "王", "  goods   handed over ")
    assert (closed.closed_by, closed.reason) == ("王", "goods handed over")
    assert close_work(box, item.item_id, "李", "another reason") == closed
    assert raised() == closed


def test_work_is_not_closed_without_a_reason_and_not_when_unknown() -> None:
    box = Shop().box
    with pytest.raises(Invalid, match="reason of 2 to 200"):
        close_work(box, "w-1", "王", " ")
    with pytest.raises(Invalid, match="no work item w-1"):
        close_work(box, "w-1", "王", "done")
