"""The calls of phones for counter tickets, over real Flask: docs/protocols/phone-api.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from edge.retail.ticket import Ticket
from edge.services.hand_over_ticket import hand_over_ticket
from edge.services.issue_ticket import issue_ticket, take_back_ticket, ticket_token
from edge.services.write_ticket import lower_price
from edge.web.desk import WebSettings
from edge.web.guard import install_guard
from edge.web.phone.api import blueprint
from edge.web.problems import install_problems
from tests.unit.counter_shop import CHEN, COUNTER, TEA, CounterShop


@dataclass
class ApiShop(CounterShop):
    """A CounterShop whose phones ask over HTTP."""

    def __post_init__(self) -> None:
        CounterShop.__post_init__(self)
        settings = WebSettings()
        self.app = Flask("edge.web")
        install_guard(self.app, settings)
        install_problems(self.app)
        self.app.register_blueprint(blueprint(self.box, settings))

    def open(self) -> str:
        return str(self.ask("POST", "/session", body={})["token"])

    def call(
        self, method: str, path: str, token: str = "", body: Any = None, language: str = "zh"
    ) -> TestResponse:
        headers = {"Accept-Language": language, "Authorization": f"Bearer {token}"}
        return self.app.test_client().open(f"/phone/api/v1{path}", method=method, json=body, headers=headers)

    def ask(self, method: str, path: str, token: str = "", **more: Any) -> Any:
        answer = self.call(method, path, token, **more)
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def path(self, ticket: Ticket) -> str:
        return f"/t/{ticket_token(self.box, ticket)}"


def test_a_phone_sees_lines_prices_and_who_sells_in_its_language() -> None:
    shop = ApiShop()
    ticket = shop.issued()
    seen = shop.ask("GET", shop.path(ticket), shop.open())
    assert seen == {
        "number": ticket.number,
        "state": "issued",
        "tenant": {"id": "t-tea", "name": "云上茶"},
        "counter": COUNTER,
        "guide": "陈静",
        "lines": [
            {"name": "龙井", "quantity": 1, "unit_price_fen": 10_000, "amount_fen": 10_000, "was_fen": None}
        ],
        "total_fen": 10_000,
        "expires_at": ticket.expires_at,
        "offers": [],
        "order_id": None,
        "release_code": None,
    }
    english = shop.ask("GET", shop.path(ticket), shop.open(), language="en")
    assert (english["tenant"]["name"], english["guide"]) == ("Cloud Tea", "Chen Jing")
    assert english["lines"][0]["name"] == "Longjing"


def test_a_lowered_price_shows_what_it_was() -> None:
    shop = ApiShop()
    ticket = shop.opened(TEA)
    lower_price(shop.box, COUNTER, ticket.ticket_id, ticket.lines[0].line_id, 9_000, "会员日", CHEN)
    ticket = issue_ticket(shop.box, COUNTER, ticket.ticket_id)
    line = shop.ask("GET", shop.path(ticket), shop.open())["lines"][0]
    assert (line["amount_fen"], line["was_fen"]) == (9_000, 10_000)


def test_the_payer_alone_sees_the_release_code_and_others_that_it_is_being_paid() -> None:
    shop = ApiShop()
    ticket, payer, other = shop.issued(), shop.open(), shop.open()
    shop.ask("GET", shop.path(ticket), payer)
    payment = shop.ask("POST", f"{shop.path(ticket)}/pay", payer)
    assert (payment["state"], payment["amount_fen"], payment["way"]) == ("open", 10_000, "native")
    assert payment["code_url"]
    assert shop.ask("GET", shop.path(ticket), payer)["order_id"] == payment["order_id"]
    seen = shop.ask("GET", shop.path(ticket), other)
    assert (seen["state"], seen["order_id"]) == ("paying", None)
    refused = shop.call("POST", f"{shop.path(ticket)}/pay", other)
    assert (refused.status_code, refused.get_json()["error"]) == (409, "declined")
    told = shop.call("POST", f"{shop.path(ticket)}/pay", other, language="en").get_json()
    assert told["message"] == "It cannot be paid now; it may be being paid elsewhere."

    shop.pays(ticket)
    code = shop.ticket(ticket).release_code
    assert shop.ask("GET", shop.path(ticket), payer)["release_code"] == code
    seen = shop.ask("GET", shop.path(ticket), other)
    assert (seen["state"], seen["release_code"]) == ("paid", None)
    hand_over_ticket(shop.box, COUNTER, ticket.ticket_id, code, CHEN)
    gone = shop.ask("GET", shop.path(ticket), payer)
    assert (gone["state"], gone["release_code"]) == ("handed_over", None)


def test_codes_that_are_not_ours_and_phones_without_a_session_are_refused() -> None:
    shop = ApiShop()
    ticket = shop.issued()
    assert shop.call("GET", shop.path(ticket)).status_code == 401
    forged = shop.path(ticket)[:-1] + "~"
    assert shop.call("GET", forged, shop.open()).status_code == 400


def test_an_expired_ticket_and_one_that_was_taken_back_say_so() -> None:
    shop = ApiShop()
    ticket, phone = shop.issued(), shop.open()
    take_back_ticket(shop.box, COUNTER, ticket.ticket_id)
    assert shop.ask("GET", shop.path(ticket), phone)["state"] == "cancelled"
    other = shop.issued()
    shop.wait(121 * 60_000)
    assert shop.ask("GET", shop.path(other), phone)["state"] == "expired"
    assert shop.call("POST", f"{shop.path(other)}/pay", phone).status_code == 409
