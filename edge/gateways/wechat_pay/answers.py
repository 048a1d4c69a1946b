"""What goes into a WeChat Pay request and what its answers mean.

Pure. Nothing here trusts an answer: whether its signature held is for the caller to weigh. Source:
pay.weixin.qq.com, code-payment-v3 (code-pay, reverse), query-by-out-trade-no; the v2 micropay error list
for codes that the v3 pages do not repeat.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from edge.errors import Invalid
from edge.gateways.line import Unreadable
from edge.gateways.wechat_pay.addressing import Addressing
from edge.money import MAX_FEN
from edge.services.payment_ports import CodePayment, DeclineReason, GatewayAnswer, PaymentState

Json = Mapping[str, object]

#: trade_state to ours. NOTPAY and ACCEPT: taken in, not settled yet. REFUND: paid, then given back.
TRADE_STATES: Mapping[str, PaymentState] = {
    "SUCCESS": PaymentState.APPROVED,
    "REFUND": PaymentState.REFUNDED,
    "NOTPAY": PaymentState.PENDING,
    "ACCEPT": PaymentState.PENDING,
    "USERPAYING": PaymentState.PENDING,
    "CLOSED": PaymentState.VOIDED,
    "REVOKED": PaymentState.VOIDED,
    "PAYERROR": PaymentState.DECLINED,
}

#: Refusals of a payment after which, by the documentation, nothing was charged and nothing will be.
#: INVALID_REQUEST is left out on purpose: it is also used for "parameters differ from the first try".
NEVER_CHARGED: Mapping[str, DeclineReason] = {
    "AUTH_CODE_INVALID": DeclineReason.CODE_INVALID,
    "AUTH_CODE_ERROR": DeclineReason.CODE_INVALID,
    "AUTHCODEEXPIRE": DeclineReason.CODE_EXPIRED,
    "AUTH_CODE_EXPIRED": DeclineReason.CODE_EXPIRED,
    "NOT_ENOUGH": DeclineReason.NOT_ENOUGH,
    "NOTENOUGH": DeclineReason.NOT_ENOUGH,
    "TRADE_ERROR": DeclineReason.NOT_CONFIRMED,
    "PAYERROR": DeclineReason.NOT_CONFIRMED,
    "USER_ACCOUNT_ABNORMAL": DeclineReason.ACCOUNT,
    "ACCOUNT_ERROR": DeclineReason.ACCOUNT,
    "ACCOUNTERROR": DeclineReason.ACCOUNT,
    "BUYER_MISMATCH": DeclineReason.ACCOUNT,
    "NOTSUPORTCARD": DeclineReason.ACCOUNT,
    "RULE_LIMIT": DeclineReason.LIMIT,
    "RULELIMIT": DeclineReason.LIMIT,
    "ORDER_CLOSED": DeclineReason.ORDER_CLOSED,
    "ORDERCLOSED": DeclineReason.ORDER_CLOSED,
    "ORDER_REVERSED": DeclineReason.ORDER_CLOSED,
    "ORDERREVERSED": DeclineReason.ORDER_CLOSED,
    "PARAM_ERROR": DeclineReason.MERCHANT,
    "NO_AUTH": DeclineReason.MERCHANT,
    "NOAUTH": DeclineReason.MERCHANT,
    "MCH_NOT_EXISTS": DeclineReason.MERCHANT,
    "APPID_MCHID_NOT_MATCH": DeclineReason.MERCHANT,
}

#: Refused at the door because of too many calls: nothing was taken in.
THROTTLED = frozenset({"FREQUENCY_LIMITED", "RATELIMIT_EXCEED", "RATELIMIT_EXCEEDED"})

#: Refused for now only: the same call may be sent again.
PASSING = THROTTLED | {"SYSTEM_ERROR", "SYSTEMERROR", "BANK_ERROR", "BANKERROR"}

_PAID_CODES = frozenset({"ORDER_PAID", "ORDERPAID"})
_PAID_NUMBERS = frozenset({"268449538", "268498689"})
_REENTRY_DIFFERS = "268498688"
_ABSENT_CODES = frozenset({"ORDER_NOT_EXIST", "ORDERNOTEXIST", "RESOURCE_NOT_EXISTS"})
_ABSENT_NUMBER = "268512771"

_ORDER_NO = re.compile(r"[0-9A-Za-z_\-*]{6,32}", re.ASCII)
_PAYMENT_CODE = re.compile(r"1[0-5]\d{16}", re.ASCII)
_ERROR_CODE = re.compile(r"[A-Z0-9_]{1,64}", re.ASCII)
_FIELD = re.compile(r"[A-Za-z_/.\[\]]{1,80}", re.ASCII)
_SPOILS_BILLS = re.compile(r"[,`\x00-\x1f\x7f]")
_MAX_DESCRIPTION_BYTES = 127
_MAX_DEVICE_CHARS = 32


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """A refusal. code: e.g. PARAM_ERROR. number: the reason after the last "-" of the Request-ID, or "".

    field: the parameter complained of, or "". The gateway's own message is left out: it may repeat the
    payment code.
    """

    code: str
    number: str = ""
    field: str = ""

    @property
    def is_pending(self) -> bool:
        """Whether the shopper is typing a password."""
        return self.code == "USERPAYING"

    @property
    def is_paid_already(self) -> bool:
        """Whether an earlier try under the same number was paid."""
        return self.code in _PAID_CODES or self.number in _PAID_NUMBERS

    @property
    def is_absent(self) -> bool:
        """Whether the gateway has no such order."""
        return self.code in _ABSENT_CODES or self.number == _ABSENT_NUMBER

    @property
    def decline_reason(self) -> DeclineReason | None:
        """Why surely nothing was charged, or None when that is not sure."""
        if self.is_paid_already or self.number == _REENTRY_DIFFERS:
            return None
        return NEVER_CHARGED.get(self.code)

    def __str__(self) -> str:
        """The code with what is known of its cause, e.g. "PARAM_ERROR 268435461 /amount/total"."""
        return " ".join(part for part in (self.code, self.number, self.field) if part)


def codepay_body(payment: CodePayment, *, who: Addressing, store_id: str, device_ip: str) -> bytes:
    """Return the body of a codepay request as compact UTF-8 JSON; raise Invalid for unusable values.

    The description loses commas and backticks (they would break the bill's columns) and is cut at 127
    bytes.
    """
    if not _PAYMENT_CODE.fullmatch(payment.code):
        raise Invalid("this is not a WeChat payment code (18 digits, beginning with 10-15); read it again")
    if not 0 < payment.amount_fen <= MAX_FEN:
        raise Invalid(f"order {payment.merchant_order_no}: cannot charge {payment.amount_fen} fen")
    scene: dict[str, object] = {
        "device_id": payment.device[:_MAX_DEVICE_CHARS],
        "store_info": {"id": store_id},
    }
    if device_ip:
        scene["device_ip"] = device_ip
    more: dict[str, object] = {"attach": bill_safe(payment.attach)} if payment.attach else {}
    if payment.frozen:
        more["settle_info"] = {"profit_sharing": True}
    return to_json(
        {
            **who.identity(),
            **more,
            "description": bill_safe(payment.description),
            "out_trade_no": check_order_no(payment.merchant_order_no),
            "payer": {"auth_code": payment.code},
            "amount": {"total": payment.amount_fen, "currency": "CNY"},
            "scene_info": scene,
        }
    )


def to_json(value: Json) -> bytes:
    """Return compact UTF-8 JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def check_order_no(merchant_order_no: str) -> str:
    """Return the number; raise Invalid unless it is 6-32 of [0-9A-Za-z_-*]."""
    if not _ORDER_NO.fullmatch(merchant_order_no):
        raise Invalid(f"{merchant_order_no!r} is not an order number; use 6-32 of 0-9 A-Z a-z _ - *")
    return merchant_order_no


def bill_safe(text: str, most_bytes: int = _MAX_DESCRIPTION_BYTES) -> str:
    """Return `text` without what breaks a bill's columns, cut at `most_bytes` of UTF-8; never empty."""
    clean = _SPOILS_BILLS.sub(" ", text).strip() or "-"
    return clean.encode()[:most_bytes].decode(errors="ignore")


def parse_object(body: bytes) -> Json:
    """Return the JSON object in `body`; raise Unreadable."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise Unreadable(f"the answer ({len(body)} bytes) is not JSON") from None
    if not isinstance(value, dict):
        raise Unreadable("the answer is JSON, but not an object")
    return value


def read_error(body: bytes, request_id: str) -> ErrorAnswer:
    """Return the refusal in `body`; raise Unreadable."""
    answer = parse_object(body)
    code = answer.get("code")
    if not isinstance(code, str) or not _ERROR_CODE.fullmatch(code):
        raise Unreadable("the answer holds neither a transaction nor an error code")
    number = request_id.rpartition("-")[2]
    detail = answer.get("detail")
    field = detail.get("field") if isinstance(detail, dict) else None
    return ErrorAnswer(
        code=code,
        number=number if number.isascii() and number.isdigit() and number != "0" else "",
        field=field if isinstance(field, str) and _FIELD.fullmatch(field) else "",
    )


def check_identity(answer: Json, who: Addressing, order_no: str) -> None:
    """Raise Unreadable unless the answer is about our order. The appids may be left out."""
    expected = {**who.merchants(), "out_trade_no": order_no}
    expected |= {name: value for name, value in who.identity().items() if name in answer}
    for name, value in expected.items():
        if answer.get(name) != value:
            raise Unreadable(f"the answer's {name} is not ours; it is about another order")


def read_transaction(body: bytes, *, who: Addressing, order_no: str) -> GatewayAnswer:
    """Return the transaction in `body`; raise Unreadable when it is another order's, broken or unknown."""
    answer = parse_object(body)
    check_identity(answer, who, order_no)
    word = answer.get("trade_state")
    state = TRADE_STATES.get(word) if isinstance(word, str) else None
    if state is None:
        raise Unreadable("the answer's trade_state is missing or unknown to this version")
    amount_fen = _amount(answer)
    transaction_id = _text(answer, "transaction_id")
    if state is PaymentState.APPROVED and (amount_fen is None or transaction_id is None):
        raise Unreadable("the answer says SUCCESS without amount.total or transaction_id")
    payer = answer.get("payer")
    return GatewayAnswer(
        state=state,
        transaction_id=transaction_id,
        amount_fen=amount_fen,
        payer=_payer(payer) if isinstance(payer, dict) else None,
        paid_at=_instant(_text(answer, "success_time")),
        detail=str(word),
    )


def _payer(payer: Json) -> str | None:
    return _text(payer, "openid") or _text(payer, "sub_openid") or _text(payer, "sp_openid")


def _amount(answer: Json) -> int | None:
    amount = answer.get("amount")
    if amount is None:
        return None
    if not isinstance(amount, dict) or amount.get("currency", "CNY") != "CNY":
        raise Unreadable("the answer's amount is not in CNY")
    total = amount.get("total")
    if total is None:
        return None
    if type(total) is not int or not 0 <= total <= MAX_FEN:
        raise Unreadable("the answer's amount.total is not a whole number of fen")
    return total


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
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Unreadable("the answer's success_time is not an RFC 3339 time") from None
    if moment.tzinfo is None:
        raise Unreadable("the answer's success_time has no time zone")
    return int(moment.timestamp() * 1000)
