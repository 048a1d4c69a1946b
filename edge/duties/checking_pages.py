"""Look at every page of a database that is too large for a start to do so, table by table, without hurry."""

from __future__ import annotations

import structlog

from edge.store.sqlite_store import SqliteStore
from edge.workers import Worker

#: The first rush after a start is over by then; and after how long all is looked at again.
FIRST_S = 60.0
EVERY_S = 7 * 24 * 3_600.0

#: Between two tables; one of some gigabytes may take so long from an SD card.
PAUSE_S = 5.0
LONGEST_S = 3_600.0

_log = structlog.get_logger("store")


class CheckingPages:
    """The pages of one database; `close` interrupts."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self._left: list[str] | None = None

    def workers(self) -> list[Worker]:
        """Return the one that looks, if the start left anything to look at."""
        return [Worker("pages", self.step, LONGEST_S)] if self._store.unchecked else []

    def close(self) -> None:
        """End the present look."""
        self._store.stop_checking()

    def step(self) -> float:
        """Look at the next table; return the seconds until the one after."""
        if self._left is None:
            self._left = list(self._store.tables())
            return FIRST_S
        if not self._left:
            self._left = None
            return EVERY_S
        table = self._left.pop()
        self._store.check_table(table)
        if not self._left:
            _log.info("every page of the database is sound")
        return PAUSE_S
