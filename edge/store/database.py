"""Open the database the one right way, and prove it by reading the pragmas back.

WAL with synchronous=FULL: an acknowledged commit survives a power cut (with NORMAL it need not).
SQLite before 3.51.3 can corrupt a WAL database that several connections write or checkpoint, so exactly
one connection writes; readers open the file read-only.
"""

from __future__ import annotations

import fcntl
import sqlite3
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO
from urllib.parse import quote

from sqlite_utils import Database

from edge.errors import Corrupt, Invalid, Unavailable

#: What every writing connection must report.
PRAGMAS: dict[str, str | int] = {
    "journal_mode": "wal",
    "synchronous": 2,
    "foreign_keys": 1,
    "trusted_schema": 0,
    "mmap_size": 0,
    # What is deleted is overwritten: an erased member is not to be read in free pages.
    "secure_delete": 1,
}

#: The log's size after a checkpoint; what a large import made of it goes back to the disk.
JOURNAL_BYTES = 16 * 1024 * 1024

#: The largest file whose every page a start looks at: a second or two from an SD card. Larger ones are looked
#: at while the service runs, unless the last run had reason to doubt them.
CHECKED_AT_START_BYTES = 64 * 1024 * 1024

#: Milliseconds that a connection waits for a lock that only a foreign process could hold.
BUSY_MS = 2_000


def open_writer(path: Path) -> Database:
    """Open the one read-write connection; usable from any thread, one at a time.

    Raises Corrupt when a pragma does not hold or the file fails SQLite's quick check.
    """
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    with ExitStack() as unless_good:
        unless_good.callback(connection.close)
        try:
            _configure(connection, path)
        except sqlite3.DatabaseError as error:
            # Its subclasses are about locks, disks and words of SQL, not about what stands in the file.
            if type(error) is not sqlite3.DatabaseError:
                raise
            raise Corrupt(
                f"{path} is damaged ({error}); keep the file and restore the latest backup"
            ) from None
        unless_good.pop_all()
    return Database(connection)


def lock_writer(path: Path) -> IO[bytes]:
    """Take the right to write this database for this process; held until the file is closed.

    Raises Unavailable while another process has it, Invalid when there is no such folder.
    """
    if not path.parent.is_dir():
        raise Invalid(f"there is no folder {path.parent} for {path.name}; create it or correct box.data_dir")
    try:
        lock = path.with_suffix(".lock").open("ab")
    except OSError as error:
        raise Invalid(
            f"{path.with_suffix('.lock')} cannot be written ({error.strerror}); give this user the folder, "
            "or make room"
        ) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise Unavailable(
            f"{path} is in use by a running service; stop it first, or ask it instead"
        ) from None
    return lock


def open_reader(path: Path) -> sqlite3.Connection:
    """Open a read-only connection that never checkpoints and never waits for the writer."""
    uri = f"file:{quote(str(path))}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA query_only = 1")
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    return connection


def quick_check(connection: sqlite3.Connection, path: Path) -> None:
    """Raise Corrupt when SQLite finds the file damaged."""
    try:
        findings = [row[0] for row in connection.execute("PRAGMA quick_check(5)")]
    except sqlite3.DatabaseError as error:
        findings = [str(error)]
    if findings != ["ok"]:
        raise Corrupt(f"{path} is damaged ({findings[0]}); keep the file and restore the latest backup")


def is_checked_at_start(path: Path) -> bool:
    """Whether a start looks at every page of the file before anything else."""
    return path.stat().st_size <= CHECKED_AT_START_BYTES or _doubt(path).exists()


def check_at_start(connection: sqlite3.Connection, path: Path) -> None:
    """Look at every page of a file that is small or in doubt; raise Corrupt when it is damaged."""
    if is_checked_at_start(path):
        quick_check(connection, path)
        with suppress(OSError):
            _doubt(path).unlink(missing_ok=True)


def note_doubt(path: Path) -> None:
    """Have the next start look at every page, however large the file is."""
    # Where even this cannot be written, what reads the damaged page finds it again.
    with suppress(OSError):
        _doubt(path).touch()


def tables_of(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Return the names of all tables."""
    found = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    return tuple(row[0] for row in found)


def table_damage(connection: sqlite3.Connection, table: str) -> str:
    """Return what SQLite finds wrong with the pages of a table and its indices, "" for nothing.

    Raises sqlite3.OperationalError when it was interrupted.
    """
    try:
        name = table.replace('"', '""')
        findings = [row[0] for row in connection.execute(f'PRAGMA quick_check("{name}")')]
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        return str(error)
    return "" if findings == ["ok"] else str(findings[0])


def is_full(error: BaseException | None) -> bool:
    """Return whether SQLite found no room on the disk."""
    # The second: no room to let the log's index grow.
    full = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE)
    return isinstance(error, sqlite3.Error) and error.sqlite_errorcode in full


def is_damage(error: Exception) -> bool:
    """Return whether SQLite says that the file itself is damaged. Source: sqlite.org/rescode.html."""
    code = getattr(error, "sqlite_errorcode", 0) or 0
    return code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _doubt(path: Path) -> Path:
    return path.with_suffix(".doubt")


def _configure(connection: sqlite3.Connection, path: Path) -> None:
    if not path.exists() or path.stat().st_size == 0:
        # Holds for a new file alone: freed pages can be given back to the disk in small steps.
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    for name, value in PRAGMAS.items():
        connection.execute(f"PRAGMA {name} = {value}")
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    connection.execute(f"PRAGMA journal_size_limit = {JOURNAL_BYTES}")
    _check_pragmas(connection, path)


def _check_pragmas(connection: sqlite3.Connection, path: Path) -> None:
    for name, wanted in PRAGMAS.items():
        row = connection.execute(f"PRAGMA {name}").fetchone()
        # SQLite built without mmap answers nothing at all.
        found = row[0] if row else 0
        if found != wanted:
            raise Corrupt(f"{path}: PRAGMA {name} is {found}, must be {wanted}; is the file system odd?")
