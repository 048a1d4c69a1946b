"""The store on a real file: group commit among threads, full disks, damage, two processes, a hard end."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.errors import Corrupt, Invalid, Unavailable
from edge.retail.basket import Basket
from edge.services.records import ScanRecord, Unit, WorkstationState
from edge.store.database import PRAGMAS
from edge.store.receipts import SCANS_KEPT
from edge.store.sqlite_store import SqliteStore

DEADLINE_S = 20.0

#: Points to a basket that is not there.
NOWHERE = WorkstationState("kiosk-1", "zh", basket_id="no-such-basket")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(tmp_path / "edge.db", 1_000)
    yield made
    made.close()


def basket(number: int) -> Basket:
    return Basket(f"basket-{number}", "kiosk-1", number)


def put(number: int) -> Callable[[Unit], None]:
    return lambda unit: unit.baskets.put(basket(number))


def has(store: SqliteStore, number: int) -> bool:
    return store.read(lambda unit: unit.baskets.get(f"basket-{number}")) is not None


def together(store: SqliteStore, works: list[Callable[[Unit], object]]) -> list[object]:
    """Have each work done by its own thread, all waiting while the writer is held; return what each got."""
    got: list[object] = [None] * len(works)
    held, go_on = threading.Event(), threading.Event()

    def hold(unit: Unit) -> None:
        held.set()
        go_on.wait(DEADLINE_S)

    def run(index: int, work: Callable[[Unit], object]) -> None:
        try:
            got[index] = store.write(work)
        except Exception as error:
            got[index] = error

    holder = threading.Thread(target=store.write, args=(hold,))
    holder.start()
    assert held.wait(DEADLINE_S)
    threads = [threading.Thread(target=run, args=(index, work)) for index, work in enumerate(works)]
    for thread in threads:
        thread.start()
    go_on.set()
    for thread in [*threads, holder]:
        thread.join(DEADLINE_S)
        assert not thread.is_alive()
    return got


def test_units_of_many_threads_share_commits_and_each_is_told_after_its_own(store: SqliteStore) -> None:
    told_too_early: list[int] = []

    def run(number: int) -> None:
        for turn in range(20):
            key = number * 100 + turn
            store.write(put(key))
            if not has(store, key):
                told_too_early.append(key)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    assert told_too_early == []
    assert all(has(store, number * 100 + turn) for number in range(8) for turn in range(20))


def test_more_than_a_group_waits_and_all_are_done(store: SqliteStore) -> None:
    got = together(store, [lambda unit: unit.orders.take_number("day") for _ in range(150)])
    assert sorted(got) == list(range(1, 151))  # type: ignore[type-var]  # all are numbers


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fates=st.lists(st.sampled_from(["good", "invalid", "broken", "clash"]), min_size=1, max_size=12))
def test_a_unit_that_fails_is_undone_alone(tmp_path: Path, fates: list[str]) -> None:
    folder = tmp_path / os.urandom(8).hex()
    folder.mkdir()
    store = SqliteStore(folder / "edge.db", 0)

    def work(number: int, fate: str) -> Callable[[Unit], int]:
        def run(unit: Unit) -> int:
            unit.baskets.put(basket(number))
            if fate == "invalid":
                raise Invalid(f"unit {number}")
            if fate == "broken":
                raise ZeroDivisionError(f"unit {number}")
            if fate == "clash":
                unit.workstations.put(NOWHERE)
            return number

        return run

    got = together(store, [work(number, fate) for number, fate in enumerate(fates)])
    for number, fate in enumerate(fates):
        assert has(store, number) is (fate == "good")
        if fate == "good":
            assert got[number] == number
        else:
            kind = {"invalid": Invalid, "broken": ZeroDivisionError, "clash": Corrupt}[fate]
            assert type(got[number]) is kind
    store.close()


def test_an_interrupt_in_one_thread_does_not_tell_the_others_that_they_were_kept(store: SqliteStore) -> None:
    class Interrupt(BaseException):
        pass

    def interrupted(unit: Unit) -> None:
        raise Interrupt

    got: dict[str, object] = {}
    held, go_on = threading.Event(), threading.Event()

    def hold(unit: Unit) -> None:
        held.set()
        go_on.wait(DEADLINE_S)

    def run(name: str, work: Callable[[Unit], object]) -> None:
        try:
            got[name] = store.write(work)
        except BaseException as error:
            got[name] = error

    threads = [threading.Thread(target=run, args=("holder", hold))]
    threads[0].start()
    assert held.wait(DEADLINE_S)
    threads += [threading.Thread(target=run, args=(f"good-{n}", put(n))) for n in range(6)]
    threads.append(threading.Thread(target=run, args=("bad", interrupted)))
    for thread in threads[1:]:
        thread.start()
    go_on.set()
    for thread in threads:
        thread.join(DEADLINE_S)
    for number in range(6):
        kept = has(store, number)
        assert isinstance(got[f"good-{number}"], BaseException) is not kept, got
    store.write(put(99))
    assert has(store, 99)


def test_readers_see_committed_state_while_a_unit_is_at_work(store: SqliteStore) -> None:
    store.write(put(1))
    seen: list[bool] = []

    def work(unit: Unit) -> None:
        unit.baskets.put(basket(2))
        seen.extend((has(store, 1), has(store, 2)))

    store.write(work)
    assert seen == [True, False]
    assert has(store, 2)


def test_a_query_sees_one_moment(store: SqliteStore) -> None:
    def query(unit: Unit) -> tuple[bool, bool]:
        before = unit.baskets.get("basket-7") is not None
        writer = threading.Thread(target=store.write, args=(put(7),))
        writer.start()
        writer.join(DEADLINE_S)
        return before, unit.baskets.get("basket-7") is not None

    assert store.read(query) == (False, False)
    assert has(store, 7)


def test_a_full_disk_keeps_nothing_of_the_step_and_the_store_goes_on_when_there_is_room(
    store: SqliteStore,
) -> None:
    def fill(unit: Unit) -> None:
        connection = unit.baskets._connection  # type: ignore[attr-defined]  # stands for a disk that is full
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    def empty(unit: Unit) -> None:
        unit.baskets._connection.execute("PRAGMA max_page_count = 1000000")  # type: ignore[attr-defined]

    def much(unit: Unit) -> None:
        for number in range(5_000):
            unit.baskets.put(basket(number))

    store.write(fill)
    with pytest.raises(Unavailable, match="full; nothing of this step was kept"):
        store.write(much)
    assert not has(store, 0)
    store.write(empty)
    store.write(much)
    assert has(store, 4_999)


def test_what_was_acknowledged_is_there_after_a_hard_end(tmp_path: Path) -> None:
    program = """
import os, sys
from pathlib import Path
from edge.retail.basket import Basket
from edge.store.sqlite_store import SqliteStore
store = SqliteStore(Path(sys.argv[1]), 0)
for number in range(50):
    store.write(lambda unit: unit.baskets.put(Basket(f"basket-{number}", "kiosk-1", number)))
    print(number, flush=True)
def half(unit):
    unit.baskets.put(Basket("basket-half", "kiosk-1", 0))
    os.kill(os.getpid(), 9)
store.write(half)
"""
    path = tmp_path / "edge.db"
    run = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, timeout=60
    )
    assert run.returncode == -9
    assert run.stdout.split()[-1] == "49"
    store = SqliteStore(path, 1)
    assert all(has(store, number) for number in range(50))
    assert store.read(lambda unit: unit.baskets.get("basket-half")) is None
    store.close()


def test_a_second_process_is_refused_while_the_first_one_writes(store: SqliteStore, tmp_path: Path) -> None:
    program = f"""
from pathlib import Path
from edge.store.sqlite_store import SqliteStore
SqliteStore(Path({str(tmp_path / "edge.db")!r}), 0)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert run.returncode != 0
    assert "Unavailable" in run.stderr
    assert "in use by a running service; stop it first" in run.stderr


def test_a_refused_opening_leaves_the_file_free_for_the_next(tmp_path: Path) -> None:
    path = tmp_path / "edge.db"
    SqliteStore(path, 0).close()
    newer = sqlite3.connect(path)
    newer.execute("INSERT INTO schema_steps VALUES (999, 'digest', 0)")
    newer.commit()
    newer.close()
    for _ in range(2):
        with pytest.raises(Corrupt, match="this program knows"):
            SqliteStore(path, 0)


@pytest.mark.parametrize("damage", ["garbage", "torn page"])
def test_a_damaged_file_is_refused_and_kept(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "edge.db"
    if damage == "garbage":
        path.write_bytes(b"not a database at all " * 500)
    else:
        made = SqliteStore(path, 0)
        made.write(lambda unit: [unit.baskets.put(basket(number)) for number in range(2_000)])
        made.close()
        content = bytearray(path.read_bytes())
        page = len(content) // 2 // 4_096 * 4_096
        content[page : page + 4_096] = b"\xff" * 4_096
        path.write_bytes(content)
    before = path.read_bytes()
    with pytest.raises(Corrupt, match="keep the file and restore the latest backup"):
        SqliteStore(path, 0)
    # SQLite may count the opening in the header; the rest is what a person needs for a rescue.
    assert path.read_bytes()[100:] == before[100:]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="there is no folder"):
        SqliteStore(tmp_path / "nowhere" / "edge.db", 0)


def test_every_connection_writes_the_one_right_way(store: SqliteStore, tmp_path: Path) -> None:
    def pragmas(unit: Unit) -> dict[str, object]:
        connection = unit.baskets._connection  # type: ignore[attr-defined]  # no other way to ask it
        rows = {name: connection.execute(f"PRAGMA {name}").fetchone() for name in PRAGMAS}
        return {name: row[0] if row else 0 for name, row in rows.items()}

    assert store.write(pragmas) == PRAGMAS
    assert PRAGMAS["synchronous"] == 2


def test_the_scan_history_has_an_end_and_keeps_the_newest(store: SqliteStore) -> None:
    def fill(unit: Unit) -> None:
        for number in range(SCANS_KEPT + 200):
            record = ScanRecord(
                f"{number:09d}", "kiosk-1", "usb", b"", "690", "", "item", "added", 0, "boot", number
            )
            unit.scans.append(record)

    store.write(fill)
    kept = store.read(lambda unit: unit.scans.recent("kiosk-1", 2 * SCANS_KEPT))
    assert len(kept) == SCANS_KEPT
    assert kept[0].scan_id == f"{SCANS_KEPT + 199:09d}"


def test_a_copy_of_the_files_at_any_moment_opens_with_all_that_was_acknowledged(tmp_path: Path) -> None:
    source, copy = tmp_path / "edge.db", tmp_path / "copy.db"
    store = SqliteStore(source, 0)
    for number in range(10):
        store.write(put(number))
    for suffix in ("", "-wal"):
        shutil.copy(f"{source}{suffix}", f"{copy}{suffix}")
    store.close()
    opened = SqliteStore(copy, 0)
    assert all(has(opened, number) for number in range(10))
    opened.close()
