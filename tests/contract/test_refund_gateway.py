"""What every gateway promises that gives money back: one suite over the fake and the clients on the wire."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import httpx
import pytest

from edge.errors import OutcomeUnknown, Unavailable
from edge.services.payment_ports import (
    CodePayment,
    RefundAnswer,
    RefundGateway,
    RefundRefused,
    RefundRequest,
    RefundState,
)
from sim.fakes.refund_gateway import FakeRefundGateway, RefundFault
from sim.gateway import Credentials, Fault
from tests.contract.test_gateway import (
    AlipayRig,
    FakeRig,
    WeChatPayRig,
    credentials,  # noqa: F401  # a fixture
)

ORDER, REFUND = "T20261122_0001", "R20261122_0001"


class Rig(Protocol):
    """A gateway that gives money back, and an order of 12.50 yuan paid there."""

    refunds: RefundGateway

    def lose_answer(self, call: str, processed: bool) -> None:
        """Have the next "refund" or "query" end without an answer, with or without its effect."""

    def charged_fen(self) -> int:
        """Return what the gateway's own ledger still holds of the order."""

    def close(self) -> None:
        """Release everything."""


class Fake:
    def __init__(self) -> None:
        self._rig = FakeRig()
        self.refunds = FakeRefundGateway(self._rig.gateway)
        self._rig.gateway.pay_by_code(CodePayment(ORDER, 1250, "goods", self._rig.code(), "till-1"))

    def lose_answer(self, call: str, processed: bool) -> None:
        lost = RefundFault.LOST if processed else RefundFault.NEVER
        self.refunds.fail_next(call, lost)

    def charged_fen(self) -> int:
        return self._rig.charged_fen(ORDER)

    def close(self) -> None:
        """Nothing is held."""


class Served:
    """A shipped client over loopback HTTP. calls: the simulator's words for its two calls."""

    def __init__(self, rig: WeChatPayRig | AlipayRig, calls: dict[str, str]) -> None:
        self._rig, self._calls = rig, calls
        self.refunds: RefundGateway = rig.gateway
        # At once: how long a refund takes is not what this suite is about.
        httpx.post(f"{rig.server.url}/sim/refunds", json={"delay_ms": 0}, trust_env=False)
        rig.gateway.pay_by_code(CodePayment(ORDER, 1250, "goods", rig.code(), "till-1"))

    def lose_answer(self, call: str, processed: bool) -> None:
        fault = Fault.DROP_AFTER if processed else Fault.DROP_BEFORE
        self._rig.server.faults.add(self._calls[call], fault)

    def charged_fen(self) -> int:
        return self._rig.charged_fen(ORDER)

    def close(self) -> None:
        self._rig.close()


def wechat(keys: Credentials) -> Rig:
    return Served(WeChatPayRig(keys), {"refund": "refund", "query": "query_refund"})


def alipay(keys: Credentials) -> Rig:
    calls = {"refund": "alipay.trade.refund", "query": "alipay.trade.fastpay.refund.query"}
    return Served(AlipayRig(keys), calls)


@pytest.fixture(params=["fake", "wechat_pay", "alipay"])
def rig(request: pytest.FixtureRequest, credentials: Credentials) -> Iterator[Rig]:  # noqa: F811
    made: Rig
    if request.param == "fake":
        made = Fake()
    else:
        made = wechat(credentials) if request.param == "wechat_pay" else alipay(credentials)
    yield made
    made.close()


def wish(amount_fen: int = 500, refund_no: str = REFUND, **changes: object) -> RefundRequest:
    values: dict[str, object] = {
        "merchant_order_no": ORDER,
        "merchant_refund_no": refund_no,
        "amount_fen": amount_fen,
        "total_fen": 1250,
        "reason": "商品破损",
    }
    return RefundRequest(**(values | changes))  # type: ignore[arg-type]


def settled(rig: Rig, refund_no: str = REFUND) -> RefundAnswer:
    """Ask until the refund stands still, 200 times at most."""
    for _ in range(200):
        answer = rig.refunds.query_refund(ORDER, refund_no)
        if answer.state is not RefundState.PROCESSING:
            return answer
    raise AssertionError("the refund is on its way for ever")


def test_a_part_goes_back_and_the_rest_stays(rig: Rig) -> None:
    answer = rig.refunds.refund(wish())
    assert answer.state in (RefundState.PROCESSING, RefundState.DONE)
    found = settled(rig)
    assert (found.state, found.amount_fen) == (RefundState.DONE, 500)
    assert rig.charged_fen() == 750


def test_the_same_number_gives_back_once(rig: Rig) -> None:
    for _ in range(3):
        rig.refunds.refund(wish())
    settled(rig)
    assert rig.charged_fen() == 750


def test_parts_come_to_the_whole_and_never_to_more(rig: Rig) -> None:
    rig.refunds.refund(wish(1000, "R20261122_0001"))
    settled(rig, "R20261122_0001")
    with pytest.raises(RefundRefused):
        rig.refunds.refund(wish(251, "R20261122_0002"))
    rig.refunds.refund(wish(250, "R20261122_0003"))
    assert settled(rig, "R20261122_0003").state is RefundState.DONE
    assert rig.charged_fen() == 0


def test_a_lost_answer_is_unknown_and_a_query_finds_what_was_done(rig: Rig) -> None:
    rig.lose_answer("refund", processed=True)
    with pytest.raises(OutcomeUnknown):
        rig.refunds.refund(wish())
    assert settled(rig).state is RefundState.DONE
    assert rig.charged_fen() == 750


def test_a_lost_request_is_unknown_and_goes_again_under_the_same_number(rig: Rig) -> None:
    rig.lose_answer("refund", processed=False)
    with pytest.raises((OutcomeUnknown, Unavailable)):
        rig.refunds.refund(wish())
    assert rig.refunds.query_refund(ORDER, REFUND).state is RefundState.ABSENT
    rig.refunds.refund(wish())
    assert settled(rig).state is RefundState.DONE
    assert rig.charged_fen() == 750


def test_a_query_without_an_answer_tells_nothing(rig: Rig) -> None:
    rig.refunds.refund(wish())
    rig.lose_answer("query", processed=False)
    with pytest.raises(Unavailable):
        rig.refunds.query_refund(ORDER, REFUND)
    assert settled(rig).state is RefundState.DONE


def test_what_was_never_asked_for_is_absent(rig: Rig) -> None:
    assert rig.refunds.query_refund(ORDER, "R20261122_0009").state is RefundState.ABSENT


def test_an_order_that_is_not_there_gives_nothing_back(rig: Rig) -> None:
    with pytest.raises(RefundRefused):
        rig.refunds.refund(wish(merchant_order_no="T20261122_0009"))
    assert rig.charged_fen() == 1250
