"""What every payment gateway promises: one suite over the fake and over the real client on the wire."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import ClassVar, Protocol

import httpx
import pytest

from edge.clock import SystemClock
from edge.errors import OutcomeUnknown, Unavailable
from edge.gateways.alipay import settings as alipay_settings
from edge.gateways.alipay.client import AlipayGateway
from edge.gateways.alipay.settings import AlipaySettings
from edge.gateways.wechat_pay.client import WeChatPayGateway
from edge.gateways.wechat_pay.settings import (
    WeChatPaySettings,
    load_merchant_serial,
    load_private_key,
    load_verifiers,
)
from edge.ids import TimeOrderedIds
from edge.services.payment_ports import (
    CodePayment,
    DeclineReason,
    PaymentDeclined,
    PaymentGateway,
    PaymentState,
)
from sim.fakes.gateway import FakeFault, FakeGateway, Shopper
from sim.gateway import Credentials, Fault, GatewayServer, Habit, make_credentials
from sim.gateway.alipay_keys import make_alipay_keys

ORDER = "T20261122_0001"


def digits(count: int) -> str:
    return "".join(str(byte % 10) for byte in os.urandom(count))


class Rig(Protocol):
    """A gateway and the strings behind it. foreign_code: nobody shows it. numbers: odd but legal ones."""

    gateway: PaymentGateway
    foreign_code: str
    numbers: tuple[str, ...]

    def code(self, balance_fen: int = 100_000, asks: bool = False) -> str:
        """Return the code of a new shopper; with `asks`, who waits to be told what to type."""

    def finish(self, order_no: str, pays: bool) -> None:
        """Have the shopper type the password, or cancel."""

    def lose_answer(self, call: str, processed: bool) -> None:
        """Have the next "pay" or "reverse" end without an answer, with or without its effect."""

    def be_unreachable(self, call: str) -> None:
        """Have the next call fail before anything is sent, or give no answer to a query."""

    def charged_fen(self, order_no: str) -> int:
        """Return the gateway's own ledger of that order."""


class FakeRig:
    foreign_code = "139999999999999999"
    numbers = ("aZ09_-*", "0" * 32)

    def __init__(self) -> None:
        self.gateway = FakeGateway()
        self._codes = 0

    def code(self, balance_fen: int = 100_000, asks: bool = False) -> str:
        self._codes += 1
        code = f"13{self._codes:016d}"
        self.gateway.show_code(code, Shopper("openid-1", balance_fen, asks=asks))
        return code

    def finish(self, order_no: str, pays: bool) -> None:
        self.gateway.finish(order_no, pays=pays)

    def lose_answer(self, call: str, processed: bool) -> None:
        self.gateway.fail_next(call, FakeFault.LOST if processed else FakeFault.NEVER)

    def be_unreachable(self, call: str) -> None:
        self.gateway.fail_next(call, FakeFault.UNAVAILABLE)

    def charged_fen(self, order_no: str) -> int:
        return self.gateway.charged_fen(order_no)


class ServedRig:
    """A shipped client over loopback HTTP against the simulated gateway."""

    CALLS: ClassVar[dict[str, str]]
    gateway: WeChatPayGateway | AlipayGateway

    def __init__(self, credentials: Credentials) -> None:
        self.clock = SystemClock()
        self.server = GatewayServer(credentials, lambda: self.clock.now().wall_at, digits)
        self.server.start()

    def wallet(self, balance_fen: int, asks: bool) -> str:
        limit_fen = 0 if asks else 1_000_000
        wallet = self.server.books.add_wallet("shopper", balance_fen, limit_fen, Habit.WAITS)
        return wallet.wallet_id

    def finish(self, order_no: str, pays: bool) -> None:
        self.server.books.enter_password(order_no, Habit.TYPES if pays else Habit.CANCELS)

    def lose_answer(self, call: str, processed: bool) -> None:
        self.server.faults.add(self.CALLS[call], Fault.DROP_AFTER if processed else Fault.DROP_BEFORE)

    def be_unreachable(self, call: str) -> None:
        if call == "pay":
            self.server.stop()
        else:
            self.server.faults.add(self.CALLS[call], Fault.DROP_BEFORE)

    def charged_fen(self, order_no: str) -> int:
        return self.server.books.charged_fen(order_no)

    def close(self) -> None:
        self.gateway.close()
        self.server.stop()


class WeChatPayRig(ServedRig):
    CALLS: ClassVar = {"pay": "codepay", "query": "query", "reverse": "reverse"}
    foreign_code = "139999999999999999"
    numbers = ("aZ09_-*", "0" * 32)

    def __init__(self, credentials: Credentials) -> None:
        super().__init__(credentials)
        ids = TimeOrderedIds(lambda: self.clock.now().wall_at)
        self.gateway = WeChatPayGateway(settings_for(credentials, self.server.url), self.clock, ids)

    def code(self, balance_fen: int = 100_000, asks: bool = False) -> str:
        return self.server.books.show_code(self.wallet(balance_fen, asks)).code


class AlipayRig(ServedRig):
    CALLS: ClassVar = {
        "pay": "alipay.trade.pay",
        "query": "alipay.trade.query",
        "reverse": "alipay.trade.cancel",
    }
    foreign_code = "289999999999999999"
    numbers = ("aZ09__", "0" * 32)

    def __init__(self, credentials: Credentials, certificates: bool = False) -> None:
        super().__init__(credentials)
        settings = alipay_settings_for(credentials, self.server.url, certificates)
        self.gateway = AlipayGateway(settings, self.clock)

    def code(self, balance_fen: int = 100_000, asks: bool = False) -> str:
        wallet_id = self.wallet(balance_fen, asks)
        answer = httpx.post(f"{self.server.url}/sim/alipay/{wallet_id}/code", json={}, trust_env=False)
        return str(answer.json()["code"])


def settings_for(credentials: Credentials, url: str, backup_url: str = "") -> WeChatPaySettings:
    return WeChatPaySettings(
        appid=credentials.appid,
        mchid=credentials.mchid,
        merchant_serial=load_merchant_serial(credentials.merchant_cert),
        private_key=load_private_key(credentials.merchant_key),
        verifiers=load_verifiers({credentials.public_key_id: credentials.platform_public_key}),
        store_id="0001",
        device_ip="127.0.0.1",
        base_url=url,
        backup_url=backup_url,
        connect_s=2.0,
        read_s=5.0,
        codepay_read_s=5.0,
    )


def alipay_settings_for(credentials: Credentials, url: str, certificates: bool = False) -> AlipaySettings:
    keys = make_alipay_keys(credentials.folder / "alipay", digits)
    load = alipay_settings
    return AlipaySettings(
        app_id=keys.app_id,
        private_key=load.load_app_key(keys.app_key),
        verifiers=(
            load.load_certificates((keys.alipay_cert,))
            if certificates
            else load.load_public_key(keys.alipay_public_key)
        ),
        app_cert_sn=load.load_app_serial(keys.app_cert) if certificates else "",
        root_cert_sn=load.load_root_serial(keys.root_cert) if certificates else "",
        gateway_url=f"{url}/gateway.do",
        connect_s=2.0,
        read_s=5.0,
        pay_read_s=5.0,
    )


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return make_credentials(tmp_path_factory.mktemp("keys"), digits)


REAL = {
    "wechat_pay over http": WeChatPayRig,
    "alipay over http": AlipayRig,
    "alipay with certificates": lambda credentials: AlipayRig(credentials, certificates=True),
}


@pytest.fixture(params=["fake", *REAL])
def rig(request: pytest.FixtureRequest, credentials: Credentials) -> Iterator[Rig]:
    if request.param == "fake":
        yield FakeRig()
        return
    real = REAL[request.param](credentials)
    yield real
    real.close()


def payment(code: str, amount_fen: int = 1250, order_no: str = ORDER) -> CodePayment:
    return CodePayment(order_no, amount_fen, "南门店 sundries, two `bags`", code, "till-1")


def test_a_good_code_is_approved_with_amount_payer_and_transaction(rig: Rig) -> None:
    answer = rig.gateway.pay_by_code(payment(rig.code()))
    assert (answer.state, answer.amount_fen) == (PaymentState.APPROVED, 1250)
    assert answer.payer
    assert answer.transaction_id
    assert rig.charged_fen(ORDER) == 1250


def test_a_query_tells_the_same_as_the_payment(rig: Rig) -> None:
    paid = rig.gateway.pay_by_code(payment(rig.code()))
    asked = rig.gateway.query(ORDER)
    assert asked == paid


def test_an_empty_wallet_is_declined_with_a_reason_and_not_charged(rig: Rig) -> None:
    with pytest.raises(PaymentDeclined) as refusal:
        rig.gateway.pay_by_code(payment(rig.code(balance_fen=1249)))
    assert refusal.value.reason is DeclineReason.NOT_ENOUGH
    assert rig.charged_fen(ORDER) == 0


def test_a_code_that_nobody_shows_is_declined(rig: Rig) -> None:
    with pytest.raises(PaymentDeclined) as refusal:
        rig.gateway.pay_by_code(payment(rig.foreign_code))
    assert refusal.value.reason is DeclineReason.CODE_INVALID


def test_a_code_works_once(rig: Rig) -> None:
    code = rig.code()
    rig.gateway.pay_by_code(payment(code))
    with pytest.raises(PaymentDeclined) as refusal:
        rig.gateway.pay_by_code(payment(code, order_no="T20261122_0002"))
    assert refusal.value.reason is DeclineReason.CODE_INVALID
    assert rig.charged_fen("T20261122_0002") == 0


def test_a_password_makes_it_pending_then_approved(rig: Rig) -> None:
    assert rig.gateway.pay_by_code(payment(rig.code(asks=True))).state is PaymentState.PENDING
    assert rig.gateway.query(ORDER).state is PaymentState.PENDING
    assert rig.charged_fen(ORDER) == 0
    rig.finish(ORDER, pays=True)
    answer = rig.gateway.query(ORDER)
    assert (answer.state, answer.amount_fen) == (PaymentState.APPROVED, 1250)
    assert rig.charged_fen(ORDER) == 1250


def test_a_cancelled_password_ends_the_order_and_charges_nothing(rig: Rig) -> None:
    rig.gateway.pay_by_code(payment(rig.code(asks=True)))
    rig.finish(ORDER, pays=False)
    assert rig.gateway.query(ORDER).state in (PaymentState.DECLINED, PaymentState.VOIDED)
    assert rig.charged_fen(ORDER) == 0


def test_a_lost_answer_is_unknown_and_the_query_says_approved(rig: Rig) -> None:
    code = rig.code()
    rig.lose_answer("pay", processed=True)
    with pytest.raises(OutcomeUnknown, match=ORDER):
        rig.gateway.pay_by_code(payment(code))
    answer = rig.gateway.query(ORDER)
    assert (answer.state, answer.amount_fen) == (PaymentState.APPROVED, 1250)
    assert rig.charged_fen(ORDER) == 1250


def test_a_lost_request_is_unknown_and_the_query_says_absent(rig: Rig) -> None:
    code = rig.code()
    rig.lose_answer("pay", processed=False)
    with pytest.raises(OutcomeUnknown, match=ORDER):
        rig.gateway.pay_by_code(payment(code))
    assert rig.gateway.query(ORDER).state is PaymentState.ABSENT
    assert rig.charged_fen(ORDER) == 0


def test_without_a_connection_a_payment_is_unavailable_and_not_charged(rig: Rig) -> None:
    code = rig.code()
    rig.be_unreachable("pay")
    with pytest.raises(Unavailable, match=ORDER):
        rig.gateway.pay_by_code(payment(code))
    assert rig.charged_fen(ORDER) == 0


@pytest.mark.parametrize("call", ["query", "reverse"])
def test_questions_without_an_answer_are_unavailable_and_can_be_repeated(rig: Rig, call: str) -> None:
    rig.gateway.pay_by_code(payment(rig.code()))
    rig.be_unreachable(call)
    ask = rig.gateway.query if call == "query" else rig.gateway.reverse
    with pytest.raises(Unavailable, match=ORDER):
        ask(ORDER)
    assert ask(ORDER).state is (PaymentState.APPROVED if call == "query" else PaymentState.VOIDED)


def test_an_order_that_was_never_sent_is_absent(rig: Rig) -> None:
    assert rig.gateway.query("T_never_sent").state is PaymentState.ABSENT
    assert rig.gateway.reverse("T_never_sent").state is PaymentState.ABSENT


def test_reversing_a_paid_order_gives_the_money_back(rig: Rig) -> None:
    rig.gateway.pay_by_code(payment(rig.code()))
    assert rig.gateway.reverse(ORDER).state is PaymentState.VOIDED
    assert rig.charged_fen(ORDER) == 0
    assert rig.gateway.query(ORDER).state is PaymentState.VOIDED


def test_reversing_a_pending_order_stops_it(rig: Rig) -> None:
    rig.gateway.pay_by_code(payment(rig.code(asks=True)))
    assert rig.gateway.reverse(ORDER).state is PaymentState.VOIDED
    assert rig.charged_fen(ORDER) == 0


def test_reversing_a_cancelled_order_is_final_too(rig: Rig) -> None:
    rig.gateway.pay_by_code(payment(rig.code(asks=True)))
    rig.finish(ORDER, pays=False)
    assert rig.gateway.reverse(ORDER).state is PaymentState.VOIDED


def test_a_repeated_reversal_gives_the_money_back_once(rig: Rig) -> None:
    other = "T20261122_0002"
    rig.gateway.pay_by_code(payment(rig.code()))
    rig.gateway.pay_by_code(payment(rig.code(), order_no=other))
    rig.lose_answer("reverse", processed=True)
    with pytest.raises(Unavailable):
        rig.gateway.reverse(ORDER)
    assert rig.charged_fen(ORDER) == 0
    for _ in range(2):
        assert rig.gateway.reverse(ORDER).state is PaymentState.VOIDED
    assert (rig.charged_fen(ORDER), rig.charged_fen(other)) == (0, 1250)


def test_the_same_payment_again_charges_once_and_says_so(rig: Rig) -> None:
    again = payment(rig.code())
    first = rig.gateway.pay_by_code(again)
    assert rig.gateway.pay_by_code(again) == first
    assert rig.charged_fen(ORDER) == 1250


def test_the_same_pending_payment_again_stays_pending(rig: Rig) -> None:
    again = payment(rig.code(asks=True))
    rig.gateway.pay_by_code(again)
    assert rig.gateway.pay_by_code(again).state is PaymentState.PENDING
    rig.finish(ORDER, pays=True)
    assert rig.gateway.pay_by_code(again).state is PaymentState.APPROVED
    assert rig.charged_fen(ORDER) == 1250


def test_the_same_number_with_another_amount_is_unknown_and_charges_nothing_more(rig: Rig) -> None:
    code = rig.code()
    rig.gateway.pay_by_code(payment(code))
    with pytest.raises(OutcomeUnknown):
        rig.gateway.pay_by_code(payment(code, amount_fen=1300))
    assert rig.charged_fen(ORDER) == 1250


def test_a_reversed_order_cannot_be_paid_again(rig: Rig) -> None:
    again = payment(rig.code())
    rig.gateway.pay_by_code(again)
    rig.gateway.reverse(ORDER)
    with pytest.raises(PaymentDeclined) as refusal:
        rig.gateway.pay_by_code(again)
    assert refusal.value.reason is DeclineReason.ORDER_CLOSED
    assert rig.charged_fen(ORDER) == 0


@pytest.mark.parametrize("amount_fen", [1, 99, 100_000])
def test_amounts_pass_to_the_fen(rig: Rig, amount_fen: int) -> None:
    answer = rig.gateway.pay_by_code(payment(rig.code(), amount_fen))
    assert answer.amount_fen == amount_fen == rig.charged_fen(ORDER)


def test_every_legal_number_can_be_paid_asked_for_and_reversed(rig: Rig) -> None:
    for order_no in rig.numbers:
        rig.gateway.pay_by_code(payment(rig.code(), order_no=order_no))
        assert rig.gateway.query(order_no).state is PaymentState.APPROVED
        assert rig.gateway.reverse(order_no).state is PaymentState.VOIDED
