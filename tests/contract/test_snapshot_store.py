"""What every store promises of snapshots: one in each state, chunks that go with their version."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.errors import Invalid
from edge.services.records import Unit
from edge.services.snapshot_records import REBUILT_FROM, SnapshotRefusal, SnapshotRow, SnapshotState
from edge.store.sqlite_store import SqliteStore
from sim.fakes.store import FakeStore

NAME = "catalogue"


@pytest.fixture(params=["fake", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FakeStore | SqliteStore]:
    made = FakeStore() if request.param == "fake" else SqliteStore(tmp_path / "edge.db", 1)
    yield made
    made.close()


def begin(unit: Unit, version: int) -> None:
    unit.snapshots.begin(SnapshotRow(NAME, version, SnapshotState.COMING, b"m%d" % version, version))
    unit.snapshots.put_chunks(NAME, version, {1: b"b%d" % version, 0: b"a%d" % version})


def states(store: FakeStore | SqliteStore) -> dict[str, int]:
    return {row.state.value: row.version for row in store.read(lambda unit: unit.snapshots.all())}


def test_versions_move_through_the_states_and_the_oldest_goes_with_its_chunks(
    store: FakeStore | SqliteStore,
) -> None:
    for version in (1, 2, 3):
        store.write(lambda unit, version=version: begin(unit, version))
        store.write(lambda unit: unit.snapshots.activate(NAME, 9))
    store.write(lambda unit: begin(unit, 4))
    assert states(store) == {"previous": 2, "active": 3, "coming": 4}
    assert store.read(lambda unit: unit.snapshots.have(NAME, 1)) == {0, 1}
    assert store.read(lambda unit: unit.snapshots.has_gone())
    while store.write(lambda unit: unit.snapshots.purge(1)):
        pass
    assert not store.read(lambda unit: unit.snapshots.has_gone())
    assert store.read(lambda unit: unit.snapshots.have(NAME, 1)) == frozenset()
    assert [store.read(lambda unit, n=n: unit.snapshots.chunk(NAME, 2, n)) for n in (0, 1, 2)] == [
        b"a2",
        b"b2",
        None,
    ]
    store.write(lambda unit: unit.snapshots.swap(NAME, 10))
    assert states(store) == {"previous": 3, "active": 2, "coming": 4}


def test_a_new_one_that_is_coming_takes_the_place_of_the_other(store: FakeStore | SqliteStore) -> None:
    store.write(lambda unit: begin(unit, 1))
    store.write(lambda unit: begin(unit, 2))
    assert states(store) == {"coming": 2}


def test_a_version_that_was_taken_back_can_come_again_without_its_old_chunks(
    store: FakeStore | SqliteStore,
) -> None:
    store.write(lambda unit: begin(unit, 1))
    store.write(lambda unit: unit.snapshots.drop(NAME, SnapshotState.COMING))
    assert states(store) == {}
    store.write(lambda unit: unit.snapshots.begin(SnapshotRow(NAME, 1, SnapshotState.COMING, b"again", 5)))
    assert store.read(lambda unit: unit.snapshots.have(NAME, 1)) == frozenset()
    assert not store.write(lambda unit: unit.snapshots.purge(9))
    assert states(store) == {"coming": 1}


def test_a_rebuilt_content_is_marked_and_can_be_discarded(store: FakeStore | SqliteStore) -> None:
    store.write(lambda unit: begin(unit, 1))
    rebuilt = {REBUILT_FROM + number: b"r" for number in range(3)}
    store.write(lambda unit: unit.snapshots.put_chunks(NAME, 1, rebuilt))
    assert store.write(lambda unit: unit.snapshots.discard_rebuilt(NAME, 1, 2))
    assert not store.write(lambda unit: unit.snapshots.discard_rebuilt(NAME, 1, 2))
    assert store.read(lambda unit: unit.snapshots.have(NAME, 1)) == {0, 1}
    store.write(lambda unit: unit.snapshots.mark_rebuilt(NAME, 1))
    [row] = store.read(lambda unit: unit.snapshots.all())
    assert row.rebuilt


def test_a_chunk_that_is_kept_stays_as_it_is(store: FakeStore | SqliteStore) -> None:
    store.write(lambda unit: begin(unit, 1))
    store.write(lambda unit: unit.snapshots.put_chunks(NAME, 1, {0: b"other", 5: b"five"}))
    kept = [store.read(lambda unit, n=n: unit.snapshots.chunk(NAME, 1, n)) for n in (0, 1, 5)]
    assert kept == [b"a1", b"b1", b"five"]


def test_the_last_refusal_of_a_name_is_kept(store: FakeStore | SqliteStore) -> None:
    last = SnapshotRefusal(NAME, "d2", 2, "older", "why", 6)
    store.write(lambda unit: unit.snapshots.refuse(SnapshotRefusal(NAME, "d1", 1, "older", "why", 5)))
    store.write(lambda unit: unit.snapshots.refuse(last))
    assert store.read(lambda unit: unit.snapshots.refusal(NAME)) == last
    assert store.read(lambda unit: unit.snapshots.refusals()) == (last,)
    assert store.read(lambda unit: unit.snapshots.refusal("other")) is None


def test_a_query_cannot_write(store: FakeStore | SqliteStore) -> None:
    with pytest.raises(Invalid, match="a query tried to write"):
        store.read(lambda unit: begin(unit, 1))


def test_pages_can_be_cleared(store: FakeStore | SqliteStore) -> None:
    from sim.fakes.box import MALL_PAGE

    store.write(lambda unit: unit.landings.put(MALL_PAGE))
    store.write(lambda unit: unit.landings.clear())
    assert store.read(lambda unit: unit.landings.pages()) == ()
