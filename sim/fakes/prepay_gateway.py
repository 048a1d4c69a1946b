"""Orders that phones pay by themselves, in memory: the other way to pay at the fake gateway."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from edge.errors import Unavailable
from edge.services.payment_ports import CodePayment, GatewayAnswer, PhoneOrder
from sim.fakes.gateway import FakeFault, FakeGateway

_PREFIX = "weixin://fake/"


class FakePrepayGateway:
    """Implements PrepayGateway over the orders of a FakeGateway."""

    def __init__(self, orders: FakeGateway) -> None:
        self.name = orders.name
        self._orders = orders
        self._newest: dict[str, str] = {}
        self._count = 0
        self._faults: dict[str, deque[FakeFault]] = {"native": deque(), "close": deque()}

    def fail_next(self, call: str, fault: FakeFault) -> None:
        """Have the next "native" or "close" fail; several wait in line."""
        self._faults[call].append(fault)

    def native(self, order: PhoneOrder) -> str:
        """Return what a phone opens to pay."""
        return self._made(order)

    def jsapi(self, order: PhoneOrder, openid: str) -> Mapping[str, str]:
        """Return the parameters for a page inside the wallet."""
        return {"package": f"prepay_id={self._made(order)}", "openid": openid}

    def close_order(self, merchant_order_no: str) -> GatewayAnswer:
        """End an order that is not paid."""
        fault = self._fault("close")
        answer = (
            None
            if fault in (FakeFault.NEVER, FakeFault.UNAVAILABLE)
            else self._orders.shut(merchant_order_no)
        )
        if fault is not None or answer is None:
            raise Unavailable(f"no answer to the closing of {merchant_order_no}; call again")
        return answer

    def pay(self, code_url: str) -> bool:
        """Have a phone pay what it has opened; return False for a code that is no longer the newest."""
        order_no = code_url.removeprefix(_PREFIX).partition("/")[0]
        if self._newest.get(order_no) != code_url:
            return False
        self._orders.finish(order_no, pays=True)
        return self._orders.charged_fen(order_no) > 0

    def _made(self, order: PhoneOrder) -> str:
        fault = self._fault("native")
        if fault is not FakeFault.UNAVAILABLE and fault is not FakeFault.NEVER:
            payment = CodePayment(
                order.merchant_order_no, order.amount_fen, order.description, "", "phone", order.attach
            )
            self._orders.open_order(payment)
        if fault is not None:
            raise Unavailable(f"no answer about {order.merchant_order_no}; send it again")
        self._count += 1
        self._newest[order.merchant_order_no] = f"{_PREFIX}{order.merchant_order_no}/{self._count}"
        return self._newest[order.merchant_order_no]

    def _fault(self, call: str) -> FakeFault | None:
        waiting = self._faults[call]
        return waiting.popleft() if waiting else None
