"""Copies of a database that is being written, and putting one back."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from edge.cli import main
from edge.errors import Corrupt, Invalid, Unavailable
from edge.store.backup import SKIPPED, back_up, look_at, prune, put_back
from edge.store.sqlite_store import SqliteStore

PUT = "INSERT INTO pairs VALUES (?, ?, randomblob(2000))"
PAIRS = "CREATE TABLE IF NOT EXISTS pairs (a INTEGER PRIMARY KEY, b INTEGER, filler BLOB) STRICT"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database of this service with a table whose rows must always come in pairs."""
    path = tmp_path / "edge.db"
    SqliteStore(path, 1).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(PAIRS)
        connection.commit()
    return path


class PairWriter:
    """Writes two rows in each transaction until it is stopped, as fast as it can."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stop = threading.Event()
        self.written = 0
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> PairWriter:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)

    def _work(self) -> None:
        with closing(sqlite3.connect(self._path, isolation_level=None)) as connection:
            while not self._stop.is_set():
                connection.execute("BEGIN IMMEDIATE")
                for number in (2 * self.written, 2 * self.written + 1):
                    connection.execute(
                        "INSERT INTO pairs VALUES (?, ?, randomblob(2000))", (number, number // 2)
                    )
                connection.execute("COMMIT")
                self.written += 1


def pairs_of(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT count(*) FROM pairs GROUP BY b ORDER BY b")]


def test_a_copy_made_while_others_write_is_one_moment_of_the_database(database: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    with PairWriter(database) as writer:
        pause = threading.Event()
        while writer.written < 500:
            pause.wait(0.01)
        before = writer.written
        copies = [
            back_up(database, tmp_path / f"copy-{n}.db", lambda done, of: seen.append((done, of)))
            for n in range(5)
        ]
        after = writer.written
    assert after > before, "nothing was written meanwhile: the test proves nothing"
    for copy in copies:
        pairs = pairs_of(copy.path)
        assert set(pairs) == {2}
        assert before <= len(pairs) <= after
        assert not copy.path.with_name(f"{copy.path.name}-wal").exists()
    assert seen[-1][0] == seen[-1][1] > 0


def test_a_target_that_exists_is_left_alone(database: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    with pytest.raises(Invalid, match="exists already"):
        back_up(database, tmp_path / "mine")
    assert (tmp_path / "mine").read_text() == "precious"


def test_a_folder_that_is_not_there_is_named(database: Path, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no folder"):
        back_up(database, tmp_path / "usb" / "copy.db")


def test_what_is_no_copy_of_ours_is_refused(tmp_path: Path) -> None:
    other, text = tmp_path / "other.db", tmp_path / "text.db"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE t (a)")
    text.write_text("not a database at all, but long enough to look like something" * 20)
    with pytest.raises(Invalid, match="no database of this service"):
        look_at(other)
    with pytest.raises(Corrupt, match="damaged"):
        look_at(text)


def test_a_copy_of_a_newer_program_is_refused(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("INSERT INTO schema_steps VALUES (9999, 'x', 1)")
        connection.commit()
    with pytest.raises(Corrupt, match=r"schema 9999.*update the program"):
        look_at(database)


def test_a_damaged_copy_is_not_put_back(database: Path, tmp_path: Path) -> None:
    copy = back_up(database, tmp_path / "copy.db").path
    data = bytearray(copy.read_bytes())
    data[5 * 4096 : 40 * 4096] = b"\x55" * (35 * 4096)
    copy.write_bytes(data)
    before = database.read_bytes()
    with pytest.raises(Corrupt):
        put_back(copy, database, tmp_path / "aside")
    assert database.read_bytes() == before
    assert not (tmp_path / "aside").exists()


def test_a_copy_takes_the_place_of_the_database_and_what_stood_there_is_kept(
    database: Path, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("INSERT INTO pairs VALUES (1, 1, x'00')")
        connection.commit()
        copy = back_up(database, tmp_path / "copy.db").path
        connection.execute("INSERT INTO pairs VALUES (2, 2, x'00')")
        connection.commit()
    put_back(copy, database, tmp_path / "aside")
    assert len(pairs_of(database)) == 1
    assert len(pairs_of(tmp_path / "aside" / "edge.db")) == 2
    SqliteStore(database, 2).close()


@pytest.mark.parametrize("readable", [True, False])
def test_after_a_restore_no_number_stands_for_two_events(
    database: Path, tmp_path: Path, readable: bool
) -> None:
    def last(path: Path) -> int:
        with closing(sqlite3.connect(path)) as connection:
            return int(connection.execute("SELECT last_sequence FROM outbox_head").fetchone()[0])

    copy = back_up(database, tmp_path / "copy.db").path
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE outbox_head SET last_sequence = last_sequence + 7")
        connection.commit()
    wanted = last(copy) + (7 if readable else SKIPPED)
    if not readable:
        database.write_bytes(b"the disk is gone" * 999)
    put_back(copy, database, tmp_path / "aside")
    assert last(database) == wanted
    store = SqliteStore(database, 2)
    assert store.read(lambda unit: unit.outbox.next_sequence()) == wanted + 1
    assert store.write(lambda unit: unit.outbox.acknowledge(wanted, (), 1)) == 0
    store.close()


def test_nothing_is_put_back_under_a_running_service(database: Path, tmp_path: Path) -> None:
    copy = back_up(database, tmp_path / "copy.db").path
    store = SqliteStore(database, 2)
    with pytest.raises(Unavailable, match="in use by a running service"):
        put_back(copy, database, tmp_path / "aside")
    store.close()


def test_old_copies_go_and_other_files_stay(tmp_path: Path) -> None:
    for name in ("s-e-1.db", "s-e-2.db", "s-e-3.db", "other-1.db"):
        (tmp_path / name).touch()
    assert [path.name for path in prune(tmp_path, "s-e", 2)] == ["s-e-1.db"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other-1.db", "s-e-2.db", "s-e-3.db"]


def test_the_commands_make_check_and_restore(tmp_path: Path) -> None:
    config = tmp_path / "edge.toml"
    config.write_text(f'[box]\nsite = "mall"\nedge = "k01"\ndata_dir = "{tmp_path}/data"\n', "utf-8")
    (tmp_path / "data").mkdir()
    SqliteStore(tmp_path / "data" / "edge.db", 1).close()
    (tmp_path / "usb").mkdir()

    def run(*words: str) -> str:
        done = CliRunner().invoke(main, ["backup", *words])
        assert done.exit_code == 0, done.output
        return done.output

    made = run("make", str(tmp_path / "usb"), "--config", str(config))
    (copy,) = (tmp_path / "usb").glob("mall-k01-*.db")
    assert "0 orders, none yet" in made
    assert "is sound" in run("check", str(copy))
    restored = run("restore", str(copy), "--config", str(config))
    assert "put back" in restored
    assert len(list((tmp_path / "data").glob("before-*/edge.db"))) == 1
