"""The store under money: a full disk, an interrupted leader, a damaged or locked file, a broken migration."""

from __future__ import annotations

import contextlib
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from devices.printer.journal import JobJournal
from devices.types import PrintOutcome
from edge.errors import Corrupt, EdgeError, Invalid, Unavailable
from edge.retail.attempt import PaymentAttempt
from edge.retail.order import Order
from edge.services.outbox_records import OutboxMessage
from edge.services.records import Unit
from edge.store.database import open_writer
from edge.store.migrate import migrate, schema_steps
from edge.store.sqlite_store import SqliteStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(tmp_path / "edge.db", 1_000)
    yield made
    made.close()


def tell(size: int = 10) -> Callable[[Unit], int]:
    """Return work that appends one event of `size` bytes and returns its sequence."""

    def work(unit: Unit) -> int:
        sequence = unit.outbox.next_sequence()
        body = b"x" * size
        unit.outbox.append(OutboxMessage(sequence, f"event-{sequence}", "order.paid", "/mall", body, 5_000))
        return sequence

    return work


def limit_pages(store: SqliteStore, more: int) -> None:
    """Let the file grow by `more` pages only, as a disk does that is nearly full."""
    connection = store._db.conn
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + more}")


class Callers:
    """Threads whose units of work share one commit: all wait behind a first one that is held up."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self._gate, self._inside = threading.Event(), threading.Event()
        self.answers: dict[str, int | BaseException] = {}
        self._threads = [self._begin("first", self._hold)]
        assert self._inside.wait(10)

    def add(self, name: str, work: Callable[[Unit], int]) -> None:
        """Have another caller wait; returns once it is in the queue."""
        waiting = len(self._store._waiting)
        self._threads.append(self._begin(name, work))
        deadline = time.monotonic() + 10
        while len(self._store._waiting) == waiting:
            assert time.monotonic() < deadline, "the caller did not queue up"
            threading.Event().wait(0.001)

    def go(self) -> dict[str, int | BaseException]:
        """Let them all run and return each one's answer."""
        self._gate.set()
        for thread in self._threads:
            thread.join(10)
        return self.answers

    def _hold(self, unit: Unit) -> int:
        self._inside.set()
        assert self._gate.wait(10)
        return tell()(unit)

    def _begin(self, name: str, work: Callable[[Unit], int]) -> threading.Thread:
        def run() -> None:
            try:
                self.answers[name] = self._store.write(work)
            except BaseException as error:
                self.answers[name] = error

        thread = threading.Thread(target=run)
        thread.start()
        return thread


def sequences(store: SqliteStore) -> list[int]:
    return [message.sequence for message in store.read(lambda unit: unit.outbox.window(0, 100))]


def test_on_a_full_disk_nobody_is_told_that_a_lost_unit_was_kept(store: SqliteStore) -> None:
    callers = Callers(store)
    callers.add("small", tell())
    callers.add("huge", tell(1_000_000))
    callers.add("late", tell())
    limit_pages(store, 20)
    answers = callers.go()
    kept = sorted(one for one in answers.values() if isinstance(one, int))
    assert sequences(store) == kept
    assert isinstance(answers["huge"], Unavailable)
    assert "full" in str(answers["huge"])
    assert all(isinstance(one, (int, Unavailable)) for one in answers.values())


def test_writing_goes_on_by_itself_once_there_is_room_again(store: SqliteStore) -> None:
    store.write(tell())
    limit_pages(store, 0)
    with pytest.raises(Unavailable, match="nothing of this step was kept"):
        store.write(tell(1_000_000))
    assert sequences(store) == [1]
    limit_pages(store, 1_000_000)
    assert store.write(tell(1_000_000)) == 2
    assert sequences(store) == [1, 2]


@pytest.mark.parametrize("blow", [MemoryError("no room"), RecursionError("too deep"), KeyError("a bug")])
def test_one_callers_unforeseen_error_undoes_its_own_work_only(store: SqliteStore, blow: Exception) -> None:
    def half(unit: Unit) -> int:
        tell()(unit)
        raise blow

    callers = Callers(store)
    callers.add("before", tell())
    callers.add("broken", half)
    callers.add("after", tell())
    answers = callers.go()
    assert answers == {"first": 1, "before": 2, "broken": blow, "after": 3}
    assert sequences(store) == [1, 2, 3]


def test_an_interrupted_leader_keeps_nothing_and_tells_the_others(store: SqliteStore) -> None:
    def interrupted(unit: Unit) -> int:
        tell()(unit)
        raise KeyboardInterrupt

    callers = Callers(store)
    callers.add("leader", tell())
    callers.add("interrupted", interrupted)
    callers.add("follower", tell())
    answers = callers.go()
    kinds = sorted(type(answers[name]).__name__ for name in ("leader", "interrupted", "follower"))
    assert sequences(store) == [1]
    assert kinds == ["KeyboardInterrupt", "Unavailable", "Unavailable"]
    assert store.write(tell()) == 2


def test_a_leader_interrupted_before_it_began_holds_up_nobody(store: SqliteStore) -> None:
    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with store._writer:
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            with pytest.raises(KeyboardInterrupt):
                store.write(tell())
    finally:
        signal.signal(signal.SIGALRM, before)
    answers: list[int] = []
    thread = threading.Thread(target=lambda: answers.append(store.write(tell())), daemon=True)
    thread.start()
    thread.join(10)
    assert answers == [1]


def test_a_transaction_that_was_left_open_does_not_swallow_the_next_commit(
    store: SqliteStore, tmp_path: Path
) -> None:
    store._db.conn.execute("BEGIN")
    assert store.write(tell()) == 1
    with sqlite3.connect(tmp_path / "edge.db") as beside:
        assert beside.execute("SELECT count(*) FROM outbox").fetchone() == (1,)
    beside.close()


def test_a_commit_that_fails_is_told_and_leaves_nothing(store: SqliteStore) -> None:
    def orphan(unit: Unit) -> int:
        store._db.conn.execute("PRAGMA defer_foreign_keys = 1")
        store._db.conn.execute("INSERT INTO touches VALUES ('no-such-receipt', 'page', 1)")
        return tell()(unit)

    with pytest.raises(Corrupt, match="FOREIGN KEY"):
        store.write(orphan)
    assert sequences(store) == []
    assert store.write(tell()) == 1


def _file_of_garbage(path: Path) -> None:
    path.write_bytes(b"this is no database. " * 500)


def _file_with_a_torn_page(path: Path) -> None:
    store = SqliteStore(path, 1)
    for _ in range(50):
        store.write(tell(4_000))
    store.close()
    image = bytearray(path.read_bytes())
    for offset in range(8 * 4096, len(image), 4096):
        image[offset : offset + 64] = b"\xff" * 64
    path.write_bytes(image)


@pytest.mark.parametrize("damage", [_file_of_garbage, _file_with_a_torn_page])
def test_a_damaged_file_stops_the_start_with_the_remedy_and_is_left_as_it_is(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    path = tmp_path / "edge.db"
    damage(path)
    before = path.read_bytes()
    with pytest.raises(Corrupt, match=r"edge\.db is damaged .*restore the latest backup"):
        SqliteStore(path, 1)
    assert path.read_bytes() == before
    with pytest.raises(Corrupt):
        SqliteStore(path, 1)


def test_a_folder_in_the_place_of_the_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "edge.db").mkdir()
    with pytest.raises(EdgeError, match=r"edge\.db: unable to open"):
        SqliteStore(tmp_path / "edge.db", 1)


def test_a_lock_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "edge.lock").mkdir()
    with pytest.raises(Invalid, match=r"edge\.lock cannot be written"):
        SqliteStore(tmp_path / "edge.db", 1)


def test_a_migration_that_runs_out_of_disk_says_so_and_leaves_the_step_before(tmp_path: Path) -> None:
    connection = open_writer(tmp_path / "edge.db").conn
    steps = schema_steps()
    migrate(connection, steps[:1], 1)
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 1}")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        migrate(connection, steps, 2)
    assert connection.execute("SELECT max(number) FROM schema_steps").fetchone() == (1,)
    assert connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
    connection.execute("PRAGMA max_page_count = 1000000")
    assert migrate(connection, steps, 3) == len(steps)
    connection.close()


def test_a_reversal_that_may_be_on_its_way_is_remembered_over_a_restart(tmp_path: Path) -> None:
    order = Order("order-1", "kiosk-1-0001", "basket-1", "kiosk-1", "2026-11-22", 2_000, ())
    attempt = PaymentAttempt("attempt-1", "order-1", "kiosk-1", "wechat_pay", "M1", 350, "1234", 1, 2, 3)
    store = SqliteStore(tmp_path / "edge.db", 1)
    store.write(lambda unit: unit.orders.put(order))
    store.write(lambda unit: unit.attempts.put(attempt))
    reversing = replace(attempt, reversal_at=7)
    store.write(lambda unit: unit.attempts.put(reversing))
    store.close()
    again = SqliteStore(tmp_path / "edge.db", 1)
    assert again.read(lambda unit: unit.attempts.get("attempt-1")) == reversing
    again.write(lambda unit: unit.attempts.put(attempt))
    assert again.read(lambda unit: unit.attempts.get("attempt-1")) == attempt
    again.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 6 MB of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a disk that can be filled up needs the right to mount a tmpfs")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def fill(disk: Path) -> Path:
    """Fill the disk up to its last byte and return the file that does."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (65_536, 4_096, 1):
            with contextlib.suppress(OSError):
                while file.write(b"x" * size):
                    pass
    return filler


def test_on_a_full_disk_the_reserve_lets_the_next_commits_through(small_disk: Path) -> None:
    store = SqliteStore(small_disk / "edge.db", 1_000, reserve_bytes=1_000_000)
    assert store.reserve.held
    filler = fill(small_disk)
    for sequence in range(1, 11):
        assert store.write(tell(20_000)) == sequence
    assert store.reserve.given_up
    with pytest.raises(Unavailable, match="full"):
        store.write(tell(2_000_000))
    assert sequences(store) == list(range(1, 11))
    filler.unlink()
    assert store.write(tell(20_000)) == 11
    store.close()
    again = SqliteStore(small_disk / "edge.db", 1_000, reserve_bytes=1_000_000)
    assert again.reserve.held
    assert sequences(again) == list(range(1, 12))
    again.close()


def test_callers_that_share_a_commit_all_get_through_on_the_reserve(small_disk: Path) -> None:
    store = SqliteStore(small_disk / "edge.db", 1_000, reserve_bytes=1_000_000)
    callers = Callers(store)
    for number in range(4):
        callers.add(f"caller {number}", tell(50_000))
    fill(small_disk)
    answers = callers.go()
    assert sorted(map(str, answers.values())) == ["1", "2", "3", "4", "5"]
    assert sequences(store) == [1, 2, 3, 4, 5]
    store.close()


def test_a_box_with_a_full_disk_still_starts_with_its_printers_memory(small_disk: Path) -> None:
    store = SqliteStore(small_disk / "edge.db", 1_000, reserve_bytes=1_000_000)
    store.write(tell())
    store.close()
    JobJournal(small_disk / "printer.jobs").note("job-1", PrintOutcome.UNCERTAIN)
    fill(small_disk)
    assert JobJournal(small_disk / "printer.jobs").outcome("job-1") is PrintOutcome.UNCERTAIN
    again = SqliteStore(small_disk / "edge.db", 1_000, reserve_bytes=1_000_000)
    assert again.reserve.given_up
    assert again.write(tell(20_000)) == 2
    again.close()


def test_a_disk_without_room_for_a_reserve_gets_none_and_says_so(small_disk: Path) -> None:
    store = SqliteStore(small_disk / "edge.db", 1_000, reserve_bytes=3_000_000)
    assert store.reserve.given_up
    assert store.write(tell()) == 1
    store.close()
