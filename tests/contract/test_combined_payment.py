"""What every gateway promises of a payment to several merchants at once, over fake and real client."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

import httpx
import pytest

from edge.errors import Unavailable
from edge.gateways.wechat_pay.client import WeChatPayGateway
from edge.gateways.wechat_pay.phone_orders import WeChatPhoneOrders
from edge.ids import TimeOrderedIds
from edge.retail.split import OrderPart
from edge.services.payment_ports import (
    PaymentState,
    PhoneOrder,
    PrepayGateway,
    RefundGateway,
    RefundRefused,
    RefundRequest,
    RefundState,
)
from sim.fakes.clock import START_AT
from sim.fakes.gateway import FakeGateway
from sim.fakes.prepay_gateway import FakePrepayGateway
from sim.fakes.refund_gateway import FakeRefundGateway
from sim.gateway import Credentials, Habit, make_credentials
from sim.gateway.merchants import Merchant
from tests.contract.test_gateway import WeChatPayRig, digits, settings_for

ORDER_NO = "T20261122_0001"
TEA, BAKERY, MALL = "T20261122_0001A", "T20261122_0001B", "T20261122_0001C"
PARTS = (
    OrderPart("1900000011", TEA, 700, "Tea", ("t-tea",)),
    OrderPart("1900000012", BAKERY, 200, "Bakery", ("t-bakery",)),
    OrderPart("", MALL, 100, "Mall", ("t-gift",)),
)


class Rig(Protocol):
    """The two sides of a gateway, and a phone."""

    @property
    def prepayer(self) -> PrepayGateway: ...
    @property
    def refunds(self) -> RefundGateway: ...

    @property
    def openid(self) -> str:
        """A shopper who can pay."""

    def at(self) -> int:
        """Return the gateway's present time, Unix milliseconds."""

    def pay(self, url: str) -> bool:
        """Have a phone open this and pay; return whether it could."""

    def taken_fen(self, merchant_order_no: str) -> int:
        """Return what that part has taken and not given back."""


class FakeRig:
    openid = "openid-1"

    def __init__(self) -> None:
        self.gateway = FakeGateway()
        self.prepayer = FakePrepayGateway(self.gateway)
        self.refunds = FakeRefundGateway(self.gateway)

    def at(self) -> int:
        return START_AT

    def pay(self, url: str) -> bool:
        return self.prepayer.pay(url)

    def taken_fen(self, merchant_order_no: str) -> int:
        return self.gateway.charged_fen(merchant_order_no)


class WeChatRig:
    """sub_mchid: whom we act for as a service provider, "" for a direct merchant."""

    def __init__(self, credentials: Credentials, sub_mchid: str = "") -> None:
        self.served = WeChatPayRig(credentials)
        merchants = self.served.server.office.merchants
        for number in ("1900000011", "1900000012", *([sub_mchid] if sub_mchid else [])):
            merchants.add(Merchant(number, f"merchant {number}", (), credentials.mchid))
        settings = replace(
            settings_for(credentials, self.served.server.url),
            notify_url="https://mall.example/notify/wechat",
            sub_mchid=sub_mchid,
        )
        ids = TimeOrderedIds(lambda: self.served.clock.now().wall_at)
        self.refunds = WeChatPayGateway(settings, self.served.clock, ids)
        self.prepayer = WeChatPhoneOrders(self.refunds)
        self.openid = self.served.server.books.add_wallet("shopper", 100_000, 0, Habit.TYPES).openid

    def at(self) -> int:
        return self.served.clock.now().wall_at

    def pay(self, url: str) -> bool:
        wallet = self.served.wallet(100_000, asks=False)
        address = f"{self.served.server.url}/sim/wallets/{wallet}/scan"
        answer = httpx.post(address, json={"code_url": url, "action": "types"}, trust_env=False)
        return answer.status_code == 200 and answer.json()["state"] == "paid"

    def taken_fen(self, merchant_order_no: str) -> int:
        return self.served.charged_fen(merchant_order_no)


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return make_credentials(tmp_path_factory.mktemp("keys"), digits)


@pytest.fixture(params=["fake", "merchant", "service provider"])
def rig(request: pytest.FixtureRequest, credentials: Credentials) -> Iterator[Rig]:
    if request.param == "fake":
        yield FakeRig()
        return
    real = WeChatRig(credentials, "1900000010" if request.param == "service provider" else "")
    yield real
    real.refunds.close()
    real.served.server.stop()


def made(rig: Rig) -> PhoneOrder:
    return PhoneOrder(ORDER_NO, 1_000, "三店合单", rig.at() + 600_000, "demo/edge-1", PARTS)


def back(part: OrderPart, number: str, fen: int) -> RefundRequest:
    return RefundRequest(part.merchant_order_no, number, fen, part.amount_fen, "broken", part.merchant)


def test_nothing_is_charged_until_a_phone_pays_and_then_every_part_is(rig: Rig) -> None:
    assert 3 in rig.prepayer.part_counts
    url = rig.prepayer.native(made(rig))
    waiting = rig.prepayer.query_parts(ORDER_NO, PARTS)
    assert (waiting.state, waiting.amount_fen) == (PaymentState.PENDING, 1_000)
    assert rig.pay(url)
    answer = rig.prepayer.query_parts(ORDER_NO, PARTS)
    assert (answer.state, answer.amount_fen, len(set(answer.part_ids))) == (PaymentState.APPROVED, 1_000, 3)
    assert "" not in answer.part_ids
    assert [rig.taken_fen(one.merchant_order_no) for one in PARTS] == [700, 200, 100]


def test_a_page_inside_the_wallet_gets_what_it_calls_the_wallet_with(rig: Rig) -> None:
    params = rig.prepayer.jsapi(made(rig), rig.openid)
    assert params["package"].startswith("prepay_id=")
    assert rig.prepayer.query_parts(ORDER_NO, PARTS).state is PaymentState.PENDING


def test_a_closed_order_takes_nothing_from_anybody(rig: Rig) -> None:
    url = rig.prepayer.native(made(rig))
    for _ in range(2):
        assert rig.prepayer.close_parts(ORDER_NO, PARTS).state is PaymentState.VOIDED
    assert not rig.pay(url)
    assert rig.prepayer.query_parts(ORDER_NO, PARTS).state is PaymentState.VOIDED
    assert [rig.taken_fen(one.merchant_order_no) for one in PARTS] == [0, 0, 0]


def test_closing_a_paid_order_says_so_and_takes_nothing_back(rig: Rig) -> None:
    assert rig.pay(rig.prepayer.native(made(rig)))
    answer = rig.prepayer.close_parts(ORDER_NO, PARTS)
    assert (answer.state, answer.amount_fen) == (PaymentState.APPROVED, 1_000)
    assert rig.taken_fen(TEA) == 700


def test_an_order_that_there_is_not_is_absent(rig: Rig) -> None:
    assert rig.prepayer.query_parts(ORDER_NO, PARTS).state is PaymentState.ABSENT
    assert rig.prepayer.close_parts(ORDER_NO, PARTS).state is PaymentState.ABSENT


def test_an_order_in_other_parts_than_ours_is_not_believed(rig: Rig) -> None:
    rig.prepayer.native(made(rig))
    other = (replace(PARTS[0], amount_fen=701), *PARTS[1:])
    with pytest.raises(Unavailable):
        rig.prepayer.query_parts(ORDER_NO, other)


def test_the_same_order_again_can_still_be_paid_once(rig: Rig) -> None:
    rig.prepayer.native(made(rig))
    assert rig.pay(rig.prepayer.native(made(rig)))
    assert [rig.taken_fen(one.merchant_order_no) for one in PARTS] == [700, 200, 100]


def test_each_part_gives_back_its_own_and_no_more(rig: Rig) -> None:
    assert rig.pay(rig.prepayer.native(made(rig)))
    for part, number, fen in ((PARTS[0], "R1", 300), (PARTS[1], "R2", 200), (PARTS[0], "R3", 400)):
        for _ in range(2):
            answer = rig.refunds.refund(back(part, number, fen))
            assert answer.state in (RefundState.PROCESSING, RefundState.DONE)
        asked = rig.refunds.query_refund(part.merchant_order_no, number, part.merchant)
        assert asked.amount_fen == fen
    with pytest.raises(RefundRefused):
        rig.refunds.refund(back(PARTS[0], "R4", 1))
    assert rig.refunds.query_refund(MALL, "R9", "").state is RefundState.ABSENT
