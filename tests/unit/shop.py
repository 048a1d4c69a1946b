"""A kiosk and a till over fakes, driven as people drive them; for the tests of use cases."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from devices.types import Scan
from edge.retail.attempt import AttemptState, PaymentAttempt
from edge.retail.order import Order
from edge.retail.receipt import Receipt
from edge.services.box import Box, Rules
from edge.services.check_out import check_out
from edge.services.print_receipt import print_next
from edge.services.receive_scan import ScanOutcome, receive_scan
from edge.services.recover import recover
from edge.services.resolve_attempts import resolve_attempts
from edge.services.show_screen import show_screen
from edge.services.take_payment import submit
from sim.fakes.box import KIOSK, RULES, FakePorts, fake_box, stock
from sim.fakes.gateway import Shopper


@dataclass
class Shop:
    """Ports, the box over them, and what people do."""

    rules: Rules = RULES
    ports: FakePorts = field(default_factory=FakePorts)
    codes: int = 0
    drawn: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        stock(self.ports.store)
        self.box: Box = fake_box(self.ports, self.drawn.append, self.rules)

    def wait(self, milliseconds: int) -> None:
        self.ports.clock.advance(milliseconds)

    def scan(
        self, text: str, place: str = KIOSK, *, age_ms: int = 0, problem: str | None = None
    ) -> ScanOutcome:
        """Scan something that was read `age_ms` ago."""
        read_ns = self.ports.clock.now().boottime_ns - age_ms * 1_000_000
        return receive_scan(self.box, place, Scan("usb", text.encode(), text, None, read_ns, problem))

    def scan_apart(self, *texts: str, place: str = KIOSK) -> None:
        """Scan one after another, so far apart that none is taken for a repeat."""
        for text in texts:
            self.scan(text, place)
            self.wait(2_000)

    def code(self, **habits: Any) -> str:
        """Return the payment code of another shopper with 1,000 yuan, or as told."""
        self.codes += 1
        code = f"13{self.codes:016d}"
        habits = {"balance_fen": 100_000, **habits}
        self.ports.gateway.show_code(code, Shopper(f"openid-{self.codes}", **habits))
        return code

    def pay(self, code: str, place: str = KIOSK) -> AttemptState:
        """Scan a payment code and have it charged."""
        outcome = self.scan(code, place)
        assert outcome.outcome == "payment", outcome
        return submit(self.box, outcome.attempt_id, outcome.code)

    def order_of(self, *texts: str, place: str = KIOSK) -> Order:
        """Scan these and go to checkout."""
        self.scan_apart(*texts, place=place)
        check_out(self.box, place)
        return self.order(place)

    def screen(self, place: str = KIOSK) -> dict[str, Any]:
        return show_screen(self.box, place)

    def lines(self, place: str = KIOSK) -> list[tuple[str, int, int]]:
        """Return (sku, quantity, amount) of the basket on the screen."""
        basket = self.screen(place)["basket"]
        return [(line["sku"], line["quantity"], line["amount_fen"]) for line in basket["lines"]]

    def notice(self, place: str = KIOSK) -> str | None:
        shown = self.screen(place)["notice"]
        return None if shown is None else str(shown["code"])

    def notice_id(self, place: str = KIOSK) -> str:
        return str(self.screen(place)["notice"]["id"])

    def order(self, place: str = KIOSK) -> Order:
        """Return the order on the screen."""
        return self.stored_order(self.screen(place)["order"]["id"])

    def stored_order(self, order_id: str) -> Order:
        order = self.box.store.read(lambda unit: unit.orders.get(order_id))
        assert order is not None
        return order

    def receipt(self, order_id: str) -> Receipt | None:
        return self.box.store.read(lambda unit: unit.receipts.of_order(order_id))

    def attempts(self, order_id: str) -> tuple[PaymentAttempt, ...]:
        return self.box.store.read(lambda unit: unit.attempts.of_order(order_id))

    def resolve(self, milliseconds: int = 0) -> int:
        """Let time pass and take one step with the payments that are due."""
        self.wait(milliseconds)
        return resolve_attempts(self.box)

    def print(self, place: str = KIOSK) -> str | None:
        state = print_next(self.box, place)
        return None if state is None else state.value

    def papers(self, place: str = KIOSK) -> list[str]:
        return self.ports.printers[place].texts()

    def restart(self) -> None:
        """Kill the service and start it again."""
        self.box = fake_box(self.ports, self.drawn.append, self.rules)
        recover(self.box)

    def events(self) -> list[str]:
        """Return the kinds of all events in the outbox."""
        return [message.kind for message in self.box.store.read(lambda unit: unit.outbox.window(0, 1_000))]

    def event_data(self, kind: str) -> dict[str, Any]:
        """Return the data of the newest event of a kind."""
        rows = self.box.store.read(lambda unit: unit.outbox.window(0, 1_000))
        data: dict[str, Any] = json.loads([row.body for row in rows if row.kind == kind][-1])["data"]
        return data

    def balances(self) -> dict[str, int]:
        return self.box.store.read(lambda unit: unit.ledger.balances())
