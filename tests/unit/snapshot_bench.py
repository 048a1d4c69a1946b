"""A shelf over fakes and an HQ that answers as told, for the tests of snapshots."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from edge.services.events import Origin
from edge.services.ports import Store
from edge.services.snapshot_kinds import snapshot_kinds
from edge.services.take_snapshot import FetchCursor, Heard, Shelf, describe_snapshots, take_snapshots
from sim.fakes.clock import FakeClock
from sim.fakes.ids import FakeIds
from sim.fakes.store import FakeStore
from sim.snapshots import Content

Answer = Callable[[int, bytes], list[tuple[int, bytes]]]


def honest(number: int, data: bytes) -> list[tuple[int, bytes]]:
    return [(number, data)]


def pages(*titles: str) -> bytes:
    """Return landing pages, one for each title; tenants are t0, t1 ..."""
    listed = [
        {
            "landing_id": f"l{number}",
            "tenant_id": f"t{number}",
            "title": title,
            "blocks": [{"kind": "join", "title": "入会"}],
        }
        for number, title in enumerate(titles)
    ]
    return json.dumps({"pages": listed}).encode()


@dataclass
class FakeWire:
    """HQ as the box hears it. answer: what comes of one chunk. connected: it can be asked."""

    contents: dict[tuple[str, int], list[bytes]] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)
    asked: list[tuple[str, int, tuple[int, ...]]] = field(default_factory=list)
    answer: Answer = honest
    connected: bool = True

    def publish(self, content: Content) -> None:
        self.contents[content.name, content.version] = content.chunks()
        self.heard.append(Heard(content.name, content.manifest()))

    def take(self, limit: int) -> Sequence[Heard]:
        taken = self.heard[:limit]
        kept = [one for one in taken if one.number < 0]
        self.heard = [*kept, *self.heard[limit:]]
        return taken

    def noted(self, manifest: Heard) -> None:
        self.heard.remove(manifest)

    def ask(self, name: str, version: int, numbers: Sequence[int]) -> bool:
        if not self.connected:
            return False
        self.asked.append((name, version, tuple(numbers)))
        chunks = self.contents.get((name, version), [])
        for number in numbers:
            for said, data in self.answer(number, chunks[number]) if number < len(chunks) else []:
                self.heard.append(Heard(name, data, version, said))
        return True


@dataclass
class Bench:
    """The shelf, the wire, and steps."""

    store: Store = field(default_factory=FakeStore)
    wire: FakeWire = field(default_factory=FakeWire)
    clock: FakeClock = field(default_factory=FakeClock)
    cursor: FetchCursor = field(default_factory=FetchCursor)
    news: list[str] = field(default_factory=list)
    room: bool = True

    def __post_init__(self) -> None:
        kinds = snapshot_kinds(ZoneInfo("Asia/Shanghai"))
        self.shelf = Shelf(self.store, self.clock, FakeIds(), Origin("demo-mall", "edge-1"), kinds)

    def step(self) -> None:
        done = take_snapshots(self.shelf, self.wire, self.cursor, self.room)
        self.cursor = done.cursor
        self.news += done.news

    def steps(self, count: int = 40, pause_ms: int = 1_000) -> None:
        for _ in range(count):
            self.step()
            self.clock.advance(pause_ms)

    def restart(self) -> None:
        """Forget what only memory held."""
        self.cursor = FetchCursor()
        self.wire.heard.clear()

    def titles(self) -> list[str]:
        return [page.title for page in self.store.read(lambda unit: unit.landings.pages())]

    def told(self) -> list[tuple[str, dict[str, Any]]]:
        """Return the events in the outbox as (kind, data)."""
        rows = self.store.read(lambda unit: unit.outbox.window(0, 1_000))
        return [(row.kind, json.loads(row.body)["data"]) for row in rows]

    def lines(self) -> str:
        return "\n".join(self.store.read(describe_snapshots))
