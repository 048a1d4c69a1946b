"""Orders that a phone pays by itself, behind the port PrepayGateway."""

from __future__ import annotations

from collections.abc import Mapping

from edge.gateways.wechat_pay.callbacks import Rejection
from edge.gateways.wechat_pay.client import WeChatPayGateway
from edge.gateways.wechat_pay.prepay import PrepayOrder
from edge.gateways.wechat_pay.transactions import Transaction
from edge.services.payment_ports import CallbackRefused, GatewayAnswer, PhoneOrder
from edge.services.ports import Clock


class WeChatPhoneOrders:
    """Native and JSAPI orders of one merchant."""

    name = "wechat_pay"

    def __init__(self, gateway: WeChatPayGateway) -> None:
        self._gateway = gateway

    def native(self, order: PhoneOrder) -> str:
        """Return the code_url to show as a QR code; see the port."""
        return self._gateway.prepay.native(_prepay(order))

    def jsapi(self, order: PhoneOrder, openid: str) -> Mapping[str, str]:
        """Return what the page calls the wallet with; see the port."""
        prepay_id = self._gateway.prepay.jsapi(_prepay(order), openid)
        return self._gateway.prepay.payment(prepay_id).as_params()

    def close_order(self, merchant_order_no: str) -> GatewayAnswer:
        """Close an unpaid order; see the port."""
        return self._gateway.close_order(merchant_order_no)


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
        return content.merchant_order_no if isinstance(content, Transaction) else ""


def _prepay(order: PhoneOrder) -> PrepayOrder:
    return PrepayOrder(
        order.merchant_order_no,
        order.amount_fen,
        order.description,
        expires_at=order.expires_at,
        attach=order.attach,
    )
