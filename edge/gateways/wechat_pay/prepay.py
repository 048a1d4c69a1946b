"""Orders that the shopper pays on the phone: in a mini-program (jsapi) or by a QR code that we show (native).

Source: pay.weixin.qq.com, mini-program payment and Native payment: prepay, 调起支付; partner variants.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from edge.errors import Invalid, OutcomeUnknown
from edge.gateways.line import Unreadable
from edge.gateways.wechat_pay import answers, signing
from edge.gateways.wechat_pay.channel import Channel, Refused, useless
from edge.gateways.wechat_pay.transactions import Transaction, read_transaction
from edge.gateways.wechat_pay.wire import Call
from edge.money import MAX_FEN

_CHINA = timezone(timedelta(hours=8))
_MAX_ATTACH_BYTES = 128
_MAX_OPENID = 128


class AlreadyPaid(OutcomeUnknown):
    """An earlier payment under this number went through: query it, apply it, and make no second order."""


@dataclass(frozen=True, slots=True)
class PrepayOrder:
    """An order before it is paid; sending it again unchanged gives the same answer.

    merchant_order_no: ours, 6-32 of [0-9A-Za-z_-*], unique for life. expires_at: Unix milliseconds, or None
    for the gateway's own end (7 days). attach: comes back in answers, callbacks and bills, 128 bytes.
    profit_sharing: the money stays frozen for sharing.
    """

    merchant_order_no: str
    amount_fen: int
    description: str
    expires_at: int | None = None
    attach: str = ""
    profit_sharing: bool = False


@dataclass(frozen=True, slots=True)
class MiniProgramPayment:
    """What wx.requestPayment is called with. Its success callback proves nothing: query the order."""

    time_stamp: str
    nonce_str: str
    package: str
    pay_sign: str
    sign_type: str = "RSA"

    def as_params(self) -> dict[str, str]:
        """Return the parameters under their names in wx.requestPayment."""
        return {
            "timeStamp": self.time_stamp,
            "nonceStr": self.nonce_str,
            "package": self.package,
            "signType": self.sign_type,
            "paySign": self.pay_sign,
        }


class Prepay:
    """Makes orders for the phone and finds them again."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def jsapi(self, order: PrepayOrder, openid: str) -> str:
        """Return the prepay_id (2 hours) of an order that this openid may pay in the mini-program.

        Raises Invalid before anything is sent, AlreadyPaid, Refused (e.g. ORDER_CLOSED: take a new number)
        or Unavailable (send the same again; nothing is charged by this call).
        """
        if not 0 < len(openid) <= _MAX_OPENID:
            raise Invalid(f"order {order.merchant_order_no}: an openid has 1-{_MAX_OPENID} characters")
        value = self._body(order) | {"payer": self._channel.who.payer(openid)}
        return self._ask("jsapi", order, value, "prepay_id")

    def native(self, order: PrepayOrder) -> str:
        """Return the code_url (2 hours, weixin://...) to show as a QR code; a new one ends the old one.

        Raises as jsapi does.
        """
        return self._ask("native", order, self._body(order), "code_url")

    def payment(self, prepay_id: str) -> MiniProgramPayment:
        """Return the signed parameters with which the mini-program starts the payment."""
        wire, settings = self._channel.wire, self._channel.settings
        now_s, nonce = wire.now_s(), wire.nonce()
        return sign_payment(settings.private_key, self._channel.who.payer_appid, now_s, nonce, prepay_id)

    def transaction(self, transaction_id: str) -> Transaction | None:
        """Return an order by the gateway's own number, None when there is none; raise Unavailable."""
        who = self._channel.who
        path = f"{who.transactions}/id/{quote(transaction_id, safe='')}"
        call = self._channel.get("query by id", transaction_id, path, who.merchants())
        try:
            return read_transaction(self._channel.ask(call), who)
        except Unreadable as unreadable:
            raise useless(call, unreadable) from None
        except Refused as refusal:
            if refusal.error.is_absent:
                return None
            raise useless(call, Unreadable(str(refusal.error))) from None

    def _ask(self, kind: str, order: PrepayOrder, value: dict[str, object], field: str) -> str:
        who = self._channel.who
        call = self._channel.post(kind, order.merchant_order_no, f"{who.transactions}/{kind}", value)
        return ask_prepay(self._channel, call, field)

    def _body(self, order: PrepayOrder) -> dict[str, object]:
        if not 0 < order.amount_fen <= MAX_FEN:
            raise Invalid(f"order {order.merchant_order_no}: cannot ask for {order.amount_fen} fen")
        body: dict[str, object] = {
            **self._channel.who.identity(),
            "description": answers.bill_safe(order.description),
            "out_trade_no": answers.check_order_no(order.merchant_order_no),
            "notify_url": need_notify_url(self._channel),
            "amount": {"total": order.amount_fen, "currency": "CNY"},
        }
        if order.expires_at is not None:
            body["time_expire"] = rfc3339(order.expires_at)
        if order.attach:
            body["attach"] = answers.bill_safe(order.attach, _MAX_ATTACH_BYTES)
        if order.profit_sharing:
            body["settle_info"] = {"profit_sharing": True}
        return body


def sign_payment(
    key: RSAPrivateKey, appid: str, timestamp_s: int, nonce: str, prepay_id: str
) -> MiniProgramPayment:
    """Return the parameters of wx.requestPayment, signed with the key that the order was made with. Pure."""
    package = f"prepay_id={prepay_id}"
    pay_sign = signing.pay_sign(key, appid=appid, timestamp_s=timestamp_s, nonce=nonce, package=package)
    return MiniProgramPayment(str(timestamp_s), nonce, package, pay_sign)


def ask_prepay(channel: Channel, call: Call, field: str) -> str:
    """Return the one field that the answer to a prepay call holds; raises as Prepay.jsapi does."""
    try:
        return channel.ask(call).need_text(field, 512)
    except Unreadable as unreadable:
        raise useless(call, unreadable) from None
    except Refused as refusal:
        if not refusal.error.is_paid_already:
            raise
    raise AlreadyPaid(f"order {call.subject} is paid already; query it")


def need_notify_url(channel: Channel) -> str:
    """Return where callbacks go; raise Invalid when the settings have none."""
    if not channel.settings.notify_url:
        raise Invalid("wechat_pay: notify_url is not set; orders for the phone need one")
    return channel.settings.notify_url


def rfc3339(at: int) -> str:
    """Return Unix milliseconds as the gateway writes times, e.g. 2026-11-22T16:00:00+08:00."""
    return datetime.fromtimestamp(at // 1000, tz=_CHINA).isoformat(timespec="seconds")
