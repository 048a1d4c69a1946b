"""What every disk under the store promises."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.services.ports import Disk
from edge.store.disk import DataDisk
from edge.store.sqlite_store import SqliteStore
from sim.fakes.disk import FakeDisk

RESERVE = 4 * 1024 * 1024


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    one = SqliteStore(tmp_path / "edge.db", 1_000, RESERVE)
    yield one
    one.close()


@pytest.fixture(params=["fake", "real"])
def disk(request: pytest.FixtureRequest, tmp_path: Path, store: SqliteStore) -> Disk:
    made: Disk = FakeDisk(10**9, 10**8, RESERVE) if request.param == "fake" else DataDisk(tmp_path, store)
    made.release_reserve()
    return made


def test_there_is_a_size_and_no_more_free_than_that(disk: Disk) -> None:
    space = disk.space()
    assert 0 < space.free_bytes <= space.total_bytes
    assert space.reusable_bytes == 0


def test_a_reserve_is_held_once_and_released_once(disk: Disk) -> None:
    assert not disk.has_reserve()
    assert [disk.hold_reserve(), disk.hold_reserve()] == [True, True]
    assert disk.has_reserve()
    assert [disk.release_reserve(), disk.release_reserve()] == [True, False]
    assert not disk.has_reserve()


def test_there_is_nothing_to_give_back_in_an_empty_store(disk: Disk) -> None:
    assert disk.compact() == 0


def test_a_reserve_takes_real_space(tmp_path: Path, store: SqliteStore) -> None:
    assert DataDisk(tmp_path, store).hold_reserve()
    assert (tmp_path / "edge.reserve").stat().st_blocks * 512 >= RESERVE


def test_no_room_for_the_reserve_leaves_nothing_behind(tmp_path: Path) -> None:
    greedy = SqliteStore(tmp_path / "other.db", 1_000, 1 << 60)
    assert not DataDisk(tmp_path, greedy).hold_reserve()
    greedy.close()
    assert [path.name for path in tmp_path.iterdir() if "reserve" in path.name] == []
