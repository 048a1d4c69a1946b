"""Tickets in a till's baskets are kept the same way in SQLite and in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.retail.basket import Basket
from edge.retail.ticket import Ticket
from edge.services.collection_records import Collected
from edge.services.ports import Store
from edge.services.records import Unit
from edge.store.sqlite_store import SqliteStore
from sim.fakes.store import FakeStore


@pytest.fixture(params=["fake", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = FakeStore() if request.param == "fake" else SqliteStore(tmp_path / "edge.db", 1)
    yield opened
    opened.close()


def fill(unit: Unit) -> None:
    for name in ("basket-1", "basket-2"):
        unit.baskets.put(Basket(name, "till-1", 0))
    for number in (1, 2):
        ticket = Ticket(f"t{number}", f"c{number}", f"C01-{number}", "C01", "t-tea", "lin", "2026-11-22", 0)
        unit.tickets.put(ticket)
    unit.collections.put(Collected("basket-1", "t2", ("l1", "l2"), 5))
    unit.collections.put(Collected("basket-1", "t1", ("l3",), 7))


def test_the_tickets_of_a_basket_come_in_the_order_in_which_they_were_collected(store: Store) -> None:
    store.write(fill)
    kept = store.read(lambda unit: unit.collections.of_basket("basket-1"))
    assert kept == (Collected("basket-1", "t2", ("l1", "l2"), 5), Collected("basket-1", "t1", ("l3",), 7))
    assert store.read(lambda unit: unit.collections.of_basket("basket-2")) == ()


def test_the_same_ticket_again_changes_its_lines_and_not_its_place(store: Store) -> None:
    store.write(fill)
    store.write(lambda unit: unit.collections.put(Collected("basket-1", "t2", ("l9",), 99)))
    kept = store.read(lambda unit: unit.collections.of_basket("basket-1"))
    assert [(one.ticket_id, one.line_ids, one.collected_at) for one in kept] == [
        ("t2", ("l9",), 5),
        ("t1", ("l3",), 7),
    ]


def test_a_ticket_that_is_taken_out_is_gone_and_may_be_taken_out_again(store: Store) -> None:
    store.write(fill)
    for _ in range(2):
        store.write(lambda unit: unit.collections.drop("basket-1", "t2"))
    assert [one.ticket_id for one in store.read(lambda unit: unit.collections.of_basket("basket-1"))] == [
        "t1"
    ]
