"""A bill of 100,000 rows against 100,000 payments in a box's database, compared by a process of its own.

The bill is served, signed and packed as the gateway does it; the shipped client fetches it. Beside the
comparison a writer of the same process does small units of work, as tills do, and notes how long each took.

Run as the comparing process: python -m tests.bench.money_bill FOLDER GATEWAY_URL DAY
"""

from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from edge.clock import SystemClock, wall_ms
from edge.gateways.wechat_pay.client import WeChatPayGateway
from edge.gateways.wechat_pay.settings import (
    WeChatPaySettings,
    load_merchant_serial,
    load_private_key,
    load_verifiers,
)
from edge.ids import TimeOrderedIds
from edge.retail.attempt import AttemptState, PaymentAttempt
from edge.retail.basket import LineItem
from edge.retail.order import Order, OrderState, Tender
from edge.services.box import Box, Rules, Workstation
from edge.services.events import Origin
from edge.services.reconcile import bill_hours, reconcile
from edge.services.records import Unit
from edge.store.sqlite_store import SqliteStore
from sim.clocks import unix_ms
from sim.digits import random_digits
from sim.fakes.hq import FakeHq
from sim.gateway.bill_text import TradeRow, trade_bill
from sim.gateway.credentials import Credentials, make_credentials
from sim.gateway.signatures import Signatures
from tests.bench.big_mall import say

DAY = date(2026, 11, 21)
ROWS = 100_000
UNIT = 2_000
AMOUNT_FEN = 1_340

#: Planted: so many payments stand in the bill with another amount; so many are missing in it.
ODD, MISSING = 3, 2

#: Between two small units of work of the writer beside the comparison.
WRITER_PAUSE_S = 0.01

_ORIGIN = Origin("bench", "edge-1")


@dataclass(frozen=True, slots=True)
class Measured:
    """What the comparing process saw. peak_mb: resident, of the whole process. waits_ms: of its writer."""

    wall_s: float
    fetch_s: float
    peak_mb: float
    before_mb: float
    rows: int
    matched: int
    differences: int
    waits_ms: list[float]


def compare_large(folder: Path, rows: int = ROWS) -> Measured:
    """Make database and bill in `folder`, have them compared, return what was measured."""
    say(f"making {rows:,} payments and their bill")
    credentials = make_credentials(folder / "keys", random_digits)
    with closing(SqliteStore(folder / "edge.db", wall_ms())) as store:
        for first in range(0, rows, UNIT):
            store.write(lambda unit, first=first: _put(unit, range(first, min(first + UNIT, rows))))  # type: ignore[misc]
    file = gzip.compress("\r\n".join(trade_bill(list(_rows(credentials, rows)), "ALL")).encode(), 6)
    say(f"comparing a bill of {len(file) / 1e6:.1f} MB packed")
    with _served(credentials, file) as url:
        command = [sys.executable, "-m", "tests.bench.money_bill", str(folder), url, DAY.isoformat()]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return Measured(**json.loads(done.stdout))


def _put(unit: Unit, numbers: range) -> None:
    begins_at = bill_hours(DAY)[0]
    line = LineItem("l1", "MK-002", "market", "绿茶", "Green Tea", "6900000100028", 1, AMOUNT_FEN, AMOUNT_FEN)
    for number in numbers:
        at = _at(begins_at, number)
        order_id, attempt_id = f"order-{number:08d}", f"attempt-{number:08d}"
        order = Order(order_id, f"K01-{number}", f"basket-{number}", "K01", DAY.isoformat(), at, (line,))
        unit.orders.put(order)
        unit.attempts.put(
            PaymentAttempt(
                attempt_id, order_id, "K01", "wechat_pay", _number(number), AMOUNT_FEN, "1234", at, at, at,
                AttemptState.APPROVED, transaction_id=f"42{number:026d}", closed_at=at + 300,
            )
        )  # fmt: skip
        tender = Tender(f"tender-{number:08d}", "wechat_pay", AMOUNT_FEN, at, attempt_id=attempt_id)
        unit.orders.put(replace(order, state=OrderState.PAID, tenders=(tender,), closed_at=at))


def _rows(credentials: Credentials, rows: int) -> Iterator[TradeRow]:
    begins_at = bill_hours(DAY)[0]
    for number in range(rows):
        if number >= rows - MISSING:
            # Instead of ours, payments of the other box behind the same merchant number.
            order_no, attach = f"other{number:025d}", "bench/edge-2"
        else:
            order_no, attach = _number(number), _ORIGIN.attachment
        yield TradeRow(
            at=_at(begins_at, number) + 200,
            appid=credentials.appid,
            mchid=credentials.mchid,
            sub_mchid="",
            device_id="K01",
            transaction_id=f"42{number:026d}",
            order_no=order_no,
            openid=f"oBench{number:022d}",
            trade_type="MICROPAY",
            state="SUCCESS",
            amount_fen=AMOUNT_FEN + (number < ODD),
            description="示范商场 K01",
            attach=attach,
        )


def _at(begins_at: int, number: int) -> int:
    """Spread payments over sixteen hours, far from midnight."""
    return begins_at + 6 * 3_600_000 + number * 16 * 36


def _number(number: int) -> str:
    return f"{number:032d}"


@contextmanager
def _served(credentials: Credentials, file: bytes) -> Iterator[str]:
    """Serve one bill as the gateway does; yield the address."""
    signatures = Signatures(credentials, unix_ms, random_digits)
    sha1 = hashlib.sha1(gzip.decompress(file), usedforsecurity=False).hexdigest()

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            headers, body = {"Content-Type": "application/octet-stream"}, file
            if self.path.startswith("/v3/bill/tradebill?"):
                url = f"https://{self.headers['Host']}/v3/billdownload/file?token=1"
                told = {"hash_type": "SHA1", "hash_value": sha1, "download_url": url}
                body = json.dumps(told).encode()
                headers = signatures.headers(body, "0", self.headers["Wechatpay-Serial"] or "")
                headers["Content-Type"] = "application/json"
            self.send_response(200)
            for name, text in (headers | {"Content-Length": str(len(body))}).items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, form: str, *values: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def _main(folder: Path, url: str, day: date) -> None:
    clock = SystemClock()
    ids = TimeOrderedIds(wall_ms)
    with closing(SqliteStore(folder / "edge.db", clock.now().wall_at)) as store:
        place = {"K01": Workstation("K01")}
        box = Box(_ORIGIN, clock, ids, store, FakeHq(clock), {}, {}, place, Rules())
        source = WeChatPayGateway(_settings(folder, url), clock, ids)
        waits: list[float] = []
        before_mb, marks = _peak_mb(), [time.perf_counter()]
        with _writing(store, waits):
            done = reconcile(box, source, day, lambda progress: marks.append(time.perf_counter()))
            ended = time.perf_counter()
        measured = Measured(
            ended - marks[0], marks[1] - marks[0], _peak_mb(), before_mb,
            done.rows, done.matched, done.differences, waits,
        )  # fmt: skip
    print(json.dumps(asdict(measured)))


@contextmanager
def _writing(store: SqliteStore, waits: list[float]) -> Iterator[None]:
    """Do small units of work beside the block; append how long each took, in ms."""
    stop = threading.Event()

    def write() -> None:
        while not stop.wait(WRITER_PAUSE_S):
            began = time.perf_counter()
            store.write(lambda unit: unit.orders.take_number("2026-11-22"))
            waits.append((time.perf_counter() - began) * 1000)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _settings(folder: Path, url: str) -> WeChatPaySettings:
    made = make_credentials(folder / "keys", random_digits)
    return WeChatPaySettings(
        appid=made.appid,
        mchid=made.mchid,
        merchant_serial=load_merchant_serial(made.merchant_cert),
        private_key=load_private_key(made.merchant_key),
        verifiers=load_verifiers({made.public_key_id: made.platform_public_key}),
        store_id="S001",
        base_url=url,
        backup_url="",
        spool_dir=folder,
    )


def _peak_mb() -> float:
    # Not getrusage: its peak is inherited over fork and exec from the process that made the database.
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise ValueError("/proc/self/status has no VmHWM")


if __name__ == "__main__":
    _main(Path(sys.argv[1]), sys.argv[2], date.fromisoformat(sys.argv[3]))
