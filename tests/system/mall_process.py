"""A mall on free ports in a folder of its own, and a person in front of one of its workstations."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from sim.clocks import unix_ms
from sim.digits import random_digits
from sim.gateway.books import Wallet
from sim.goods import Good, demo_goods
from sim.mall import Mall, MallSettings, read_health
from tests.system.books import BoxBooks, HqBooks, box_books, check_box_and_hq, hq_books

T = TypeVar("T")
View = Mapping[str, object]

GOODS: dict[str, Good] = {good.sku: good for good in demo_goods()}

#: How long a person or an auditor waits for what must come, in seconds.
PATIENCE_S = 20.0


def code_of(sku: str) -> str:
    """Return what is printed on a demonstration article."""
    return GOODS[sku].barcodes[0]


@contextmanager
def open_mall(folder: Path, settings: MallSettings | None = None) -> Iterator[Mall]:
    """Run a mall on free ports in `folder` with the service as its own process."""
    wanted = replace(settings or MallSettings(folder), folder=folder, port=0, hq_port=0, gateway_port=0)
    mall = Mall(wanted, unix_ms, random_digits)
    try:
        mall.open()
        yield mall
    finally:
        mall.close()


def eventually(look: Callable[[], T | None], what: str, patience_s: float = PATIENCE_S) -> T:
    """Return what `look` finds as soon as it finds something; fail after `patience_s`."""
    deadline, pause = time.monotonic() + patience_s, threading.Event()
    while True:
        found = look()
        if found is not None:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {patience_s:.0f} s for {what}")
        pause.wait(0.02)


class Person:
    """Somebody in front of a workstation: sees the screen, scans, touches."""

    def __init__(self, mall: Mall, workstation: str = "K01") -> None:
        self.mall = mall
        self._address = f"{mall.url}/api/kiosk/{workstation}"

    def view(self) -> View:
        """Return what the screen shows."""
        with urllib.request.urlopen(f"{self._address}/view", timeout=10) as answer:
            return json.load(answer)  # type: ignore[no-any-return]

    def touch(self, action: str, **values: object) -> None:
        """Touch something; fail with what the service said when it refuses."""
        headers = {"Content-Type": "application/json", "Origin": self.mall.url}
        body = json.dumps(values).encode()
        request = urllib.request.Request(f"{self._address}/{action}", body, headers)
        try:
            urllib.request.urlopen(request, timeout=10).close()
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{action}: {error.code} {error.read(300)!r}") from None

    def scan(self, code: str) -> None:
        """Scan as soon as the service listens to the scanner."""
        eventually(lambda: self.mall.scanner.listened_to or None, "the service to open the scanner")
        assert self.mall.scanner.scan(code)

    def sees(self, screen: str, patience_s: float = PATIENCE_S) -> View:
        """Wait until the screen is `screen`; return what it shows."""
        return self.sees_that(lambda view: view["screen"] == screen, f"screen {screen}", patience_s)

    def sees_that(self, true: Callable[[View], bool], what: str, patience_s: float = PATIENCE_S) -> View:
        """Wait until `true` holds for what the screen shows; return it."""
        last: View = {}

        def look() -> View | None:
            nonlocal last
            last = self.view()
            return last if true(last) else None

        try:
            return eventually(look, what, patience_s)
        except AssertionError as error:
            raise AssertionError(f"{error}; the screen shows {last}") from None

    def sees_skus(self, *skus: str) -> View:
        """Wait until the basket holds exactly these articles in this order."""
        return self.sees_that(lambda view: skus_of(view) == list(skus), f"basket {skus}")

    def shows_code(self, balance_fen: int = 500_000, password_above_fen: int = 500_000) -> tuple[Wallet, str]:
        """Take a phone out; return its wallet and the payment code on it."""
        books = self.mall.gateway.books
        wallet = books.add_wallet("访客", balance_fen, password_above_fen)
        return wallet, books.show_code(wallet.wallet_id).code


def skus_of(view: View) -> list[str]:
    """Return the articles in the basket, one for each piece."""
    basket = view["basket"]
    if not isinstance(basket, dict):
        return []
    return [line["sku"] for line in basket["lines"] for _ in range(line["quantity"])]


def audit(mall: Mall, folder: Path) -> tuple[BoxBooks, HqBooks]:
    """Wait until HQ has acknowledged everything, then hold all books against one another."""
    eventually(lambda: read_health(mall.url).get("outbox_depth") == 0 or None, "HQ's acknowledgement")
    box, hq = box_books(folder), hq_books(folder)
    check_box_and_hq(box, hq)
    charged = {order.charge.order_no: order for order in mall.gateway.books.orders()}
    kept = {number: mall.gateway.books.charged_fen(number) for number in charged}
    by_code = sum(fen for each in box.tenders.values() for kind, fen in each if kind == "wechat_pay")
    assert sum(kept.values()) == by_code
    return box, hq
