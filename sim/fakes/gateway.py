"""A payment gateway in memory, for contract tests and the deterministic world: no clock, no threads."""

from __future__ import annotations

import contextlib
from collections import deque
from dataclasses import dataclass, replace
from enum import StrEnum

from edge.errors import OutcomeUnknown, Unavailable
from edge.services.payment_ports import (
    CodePayment,
    DeclineReason,
    GatewayAnswer,
    PaymentDeclined,
    PaymentState,
)


class FakeFault(StrEnum):
    """How a call fails. UNAVAILABLE: no effect. LOST: full effect, no answer. NEVER: no effect, no answer.

    LATE, for a payment: no answer, and the charge arrives only with `deliver_late`.
    """

    UNAVAILABLE = "unavailable"
    LOST = "lost"
    NEVER = "never"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Shopper:
    """Who is behind a payment code. pending_queries: queries until the password is in; None: by hand.

    cancels: gives up instead of typing. asks: whether a password is needed at all.
    """

    openid: str
    balance_fen: int
    asks: bool = False
    pending_queries: int | None = None
    cancels: bool = False


@dataclass(frozen=True, slots=True)
class _Order:
    payment: CodePayment
    shopper: Shopper
    state: PaymentState
    number: int
    queries: int = 0


class FakeGateway:
    """Implements PaymentGateway; `orders` and money are the gateway's own truth."""

    name = "fake"

    def __init__(self) -> None:
        self._shoppers: dict[str, Shopper] = {}
        self._spent: dict[str, str] = {}
        self._orders: dict[str, _Order] = {}
        self._taken_fen: dict[str, int] = {}
        self._faults: dict[str, deque[FakeFault]] = {"pay": deque(), "query": deque(), "reverse": deque()}
        self._late: list[CodePayment] = []

    def show_code(self, code: str, shopper: Shopper) -> None:
        """Have `shopper` show this code."""
        self._shoppers[code] = shopper

    def fail_next(self, call: str, fault: FakeFault) -> None:
        """Have the next "pay", "query" or "reverse" fail; several wait in line."""
        self._faults[call].append(fault)

    def deliver_late(self) -> None:
        """Let every charge that is still on its way arrive now."""
        late, self._late = self._late, []
        for payment in late:
            self._arrive(payment)

    def finish(self, merchant_order_no: str, *, pays: bool) -> None:
        """Have the shopper of a pending order type the password, or cancel; KeyError if there is none."""
        order = self._orders[merchant_order_no]
        if order.state is PaymentState.PENDING:
            self._finish(order, pays)

    def charged_fen(self, merchant_order_no: str) -> int:
        """Return what that order has taken and not given back."""
        return self._taken_fen.get(merchant_order_no, 0)

    def paid_fen(self, merchant_order_no: str) -> int:
        """Return what that order was paid with, refunds not taken off; 0 when it was not, or was reversed."""
        order = self._orders.get(merchant_order_no)
        return order.payment.amount_fen if order and order.state is PaymentState.APPROVED else 0

    def give_back(self, merchant_order_no: str, amount_fen: int) -> None:
        """Take a refund off what that order has taken; fakes.refund_gateway decides when."""
        self._taken_fen[merchant_order_no] -= amount_fen

    def total_fen(self) -> int:
        """Return what all orders have taken and not given back."""
        return sum(self._taken_fen.values())

    def open_order(self, payment: CodePayment) -> None:
        """Make an order that waits for a phone to pay it; the same one again changes nothing."""
        known = self._orders.get(payment.merchant_order_no)
        if known is not None and known.state is not PaymentState.PENDING:
            raise OutcomeUnknown(f"{payment.merchant_order_no} is {known.state}; query it")
        if known is None:
            phone = Shopper("", payment.amount_fen, asks=True)
            self._keep(_Order(payment, phone, PaymentState.PENDING, len(self._orders) + 1))

    def shut(self, merchant_order_no: str) -> GatewayAnswer:
        """Close an order that is not paid, and say what it is now."""
        order = self._orders.get(merchant_order_no)
        if order is None:
            return GatewayAnswer(PaymentState.ABSENT, detail="ORDER_NOT_EXIST")
        if order.state is PaymentState.PENDING:
            order = self._keep(replace(order, state=PaymentState.VOIDED))
        return _answer(order)

    def pay_by_code(self, payment: CodePayment) -> GatewayAnswer:
        """Charge a payment code; see the port."""
        order_no = payment.merchant_order_no
        fault = self._fault("pay")
        if fault is FakeFault.UNAVAILABLE:
            raise Unavailable(f"the fake gateway was not reached for {order_no}; try again")
        if fault is FakeFault.LATE:
            self._late.append(payment)
        if fault is FakeFault.LOST:
            self._arrive(payment)
        if fault is not None:
            raise OutcomeUnknown(f"no answer about {order_no}; query it")
        return _answer(self._charge(payment))

    def query(self, merchant_order_no: str) -> GatewayAnswer:
        """Return an order's state; see the port."""
        if self._fault("query") is not None:
            raise Unavailable(f"no answer about {merchant_order_no}; ask again")
        order = self._orders.get(merchant_order_no)
        if order is None:
            return GatewayAnswer(PaymentState.ABSENT, detail="ORDER_NOT_EXIST")
        return _answer(self._look(order))

    def reverse(self, merchant_order_no: str) -> GatewayAnswer:
        """Undo an order; see the port."""
        fault = self._fault("reverse")
        order = self._orders.get(merchant_order_no)
        if order is not None and fault in (None, FakeFault.LOST):
            order = self._undo(order)
        if fault is not None:
            raise Unavailable(f"no answer to the reversal of {merchant_order_no}; query and try again")
        if order is None:
            return GatewayAnswer(PaymentState.ABSENT, detail="ORDER_NOT_EXIST")
        return replace(_answer(order), state=PaymentState.VOIDED)

    def close(self) -> None:
        """There is nothing to close."""

    def _fault(self, call: str) -> FakeFault | None:
        waiting = self._faults[call]
        return waiting.popleft() if waiting else None

    def _arrive(self, payment: CodePayment) -> None:
        """Process a charge whose answer nobody will hear."""
        with contextlib.suppress(PaymentDeclined, OutcomeUnknown):
            self._charge(payment)

    def _charge(self, payment: CodePayment) -> _Order:
        order_no = payment.merchant_order_no
        known = self._orders.get(order_no)
        if known is not None:
            return self._charge_again(payment, known)
        shopper = self._shoppers.get(payment.code)
        if shopper is None or payment.code in self._spent:
            raise _declined(order_no, DeclineReason.CODE_INVALID)
        self._spent[payment.code] = order_no
        if shopper.balance_fen < payment.amount_fen:
            raise _declined(order_no, DeclineReason.NOT_ENOUGH)
        order = self._keep(_Order(payment, shopper, PaymentState.PENDING, len(self._orders) + 1))
        return order if shopper.asks else self._finish(order, pays=True)

    def _charge_again(self, payment: CodePayment, known: _Order) -> _Order:
        if known.payment != payment:
            raise OutcomeUnknown(
                f"{payment.merchant_order_no} was first sent with other parameters; query it"
            )
        if known.state in (PaymentState.APPROVED, PaymentState.PENDING):
            return known
        raise _declined(payment.merchant_order_no, DeclineReason.ORDER_CLOSED)

    def _look(self, order: _Order) -> _Order:
        after = order.shopper.pending_queries
        if order.state is not PaymentState.PENDING or after is None:
            return order
        if order.queries >= after:
            return self._finish(order, pays=not order.shopper.cancels)
        return self._keep(replace(order, queries=order.queries + 1))

    def _finish(self, order: _Order, pays: bool) -> _Order:
        if not pays:
            return self._keep(replace(order, state=PaymentState.DECLINED))
        self._taken_fen[order.payment.merchant_order_no] = order.payment.amount_fen
        return self._keep(replace(order, state=PaymentState.APPROVED))

    def _undo(self, order: _Order) -> _Order:
        self._taken_fen.pop(order.payment.merchant_order_no, None)
        return self._keep(replace(order, state=PaymentState.VOIDED))

    def _keep(self, order: _Order) -> _Order:
        self._orders[order.payment.merchant_order_no] = order
        return order


def _answer(order: _Order) -> GatewayAnswer:
    paid = order.state is PaymentState.APPROVED
    return GatewayAnswer(
        state=order.state,
        transaction_id=f"fake-{order.number:08d}" if paid else None,
        amount_fen=order.payment.amount_fen,
        payer=order.shopper.openid,
        detail=order.state.value,
    )


def _declined(order_no: str, reason: DeclineReason) -> PaymentDeclined:
    return PaymentDeclined(f"the fake gateway refused {order_no}: {reason}", reason=reason, detail=reason)
