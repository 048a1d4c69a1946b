"""Callbacks of the gateway: verified on the raw bytes, opened, typed; or refused with a reason.

`read_callback` is a pure function of headers and body; it never asks anybody, whatever serial a stranger
names. `Callbacks` adds memory: replays are refused, and a notice that was handled before is marked.
Callbacks only make things faster: the truth about money comes from queries. Source: pay.weixin.qq.com,
"支付通知", "退款结果通知"; webhooks of the service lists.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from edge.gateways.line import Unreadable
from edge.gateways.wechat_pay import signing
from edge.gateways.wechat_pay.addressing import Addressing
from edge.gateways.wechat_pay.answers import Json, parse_object, to_json
from edge.gateways.wechat_pay.fields import Fields
from edge.gateways.wechat_pay.refunds import REFUND_STATES
from edge.gateways.wechat_pay.sealing import Unsealable, open_sealed
from edge.gateways.wechat_pay.transactions import (
    CombinedTransaction,
    Transaction,
    read_combined,
    read_transaction,
)
from edge.services.payment_ports import RefundAnswer

#: Bodies above this are refused unread; genuine ones have a few KiB.
MAX_BODY_BYTES = 64 * 1024

_HEADERS = (
    "Wechatpay-Timestamp",
    "Wechatpay-Nonce",
    "Wechatpay-Serial",
    "Wechatpay-Signature",
    "Wechatpay-Signature-Type",
)
_EVENT = re.compile(r"[A-Z0-9_.]{1,64}", re.ASCII)
_REMEMBERED = 4096


class Reason(StrEnum):
    """Why a callback was refused.

    UNVERIFIED: signature, its scheme, or a header (the gateway's own probes look like this). STALE: time
    more than five minutes off. UNKNOWN_SERIAL: no such key here. REPLAYED: the same bytes came before.
    TOO_LARGE, MALFORMED: not a callback. SEALED: our APIv3 key does not open it. NOT_OURS: another
    merchant's.
    """

    UNVERIFIED = "unverified"
    STALE = "stale"
    UNKNOWN_SERIAL = "unknown_serial"
    REPLAYED = "replayed"
    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    SEALED = "sealed"
    NOT_OURS = "not_ours"


_STATUS: Mapping[Reason, int] = {
    Reason.UNVERIFIED: 401,
    Reason.STALE: 401,
    Reason.UNKNOWN_SERIAL: 401,
    Reason.REPLAYED: 401,
    Reason.TOO_LARGE: 413,
    Reason.MALFORMED: 400,
    Reason.SEALED: 500,
    Reason.NOT_OURS: 400,
}


@dataclass(frozen=True, slots=True)
class Rejection:
    """A callback that was refused. detail: for our log, never for the sender."""

    reason: Reason
    detail: str

    @property
    def status(self) -> int:
        """The HTTP status to answer with; the gateway sends the notice again later."""
        return _STATUS[self.reason]

    @property
    def body(self) -> bytes:
        """The body to answer with; tells a stranger nothing."""
        return to_json({"code": "FAIL", "message": self.reason.value})


@dataclass(frozen=True, slots=True)
class RefundNotice:
    """What became of a refund; compare amount_fen with the books."""

    merchant_order_no: str
    merchant_refund_no: str
    transaction_id: str
    total_fen: int
    answer: RefundAnswer


Content = Transaction | CombinedTransaction | RefundNotice | Json


@dataclass(frozen=True, slots=True)
class Notification:
    """A genuine callback; answer 204 within five seconds once what it tells is stored.

    notice_id: stays the same when the gateway sends it again. content: typed for payments
    (TRANSACTION.SUCCESS) and refunds (REFUND.*), else the JSON object. created_at: Unix milliseconds.
    handled_before: this notice was marked as handled; do nothing and answer 204.
    """

    notice_id: str
    event_type: str
    created_at: int | None
    summary: str
    content: Content
    handled_before: bool = False


def read_callback(
    headers: Mapping[str, str],
    body: bytes,
    *,
    verifiers: Mapping[str, RSAPublicKey],
    api_v3_key: bytes,
    who: Addressing,
    now_s: int,
) -> Notification | Rejection:
    """Return what a callback tells, or why it is refused; raises nothing, whatever came.

    headers: names in any case. body: the raw bytes. now_s: our clock, Unix seconds.
    """
    if len(body) > MAX_BODY_BYTES:
        return Rejection(Reason.TOO_LARGE, f"{len(body)} bytes")
    named = _named(headers)
    try:
        signing.verify(named, body, verifiers, now_s)
    except signing.Unverified as error:
        return Rejection(_why(named, verifiers, now_s), str(error))
    try:
        return _open(Fields.parse(body), api_v3_key, who)
    except Unsealable as error:
        return Rejection(Reason.SEALED, str(error))
    except _Foreign as error:
        return Rejection(Reason.NOT_OURS, str(error))
    except Unreadable as error:
        return Rejection(Reason.MALFORMED, str(error))


class Callbacks:
    """Reads callbacks and remembers them; safe for use by several threads."""

    def __init__(
        self,
        verifiers: Callable[[int], Mapping[str, RSAPublicKey]],
        api_v3_key: bytes,
        who: Addressing,
        limit: int = _REMEMBERED,
    ) -> None:
        """verifiers: the keys that are valid at a Unix second. limit: signatures and notices remembered.

        At the limit the oldest are forgotten: a replay inside five minutes then counts as a repetition,
        which whoever applies notices must bear anyway. Only genuine callbacks are remembered.
        """
        self._verifiers = verifiers
        self._api_v3_key = api_v3_key
        self._who = who
        self._lock = threading.Lock()
        self._signatures = _Memory(limit)
        self._handled = _Memory(limit)

    def read(self, headers: Mapping[str, str], body: bytes, now_s: int) -> Notification | Rejection:
        """Return what a callback tells, or why it is refused; see read_callback."""
        result = read_callback(
            headers,
            body,
            verifiers=self._verifiers(now_s),
            api_v3_key=self._api_v3_key,
            who=self._who,
            now_s=now_s,
        )
        if isinstance(result, Rejection):
            return result
        signature = _named(headers)["Wechatpay-Signature"]
        with self._lock:
            if self._signatures.has(signature):
                return Rejection(Reason.REPLAYED, f"notice {result.notice_id} came with the same signature")
            self._signatures.add(signature)
            return replace(result, handled_before=self._handled.has(result.notice_id))

    def handled(self, notification: Notification) -> None:
        """Remember that a notice was stored, so that its repetitions are marked."""
        with self._lock:
            self._handled.add(notification.notice_id)


class _Foreign(Unreadable):
    """It is about another merchant."""


class _Memory:
    """The last so many texts."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[str, None] = OrderedDict()

    def has(self, text: str) -> bool:
        return text in self._kept

    def add(self, text: str) -> None:
        self._kept[text] = None
        self._kept.move_to_end(text)
        while len(self._kept) > self._limit:
            self._kept.popitem(last=False)


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that matter under their own names, whatever case they came in."""
    lower = {name.lower(): value for name, value in headers.items()}
    return {name: lower[name.lower()] for name in _HEADERS if name.lower() in lower}


def _why(named: Mapping[str, str], verifiers: Mapping[str, RSAPublicKey], now_s: int) -> Reason:
    sent_s = signing.answer_time_s(named)
    if sent_s is not None and abs(now_s - sent_s) >= signing.WINDOW_S:
        return Reason.STALE
    serial = named.get("Wechatpay-Serial", "")
    return Reason.UNKNOWN_SERIAL if serial and serial not in verifiers else Reason.UNVERIFIED


def _open(fields: Fields, api_v3_key: bytes, who: Addressing) -> Notification:
    event = fields.need_text("event_type", 64)
    if not _EVENT.fullmatch(event):
        raise Unreadable("its event_type is not one")
    content = parse_object(open_sealed(api_v3_key, fields.within("resource")))
    return Notification(
        notice_id=fields.need_text("id", 64),
        event_type=event,
        created_at=fields.instant("create_time"),
        summary=fields.text("summary", 256) or "",
        content=_content(event, content, who),
    )


def _content(event: str, content: Json, who: Addressing) -> Content:
    fields = Fields(content)
    if event == "TRANSACTION.SUCCESS":
        if fields.has("combine_out_trade_no"):
            _check_merchants(content, {"combine_mchid": who.mchid})
            return read_combined(fields, who.mchid)
        _check_merchants(content, who.merchants())
        return read_transaction(fields, who)
    if event.startswith("REFUND."):
        _check_merchants(content, who.merchants())
        return _refund(fields)
    return content


def _check_merchants(content: Json, expected: Mapping[str, str]) -> None:
    for name, value in expected.items():
        if content.get(name) != value:
            raise _Foreign(f"its {name} is not ours; was it relayed to the wrong box?")


def _refund(fields: Fields) -> RefundNotice:
    word = fields.need_text("refund_status", 32)
    state = REFUND_STATES.get(word)
    if state is None:
        raise Unreadable("its refund_status is unknown to this version")
    amount = fields.within("amount")
    return RefundNotice(
        merchant_order_no=fields.need_text("out_trade_no", 64),
        merchant_refund_no=fields.need_text("out_refund_no", 64),
        transaction_id=fields.need_text("transaction_id", 64),
        total_fen=amount.need_fen("total"),
        answer=RefundAnswer(
            state=state,
            refund_id=fields.need_text("refund_id", 64),
            amount_fen=amount.need_fen("refund"),
            refunded_at=fields.instant("success_time"),
            detail=word,
        ),
    )
