"""Refunds on the original way, and what became of them.

Source: pay.weixin.qq.com, refund/domestic/refunds (create, query-by-out-refund-no).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from edge.errors import Invalid, Unavailable
from edge.gateways.line import Unreadable
from edge.gateways.wechat_pay import answers
from edge.gateways.wechat_pay.answers import ErrorAnswer
from edge.gateways.wechat_pay.channel import Channel, Refused, unsure, useless
from edge.gateways.wechat_pay.fields import Fields
from edge.money import MAX_FEN
from edge.services.payment_ports import (
    RefundAnswer,
    RefundNeedsFunds,
    RefundRefused,
    RefundRequest,
    RefundState,
)

_REFUNDS = "/v3/refund/domestic/refunds"
_REFUND_NO = re.compile(r"[0-9A-Za-z_\-|*@]{1,64}", re.ASCII)
_MAX_REASON_BYTES = 80
_NEEDS_FUNDS = frozenset({"NOT_ENOUGH", "NOTENOUGH"})

#: Refusals after which, by the documentation, this refund number never gives money.
_NEVER_GIVEN = frozenset(
    {
        "PARAM_ERROR",
        "MCH_NOT_EXISTS",
        "NO_AUTH",
        "NOAUTH",
        "RESOURCE_NOT_EXISTS",
        "ORDER_NOT_EXIST",
        "ORDERNOTEXIST",
        "USER_ACCOUNT_ABNORMAL",
        "TRADE_OVERDUE",
        "RULE_LIMIT",
        "APPID_MCHID_NOT_MATCH",
    }
)

REFUND_STATES: Mapping[str, RefundState] = {
    "SUCCESS": RefundState.DONE,
    "PROCESSING": RefundState.PROCESSING,
    "ABNORMAL": RefundState.ABNORMAL,
    "CLOSED": RefundState.CLOSED,
}


class Refunds:
    """Gives money back and asks about it."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def refund(self, request: RefundRequest) -> RefundAnswer:
        """Give money back; see the port RefundGateway.

        INVALID_REQUEST says both "not allowed" and "the same number came with other figures before", so it
        is followed by a query: a refund that the gateway does not know was refused for good.
        """
        call = self._channel.post("refund", request.merchant_refund_no, _REFUNDS, self._body(request))
        try:
            fields = self._channel.act(call)
        except Refused as refusal:
            error = refusal.error
        else:
            try:
                return _read(fields, request)
            except Unreadable as unreadable:
                raise unsure(call, str(unreadable)) from None
        return self._judge(request, error)

    def query_refund(
        self, merchant_order_no: str, merchant_refund_no: str, merchant: str = ""
    ) -> RefundAnswer:
        """Return the state of one of our refunds; see the port RefundGateway."""
        answers.check_order_no(merchant_order_no)
        fields = self._find(merchant_refund_no, merchant)
        if isinstance(fields, ErrorAnswer):
            return RefundAnswer(RefundState.ABSENT, detail=str(fields))
        try:
            return read_refund(fields, merchant_order_no, merchant_refund_no)
        except Unreadable as unreadable:
            raise Unavailable(
                f"WeChat Pay's answer about refund {merchant_refund_no} is of no use: {unreadable}"
            ) from None

    def _judge(self, request: RefundRequest, error: ErrorAnswer) -> RefundAnswer:
        number, order_no = request.merchant_refund_no, request.merchant_order_no
        if error.code in _NEEDS_FUNDS:
            raise RefundNeedsFunds(
                f"refund {number} of order {order_no}: the merchant's balance at WeChat Pay is too low; "
                "top it up, then send the same refund again"
            )
        if error.code in _NEVER_GIVEN:
            raise _refused(request, error)
        call = self._channel.get("refund query", number, _REFUNDS)
        try:
            fields = self._find(number, request.merchant)
        except Unavailable as unavailable:
            raise unsure(call, f"{error}, and {unavailable}") from None
        if isinstance(fields, ErrorAnswer):
            if error.code == "INVALID_REQUEST":
                raise _refused(request, error)
            raise unsure(call, str(error))
        try:
            return _read(fields, request)
        except Unreadable as unreadable:
            raise unsure(call, f"{error}, {unreadable}") from None

    def _payee(self, merchant: str) -> dict[str, str]:
        """Return the field that names who was paid; a direct merchant's parts go by their number alone."""
        who = self._channel.who
        return {"sub_mchid": merchant} if merchant and who.is_partner else who.sub_merchant()

    def _find(self, number: str, merchant: str = "") -> Fields | ErrorAnswer:
        """Return the refund, or the refusal that says that there is none."""
        path = f"{_REFUNDS}/{quote(_check_refund_no(number), safe='*')}"
        call = self._channel.get("refund query", number, path, self._payee(merchant))
        try:
            return self._channel.ask(call)
        except Refused as refusal:
            if refusal.error.is_absent:
                return refusal.error
            raise useless(call, Unreadable(str(refusal.error))) from None

    def _body(self, request: RefundRequest) -> dict[str, object]:
        if not 0 < request.amount_fen <= request.total_fen <= MAX_FEN:
            raise Invalid(
                f"refund {request.merchant_refund_no}: cannot give back {request.amount_fen} of "
                f"{request.total_fen} fen"
            )
        body: dict[str, object] = {
            "out_trade_no": answers.check_order_no(request.merchant_order_no),
            "out_refund_no": _check_refund_no(request.merchant_refund_no),
            "amount": {"refund": request.amount_fen, "total": request.total_fen, "currency": "CNY"},
            **self._payee(request.merchant),
        }
        if request.reason:
            body["reason"] = answers.bill_safe(request.reason, _MAX_REASON_BYTES)
        if self._channel.settings.refund_notify_url:
            body["notify_url"] = self._channel.settings.refund_notify_url
        return body


def read_refund(fields: Fields, order_no: str, refund_no: str) -> RefundAnswer:
    """Return the refund told of in an answer; raise Unreadable when it is another one's, or unknown."""
    fields.expect("out_trade_no", order_no)
    fields.expect("out_refund_no", refund_no)
    word = fields.need_text("status", 32)
    state = REFUND_STATES.get(word)
    if state is None:
        raise Unreadable("the answer's status is unknown to this version")
    amount = fields.within("amount")
    if amount.text("currency") not in (None, "CNY"):
        raise Unreadable("the answer's amount is not in CNY")
    return RefundAnswer(
        state=state,
        refund_id=fields.need_text("refund_id", 64),
        amount_fen=amount.need_fen("refund"),
        refunded_at=fields.instant("success_time"),
        detail=word,
    )


def _read(fields: Fields, request: RefundRequest) -> RefundAnswer:
    answer = read_refund(fields, request.merchant_order_no, request.merchant_refund_no)
    if answer.amount_fen != request.amount_fen:
        raise Unreadable(f"asked to give back {request.amount_fen} fen, the answer says {answer.amount_fen}")
    return answer


def _refused(request: RefundRequest, error: ErrorAnswer) -> RefundRefused:
    return RefundRefused(
        f"WeChat Pay refused refund {request.merchant_refund_no} of {request.merchant_order_no}: {error}",
        detail=str(error),
    )


def _check_refund_no(number: str) -> str:
    if not _REFUND_NO.fullmatch(number):
        raise Invalid(f"{number!r} is not a refund number; use 1-64 of 0-9 A-Z a-z _ - | * @")
    return number
