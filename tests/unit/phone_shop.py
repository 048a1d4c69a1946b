"""A shop whose shoppers have phones: sessions, calls over real Flask, a mini-program; for several tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from edge.retail.basket import Basket, LineItem
from edge.retail.order import Order
from edge.services.box import PHONE
from edge.services.check_out import freeze_basket
from edge.services.phone_records import PhoneSession
from edge.services.phone_rules import PhoneRules
from edge.services.phone_session import busy_with, session_of
from edge.services.records import Unit
from edge.web.desk import WebSettings
from edge.web.guard import install_guard
from edge.web.phone.api import blueprint
from edge.web.problems import install_problems
from sim.fakes.mini_program import FakeMiniProgram
from tests.unit.garage import Garage

PHONE_KEY = bytes(range(32))
RULES = PhoneRules(key=PHONE_KEY, appid="wx-demo")
COFFEE = LineItem("l-1", "coffee", "t-drinks", "咖啡", "Coffee", "6901", 1, 2_800, 2_800)


@dataclass
class PhoneShop(Garage):
    """A shop, a car park and phones."""

    def __post_init__(self) -> None:
        Garage.__post_init__(self)
        self.program = FakeMiniProgram()
        self.logins = 0
        self.set_phones(RULES)

    def set_phones(self, rules: PhoneRules) -> None:
        """Serve phones by other rules."""
        self.box = replace(self.box, phone=rules, mini_program=self.program)
        self.app = Flask("edge.web")
        self.app.json.ensure_ascii = False  # type: ignore[attr-defined]
        install_guard(self.app, WebSettings())
        install_problems(self.app)
        self.app.register_blueprint(blueprint(self.box, WebSettings()))
        self.client = self.app.test_client()

    def call(self, method: str, path: str, token: str = "", body: Any = None, **headers: str) -> TestResponse:
        """Have a phone ask; path below /phone/api/v1."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            given["Authorization"] = f"Bearer {token}"
        return self.client.open(f"/phone/api/v1{path}", method=method, json=body, headers=given)

    def json(self, method: str, path: str, token: str = "", body: Any = None) -> Any:
        """Have a phone ask and return the answer, which must be well."""
        answer = self.call(method, path, token, body)
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def open_phone(self) -> str:
        """Return the token of a phone that is nobody yet."""
        return str(self.json("POST", "/session", body={})["token"])

    def sign_in(self, openid: str, token: str = "", **more: object) -> str:
        """Return the token of a shopper's phone."""
        self.logins += 1
        code = self.program.gives_code(f"code-{self.logins}", openid)
        return str(self.json("POST", "/login", token, {"code": code, **more})["token"])

    def session(self, token: str) -> PhoneSession:
        found = session_of(self.box, token)
        assert found is not None
        return found

    def phone_order(self, token: str, *lines: LineItem) -> Order:
        """Return an order of these lines that waits for this phone."""
        now = self.box.clock.now()
        session = self.session(token)

        def work(unit: Unit) -> Order:
            basket = Basket(self.box.ids.new_id(), PHONE, now.wall_at, lines=lines or (COFFEE,))
            unit.baskets.put(basket)
            frozen, order = freeze_basket(unit, self.box, basket, PHONE, now)
            unit.baskets.put(frozen)
            unit.orders.put(order)
            busy_with(unit, session, now, basket_id=basket.basket_id, order_id=order.order_id)
            return order

        return self.box.store.write(work)

    def pays_inside(self, payment: Mapping[str, Any], openid: str) -> bool:
        """Have the wallet pay what the mini-program shows."""
        return self.phones.pay_inside(payment["pay"], openid)
