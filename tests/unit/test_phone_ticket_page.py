"""A counter ticket's page in a phone's browser, over real Flask; it works without a script."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from flask.testing import FlaskClient

from edge.members.identity import Identity, IdentityKind
from edge.members.points import PointsPlan, PointsRule
from edge.parking.benefit import BenefitKind
from edge.parking.validation import Grant
from edge.parking.validation_rule import SpendStep, ValidationPlan, ValidationRule
from edge.retail.ticket import Ticket, TicketState
from edge.services.hand_over_ticket import hand_over_ticket
from edge.services.issue_ticket import ticket_token
from edge.services.join_member import JoinAsk, join
from edge.services.member_rules import MemberRules
from edge.services.parking_rules import ParkingRules
from edge.services.phone_session import log_in
from edge.web.desk import WebSettings
from edge.web.factory import create_web
from edge.web.phone import pay, ticket
from sim.fakes.gateway import FakeFault
from sim.fakes.mini_program import FakeMiniProgram
from tests.browser.desk_fake import DeskFake
from tests.unit.counter_shop import CHEN, COUNTER, CounterShop

ORIGIN = {"Origin": "http://localhost"}
HOUR = ValidationRule("spend", (SpendStep(5_000, Grant(BenefitKind.MINUTES, 60)),))


@dataclass
class Page:
    """A shop with its pages, and one shopper's browser."""

    shop: CounterShop
    client: FlaskClient

    def path(self, of: Ticket) -> str:
        return f"/phone/t/{ticket_token(self.shop.box, of)}"

    def see(self, of: Ticket, language: str = "zh") -> str:
        answer = self.client.get(f"{self.path(of)}?language={language}")
        assert answer.status_code == 200, answer.text
        return answer.text

    def tap(self, of: Ticket, what: str) -> str:
        """Press a button of the page and return the page that it leads to."""
        answer = self.client.post(f"{self.path(of)}/{what}", headers=ORIGIN, follow_redirects=True)
        assert answer.status_code == 200, answer.text
        return answer.text


@pytest.fixture
def page() -> Page:
    shop = CounterShop()
    shop.box = replace(
        shop.box,
        members=MemberRules(points=PointsPlan((PointsRule("", 3, 100),))),
        parking=ParkingRules(validation=ValidationPlan((HOUR,))),
        mini_program=FakeMiniProgram(),
    )
    settings = WebSettings()
    apart = (ticket.blueprint(shop.box, settings), pay.blueprint(shop.box, settings))
    return Page(shop, create_web(DeskFake(), settings, apart=apart).test_client())


def test_it_tells_what_paying_brings_in_both_languages(page: Page) -> None:
    issued = page.shop.issued()
    zh, en = page.see(issued), page.see(issued, "en")
    assert "云上茶" in zh
    assert "停车优惠 1 小时" in zh
    assert "会员可得 300 积分" in zh
    assert "1 h of parking" in en
    assert "300 points for members" in en


def test_a_member_is_met_and_promised_their_own_points(page: Page) -> None:
    shop, openid = page.shop, "openid-li"
    program = shop.box.mini_program
    assert isinstance(program, FakeMiniProgram)
    member = join(shop.box, JoinAsk((Identity(IdentityKind.OPENID, openid),), COUNTER, "1")).member_id
    session = log_in(shop.box, program.gives_code("code-1", openid))[1]
    issued = shop.issued()
    assert shop.meets(issued, session).member_id == member
    assert "本单可得 300 积分" in page.see(issued)
    payment = shop.begins(issued, session)
    assert payment.pay is not None
    assert shop.phones.pay_inside(payment.pay, openid)
    shop.resolve(10_000)
    order = shop.paying(issued)
    lines = shop.box.store.read(lambda unit: unit.points.of_source(order.order_id))
    assert [(one.member_id, one.points) for one in lines] == [(member, 300)]


def test_paying_shows_the_code_then_the_release_code_then_thanks(page: Page) -> None:
    issued = page.shop.issued()
    shown = page.tap(issued, "pay")
    assert "/code.svg" in shown
    assert 'http-equiv="refresh"' in shown
    order = page.shop.paying(issued)
    assert page.client.get(f"/phone/pay/{order.order_id}/code.svg").mimetype == "image/svg+xml"
    page.shop.pays(issued)
    code = page.shop.ticket(issued).release_code
    assert code in page.see(issued)
    assert page.client.get(f"{page.path(issued)}/release.svg").mimetype == "image/svg+xml"
    other = page.client.application.test_client()
    assert code not in other.get(page.path(issued)).text
    assert other.get(f"{page.path(issued)}/release.svg").status_code == 404
    hand_over_ticket(page.shop.box, COUNTER, issued.ticket_id, code, CHEN)
    assert "谢谢惠顾" in page.see(issued)
    assert page.client.get(f"{page.path(issued)}/release.svg").status_code == 404


def test_a_payment_is_given_up_and_begun_again(page: Page) -> None:
    issued = page.shop.issued()
    page.tap(issued, "pay")
    first = page.shop.paying(issued).order_id
    assert "付款 ¥100.00" in page.tap(issued, "back")
    assert page.shop.ticket(issued).order_id == ""
    page.tap(issued, "pay")
    assert page.shop.paying(issued).order_id != first


def test_another_phone_is_told_that_it_is_being_paid(page: Page) -> None:
    issued = page.shop.issued()
    page.tap(issued, "pay")
    other = Page(page.shop, page.client.application.test_client())
    assert "正在付款" in other.see(issued)
    assert "可能正在别处付款" in other.tap(issued, "pay")
    assert "可能正在别处付款" in other.tap(issued, "back")
    assert page.shop.ticket(issued).state is TicketState.ISSUED


def test_without_a_gateway_it_says_that_nothing_was_charged(page: Page) -> None:
    issued = page.shop.issued()
    page.shop.phones.fail_next("native", FakeFault.UNAVAILABLE)
    assert "没有扣款" in page.tap(issued, "pay")
    assert page.shop.ticket(issued).state is TicketState.ISSUED


def test_an_expired_ticket_and_an_unknown_code(page: Page) -> None:
    issued = page.shop.issued()
    page.shop.wait(121 * 60_000)
    assert "已过期" in page.see(issued)
    assert "可能正在别处付款" in page.tap(issued, "pay")
    assert page.client.get("/phone/t/tnothing-of-ours-0000000000000000").status_code == 404
