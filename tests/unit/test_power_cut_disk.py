"""The disk that forgets: what is synced stays, and each fate does to the rest what it says."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from sim.power_cut.disk import SECTOR, Chance, Disk, Fate
from sim.power_cut.trace import Did, Operation, Untraceable, record

CHANCE = Chance("test")


def written(disk: Disk, data: bytes, offset: int = 0, file: int = 1) -> None:
    disk.do(Operation(Did.WRITE, file, offset=offset, data=data))


def test_what_was_synced_stays_and_what_was_not_may_go() -> None:
    disk = Disk({"a": b"old"})
    written(disk, b"new")
    assert disk.image(Fate.DROPPED, CHANCE) == {"a": b"old"}
    assert disk.image(Fate.KEPT, CHANCE) == {"a": b"new"}
    disk.do(Operation(Did.SYNC, 1))
    assert disk.image(Fate.DROPPED, CHANCE) == {"a": b"new"}


def test_writes_between_two_syncs_survive_in_any_order() -> None:
    disk = Disk({"a": b"...."})
    for place in range(4):
        written(disk, b"x", place)
    seen = {disk.image(Fate.SOME, Chance(str(number)))["a"] for number in range(200)}
    assert {b"x...", b"...x", b"xx..", b"....", b"xxxx"} <= seen


def test_a_torn_write_ends_or_begins_at_a_sector() -> None:
    disk = Disk({"a": bytes(4 * SECTOR)})
    written(disk, b"\xff" * (4 * SECTOR))
    for number in range(20):
        torn = disk.image(Fate.TORN, Chance(str(number)))["a"]
        assert len(torn) == 4 * SECTOR
        sectors = [torn[at : at + SECTOR] for at in range(0, len(torn), SECTOR)]
        assert all(len(set(one)) == 1 for one in sectors)
        assert sum(left != right for left, right in pairwise(sectors)) == 1


def test_a_new_name_is_sure_once_the_folder_was_synced() -> None:
    disk = Disk({})
    disk.do(Operation(Did.CREATE, 1, "new"))
    written(disk, b"content")
    disk.do(Operation(Did.SYNC, 1))
    assert disk.image(Fate.DROPPED, CHANCE) == {}
    disk.do(Operation(Did.SYNC_FOLDER))
    disk.do(Operation(Did.RENAME, 1, "new", new_name="final"))
    assert disk.image(Fate.DROPPED, CHANCE) == {"new": b"content"}
    assert disk.image(Fate.KEPT, CHANCE) == {"final": b"content"}


def test_an_unlinked_file_comes_back_when_the_folder_was_not_synced() -> None:
    disk = Disk({"log": b"x"})
    disk.do(Operation(Did.UNLINK, 1, "log"))
    assert disk.image(Fate.DROPPED, CHANCE) == {"log": b"x"}
    disk.do(Operation(Did.SYNC_FOLDER))
    assert disk.image(Fate.DROPPED, CHANCE) == {}


def test_a_file_is_cut_and_grows_with_zeros() -> None:
    disk = Disk({"a": b"abcdef"})
    disk.do(Operation(Did.RESIZE, 1, offset=2))
    written(disk, b"z", 4)
    assert disk.image(Fate.KEPT, CHANCE) == {"a": b"ab\0\0z"}


def test_a_command_that_fails_or_is_not_there_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with pytest.raises(Untraceable, match="ended with"):
        record(("false",), tmp_path / "data", tmp_path / "out")
