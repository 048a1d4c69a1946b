"""Who takes part, with which settings, and what each must be able to do."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Protocol

#: What stands for an event's number in the template, and how a number is found again.
BLANK = "order-000000000000"
_NUMBER = re.compile(rb'"subject":"order-(\d{12})"')

Give = Callable[[bytes], None]


class Queue(Protocol):
    """A storage as a forwarder of events uses it.

    Made by `make(folder, template, **options)`: opens or creates it in `folder`. exact: what comes out is
    what went in, byte by byte; our own store writes the envelope itself.
    """

    exact: bool

    def put(self, numbers: Sequence[int]) -> bool:
        """Store one event for each number, as one batch; True once the library says that it has them."""

    def settle(self) -> None:
        """Wait until what was accepted has left the process, where the library does that later."""

    def drain(self, give: Give) -> None:
        """Give each event, then acknowledge it in the library's own way, until nothing is left."""

    def close(self) -> None:
        """Stop it as its documentation says."""


@dataclass(frozen=True, slots=True)
class Contender:
    """One row of the table. make: "module:callable". settings: in words. peer: lives in the private
    environment. batch: events in one call. shared: many threads may put.
    """

    name: str
    settings: str
    make: str
    options: Mapping[str, object] = field(default_factory=dict, hash=False)
    peer: bool = True
    batch: int = 1
    shared: bool = True

    def to_json(self) -> str:
        """Return what a process of its own needs to know."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Contender:
        """Return what to_json() told."""
        return cls(**json.loads(text))

    def open(self, folder: Path, template: str) -> Queue:
        """Open the storage in `folder`."""
        module, _, name = self.make.partition(":")
        queue: Queue = getattr(importlib.import_module(module), name)(folder, template, **self.options)
        return queue


def fill(template: str, number: int) -> str:
    """Return the event of a number."""
    return template.replace(BLANK, f"order-{number:012d}")


def number_of(body: bytes) -> int | None:
    """Return which event this is, None when it cannot be read."""
    found = _NUMBER.search(body)
    return int(found[1]) if found else None


_OWN = "tests.bench.queues.own"
_PEERS = "tests.bench.queues.peers"
_WAL = "WAL, synchronous FULL"

CONTENDERS: tuple[Contender, ...] = (
    Contender("mall-edge store", f"record_event, {_WAL}, group commit", f"{_OWN}:Store", peer=False),
    Contender(
        "mall-edge store",
        "the same, handed the bytes as the others are",
        f"{_OWN}:Store",
        {"ready": True},
        peer=False,
    ),
    Contender("sqlite3", f"{_WAL}, a row a commit, a connection a thread", f"{_OWN}:Plain", peer=False),
    Contender(
        "ThingsBoard file",
        "shipped tb_gateway.json: 10 files of 10,000",
        f"{_PEERS}:ThingsBoardFile",
        shared=False,
    ),
    Contender("ThingsBoard sqlite", "shipped; WAL NORMAL is fixed", f"{_PEERS}:ThingsBoardSqlite"),
    Contender("ThingsBoard memory", "shipped default", f"{_PEERS}:ThingsBoardMemory"),
    Contender("persist-queue SQLiteQueue", "default: commit a row", f"{_PEERS}:PersistSqlite"),
    Contender("persist-queue SQLiteAckQueue", "default: commit a row", f"{_PEERS}:PersistAck"),
    Contender("persist-queue Queue", "default: chunks of 100", f"{_PEERS}:PersistFile"),
    Contender("persist-queue Queue", "chunksize 1: fsync a row", f"{_PEERS}:PersistFile", {"chunksize": 1}),
    Contender("litequeue", "default: WAL NORMAL", f"{_PEERS}:Lite"),
    Contender("litequeue", f"{_WAL} by hand", f"{_PEERS}:Lite", {"full": True}),
    Contender("huey SqliteStorage", "default: WAL", f"{_PEERS}:Huey"),
    Contender("huey SqliteStorage", "fsync=True", f"{_PEERS}:Huey", {"fsync": True}),
    Contender("mall-edge store", "record_event, 100 a unit", f"{_OWN}:Store", peer=False, batch=100),
    Contender(
        "mall-edge store", "handed the bytes, 100 a unit", f"{_OWN}:Store", {"ready": True}, False, batch=100
    ),
    Contender("sqlite3", f"{_WAL}, 100 rows a commit", f"{_OWN}:Plain", peer=False, batch=100),
    Contender(
        "persist-queue SQLiteQueue",
        "auto_commit=False, 100 a task_done",
        f"{_PEERS}:PersistSqlite",
        {"auto_commit": False},
        batch=100,
        shared=False,
    ),
    Contender("litequeue", "FULL by hand, 100 a transaction", f"{_PEERS}:Lite", {"full": True}, batch=100),
)
