"""Do it with the database when nobody has it, or hand it to the service that does."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.app import (
    DATABASE,
)
from edge.clock import SystemClock, boottime_ns, pause
from edge.config import Config
from edge.errors import Invalid, Unavailable
from edge.ids import TimeOrderedIds
from edge.services.take_intake import (
    IntakeReport,
)
from edge.store.database import open_reader
from edge.store.intake_folder import IntakeFolder
from edge.store.outbox import OutboxTable
from edge.store.sqlite_store import SqliteStore, SqliteUnit

#: How often a file that was handed over is looked at, and how long it may stand still, in seconds.
LOOK_EVERY_S = 0.1
PATIENCE_S = 60.0
#: A large catalogue that goes back shows no progress.
RETURN_PATIENCE_S = 900.0


def database(config: Config) -> Path:
    """Return the database file; raise Invalid when the service never ran."""
    path = config.box.data_dir / DATABASE
    if not path.exists():
        raise Invalid(f"{path} does not exist; start the service once, or import a catalogue")
    return path


@contextmanager
def reading(config: Config) -> Iterator[OutboxTable]:
    """Yield the outbox as it is now, beside a running service; raise Unavailable when it cannot be read."""
    connection = open_reader(database(config))
    try:
        yield OutboxTable(connection)
    except sqlite3.Error as error:
        raise Unavailable(f"{DATABASE} cannot be read: {error}; start the service once") from error
    finally:
        connection.close()


def plain(name: str) -> str:
    """Return what of a name can stand in a file name, at most 40 characters."""
    return re.sub(r"[^0-9A-Za-z_-]+", "-", Path(name).stem).strip("-")[:40] or "file"


def new_id() -> str:
    """Return a new id."""
    return TimeOrderedIds(lambda: SystemClock().now().wall_at).new_id()


@contextmanager
def own_store(config: Config) -> Iterator[SqliteStore | None]:
    """Open the store for writing; None while another process has it."""
    config.box.data_dir.mkdir(parents=True, exist_ok=True)
    try:
        store = SqliteStore(config.box.data_dir / DATABASE, SystemClock().now().wall_at)
    except Unavailable:
        yield None
        return
    try:
        yield store
    finally:
        store.close()


def await_report(
    folder: IntakeFolder, name: str, progress: Callable[[int, int], None], patience_s: float = PATIENCE_S
) -> IntakeReport:
    """Follow a file that was handed over until its report is there; raises Unavailable when nothing moves."""
    last, moved_ns = None, boottime_ns()
    while boottime_ns() - moved_ns < patience_s * 1e9:
        seen = folder.seen(name)
        if isinstance(seen, IntakeReport):
            return seen
        if seen is not None and seen != last:
            last, moved_ns = seen, boottime_ns()
            progress(*seen)
        pause(LOOK_EVERY_S)
    raise Unavailable(
        f"the database is in use, and {folder.folder / name} was not taken within {patience_s:.0f} s. "
        "It stays there until the service takes it; its report will be in done/ or refused/ beside it"
    )


@contextmanager
def reading_unit(config: Config) -> Iterator[SqliteUnit]:
    """Yield all records as they are now, beside a running service; raise Unavailable when unreadable."""
    connection = open_reader(database(config))
    try:
        yield SqliteUnit(connection)
    except sqlite3.Error as error:
        raise Unavailable(f"{DATABASE} cannot be read: {error}; start the service once") from error
    finally:
        connection.close()
