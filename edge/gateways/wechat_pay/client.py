"""WeChat Pay by payment code (付款码), behind the port PaymentGateway.

The rules of judgement, in one place: a refusal is final only when it is verified and documented as never
charged; whatever else comes back after a charge was sent is unknown; what was surely not sent is
unavailable. docs/protocols/wechat-pay.md has the table.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import quote

import httpx

from edge.errors import OutcomeUnknown, Unavailable
from edge.gateways.wechat_pay import answers
from edge.gateways.wechat_pay.answers import ErrorAnswer, Unreadable
from edge.gateways.wechat_pay.settings import WeChatPaySettings
from edge.gateways.wechat_pay.wire import Call, NoAnswer, NotSent, Reply, Wire
from edge.services.payment_ports import (
    CodePayment,
    DeclineReason,
    GatewayAnswer,
    PaymentDeclined,
    PaymentState,
)
from edge.services.ports import Clock, IdSource

_TRANSACTIONS = "/v3/pay/transactions"
_UNDONE = frozenset({PaymentState.VOIDED, PaymentState.REFUNDED, PaymentState.DECLINED})


@dataclass(frozen=True, slots=True)
class EchoReport:
    """What a self-test saw. skew_s: the gateway's clock minus ours. serial: the key that signed."""

    took_ms: int
    skew_s: int
    serial: str


class WeChatPayGateway:
    """WeChat Pay APIv3, direct merchant. Safe for use by several threads."""

    name = "wechat_pay"

    def __init__(
        self,
        settings: WeChatPaySettings,
        clock: Clock,
        ids: IdSource,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`transport` replaces the network, for tests."""
        self._settings = settings
        self._wire = Wire(settings, clock, ids, transport)

    def pay_by_code(self, payment: CodePayment) -> GatewayAnswer:
        """Charge a payment code; returns APPROVED or PENDING, see the port. Raises Invalid before sending."""
        settings = self._settings
        body = answers.codepay_body(
            payment,
            appid=settings.appid,
            mchid=settings.mchid,
            store_id=settings.store_id,
            device_ip=settings.device_ip,
        )
        order_no, read_s = payment.merchant_order_no, settings.codepay_read_s
        call = Call("codepay", order_no, "POST", f"{_TRANSACTIONS}/codepay", body, read_s, repeatable=False)
        problem: Unavailable | OutcomeUnknown
        try:
            reply = self._wire.exchange(call, self._wire.deadline_ns(settings.connect_s + read_s))
        except NotSent as error:
            problem = Unavailable(
                f"WeChat Pay was not reached for {order_no} ({error}); try again or pay otherwise"
            )
        except NoAnswer as error:
            problem = _unknown(order_no, str(error))
        else:
            return self._judge_payment(payment, reply)
        raise problem

    def query(self, merchant_order_no: str) -> GatewayAnswer:
        """Return the verified state of one of our orders; see the port."""
        return self._query(answers.check_order_no(merchant_order_no), self._query_deadline_ns())

    def reverse(self, merchant_order_no: str) -> GatewayAnswer:
        """Undo an order, then ask what became of it, since the reversal's answer carries no result."""
        order_no = answers.check_order_no(merchant_order_no)
        deadline_ns = self._query_deadline_ns()
        body = answers.to_json({"appid": self._settings.appid, "mchid": self._settings.mchid})
        target = f"{_order_path(order_no)}/reverse"
        call = Call("reverse", order_no, "POST", target, body, self._settings.read_s, repeatable=True)
        reply = self._verified(call, deadline_ns)
        answer = self._query(order_no, deadline_ns)
        if answer.state in _UNDONE:
            return replace(answer, state=PaymentState.VOIDED)
        if answer.state is PaymentState.ABSENT:
            return answer
        detail = answer.detail if reply.status < 400 else f"{answer.detail}, reversal: {_describe(reply)}"
        return replace(answer, state=PaymentState.PENDING, detail=detail)

    def echo(self, message: str) -> EchoReport:
        """Have the gateway verify our signature and sign an answer (POST /v3/security/echo), for `doctor`.

        message: short ASCII. Raises Unavailable that says which part failed.
        """
        body = answers.to_json({"echo_message": message})
        call = Call("echo", "-", "POST", "/v3/security/echo", body, self._settings.read_s, repeatable=True)
        reply = self._verified(call, self._query_deadline_ns())
        if reply.status != 200 or _echoed(reply) != message:
            raise Unavailable(f"WeChat Pay answered the self-test with {_describe(reply)}")
        ours_s = self._wire.now_s()
        return EchoReport(reply.took_ms, (reply.gateway_time_s or ours_s) - ours_s, reply.serial)

    def close(self) -> None:
        """Close all connections."""
        self._wire.close()

    def _judge_payment(self, payment: CodePayment, reply: Reply) -> GatewayAnswer:
        order_no = payment.merchant_order_no
        if reply.status in (200, 202) and b'"trade_state"' in reply.body:
            return self._judge_transaction(payment, reply)
        try:
            error = answers.read_error(reply.body, reply.request_id)
        except Unreadable as unreadable:
            raise _unknown(order_no, f"{reply.status}, {unreadable}") from None
        return self._judge_refusal(payment, reply, error)

    def _judge_transaction(self, payment: CodePayment, reply: Reply) -> GatewayAnswer:
        order_no = payment.merchant_order_no
        if reply.unverified:
            raise _unknown(order_no, reply.unverified)
        try:
            answer = self._transaction(reply, order_no)
        except Unreadable as unreadable:
            raise _unknown(order_no, str(unreadable)) from None
        return _settle(payment, answer)

    def _judge_refusal(self, payment: CodePayment, reply: Reply, error: ErrorAnswer) -> GatewayAnswer:
        order_no = payment.merchant_order_no
        if error.is_pending:
            return GatewayAnswer(PaymentState.PENDING, detail=str(error))
        if _refused_at_the_door(reply, error):
            raise Unavailable(
                f"WeChat Pay took no payment {order_no} ({error}); {_DOOR_REMEDY}, then try again"
            )
        if reply.unverified:
            raise _unknown(order_no, f"{error}, but {reply.unverified}")
        if error.is_paid_already:
            return self._confirm_paid(payment)
        if error.decline_reason is not None:
            raise _declined(order_no, error.decline_reason, str(error))
        raise _unknown(order_no, f"{reply.status} {error}")

    def _confirm_paid(self, payment: CodePayment) -> GatewayAnswer:
        try:
            answer = self._query(payment.merchant_order_no, self._query_deadline_ns())
        except Unavailable as error:
            raise _unknown(
                payment.merchant_order_no, f"paid already by an earlier try, but {error}"
            ) from None
        return _settle(payment, answer)

    def _query(self, order_no: str, deadline_ns: int) -> GatewayAnswer:
        target = f"{_order_path(order_no)}?mchid={quote(self._settings.mchid, safe='')}"
        reply = self._verified(
            Call("query", order_no, "GET", target, b"", self._settings.read_s, repeatable=True), deadline_ns
        )
        try:
            if reply.status == 200:
                return self._transaction(reply, order_no)
            error = answers.read_error(reply.body, reply.request_id)
        except Unreadable as unreadable:
            raise Unavailable(f"WeChat Pay's answer about {order_no} is of no use: {unreadable}") from None
        if error.is_absent:
            return GatewayAnswer(PaymentState.ABSENT, detail=str(error))
        raise Unavailable(
            f"WeChat Pay does not tell about {order_no}: {reply.status} {error}; ask again later"
        )

    def _transaction(self, reply: Reply, order_no: str) -> GatewayAnswer:
        identity = self._settings
        return answers.read_transaction(
            reply.body, appid=identity.appid, mchid=identity.mchid, order_no=order_no
        )

    def _verified(self, call: Call, deadline_ns: int) -> Reply:
        """Exchange a repeatable call; raise Unavailable unless a verified answer came."""
        what = f"{call.name} {call.subject}"
        try:
            reply = self._wire.exchange(call, deadline_ns)
        except (NotSent, NoAnswer) as error:
            problem = f"no answer to {what} ({error})"
        else:
            if not reply.unverified:
                return reply
            problem = f"no verified answer to {what}: {_describe(reply)}"
        raise Unavailable(f"WeChat Pay: {problem}; try again")

    def _query_deadline_ns(self) -> int:
        return self._wire.deadline_ns(self._settings.connect_s + 2 * self._settings.read_s)


_DOOR_REMEDY = "check the merchant key, its serial, this box's clock and the call rate"


def _order_path(order_no: str) -> str:
    return f"{_TRANSACTIONS}/out-trade-no/{quote(order_no, safe='*')}"


def _refused_at_the_door(reply: Reply, error: ErrorAnswer) -> bool:
    """Whether the request was surely not taken in.

    SIGN_ERROR is the one answer that the gateway cannot be asked to sign: it signs only what it answers to
    requests whose signature it could verify.
    """
    if reply.status == 401 and error.code == "SIGN_ERROR":
        return True
    return not reply.unverified and error.code in answers.THROTTLED


def _settle(payment: CodePayment, answer: GatewayAnswer) -> GatewayAnswer:
    """Return a verified answer about this payment if money is or may be on its way; raise otherwise."""
    order_no = payment.merchant_order_no
    if answer.amount_fen is not None and answer.amount_fen != payment.amount_fen:
        raise _unknown(order_no, f"asked for {payment.amount_fen} fen, the answer says {answer.amount_fen}")
    if answer.state in (PaymentState.APPROVED, PaymentState.PENDING):
        return answer
    if answer.state is PaymentState.DECLINED:
        raise _declined(order_no, DeclineReason.NOT_CONFIRMED, answer.detail)
    if answer.state is PaymentState.ABSENT:
        raise _unknown(order_no, "the gateway's answers contradict each other")
    raise _declined(order_no, DeclineReason.ORDER_CLOSED, answer.detail)


def _declined(order_no: str, reason: DeclineReason, detail: str) -> PaymentDeclined:
    return PaymentDeclined(f"WeChat Pay refused {order_no}: {detail}", reason=reason, detail=detail)


def _unknown(order_no: str, why: str) -> OutcomeUnknown:
    return OutcomeUnknown(f"payment {order_no} may or may not have been charged ({why}); query it")


def _echoed(reply: Reply) -> object:
    try:
        return answers.parse_object(reply.body).get("echo_message")
    except Unreadable:
        return None


def _describe(reply: Reply) -> str:
    try:
        error = answers.read_error(reply.body, reply.request_id)
    except Unreadable:
        words = [f"status {reply.status}", reply.unverified]
    else:
        cause = _DOOR_REMEDY if _refused_at_the_door(reply, error) else reply.unverified
        words = [f"{reply.status} {error}", cause]
    return ", ".join(word for word in words if word)
