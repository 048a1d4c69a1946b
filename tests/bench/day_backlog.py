"""A day without HQ, to look at: the whole demonstration with 200,000 events in the box's own store.

Every page is timed and pictured at three sizes in both languages while HQ is away, then HQ comes back and
the backlog drains. Pictures and figures go to build/backlog. Run alone: python -m tests.bench.day_backlog.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
from playwright.sync_api import Page

from edge.clock import SystemClock, boottime_ns
from edge.ids import TimeOrderedIds
from edge.services import events
from edge.services.events import EventKind, Origin
from edge.services.records import Unit
from edge.store.sqlite_store import SqliteStore
from sim.mall import Mall, MallSettings, is_ready, read_health
from sim.mall_config import DEMO_PIN
from tests.bench.big_mall import say
from tests.browser.kiosk_page import chromium
from tests.unit.hq_samples import ManualClock, line, paid_order

OUT = Path(__file__).parents[2] / "build" / "backlog"
SIZES = ((390, 844), (1280, 800), (1920, 1080))
DAY_MS = 86_400_000
UNIT = 500
#: What each page must do, in milliseconds.
PAGE_MS = 300
TENANTS = ("coffee", "bakery", "fruit", "tea", "books", "toys")


def main() -> None:
    """Make the backlog, look, and let it drain."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.day_backlog", description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    wanted = parser.parse_args().events
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    settings = MallSettings(OUT / "mall", port=0, hq_port=0, gateway_port=0)
    mall = Mall(settings, lambda: SystemClock().now().wall_at, _digits)
    try:
        mall.open()
        figures = _look(mall, wanted)
    finally:
        mall.close()
    (OUT / "figures.json").write_text(json.dumps(figures, indent=2))
    print(json.dumps(figures, indent=2))


def _look(mall: Mall, wanted: int) -> dict[str, object]:
    _refuse_some(mall)
    _switch(mall, away=True)
    stop_edge(mall)
    made_s = write_day(OUT / "mall" / "state" / "edge.db", wanted)
    mall.start_edge()
    figures: dict[str, object] = {"events": wanted, "written in s": round(made_s, 1)}
    with chromium() as browser:
        page = browser.new_page(reduced_motion="reduce")
        sign_in(page, mall.url)
        # Some steps of the plot.
        threading.Event().wait(35)
        figures["pages"] = time_pages(mall)
        say(json.dumps(figures))
        picture(page, mall, "away")
        begun = time.perf_counter()
        _switch(mall, away=False)
        threading.Event().wait(17)
        picture(page, mall, "draining", ("outbox",))
        figures["drained in s"] = _drained(mall, begun)
        say(json.dumps(figures))
        command_from_page(page, mall)
        picture(page, mall, "after", ("outbox", "hq"))
        mall.kill_edge()
        gone(page, mall)
    return figures


def write_day(path: Path, wanted: int) -> float:
    """Write events of the last day through the store; return how long it took."""
    begun, now = time.perf_counter(), SystemClock().now()
    store = SqliteStore(path, now.wall_at)
    ids, clock = TimeOrderedIds(lambda: boottime_ns() // 1_000_000), ManualClock(now.wall_at - DAY_MS)
    origin = Origin("demo-mall", "edge-1")
    try:
        for first in range(0, wanted, UNIT):
            count = min(UNIT, wanted - first)

            def work(unit: Unit, first: int = first, count: int = count) -> None:
                for number in range(first, first + count):
                    tenant = TENANTS[number % 7 % len(TENANTS)]
                    order = paid_order(line(1, tenant, 1_250 + number % 900), order_id=f"order-{number}")
                    data = events.order_paid(order)
                    events.record_event(
                        unit, ids, clock.now(), origin, EventKind.ORDER_PAID, order.order_id, data
                    )
                    clock.advance(DAY_MS // wanted)

            store.write(work)
            if first % 3600 == 0:
                store.write(lambda unit: unit.outbox.note_pace(clock.now().wall_at))
    finally:
        store.close()
    return time.perf_counter() - begun


def time_pages(mall: Mall) -> dict[str, object]:
    """Return the middle and the longest of 15 answers of each page, in milliseconds."""
    figures: dict[str, object] = {}
    with httpx.Client(base_url=mall.url, headers={"Sec-Fetch-Site": "same-origin"}) as web:
        web.post("/staff/login", data={"pin": DEMO_PIN})
        for name in ("/staff/outbox", "/staff/hq", "/staff/service", "/metrics", "/health/ready"):
            figures[name] = _timed(lambda name=name: web.get(name))  # type: ignore[misc]
    with httpx.Client(base_url=mall.hq_url) as web:
        for name in ("/", "/state.json"):
            figures[f"HQ {name}"] = _timed(lambda name=name: web.get(name))  # type: ignore[misc]
    return figures


def _timed(ask: Callable[[], httpx.Response]) -> dict[str, float]:
    took = []
    for _ in range(15):
        begun = time.perf_counter()
        assert ask().status_code == 200
        took.append(1000 * (time.perf_counter() - begun))
    assert max(took) <= PAGE_MS, f"{max(took):.0f} ms"
    return {"p50 ms": round(statistics.median(took), 1), "longest ms": round(max(took), 1)}


def sign_in(page: Page, url: str) -> None:
    """Sign in to the staff pages."""
    page.goto(f"{url}/staff/login")
    page.fill("#pin", DEMO_PIN)
    page.click("form button")
    page.wait_for_url("**/staff/devices")


def picture(page: Page, mall: Mall, when: str, only: tuple[str, ...] = ()) -> None:
    """Picture every staff page and HQ's at three sizes in both languages; complain of what is too wide."""
    letters = httpx.get(f"{mall.hq_url}/state.json").json()["dead_letters"]
    pages = ["outbox", "hq", "devices", "service", "scans/K01"] if not only else list(only)
    if letters and not only:
        pages.append(_first_letter(page, mall))
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        for language in ("zh", "en"):
            for name in pages:
                page.goto(f"{mall.url}/staff/{name}?language={language}")
                _shoot(page, f"{when}-staff-{name.split('/')[0]}-{language}-{width}")
            page.goto(mall.hq_url)
            page.evaluate("language => localStorage.setItem('hq-lang', language)", language)
            page.reload()
            page.wait_for_selector("#edges table")
            page.wait_for_timeout(2_500)
            _shoot(page, f"{when}-HQ-{language}-{width}")


def _first_letter(page: Page, mall: Mall) -> str:
    page.goto(f"{mall.url}/staff/outbox")
    return "letters/" + str(page.locator("[data-letter]").first.get_attribute("data-letter"))


def _shoot(page: Page, name: str) -> None:
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    if wide > 0:
        say(f"{name}: {wide} px too wide")
    page.screenshot(path=OUT / f"{name}.png", full_page=True, animations="disabled")


def command_from_page(page: Page, mall: Mall) -> None:
    """Freeze and thaw the box's sales from HQ's page."""
    for kind in ("freeze_sales", "open_gate", "thaw_sales"):
        page.goto(mall.hq_url)
        page.wait_for_selector("#edges table")
        page.select_option("select[name=kind]", kind)
        if kind != "thaw_sales":
            page.fill("input[name=argument]", "exit-1")
        page.fill("input[name=issued_by]", "Ms Li, control room")
        page.click("button.go")
        page.wait_for_selector(".reply .pill:is(.good, .bad, .warn)")
        _shoot(page, f"after-HQ-command-{kind}")


def gone(page: Page, mall: Mall) -> None:
    """Picture what an open staff page says when the box is gone."""
    mall.start_edge()
    sign_in(page, mall.url)
    for size, language in ((SIZES[0], "zh"), (SIZES[1], "en")):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.goto(f"{mall.url}/staff/outbox?language={language}")
        mall.kill_edge()
        page.wait_for_selector(".gone:not([hidden])", timeout=20_000)
        _shoot(page, f"gone-staff-{language}-{size[0]}")
        mall.start_edge()
        sign_in(page, mall.url)


def _digits(count: int) -> str:
    return "".join(str(each % 10) for each in os.urandom(count))


def _refuse_some(mall: Mall) -> None:
    _switch(mall, refuse=True)
    store = OUT / "mall" / "state" / "edge.db"
    stop_edge(mall)
    write_day(store, 5)
    mall.start_edge()
    _drained(mall, time.perf_counter())
    _switch(mall, refuse=False)


def _switch(mall: Mall, **switches: bool) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            httpx.post(f"{mall.hq_url}/behaviour", json=switches).raise_for_status()
            return
        except httpx.HTTPError:
            threading.Event().wait(0.2)
    raise TimeoutError("HQ's page does not answer")


def stop_edge(mall: Mall) -> None:
    """Stop the service in order, so that its store can be written here."""
    assert mall.edge is not None
    mall.edge.send_signal(signal.SIGTERM)
    mall.edge.wait(30)


def _drained(mall: Mall, begun: float) -> float:
    for _ in range(6_000):
        if is_ready(mall.url) and read_health(mall.url).get("outbox_depth") == 0:
            return round(time.perf_counter() - begun, 1)
        threading.Event().wait(0.1)
    raise TimeoutError("the backlog does not drain")


if __name__ == "__main__":
    main()
