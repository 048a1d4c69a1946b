"""A payment as the gateway tells of it, in answers and in callbacks. Pure.

Source: pay.weixin.qq.com, query-by-wx-trade-no, combine-payment query, payment notice.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.gateways.line import Unreadable
from edge.gateways.wechat_pay.addressing import Addressing
from edge.gateways.wechat_pay.answers import TRADE_STATES
from edge.gateways.wechat_pay.fields import Fields
from edge.services.payment_ports import PaymentState


@dataclass(frozen=True, slots=True)
class Transaction:
    """One order at the gateway.

    amount_fen: what it was made for, and what the books hold; payer_fen: what the shopper paid after the
    gateway's coupons. payer: openid. paid_at: Unix milliseconds. word: the gateway's own state.
    trade_type: JSAPI, NATIVE, MICROPAY, ... attach: what we sent along. None: not told.
    """

    merchant_order_no: str
    state: PaymentState
    word: str
    transaction_id: str | None
    trade_type: str | None
    amount_fen: int | None
    payer_fen: int | None
    payer: str | None
    paid_at: int | None
    attach: str
    bank_type: str


@dataclass(frozen=True, slots=True)
class CombinedPart:
    """One merchant's part of a combined payment. sub_merchant: whom we act for, "" for a direct merchant."""

    merchant: str
    sub_merchant: str
    transaction: Transaction


@dataclass(frozen=True, slots=True)
class CombinedTransaction:
    """Several merchants' orders, paid at once or not at all."""

    combined_order_no: str
    payer: str | None
    parts: tuple[CombinedPart, ...]


_MOST_PARTS = 50


def read_transaction(fields: Fields, who: Addressing) -> Transaction:
    """Return the transaction of one of our merchants; raise Unreadable when it is another's or broken."""
    for name, value in who.merchants().items():
        fields.expect(name, value)
    for name, value in who.identity().items():
        if fields.has(name):
            fields.expect(name, value)
    payer = fields.within("payer")
    openid = payer.text("openid") or payer.text("sub_openid") or payer.text("sp_openid")
    amount = fields.within("amount")
    return _transaction(fields, amount, openid, ("total", "payer_total"))


def read_combined(fields: Fields, combine_mchid: str) -> CombinedTransaction:
    """Return a combined payment of ours; raise Unreadable."""
    fields.expect("combine_mchid", combine_mchid)
    payer = fields.within("combine_payer_info").text("openid")
    views = fields.each("sub_orders", _MOST_PARTS)
    if not views:
        raise Unreadable("the answer's sub_orders are missing")
    return CombinedTransaction(
        combined_order_no=fields.need_text("combine_out_trade_no", 64),
        payer=payer,
        parts=tuple(_part(view, payer) for view in views),
    )


def _part(view: Fields, payer: str | None) -> CombinedPart:
    return CombinedPart(
        merchant=view.need_text("mchid", 32),
        sub_merchant=view.text("sub_mchid", 32) or "",
        transaction=_transaction(view, view.within("amount"), payer, ("total_amount", "payer_amount")),
    )


def _transaction(view: Fields, amount: Fields, payer: str | None, names: tuple[str, str]) -> Transaction:
    word = view.need_text("trade_state", 32)
    state = TRADE_STATES.get(word)
    if state is None:
        raise Unreadable("the answer's trade_state is unknown to this version")
    if amount.text("currency", 16) not in (None, "CNY"):
        raise Unreadable("the answer's amount is not in CNY")
    total, paid = names
    amount_fen, transaction_id = amount.fen(total), view.text("transaction_id", 64)
    if state is PaymentState.APPROVED and (amount_fen is None or transaction_id is None):
        raise Unreadable(f"the answer says SUCCESS without amount.{total} or transaction_id")
    return Transaction(
        merchant_order_no=view.need_text("out_trade_no", 64),
        state=state,
        word=word,
        transaction_id=transaction_id,
        trade_type=view.text("trade_type", 32),
        amount_fen=amount_fen,
        payer_fen=amount.fen(paid),
        payer=payer,
        paid_at=view.instant("success_time"),
        attach=view.text("attach", 256) or "",
        bank_type=view.text("bank_type", 64) or "",
    )
