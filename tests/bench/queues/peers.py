"""Other people's storages, each through its documented calls; imported in the private environment alone.

Left as they are: what they log, retry or refuse. ThingsBoard's is driven as its gateway drives it
(put, get_event_pack, event_pack_processing_done) with the storage settings that it ships.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.bench.queues.contenders import Give, fill

#: How long ThingsBoard's reading thread (a round each 0.2 s) may give nothing before it counts as empty.
QUIET_S = 1.0
#: How long it may take to write what it accepted.
SETTLE_S = 30.0
#: The storage part of the shipped tb_gateway.json (3.8.5) but for `type` and the folder.
SHIPPED = {
    "read_records_count": 100,
    "max_records_count": 100_000,
    "max_file_count": 10,
    "max_read_records_count": 10,
    "max_records_per_file": 10_000,
    "messages_ttl_check_in_hours": 1,
    "messages_ttl_in_days": 7,
}


class _TraceLogger(logging.Logger):
    """The gateway's loggers have one level more."""

    def trace(self, *args: object, **kwargs: object) -> None:
        """Below debug; nobody listens."""


class _ThingsBoard:
    exact = True
    _storage: Any

    def __init__(self, folder: Path, template: str) -> None:
        self._template = template
        config = SHIPPED | {"data_folder_path": f"{folder}/data/", "data_file_path": f"{folder}/data/"}
        self._storage = self._open(config, _TraceLogger("storage", logging.ERROR), threading.Event())

    def _open(self, config: Mapping[str, object], log: logging.Logger, stop: threading.Event) -> Any:
        raise NotImplementedError

    def put(self, numbers: Sequence[int]) -> bool:
        return all(self._storage.put(fill(self._template, number)) for number in numbers)

    def settle(self) -> None:
        """Nothing is left to do after a put."""

    def drain(self, give: Give) -> None:
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < self.quiet_s:
            pack = self._storage.get_event_pack()
            if not pack:
                threading.Event().wait(0.02)
                continue
            for text in pack:
                give(text.encode())
            self._storage.event_pack_processing_done()
            quiet_since = time.monotonic()

    quiet_s = 0.1

    def close(self) -> None:
        self._storage.stop()


class ThingsBoardFile(_ThingsBoard):
    def _open(self, config: Mapping[str, object], log: logging.Logger, stop: threading.Event) -> Any:
        from thingsboard_gateway.storage.file.file_event_storage import FileEventStorage

        return FileEventStorage(config, log, stop)


class ThingsBoardSqlite(_ThingsBoard):
    quiet_s = QUIET_S

    def _open(self, config: Mapping[str, object], log: logging.Logger, stop: threading.Event) -> Any:
        from thingsboard_gateway.storage.sqlite.sqlite_event_storage import SQLiteEventStorage

        storage = SQLiteEventStorage(config, log, stop)
        self._counting = threading.Lock()
        self._look = sqlite3.connect(f"{config['data_file_path']}data.db", check_same_thread=False)
        self._awaited = self._written()
        return storage

    def put(self, numbers: Sequence[int]) -> bool:
        accepted = super().put(numbers)
        with self._counting:
            self._awaited += len(numbers)
        return accepted

    def settle(self) -> None:
        """Wait for its writing thread, as another connection sees it."""
        deadline = time.monotonic() + SETTLE_S
        while self._written() < self._awaited:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self._awaited - self._written()} events were not written")
            threading.Event().wait(0.002)

    def _written(self) -> int:
        row = self._look.execute("SELECT seq FROM sqlite_sequence WHERE name = 'messages'").fetchone()
        return int(row[0]) if row else 0


class ThingsBoardMemory(_ThingsBoard):
    def _open(self, config: Mapping[str, object], log: logging.Logger, stop: threading.Event) -> Any:
        from thingsboard_gateway.storage.memory.memory_event_storage import MemoryEventStorage

        return MemoryEventStorage(config, log, stop)


class _Persist:
    exact = True
    _queue: Any

    def settle(self) -> None:
        """Nothing is left to do after a put."""

    def put(self, numbers: Sequence[int]) -> bool:
        for number in numbers:
            self._queue.put(fill(self._template, number).encode())
        return True

    def __init__(self, folder: Path, template: str) -> None:
        self._folder, self._template = folder / "queue", template


class PersistSqlite(_Persist):
    """get() deletes; with auto_commit=False, task_done() persists what was put and got."""

    def __init__(self, folder: Path, template: str, auto_commit: bool = True) -> None:
        from persistqueue import SQLiteQueue

        super().__init__(folder, template)
        self._auto = auto_commit
        self._queue = SQLiteQueue(str(self._folder), auto_commit=auto_commit, multithreading=True)

    def put(self, numbers: Sequence[int]) -> bool:
        super().put(numbers)
        if not self._auto:
            self._queue.task_done()
        return True

    def drain(self, give: Give) -> None:
        from persistqueue import Empty

        while True:
            try:
                give(self._queue.get(block=False))
            except Empty:
                return
            if not self._auto:
                self._queue.task_done()

    def close(self) -> None:
        self._queue.close()


class PersistAck(_Persist):
    def __init__(self, folder: Path, template: str) -> None:
        from persistqueue import SQLiteAckQueue

        super().__init__(folder, template)
        self._queue = SQLiteAckQueue(str(self._folder), multithreading=True)

    def drain(self, give: Give) -> None:
        from persistqueue import Empty

        while True:
            try:
                item = self._queue.get(block=False)
            except Empty:
                break
            give(item)
            self._queue.ack(item)
        self._queue.clear_acked_data(max_delete=0, keep_latest=0)

    def close(self) -> None:
        self._queue.close()


class PersistFile(_Persist):
    def __init__(self, folder: Path, template: str, chunksize: int = 100) -> None:
        from persistqueue import Queue

        super().__init__(folder, template)
        temporary = folder / "temporary"
        temporary.mkdir(exist_ok=True)
        self._queue = Queue(str(self._folder), chunksize=chunksize, tempdir=str(temporary))

    def drain(self, give: Give) -> None:
        from persistqueue import Empty

        while True:
            try:
                item = self._queue.get(block=False)
            except Empty:
                return
            give(item)
            self._queue.task_done()

    def close(self) -> None:
        """It has no close."""


class Lite:
    """A queue object a thread, as its own tests for threads do."""

    exact = True

    def __init__(self, folder: Path, template: str, full: bool = False) -> None:
        self._path, self._template, self._full = folder / "lite.db", template, full
        self._own = threading.local()
        self._queue()

    def put(self, numbers: Sequence[int]) -> bool:
        mine = self._queue()
        if len(numbers) == 1:
            mine.put(fill(self._template, numbers[0]))
            return True
        with mine.transaction(mode="IMMEDIATE"):
            for number in numbers:
                mine.put(fill(self._template, number))
        return True

    def settle(self) -> None:
        """Nothing is left to do after a put."""

    def drain(self, give: Give) -> None:
        mine = self._queue()
        for left in list(mine.list_locked(0)):
            mine.retry(left.message_id)
        while message := mine.pop():
            give(message.data.encode())
            mine.done(message.message_id)
        mine.prune()

    def close(self) -> None:
        self._queue().close()

    def _queue(self) -> Any:
        if not hasattr(self._own, "queue"):
            from litequeue import LiteQueue

            self._own.queue = LiteQueue(str(self._path), timeout=60)
            if self._full:
                self._own.queue.conn.execute("PRAGMA synchronous = FULL")
        return self._own.queue


class Huey:
    """dequeue() deletes."""

    exact = True

    def __init__(self, folder: Path, template: str, fsync: bool | None = None) -> None:
        from huey.storage import SqliteStorage

        self._template = template
        self._storage = SqliteStorage("bench", str(folder / "huey.db"), fsync=fsync, timeout=60)

    def put(self, numbers: Sequence[int]) -> bool:
        for number in numbers:
            self._storage.enqueue(fill(self._template, number).encode())
        return True

    def settle(self) -> None:
        """Nothing is left to do after a put."""

    def drain(self, give: Give) -> None:
        while (body := self._storage.dequeue()) is not None:
            give(bytes(body))

    def close(self) -> None:
        self._storage.close()
