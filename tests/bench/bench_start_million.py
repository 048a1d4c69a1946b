"""From exec to the first decisions, after SIGKILL under load, with 1,000,000 orders and 300,000 stays.

Run: .venv/bin/python -m tests.bench --only start_million. Building the database takes some minutes and
about 10 GB of disk. The system's file cache is warm, as after a restart of the service; `cold` drops the
database's own pages from it first, as after a restart of the machine.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from sim.cameras.posting import post
from sim.cameras.sight import CameraCounts, CameraFaults, Read
from sim.clocks import unix_ms
from sim.digits import random_digits
from sim.kills.books import settled
from sim.mall import Mall, MallSettings
from sim.mall_drivers import some_plate, visit_by_car
from sim.shopper import trips
from tests.bench.big_mall import say
from tests.bench.million import OF_ORDERS, OF_STAYS, multiply, open_read_only, rows_of
from tests.bench.table import RESULTS, Figure, Result, report
from tests.system.mall_process import code_of

ORDERS, STAYS = 1_000_000, 300_000
KILLS = 5

#: What must be reached, in seconds.
TARGET_S = 5.0

_LOAD_S = 3.0
_LONGEST_S = 300.0
_SPLIT_S = 240.0
_CODE = code_of("MK-001")


def measure(orders: int = ORDERS, stays: int = STAYS, kills: int = KILLS) -> Result:
    """Build the database, then kill and start the service several times."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=RESULTS, prefix="million-") as name:
        folder, begun = Path(name), time.monotonic()
        build(folder, orders, stays)
        return measure_in(folder, kills, time.monotonic() - begun)


def build(folder: Path, orders: int, stays: int) -> None:
    """Let the real service sell once and let a car in and out; then copy what that left."""
    with _mall(folder) as mall:
        made_ms = unix_ms()
        visit_by_car(mall.lanes, mall.shop(lambda _: None), next(trips()), some_plate(random_digits))
        _await(lambda: _all_shared(folder), "the parts of the payment to reach their tenants", _SPLIT_S)
        assert settled(folder, mall.stop)
    database = folder / "state" / "edge.db"
    template = rows_of(database, (*OF_ORDERS, *OF_STAYS))
    multiply(database, template, orders, stays, made_ms, say)


def measure_in(folder: Path, kills: int, built_s: float) -> Result:
    """Kill and start the service over the database in this folder."""
    database = folder / "state" / "edge.db"
    with _mall(folder) as mall:
        try:
            warm = [_kill_and_start(mall, database, cold=False) for _ in range(kills)]
            cold = [_kill_and_start(mall, database, cold=True) for _ in range(2)]
        finally:
            mall.kill_edge()
    with closing(open_read_only(database)) as db:
        counts = [db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("orders", "sessions")]
    figures = [
        Figure("killed, exec to ready, median", median(one["ready"] for one in warm), "s", TARGET_S),
        Figure("killed, exec to first scan on screen", median(one["scan"] for one in warm), "s", TARGET_S),
        Figure("killed, exec to first push answered", median(one["push"] for one in warm), "s", TARGET_S),
        Figure("killed, exec to gate opened, longest", max(one["gate"] for one in warm), "s", TARGET_S),
        Figure("the same with a cold file cache", max(one["gate"] for one in cold), "s", TARGET_S),
        Figure("log to replay (WAL)", median(one["wal_mb"] for one in warm), "MB"),
        Figure("database", database.stat().st_size / 1e9, "GB"),
        Figure("time to build", built_s, "s"),
    ]
    note = (
        f"{counts[0]:,} orders with lines, postings, receipts; {counts[1]:,} stays; {kills} kills under load"
    )
    return Result("start_million", figures, {"gate_s": [one["gate"] for one in warm]}, note)


@contextmanager
def _mall(folder: Path) -> Iterator[Mall]:
    settings = MallSettings(folder, 0, 0, 0, pace_s=0.2, rules="poll_ms = 200")
    mall = Mall(settings, unix_ms, random_digits)
    try:
        mall.open()
        yield mall
    finally:
        mall.close()


def _all_shared(folder: Path) -> bool:
    with closing(open_read_only(folder / "state" / "edge.db")) as db:
        return not db.execute("SELECT 1 FROM payment_splits WHERE state <> 'done'").fetchall()


def _kill_and_start(mall: Mall, database: Path, cold: bool) -> dict[str, float]:
    """Kill the service while it writes, start it, and return after how many seconds it did what."""
    pieces = _load(mall)
    found = {"wal_mb": database.with_name("edge.db-wal").stat().st_size / 1e6}
    if cold:
        _forget(database)
    car = mall.lanes.car(some_plate(random_digits))
    mall.lanes.entry.arrive(car)
    begun = time.monotonic()
    mall.edge = _exec(mall)
    steps: tuple[tuple[str, Callable[[], bool]], ...] = (
        ("ready", lambda: _ask(mall, "GET", "/health/ready").get("ready") is True),
        ("scan", lambda: _scanned(mall) and _pieces(mall) == pieces + 1),
        ("push", lambda: _pushed(mall, car.plate.text)),
        ("gate", lambda: mall.lanes.entry.gate.boom_up),
    )
    for name, done in steps:
        _await(done, name, _LONGEST_S)
        found[name] = time.monotonic() - begun
    say(", ".join(f"{name} {value:.2f}" for name, value in found.items()) + (" (cold)" if cold else ""))
    assert mall.lanes.entry.await_left(car.plate.text, 60.0)
    return found


def _exec(mall: Mall) -> subprocess.Popen[bytes]:
    with (mall.config.parent / "edge.log").open("ab") as log:
        command = [sys.executable, "-m", "edge", "serve", "--config", str(mall.config)]
        return subprocess.Popen(command, stdout=log, stderr=log)


def _load(mall: Mall) -> int:
    """Sell for some seconds on one kiosk and kill in the midst; return what lies in another's basket."""
    stop = threading.Event()
    _ask(mall, "POST", "/api/kiosk/K02/cancel")
    _ask(mall, "POST", "/api/kiosk/K02/type_code", {"text": _CODE})
    _await(lambda: _pieces(mall) == 1, "the first scan", 10.0)

    def sell() -> None:
        while not stop.is_set():
            for action in ("type_code", "checkout", "cancel"):
                _ask(mall, "POST", f"/api/kiosk/K01/{action}", {"text": _CODE})

    busy = threading.Thread(target=sell)
    busy.start()
    stop.wait(_LOAD_S)
    mall.kill_edge()
    stop.set()
    busy.join()
    return 1


def _scanned(mall: Mall) -> bool:
    """Scan on the other kiosk, once the service is there."""
    return "version" in _ask(mall, "POST", "/api/kiosk/K02/type_code", {"text": _CODE}) or _pieces(mall) > 1


def _pieces(mall: Mall) -> int:
    basket = _ask(mall, "GET", "/api/kiosk/K02/view").get("basket")
    return sum(int(one["quantity"]) for one in basket["lines"]) if isinstance(basket, dict) else 0


def _pushed(mall: Mall, plate: str) -> bool:
    """Post what the camera sees, as often as it takes; return whether it was answered."""
    camera, now_ms = mall.lanes.camera_in, unix_ms()
    read = Read(plate, now_ms % 1_000_000_000, now_ms, trigger="auto")
    answer = post(
        camera.habits.url, "application/json", camera.body(read), CameraFaults(), CameraCounts(), _LONGEST_S
    )
    return answer is not None


def _forget(database: Path) -> None:
    """Have the system drop the pages of the database from its file cache."""
    for path in database.parent.glob("edge.db*"):
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _await(done: Callable[[], bool], what: str, longest_s: float) -> None:
    end, pause = time.monotonic() + longest_s, threading.Event()
    while not done():
        if time.monotonic() > end:
            raise AssertionError(f"waited {longest_s:.0f} s for {what}")
        pause.wait(0.01)


def _ask(mall: Mall, method: str, path: str, given: Mapping[str, object] | None = None) -> dict[str, Any]:
    """Return what the service answers, nothing while it does not."""
    connection = http.client.HTTPConnection("127.0.0.1", mall.port, timeout=30)
    headers = {"Content-Type": "application/json", "Origin": mall.url}
    try:
        connection.request(method, path, None if given is None else json.dumps(given), headers)
        answer = connection.getresponse()
        said = json.load(answer)
        return said if isinstance(said, dict) and answer.status == 200 else {}
    except (OSError, ValueError, http.client.HTTPException):
        return {}
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(report(measure()))
