"""The service's own share of a sale by payment code: all but the time in which the gateway answers.

From the request with the scan being sent to the paid screen being read from the live stream, minus the time
from the first to the last instruction of the simulated gateway for that call. What the network of the
machine, HTTP and this process take is counted as the service's.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sim.clocks import unix_ms
from sim.digits import random_digits
from sim.gateway.credentials import Credentials
from sim.gateway.messages import Reply, Request
from sim.gateway.server import GatewayServer
from sim.mall import Mall, MallSettings
from tests.system.mall_process import View, code_of
from tests.system.money_screen import Screen

SALES = 400
WARM_UP = 20
GOODS = "MK-001"

#: A shopper's own pauses between the steps; without them a sale would never meet an idle service.
PAUSE_S = 0.02

_WAIT_S = 20.0


@dataclass(frozen=True, slots=True)
class Share:
    """One sale. own_ms: without the gateway. gateway_ms: inside it."""

    own_ms: float
    gateway_ms: float


class TimedGateway(GatewayServer):
    """The simulated gateway, which notes how long each call was in it."""

    def __init__(
        self, credentials: Credentials, now_ms: Callable[[], int], digits: Callable[[int], str], store: Path
    ) -> None:
        super().__init__(credentials, now_ms, digits, store=store)
        #: Seconds of each charge so far; the service asks for bills, too.
        self.spent_s: list[float] = []

    def handle(self, request: Request) -> Reply:
        """Answer one request."""
        began = time.perf_counter()
        try:
            return super().handle(request)
        finally:
            if request.path == "/v3/pay/transactions/codepay":
                self.spent_s.append(time.perf_counter() - began)


class TimedMall(Mall):
    """A mall with such a gateway."""

    def __init__(self, folder: Path, now_ms: Callable[[], int], digits: Callable[[int], str]) -> None:
        super().__init__(MallSettings(folder, 0, 0, 0), now_ms, digits)
        self.timed = TimedGateway(self.credentials, now_ms, digits, folder / "timed.db")
        self.gateway = self.timed


def measure_share(folder: Path, sales: int = SALES) -> tuple[list[Share], float]:
    """Sell `sales` times at one kiosk, without faults.

    Returns each sale's share, and the processor time in ms that the service needs for a whole sale, which
    says the same on a busy machine.
    """
    mall = TimedMall(folder, unix_ms, random_digits)
    try:
        mall.open()
        screen = Screen(mall.url, "K01")
        for _ in range(WARM_UP):
            _sell(mall, screen)
        began_ms = _cpu_ms(mall)
        shares = [_sell(mall, screen) for _ in range(sales)]
        spent_ms = _cpu_ms(mall) - began_ms
        screen.close()
        return shares, spent_ms / sales
    finally:
        mall.close()


def _cpu_ms(mall: Mall) -> float:
    """Return the processor time of the service's process so far; see proc_pid_stat(5)."""
    assert mall.edge is not None
    fields = Path(f"/proc/{mall.edge.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def _sell(mall: TimedMall, screen: Screen) -> Share:
    pause = threading.Event()
    for action, values, shown in (
        ("type_code", {"text": code_of(GOODS)}, "basket"),
        ("checkout", {}, "checkout"),
    ):
        _do(screen, action, shown, **values)
        pause.wait(PAUSE_S)
    books = mall.gateway.books
    wallet = books.add_wallet("访客", 500_000, password_above_fen=500_000)
    code = books.show_code(wallet.wallet_id).code
    mall.timed.spent_s.clear()
    began = time.perf_counter()
    _do(screen, "type_code", "paid", text=code)
    took_ms = (screen.seen_at - began) * 1000
    gateway_ms = sum(mall.timed.spent_s) * 1000
    assert len(mall.timed.spent_s) == 1, f"{len(mall.timed.spent_s)} charges for one sale"
    pause.wait(PAUSE_S)
    _do(screen, "done", "attract")
    pause.wait(PAUSE_S)
    return Share(took_ms - gateway_ms, gateway_ms)


def _do(screen: Screen, action: str, shown: str, **values: object) -> None:
    refused = screen.touch(action, **values)
    assert not refused, f"{action}: {refused}"

    def true(view: View) -> bool:
        return view["screen"] == shown

    assert screen.sees(true, _WAIT_S), f"no screen {shown} after {action}, but {screen.view.get('screen')}"
