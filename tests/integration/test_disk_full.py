"""A disk that fills up under the real store: what is refused, what goes on, and how it recovers by itself."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from edge.errors import Unavailable
from edge.services.outbox_records import OutboxMessage
from edge.services.ports import Store
from edge.services.records import Unit
from edge.services.watch_disk import DiskLevel, DiskMarks, DiskState, watch_disk
from edge.store.disk import DataDisk
from edge.store.sqlite_store import SqliteStore
from tests.unit.hq_samples import AT, ORIGIN, CountingIds, ManualClock

MIB = 1024 * 1024
EVENT = OutboxMessage(1, "event-1", "order.paid", "/mall/a/edge/b", b"x" * 20_000, AT)

#: A small disk's own marks: 16 MiB with a reserve of one.
MARKS = DiskMarks(50, 30, 15, low_mb=6, scarce_mb=4, full_mb=2, reserve_mb=1)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A disk of 16 MiB."""
    where = tmp_path / "disk"
    where.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(where)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("a small disk can be mounted by root alone")
    yield where
    subprocess.run(["umount", "-l", str(where)], check=True)


def fill(path: Path, leaving: int) -> None:
    """Write a file that leaves so many bytes free, whatever the database has taken."""
    path.write_bytes(b"x" * (shutil.disk_usage(path.parent).free - leaving))


def sell(store: Store, count: int) -> int:
    """Write events one by one until the disk is full; return how many could be written."""

    def work(unit: Unit) -> None:
        number = unit.outbox.next_sequence()
        unit.outbox.append(replace(EVENT, sequence=number, event_id=f"event-{number}"))

    for done in range(count):
        try:
            store.write(work)
        except Unavailable:
            return done
    return count


def waiting(store: Store) -> list[int]:
    return [one.sequence for one in store.read(lambda unit: unit.outbox.window(0, 10_000))]


def test_a_full_disk_refuses_new_writes_keeps_what_was_acknowledged_and_recovers_by_itself(
    folder: Path,
) -> None:
    (folder / "logs").write_bytes(b"x" * 11 * MIB)
    store = SqliteStore(folder / "edge.db", AT)
    kept = sell(store, 1_000)
    assert 10 < kept < 1_000
    assert waiting(store) == list(range(1, kept + 1))
    with pytest.raises(Unavailable, match="full"):
        store.write(lambda unit: unit.outbox.append(replace(EVENT, sequence=kept + 1, event_id="one more")))
    assert waiting(store) == list(range(1, kept + 1))
    (folder / "logs").unlink()
    assert sell(store, 50) == 50
    store.close()
    again = SqliteStore(folder / "edge.db", AT)
    assert waiting(again) == list(range(1, kept + 51))
    again.close()


def test_the_step_that_meets_a_full_disk_is_kept_by_letting_go_of_the_reserve(folder: Path) -> None:
    store = SqliteStore(folder / "edge.db", AT, MARKS.reserve_bytes)
    disk = DataDisk(folder, store)
    assert disk.hold_reserve()
    filler = folder / "logs"
    for _ in range(20):
        left = disk.space().free_bytes
        with filler.open("ab") as file, suppress(OSError):
            os.posix_fallocate(file.fileno(), filler.stat().st_size, max(left, 4_096))
        assert sell(store, 1) == 1
        if not disk.has_reserve():
            break
    assert not disk.has_reserve()
    assert disk.space().free_bytes > MARKS.reserve_bytes // 2
    assert sell(store, 5) == 5
    store.close()


def test_hq_hears_of_each_level_and_of_the_end_and_the_reserve_comes_back(folder: Path) -> None:
    store = SqliteStore(folder / "edge.db", AT, MARKS.reserve_bytes)
    disk, clock, ids, state = (
        DataDisk(folder, store),
        ManualClock(AT),
        CountingIds(),
        DiskState(),
    )

    def look() -> DiskLevel:
        nonlocal state
        clock.advance(10_000)
        state = watch_disk(store, disk, clock, ids, ORIGIN, MARKS, state).state
        return state.level

    assert look() is DiskLevel.AMPLE
    assert disk.has_reserve()
    fill(folder / "pictures", leaving=MARKS.full_mb * MIB - 64 * 1024)
    assert look() is DiskLevel.FULL
    # What is left, and the reserve, are enough for the payments in flight.
    assert sell(store, 20) == 20
    (folder / "pictures").unlink()
    assert look() is DiskLevel.AMPLE
    assert look() is DiskLevel.AMPLE
    assert disk.has_reserve()
    kinds = [one.kind for one in store.read(lambda unit: unit.outbox.window(0, 99, urgent=True))]
    assert kinds == ["alarm.raised", "alarm.cleared"]
    store.close()


def test_what_hq_has_acknowledged_goes_back_to_the_disk(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "edge.db", AT)
    disk = DataDisk(tmp_path, store)
    assert sell(store, 1_000) == 1_000
    store.write(lambda unit: unit.outbox.acknowledge(1_000, (), AT))
    freed = disk.space().reusable_bytes
    assert freed > 19 * MIB
    slices = []
    while given := disk.compact():
        slices.append(given)
    assert sum(slices) == pytest.approx(freed, rel=0.02)
    assert max(slices) <= 2_048 * 4_096
    assert disk.space().reusable_bytes == 0
    store.close()
    with closing(SqliteStore(tmp_path / "empty.db", AT)):
        pass
    assert (tmp_path / "edge.db").stat().st_size < (tmp_path / "empty.db").stat().st_size + MIB // 8
