"""Plates inside, corrections, what they teach and blocks are kept the same way in SQLite and in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.errors import Corrupt
from edge.parking.session import Session, SessionState
from edge.services.plate_records import HALF_LIFE_MS, MAX_COUNT, PlateBlock, PlateCorrection
from edge.services.ports import Store
from edge.services.records import Unit
from edge.store.sqlite_store import SqliteStore
from sim.fakes.store import FakeStore

NOW = 1_795_000_000_000
ONE = PlateCorrection("c-1", "s-1", NOW, "王", "misread", "粤B1B345", "粤B18345", 1, 1, "cam-1", "粤B1B345")
BLOCK = PlateBlock("粤B12345", "cmd-1", "hq", NOW, NOW + 1, "stolen")


@pytest.fixture(params=["fake", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = FakeStore() if request.param == "fake" else SqliteStore(tmp_path / "edge.db", 1)
    yield opened
    opened.close()


def put(store: Store, *sessions: Session) -> None:
    def work(unit: Unit) -> None:
        for one in sessions:
            unit.sessions.put(one)

    store.write(work)


def near(store: Store, plate: str, limit: int = 10) -> list[str]:
    return [one.plate for one in store.read(lambda unit: unit.plates.near(plate, limit))]


def stay(number: int, plate: str) -> Session:
    return Session(f"s-{number}", "B1", plate, NOW, "in-1")


def test_near_plates_are_found_nearest_first(store: Store) -> None:
    put(store, stay(1, "粤B18845"), stay(2, "粤B12345"), stay(3, "京A99999"), stay(4, ""))
    assert near(store, "粤B12345") == ["粤B12345", "粤B18845"]
    assert near(store, "粤B12345", 1) == ["粤B12345"]
    assert near(store, "") == []
    assert store.read(lambda unit: unit.plates.count_inside()) == 3


def test_a_stay_that_left_or_was_corrected_is_found_as_it_is_now(store: Store) -> None:
    put(store, stay(1, "粤B12345"), stay(2, "粤BQQ777"))
    put(store, replace(stay(1, "粤B12345"), state=SessionState.LEFT, left_at=NOW + 1))
    assert near(store, "粤B12345") == []
    put(store, stay(2, "粤B12345"))
    assert near(store, "粤B12345") == ["粤B12345"]
    assert near(store, "粤BQQ777") == []
    put(store, stay(2, ""))
    assert near(store, "粤B12345") == []
    assert store.read(lambda unit: unit.plates.count_inside()) == 0


def test_confusions_are_learned_per_camera_and_fade(store: Store) -> None:
    for _ in range(4):
        store.write(lambda unit: unit.plates.learn("cam-1", "8", "B", NOW))
    taught = store.read(lambda unit: unit.plates.confusions("cam-1", NOW))
    assert taught.counts == {("8", "B"): 4.0}
    later = store.read(lambda unit: unit.plates.confusions("cam-1", NOW + HALF_LIFE_MS))
    assert later.counts == {("8", "B"): 2.0}
    assert store.read(lambda unit: unit.plates.confusions("cam-2", NOW)).counts == {}


def test_a_pair_counts_only_so_much(store: Store) -> None:
    def work(unit: Unit) -> None:
        for _ in range(int(MAX_COUNT) + 5):
            unit.plates.learn("cam-1", "8", "B", NOW)

    store.write(work)
    counts = store.read(lambda unit: unit.plates.confusions("cam-1", NOW)).counts
    assert counts == {("8", "B"): MAX_COUNT}


def test_corrections_are_kept_once_with_who_and_why(store: Store) -> None:
    two = replace(ONE, correction_id="c-2", session_id="s-2")
    store.write(lambda unit: unit.plates.put_correction(ONE))
    store.write(lambda unit: unit.plates.put_correction(two))
    assert store.read(lambda unit: unit.plates.corrections(5)) == (two, ONE)
    assert store.read(lambda unit: unit.plates.corrections_of("s-1")) == (ONE,)
    with pytest.raises(Corrupt):
        store.write(lambda unit: unit.plates.put_correction(ONE))
    with pytest.raises(Corrupt):
        store.write(lambda unit: unit.plates.put_correction(replace(ONE, correction_id="c-3", reason="")))


def test_a_plate_has_one_block_until_they_are_cleared(store: Store) -> None:
    newer = replace(BLOCK, command_id="cmd-2", blocked_at=NOW + 5)
    for block in (BLOCK, newer, replace(BLOCK, plate="京A1")):
        store.write(lambda unit, block=block: unit.plates.block(block))  # type: ignore[misc]
    assert store.read(lambda unit: unit.plates.block_of("粤B12345")) == newer
    assert store.read(lambda unit: unit.plates.block_of("京A99999")) is None
    assert [one.plate for one in store.read(lambda unit: unit.plates.blocks(9))] == ["粤B12345", "京A1"]
    assert store.write(lambda unit: unit.plates.clear_blocks()) == 2
    assert store.read(lambda unit: unit.plates.blocks(9)) == ()
