"""`make demo` from start to end: shoppers buy, cars come and go, and every book tells the same."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sim.ports import free_ports
from tests.system.books import box_books, check_box_and_hq, hq_books, leaks, tracebacks
from tests.system.mall_process import eventually

VISITS = 2

#: What each car of the demonstration pays that does not leave free, and how many do at least: one that only
#: parks, one whose entry was misread.
FEE_FEN = 600
LEAST_FEES = 2

#: Within what somebody who watches must have seen a sale on a machine of their own, and how long it is waited
#: for; the longest that two visits may take.
FIRST_SALE_S = 60.0
WAITED_S = 300.0
END_S = 150.0

#: What the demonstration has to end everything that it started.
END_GRACE_S = 20.0


@dataclass
class Demo:
    """One demonstration that has ended. charges: what the gateway took, by order number."""

    folder: Path
    urls: dict[str, str]
    code: int = -1
    output: str = ""
    charges: dict[str, int] = field(default_factory=dict)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("demo")
    with running(folder, "--visits", str(VISITS), "--pace", "0.3") as (process, urls):
        ended = Demo(folder, urls)
        _watch(process, ended)
    ended.code = process.returncode
    ended.output = (folder / "demo.log").read_text("utf-8")
    return ended


@contextmanager
def running(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, str]]]:
    """Run the demonstration there, which says where its pages are; end it with all that it started."""
    port, hq_port, gateway_port, relay_port, lanes_port, phone_port = free_ports(6)
    ports = ("--port", str(port), "--hq-port", str(hq_port), "--gateway-port", str(gateway_port))
    ports = (*ports, "--relay-port", str(relay_port), "--lanes-port", str(lanes_port))
    ports = (*ports, "--phone-port", str(phone_port))
    urls = {
        "kiosk": f"http://127.0.0.1:{port}/kiosk/K01",
        "HQ": f"http://127.0.0.1:{hq_port}/",
        "phones": f"http://127.0.0.1:{gateway_port}/",
        "lanes": f"http://127.0.0.1:{lanes_port}/",
        "guard": f"http://127.0.0.1:{port}/staff/lanes",
        "driver": f"http://127.0.0.1:{port}/phone/parking",
    }
    with (folder / "demo.log").open("wb") as log:
        command = [sys.executable, "-m", "sim", "mall", *ports, *options, "--dir", str(folder)]
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            yield process, urls
        finally:
            with suppress(subprocess.TimeoutExpired):
                process.terminate()
                process.wait(END_GRACE_S)
            process.kill()
            process.wait()


def _watch(process: subprocess.Popen[bytes], demo: Demo) -> None:
    """Note what the gateway takes until the demonstration ends by itself."""
    begun, pause = time.monotonic(), threading.Event()
    while process.poll() is None and time.monotonic() - begun < END_S:
        for entry in _ledger(demo.urls["phones"]):
            demo.charges[entry["order_no"]] = entry["amount_fen"]
        pause.wait(0.1)


def _ledger(gateway: str) -> list[dict[str, object]]:
    try:
        with urllib.request.urlopen(f"{gateway}sim/ledger", timeout=2) as answer:
            return json.load(answer)["entries"]  # type: ignore[no-any-return]
    except OSError:
        # Not open yet, or closing just now.
        return []


def test_it_ends_well_and_says_where_to_look(demo: Demo) -> None:
    assert demo.code == 0, demo.output
    for url in demo.urls.values():
        assert url in demo.output
    assert str(demo.folder / "receipts") in demo.output


@pytest.mark.timeout(400)
def test_somebody_who_watches_sees_a_sale_within_a_minute(tmp_path: Path) -> None:
    """At the pace of `make demo` goods are paid at the kiosk and the receipt is on paper; fees have none.

    On a machine that has more to do than processors it may take as much longer.
    """
    pay = "SELECT number FROM orders WHERE state = 'paid' AND number LIKE 'K01-%'"

    def sold() -> Path | None:
        return next((one for one in (tmp_path / "receipts").glob("*.png") if one.stat().st_size), None)

    began_s, crowding = time.monotonic(), [load_per_processor()]
    with running(tmp_path) as (process, _):
        eventually(lambda: sold() or process.poll(), "a receipt of the kiosk", WAITED_S)
        assert process.poll() is None, (tmp_path / "demo.log").read_text("utf-8")
        crowding.append(load_per_processor())
        assert time.monotonic() - began_s < FIRST_SALE_S * max(1.0, *crowding)
        assert len(asked(tmp_path, pay)) >= 1


def load_per_processor() -> float:
    """Return how many threads wanted each processor in the last minute."""
    return os.getloadavg()[0] / (os.cpu_count() or 1)


def test_hq_holds_exactly_the_orders_of_the_box(demo: Demo) -> None:
    box, hq = box_books(demo.folder), hq_books(demo.folder)
    check_box_and_hq(box, hq)
    assert len(box.paid) == VISITS + fees(demo)
    assert hq.kinds["receipt.issued"] == len(box.paid)
    assert (hq.kinds["landing.opened"], hq.kinds["landing.join"]) == (1, 1)


def test_wallets_were_charged_exactly_what_the_orders_cost(demo: Demo) -> None:
    box = box_books(demo.folder)
    assert sorted(demo.charges.values()) == sorted(box.paid.values())
    assert set(demo.charges) == {attempt_id.replace("-", "") for attempt_id in box.attempts}
    assert set(box.attempts.values()) == {"approved"}


def test_each_sale_has_one_receipt_on_paper(demo: Demo) -> None:
    pictures = sorted((demo.folder / "receipts").glob("*.png"))
    assert len(pictures) == VISITS, "an exit has no printer"
    assert all(picture.read_bytes().startswith(b"\x89PNG") for picture in pictures)
    texts = [path.read_text("utf-8") for path in (demo.folder / "receipts").glob("*.txt")]
    for total_fen in box_books(demo.folder).paid.values():
        assert total_fen == FEE_FEN or any(f"{total_fen / 100:.2f}" in text for text in texts)


def test_a_car_leaves_free_because_of_a_purchase_and_says_so(demo: Demo) -> None:
    plate, order = found(demo, r"shopper: (\S+) left free: the purchase (\S+) paid its parking")
    assert rows(
        demo, f"SELECT state, reference, value, forgone_fen FROM validations WHERE plate = '{plate}'"
    ) == [("used", order, 120, FEE_FEN)]
    assert order.startswith("K01-")


def test_a_driver_pays_at_the_exit_and_the_misread_one_after_the_guards_answer(demo: Demo) -> None:
    assert rows(demo, "SELECT sum(amount_fen), count(*) FROM settlements") == [
        (fees(demo) * FEE_FEN, fees(demo))
    ]
    [plate] = found(demo, r"traffic: the entry's camera will take (\S+) for ")
    found(demo, r"guard: (B1-out) asks: ")
    found(demo, r"guard: answered (B1-out) with 'choose'")
    found(demo, rf"traffic: ({plate}) paid at the exit and left")


def test_nobody_is_inside_at_the_end_and_who_turned_back_never_was(demo: Demo) -> None:
    states = dict(rows(demo, "SELECT state, count(*) FROM sessions GROUP BY state"))
    turned = demo.output.count("turned back and never was inside")
    assert states == {"left": fees(demo) + demo.output.count(" left free: "), "never_entered": turned}
    # Of a car that was slow under the boom HQ hears first that it never entered, then that it left.
    query = "SELECT subject, kind FROM events WHERE kind LIKE 'parking.%' AND subject <> '' ORDER BY sequence"
    with closing(sqlite3.connect(f"file:{demo.folder}/hq/hq.db?mode=ro", uri=True)) as hq:
        lasts = dict(hq.execute(query))
    assert list(lasts.values()).count("parking.never_entered") == turned >= 1
    assert "still stands" not in demo.output


def fees(demo: Demo) -> int:
    """Return how many cars paid, as the log tells it."""
    count = demo.output.count(" paid at the exit and left")
    assert count >= LEAST_FEES, demo.output
    return count


def found(demo: Demo, pattern: str) -> tuple[str, ...]:
    """Return what the demonstration's log says."""
    match = re.search(pattern, demo.output)
    assert match is not None, f"{pattern} is not in\n{demo.output}"
    return match.groups()


def rows(demo: Demo, query: str) -> list[tuple[Any, ...]]:
    """Ask the box's books."""
    return asked(demo.folder, query)


def asked(folder: Path, query: str) -> list[tuple[Any, ...]]:
    """Ask the books of a box there."""
    with closing(sqlite3.connect(f"file:{folder}/state/edge.db?mode=ro", uri=True)) as db:
        return db.execute(query).fetchall()


def test_no_payment_code_and_no_traceback_is_left_anywhere(demo: Demo) -> None:
    assert leaks(demo.folder) == []
    assert tracebacks(demo.folder) == []
