"""From exec to ready, memory at rest and idle CPU of the real service with 100,000 products.

Run: .venv/bin/python -m tests.bench.bench_start. The operating system's file cache is warm, as after a
restart of the service, not of the machine.
"""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

import psutil

from sim.mall import Mall
from tests.bench.big_mall import big_mall, say
from tests.bench.table import Figure, Result, report

STARTS = 5
SETTLE_S, IDLE_S = 10.0, 20.0


def measure() -> Result:
    """Start the service several times, then leave it alone and look at what it takes."""
    with big_mall() as mall:
        mall.kill_edge()
        after_kill = _start(mall)
        starts = [_start(mall) for _ in range(STARTS)]
        say(f"{STARTS} starts: " + ", ".join(f"{each:.2f} s" for each in starts))
        memory_mb, cpu = _rest(mall)
    figures = [
        Figure("start to ready, median of 5", median(starts), "s", 2.0),
        Figure("start to ready, longest", max(starts), "s", 2.0),
        Figure("start to ready after SIGKILL", after_kill, "s", 2.0),
        Figure("memory at rest (RSS)", memory_mb, "MB", 150.0),
        Figure("idle CPU of one core", cpu, "%", 2.0),
    ]
    note = (
        f"100,000 products with 3 codes each; RSS after {SETTLE_S:.0f} s, CPU over {IDLE_S:.0f} s more, "
        "with scanner, printer, HQ and one kiosk stream connected"
    )
    return Result("start", figures, {"start_s": starts}, note)


def _start(mall: Mall) -> float:
    """Start the service, wait until it says ready, end it; return the seconds until ready."""
    begun = time.monotonic()
    with (mall.config.parent / "edge.log").open("ab") as log:
        command = [sys.executable, "-m", "edge", "serve", "--config", str(mall.config)]
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        while not _is_ready(mall.port):
            if process.poll() is not None or time.monotonic() - begun > 30:
                raise AssertionError(f"the service did not start; see {log.name}")
            threading.Event().wait(0.005)
        return time.monotonic() - begun
    finally:
        process.terminate()
        process.wait(15)


def _rest(mall: Mall) -> tuple[float, float]:
    """Return MB of RSS and percent of one core with nobody in the shop."""
    mall.start_edge()
    assert mall.edge is not None
    service = psutil.Process(mall.edge.pid)
    with _stream(mall.port):
        say(f"leaving the service alone for {SETTLE_S + IDLE_S:.0f} s")
        threading.Event().wait(SETTLE_S)
        memory = service.memory_info().rss / 1e6
        before, begun = service.cpu_times(), time.monotonic()
        threading.Event().wait(IDLE_S)
        after, took = service.cpu_times(), time.monotonic() - begun
    used = after.user + after.system - before.user - before.system
    return memory, used / took * 100


@contextmanager
def _stream(port: int) -> Iterator[None]:
    """Be a kiosk's page that listens."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as page:
        page.sendall(b"GET /api/kiosk/K01/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert page.recv(4096).startswith(b"HTTP/1.1 200")
        yield


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/health/ready")
        answer = connection.getresponse()
        return answer.status == 200 and json.load(answer)["ready"] is True
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(report(measure()))
