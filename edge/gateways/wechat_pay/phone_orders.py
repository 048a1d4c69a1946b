"""Orders that a phone pays by itself, behind the port PrepayGateway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from edge.errors import Unavailable
from edge.gateways.wechat_pay.callbacks import Rejection
from edge.gateways.wechat_pay.channel import Refused
from edge.gateways.wechat_pay.client import WeChatPayGateway
from edge.gateways.wechat_pay.combine import CombineOrder, CombinePart
from edge.gateways.wechat_pay.prepay import PrepayOrder
from edge.gateways.wechat_pay.transactions import CombinedPart, CombinedTransaction, Transaction
from edge.retail.split import OrderPart
from edge.services.payment_ports import CallbackRefused, GatewayAnswer, PaymentState, PhoneOrder
from edge.services.ports import Clock

#: What a part without a text of its own carries to the gateway, which takes none that is empty.
_NO_ATTACH = "-"


class WeChatPhoneOrders:
    """Native and JSAPI orders of one merchant, or of several at once; part "" is our own number."""

    name = "wechat_pay"

    def __init__(self, gateway: WeChatPayGateway) -> None:
        self._gateway = gateway
        self.part_counts = gateway.combine.counts

    def native(self, order: PhoneOrder) -> str:
        """Return the code_url to show as a QR code; see the port."""
        if order.parts:
            return self._gateway.combine.native(self._combined(order))
        return self._gateway.prepay.native(_prepay(order))

    def jsapi(self, order: PhoneOrder, openid: str) -> Mapping[str, str]:
        """Return what the page calls the wallet with; see the port."""
        if order.parts:
            prepay_id = self._gateway.combine.jsapi(self._combined(order), openid)
        else:
            prepay_id = self._gateway.prepay.jsapi(_prepay(order), openid)
        return self._gateway.prepay.payment(prepay_id).as_params()

    def close_order(self, merchant_order_no: str) -> GatewayAnswer:
        """Close an unpaid order; see the port."""
        return self._gateway.close_order(merchant_order_no)

    def query_parts(self, merchant_order_no: str, parts: Sequence[OrderPart]) -> GatewayAnswer:
        """Return the state of a combined order; see the port."""
        found = self._gateway.combine.query(merchant_order_no)
        if found is None:
            return GatewayAnswer(PaymentState.ABSENT, detail="ORDER_NOT_EXIST")
        return _together(found, [self._found(found, part) for part in parts])

    def close_parts(self, merchant_order_no: str, parts: Sequence[OrderPart]) -> GatewayAnswer:
        """Close an unpaid combined order; see the port."""
        order = CombineOrder(merchant_order_no, tuple(self._part(part, _NO_ATTACH) for part in parts))
        try:
            self._gateway.combine.close(order)
        except Refused as refusal:
            answer = self.query_parts(merchant_order_no, parts)
            return replace(answer, detail=f"{answer.detail}, closing: {refusal.error}")
        return GatewayAnswer(PaymentState.VOIDED, detail="CLOSED")

    def _combined(self, order: PhoneOrder) -> CombineOrder:
        parts = tuple(self._part(part, order.attach or _NO_ATTACH) for part in order.parts)
        return CombineOrder(order.merchant_order_no, parts, order.expires_at)

    def _part(self, part: OrderPart, attach: str) -> CombinePart:
        merchant = part.merchant or self._gateway.own_merchant
        number, fen = part.merchant_order_no, part.amount_fen
        return CombinePart(merchant, number, fen, part.description, attach, part.frozen)

    def _found(self, found: CombinedTransaction, part: OrderPart) -> CombinedPart:
        """Return what was found of a part; raise Unavailable when it is not what we asked for."""
        merchant = part.merchant or self._gateway.own_merchant
        for one in found.parts:
            told = one.transaction
            if told.merchant_order_no == part.merchant_order_no:
                if merchant == (one.sub_merchant or one.merchant) and told.amount_fen in (
                    None,
                    part.amount_fen,
                ):
                    return one
                break
        raise Unavailable(
            f"WeChat Pay's answer about {found.combined_order_no} is of no use: part "
            f"{part.merchant_order_no} is not as it was made; ask again, then call support"
        )


class WeChatCallbacks:
    """Reads the callbacks of one merchant, behind the port CallbackReader."""

    def __init__(self, gateway: WeChatPayGateway, clock: Clock) -> None:
        self._gateway = gateway
        self._clock = clock

    def hear(self, headers: Mapping[str, str], body: bytes) -> str:
        """Return the number of the payment that it tells of; see the port."""
        heard = self._gateway.callbacks.read(headers, body, self._clock.now().wall_at // 1000)
        if isinstance(heard, Rejection):
            raise CallbackRefused(
                f"callback refused, {heard.reason}: {heard.detail}", status=heard.status, body=heard.body
            )
        content = heard.content
        if isinstance(content, CombinedTransaction):
            return content.combined_order_no
        return content.merchant_order_no if isinstance(content, Transaction) else ""


def _together(found: CombinedTransaction, parts: Sequence[CombinedPart]) -> GatewayAnswer:
    """Return one answer for all parts: they are paid together, and each may be refunded by itself."""
    told = [part.transaction for part in parts]
    states = {one.state for one in told}
    amounts = [one.amount_fen for one in told]
    if len(states) == 1:
        state = told[0].state
    else:
        paid = states <= {PaymentState.APPROVED, PaymentState.REFUNDED}
        state = PaymentState.APPROVED if paid else PaymentState.PENDING
    return GatewayAnswer(
        state=state,
        transaction_id=told[0].transaction_id,
        amount_fen=None if None in amounts else sum(one or 0 for one in amounts),
        payer=found.payer,
        paid_at=told[0].paid_at,
        detail="/".join(dict.fromkeys(one.word for one in told)),
        part_ids=tuple(one.transaction_id or "" for one in told),
    )


def _prepay(order: PhoneOrder) -> PrepayOrder:
    return PrepayOrder(
        order.merchant_order_no,
        order.amount_fen,
        order.description,
        expires_at=order.expires_at,
        attach=order.attach,
        profit_sharing=order.frozen,
    )
