"""How long an import takes and holds the writer, and how long a look-up takes, at 100,000 products.

Run: .venv/bin/python -m tests.bench.bench_catalogue [PRODUCTS]. Prints a table, writes
build/bench/catalogue.json. Look-ups are first measured on a store just opened, with empty caches of
its own (the operating system's are warm), each for another product, with all keys of a scanned code.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from edge.clock import SystemClock
from edge.codes.classify import classify
from edge.codes.reading import code_rules
from edge.retail.catalogue import scan_keys
from edge.services.import_catalogue import ImportOptions, import_catalogue
from edge.services.records import Unit
from edge.store.sqlite_store import SqliteStore
from sim.goods import Good, catalogue_csv, many_goods

T = TypeVar("T")

PRODUCTS = 100_000
BARCODES = 3
LOOK_UPS = 20_000
ZONE = ZoneInfo("Asia/Shanghai")
RESULT = Path("build/bench/catalogue.json")


@dataclass
class TimedStore:
    """A store that notes how long each write took, from asking to the commit on disk."""

    store: SqliteStore
    write_ms: list[float] = field(default_factory=list)

    def write(self, work: Callable[[Unit], T]) -> T:
        begun = time.perf_counter()
        try:
            return self.store.write(work)
        finally:
            self.write_ms.append((time.perf_counter() - begun) * 1000)

    def read(self, query: Callable[[Unit], T]) -> T:
        return self.store.read(query)


def main() -> int:
    """Measure, print and write down; return the exit status."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else PRODUCTS
    goods = list(many_goods(count, barcodes=BARCODES))
    cheaper = [Good(g.sku, g.tenant, g.name, g.name_en, "1.00", g.barcodes) for g in goods]
    figures: dict[str, float] = {"products": count, "barcodes": count * BARCODES}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "box.db"
        store = SqliteStore(path, 0)
        for name, rows in (("first", goods), ("same", goods), ("prices", cheaper)):
            figures |= measure_import(store, name, rows, goods[0].barcodes[0])
        store.close()
        figures["database_mb"] = path.stat().st_size / 1e6
        figures |= measure_look_ups(path, goods, "fresh")
    for name, value in figures.items():
        print(f"{name:28} {value:14,.1f}")
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0


def measure_import(store: SqliteStore, name: str, goods: list[Good], code: str) -> dict[str, float]:
    """Return the figures of one import, with a till that looks up all the while."""
    timed, data, waits = TimedStore(store), catalogue_csv(tuple(goods)), [0.0]
    over = threading.Event()
    till = threading.Thread(target=look_up_until, args=(store, code, over, waits))
    till.start()
    begun = time.perf_counter()
    report = import_catalogue(timed, SystemClock(), data, ZONE, ImportOptions())
    took_s = time.perf_counter() - begun
    over.set()
    till.join()
    assert report.applied
    writes = sorted(timed.write_ms)
    return {
        f"{name}: import s": took_s,
        f"{name}: products per s": len(goods) / took_s,
        f"{name}: writes": len(writes),
        f"{name}: write p50 ms": writes[len(writes) // 2],
        f"{name}: write p99 ms": writes[len(writes) * 99 // 100],
        f"{name}: write longest ms": writes[-1],
        f"{name}: till longest wait ms": max(waits),
    }


def look_up_until(store: SqliteStore, code: str, over: threading.Event, waits: list[float]) -> None:
    """Look one code up about a hundred times a second and note how long each took, in ms."""
    keys = scan_keys(classify(code, None, code_rules()))
    while not over.wait(0.01):
        begun = time.perf_counter()
        store.read(lambda unit: unit.catalogue.find(keys, 0))
        waits.append((time.perf_counter() - begun) * 1000)


def measure_look_ups(path: Path, goods: list[Good], name: str) -> dict[str, float]:
    """Return percentiles over different products in scattered order, one barcode form after another."""
    rules, at = code_rules(), SystemClock().now().wall_at
    wanted = [goods[place * 7919 % len(goods)] for place in range(min(LOOK_UPS, len(goods)))]
    keys = [scan_keys(classify(good.barcodes[n % BARCODES], None, rules)) for n, good in enumerate(wanted)]
    store = SqliteStore(path, 0)
    took_us, wrong = [], 0
    for good, each in zip(wanted, keys, strict=True):
        begun = time.perf_counter_ns()
        product = store.read(lambda unit, each=each: unit.catalogue.find(each, at))  # type: ignore[misc]
        took_us.append((time.perf_counter_ns() - begun) / 1000)
        wrong += product is None or product.sku != good.sku
    store.close()
    assert wrong == 0
    took_us.sort()
    return {
        f"{name}: look-up p50 us": took_us[len(took_us) // 2],
        f"{name}: look-up p99 us": took_us[len(took_us) * 99 // 100],
        f"{name}: look-up max us": took_us[-1],
    }


if __name__ == "__main__":
    sys.exit(main())
