"""Orders that phones pay by themselves, in memory: the other way to pay at the fake gateway."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence

from edge.errors import Unavailable
from edge.retail.split import OrderPart
from edge.services.payment_ports import CodePayment, GatewayAnswer, PaymentState, PhoneOrder
from sim.fakes.gateway import FakeFault, FakeGateway

_PREFIX = "weixin://fake/"


class FakePrepayGateway:
    """Implements PrepayGateway over the orders of a FakeGateway, which has one for each part."""

    part_counts = range(2, 11)

    def __init__(self, orders: FakeGateway) -> None:
        self.name = orders.name
        self._parts: dict[str, tuple[OrderPart, ...]] = {}
        self._orders = orders
        self._newest: dict[str, str] = {}
        self._openids: dict[str, str] = {}
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
        made = self._made(order)
        self._openids[made] = openid
        return {"package": f"prepay_id={made}", "signType": "RSA", "paySign": "fake"}

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
        numbers = [part.merchant_order_no for part in self._parts.get(order_no, ())] or [order_no]
        for number in numbers:
            self._orders.finish(number, pays=True)
        return all(self._orders.charged_fen(number) > 0 for number in numbers)

    def pay_inside(self, params: Mapping[str, str], openid: str) -> bool:
        """Have a page inside the wallet pay; return False when the order is another shopper's."""
        made = params["package"].removeprefix("prepay_id=")
        return self._openids.get(made) == openid and self.pay(made)

    def query_parts(self, merchant_order_no: str, parts: Sequence[OrderPart]) -> GatewayAnswer:
        """Return the state of an order in parts."""
        return self._together(merchant_order_no, parts, self._orders.query)

    def close_parts(self, merchant_order_no: str, parts: Sequence[OrderPart]) -> GatewayAnswer:
        """End an order in parts that is not paid."""
        fault = self._fault("close")
        if fault in (FakeFault.NEVER, FakeFault.UNAVAILABLE):
            raise Unavailable(f"no answer to the closing of {merchant_order_no}; call again")
        answer = self._together(merchant_order_no, parts, self._orders.shut)
        if fault is not None:
            raise Unavailable(f"no answer to the closing of {merchant_order_no}; call again")
        return answer

    def _together(
        self, order_no: str, parts: Sequence[OrderPart], ask: Callable[[str], GatewayAnswer]
    ) -> GatewayAnswer:
        known = self._parts.get(order_no)
        if known is None:
            return GatewayAnswer(PaymentState.ABSENT, detail="ORDER_NOT_EXIST")
        if [(one.merchant, one.merchant_order_no, one.amount_fen) for one in known] != [
            (one.merchant, one.merchant_order_no, one.amount_fen) for one in parts
        ]:
            raise Unavailable(f"{order_no} has other parts; call support")
        told = [ask(part.merchant_order_no) for part in parts]
        states = {one.state for one in told}
        return GatewayAnswer(
            state=told[0].state if len(states) == 1 else PaymentState.PENDING,
            transaction_id=told[0].transaction_id,
            amount_fen=sum(one.amount_fen or 0 for one in told),
            payer=told[0].payer,
            detail=told[0].detail,
            part_ids=tuple(one.transaction_id or "" for one in told),
        )

    def _made(self, order: PhoneOrder) -> str:
        fault = self._fault("native")
        if fault is not FakeFault.UNAVAILABLE and fault is not FakeFault.NEVER:
            if order.parts:
                self._parts[order.merchant_order_no] = order.parts
            for number, fen in [(one.merchant_order_no, one.amount_fen) for one in order.parts] or [
                (order.merchant_order_no, order.amount_fen)
            ]:
                self._orders.open_order(
                    CodePayment(number, fen, order.description, "", "phone", order.attach)
                )
        if fault is not None:
            raise Unavailable(f"no answer about {order.merchant_order_no}; send it again")
        self._count += 1
        self._newest[order.merchant_order_no] = f"{_PREFIX}{order.merchant_order_no}/{self._count}"
        return self._newest[order.merchant_order_no]

    def _fault(self, call: str) -> FakeFault | None:
        waiting = self._faults[call]
        return waiting.popleft() if waiting else None
