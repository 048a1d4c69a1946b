"""One shopper's phone: a wallet, a session with the box, and paying as a mini-program or a browser does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from sim.crowd.calls import CallError, Calls, Json

#: How often a phone asks what became of its payment, and the pause between.
ASKS = 120
ASK_S = 0.5

API = "/phone/api/v1"


@dataclass(slots=True)
class Paid:
    """An order that the box says is paid. receipt: the token of its page."""

    order_id: str
    number: str
    amount_fen: int
    receipt: str


@dataclass(slots=True)
class Phone:
    """One phone. box: by way of HQ; office: the simulated WeChat. signs_in: as mini-programs do."""

    box: Calls
    office: Calls
    stop: threading.Event
    digits: Callable[[int], str]
    signs_in: bool = True
    wallet_id: str = ""
    way: str = ""
    paid: list[Paid] = field(default_factory=list)
    back_fen: int = 0

    def take_out(self, name: str) -> None:
        """Get a wallet whose owner types passwords at once."""
        wish = {"name": name, "balance_fen": 1_000_000, "password_above_fen": 1_000_000}
        self.wallet_id = str(self.office.post("wallet", "/sim/wallets", wish)["wallet_id"])

    def open(self, scene: int = 1011) -> None:
        """Begin a session, signed in when this is a mini-program's phone."""
        given = {"scene": scene} | ({"c": self.way} if self.way else {})
        if self.signs_in:
            code = self.office.post("wx.login", f"/sim/wallets/{self.wallet_id}/login-code")["code"]
            told = self.box.post("login", f"{API}/login", given | {"code": code})
        else:
            told = self.box.post("session", f"{API}/session", given)
        self.box.token, self.way = str(told["token"]), str(told.get("c") or self.way)

    def get(self, name: str, path: str) -> Json:
        """Ask the box."""
        return self.box.get(name, API + path)

    def post(self, name: str, path: str, body: Json | None = None) -> Json:
        """Have the box do something."""
        return self.box.post(name, API + path, body)

    def tap(self) -> str:
        """Return the key of one tap."""
        return self.digits(16)

    def pay(self, payment: Json) -> Paid:
        """Pay what a call offered, and wait until the box knows; raises CallError."""
        if payment["state"] == "open":
            self._pay_at_office(payment)
        order_id = str(payment["order_id"])
        for _ in range(ASKS):
            if payment["state"] == "paid":
                break
            if payment["state"] == "closed" or self.stop.wait(ASK_S):
                raise CallError("pay", 0, "closed", f"order {order_id} is {payment['state']}")
            payment = self.get("order", f"/orders/{order_id}")
        else:
            raise CallError("pay", 0, "late", f"order {order_id} is still {payment['state']}")
        paid = Paid(
            order_id,
            str(payment["number"]),
            int(cast(int, payment["amount_fen"])),
            str(payment["receipt"] or ""),
        )
        self.paid.append(paid)
        return paid

    def _pay_at_office(self, payment: Json) -> None:
        place = f"/sim/wallets/{self.wallet_id}"
        if payment["way"] == "jsapi":
            pay = cast(Json, payment["pay"])
            self.office.post("wx.requestPayment", f"{place}/request-payment", pay)
        else:
            self.office.post("scan native code", f"{place}/scan", {"code_url": str(payment["code_url"])})
