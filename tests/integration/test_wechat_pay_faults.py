"""The shipped client against the simulated gateway when the wire, the gateway or a stranger misbehaves."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from edge.clock import Instant
from edge.errors import OutcomeUnknown, Unavailable
from edge.gateways.wechat_pay.client import WeChatPayGateway
from edge.gateways.wechat_pay.settings import WeChatPaySettings, load_verifiers
from edge.services.payment_ports import CodePayment, DeclineReason, PaymentDeclined, PaymentState
from sim.gateway import Credentials, Fault, GatewayServer, Habit, make_credentials
from sim.gateway.signatures import Mode
from tests.contract.test_gateway import digits, settings_for

ORDER = "T20261122-0001"
START_AT = 1_795_000_000_000

#: Faults after which money has moved, and no answer that can be believed came back.
CHARGED = [
    Fault.DROP_AFTER,
    Fault.SYSTEM_ERROR_AFTER,
    Fault.BAD_SIGNATURE,
    Fault.NO_SIGNATURE,
    Fault.STALE_SIGNATURE,
    Fault.UNKNOWN_SERIAL,
    Fault.FORGED_REFUSAL,
    Fault.BROKEN_JSON,
    Fault.CUT,
    Fault.HUGE,
    Fault.WRONG_AMOUNT,
    Fault.WRONG_ORDER,
]


class HandClock:
    """A clock that moves only by hand."""

    def __init__(self) -> None:
        self.wall_at = START_AT

    def now(self) -> Instant:
        return Instant(self.wall_at, "boot-1", self.wall_at * 1_000_000, True)


class CountingIds:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0

    def new_id(self) -> str:
        with self._lock:
            self._count += 1
            return f"00000000-0000-7000-8000-{self._count:012d}"

    def new_token(self) -> str:
        return self.new_id()


@dataclass
class Till:
    """One client, one gateway, one shopper."""

    server: GatewayServer
    gateway: WeChatPayGateway
    settings: WeChatPaySettings
    clock: HandClock
    ids: CountingIds
    wallet_id: str

    def payment(self, amount_fen: int = 1250, order_no: str = ORDER) -> CodePayment:
        code = self.server.books.show_code(self.wallet_id).code
        return CodePayment(order_no, amount_fen, "sundries", code, "till-1")

    def charged_fen(self, order_no: str = ORDER) -> int:
        return self.server.books.charged_fen(order_no)


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return make_credentials(tmp_path_factory.mktemp("keys"), digits)


@pytest.fixture
def till(credentials: Credentials) -> Iterator[Till]:
    clock = HandClock()
    with GatewayServer(credentials, lambda: clock.wall_at, digits) as server:
        settings, ids = settings_for(credentials, server.url), CountingIds()
        gateway = WeChatPayGateway(settings, clock, ids)
        wallet = server.books.add_wallet("shopper", 200_000)
        yield Till(server, gateway, settings, clock, ids, wallet.wallet_id)
        gateway.close()


@pytest.mark.parametrize("fault", CHARGED)
def test_a_charge_whose_answer_cannot_be_believed_is_unknown_and_a_query_finds_it(
    till: Till, fault: Fault
) -> None:
    till.server.faults.add("codepay", fault)
    with pytest.raises(OutcomeUnknown, match=f"{ORDER} may or may not"):
        till.gateway.pay_by_code(till.payment())
    assert till.charged_fen() == 1250
    assert till.gateway.query(ORDER).state is PaymentState.APPROVED
    assert till.server.faults.waiting() == ()


def test_a_server_error_before_the_charge_is_unknown_too_and_a_query_says_absent(till: Till) -> None:
    till.server.faults.add("codepay", Fault.SYSTEM_ERROR_BEFORE)
    with pytest.raises(OutcomeUnknown, match="500 SYSTEM_ERROR"):
        till.gateway.pay_by_code(till.payment())
    assert till.gateway.query(ORDER).state is PaymentState.ABSENT


def test_a_throttled_payment_was_not_taken_in(till: Till) -> None:
    till.server.faults.add("codepay", Fault.RATE_LIMIT)
    with pytest.raises(Unavailable, match="FREQUENCY_LIMITED 268447840"):
        till.gateway.pay_by_code(till.payment())
    assert till.charged_fen() == 0


def test_a_request_delivered_twice_charges_once_and_is_approved(till: Till) -> None:
    till.server.faults.add("codepay", Fault.DUPLICATE)
    answer = till.gateway.pay_by_code(till.payment())
    assert (answer.state, till.charged_fen()) == (PaymentState.APPROVED, 1250)


def test_paid_already_without_a_believable_query_stays_unknown(till: Till) -> None:
    till.server.faults.add("codepay", Fault.DUPLICATE)
    till.server.faults.add("query", Fault.BAD_SIGNATURE)
    with pytest.raises(OutcomeUnknown, match="paid already"):
        till.gateway.pay_by_code(till.payment())
    assert till.charged_fen() == 1250


@pytest.mark.parametrize("as_error", [False, True])
def test_both_forms_of_userpaying_are_pending(till: Till, as_error: bool) -> None:
    till.server.api.pending_as_error = as_error
    assert till.gateway.pay_by_code(till.payment(150_000)).state is PaymentState.PENDING
    till.clock.wall_at += 5_000
    answer = till.gateway.query(ORDER)
    assert (answer.state, answer.amount_fen) == (PaymentState.APPROVED, 150_000)


def test_an_unsigned_userpaying_only_means_that_the_till_goes_on_asking(till: Till) -> None:
    till.server.api.pending_as_error = True
    till.server.faults.add("codepay", Fault.NO_SIGNATURE)
    assert till.gateway.pay_by_code(till.payment(150_000)).state is PaymentState.PENDING


def test_an_old_code_is_declined_as_expired(till: Till) -> None:
    payment = till.payment()
    till.clock.wall_at += 60_000
    with pytest.raises(PaymentDeclined) as refusal:
        till.gateway.pay_by_code(payment)
    assert refusal.value.reason is DeclineReason.CODE_EXPIRED


@pytest.mark.parametrize(
    "fault", [Fault.BAD_SIGNATURE, Fault.NO_SIGNATURE, Fault.BROKEN_JSON, Fault.CUT, Fault.WRONG_ORDER]
)
@pytest.mark.parametrize("call", ["query", "reverse"])
def test_unbelievable_answers_to_questions_are_unavailable(till: Till, call: str, fault: Fault) -> None:
    till.gateway.pay_by_code(till.payment())
    # The reversal itself carries no result, so what counts is the query that follows it.
    till.server.faults.add("query", fault)
    with pytest.raises(Unavailable):
        till.gateway.query(ORDER) if call == "query" else till.gateway.reverse(ORDER)
    assert till.server.faults.waiting() == ()


def test_an_unsigned_absent_is_not_believed(till: Till) -> None:
    till.server.faults.add("query", Fault.NO_SIGNATURE)
    with pytest.raises(Unavailable, match="404 ORDER_NOT_EXIST"):
        till.gateway.query(ORDER)


def test_a_reversal_that_must_wait_for_the_password_is_pending_then_voided(till: Till) -> None:
    till.server.books.reverse_refused_while_paying = True
    till.gateway.pay_by_code(till.payment(150_000))
    waiting = till.gateway.reverse(ORDER)
    assert (waiting.state, waiting.detail) == (PaymentState.PENDING, "USERPAYING, reversal: 400 USERPAYING")
    till.server.books.enter_password(ORDER, Habit.TYPES)
    assert till.charged_fen() == 150_000
    assert till.gateway.reverse(ORDER).state is PaymentState.VOIDED
    assert till.charged_fen() == 0


def test_a_reversal_that_ends_in_a_server_error_is_judged_by_what_the_query_says(till: Till) -> None:
    till.gateway.pay_by_code(till.payment())
    till.server.faults.add("reverse", Fault.SYSTEM_ERROR_BEFORE)
    failed = till.gateway.reverse(ORDER)
    assert (failed.state, failed.detail) == (PaymentState.PENDING, "SUCCESS, reversal: 500 SYSTEM_ERROR")
    till.server.faults.add("reverse", Fault.SYSTEM_ERROR_AFTER)
    assert till.gateway.reverse(ORDER).state is PaymentState.VOIDED
    assert till.charged_fen() == 0


def test_a_wrong_password_keeps_the_payment_pending_until_the_shopper_gives_up(till: Till) -> None:
    till.gateway.pay_by_code(till.payment(150_000))
    till.server.books.enter_password(ORDER, Habit.WRONG)
    assert till.gateway.query(ORDER).state is PaymentState.PENDING
    till.server.books.enter_password(ORDER, Habit.CANCELS)
    assert till.gateway.query(ORDER).state is PaymentState.DECLINED
    assert till.charged_fen() == 0


@pytest.mark.parametrize("skew_s", [-400, 400])
def test_a_box_with_a_wrong_clock_is_told_so_and_charges_nothing(till: Till, skew_s: int) -> None:
    payment = till.payment()
    wrong = HandClock()
    wrong.wall_at = START_AT + skew_s * 1000
    gateway = WeChatPayGateway(till.settings, wrong, till.ids)
    with pytest.raises(Unavailable, match=r"SIGN_ERROR 268443699.*clock"):
        gateway.pay_by_code(payment)
    gateway.close()
    assert till.charged_fen() == 0


def test_a_late_charge_is_absent_first_and_can_still_be_undone(till: Till) -> None:
    """The charge is held up: the till gives up, asks, hears "absent", and the money moves after that."""
    settings = replace(till.settings, codepay_read_s=0.2)
    hasty = WeChatPayGateway(settings, till.clock, till.ids)
    till.server.faults.add("codepay", Fault.DELAY_BEFORE, delay_ms=120_000)
    with pytest.raises(OutcomeUnknown, match="ReadTimeout"):
        hasty.pay_by_code(till.payment())
    assert hasty.query(ORDER).state is PaymentState.ABSENT
    till.server.end_delays()
    arrived = threading.Event()
    for _ in range(500):
        if till.charged_fen():
            break
        arrived.wait(0.01)
    assert till.charged_fen() == 1250
    assert hasty.reverse(ORDER).state is PaymentState.VOIDED
    assert till.charged_fen() == 0
    hasty.close()


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_backup_domain_takes_over_when_the_first_is_not_reached(till: Till) -> None:
    dead = f"http://127.0.0.1:{closed_port()}"
    settings = replace(till.settings, base_url=dead, backup_url=till.server.url)
    gateway = WeChatPayGateway(settings, till.clock, till.ids)
    assert gateway.pay_by_code(till.payment()).state is PaymentState.APPROVED
    assert gateway.query(ORDER).state is PaymentState.APPROVED
    gateway.close()
    assert till.charged_fen() == 1250


def test_questions_go_to_the_backup_after_a_lost_answer_but_a_charge_never_does(till: Till) -> None:
    settings = replace(till.settings, backup_url=till.server.url.replace("127.0.0.1", "localhost"))
    gateway = WeChatPayGateway(settings, till.clock, till.ids)
    till.server.faults.add("codepay", Fault.DROP_BEFORE)
    with pytest.raises(OutcomeUnknown):
        gateway.pay_by_code(till.payment())
    assert till.charged_fen() == 0
    till.server.faults.add("query", Fault.DROP_BEFORE)
    assert gateway.query(ORDER).state is PaymentState.ABSENT
    till.server.faults.add("query", Fault.SYSTEM_ERROR_BEFORE)
    assert gateway.query(ORDER).state is PaymentState.ABSENT
    assert till.server.faults.waiting() == ()
    gateway.close()


def test_both_keys_verify_at_once_while_the_gateway_changes_over(
    till: Till, credentials: Credentials
) -> None:
    both = load_verifiers(
        {
            credentials.public_key_id: credentials.platform_public_key,
            credentials.platform_serial: credentials.platform_cert,
        }
    )
    gateway = WeChatPayGateway(replace(till.settings, verifiers=both), till.clock, till.ids)
    assert gateway.echo("hello").serial == credentials.public_key_id
    till.server.signatures.mode = Mode.CERTIFICATE
    assert gateway.echo("hello").serial == credentials.platform_serial
    gateway.close()
    with pytest.raises(Unavailable, match="no key for Wechatpay-Serial"):
        till.gateway.echo("hello")


def test_the_self_test_reports_the_difference_of_clocks(till: Till) -> None:
    ahead = HandClock()
    ahead.wall_at = START_AT + 40_000
    gateway = WeChatPayGateway(till.settings, ahead, till.ids)
    assert gateway.echo("hello").skew_s == -40
    gateway.close()


@pytest.mark.parametrize("fault", [None, Fault.BAD_SIGNATURE, Fault.CUT, Fault.SYSTEM_ERROR_AFTER])
def test_no_log_and_no_error_shows_the_code_the_key_or_the_authorization(
    till: Till, caplog: pytest.LogCaptureFixture, fault: Fault | None
) -> None:
    payment = till.payment()
    shown = [repr(payment), repr(till.settings)]
    if fault is not None:
        till.server.faults.add("codepay", fault)
    with caplog.at_level(logging.DEBUG):
        try:
            shown.append(repr(till.gateway.pay_by_code(payment)))
        except OutcomeUnknown as error:
            shown += _chain(error)
    assert f"codepay {ORDER}" in caplog.text
    for text in [*shown, caplog.text]:
        assert payment.code not in text
        assert "SHA256-RSA2048 " not in text
        assert "PRIVATE KEY" not in text


def test_a_refusal_that_repeats_the_code_does_not_pass_it_on(
    till: Till, caplog: pytest.LogCaptureFixture
) -> None:
    """The gateway's PARAM_ERROR names the field with its value; only the field may come through."""
    settings = replace(till.settings, device_ip="not an address")
    gateway = WeChatPayGateway(settings, till.clock, till.ids)
    with caplog.at_level(logging.DEBUG), pytest.raises(PaymentDeclined) as refusal:
        gateway.pay_by_code(till.payment())
    gateway.close()
    assert refusal.value.reason is DeclineReason.MERCHANT
    assert refusal.value.detail == "PARAM_ERROR 268435464 /scene_info/device_ip"
    assert "not an address" not in caplog.text + str(refusal.value)


def _chain(error: BaseException | None) -> list[str]:
    texts = []
    while error is not None:
        texts += [str(error), repr(error), *(repr(value) for value in vars(error).values())]
        error = error.__cause__ or error.__context__
    return texts
