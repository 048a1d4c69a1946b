"""What every gateway promises whose orders a phone can pay by itself, over fake and real client."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

import httpx
import pytest

from edge.errors import Declined, OutcomeUnknown, Unavailable
from edge.gateways.wechat_pay.client import WeChatPayGateway
from edge.gateways.wechat_pay.phone_orders import WeChatPhoneOrders
from edge.ids import TimeOrderedIds
from edge.services.payment_ports import PaymentGateway, PaymentState, PhoneOrder, PrepayGateway
from sim.fakes.clock import START_AT
from sim.fakes.gateway import FakeFault, FakeGateway
from sim.fakes.prepay_gateway import FakePrepayGateway
from sim.gateway import Credentials, Habit, make_credentials
from tests.contract.test_gateway import WeChatPayRig, digits, settings_for

ORDER_NO = "T20261122_0001"


class Rig(Protocol):
    """The two sides of a gateway, and a phone."""

    @property
    def gateway(self) -> PaymentGateway: ...
    @property
    def prepayer(self) -> PrepayGateway: ...

    @property
    def openid(self) -> str:
        """A shopper who can pay."""

    def order(self) -> PhoneOrder:
        """Return an order of 10 yuan that can be paid for a while."""

    def pay(self, url: str) -> bool:
        """Have a phone open this and pay; return whether it could."""

    def charged_fen(self) -> int:
        """Return what the order has taken."""

    def be_unreachable(self) -> None:
        """Have nothing be answered from now on."""


class FakeRig:
    openid = "openid-1"

    def __init__(self) -> None:
        self.gateway = FakeGateway()
        self.prepayer = FakePrepayGateway(self.gateway)

    def order(self) -> PhoneOrder:
        return PhoneOrder(ORDER_NO, 1_000, "停车费", START_AT + 600_000, "demo/edge-1")

    def pay(self, url: str) -> bool:
        return self.prepayer.pay(url)

    def charged_fen(self) -> int:
        return self.gateway.charged_fen(ORDER_NO)

    def be_unreachable(self) -> None:
        self.prepayer.fail_next("native", FakeFault.UNAVAILABLE)
        self.prepayer.fail_next("close", FakeFault.UNAVAILABLE)


class WeChatRig:
    def __init__(self, credentials: Credentials) -> None:
        self.served = WeChatPayRig(credentials)
        settings = replace(
            settings_for(credentials, self.served.server.url), notify_url="https://mall.example/notify/wechat"
        )
        ids = TimeOrderedIds(lambda: self.served.clock.now().wall_at)
        self.gateway = WeChatPayGateway(settings, self.served.clock, ids)
        self.prepayer = WeChatPhoneOrders(self.gateway)
        self.openid = self.served.server.books.add_wallet("shopper", 100_000, 0, Habit.TYPES).openid

    def order(self) -> PhoneOrder:
        at = self.served.clock.now().wall_at
        return PhoneOrder(ORDER_NO, 1_000, "停车费", at + 600_000, "demo/edge-1")

    def pay(self, url: str) -> bool:
        wallet = self.served.wallet(100_000, asks=False)
        address = f"{self.served.server.url}/sim/wallets/{wallet}/scan"
        given = {"code_url": url, "action": "types"}
        answer = httpx.post(address, json=given, trust_env=False)
        return answer.status_code == 200 and answer.json()["state"] == "paid"

    def charged_fen(self) -> int:
        return self.served.charged_fen(ORDER_NO)

    def be_unreachable(self) -> None:
        self.served.server.stop()


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return make_credentials(tmp_path_factory.mktemp("keys"), digits)


@pytest.fixture(params=["fake", "wechat_pay"])
def rig(request: pytest.FixtureRequest, credentials: Credentials) -> Iterator[Rig]:
    if request.param == "fake":
        yield FakeRig()
        return
    real = WeChatRig(credentials)
    yield real
    real.gateway.close()
    real.served.server.stop()


def test_an_order_charges_nothing_until_a_phone_pays_it(rig: Rig) -> None:
    url = rig.prepayer.native(rig.order())
    assert rig.gateway.query(ORDER_NO).state is PaymentState.PENDING
    assert rig.charged_fen() == 0
    assert rig.pay(url)
    answer = rig.gateway.query(ORDER_NO)
    assert (answer.state, answer.amount_fen) == (PaymentState.APPROVED, 1_000)
    assert rig.charged_fen() == 1_000


def test_the_same_order_again_ends_the_code_before(rig: Rig) -> None:
    order = rig.order()
    first, second = rig.prepayer.native(order), rig.prepayer.native(order)
    assert not rig.pay(first)
    assert rig.pay(second)
    assert rig.charged_fen() == 1_000


def test_a_closed_order_cannot_be_paid(rig: Rig) -> None:
    url = rig.prepayer.native(rig.order())
    assert rig.prepayer.close_order(ORDER_NO).state is PaymentState.VOIDED
    assert rig.prepayer.close_order(ORDER_NO).state is PaymentState.VOIDED
    assert not rig.pay(url)
    assert rig.charged_fen() == 0


def test_closing_a_paid_order_says_so_and_takes_nothing_back(rig: Rig) -> None:
    assert rig.pay(rig.prepayer.native(rig.order()))
    assert rig.prepayer.close_order(ORDER_NO).state is PaymentState.APPROVED
    assert rig.charged_fen() == 1_000


def test_an_order_that_there_is_not_is_absent(rig: Rig) -> None:
    assert rig.prepayer.close_order(ORDER_NO).state is PaymentState.ABSENT


def test_a_page_inside_the_wallet_gets_what_it_calls_the_wallet_with(rig: Rig) -> None:
    params = rig.prepayer.jsapi(rig.order(), rig.openid)
    assert params["package"].startswith("prepay_id=")


def test_a_paid_order_is_not_made_again(rig: Rig) -> None:
    assert rig.pay(rig.prepayer.native(rig.order()))
    with pytest.raises((OutcomeUnknown, Declined)):
        rig.prepayer.native(rig.order())
    assert rig.charged_fen() == 1_000


def test_without_an_answer_it_says_so(rig: Rig) -> None:
    rig.be_unreachable()
    with pytest.raises(Unavailable):
        rig.prepayer.native(rig.order())
    with pytest.raises(Unavailable):
        rig.prepayer.close_order(ORDER_NO)
