"""Members and points are kept the same way in SQLite and in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from edge.errors import Corrupt, EdgeError
from edge.members.consent import Consent, ConsentPurpose
from edge.members.identity import Identity, IdentityKind
from edge.members.member import MemberMerge, MemberNote, MemberProfile, PlateBinding, ProfileState
from edge.members.points import PointsEntry, PointsKind, PointsLease
from edge.services.people_records import CircleNotice
from edge.services.ports import Store
from edge.services.records import Unit
from edge.store.sqlite_store import SqliteStore
from sim.fakes.store import FakeStore

T = TypeVar("T")
AT = 1_795_300_000_000
ANNE = MemberProfile("m-1", ProfileState.KNOWN, AT, AT, "kiosk-1", "1234", ("tea", "vip"))
BEN = MemberProfile("p-2", ProfileState.PROVISIONAL, AT, AT + 5, phone_tail="1234")
PHONE = Identity(IdentityKind.PHONE, "ab" * 16)
OPENID = Identity(IdentityKind.OPENID, "o-abcdef")
PLATE = PlateBinding("p-2", "cd" * 16, "粤B·••345", "2026-1", AT)
EARNED = PointsEntry("e-1", "m-1", PointsKind.EARN, 50, AT, "order-1", "t-tea", 5_000, AT + 100)


@pytest.fixture(params=["fake", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = FakeStore() if request.param == "fake" else SqliteStore(tmp_path / "edge.db", 1)
    yield opened
    opened.close()


def both(store: Store, work: Callable[[Unit], T]) -> T:
    def whole(unit: Unit) -> T:
        unit.people.put_profile(ANNE)
        unit.people.put_profile(BEN)
        return work(unit)

    return store.write(whole)


def post(store: Store, entry: PointsEntry) -> None:
    store.write(lambda unit: unit.points.post(entry))


def test_a_profile_is_kept_whole_and_found_by_its_phones_tail(store: Store) -> None:
    both(store, lambda unit: None)
    assert store.read(lambda unit: unit.people.profile("m-1")) == ANNE
    assert store.read(lambda unit: unit.people.profile("m-9")) is None
    assert store.read(lambda unit: unit.people.by_tail("1234", 9)) == (BEN, ANNE)
    assert store.read(lambda unit: unit.people.by_tail("", 9)) == ()
    merged = replace(BEN, state=ProfileState.MERGED, merged_into="m-1")
    store.write(lambda unit: unit.people.put_profile(merged))
    assert store.read(lambda unit: unit.people.by_tail("1234", 9)) == (ANNE,)
    assert store.read(lambda unit: unit.people.unseen_since(AT + 1, 9)) == (ANNE,)
    assert store.read(lambda unit: unit.people.unseen_since(AT, 9)) == ()


def test_an_identity_is_one_members_until_it_is_moved_or_forgotten(store: Store) -> None:
    both(store, lambda unit: unit.people.put_identity(PHONE, "p-2", AT))
    store.write(lambda unit: unit.people.put_identity(PHONE, "p-2", AT))
    with pytest.raises(Corrupt, match="merge them"):
        store.write(lambda unit: unit.people.put_identity(PHONE, "m-1", AT))

    def move(unit: Unit) -> None:
        unit.people.put_identity(OPENID, "p-2", AT)
        unit.people.put_consent(Consent("c-1", "p-2", ConsentPurpose.PLATE, "1", "phone", AT))
        unit.people.put_plate(PLATE)
        unit.people.put_plate(replace(PLATE, member_id="m-1", bound_at=AT + 9))
        unit.people.move("p-2", "m-1")
        unit.people.put_merge(MemberMerge("p-2", "m-1", "phone", "service", AT))

    store.write(move)
    assert store.read(lambda unit: unit.people.identities("m-1")) == (OPENID, PHONE)
    assert store.read(lambda unit: unit.people.by_identity(OPENID)) == "m-1"
    kept = replace(PLATE, member_id="m-1", bound_at=AT + 9)
    assert store.read(lambda unit: unit.people.plates("m-1")) == (kept,)
    assert store.read(lambda unit: unit.people.plates("p-2")) == ()
    assert [one.consent_id for one in store.read(lambda unit: unit.people.consents("m-1"))] == ["c-1"]
    assert [one.absorbed_id for one in store.read(lambda unit: unit.people.merges("m-1"))] == ["p-2"]
    with pytest.raises(Corrupt):
        store.write(lambda unit: unit.people.put_merge(MemberMerge("p-2", "m-1", "x", "y", AT)))
    store.write(lambda unit: unit.people.forget("m-1"))
    assert store.read(lambda unit: unit.people.identities("m-1")) == ()
    assert store.read(lambda unit: unit.people.by_plate(PLATE.plate_hmac)) == ()


def test_consents_plates_and_notes_keep_their_ends(store: Store) -> None:
    given = Consent("c-1", "p-2", ConsentPurpose.PLATE, "1", "phone", AT)

    def work(unit: Unit) -> None:
        unit.people.put_consent(given)
        unit.people.put_consent(replace(given, withdrawn_at=AT + 1))
        unit.people.put_plate(PLATE)
        unit.people.put_note(MemberNote("n-1", "p-2", "export", "李", AT))
        unit.people.put_note(MemberNote("n-2", "p-2", "erase", "李", AT + 1, "asked"))

    both(store, work)
    assert store.read(lambda unit: unit.people.consents("p-2")) == (replace(given, withdrawn_at=AT + 1),)
    assert store.read(lambda unit: unit.people.by_plate(PLATE.plate_hmac)) == ("p-2",)
    assert [one.action for one in store.read(lambda unit: unit.people.notes("p-2", 9))] == ["erase", "export"]
    store.write(lambda unit: unit.people.put_plate(replace(PLATE, unbound_at=AT + 2)))
    assert store.read(lambda unit: unit.people.plates("p-2")) == ()
    assert store.read(lambda unit: unit.people.by_plate(PLATE.plate_hmac)) == ()


def test_a_balance_is_the_sum_of_its_lines_and_never_below_zero(store: Store) -> None:
    spent = PointsEntry("e-2", "m-1", PointsKind.SPEND, -20, AT, "order-2")
    leased = PointsEntry("e-3", "m-1", PointsKind.SPEND, -900, AT, "order-3", lease_id="l-1")

    def work(unit: Unit) -> None:
        for entry in (EARNED, spent, leased):
            unit.points.post(entry)

    store.write(work)
    assert store.read(lambda unit: unit.points.balance("m-1")) == (30, 0)
    assert store.read(lambda unit: unit.points.balance("m-9")) == (0, 0)
    assert store.read(lambda unit: unit.points.entries("m-1")) == (EARNED, spent, leased)
    assert store.read(lambda unit: unit.points.of_source("order-1")) == (EARNED,)
    assert store.read(lambda unit: unit.points.earned_since("m-1", "t-tea", AT)) == 50
    assert store.read(lambda unit: unit.points.earned_since("m-1", "t-tea", AT + 1)) == 0
    for bad in (
        replace(spent, entry_id="e-4", points=-31),
        replace(EARNED, entry_id="e-5"),
        replace(spent, points=-1),
        replace(spent, entry_id="e-6", points=0, owed=-1),
    ):
        with pytest.raises(EdgeError):
            post(store, bad)
    assert store.read(lambda unit: unit.points.balance("m-1")) == (30, 0)


def test_what_expires_is_found_until_it_was_looked_at(store: Store) -> None:
    store.write(lambda unit: unit.points.post(EARNED))
    assert store.read(lambda unit: unit.points.expiring(AT + 99, 9)) == ()
    assert store.read(lambda unit: unit.points.expiring(AT + 100, 9)) == ("m-1",)
    store.write(lambda unit: unit.points.mark_expired("m-1", AT + 100))
    assert store.read(lambda unit: unit.points.expiring(AT + 100, 9)) == ()


def test_leases_end_and_cannot_be_overspent(store: Store) -> None:
    lease = PointsLease("l-1", "m-1", 100, AT, AT + 10)
    store.write(lambda unit: unit.points.put_lease(lease))
    assert store.read(lambda unit: unit.points.lease("l-1")) == lease
    assert store.read(lambda unit: unit.points.leases("m-1")) == (lease,)
    assert store.read(lambda unit: unit.points.overdue_leases(AT + 9, 9)) == ()
    assert store.read(lambda unit: unit.points.overdue_leases(AT + 10, 9)) == (lease,)
    with pytest.raises(EdgeError):
        store.write(lambda unit: unit.points.put_lease(replace(lease, spent=101)))
    store.write(lambda unit: unit.points.put_lease(replace(lease, spent=60, closed_at=AT + 10)))
    assert store.read(lambda unit: unit.points.leases("m-1")) == ()
    assert store.read(lambda unit: unit.points.overdue_leases(AT + 99, 9)) == ()


def test_a_notice_is_due_until_what_was_told_is_what_is_so(store: Store) -> None:
    notice = CircleNotice("420000", "order-1", "o-abcdef", 50, AT, AT)
    store.write(lambda unit: unit.points.put_notice(notice))
    assert store.read(lambda unit: unit.points.notice("420000")) == notice
    assert store.read(lambda unit: unit.points.due_notices(AT - 1, AT, 9)) == ()
    assert store.read(lambda unit: unit.points.due_notices(AT, AT, 9)) == (notice,)
    # Planned by a clock that was ahead: it is due.
    assert store.read(lambda unit: unit.points.due_notices(AT - 9, AT - 1, 9)) == (notice,)
    store.write(lambda unit: unit.points.put_notice(replace(notice, told=50)))
    assert store.read(lambda unit: unit.points.due_notices(AT, AT, 9)) == ()
    assert store.read(lambda unit: unit.points.waiting_notices()) == (0, 0)
    store.write(lambda unit: unit.points.put_notice(replace(notice, told=50, points=20)))
    assert store.read(lambda unit: unit.points.waiting_notices()) == (1, 0)
    store.write(lambda unit: unit.points.put_notice(replace(notice, refused=True)))
    assert store.read(lambda unit: unit.points.due_notices(AT, AT, 9)) == ()
    assert store.read(lambda unit: unit.points.waiting_notices()) == (0, 1)
