"""A phone's round trip through HQ's relay, and what many phones that ask again and again leave behind.

Run: .venv/bin/python -m tests.bench.bench_relay
A real broker on loopback, the public host and the box as processes of their own. First 50 requests a second,
a receipt's page and a signed call in turn; then 500 phones that each ask every ten seconds.
"""

from __future__ import annotations

import asyncio
import http.client
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import httpx
import psutil

from sim.mall import Mall
from sim.ports import free_ports
from tests.bench.big_mall import say
from tests.bench.table import Figure, Result, percentile, report
from tests.system.mall_process import Person, code_of, eventually, open_mall

PER_S = 50
WARM_S, MEASURED_S = 3.0, 20.0
PHONES, EVERY_S, POLLED_S = 500, 10.0, 30.0
TARGET_MS = 30.0

#: Sessions that the phones share: no more are opened for nobody in a minute.
SESSIONS = 100


@dataclass
class _Times:
    """Milliseconds of round trips by what was asked, and answers that were no 200."""

    took: dict[str, list[float]] = field(default_factory=dict)
    bad: int = 0


def measure() -> Result:
    """Ask at a steady rate, then with many phones; look at the box before and after."""
    with tempfile.TemporaryDirectory(prefix="relay-") as name, open_mall(Path(name)) as mall:
        receipt = _sale(mall)
        with _public_host(mall.broker.port) as host:
            base = f"{host}/b/demo-mall/edge-1"
            eventually(lambda: True if _answers(base, receipt) else None, "the box through HQ")
            tokens = _sessions(base, SESSIONS)
            asked = cycle((("page", f"/phone/r/{receipt}", ""), ("call", "/phone/api/v1/me", tokens[0])))
            say(f"{PER_S} requests a second")
            asyncio.run(_ask(base, [next(asked) for _ in range(int(PER_S * WARM_S))], PER_S))
            times = asyncio.run(_ask(base, [next(asked) for _ in range(int(PER_S * MEASURED_S))], PER_S))
            many, before, after, longest = _poll(mall, base, tokens)
    return _result(times, many, before, after, longest)


def _result(times: _Times, many: _Times, before: _Look, after: _Look, longest: int) -> Result:
    figures = []
    for what, took in sorted(times.took.items()):
        figures.append(Figure(f"{what}, p50", percentile(took, 50), "ms"))
        figures.append(Figure(f"{what}, p95", percentile(took, 95), "ms", TARGET_MS))
    polled = [one for took in many.took.values() for one in took]
    figures += [
        Figure("answers that were refused", float(times.bad), "", 0.0),
        Figure(f"{PHONES} phones, p95", percentile(polled, 95), "ms"),
        Figure(f"{PHONES} phones: refused", float(many.bad), "", 0.0),
        Figure(f"{PHONES} phones: memory grown", after.memory_mb - before.memory_mb, "MB", 4.0),
        Figure(f"{PHONES} phones: waiting in the box, most", float(longest), "requests", 100.0),
        Figure(f"{PHONES} phones: waiting in the box afterwards", float(after.open), "requests", 0.0),
        Figure(f"{PHONES} phones: events waiting for HQ afterwards", float(after.outbox), "", 0.0),
    ]
    note = (
        f"{PER_S} requests a second for {MEASURED_S:.0f} s over real HTTP and MQTT; then {PHONES} phones "
        f"that each ask every {EVERY_S:.0f} s, for {POLLED_S:.0f} s"
    )
    series = {f"{what} ms": took for what, took in times.took.items()}
    return Result("relay", figures, series, note)


@dataclass(frozen=True)
class _Look:
    memory_mb: float
    open: int
    outbox: int


def _poll(mall: Mall, base: str, tokens: Sequence[str]) -> tuple[_Times, _Look, _Look, int]:
    """Have the phones ask; return the times, the box before and after, and the most open at once."""
    calls = cycle([("call", "/phone/api/v1/me", token) for token in tokens])
    rate = PHONES / EVERY_S
    # What the first round of all phones fills for good (caches, stacks) is no growth.
    asyncio.run(_ask(base, [next(calls) for _ in range(PHONES)], rate))
    before, most, over = _look(mall), 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not over.wait(0.25):
            most = max(most, _look(mall).open)

    watcher = threading.Thread(target=watch)
    watcher.start()
    say(f"{PHONES} phones")
    times = asyncio.run(_ask(base, [next(calls) for _ in range(int(rate * POLLED_S))], rate))
    over.set()
    watcher.join()
    return times, before, _look(mall), most


async def _ask(base: str, calls: Sequence[tuple[str, str, str]], per_s: float) -> _Times:
    """Begin one call after another at that rate, whether those before are answered or not."""
    times, begun = _Times(), time.monotonic()
    async with httpx.AsyncClient(timeout=15, limits=httpx.Limits(max_connections=100)) as client:

        async def one(number: int, what: str, path: str, token: str) -> None:
            await asyncio.sleep(max(0.0, begun + number / per_s - time.monotonic()))
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            started = time.perf_counter()
            answer = await client.get(f"{base}{path}", headers=headers)
            times.took.setdefault(what, []).append((time.perf_counter() - started) * 1_000)
            times.bad += answer.status_code != 200

        await asyncio.gather(*(one(number, *call) for number, call in enumerate(calls)))
    return times


def _look(mall: Mall) -> _Look:
    assert mall.edge is not None
    text = httpx.get(f"{mall.url}/metrics", timeout=10).text
    return _Look(
        psutil.Process(mall.edge.pid).memory_info().rss / 1e6,
        _metric(text, "mall_edge_relay_waiting"),
        _metric(text, "mall_edge_outbox_events"),
    )


def _metric(text: str, name: str) -> int:
    found = re.search(rf"^{name}(?:{{[^}}]*}})? ([0-9.]+)$", text, re.MULTILINE)
    if found is None:
        raise AssertionError(f"the box tells nothing of {name}")
    return int(float(found[1]))


def _sale(mall: Mall) -> str:
    """Sell something at the kiosk; return the token of its receipt."""
    person = Person(mall)
    person.scan(code_of("MK-001"))
    person.sees_skus("MK-001")
    person.touch("checkout")
    person.sees("checkout")
    person.scan(person.shows_code()[1])
    receipt = person.sees("paid")["receipt"]
    assert isinstance(receipt, dict)
    return str(receipt["url"]).rpartition("/")[2]


def _sessions(base: str, count: int) -> list[str]:
    with httpx.Client(timeout=15) as client:
        made = [client.post(f"{base}/phone/api/v1/session", json={}) for _ in range(count)]
    return [str(one.raise_for_status().json()["token"]) for one in made]


def _answers(base: str, receipt: str) -> bool:
    return httpx.get(f"{base}/phone/r/{receipt}", timeout=15).status_code == 200


@contextmanager
def _public_host(broker_port: int) -> Iterator[str]:
    """Run HQ's public host as a process of its own; yield its address."""
    (port,) = free_ports(1)
    # Not by the name of the mall's own: a broker lets one of two with the same name go.
    names = ["--broker-port", str(broker_port), "--port", str(port), "--name", "relay-bench"]
    command = [sys.executable, "-m", "sim", "relay", *names]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        eventually(lambda: True if _listens(port) else None, "the public host")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(15)


def _listens(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    except OSError:
        return False
    finally:
        connection.close()
    return True


if __name__ == "__main__":
    sys.exit(report(measure()))
