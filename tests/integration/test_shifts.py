"""Shifts in the real database: over restarts, from an older box, and in the books of a busy day."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from edge.retail.ledger import Entry, Posting
from edge.retail.receipt import PrintState
from edge.retail.shift import CashKind, ShiftState
from edge.services.close_day import close_day
from edge.services.close_shift import begin_count, give_count, look_at_shift
from edge.services.move_cash import move_cash
from edge.services.open_shift import open_shift
from edge.services.print_paper import print_next_paper
from edge.services.records import Unit
from edge.services.show_shifts import show_day
from edge.services.take_cash import take_cash
from edge.store.migrate import migrate, schema_steps
from edge.store.sqlite_store import SqliteStore
from sim.fakes.box import BREAD, COLA, KIOSK, RULES, TILL, FakePorts
from tests.unit.shop import Shop

#: The schema before shifts.
BEFORE = 8


class Kept:
    """A shop over a database that can be closed and opened again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.store = SqliteStore(path, 1_000)
        self.shop = Shop(replace(RULES, cash_needs_shift=True), FakePorts(store=self.store))

    def restart(self) -> None:
        self.store.close()
        self.store = SqliteStore(self.path, 2_000)
        self.shop.ports.store = self.store
        self.shop.restart()


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    made = Kept(tmp_path / "edge.db")
    yield made
    made.store.close()


def sell(shop: Shop, *texts: str) -> None:
    order = shop.order_of(*texts, place=TILL)
    take_cash(shop.box, TILL, order.due_fen)


def test_a_shift_goes_on_over_restarts_and_closes_to_the_fen(kept: Kept) -> None:
    shop = kept.shop
    open_shift(shop.box, TILL, "李雷", 10_000)
    sell(shop, COLA)
    kept.restart()
    move_cash(shop.box, TILL, CashKind.PICK_UP, 5_000, "上交", "李雷")
    sell(shop, BREAD)
    begin_count(shop.box, TILL)
    kept.restart()
    shift = give_count(shop.box, TILL, {"note_5000": 1, "note_1000": 1}, 150, "李雷")
    kept.restart()
    found = shop.box.store.read(lambda unit: unit.shifts.get(shift.shift_id))
    assert found == shift
    assert (shift.state, shift.number, shift.expected_fen) == (ShiftState.CLOSED, 1, 6_150)
    report = shop.box.store.read(lambda unit: look_at_shift(unit, shift, shop.box.clock.now()))
    assert (report.orders, report.taken_fen) == (2, 1_150)


def test_papers_wait_in_the_database_for_the_printer(kept: Kept) -> None:
    shop = kept.shop
    shift = open_shift(shop.box, TILL, "李雷", 10_000)
    begin_count(shop.box, TILL)
    give_count(shop.box, TILL, {}, 10_000, "李雷")
    shop.wait(60_000)
    kept.restart()
    states = []
    while (state := print_next_paper(shop.box, TILL)) is not None:
        states.append(state)
    # The slip and the report are printed, the drawer that was to open a minute ago is not.
    assert states == [PrintState.PRINTED, PrintState.UNCERTAIN, PrintState.PRINTED]
    said = shop.papers(TILL)
    assert "FLOAT" in said[0]
    assert "Z REPORT" in said[1]
    kept.restart()
    assert print_next_paper(shop.box, TILL) is None
    assert len(shop.box.store.read(lambda unit: unit.papers.of(shift.shift_id))) == 3


def test_a_box_from_before_shifts_begins_with_none_of_its_old_money(tmp_path: Path) -> None:
    path = tmp_path / "edge.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        migrate(old, schema_steps()[:BEFORE], 1_000)
        old.execute("INSERT INTO postings VALUES ('p-1', 'tender', 't-1', 1)")
        old.execute("INSERT INTO entries VALUES ('p-1', 0, 'tender/cash', 500), ('p-1', 1, 'due/o', -500)")
    kept = Kept(path)
    try:
        shift = open_shift(kept.shop.box, TILL, "李雷", 0)
        assert shift.after == 1
        sell(kept.shop, COLA)
        assert kept.store.read(lambda unit: unit.shifts.drawer_fen(TILL, shift.after, None)) == 350
        assert kept.store.read(lambda unit: unit.ledger.balances())["tender/cash"] == 850
    finally:
        kept.store.close()


def test_a_day_of_ten_thousand_postings_is_shown_and_closed_to_the_fen(kept: Kept) -> None:
    shop = kept.shop
    shop.order_of(COLA)
    shop.pay(shop.code())

    def trade(unit: Unit) -> None:
        for number in range(5_000):
            money = (Entry("tender/cash", 700), Entry(f"due/{number}", -700))
            sale = (Entry(f"due/{number}", 700), Entry("sales/t-drinks", -700))
            for kind, entries in (("tender", money), ("sale", sale)):
                posting = Posting(shop.box.ids.new_id(), kind, f"{kind}-{number}", 1, entries, KIOSK, "")
                unit.ledger.post(posting)

    shop.box.store.write(trade)
    view = show_day(shop.box)
    assert (view.report.orders, view.report.taken_fen) == (5_001, 3_500_350)
    assert sum(sum(hours.values()) for hours in view.hours.values()) == 3_500_350
    report = close_day(shop.box, view.day, "王主管")
    assert report == replace(view.report, z_numbers=((KIOSK, 1),))
