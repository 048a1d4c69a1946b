"""What every store promises of shifts, of the books by workstation, and of papers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.errors import Corrupt
from edge.retail.attempt import AttemptState, PaymentAttempt
from edge.retail.basket import LineItem
from edge.retail.ledger import post_sale, post_tender
from edge.retail.order import Order, Tender
from edge.retail.receipt import PrintState
from edge.retail.shift import (
    BusinessDay,
    CashKind,
    CashMovement,
    Shift,
    begin_count,
    cash_count,
    close_shift,
    give_count,
    move_cash,
    open_shift,
)
from edge.services.paper_records import Paper, PaperKind
from edge.services.ports import Store
from edge.services.records import Unit
from edge.store.sqlite_store import SqliteStore
from sim.fakes.store import FakeStore

DAY = "2026-11-22"
LINE = LineItem("line-1", "cola", "t-drinks", "可乐", "Cola", "690", 2, 350, 700)
TENDER = Tender("tender-1", "cash", 700, 2_500, 1_000, 300)
ORDER = Order("order-1", "till-1-0001", "basket-1", "till-1", DAY, 2_000, (LINE,), tenders=(TENDER,))
SHIFT = open_shift("shift-1", "till-1", "李雷", DAY, 1_000, 20_000, 0)
PAPER = Paper("paper-1", "till-1", PaperKind.X_REPORT, "shift-1", "[]", 1_000)


@pytest.fixture(params=["fake", "real"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made = FakeStore() if request.param == "fake" else SqliteStore(tmp_path / "edge.db", 1_000)
    yield made
    made.close()


def put(store: Store, *shifts: Shift) -> None:
    for shift in shifts:
        store.write(lambda unit, shift=shift: unit.shifts.put(shift))  # type: ignore[misc]


def closed(shift: Shift, number: int, through: int = 0) -> Shift:
    counted = give_count(begin_count(shift), cash_count({"note_10000": 2}, 0, "李雷", 3_000), 20_000)
    return close_shift(counted, number, through, 20_000, "李雷", 4_000, "", 100)


def sell(unit: Unit) -> None:
    unit.orders.put(ORDER)
    unit.ledger.post(post_tender("posting-1", ORDER, TENDER))
    unit.ledger.post(post_sale("posting-2", ORDER, 2_500))


def test_a_shift_is_kept_whole(store: Store) -> None:
    slip = CashMovement("move-1", CashKind.PICK_UP, 500, "零钱", "李雷", 1_500)
    shift = closed(move_cash(SHIFT, slip), 1)
    put(store, SHIFT, shift)
    assert store.read(lambda unit: unit.shifts.get("shift-1")) == shift
    assert store.read(lambda unit: unit.shifts.last("till-1")) == shift
    assert store.read(lambda unit: unit.shifts.current("till-1")) is None


def test_a_workstation_has_one_shift_that_goes_on(store: Store) -> None:
    put(store, SHIFT)
    with pytest.raises(Corrupt):
        put(store, replace(SHIFT, shift_id="shift-2"))
    put(store, replace(SHIFT, shift_id="shift-3", workstation="till-2"))
    going_on = store.read(lambda unit: unit.shifts.going_on())
    assert [one.workstation for one in going_on] == ["till-1", "till-2"]


def test_a_z_number_is_given_once_and_a_closed_shift_never_changes(store: Store) -> None:
    put(store, closed(SHIFT, 1))
    with pytest.raises(Corrupt):
        put(store, closed(replace(SHIFT, shift_id="shift-2"), 1))
    with pytest.raises(Corrupt):
        put(store, replace(closed(SHIFT, 1), closed_by="somebody"))
    put(store, closed(replace(SHIFT, shift_id="shift-2"), 2))
    last = store.read(lambda unit: unit.shifts.last("till-1"))
    assert last is not None
    assert last.number == 2
    assert [one.shift_id for one in store.read(lambda unit: unit.shifts.recent(9))] == ["shift-2", "shift-1"]
    assert len(store.read(lambda unit: unit.shifts.of_day(DAY))) == 2
    assert store.read(lambda unit: unit.shifts.of_day("2026-11-23")) == ()


def test_a_z_report_is_written_once(store: Store) -> None:
    put(store, closed(SHIFT, 1))
    assert store.read(lambda unit: unit.shifts.report("shift-1")) is None
    store.write(lambda unit: unit.shifts.put_report("shift-1", '{"a":1}'))
    assert store.read(lambda unit: unit.shifts.report("shift-1")) == '{"a":1}'
    with pytest.raises(Corrupt):
        store.write(lambda unit: unit.shifts.put_report("shift-1", '{"a":2}'))


def test_a_day_is_closed_once(store: Store) -> None:
    day = BusinessDay(DAY, 5_000, "李雷", "{}")
    store.write(lambda unit: unit.shifts.put_day(day))
    assert store.read(lambda unit: unit.shifts.day(DAY)) == day
    assert store.read(lambda unit: unit.shifts.last_day()) == day
    with pytest.raises(Corrupt):
        store.write(lambda unit: unit.shifts.put_day(day))


def test_the_books_are_read_by_workstation_and_position(store: Store) -> None:
    store.write(sell)
    found = store.read(lambda unit: unit.shifts.booked("till-1", 0, None))
    assert [(each.position, each.posting.kind) for each in found] == [(1, "tender"), (2, "sale")]
    assert found[0].posting == post_tender("posting-1", ORDER, TENDER)
    assert [each.change_fen for each in found] == [300, 0]
    assert {(each.order_number, each.begun_at) for each in found} == {("till-1-0001", 2_000)}
    assert [one.position for one in store.read(lambda unit: unit.shifts.booked("till-1", 1, 2))] == [2]
    assert store.read(lambda unit: unit.shifts.booked("kiosk-1", 0, None)) == ()
    assert store.read(lambda unit: unit.shifts.drawer_fen("till-1", 0, None)) == 700
    assert store.read(lambda unit: unit.shifts.drawer_fen("till-1", 1, None)) == 0
    assert store.read(lambda unit: unit.shifts.position()) == 2
    assert store.read(lambda unit: unit.shifts.places()) == ("till-1",)


def test_payments_that_came_to_nothing_are_counted_by_state(store: Store) -> None:
    store.write(lambda unit: unit.orders.put(ORDER))
    for number, state in enumerate((AttemptState.DECLINED, AttemptState.DECLINED, AttemptState.APPROVED)):
        attempt = PaymentAttempt(
            f"attempt-{number}", "order-1", "till-1", "wechat_pay", f"M{number}", 700, "1234", 3_000, 0, 0,
            state, closed_at=3_500,
        )  # fmt: skip
        store.write(lambda unit, attempt=attempt: unit.attempts.put(attempt))  # type: ignore[misc]
    assert dict(store.read(lambda unit: unit.shifts.failed_attempts("till-1", 3_000, 3_001))) == {
        "declined": 2
    }
    assert dict(store.read(lambda unit: unit.shifts.failed_attempts("till-1", 0, 3_000))) == {}


def test_papers_come_oldest_first_and_what_broke_off_before_all(store: Store) -> None:
    second = replace(PAPER, paper_id="paper-2")
    for paper in (PAPER, second, replace(PAPER, paper_id="paper-3", workstation="till-2")):
        store.write(lambda unit, paper=paper: unit.papers.put(paper))  # type: ignore[misc]
    assert store.read(lambda unit: unit.papers.next("till-1")) == PAPER
    printing = replace(second, print_state=PrintState.PRINTING)
    store.write(lambda unit: unit.papers.put(replace(printing, blocks="changed")))
    assert store.read(lambda unit: unit.papers.next("till-1")) == printing
    store.write(lambda unit: unit.papers.put(replace(PAPER, print_state=PrintState.PRINTED)))
    store.write(lambda unit: unit.papers.put(replace(second, print_state=PrintState.UNCERTAIN)))
    assert store.read(lambda unit: unit.papers.next("till-1")) is None
    assert [one.paper_id for one in store.read(lambda unit: unit.papers.of("shift-1"))] == [
        "paper-1",
        "paper-2",
        "paper-3",
    ]
