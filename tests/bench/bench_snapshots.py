"""A million members and 100,000 products into one box: time, memory, size, and how long a till waits.

Run: .venv/bin/python -m tests.bench.bench_snapshots [MEMBERS]. The box is a process of its own with the real
store and the real steps; HQ's chunks lie in a folder, so that no broker shares the cores. A thread of the box
sells all the while: one write to the books each 20 ms. Lengths of disk syncs are the machine's own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from edge.clock import SystemClock, wall_ms
from edge.ids import TimeOrderedIds
from edge.retail.ledger import Entry, Posting
from edge.services.events import Origin
from edge.services.snapshot_kinds import snapshot_kinds
from edge.services.snapshot_records import SnapshotState
from edge.services.take_snapshot import FetchCursor, Heard, Shelf, return_snapshot, take_snapshots
from edge.store.sqlite_store import SqliteStore
from sim.goods import catalogue_csv, many_goods
from sim.mall_lists import members_csv, prices_csv
from sim.snapshots import Content
from tests.bench.big_mall import say
from tests.bench.table import Figure, Result, percentile, report

MEMBERS = 1_000_000
PRODUCTS = 100_000

#: What a Pi must bear: memory of the whole process, and what a till may wait for a write.
MAX_RSS_MB = 300.0
MAX_WAIT_MS = 100.0

PAUSE_S = 0.02


@dataclass
class FolderWire:
    """HQ's answers from files; implements take_snapshot.SnapshotWire."""

    folder: Path
    heard: list[Heard] = field(default_factory=list)

    def take(self, limit: int) -> Sequence[Heard]:
        taken, self.heard = self.heard[:limit], self.heard[limit:]
        return taken

    def noted(self, manifest: Heard) -> None:
        """Nothing of this wire is told twice."""

    def ask(self, name: str, version: int, numbers: Sequence[int]) -> bool:
        for number in numbers:
            data = (self.folder / f"{name}.{version}.{number}").read_bytes()
            self.heard.append(Heard(name, data, version, number))
        return True


def measure(members: int = MEMBERS) -> Result:
    """Write HQ's files, run the box beside, and return what it found."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        sizes = write_contents(folder, members)
        command = [sys.executable, "-m", "tests.bench.bench_snapshots", "--box", place]
        subprocess.run(command, check=True)
        found: dict[str, Any] = json.loads((folder / "figures.json").read_text("utf-8"))
    figures = [Figure(name, value, unit) for name, (value, unit) in sizes.items()]
    for step in found["steps"]:
        figures += step_figures(step)
    figures.append(Figure("peak memory of the box", found["rss_mb"], "MB", MAX_RSS_MB))
    note = f"{members:,} members, {PRODUCTS:,} products; the wait is that of a write each 20 ms beside it"
    return Result("snapshots", figures, {step["name"]: step["waits"] for step in found["steps"]}, note)


def step_figures(step: dict[str, Any]) -> list[Figure]:
    """Return the figures of one step."""
    name, waits = step["name"], step["waits"]
    return [
        Figure(f"{name}: time", step["s"], "s"),
        Figure(f"{name}: till's write p50", percentile(waits, 50), "ms"),
        Figure(f"{name}: till's write p99", percentile(waits, 99), "ms"),
        Figure(f"{name}: till's longest write", max(waits), "ms", MAX_WAIT_MS),
        Figure(f"{name}: database", step["db_mb"], "MB"),
        Figure(f"{name}: memory at its peak so far", step["rss_mb"], "MB"),
    ]


def write_contents(folder: Path, members: int) -> dict[str, tuple[float, str]]:
    """Write every manifest and chunk; return sizes."""
    goods = tuple(many_goods(PRODUCTS, barcodes=3))
    first = Content("members", 1, members_csv(members))
    second = Content("members", 2, members_csv(members, points=7, without=1_000), base=first)
    contents = [
        first,
        second,
        Content("members", 3, members_csv(members, points=9), base=second.full()),
        Content("catalogue", 1, catalogue_csv(goods)),
        Content("prices", 1, prices_csv(goods, "3.00")),
    ]
    packed = [write_content(folder, content) / 1e6 for content in contents]
    return {
        "members: content": (len(first.data) / 1e6, "MB"),
        "members: packed": (packed[0], "MB"),
        "members: delta of a tenth, packed": (packed[1], "MB"),
    }


def write_content(folder: Path, content: Content) -> int:
    """Write the manifest and the chunks of one version; return the chunks' bytes."""
    chunks, place = content.chunks(), f"{content.name}.{content.version}"
    for number, data in enumerate(chunks):
        (folder / f"{place}.{number}").write_bytes(data)
    (folder / f"{place}.manifest").write_bytes(content.manifest(chunks))
    return sum(map(len, chunks))


class Box:
    """A box as far as snapshots and a till's writes go."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "edge.db"
        self.folder = folder
        clock = SystemClock()
        self.store = SqliteStore(self.path, clock.now().wall_at)
        self.ids = TimeOrderedIds(wall_ms)
        kinds = snapshot_kinds(ZoneInfo("Asia/Shanghai"))
        self.shelf = Shelf(self.store, clock, self.ids, Origin("demo-mall", "edge-1"), kinds)
        self.wire = FolderWire(folder)
        self.waits: list[float] = []
        self.over = threading.Event()

    def sell(self) -> None:
        """Write to the books for as long as the box runs, and note how long each write took, in ms."""
        while not self.over.wait(PAUSE_S):
            posting_id = self.ids.new_id()
            entries = (Entry("cash", 100), Entry("sales", -100))
            posting = Posting(posting_id, "sale", posting_id, wall_ms(), entries)
            begun = time.perf_counter()
            self.store.write(lambda unit, posting=posting: unit.ledger.post(posting))  # type: ignore[misc]
            self.waits.append((time.perf_counter() - begun) * 1000)

    def take(self, name: str, version: int) -> None:
        """Take one snapshot, to the end."""
        manifest = (self.folder / f"{name}.{version}.manifest").read_bytes()
        self.wire.heard.append(Heard(name, manifest))
        cursor = FetchCursor()
        while self.version_of(name) != version:
            done = take_snapshots(self.shelf, self.wire, cursor)
            cursor = done.cursor
            assert not any("refused" in word for word in done.news), done.news
        while not take_snapshots(self.shelf, self.wire, cursor).wait_ms:
            pass

    def version_of(self, name: str) -> int:
        row = self.store.read(lambda unit: unit.snapshots.get(name, SnapshotState.ACTIVE))
        return 0 if row is None else row.version

    def step(self, name: str, work: Any) -> dict[str, Any]:
        """Run one step; return its figures."""
        self.waits = [0.0]
        begun = time.perf_counter()
        work()
        took_s = time.perf_counter() - begun
        files = [path for path in self.folder.glob("edge.db*") if path.suffix != ".lock"]
        size = sum(path.stat().st_size for path in files)
        say(f"{name}: {took_s:.1f} s, longest wait {max(self.waits):.1f} ms, {size / 1e6:.0f} MB on disk")
        return {"name": name, "s": took_s, "waits": self.waits, "db_mb": size / 1e6, "rss_mb": peak_mb()}


def peak_mb() -> float:
    """Return the most memory that this process has had; the figure of getrusage is inherited by a child."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def run_box(folder: Path) -> None:
    """Take everything in turn and write figures.json."""
    box = Box(folder)
    till = threading.Thread(target=box.sell)
    till.start()
    try:
        steps = [
            box.step("members, full", lambda: box.take("members", 1)),
            box.step("members, delta: a tenth changed", lambda: box.take("members", 2)),
            box.step("members, next delta", lambda: box.take("members", 3)),
            box.step("members, one step back", lambda: return_snapshot(box.shelf, "members")),
        ]
        members_mb = peak_mb()
        steps += [
            box.step("catalogue, full", lambda: box.take("catalogue", 1)),
            box.step("prices, full", lambda: box.take("prices", 1)),
        ]
    finally:
        box.over.set()
        till.join()
    box.store.close()
    figures = {"steps": steps, "rss_mb": peak_mb(), "members_rss_mb": members_mb}
    (folder / "figures.json").write_text(json.dumps(figures), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--box"]:
        run_box(Path(sys.argv[2]))
    else:
        sys.exit(report(measure(int(sys.argv[1]) if len(sys.argv) > 1 else MEMBERS)))
