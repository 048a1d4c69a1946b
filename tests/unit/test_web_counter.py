"""The counter tablet's calls over real Flask: who may, what is answered, and what nobody sees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from devices.types import Scan
from edge.errors import Invalid
from edge.retail.ticket import TicketState
from edge.services.receive_scan import receive_scan
from edge.services.staff import StaffBook, StaffMember, hash_pin
from edge.web import counter
from edge.web.changes import Changes
from edge.web.desk import WebSettings
from edge.web.guard import install_guard
from edge.web.problems import install_problems
from edge.web.service_desk import ServiceDesk
from edge.web.staff_status import Insight
from tests.unit.counter_shop import CHEN, COUNTER, TEA, CounterShop

PIN, BOSS_PIN, CASHIER_PIN = "2468", "9753", "1357"


@dataclass
class Tablet:
    """A served counter and the browser of its tablet."""

    shop: CounterShop
    client: FlaskClient

    def get(self, path: str = "view", place: str = COUNTER) -> TestResponse:
        return self.client.get(f"/api/counter/{place}/{path}")

    def post(self, action: str, place: str = COUNTER, **values: Any) -> TestResponse:
        origin = {"Origin": "http://localhost"}
        return self.client.post(f"/api/counter/{place}/{action}", json=values, headers=origin)

    def done(self, action: str, **values: Any) -> dict[str, Any]:
        answer = self.post(action, **values)
        assert answer.status_code == 200, answer.text
        return self.view()

    def view(self) -> dict[str, Any]:
        answer = self.get()
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.get_json()
        return found

    def signed_in(self) -> Tablet:
        assert self.post("sign-in", guide=CHEN, pin=PIN).status_code == 200
        return self


@pytest.fixture
def tablet() -> Iterator[Tablet]:
    shop, changes = CounterShop(), Changes()
    clock = shop.box.clock
    book = StaffBook([StaffMember(CHEN, "guide", hash_pin(PIN, b"salt"))], clock)
    people = [
        StaffMember("王敏", "supervisor", hash_pin(BOSS_PIN, b"a")),
        StaffMember("李强", "cashier", hash_pin(CASHIER_PIN, b"b")),
    ]
    shop.counter = replace(shop.counter, pins={CHEN: book})
    shop._equip()

    def on_change(name: str) -> None:
        changes.bump(name)

    def on_scan(name: str, scan: Scan) -> None:
        receive_scan(shop.box, name, replace(scan, read_ns=shop.box.clock.now().boottime_ns))

    shop.box = replace(shop.box, changed=on_change)
    settings = WebSettings()
    app = Flask("edge.web")
    install_guard(app, settings)
    install_problems(app)
    app.register_blueprint(counter.blueprint(shop.box, settings, StaffBook(people, clock), changes, on_scan))
    yield Tablet(shop, app.test_client())
    changes.close()


def test_only_the_counters_own_guides_sign_in_and_only_with_their_pin(tablet: Tablet) -> None:
    assert [one["id"] for one in tablet.view()["guides"]] == [CHEN]
    for guide, pin in ((CHEN, "0000"), (CHEN, BOSS_PIN), (CHEN, CASHIER_PIN), ("g-wu", PIN), ("nobody", PIN)):
        assert tablet.post("sign-in", guide=guide, pin=pin).status_code == 403
    assert tablet.post("open").status_code == 401
    assert tablet.view()["guide"] is None
    assert tablet.signed_in().view()["guide"] == CHEN


def test_five_wrong_pins_lock_a_guide_for_a_minute(tablet: Tablet) -> None:
    for _ in range(5):
        assert tablet.post("sign-in", guide=CHEN, pin="0000").status_code == 403
    assert tablet.post("sign-in", guide=CHEN, pin=PIN).status_code == 403
    tablet.shop.wait(61_000)
    assert tablet.post("sign-in", guide=CHEN, pin=PIN).status_code == 200


def test_a_session_of_one_counter_is_none_at_another(tablet: Tablet) -> None:
    tablet.signed_in()
    assert tablet.post("open", place="C02").status_code == 401
    assert tablet.get(place="till-1").status_code == 404
    assert tablet.post("open", place="kiosk-1").status_code == 404


def test_a_view_that_is_known_is_not_sent_again(tablet: Tablet) -> None:
    tag = tablet.signed_in().view()["tag"]
    assert tablet.get(f"view?seen={tag}").status_code == 204
    tablet.done("open")
    assert tablet.get(f"view?seen={tag}").status_code == 200


def test_a_ticket_is_written_shown_charged_and_handed_over_by_touch(tablet: Tablet) -> None:
    view = tablet.signed_in().done("open")
    ticket = view["ticket"]["id"]
    view = tablet.done("type-code", text=TEA)
    line = view["ticket"]["lines"][0]["line_id"]
    tablet.done("amount", ticket=ticket, name="礼盒", price_fen=1_500, quantity=1)
    tablet.done("quantity", ticket=ticket, line=line, quantity=2)
    view = tablet.done("price", ticket=ticket, line=line, price_fen=9_000, reason="会员日")
    assert view["ticket"]["total_fen"] == 19_500
    assert view["ticket"]["lines"][0]["override"]["reason"] == "会员日"
    view = tablet.done("issue", ticket=ticket)
    assert view["url"].startswith("https://mall.example/phone/t/t")
    assert tablet.get("code.svg").mimetype == "image/svg+xml"
    view = tablet.done("pay-here", ticket=ticket)
    assert (view["ticket"]["state"], view["paying"]["state"]) == ("paying", "code")
    view = tablet.done("pay-back")
    assert (view["ticket"]["state"], view["paying"]) == ("issued", None)
    tablet.shop.pay(tablet.shop.code(), COUNTER)
    view = tablet.view()
    assert (view["ticket"]["state"], view["ticket"]["needs_code"]) == ("paid", False)
    tablet.done("reprint", ticket=ticket)
    view = tablet.done("hand-over", ticket=ticket, code="")
    assert (view["ticket"]["state"], view["ticket"]["closed_by_en"]) == ("handed_over", "Chen Jing")
    assert sum("已付款" in paper for paper in tablet.shop.slips()) == 2


def test_a_supervisors_pin_approves_and_a_cashiers_does_not(tablet: Tablet) -> None:
    tablet.signed_in().done("open")
    view = tablet.done("type-code", text=TEA)
    ask = {"ticket": view["ticket"]["id"], "line": view["ticket"]["lines"][0]["line_id"], "price_fen": 7_000}
    for pin in ("", CASHIER_PIN, "0000"):
        assert tablet.post("price", **ask, reason="样品", pin=pin).status_code == 409
    view = tablet.done("price", **ask, reason="样品", pin=BOSS_PIN)
    assert view["ticket"]["lines"][0]["override"]["approved_by"] == "王敏"


def test_the_tablet_never_learns_the_release_code(tablet: Tablet) -> None:
    paid = tablet.shop.paid()
    tablet.signed_in()
    answer = tablet.post("pick", ticket=paid.ticket_id)
    assert answer.status_code == 200
    assert paid.release_code not in tablet.get().text
    assert tablet.view()["ticket"]["needs_code"]
    assert tablet.post("hand-over", ticket=paid.ticket_id, code="xxxxxx").status_code == 409
    assert tablet.post("force", ticket=paid.ticket_id, reason="没电", pin=CASHIER_PIN).status_code == 409
    view = tablet.done("force", ticket=paid.ticket_id, reason="没电", pin=BOSS_PIN)
    assert view["ticket"]["closed_by"] == "陈静 / 王敏: 没电"


def test_a_ticket_is_taken_back_cancelled_and_put_away(tablet: Tablet) -> None:
    tablet.signed_in().done("open")
    view = tablet.done("type-code", text=TEA)
    ticket = view["ticket"]["id"]
    tablet.done("issue", ticket=ticket)
    assert tablet.done("take-back", ticket=ticket)["ticket"]["state"] == "open"
    assert tablet.done("cancel", ticket=ticket)["ticket"]["end"] == "given_up"
    assert tablet.done("pick", ticket="")["ticket"] is None
    assert tablet.get("code.svg").status_code == 404


def test_a_banner_is_dismissed_and_the_language_chosen(tablet: Tablet) -> None:
    tablet.signed_in()
    view = tablet.done("type-code", text=TEA)
    assert view["notice"]["code"] == "no_ticket"
    assert tablet.done("dismiss", notice=view["notice"]["id"])["notice"] is None
    assert tablet.done("language", language="en")["language"] == "en"


def test_signing_out_puts_the_ticket_away_and_ends_the_session(tablet: Tablet) -> None:
    tablet.signed_in().done("open")
    assert tablet.post("sign-out").status_code == 200
    assert tablet.view()["guide"] is None
    assert tablet.post("open").status_code == 401
    assert tablet.get("code.svg").status_code == 401
    assert tablet.shop.box.store.read(lambda unit: unit.tickets.desk(COUNTER)).ticket_id == ""


@pytest.mark.parametrize(
    ("action", "values", "status"),
    [
        ("amount", {"ticket": "x", "name": "盒", "price_fen": "1", "quantity": 1}, 400),
        ("amount", {"ticket": "x", "name": "盒", "price_fen": 1, "quantity": 1}, 400),
        ("quantity", {"ticket": "x", "line": "y"}, 400),
        ("pick", {"ticket": 5}, 400),
        ("issue", {}, 400),
        ("dance", {}, 404),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(
    tablet: Tablet, action: str, values: dict[str, Any], status: int
) -> None:
    assert tablet.signed_in().post(action, **values).status_code == status


def test_a_counters_screen_is_not_touched_as_a_kiosks_is(tablet: Tablet) -> None:
    insight = Insight(lambda: (), lambda: (), lambda: (), "0")
    desk = ServiceDesk(tablet.shop.box, StaffBook((), tablet.shop.box.clock), Changes(), insight, void)
    for action in ("start", "cancel", "checkout"):
        with pytest.raises(Invalid, match="/counter/C01"):
            desk.act(COUNTER, action, {})
    assert tablet.shop.screen(COUNTER)["screen"] == "attract"


def void(place: str, scan: Scan) -> None:
    """Take no scan."""


def test_a_post_of_another_site_is_refused(tablet: Tablet) -> None:
    tablet.signed_in()
    evil = {"Origin": "http://evil.example"}
    answer = tablet.client.post(f"/api/counter/{COUNTER}/open", json={}, headers=evil)
    assert answer.status_code == 403
    open_now = tablet.shop.box.store.read(lambda unit: unit.tickets.open_of(COUNTER))
    assert [one for one in open_now if one.state is TicketState.OPEN] == []
