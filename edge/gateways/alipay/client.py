"""Alipay by payment code (付款码), behind the ports PaymentGateway, RefundGateway, BillSource.

The rules of judgement, in one place: a refusal is final only when it is verified and documented as never
charged; whatever else comes back after a charge was sent is unknown; what was surely not sent is
unavailable. docs/protocols/alipay.md has the table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import httpx

from edge.errors import OutcomeUnknown, Unavailable
from edge.gateways.alipay import answers, bills
from edge.gateways.alipay.settings import AlipaySettings
from edge.gateways.alipay.wire import Reply, Wire
from edge.gateways.line import NoAnswer, NotSent, Unreadable
from edge.retail.bill import BillRow
from edge.services.payment_ports import (
    BillNotReady,
    CodePayment,
    DeclineReason,
    GatewayAnswer,
    PaymentDeclined,
    PaymentState,
    RefundAnswer,
    RefundNeedsFunds,
    RefundRefused,
    RefundRequest,
    RefundState,
)
from edge.services.ports import Clock

_PAY = "alipay.trade.pay"
_QUERY = "alipay.trade.query"
_CANCEL = "alipay.trade.cancel"
_REFUND = "alipay.trade.refund"
_BILL = "alipay.data.dataservice.bill.downloadurl.query"
_REFUND_QUERY = "alipay.trade.fastpay.refund.query"
_TOO_LATE_TO_CANCEL = "ACQ.TRADE_CANCEL_TIME_OUT"
_DOOR_REMEDY = "check app_id, the application's key and this box's clock"


class AlipayGateway:
    """Alipay's open platform, payment code. Safe for use by several threads."""

    name = "alipay"

    def __init__(
        self, settings: AlipaySettings, clock: Clock, transport: httpx.BaseTransport | None = None
    ) -> None:
        """`transport` replaces the network, for tests."""
        self._settings = settings
        #: Under which the bills' days are kept; Alipay's bills are per application's account.
        self.merchant = settings.app_id
        self._wire = Wire(settings, clock, transport)

    def pay_by_code(self, payment: CodePayment) -> GatewayAnswer:
        """Charge a payment code; returns APPROVED or PENDING, see the port. Raises Invalid before sending."""
        content = answers.pay_content(payment, self._settings.store_id)
        order_no = payment.merchant_order_no
        reply = self._act(_PAY, order_no, content, self._settings.pay_read_s)
        verdict = reply.verdict
        if verdict.code == answers.WAITING:
            return GatewayAnswer(PaymentState.PENDING, detail=str(verdict))
        if reply.unverified:
            raise _unknown(order_no, f"{verdict}, but {reply.unverified}")
        if verdict.code == answers.OK:
            return _settle(payment, _payment(reply, order_no))
        if verdict.is_paid_already:
            return self._confirm_paid(payment)
        if verdict.decline_reason is not None:
            raise _declined(order_no, verdict.decline_reason, str(verdict))
        raise _unknown(order_no, str(verdict))

    def query(self, merchant_order_no: str) -> GatewayAnswer:
        """Return the verified state of one of our orders; see the port."""
        answers.check_order_no(merchant_order_no)
        return self._query(merchant_order_no, self._deadline_ns())

    def reverse(self, merchant_order_no: str) -> GatewayAnswer:
        """Undo an order, then ask what became of it: the answer to alipay.trade.cancel may leave that out.

        An order that was paid too long ago to be cancelled (a day) is refunded in full instead.
        """
        content, deadline_ns = answers.order_content(merchant_order_no), self._deadline_ns()
        reply = self._verified(_CANCEL, merchant_order_no, content, deadline_ns)
        answer = self._query(merchant_order_no, deadline_ns)
        if reply.verdict.sub == _TOO_LATE_TO_CANCEL and answer.state is PaymentState.APPROVED:
            return self._give_back(merchant_order_no, answer)
        if answer.state in (PaymentState.VOIDED, PaymentState.ABSENT):
            return answer
        detail = f"{answer.detail}, reversal: {_describe_cancel(reply)}"
        return replace(answer, state=PaymentState.PENDING, detail=detail)

    def refund(self, request: RefundRequest) -> RefundAnswer:
        """Give money back; see the port. Alipay names no number of its own for a refund."""
        refund_no, order_no = request.merchant_refund_no, request.merchant_order_no
        content = answers.refund_content(request)
        reply = self._act(_REFUND, refund_no, content, self._settings.read_s)
        verdict = reply.verdict
        if reply.unverified:
            raise _unknown(refund_no, f"{verdict}, but {reply.unverified}")
        if verdict.code == answers.OK:
            return self._judge_refund(request, reply)
        if verdict.code == answers.REFUSED and verdict.sub in answers.REFUND_LATER:
            raise RefundNeedsFunds(
                f"Alipay gave nothing back for refund {refund_no} of {order_no} ({verdict}); put money into "
                "the merchant's account or have the order set free there, then try again"
            )
        if verdict.code in answers.NOT_TAKEN_IN or verdict.sub in answers.NEVER_REFUNDED:
            raise RefundRefused(
                f"Alipay refused refund {refund_no} of {order_no}: {verdict}", detail=str(verdict)
            )
        raise _unknown(refund_no, str(verdict))

    def query_refund(
        self, merchant_order_no: str, merchant_refund_no: str, merchant: str = ""
    ) -> RefundAnswer:
        """Return the verified state of one of our refunds; see the port."""
        content = answers.refund_query_content(merchant_order_no, merchant_refund_no)
        reply = self._verified(_REFUND_QUERY, merchant_refund_no, content, self._deadline_ns())
        if reply.verdict.is_absent:
            return RefundAnswer(RefundState.ABSENT, detail=str(reply.verdict))
        if reply.verdict.code != answers.OK:
            raise _silent(merchant_refund_no, str(reply.verdict))
        try:
            return answers.read_refund(reply.content, merchant_order_no, merchant_refund_no)
        except Unreadable as unreadable:
            raise _silent(merchant_refund_no, str(unreadable)) from None

    def trade_bill(self, day: date) -> Iterator[BillRow]:
        """Return the rows of one day's payments and refunds, all checked first; see the port BillSource."""
        what = f"Alipay trade bill of {day.isoformat()}"
        content = answers.to_json({"bill_type": "trade", "bill_date": day.isoformat()})
        reply = self._verified(_BILL, day.isoformat(), content, self._deadline_ns())
        if reply.verdict.sub.upper().replace("-", "_").endswith("BILL_NOT_EXIST"):
            raise BillNotReady(f"there is no {what}: it is made in the morning, and not of every day")
        url = reply.content.get("bill_download_url")
        if reply.verdict.code != answers.OK or not isinstance(url, str):
            raise _silent(what, str(reply.verdict))
        file = bills.new_file()
        try:
            self._wire.download(url, day.isoformat(), file, bills.MOST_FILE_BYTES)
        except (NotSent, NoAnswer, Unreadable) as error:
            file.close()
            problem = Unavailable(f"the {what} was not downloaded ({error}); fetch it again")
        else:
            return bills.checked_rows(file, what)
        raise problem

    def close(self) -> None:
        """Close all connections."""
        self._wire.close()

    def _judge_refund(self, request: RefundRequest, reply: Reply) -> RefundAnswer:
        """Read a 10000: with fund_change "Y" money went back now, else only a query can tell.

        The amount is the asked one; Alipay's refund_fee is the sum of all refunds of the order.
        """
        refund_no = request.merchant_refund_no
        if reply.content.get("out_trade_no") != request.merchant_order_no:
            raise _unknown(refund_no, "the answer is about another order")
        if reply.content.get("fund_change") == "Y":
            return RefundAnswer(RefundState.DONE, amount_fen=request.amount_fen, detail="fund_change Y")
        try:
            answer = self.query_refund(request.merchant_order_no, refund_no)
        except Unavailable as error:
            raise _unknown(refund_no, f"fund_change N, and {error}") from None
        if answer.state is RefundState.ABSENT:
            raise _unknown(refund_no, "fund_change N, and not to be found yet")
        return answer

    def _give_back(self, order_no: str, answer: GatewayAnswer) -> GatewayAnswer:
        """Refund a paid order in full, under the order's own number, so that it happens once."""
        amount_fen = answer.amount_fen or 0
        try:
            refund = self.refund(RefundRequest(order_no, order_no, amount_fen, amount_fen, "撤销"))
        except (OutcomeUnknown, RefundRefused) as error:
            return replace(answer, state=PaymentState.PENDING, detail=str(error)[:200])
        state = PaymentState.VOIDED if refund.state is RefundState.DONE else PaymentState.PENDING
        return replace(answer, state=state, detail=f"refunded, {refund.detail}")

    def _confirm_paid(self, payment: CodePayment) -> GatewayAnswer:
        order_no = payment.merchant_order_no
        try:
            answer = self._query(order_no, self._deadline_ns())
        except Unavailable as error:
            raise _unknown(order_no, f"paid already by an earlier try, but {error}") from None
        return _settle(payment, answer)

    def _query(self, order_no: str, deadline_ns: int) -> GatewayAnswer:
        reply = self._verified(_QUERY, order_no, answers.order_content(order_no), deadline_ns)
        if reply.verdict.is_absent:
            return GatewayAnswer(PaymentState.ABSENT, detail=str(reply.verdict))
        if reply.verdict.code != answers.OK:
            raise _silent(order_no, str(reply.verdict))
        try:
            return answers.read_trade(reply.content, order_no)
        except Unreadable as unreadable:
            raise _silent(order_no, str(unreadable)) from None

    def _act(self, method: str, subject: str, content: str, read_s: float) -> Reply:
        """Exchange a call that moves money; raise Unavailable when it was surely not taken in."""
        deadline_ns = self._wire.deadline_ns(self._settings.connect_s + read_s)
        problem: Unavailable | OutcomeUnknown
        try:
            reply = self._wire.exchange(method, subject, content, read_s, deadline_ns)
        except NotSent as error:
            problem = Unavailable(
                f"Alipay was not reached for {subject} ({error}); try again or pay otherwise"
            )
        except (NoAnswer, Unreadable) as error:
            problem = _unknown(subject, str(error))
        else:
            if _refused_at_the_door(reply):
                raise Unavailable(
                    f"Alipay took no {method} {subject} ({reply.verdict}); {_DOOR_REMEDY}, then try again"
                )
            return reply
        raise problem

    def _verified(self, method: str, subject: str, content: str, deadline_ns: int) -> Reply:
        """Exchange a call that can be repeated; raise Unavailable unless a verified answer came."""
        what = f"{method} {subject}"
        try:
            reply = self._wire.exchange(method, subject, content, self._settings.read_s, deadline_ns)
        except (NotSent, NoAnswer, Unreadable) as error:
            problem = f"no answer to {what} ({error})"
        else:
            if _refused_at_the_door(reply):
                problem = f"{reply.verdict} to {what}; {_DOOR_REMEDY}"
            elif reply.unverified:
                problem = f"no verified answer to {what}: {reply.verdict}, {reply.unverified}"
            else:
                return reply
        raise Unavailable(f"Alipay: {problem}; try again")

    def _deadline_ns(self) -> int:
        return self._wire.deadline_ns(self._settings.connect_s + 2 * self._settings.read_s)


def _refused_at_the_door(reply: Reply) -> bool:
    """Whether the request was surely not taken in, because of who sent it or of too many calls.

    An answer to a request whose signature or application is not known cannot be signed for us to check.
    """
    return reply.verdict.is_at_the_door or (
        not reply.unverified and reply.verdict.code == answers.TOO_MANY_CALLS
    )


def _payment(reply: Reply, order_no: str) -> GatewayAnswer:
    try:
        return answers.read_payment(reply.content, order_no)
    except Unreadable as unreadable:
        raise _unknown(order_no, str(unreadable)) from None


def _settle(payment: CodePayment, answer: GatewayAnswer) -> GatewayAnswer:
    """Return a verified answer about this payment if money is or may be on its way; raise otherwise."""
    order_no = payment.merchant_order_no
    if answer.amount_fen is not None and answer.amount_fen != payment.amount_fen:
        raise _unknown(order_no, f"asked for {payment.amount_fen} fen, the answer says {answer.amount_fen}")
    if answer.state in (PaymentState.APPROVED, PaymentState.PENDING):
        return answer
    if answer.state is PaymentState.ABSENT:
        raise _unknown(order_no, "the gateway's answers contradict each other")
    raise _declined(order_no, DeclineReason.ORDER_CLOSED, answer.detail)


def _declined(order_no: str, reason: DeclineReason, detail: str) -> PaymentDeclined:
    return PaymentDeclined(f"Alipay refused {order_no}: {detail}", reason=reason, detail=detail)


def _unknown(number: str, why: str) -> OutcomeUnknown:
    return OutcomeUnknown(f"{number} may or may not have been carried out by Alipay ({why}); query it")


def _silent(number: str, why: str) -> Unavailable:
    return Unavailable(f"Alipay does not tell about {number}: {why}; ask again later")


def _describe_cancel(reply: Reply) -> str:
    again = ", retry" if reply.content.get("retry_flag") == "Y" else ""
    return f"{reply.verdict}{again}"
