"""What every gateway promises that passes on money of a payment, over fake and real client."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

import httpx
import pytest

from edge.clock import SystemClock
from edge.errors import Invalid, OutcomeUnknown, Unavailable
from edge.gateways.wechat_pay.client import WeChatPayGateway
from edge.gateways.wechat_pay.splits import WeChatSplits
from edge.ids import TimeOrderedIds
from edge.services.payment_ports import CodePayment
from edge.services.split_ports import (
    ReturnAsk,
    SharingAsk,
    SharingRefused,
    SharingState,
    SplitGateway,
)
from sim.fakes.split_gateway import FakeSplitGateway
from sim.gateway import Credentials, GatewayServer, Habit, make_credentials
from sim.gateway.merchants import Merchant
from tests.contract.test_gateway import digits, settings_for

TEA, BAKERY = "1900000011", "1900000012"
MALL, MALL_NAME = "1900000010", "示范商场有限公司"
NAMES = {TEA: "云上茶业有限公司", BAKERY: "麦香坊食品有限公司"}


class Rig(Protocol):
    """A payment of 10 yuan that waits to be shared, and who received what of it."""

    @property
    def gateway(self) -> SplitGateway: ...

    @property
    def transaction_id(self) -> str:
        """The payment's number at the gateway."""

    def got_fen(self, merchant: str) -> int:
        """Return what a number has received and not given back."""

    def fail(self, merchant: str) -> None:
        """Have shares to, and returns from, a number come to nothing."""

    def pass_time(self, ms: int) -> None:
        """Let time go by at the gateway."""


class FakeRig:
    transaction_id = "tx-1"

    def __init__(self) -> None:
        self.gateway = FakeSplitGateway(slow_queries=1)

    def got_fen(self, merchant: str) -> int:
        return self.gateway.held_fen().get(merchant, 0)

    def fail(self, merchant: str) -> None:
        self.gateway.failing[merchant] = "ACCOUNT_ABNORMAL"

    def pass_time(self, ms: int) -> None:
        """Nothing in the fake depends on it."""


class Served:
    """The simulated gateway with a clock that can be moved on, and a client for any of its merchants."""

    def __init__(self, credentials: Credentials) -> None:
        self.clock = SystemClock()
        self.ahead_ms = 0
        self.server = GatewayServer(credentials, lambda: self.clock.now().wall_at + self.ahead_ms, digits)
        self.server.start()
        self.settings = settings_for(credentials, self.server.url)
        self.clients: list[WeChatPayGateway] = []
        for number, name in NAMES.items():
            self.server.office.merchants.add(Merchant(number, name, (), credentials.mchid))
        self.post("/sim/profit-sharing", max_ratio=10_000)

    def client(self, sub_mchid: str = "") -> WeChatPayGateway:
        ids = TimeOrderedIds(lambda: self.clock.now().wall_at)
        made = WeChatPayGateway(replace(self.settings, sub_mchid=sub_mchid), self.clock, ids)
        self.clients.append(made)
        return made

    def pay(self, client: WeChatPayGateway) -> str:
        """Pay 10 yuan that wait, and return its number once it can be shared."""
        wallet = self.server.books.add_wallet("shopper", 10_000, 1_000_000, Habit.WAITS)
        code = self.server.books.show_code(wallet.wallet_id).code
        paid = client.pay_by_code(CodePayment("T20261122_0009", 1_000, "goods", code, "till-1", frozen=True))
        self.ahead_ms += 61_000
        return paid.transaction_id or ""

    def post(self, path: str, **given: object) -> None:
        httpx.post(f"{self.server.url}{path}", json=given, trust_env=False).raise_for_status()

    def balance(self, merchant: str) -> int:
        return self.server.office.ledger.balance(f"merchant:{merchant}")

    def close(self) -> None:
        for one in self.clients:
            one.close()
        self.server.stop()


class WeChatRig:
    def __init__(self, credentials: Credentials) -> None:
        self.served = Served(credentials)
        client = self.served.client()
        self.gateway = WeChatSplits(client, NAMES, 1_000)
        self.transaction_id = self.served.pay(client)

    def got_fen(self, merchant: str) -> int:
        return self.served.balance(merchant)

    def fail(self, merchant: str) -> None:
        self.served.post("/sim/profit-sharing/failing", account=merchant, reason="ACCOUNT_ABNORMAL")

    def pass_time(self, ms: int) -> None:
        self.served.ahead_ms += ms


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
    real.served.close()


def ask(rig: Rig, number: str = "S1", **shares: int) -> SharingAsk:
    given = {TEA: shares.get("tea", 0), BAKERY: shares.get("bakery", 0)}
    return SharingAsk("", rig.transaction_id, number, {one: fen for one, fen in given.items() if fen}, "分账")


def shared(rig: Rig, wanted: SharingAsk) -> SharingState:
    for merchant in wanted.shares:
        for _ in range(2):
            rig.gateway.add_receiver("", merchant)
    state = rig.gateway.share(wanted).state
    rig.pass_time(2_000)
    return state


def test_shares_arrive_once_however_often_they_are_sent(rig: Rig) -> None:
    wanted = ask(rig, tea=300, bakery=200)
    assert rig.gateway.query_share(wanted).state is SharingState.ABSENT
    assert shared(rig, wanted) is SharingState.PROCESSING
    for _ in range(2):
        answer = rig.gateway.share(wanted)
    assert (answer.state, dict(answer.failed)) == (SharingState.DONE, {})
    assert rig.gateway.query_share(wanted).state is SharingState.DONE
    assert (rig.got_fen(TEA), rig.got_fen(BAKERY)) == (300, 200)


def test_a_payment_is_freed_without_shares(rig: Rig) -> None:
    wanted = ask(rig)
    assert shared(rig, wanted) is SharingState.PROCESSING
    assert rig.gateway.query_share(wanted).state is SharingState.DONE
    assert (rig.got_fen(TEA), rig.got_fen(BAKERY)) == (0, 0)


def test_a_share_that_comes_to_nothing_says_whose(rig: Rig) -> None:
    rig.fail(BAKERY)
    wanted = ask(rig, tea=300, bakery=200)
    shared(rig, wanted)
    answer = rig.gateway.query_share(wanted)
    assert (answer.state, dict(answer.failed)) == (SharingState.DONE, {BAKERY: "ACCOUNT_ABNORMAL"})
    assert (rig.got_fen(TEA), rig.got_fen(BAKERY)) == (300, 0)


def test_nobody_receives_who_was_not_allowed_to(rig: Rig) -> None:
    with pytest.raises(SharingRefused):
        rig.gateway.share(ask(rig, tea=300))
    assert rig.got_fen(TEA) == 0


def test_a_share_comes_back_once_however_often_it_is_asked_for(rig: Rig) -> None:
    shared(rig, ask(rig, tea=300))
    wanted = ReturnAsk("", "S1", "B1", TEA, 120, "退货")
    assert rig.gateway.query_return(wanted).state is SharingState.ABSENT
    rig.gateway.share(ask(rig, tea=300))
    for _ in range(3):
        state = rig.gateway.give_back(wanted).state
        rig.pass_time(2_000)
    assert state is SharingState.DONE
    assert rig.gateway.query_return(wanted).state is SharingState.DONE
    assert rig.got_fen(TEA) == 180


def test_a_return_that_comes_to_nothing_says_so(rig: Rig) -> None:
    shared(rig, ask(rig, tea=300))
    rig.gateway.query_share(ask(rig, tea=300))
    rig.fail(TEA)
    wanted = ReturnAsk("", "S1", "B1", TEA, 120, "退货")
    rig.gateway.give_back(wanted)
    rig.pass_time(2_000)
    assert rig.gateway.query_return(wanted).state is SharingState.FAILED


def test_without_an_answer_it_says_so(credentials: Credentials) -> None:
    rig = WeChatRig(credentials)
    rig.gateway.add_receiver("", TEA)
    rig.served.server.stop()
    with pytest.raises((Unavailable, OutcomeUnknown)):
        rig.gateway.share(ask(rig, tea=300))
    with pytest.raises(Unavailable):
        rig.gateway.query_share(ask(rig, tea=300))
    rig.served.close()


def test_a_service_provider_takes_its_commission_from_a_tenants_payment(credentials: Credentials) -> None:
    served = Served(credentials)
    served.server.office.merchants.add(Merchant(MALL, MALL_NAME, (), credentials.mchid))
    transaction_id = served.pay(served.client(TEA))
    splits = WeChatSplits(served.client(MALL), {MALL: MALL_NAME}, 300)
    assert splits.for_tenants
    splits.add_receiver(TEA, "")
    wanted = SharingAsk(TEA, transaction_id, "S7", {"": 80}, "佣金")
    splits.share(wanted)
    served.ahead_ms += 2_000
    assert splits.query_share(wanted).state is SharingState.DONE
    assert (served.balance(MALL), served.balance(TEA)) == (80, 920)
    served.close()


def test_a_direct_merchant_shares_no_payments_of_others(credentials: Credentials) -> None:
    served = Served(credentials)
    splits = WeChatSplits(served.client(), NAMES, 300)
    assert not splits.for_tenants
    with pytest.raises(Invalid, match="service provider"):
        splits.share(SharingAsk(TEA, "420000", "S7", {"": 80}, "佣金"))
    served.close()
