"""Exit passes, looks at them and codes of carts are kept the same way in SQLite and in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.retail.basket import Basket, BasketState
from edge.retail.exit_pass import CheckOutcome, ExitCheck, ExitPass, ExitState, ExitVerdict, Miscount
from edge.retail.order import Order
from edge.services.box import PHONE
from edge.services.cart_records import CartCode
from edge.services.ports import Store
from edge.services.records import Unit
from edge.store.sqlite_store import SqliteStore
from sim.fakes.store import FakeStore


@pytest.fixture(params=["fake", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = FakeStore() if request.param == "fake" else SqliteStore(tmp_path / "edge.db", 1)
    opened.write(lambda unit: [unit.orders.put(order(name)) for name in ("o-1", "o-2")])
    yield opened
    opened.close()


def order(name: str) -> Order:
    return Order(name, f"phone-{name}", "b-1", PHONE, "2026-11-22", 1, ())


def test_a_pass_is_found_by_order_and_by_code_and_its_choice_never_changes(store: Store) -> None:
    one = ExitPass("o-1", "abc", True, 10)
    store.write(lambda unit: unit.exits.put(one))
    used = replace(one, state=ExitState.PASSED, checked_at=20, place="exit-1", by="Li")
    store.write(lambda unit: unit.exits.put(replace(used, recheck=False, ident="other")))
    assert store.read(lambda unit: unit.exits.get("o-1")) == used
    assert store.read(lambda unit: unit.exits.by_ident("abc")) == used
    assert store.read(lambda unit: unit.exits.by_ident("other")) is None
    assert store.read(lambda unit: unit.exits.get("o-2")) is None


def test_looks_are_kept_with_what_was_missing_newest_first_by_place(store: Store) -> None:
    missing = (Miscount("l-1", "可乐", 2),)
    first = ExitCheck("c-1", "o-1", "exit-1", "", 5, ExitVerdict.RECHECK)
    second = ExitCheck(
        "c-2", "o-1", "exit-2", "Li", 6, ExitVerdict.RECHECK, CheckOutcome.EXTRA, missing, "红酒"
    )
    for one in (first, second):
        store.write(lambda unit, one=one: unit.exits.add_check(one))  # type: ignore[misc]
    assert store.read(lambda unit: unit.exits.checks_of("o-1")) == (first, second)
    assert store.read(lambda unit: unit.exits.recent("", 9)) == (second, first)
    assert store.read(lambda unit: unit.exits.recent("exit-1", 9)) == (first,)
    assert store.read(lambda unit: unit.exits.recent("", 1)) == (second,)


def test_old_passes_and_looks_are_tidied(store: Store) -> None:
    def work(unit: Unit) -> None:
        unit.exits.put(ExitPass("o-1", "abc", False, 10))
        unit.exits.put(ExitPass("o-2", "def", False, 100))
        unit.exits.add_check(ExitCheck("c-1", "o-1", "", "", 10, ExitVerdict.PASS))
        unit.exits.add_check(ExitCheck("c-2", "o-2", "", "", 100, ExitVerdict.PASS))

    store.write(work)
    assert store.write(lambda unit: unit.exits.tidy(100)) == 1
    assert store.read(lambda unit: unit.exits.get("o-1")) is None
    assert store.read(lambda unit: unit.exits.get("o-2")) is not None
    assert [one.check_id for one in store.read(lambda unit: unit.exits.recent("", 9))] == ["c-2"]


def test_forsaken_carts_are_phones_own_that_nobody_changed(store: Store) -> None:
    def work(unit: Unit) -> None:
        for name, place, state, at in (
            ("old", PHONE, BasketState.OPEN, 1),
            ("held", PHONE, BasketState.HELD, 2),
            ("asked", PHONE, BasketState.ORDERED, 1),
            ("gone", PHONE, BasketState.ABANDONED, 1),
            ("new", PHONE, BasketState.OPEN, 50),
            ("kiosk", "kiosk-1", BasketState.OPEN, 1),
        ):
            unit.baskets.put(Basket(name, place, 0, state, changed_at=at))

    store.write(work)
    assert store.read(lambda unit: unit.carts.forsaken(50, 9)) == ("old", "held")
    assert store.read(lambda unit: unit.carts.forsaken(50, 1)) == ("old",)


def test_the_newest_order_of_a_phones_basket_is_known(store: Store) -> None:
    assert store.read(lambda unit: unit.carts.order_of("b-1")) == "o-2"
    assert store.read(lambda unit: unit.carts.order_of("b-2")) is None


def test_a_carts_code_is_used_once_and_the_newest_of_a_session_is_known(store: Store) -> None:
    first, second = CartCode("a", "s-1", "b-1", 10, 60), CartCode("b", "s-1", "b-1", 20, 70)
    used = replace(second, used_at=30, place="kiosk-1")
    for one in (first, second, used):
        store.write(lambda unit, one=one: unit.carts.put_code(one))  # type: ignore[misc]
    assert store.read(lambda unit: unit.carts.code("a")) == first
    assert store.read(lambda unit: unit.carts.last_code("s-1")) == used
    assert store.read(lambda unit: unit.carts.last_code("s-2")) is None
    assert store.write(lambda unit: unit.carts.tidy(65)) == 1
    assert store.read(lambda unit: unit.carts.code("a")) is None
