"""The process that is recorded: the shipped start-up code, use cases and backup on a real database.

    python -m sim.power_cut.workload SCENARIO FOLDER

After each commit that a caller was answered for it says "commit DIGEST", after a backup "copy NAME DIGEST"; a
power cut later than that must not lose it.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from edge.retail.catalogue import Listing, Product, barcode_key
from edge.services.ports import Store
from edge.services.records import Unit
from edge.store.backup import back_up
from edge.store.migrate import migrate, schema_steps
from edge.store.sqlite_store import SqliteStore
from sim.fakes.box import SHELF, stock
from sim.power_cut.state import digest
from sim.world.scenarios import SCENARIOS
from sim.world.world import World

T = TypeVar("T")

DATABASE, COPY = "edge.db", "copy.db"

#: The schema that the box had before the update during which the power may go.
BEFORE = 19

#: The commit after which the database is copied, and the room kept back beside it.
COPY_AFTER = 12
RESERVE_BYTES = 65_536

#: The workload that is no scenario: catalogues large enough that the log runs into the file several times.
CATALOGUES = "catalogues"
_ROUNDS, _PRODUCTS = 24, 300


def prepare(folder: Path) -> None:
    """Put the database of a box of an earlier version into the folder, with a sale in its books."""
    with closing(sqlite3.connect(folder / DATABASE, isolation_level=None)) as old:
        old.execute("PRAGMA auto_vacuum = INCREMENTAL")
        migrate(old, schema_steps()[:BEFORE], 0)
        old.execute("UPDATE outbox_head SET last_sequence = 7, acked_through = 7")


def open_store(folder: Path) -> SqliteStore:
    """Open the folder's database as a starting service does."""
    return SqliteStore(folder / DATABASE, 0, RESERVE_BYTES)


class TellingStore:
    """A store that says what it has acknowledged; a world.StateKeeper for a world without crashes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._store = open_store(folder)
        self._commits = 0
        self._tell()

    def open(self) -> Store:
        """Return itself."""
        return self

    def crash(self) -> None:
        """Nothing crashes while it is recorded."""
        raise AssertionError("a recorded world has no crashes")

    def read(self, query: Callable[[Unit], T]) -> T:
        """As the store."""
        return self._store.read(query)

    def write(self, work: Callable[[Unit], T]) -> T:
        """As the store, and say that it is on the disk."""
        result = self._store.write(work)
        self._tell()
        return result

    def close(self) -> None:
        """As the store."""
        self._store.close()

    def _tell(self) -> None:
        path = self._folder / DATABASE
        _say(f"commit {digest(path)}")
        self._commits += 1
        if self._commits == COPY_AFTER:
            copy = back_up(path, self._folder / COPY)
            _say(f"copy {COPY} {digest(copy.path)}")


def _say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def _import_catalogues(store: Store) -> None:
    for number in range(_ROUNDS):
        stock(store, [*SHELF, *(_listing(number, one) for one in range(_PRODUCTS))], at=number)


def _listing(number: int, one: int) -> Listing:
    name = f"product {one} of round {number}"
    return Listing(Product(f"p{one}", "t-drinks", name, 100 + number, name), (barcode_key(f"69{one:011d}"),))


def main(name: str, folder: Path) -> None:
    """Run one scenario, or CATALOGUES, to its end."""
    store = TellingStore(folder)
    if name == CATALOGUES:
        _import_catalogues(store)
    else:
        World(next(one for one in SCENARIOS if one.name == name), 0, (), store).run()
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
