"""Money for stays is kept the same way in SQLite and in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.errors import Corrupt
from edge.parking.autopay import Autopay
from edge.parking.debt import Debt, DebtCause, DebtState, settle_debt, write_off
from edge.parking.quote import Settlement
from edge.parking.session import Session, SessionState
from edge.parking.stay_charge import StayCharge
from edge.services.ports import Store
from edge.services.records import Unit
from edge.store.sqlite_store import SqliteStore
from sim.fakes.store import FakeStore

PAID = Settlement("s-1", "stay-1", "order-1", 1_000, 5_000, 5_100, "kiosk-1")
BACK = Settlement("s-2", "stay-1", "order-1", -400, 5_000, 6_000, "till-1", "refund-1")
CHARGE = StayCharge("line-1", "stay-1", 1_000, 5_000, 5_000, '{"at": 5000}')
DEBT = Debt("d-1", "stay-1", "粤B12345", 1_000, DebtCause.UNCONFIRMED, 7_000, "exit-1")


@pytest.fixture(params=["fake", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = FakeStore() if request.param == "fake" else SqliteStore(tmp_path / "edge.db", 1)
    yield opened
    opened.close()


def test_settlements_are_found_by_stay_and_by_order_in_order(store: Store) -> None:
    other = replace(PAID, settlement_id="s-0", session_id="stay-2")

    def work(unit: Unit) -> None:
        for one in (BACK, PAID, other):
            unit.settlements.put(one)

    store.write(work)
    assert store.read(lambda unit: unit.settlements.of_session("stay-1")) == (PAID, BACK)
    assert store.read(lambda unit: tuple(unit.settlements.of_order("order-1"))) == (other, PAID, BACK)
    assert store.read(lambda unit: unit.settlements.of_session("stay-9")) == ()


@pytest.mark.parametrize("first", [PAID, BACK])
def test_an_order_or_refund_settles_a_stay_once(store: Store, first: Settlement) -> None:
    store.write(lambda unit: unit.settlements.put(first))
    with pytest.raises(Corrupt):
        store.write(lambda unit: unit.settlements.put(replace(first, settlement_id="s-9")))
    assert store.read(lambda unit: unit.settlements.of_session("stay-1")) == (first,)


def test_a_charge_follows_its_line_into_an_order_and_keeps_its_stay(store: Store) -> None:
    store.write(lambda unit: unit.stay_charges.put(CHARGE))
    ordered = replace(CHARGE, order_id="order-1", amount_fen=1_500, covers_until=6_000, quote="{}")
    store.write(lambda unit: unit.stay_charges.put(replace(ordered, session_id="stay-2", debt_id="d-9")))
    assert store.read(lambda unit: unit.stay_charges.get("line-1")) == ordered
    assert store.read(lambda unit: unit.stay_charges.of_session("stay-1")) == (ordered,)
    assert store.read(lambda unit: unit.stay_charges.of_session("stay-2")) == ()
    assert store.read(lambda unit: unit.stay_charges.get("line-2")) is None


def test_what_is_known_of_autopay_is_written_anew(store: Store) -> None:
    first = Autopay("stay-1", "wechat_pay", 5, "5K1", usable=True)
    second = Autopay("stay-1", "wechat_pay", 9, "5K1", reason="OVERDUE")
    store.write(lambda unit: unit.autopays.put(first))
    assert store.read(lambda unit: unit.autopays.get("stay-1")) == first
    store.write(lambda unit: unit.autopays.put(second))
    assert store.read(lambda unit: unit.autopays.get("stay-1")) == second
    assert store.read(lambda unit: unit.autopays.get("stay-2")) is None


def test_stays_that_no_gateway_was_told_of_are_found_oldest_first(store: Store) -> None:
    old = Session("stay-1", "p1", "粤B12345", 1_000, "in-1")
    stays = (
        old,
        replace(old, session_id="stay-2", plate="粤B2", entered_at=3_000),
        replace(old, session_id="stay-3", plate="粤B3", entered_at=2_000),
        replace(old, session_id="stay-4", plate="", ticket="T", entered_at=2_500),
        replace(old, session_id="stay-5", plate="粤B5", state=SessionState.LEFT, left_at=9_000),
        replace(old, session_id="stay-6", plate="粤B6", entered_at=2_200),
    )

    def work(unit: Unit) -> None:
        for one in stays:
            unit.sessions.put(one)
        unit.autopays.put(Autopay("stay-6", "wechat_pay", 5))

    store.write(work)
    assert store.read(lambda unit: unit.autopays.untold(0, 9)) == ("stay-1", "stay-3", "stay-2")
    assert store.read(lambda unit: unit.autopays.untold(2_000, 1)) == ("stay-3",)
    assert store.read(lambda unit: unit.autopays.untold(3_001, 9)) == ()


def test_open_debts_are_found_by_plate_until_they_end(store: Store) -> None:
    second = replace(DEBT, debt_id="d-2", amount_fen=500, recorded_at=8_000, session_id="stay-2")
    ticket = replace(DEBT, debt_id="d-3", plate="", recorded_at=9_000, session_id="stay-3")

    def work(unit: Unit) -> None:
        for one in (ticket, second, DEBT):
            unit.debts.put(one)

    store.write(work)
    assert store.read(lambda unit: unit.debts.of_plate(DEBT.plate, 9)) == (DEBT, second)
    assert store.read(lambda unit: unit.debts.of_plate(DEBT.plate, 1)) == (DEBT,)
    assert store.read(lambda unit: unit.debts.of_plate("", 9)) == ()
    assert store.read(lambda unit: unit.debts.owed_fen()) == 2_500
    settled = settle_debt(DEBT, "order-7", 9_000)
    forgiven = write_off(second, "王", "misread plate", 9_100)
    for one in (settled, forgiven):
        store.write(lambda unit, debt=one: unit.debts.put(debt))  # type: ignore[misc]
    assert store.read(lambda unit: unit.debts.of_plate(DEBT.plate, 9)) == ()
    assert store.read(lambda unit: unit.debts.get("d-1")) == settled
    assert store.read(lambda unit: unit.debts.get("d-9")) is None
    assert store.read(lambda unit: unit.debts.of_session("stay-2")) == (forgiven,)
    assert store.read(lambda unit: unit.debts.recent(None, 9)) == (ticket, forgiven, settled)
    assert store.read(lambda unit: unit.debts.recent(DebtState.SETTLED, 9)) == (settled,)
    assert store.read(lambda unit: unit.debts.recent(None, 1)) == (ticket,)
