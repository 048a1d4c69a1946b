"""Copies of the database while the service writes it, and putting one back in its place.

A copy is one moment of the database: a reader keeps a snapshot of the log (WAL) and SQLite's backup copies
exactly that, so the writer goes on. It counts only once it is checked, on disk and under its name.
Source: SQLite Online Backup API (sqlite.org/backup.html), WAL (sqlite.org/wal.html).
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from edge.errors import Corrupt, Invalid, Unavailable
from edge.store.database import lock_writer, open_reader, quick_check
from edge.store.disk import space_of
from edge.store.migrate import schema_steps

#: Pages copied between two looks at the progress: 4 MiB.
STEP_PAGES = 1_024

#: What must stay free on the target's disk beside the copy.
SPARE_BYTES = 64 * 1024 * 1024

Progress = Callable[[int, int], None]


#: Events that a box may have written after a copy whose successor is lost: days of a busy one.
SKIPPED = 1_000_000

_LAST = "SELECT last_sequence FROM outbox_head"


@dataclass(frozen=True, slots=True)
class Copy:
    """A checked copy. orders, newest_at: how many orders it holds and when the newest was made (0: none)."""

    path: Path
    size: int
    schema: int
    orders: int
    newest_at: int


def back_up(database: Path, target: Path, progress: Progress = lambda done, of: None) -> Copy:
    """Copy the database as it is now to `target`; callable beside a running service.

    progress: told (pages done, pages in all). Raises Invalid when the target exists or cannot be written,
    Unavailable when there is no room or the database cannot be read, Corrupt when the copy does not check.
    """
    if target.exists():
        raise Invalid(f"{target} exists already; choose another name, a copy never takes another's place")
    if not target.parent.is_dir():
        raise Invalid(f"there is no folder {target.parent}; create it first")
    _check_room(database, target.parent)
    part = target.with_name(f"{target.name}.part")
    try:
        _copy(database, part, progress)
        copy = look_at(part)
        _sync(part)
        part.rename(target)
        _sync(target.parent)
    except sqlite3.Error as error:
        raise Unavailable(f"{database} could not be copied to {target}: {error}") from error
    except OSError as error:
        raise Invalid(f"{part} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
    return Copy(target, copy.size, copy.schema, copy.orders, copy.newest_at)


def look_at(path: Path) -> Copy:
    """Return what a copy holds; raise Invalid for no database of ours, Corrupt for a damaged or newer one."""
    if not path.is_file():
        raise Invalid(f"there is no file {path}")
    with closing(open_reader(path)) as connection:
        quick_check(connection, path)
        try:
            schema = connection.execute("SELECT max(number) FROM schema_steps").fetchone()[0]
            orders, newest = connection.execute("SELECT count(*), max(ordered_at) FROM orders").fetchone()
        except sqlite3.Error as error:
            raise Invalid(f"{path} is no database of this service: {error}") from error
    known = len(schema_steps())
    if schema > known:
        raise Corrupt(f"{path} is at schema {schema}, this program knows {known}; update the program first")
    return Copy(path, path.stat().st_size, schema, orders, newest or 0)


def put_back(copy: Path, database: Path, aside: Path) -> Copy:
    """Put a copy in the database's place and what stood there into the new folder `aside`.

    Events are numbered on from where HQ may have heard of them: after the last one of what stood there, or
    SKIPPED after the copy's where that cannot be read. Raises Unavailable while the service runs, Invalid or
    Corrupt for a copy that cannot be used; then nothing has changed.
    """
    found = look_at(copy)
    with closing(lock_writer(database)):
        _check_room(copy, database.parent)
        part = database.with_name(f"{database.name}.part")
        try:
            _copy(copy, part, lambda done, of: None)
            _count_on(part, database)
            _sync(part)
            aside.mkdir()
            for one in _family(database):
                one.rename(aside / one.name)
            part.rename(database)
            _sync(database.parent)
        except OSError as error:
            raise Invalid(f"{database.parent} cannot be written: {error.strerror}") from error
        finally:
            part.unlink(missing_ok=True)
    return found


def prune(folder: Path, stem: str, keep: int) -> tuple[Path, ...]:
    """Delete all but the `keep` newest copies named `stem`-*.db of a folder; return what went."""
    copies = sorted(folder.glob(f"{stem}-*.db"))
    gone = tuple(copies[: max(0, len(copies) - keep)])
    for one in gone:
        one.unlink()
    return gone


def _copy(source: Path, target: Path, progress: Progress) -> None:
    target.unlink(missing_ok=True)
    with closing(open_reader(source)) as reader, closing(sqlite3.connect(target)) as writer:
        # A snapshot held by the reader: without it each commit of the service would begin the copy anew.
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM sqlite_master").fetchone()
        reader.backup(writer, pages=STEP_PAGES, progress=lambda _, left, of: progress(of - left, of))
        reader.execute("ROLLBACK")
        # The copy is one file: it needs no log beside it.
        writer.execute("PRAGMA journal_mode = DELETE")


def _count_on(part: Path, database: Path) -> None:
    """Let no number of an event that HQ may know stand for another one."""
    with closing(sqlite3.connect(part)) as connection:
        (last,) = connection.execute(_LAST).fetchone()
        reached = _last_of(database)
        then = last + SKIPPED if reached is None else max(last, reached)
        connection.execute("UPDATE outbox_head SET last_sequence = ?", (then,))
        connection.commit()


def _last_of(database: Path) -> int | None:
    """Return the last event's number of a database, None when it cannot be read."""
    try:
        with closing(open_reader(database)) as reader:
            return int(reader.execute(_LAST).fetchone()[0])
    except (sqlite3.Error, TypeError):
        return None


def _family(database: Path) -> tuple[Path, ...]:
    names = (database.name, f"{database.name}-wal", f"{database.name}-shm")
    return tuple(path for name in names if (path := database.with_name(name)).exists())


def _check_room(source: Path, folder: Path) -> None:
    try:
        wanted = sum(path.stat().st_size for path in _family(source))
    except OSError as error:
        raise Invalid(f"{source} cannot be read: {error.strerror}") from error
    free = space_of(folder).free_bytes
    if free < wanted + SPARE_BYTES:
        raise Unavailable(
            f"{folder} has {free // 1_000_000} MB left, a copy of {source.name} needs "
            f"{(wanted + SPARE_BYTES) // 1_000_000} MB; make room or name another disk"
        )


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
