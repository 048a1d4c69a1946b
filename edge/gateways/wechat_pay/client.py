"""WeChat Pay by payment code (付款码) and its refunds, behind the ports PaymentGateway and RefundGateway.

The rules of judgement, in one place: a refusal is final only when it is verified and documented as never
charged; whatever else comes back after a charge was sent is unknown; what was surely not sent is
unavailable. docs/protocols/wechat-pay.md has the table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

import httpx
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from edge.errors import OutcomeUnknown, Unavailable
from edge.gateways.line import Unreadable
from edge.gateways.wechat_pay import answers
from edge.gateways.wechat_pay.answers import ErrorAnswer
from edge.gateways.wechat_pay.bills import Account, Bills, FundFlow
from edge.gateways.wechat_pay.business_circle import BusinessCircle
from edge.gateways.wechat_pay.callbacks import Callbacks
from edge.gateways.wechat_pay.certificates import KeyReport, read_certificates
from edge.gateways.wechat_pay.channel import DOOR_REMEDY, Channel, describe, refused_at_the_door
from edge.gateways.wechat_pay.combine import Combine
from edge.gateways.wechat_pay.prepay import Prepay
from edge.gateways.wechat_pay.profit_sharing import ProfitSharing
from edge.gateways.wechat_pay.refunds import Refunds
from edge.gateways.wechat_pay.sealing import Unsealable
from edge.gateways.wechat_pay.settings import WeChatPaySettings
from edge.gateways.wechat_pay.vehicle import VehicleParking
from edge.gateways.wechat_pay.wire import Call, NoAnswer, NotSent, Reply, Wire
from edge.retail.bill import BillRow
from edge.services.payment_ports import (
    CodePayment,
    DeclineReason,
    GatewayAnswer,
    PaymentDeclined,
    PaymentState,
    RefundAnswer,
    RefundRequest,
)
from edge.services.ports import Clock, IdSource

_UNDONE = frozenset({PaymentState.VOIDED, PaymentState.REFUNDED, PaymentState.DECLINED})


@dataclass(frozen=True, slots=True)
class EchoReport:
    """What a self-test saw. skew_s: the gateway's clock minus ours. serial: the key that signed."""

    took_ms: int
    skew_s: int
    serial: str


class WeChatPayGateway:
    """WeChat Pay APIv3. Safe for use by several threads.

    merchant: our number. fetches_certificates: refresh_certificates is to be called. takes_phone_orders:
    callbacks have an address, without which no order for a phone can be made. own_merchant: the number that
    payments in one part go to (a service provider's sub-merchant's). prepay, combine: orders for the
    phone. callbacks: reads what it sends us. profit_sharing, business_circle, vehicle: what else this
    merchant may be enabled for.
    """

    name = "wechat_pay"

    def __init__(
        self,
        settings: WeChatPaySettings,
        clock: Clock,
        ids: IdSource,
        transport: httpx.BaseTransport | None = None,
        tenants: Mapping[str, WeChatPayGateway] | None = None,
    ) -> None:
        """`transport` replaces the network, for tests. tenants: by number, those who sign for themselves."""
        self._tenants = tenants or {}
        self._settings = settings
        self._wire = Wire(settings, clock, ids, transport)
        self._channel = Channel(settings, self._wire)
        self._refunds = Refunds(self._channel)
        self._bills = Bills(self._channel)
        self.merchant = settings.mchid
        self.own_merchant = settings.sub_mchid or settings.mchid
        self.fetches_certificates = settings.fetch_certificates
        self.takes_phone_orders = bool(settings.notify_url)
        self.prepay = Prepay(self._channel)
        self.combine = Combine(self._channel)
        self.profit_sharing = ProfitSharing(self._channel)
        self.business_circle = BusinessCircle(self._channel)
        self.vehicle = VehicleParking(self._channel)
        self.callbacks = Callbacks(self._wire.keys.at, settings.api_v3_key, self._channel.who)

    def pay_by_code(self, payment: CodePayment) -> GatewayAnswer:
        """Charge a payment code; returns APPROVED or PENDING, see the port. Raises Invalid before sending."""
        settings = self._settings
        body = answers.codepay_body(
            payment,
            who=self._channel.who,
            store_id=settings.store_id,
            device_ip=settings.device_ip,
        )
        order_no, read_s = payment.merchant_order_no, settings.codepay_read_s
        self._channel.need_keys("payment", order_no)
        call = Call(
            "codepay",
            order_no,
            "POST",
            f"{self._channel.who.transactions}/codepay",
            body,
            read_s,
            repeatable=False,
        )
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
        return self._query(answers.check_order_no(merchant_order_no), self._channel.deadline_ns())

    def reverse(self, merchant_order_no: str) -> GatewayAnswer:
        """Undo an order, then ask what became of it, since the reversal's answer carries no result."""
        order_no = answers.check_order_no(merchant_order_no)
        deadline_ns = self._channel.deadline_ns()
        who = self._channel.who
        call = self._channel.post("reverse", order_no, who.order_target(order_no, "reverse"), who.identity())
        reply = self._channel.verified(call, deadline_ns)
        answer = self._query(order_no, deadline_ns)
        if answer.state in _UNDONE:
            return replace(answer, state=PaymentState.VOIDED)
        if answer.state is PaymentState.ABSENT:
            return answer
        detail = answer.detail if reply.status < 400 else f"{answer.detail}, reversal: {describe(reply)}"
        return replace(answer, state=PaymentState.PENDING, detail=detail)

    def close_order(self, merchant_order_no: str) -> GatewayAnswer:
        """Close an unpaid order of the mini-program or a native code; never one by payment code (reverse it).

        Safe to repeat. Returns VOIDED when it is closed, else what the order is now: APPROVED when the
        shopper was faster, PENDING when it must be called again, ABSENT. Raises Unavailable when no
        verified answer came.
        """
        order_no = answers.check_order_no(merchant_order_no)
        deadline_ns = self._channel.deadline_ns()
        who = self._channel.who
        call = self._channel.post("close", order_no, who.order_target(order_no, "close"), who.merchants())
        reply = self._channel.verified(call, deadline_ns)
        if reply.status == 204:
            return GatewayAnswer(PaymentState.VOIDED, detail="CLOSED")
        answer = self._query(order_no, deadline_ns)
        return replace(answer, detail=f"{answer.detail}, closing: {describe(reply)}")

    def refund(self, request: RefundRequest) -> RefundAnswer:
        """Give money back; see the port RefundGateway."""
        tenant = self._tenants.get(request.merchant)
        if tenant is not None:
            return tenant.refund(replace(request, merchant=""))
        return self._refunds.refund(request)

    def query_refund(
        self, merchant_order_no: str, merchant_refund_no: str, merchant: str = ""
    ) -> RefundAnswer:
        """Return the state of one of our refunds; see the port RefundGateway."""
        tenant = self._tenants.get(merchant)
        if tenant is not None:
            return tenant.query_refund(merchant_order_no, merchant_refund_no)
        return self._refunds.query_refund(merchant_order_no, merchant_refund_no, merchant)

    @property
    def is_partner(self) -> bool:
        """Whether we act as a service provider."""
        return self._channel.who.is_partner

    def can_bill(self, merchant: str) -> bool:
        """Whether the bill of a tenant's number can be had."""
        return self.is_partner or merchant in self._tenants

    def sharing_of(self, merchant: str) -> ProfitSharing:
        """Return how payments to a sub-merchant are shared; "" for those to our own number."""
        return ProfitSharing(self._channel_of(merchant)) if merchant else self.profit_sharing

    def bill_of(self, merchant: str, day: date) -> Iterator[BillRow]:
        """Return the rows of one day's bill of a tenant's number; see trade_bill.

        Under the tenant's own signature, or as a service provider.
        """
        tenant = self._tenants.get(merchant)
        if tenant is not None:
            return tenant.trade_bill(day)
        return Bills(self._channel_of(merchant)).trade_bill(day)

    def _channel_of(self, merchant: str) -> Channel:
        settings = replace(self._settings, sub_mchid=merchant, sub_appid="")
        return Channel(settings, self._wire)

    def trade_bill(self, day: date) -> Iterator[BillRow]:
        """Return the rows of one day's bill; see the port BillSource."""
        return self._bills.trade_bill(day)

    def fund_flow_bill(self, day: date, account: Account = Account.BASIC) -> Iterator[FundFlow]:
        """Return one day's bookings in one of the merchant's accounts; the same rules as trade_bill."""
        return self._bills.fund_flow_bill(day, account)

    def refresh_certificates(self) -> tuple[str, ...]:
        """Fetch the gateway's certificates, at start and every 12 hours; return the serials that are new.

        The ones at hand stay in use when it fails. Raises Unavailable.
        """
        settings = self._settings
        call = self._channel.get("certificates", "-", "/v3/certificates", {"algorithm_type": "RSA"})
        try:
            reply = self._wire.exchange(call, self._channel.deadline_ns(), self._keys_in)
            if reply.status != 200 or reply.unverified:
                raise Unreadable(describe(reply))
            found = read_certificates(reply.body, settings.api_v3_key)
        except (NotSent, NoAnswer, Unreadable, Unsealable) as error:
            problem = str(error)
        else:
            return self._wire.keys.add(found, self._wire.now_s())
        raise Unavailable(f"WeChat Pay: no certificates came ({problem}); the ones at hand stay in use")

    def key_reports(self) -> tuple[KeyReport, ...]:
        """Return the gateway's keys that are believed, with their ends, for `doctor`."""
        return self._wire.keys.report()

    def echo(self, message: str) -> EchoReport:
        """Have the gateway verify our signature and sign an answer (POST /v3/security/echo), for `doctor`.

        message: short ASCII. Raises Unavailable that says which part failed.
        """
        call = self._channel.post("echo", "-", "/v3/security/echo", {"echo_message": message})
        reply = self._channel.verified(call, self._channel.deadline_ns())
        if reply.status != 200 or _echoed(reply) != message:
            raise Unavailable(f"WeChat Pay answered the self-test with {describe(reply)}")
        ours_s = self._wire.now_s()
        return EchoReport(reply.took_ms, (reply.gateway_time_s or ours_s) - ours_s, reply.serial)

    def close(self) -> None:
        """Close all connections."""
        for tenant in self._tenants.values():
            tenant.close()
        self._wire.close()

    def _keys_in(self, body: bytes) -> dict[str, RSAPublicKey]:
        try:
            return {one.serial: one.key for one in read_certificates(body, self._settings.api_v3_key)}
        except (Unreadable, Unsealable):
            return {}

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
        if refused_at_the_door(reply, error):
            raise Unavailable(
                f"WeChat Pay took no payment {order_no} ({error}); {DOOR_REMEDY}, then try again"
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
            answer = self._query(payment.merchant_order_no, self._channel.deadline_ns())
        except Unavailable as error:
            raise _unknown(
                payment.merchant_order_no, f"paid already by an earlier try, but {error}"
            ) from None
        return _settle(payment, answer)

    def _query(self, order_no: str, deadline_ns: int) -> GatewayAnswer:
        target = self._channel.who.order_target(order_no)
        reply = self._channel.verified(self._channel.get("query", order_no, target), deadline_ns)
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
        return answers.read_transaction(reply.body, who=self._channel.who, order_no=order_no)


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
