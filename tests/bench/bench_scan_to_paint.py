"""From the last byte of a scan on the wire to the line painted on the kiosk's page, in a real browser.

Run: .venv/bin/python -m tests.bench.bench_scan_to_paint. Service process with 100,000 products, scanner on
a pseudo-terminal, Chromium. The page's clock (performance.timeOrigin + now) is compared with this process's
wall clock before and after; half of the quickest round trip bounds the error of that comparison.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from playwright.sync_api import Page

from sim.goods import Good
from sim.mall import Mall
from tests.bench.big_mall import big_goods, big_mall, say
from tests.bench.table import Figure, Result, percentile, report
from tests.browser.kiosk_page import CHROMIUM, LANDSCAPE, KioskPage, chromium
from tests.system.mall_process import Person

SCANS = 240
WARM_UP = 10
BASKET = 25

#: Every 397th product: scattered over the whole catalogue, no two the same.
_STRIDE = 397

#: Pauses between scans differ, so that they fall anywhere between two frames of the screen.
_PAUSES_S = (0.101, 0.094, 0.113, 0.087, 0.106, 0.119, 0.091)

# The page tells in window.__painted when a view was painted and overwrites it; here all are kept.
_RECORDER = """
(() => {
  const log = { painted: [], arrived: [] };
  const now = () => performance.timeOrigin + performance.now();
  Object.defineProperty(window, "__log", { value: log });
  let last = null;
  Object.defineProperty(window, "__painted", {
    get: () => last,
    set: (value) => {
      last = value;
      const skus = [...document.querySelectorAll(".line")].map((line) => line.dataset.sku);
      log.painted.push([value.version, value.at, skus]);
    },
  });
  const Stream = window.EventSource;
  window.EventSource = class extends Stream {
    constructor(...values) {
      super(...values);
      super.addEventListener("view", (event) => log.arrived.push([Number(event.lastEventId), now()]));
    }
  };
})();
"""
_CLOCK = "performance.timeOrigin + performance.now()"

#: The first paint that showed an article.
_SHOWN = "sku => window.__log.painted.find(([version, at, skus]) => skus.includes(sku)) ?? null"


@dataclass(frozen=True, slots=True)
class Offset:
    """The page's clock minus ours, in ms, and how wrong that can be."""

    ms: float
    error_ms: float


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan's way, in ms from the last byte."""

    arrived_ms: float
    painted_ms: float


def measure() -> Result:
    """Scan one product after another and look when the page has painted its line."""
    goods = list(islice(big_goods(), 0, (SCANS + WARM_UP) * _STRIDE, _STRIDE))
    if CHROMIUM is None:
        raise SystemExit("Chromium is not installed: apt install chromium")
    with big_mall() as mall, chromium() as browser:
        page = browser.new_page(viewport={"width": LANDSCAPE[0], "height": LANDSCAPE[1]})
        page.add_init_script(_RECORDER)
        kiosk = KioskPage(page)
        kiosk.open(mall.url, "K01")
        before = _offset(page)
        say(f"{SCANS} scans")
        scans = _scan_all(mall, kiosk, goods, before)[WARM_UP:]
        after = _offset(page)
    return _result(scans, before, after)


def _scan_all(mall: Mall, kiosk: KioskPage, goods: Sequence[Good], offset: Offset) -> list[Scan]:
    shopper, scans = Person(mall), []
    for number, good in enumerate(goods):
        if number % BASKET == 0 and number:
            shopper.touch("cancel")
            kiosk.expect_screen("attract")
        scans.append(_scan(mall, kiosk.page, good, offset))
        threading.Event().wait(_PAUSES_S[number % len(_PAUSES_S)])
    return scans


def _scan(mall: Mall, page: Page, good: Good, offset: Offset) -> Scan:
    """Scan `good`, which was never scanned before; return when the page heard of it and had drawn it."""
    assert mall.scanner.scan(good.barcodes[0])
    written_ms = _now_ms()
    deadline = time.monotonic() + 5
    # Not asked for before most lines are painted: a question is work for the page, too.
    threading.Event().wait(0.04)
    while (shown := page.evaluate(_SHOWN, good.sku)) is None:
        if time.monotonic() > deadline:
            raise AssertionError(f"{good.sku} was not painted in 5 s")
        threading.Event().wait(0.02)
    version, painted_at, _ = shown
    arrived = dict(page.evaluate("window.__log.arrived"))
    assert page.locator(f".line[data-sku='{good.sku}']").is_visible()
    began_ms = written_ms + offset.ms
    return Scan(arrived[version] - began_ms, painted_at - began_ms)


def _offset(page: Page) -> Offset:
    """Compare the clocks by the quickest of many round trips."""
    best = Offset(0.0, float("inf"))
    for _ in range(100):
        before = _now_ms()
        theirs = page.evaluate(_CLOCK)
        after = _now_ms()
        if (after - before) / 2 < best.error_ms:
            best = Offset(theirs - (before + after) / 2, (after - before) / 2)
    return best


def _now_ms() -> float:
    return time.clock_gettime_ns(time.CLOCK_REALTIME) / 1e6


def _result(scans: Sequence[Scan], before: Offset, after: Offset) -> Result:
    painted = [scan.painted_ms for scan in scans]
    arrived = [scan.arrived_ms for scan in scans]
    drawing = [scan.painted_ms - scan.arrived_ms for scan in scans]
    error_ms = max(before.error_ms, after.error_ms) + abs(after.ms - before.ms)
    figures = [
        Figure("last byte to painted line, p50", percentile(painted, 50), "ms", 30.0),
        Figure("last byte to painted line, p99", percentile(painted, 99), "ms", 100.0),
        Figure("last byte to painted line, max", max(painted), "ms"),
        Figure("last byte to event in the page, p50", percentile(arrived, 50), "ms"),
        Figure("last byte to event in the page, p99", percentile(arrived, 99), "ms"),
        Figure("event in the page to painted, p50", percentile(drawing, 50), "ms"),
        Figure("event in the page to painted, p99", percentile(drawing, 99), "ms"),
        Figure("clock comparison may be wrong by", error_ms, "ms"),
    ]
    note = f"{len(scans)} scans of different products, baskets of {BASKET} lines, 60 frames a second"
    return Result("scan_to_paint", figures, {"painted_ms": painted, "arrived_ms": arrived}, note)


if __name__ == "__main__":
    sys.exit(report(measure()))
