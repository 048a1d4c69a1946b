"""The refunding side of the gateway in memory: what it gave back comes off what its orders have taken."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from enum import StrEnum

from edge.errors import OutcomeUnknown, Unavailable
from edge.services.payment_ports import (
    RefundAnswer,
    RefundNeedsFunds,
    RefundRefused,
    RefundRequest,
    RefundState,
)
from sim.fakes.gateway import FakeGateway


class RefundFault(StrEnum):
    """How a call fails. UNAVAILABLE: no effect. LOST: full effect, no answer. NEVER: no effect, no answer.

    LATE: no answer, and the request arrives only with `deliver_late`. POOR: the merchant's balance is too
    low. ABNORMAL: taken in, and it cannot reach the shopper. CLOSED: taken in, and it comes to nothing.
    """

    UNAVAILABLE = "unavailable"
    LOST = "lost"
    NEVER = "never"
    LATE = "late"
    POOR = "poor"
    ABNORMAL = "abnormal"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class _Refund:
    request: RefundRequest
    number: int
    state: RefundState = RefundState.PROCESSING
    queries: int = 0


class FakeRefundGateway:
    """Implements RefundGateway over the orders of a FakeGateway.

    slow_queries: how many queries still find a refund on its way.
    """

    def __init__(self, orders: FakeGateway, slow_queries: int = 0) -> None:
        self.name = orders.name
        self.slow_queries = slow_queries
        self._orders = orders
        self._refunds: dict[str, _Refund] = {}
        self._faults: dict[str, deque[RefundFault]] = {"refund": deque(), "query": deque()}
        self._late: list[RefundRequest] = []

    def fail_next(self, call: str, fault: RefundFault) -> None:
        """Have the next "refund" or "query" fail; several wait in line."""
        self._faults[call].append(fault)

    def deliver_late(self) -> None:
        """Let every request that is still on its way arrive now."""
        late, self._late = self._late, []
        for request in late:
            self._take(request, None)

    def finish(self, merchant_refund_no: str, state: RefundState) -> None:
        """Have a refund end so, as when a person settles it at the gateway; KeyError if there is none."""
        self._end(self._refunds[merchant_refund_no], state)

    def given_fen(self) -> dict[str, int]:
        """Return what was given back, by refund number."""
        done = ((number, one) for number, one in self._refunds.items() if one.state is RefundState.DONE)
        return {number: one.request.amount_fen for number, one in done}

    def refund(self, request: RefundRequest) -> RefundAnswer:
        """Give money back; see the port."""
        fault = self._fault("refund")
        if fault is RefundFault.UNAVAILABLE:
            raise Unavailable(f"the fake gateway was not reached for {request.merchant_refund_no}; try again")
        if fault is RefundFault.POOR:
            raise RefundNeedsFunds(f"the merchant is too poor for {request.merchant_refund_no}; top it up")
        if fault is RefundFault.LATE:
            self._late.append(request)
        if fault is RefundFault.LOST:
            self._take(request, None)
        if fault in (RefundFault.LOST, RefundFault.LATE, RefundFault.NEVER):
            raise OutcomeUnknown(f"no answer about refund {request.merchant_refund_no}; query it")
        return _answer(self._take(request, fault))

    def query_refund(
        self, merchant_order_no: str, merchant_refund_no: str, merchant: str = ""
    ) -> RefundAnswer:
        """Return a refund's state; see the port."""
        if self._fault("query") is not None:
            raise Unavailable(f"no answer about refund {merchant_refund_no}; ask again")
        known = self._refunds.get(merchant_refund_no)
        if known is None or known.request.merchant_order_no != merchant_order_no:
            return RefundAnswer(RefundState.ABSENT, detail="RESOURCE_NOT_EXISTS")
        if known.state is not RefundState.PROCESSING:
            return _answer(known)
        if known.queries >= self.slow_queries:
            return _answer(self._end(known, RefundState.DONE))
        return _answer(self._keep(replace(known, queries=known.queries + 1)))

    def _take(self, request: RefundRequest, fault: RefundFault | None) -> _Refund:
        known = self._refunds.get(request.merchant_refund_no)
        if known is not None:
            if known.request != request:
                raise _refused(request, "INVALID_REQUEST")
            return known
        self._check(request)
        taken = self._keep(_Refund(request, len(self._refunds) + 1))
        if fault in (RefundFault.ABNORMAL, RefundFault.CLOSED):
            return self._end(taken, RefundState(fault.value))
        return taken if self.slow_queries else self._end(taken, RefundState.DONE)

    def _check(self, request: RefundRequest) -> None:
        paid_fen = self._orders.paid_fen(request.merchant_order_no)
        if not paid_fen:
            raise _refused(request, "RESOURCE_NOT_EXISTS")
        if paid_fen != request.total_fen or request.amount_fen <= 0:
            raise _refused(request, "PARAM_ERROR")
        if request.amount_fen + self._held_fen(request.merchant_order_no) > request.total_fen:
            raise _refused(request, "INVALID_REQUEST")

    def _held_fen(self, order_no: str) -> int:
        """Return what other refunds hold: given back, or on its way."""
        return sum(
            one.request.amount_fen
            for one in self._refunds.values()
            if one.request.merchant_order_no == order_no and one.state is not RefundState.CLOSED
        )

    def _end(self, refund: _Refund, state: RefundState) -> _Refund:
        if state is RefundState.DONE and refund.state is not RefundState.DONE:
            self._orders.give_back(refund.request.merchant_order_no, refund.request.amount_fen)
        return self._keep(replace(refund, state=state))

    def _keep(self, refund: _Refund) -> _Refund:
        self._refunds[refund.request.merchant_refund_no] = refund
        return refund

    def _fault(self, call: str) -> RefundFault | None:
        waiting = self._faults[call]
        return waiting.popleft() if waiting else None


def _answer(refund: _Refund) -> RefundAnswer:
    return RefundAnswer(
        state=refund.state,
        refund_id=f"fake-refund-{refund.number:08d}",
        amount_fen=refund.request.amount_fen,
        detail=refund.state.value,
    )


def _refused(request: RefundRequest, code: str) -> RefundRefused:
    return RefundRefused(f"the fake gateway refused refund {request.merchant_refund_no}: {code}", detail=code)
