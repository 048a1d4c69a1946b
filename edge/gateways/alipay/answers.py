"""What goes into an Alipay request and what its answers mean.

Pure. Nothing here trusts an answer: whether its signature held is for the caller to weigh. Source:
opendocs.alipay.com, alipay.trade.pay, .query, .cancel, .refund, .fastpay.refund.query and the list of common
return codes (公共错误码). Amounts are yuan in text both ways; no float is ever made of one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from edge.errors import Invalid
from edge.gateways.line import Unreadable
from edge.money import MAX_FEN, format_yuan, parse_yuan
from edge.services.payment_ports import (
    CodePayment,
    DeclineReason,
    GatewayAnswer,
    PaymentState,
    RefundAnswer,
    RefundRequest,
    RefundState,
)

Json = Mapping[str, object]

#: Alipay's clock and dates.
SHANGHAI = timezone(timedelta(hours=8), "CST")

OK = "10000"
WAITING = "10003"
UNKNOWN = "20000"
REFUSED = "40004"
TOO_MANY_CALLS = "40005"

#: Return codes of the gateway itself: the request was turned away before any payment system saw it.
NOT_TAKEN_IN = frozenset({"20001", "40001", "40002", "40003", "40006"})

#: trade_status to ours. TRADE_CLOSED: never paid, or paid and given back in full; Alipay does not tell which.
TRADE_STATES: Mapping[str, PaymentState] = {
    "WAIT_BUYER_PAY": PaymentState.PENDING,
    "TRADE_SUCCESS": PaymentState.APPROVED,
    "TRADE_FINISHED": PaymentState.APPROVED,
    "TRADE_CLOSED": PaymentState.VOIDED,
}

#: Refusals (40004) of a payment after which nothing was charged and nothing will be. Not in it, because the
#: order must be asked about: SYSTEM_ERROR, TRADE_HAS_SUCCESS (paid), CONTEXT_INCONSISTENT and
#: TRADE_BUYER_NOT_MATCH (the number was used with other parameters or another code).
NEVER_CHARGED: Mapping[str, DeclineReason] = {
    "ACQ.PAYMENT_AUTH_CODE_INVALID": DeclineReason.CODE_INVALID,
    "ACQ.SOUNDWAVE_PARSER_FAIL": DeclineReason.CODE_INVALID,
    "ACQ.BUYER_BALANCE_NOT_ENOUGH": DeclineReason.NOT_ENOUGH,
    "ACQ.BUYER_BANKCARD_BALANCE_NOT_ENOUGH": DeclineReason.NOT_ENOUGH,
    "ACQ.PAYMENT_FAIL": DeclineReason.NOT_CONFIRMED,
    "ACQ.PULL_MOBILE_CASHIER_FAIL": DeclineReason.NOT_CONFIRMED,
    "ACQ.MOBILE_PAYMENT_SWITCH_OFF": DeclineReason.ACCOUNT,
    "ACQ.BUYER_ENABLE_STATUS_FORBID": DeclineReason.ACCOUNT,
    "ACQ.BUYER_NOT_EXIST": DeclineReason.ACCOUNT,
    "ACQ.BUYER_SELLER_EQUAL": DeclineReason.ACCOUNT,
    "ACQ.ERROR_BALANCE_PAYMENT_DISABLE": DeclineReason.ACCOUNT,
    "ACQ.ERROR_BUYER_CERTIFY_LEVEL_LIMIT": DeclineReason.ACCOUNT,
    "ACQ.NOT_CERTIFIED_USER": DeclineReason.ACCOUNT,
    "ACQ.NOT_SUPPORT_PAYMENT_INST": DeclineReason.ACCOUNT,
    "ACQ.NO_PAYMENT_INSTRUMENTS_AVAILABLE": DeclineReason.ACCOUNT,
    "ACQ.PAYMENT_REQUEST_HAS_RISK": DeclineReason.ACCOUNT,
    "ACQ.BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR": DeclineReason.LIMIT,
    "ACQ.BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR": DeclineReason.LIMIT,
    "ACQ.BEYOND_PAY_RESTRICTION": DeclineReason.LIMIT,
    "ACQ.BEYOND_PER_RECEIPT_RESTRICTION": DeclineReason.LIMIT,
    "ACQ.PRODUCT_AMOUNT_LIMIT_ERROR": DeclineReason.LIMIT,
    "ACQ.TOTAL_FEE_EXCEED": DeclineReason.LIMIT,
    "ACQ.TRADE_HAS_CLOSE": DeclineReason.ORDER_CLOSED,
    "ACQ.NOW_TIME_AFTER_EXPIRE_TIME_ERROR": DeclineReason.ORDER_CLOSED,
    "ACQ.INVALID_PARAMETER": DeclineReason.MERCHANT,
    "ACQ.ACCESS_FORBIDDEN": DeclineReason.MERCHANT,
    "ACQ.EXIST_FORBIDDEN_WORD": DeclineReason.MERCHANT,
    "ACQ.PARTNER_ERROR": DeclineReason.MERCHANT,
    "ACQ.INVALID_STORE_ID": DeclineReason.MERCHANT,
    "ACQ.SELLER_BEEN_BLOCKED": DeclineReason.MERCHANT,
}

#: Refusals of a refund that stay so under its number. Not in it: SYSTEM_ERROR and DISCORDANT_REPEAT_REQUEST
#: (ask), SELLER_BALANCE_NOT_ENOUGH and REASON_TRADE_BEEN_FREEZEN (nothing given; later it may be).
NEVER_REFUNDED = frozenset(
    {
        "ACQ.INVALID_PARAMETER",
        "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL",
        "ACQ.REASON_TRADE_REFUND_FEE_ERR",
        "ACQ.REFUND_FEE_ERROR",
        "ACQ.TRADE_NOT_EXIST",
        "ACQ.TRADE_HAS_FINISHED",
        "ACQ.TRADE_HAS_CLOSE",
        "ACQ.TRADE_STATUS_ERROR",
        "ACQ.TRADE_NOT_ALLOW_REFUND",
    }
)
REFUND_LATER = frozenset({"ACQ.SELLER_BALANCE_NOT_ENOUGH", "ACQ.REASON_TRADE_BEEN_FREEZEN"})

#: refund_status to ours.
REFUND_STATES: Mapping[str, RefundState] = {
    "REFUND_SUCCESS": RefundState.DONE,
    "REFUND_PROCESSING": RefundState.PROCESSING,
    "REFUND_FAIL": RefundState.CLOSED,
}

#: Refused because of who we are: such an answer cannot be signed for us, or not in a way we could check.
_AT_THE_DOOR = frozenset(
    {
        "isv.invalid-signature",
        "isv.invalid-app-id",
        "isv.invalid-timestamp",
        "isv.missing-signature-config",
        "app-cert-expired",
        "not-online-app",
    }
)

_ABSENT = "ACQ.TRADE_NOT_EXIST"
_ORDER_NO = re.compile(r"[0-9A-Za-z_]{6,64}", re.ASCII)
_PAYMENT_CODE = re.compile(r"(?:2[5-9]|30)\d{14,22}", re.ASCII)
_CODE = re.compile(r"\d{5}", re.ASCII)
_SUB_CODE = re.compile(r"[0-9A-Za-z._\-]{1,80}", re.ASCII)
_SPOILS_BILLS = re.compile(r"[,`/=&\x00-\x1f\x7f]")
_MAX_SUBJECT_CHARS = 64
_MAX_DEVICE_CHARS = 32


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result codes of an answer. code: e.g. "10000". sub: e.g. "ACQ.TRADE_NOT_EXIST", "" for none.

    The gateway's own sentences are left out: they may repeat what was sent.
    """

    code: str
    sub: str = ""

    @property
    def is_absent(self) -> bool:
        """Whether Alipay has no such order."""
        return self.code == REFUSED and self.sub == _ABSENT

    @property
    def is_paid_already(self) -> bool:
        """Whether an earlier try under the same number was paid."""
        return self.code == REFUSED and self.sub == "ACQ.TRADE_HAS_SUCCESS"

    @property
    def is_at_the_door(self) -> bool:
        """Whether the request was turned away because of its signature, application or time."""
        return self.code in NOT_TAKEN_IN and self.sub in _AT_THE_DOOR

    @property
    def decline_reason(self) -> DeclineReason | None:
        """Why surely nothing was charged, or None when that is not sure."""
        if self.code in NOT_TAKEN_IN:
            return DeclineReason.MERCHANT
        return NEVER_CHARGED.get(self.sub) if self.code == REFUSED else None

    def __str__(self) -> str:
        """The codes, e.g. "40004 ACQ.TRADE_NOT_EXIST"."""
        return f"{self.code} {self.sub}".strip()


def pay_content(payment: CodePayment, store_id: str) -> str:
    """Return biz_content of alipay.trade.pay; raise Invalid for unusable values.

    The subject loses commas and the characters that Alipay does not take, and is cut at 64 characters.
    """
    if not _PAYMENT_CODE.fullmatch(payment.code):
        raise Invalid(
            "this is not an Alipay payment code (16-24 digits, beginning with 25-30); read it again"
        )
    if not 0 < payment.amount_fen <= MAX_FEN:
        raise Invalid(f"order {payment.merchant_order_no}: cannot charge {payment.amount_fen} fen")
    return to_json(
        {
            "out_trade_no": check_order_no(payment.merchant_order_no),
            "total_amount": format_yuan(payment.amount_fen),
            "subject": _SPOILS_BILLS.sub(" ", payment.description).strip()[:_MAX_SUBJECT_CHARS] or "-",
            "scene": "bar_code",
            "auth_code": payment.code,
            "product_code": "FACE_TO_FACE_PAYMENT",
            **({"store_id": store_id} if store_id else {}),
            **({"terminal_id": payment.device[:_MAX_DEVICE_CHARS]} if payment.device else {}),
        }
    )


def order_content(merchant_order_no: str) -> str:
    """Return biz_content of alipay.trade.query and .cancel; raise Invalid for an unusable number."""
    return to_json({"out_trade_no": check_order_no(merchant_order_no)})


def refund_content(request: RefundRequest) -> str:
    """Return biz_content of alipay.trade.refund; raise Invalid for unusable values."""
    if not 0 < request.amount_fen <= request.total_fen:
        raise Invalid(
            f"refund {request.merchant_refund_no}: cannot give back {request.amount_fen} of "
            f"{request.total_fen} fen"
        )
    reason = {"refund_reason": request.reason} if request.reason else {}
    return to_json(
        {
            "out_trade_no": check_order_no(request.merchant_order_no),
            "refund_amount": format_yuan(request.amount_fen),
            "out_request_no": check_order_no(request.merchant_refund_no),
            **reason,
        }
    )


def refund_query_content(merchant_order_no: str, merchant_refund_no: str) -> str:
    """Return biz_content of alipay.trade.fastpay.refund.query; raise Invalid for an unusable number."""
    return to_json(
        {
            "out_trade_no": check_order_no(merchant_order_no),
            "out_request_no": check_order_no(merchant_refund_no),
            "query_options": ["gmt_refund_pay"],
        }
    )


def to_json(value: Json) -> str:
    """Return compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def check_order_no(number: str) -> str:
    """Return the number; raise Invalid unless it is 6-64 of [0-9A-Za-z_], all that Alipay takes."""
    if not _ORDER_NO.fullmatch(number):
        raise Invalid(f"{number!r} is not an order number; use 6-64 of 0-9 A-Z a-z _")
    return number


def timestamp(wall_at: int) -> str:
    """Return Unix milliseconds as Alipay writes them: "yyyy-MM-dd HH:mm:ss" in Asia/Shanghai."""
    return datetime.fromtimestamp(wall_at // 1000, SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


def parse_content(content: str) -> Json:
    """Return the JSON object in an answer's signed text, numbers as text; raise Unreadable."""
    try:
        value = json.loads(content, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        raise Unreadable("the answer is not JSON") from None
    if not isinstance(value, dict):
        raise Unreadable("the answer is JSON, but not an object")
    return value


def read_verdict(answer: Json) -> Verdict:
    """Return an answer's result codes; raise Unreadable."""
    code, sub = answer.get("code"), answer.get("sub_code", "")
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        raise Unreadable("the answer has no result code")
    return Verdict(code, sub if isinstance(sub, str) and _SUB_CODE.fullmatch(sub) else "")


def read_payment(answer: Json, order_no: str) -> GatewayAnswer:
    """Return what a 10000 of alipay.trade.pay says; raise Unreadable when it is not about our order."""
    return _trade(answer, order_no, "TRADE_SUCCESS", "gmt_payment")


def read_trade(answer: Json, order_no: str) -> GatewayAnswer:
    """Return what a 10000 of alipay.trade.query says; raise Unreadable for another order or state."""
    status = answer.get("trade_status")
    if not isinstance(status, str) or status not in TRADE_STATES:
        raise Unreadable("the answer's trade_status is missing or unknown to this version")
    return _trade(answer, order_no, status, "send_pay_date")


def read_refund(answer: Json, order_no: str, refund_no: str) -> RefundAnswer:
    """Return what a 10000 of alipay.trade.fastpay.refund.query says; raise Unreadable.

    An answer that names no refund means that none was made.
    """
    if _text(answer, "out_request_no") is None and _text(answer, "refund_status") is None:
        return RefundAnswer(RefundState.ABSENT, detail="no such refund")
    _check_number(answer, "out_trade_no", order_no)
    _check_number(answer, "out_request_no", refund_no)
    status = _text(answer, "refund_status") or ""
    if status and status not in REFUND_STATES:
        raise Unreadable("the answer's refund_status is unknown to this version")
    return RefundAnswer(
        state=REFUND_STATES.get(status, RefundState.ABSENT),
        amount_fen=read_amount(answer, "refund_amount"),
        refunded_at=_instant(_text(answer, "gmt_refund_pay")),
        detail=status or "no refund_status",
    )


def read_amount(answer: Json, name: str) -> int | None:
    """Return an amount as fen, exactly, or None where there is none; raise Unreadable."""
    text = _text(answer, name)
    if text is None:
        return None
    try:
        amount_fen = parse_yuan(text)
    except Invalid:
        raise Unreadable(f"the answer's {name} is not an amount in yuan") from None
    if amount_fen < 0:
        raise Unreadable(f"the answer's {name} is negative")
    return amount_fen


def _trade(answer: Json, order_no: str, status: str, paid_field: str) -> GatewayAnswer:
    _check_number(answer, "out_trade_no", order_no)
    state = TRADE_STATES[status]
    amount_fen, trade_no = read_amount(answer, "total_amount"), _text(answer, "trade_no")
    if state is PaymentState.APPROVED and (amount_fen is None or trade_no is None):
        raise Unreadable(f"the answer says {status} without total_amount or trade_no")
    return GatewayAnswer(
        state=state,
        transaction_id=trade_no,
        amount_fen=amount_fen,
        payer=_text(answer, "buyer_open_id") or _text(answer, "buyer_user_id"),
        paid_at=_instant(_text(answer, paid_field)),
        detail=status,
    )


def _check_number(answer: Json, name: str, expected: str) -> None:
    if answer.get(name) != expected:
        raise Unreadable(f"the answer's {name} is not ours; it is about another order")


def _text(answer: Json, name: str) -> str | None:
    value = answer.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > 128:
        raise Unreadable(f"the answer's {name} is not a short text")
    return value


def _instant(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        moment = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=SHANGHAI)
    except ValueError:
        raise Unreadable("the answer's time is not yyyy-MM-dd HH:mm:ss") from None
    return int(moment.timestamp()) * 1000
