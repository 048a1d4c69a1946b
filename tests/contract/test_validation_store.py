"""Validations are kept the same way in SQLite and in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.errors import Corrupt
from edge.parking.benefit import BenefitKind
from edge.parking.validation import Grant, Holder, Purchase, SourceKind, Validation, expire, revoke, use
from edge.parking.validation_rule import QuotaPeriod, Tally
from edge.retail.basket import Basket
from edge.retail.order import Order
from edge.services.ports import Store
from edge.services.records import Unit
from edge.services.validation_records import Claim, MerchantTotal, ParkingCoupon
from edge.store.sqlite_store import SqliteStore
from sim.fakes.store import FakeStore
from tests.unit.validation_samples import AT, TWO_HOURS, validation

DAY = "2026-11-22"


@pytest.fixture(params=["fake", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = FakeStore() if request.param == "fake" else SqliteStore(tmp_path / "edge.db", 1)
    yield opened
    opened.close()


def keep(store: Store, *rows: Validation) -> None:
    def work(unit: Unit) -> None:
        for row in rows:
            unit.validations.put(row)

    store.write(work)


def ids(rows: tuple[Validation, ...]) -> list[str]:
    return [one.source_ref for one in rows]


def test_a_validation_is_found_by_its_source_and_kept_with_its_end(store: Store) -> None:
    one = validation("a")
    keep(store, one)
    assert store.read(lambda unit: unit.validations.by_source("a")) == one
    used = use(one, "s-1", 700, AT + 5)
    keep(store, used)
    assert store.read(lambda unit: unit.validations.get(one.validation_id)) == used
    assert store.read(lambda unit: unit.validations.get("v-none")) is None


def test_a_second_one_of_the_same_source_is_refused(store: Store) -> None:
    keep(store, validation("a"))
    with pytest.raises(Corrupt, match="has granted"):
        keep(store, validation("a", validation_id="v-other"))


def test_a_stay_finds_what_is_its_own_its_plates_or_its_members(store: Store) -> None:
    keep(
        store,
        validation("stay", holder=Holder("s-1", "粤B12345", "m-1")),
        validation("plate", holder=Holder("", "粤B12345", "m-9"), granted_at=AT + 1),
        validation("member", holder=Holder("", "", "m-1"), granted_at=AT + 2),
        validation("other", holder=Holder("s-2", "粤B12345", "")),
        revoke(validation("gone", holder=Holder("", "粤B12345", "")), "王", "why", AT),
    )
    holder = Holder("s-1", "粤B12345", "m-1")
    assert ids(store.read(lambda unit: unit.validations.open_of(holder))) == ["stay", "plate", "member"]
    assert store.read(lambda unit: unit.validations.open_of(Holder())) == ()
    assert ids(store.read(lambda unit: unit.validations.of_session("s-2"))) == ["other"]


def test_those_of_an_order_a_shopper_and_a_day_are_found(store: Store) -> None:
    keep(store, validation("a"), validation("b", order_id="order-2", day="2026-11-23"))
    assert ids(store.read(lambda unit: unit.validations.of_order("order-1"))) == ["a"]
    assert ids(store.read(lambda unit: unit.validations.of_shopper("plate:粤B12345", DAY))) == ["a"]
    found = store.read(lambda unit: unit.validations.search("12345", DAY, "2026-11-23", 9))
    assert sorted(ids(found)) == ["a", "b"]
    assert store.read(lambda unit: unit.validations.search("k01-0001", DAY, DAY, 9)) != ()
    assert store.read(lambda unit: unit.validations.search("%", DAY, DAY, 9)) == ()


def test_what_is_overdue_is_found_once(store: Store) -> None:
    one = validation("a", expires_at=AT + 10)
    keep(store, one, validation("b"))
    assert store.read(lambda unit: unit.validations.overdue(AT + 9, 9)) == ()
    assert ids(store.read(lambda unit: unit.validations.overdue(AT + 10, 9))) == ["a"]
    keep(store, expire(one, "over", AT + 10))
    assert store.read(lambda unit: unit.validations.overdue(AT + 10, 9)) == ()


def test_a_merchants_tally_follows_what_is_granted_used_revoked_and_moved(store: Store) -> None:
    a, b = validation("a"), validation("b", day="2026-11-23")
    keep(store, a, b)

    def tally(period: QuotaPeriod, merchant: str = "t-drinks") -> Tally:
        return store.read(lambda unit: unit.validations.tally(merchant, period, DAY))

    assert tally(QuotaPeriod.DAY) == Tally(1, 120, 2_000)
    assert tally(QuotaPeriod.MONTH) == Tally(2, 240, 4_000)
    taken = revoke(a, "service", "refund", AT)
    keep(store, taken, use(b, "s", 900, AT))
    assert (tally(QuotaPeriod.DAY), tally(QuotaPeriod.MONTH)) == (Tally(), Tally(1, 120, 2_000))
    keep(store, a, a)
    keep(store, replace(a, merchant=""))
    assert (tally(QuotaPeriod.DAY), tally(QuotaPeriod.DAY, "")) == (Tally(), Tally(1, 120, 2_000))
    assert store.read(lambda unit: unit.validations.totals(DAY, "2026-11-30")) == (
        MerchantTotal("", 1, 0, 0, 0, 120, 2_000, 0),
        MerchantTotal("t-drinks", 1, 1, 0, 0, 120, 2_000, 900),
    )


def test_a_claim_stays_with_its_basket_and_the_last_word_counts(store: Store) -> None:
    claim = Claim("b-1", Holder(plate="粤B12345", member_id="m-1"), AT, tier="gold")
    store.write(lambda unit: unit.baskets.put(Basket("b-1", "till-1", AT)))
    store.write(lambda unit: unit.validations.put_claim(claim))
    assert store.read(lambda unit: unit.validations.claim("b-1")) == claim
    nobody = Claim("b-1", Holder(), AT + 1, no_car=True)
    store.write(lambda unit: unit.validations.put_claim(nobody))
    assert store.read(lambda unit: unit.validations.claim("b-1")) == nobody
    assert store.read(lambda unit: unit.validations.claim("b-2")) is None


def test_a_purchase_keeps_its_shopper_and_only_its_amount_changes(store: Store) -> None:
    holder = Holder(plate="粤B12345")
    first = Purchase("o-1", "K-1", holder, DAY, AT, {"t": 100, "u": 5}, "gold", SourceKind.RECEIPT)

    def work(unit: Unit) -> None:
        unit.orders.put(Order("o-1", "K-1", "b-1", "till-1", DAY, AT, ()))
        unit.validations.put_purchase(first)

    store.write(lambda unit: unit.baskets.put(Basket("b-1", "till-1", AT)))
    store.write(work)
    assert store.read(lambda unit: unit.validations.purchase("o-1")) == first
    less = replace(first, spent_fen={"t": 0, "u": 5}, holder=Holder(plate="粤B99999"))
    store.write(lambda unit: unit.validations.put_purchase(less))
    kept = replace(first, spent_fen={"t": 0, "u": 5})
    assert store.read(lambda unit: unit.validations.purchases(holder.key, DAY)) == (kept,)
    assert store.read(lambda unit: unit.validations.purchases(holder.key, "2026-11-23")) == ()


def test_a_coupon_is_kept_and_may_be_revoked(store: Store) -> None:
    coupon = ParkingCoupon("C1", "t", Grant(BenefitKind.ALL, label="全免"), AT, AT + 9, "王")
    store.write(lambda unit: unit.validations.put_coupon(coupon))
    gone = replace(coupon, revoked_at=AT + 1, revoked_why="lost", merchant="other")
    store.write(lambda unit: unit.validations.put_coupon(gone))
    kept = replace(coupon, revoked_at=AT + 1, revoked_why="lost")
    assert store.read(lambda unit: unit.validations.coupon("C1")) == kept
    assert store.read(lambda unit: unit.validations.coupons("t", 9)) == (kept,)
    assert store.read(lambda unit: unit.validations.coupon("C2")) is None


def test_a_qr_code_is_spent_once_and_the_ledger_is_bounded(store: Store) -> None:
    def spend(jti: str, until: int) -> bool:
        return store.write(lambda unit: unit.validations.spend_jti(jti, until))

    assert spend("a", AT + 1)
    assert not spend("a", AT + 1)
    assert spend("b", AT + 3)
    assert spend("c", AT + 2)
    assert spend("d", AT)
    assert store.write(lambda unit: unit.validations.forget_jti(AT, 2)) == 2
    assert not spend("b", AT)
    assert not spend("c", AT)
    assert spend("a", AT + 1)


def test_every_field_survives(store: Store) -> None:
    one = validation(
        "a",
        holder=Holder("s", "粤B12345", "m"),
        grant=Grant(BenefitKind.TARIFF, 0, "night", "夜间", "night"),
        source=SourceKind.COUPON,
        granted_by="王",
        order=3,
        expires_at=AT + 1,
    )
    keep(store, one)
    assert store.read(lambda unit: unit.validations.by_source("a")) == one
    assert one.grant != TWO_HOURS
