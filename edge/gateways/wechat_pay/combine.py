"""Several tenants' tickets in one payment (合单): each part goes to its own merchant number.

Source: pay.weixin.qq.com, combine-payment: jsapi, native, query, close. All parts succeed or fail together;
a refund is of one part, under its own order number, by the merchant number that it was paid to.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from edge.errors import Invalid
from edge.gateways.line import Unreadable
from edge.gateways.wechat_pay import answers
from edge.gateways.wechat_pay.channel import Channel, Refused, useless
from edge.gateways.wechat_pay.prepay import ask_prepay, need_notify_url, rfc3339
from edge.gateways.wechat_pay.transactions import CombinedTransaction, read_combined
from edge.money import MAX_FEN

_PATH = "/v3/combine-transactions"
_MAX_ATTACH_BYTES = 128
_MERCHANT_PARTS = range(2, 11)
_PARTNER_PARTS = range(1, 51)


@dataclass(frozen=True, slots=True)
class CombinePart:
    """One tenant's part. merchant: the number that is paid; attach: comes back, must not be empty.

    merchant_order_no: this part's own, different from the combined one's.
    """

    merchant: str
    merchant_order_no: str
    amount_fen: int
    description: str
    attach: str
    profit_sharing: bool = False


@dataclass(frozen=True, slots=True)
class CombineOrder:
    """A combined order before it is paid; expires_at: Unix milliseconds, None for the gateway's own end."""

    combined_order_no: str
    parts: tuple[CombinePart, ...]
    expires_at: int | None = None


class Combine:
    """Makes, finds and closes combined orders. Direct merchants: 2-10 parts; service providers: 1-50."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    @property
    def counts(self) -> range:
        """How many parts one order may have."""
        return _PARTNER_PARTS if self._channel.who.is_partner else _MERCHANT_PARTS

    def jsapi(self, order: CombineOrder, openid: str) -> str:
        """Return the prepay_id; raises as Prepay.jsapi does."""
        value = self._body(order) | {"combine_payer_info": {"openid": openid}}
        call = self._channel.post("combine jsapi", order.combined_order_no, f"{_PATH}/jsapi", value)
        return ask_prepay(self._channel, call, "prepay_id")

    def native(self, order: CombineOrder) -> str:
        """Return the code_url; raises as Prepay.jsapi does."""
        value = self._body(order)
        call = self._channel.post("combine native", order.combined_order_no, f"{_PATH}/native", value)
        return ask_prepay(self._channel, call, "code_url")

    def query(self, combined_order_no: str) -> CombinedTransaction | None:
        """Return a combined order with the state of each part, None when there is none; raise Unavailable."""
        call = self._channel.get("combine query", combined_order_no, _order_path(combined_order_no))
        try:
            found = read_combined(self._channel.ask(call), self._channel.settings.mchid)
        except Unreadable as unreadable:
            raise useless(call, unreadable) from None
        except Refused as refusal:
            if refusal.error.is_absent:
                return None
            raise useless(call, Unreadable(str(refusal.error))) from None
        if found.combined_order_no != combined_order_no:
            raise useless(call, Unreadable("it is about another order"))
        return found

    def close(self, order: CombineOrder) -> None:
        """Close an unpaid combined order; safe to repeat.

        Raises Refused (e.g. ORDER_PAID: query it) or Unavailable.
        """
        value = {
            "combine_appid": self._channel.settings.appid,
            "sub_orders": [
                {**self._merchant(part), "out_trade_no": part.merchant_order_no} for part in order.parts
            ],
        }
        path = f"{_order_path(order.combined_order_no)}/close"
        self._channel.ask(self._channel.post("combine close", order.combined_order_no, path, value))

    def _merchant(self, part: CombinePart) -> dict[str, str]:
        if not self._channel.who.is_partner:
            return {"mchid": part.merchant}
        return {"mchid": self._channel.settings.mchid, "sub_mchid": part.merchant}

    def _body(self, order: CombineOrder) -> dict[str, object]:
        self._check(order)
        body: dict[str, object] = {
            "combine_appid": self._channel.settings.appid,
            "combine_mchid": self._channel.settings.mchid,
            "combine_out_trade_no": answers.check_order_no(order.combined_order_no),
            "sub_orders": [self._part(part) for part in order.parts],
            "notify_url": need_notify_url(self._channel),
        }
        if order.expires_at is not None:
            body["time_expire"] = rfc3339(order.expires_at)
        return body

    def _check(self, order: CombineOrder) -> None:
        allowed = self.counts
        number = order.combined_order_no
        if len(order.parts) not in allowed:
            possible = f"{allowed[0]}-{allowed[-1]}"
            raise Invalid(f"combined order {number} has {len(order.parts)} parts; {possible} are possible")
        if len({part.merchant_order_no for part in order.parts} | {number}) != len(order.parts) + 1:
            raise Invalid(f"combined order {number}: each part needs an order number of its own")
        if sum(part.amount_fen for part in order.parts) > MAX_FEN:
            raise Invalid(f"combined order {number} is beyond {MAX_FEN} fen")

    def _part(self, part: CombinePart) -> dict[str, object]:
        if part.amount_fen <= 0 or not part.attach:
            raise Invalid(f"part {part.merchant_order_no}: needs an amount above 0 and a text to attach")
        value: dict[str, object] = {
            **self._merchant(part),
            "attach": answers.bill_safe(part.attach, _MAX_ATTACH_BYTES),
            "amount": {"total_amount": part.amount_fen, "currency": "CNY"},
            "out_trade_no": answers.check_order_no(part.merchant_order_no),
            "description": answers.bill_safe(part.description),
        }
        if part.profit_sharing:
            value["settle_info"] = {"profit_sharing": True}
        return value


def _order_path(order_no: str) -> str:
    return f"{_PATH}/out-trade-no/{quote(answers.check_order_no(order_no), safe='*')}"
