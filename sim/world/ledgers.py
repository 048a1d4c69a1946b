"""The world's gateways, which remember every movement of money, and the bill that they send the next day."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date

from edge.errors import Unavailable
from edge.retail.bill import BillKind, BillRow
from edge.retail.reconcile import DifferenceKind
from edge.services.payment_ports import (
    CodePayment,
    GatewayAnswer,
    PaymentState,
    RefundAnswer,
    RefundState,
)
from sim.fakes.box import GATEWAY
from sim.fakes.clock import START_AT, FakeClock
from sim.fakes.gateway import FakeGateway
from sim.fakes.prepay_gateway import FakePrepayGateway
from sim.fakes.refund_gateway import FakeRefundGateway

#: The order number of a payment that no box ever asked for.
STRANGER = "strangers-order"

#: A gateway refuses a request that was signed longer ago than this, in milliseconds.
LATEST_MS = 300_000


@dataclass(frozen=True, slots=True)
class Movement:
    """Money that moved at the gateway. refund_no: "" for payments and reversals."""

    kind: BillKind
    order_no: str
    refund_no: str
    amount_fen: int
    happened_at: int


class LedgerGateway(FakeGateway):
    """A gateway that lists every payment that it was asked for, and is slow or wrong where it is told to be.

    meanwhile: what happens while the answer to the next payments is on its way; each may return the answer
    that arrives instead. slips: what the next queries say instead of the truth. types: when the shopper of a
    pending payment types the password, "before" or "after" a reversal is worked on, "" for never. delays:
    how many of the next reversals get no answer and arrive with `deliver_late`.
    """

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self.asked: dict[str, CodePayment] = {}
        self.moves: list[Movement] = []
        self.meanwhile: deque[Callable[[GatewayAnswer], GatewayAnswer | None]] = deque()
        self.slips: deque[PaymentState] = deque()
        self.types = ""
        self.delays = 0
        self._delayed: list[str] = []
        self._asked_at: dict[str, int] = {}
        self._clock = clock

    def pay_by_code(self, payment: CodePayment) -> GatewayAnswer:
        """Charge a payment code."""
        self.asked.setdefault(payment.merchant_order_no, payment)
        self._asked_at.setdefault(payment.merchant_order_no, self._clock.true_at)
        before = self.charged_fen(payment.merchant_order_no)
        try:
            answer = super().pay_by_code(payment)
        finally:
            self._note(payment.merchant_order_no, before)
        happens = self.meanwhile.popleft() if self.meanwhile else None
        return (happens(answer) if happens else None) or answer

    def query(self, merchant_order_no: str) -> GatewayAnswer:
        """Return an order's state, or what it is mistaken for."""
        before = self.charged_fen(merchant_order_no)
        answer = super().query(merchant_order_no)
        self._note(merchant_order_no, before)
        if self.slips:
            return replace(answer, state=self.slips.popleft(), transaction_id=None)
        return answer

    def reverse(self, merchant_order_no: str) -> GatewayAnswer:
        """Undo an order, whose shopper may type the password at that very moment."""
        self._type(merchant_order_no, "before")
        try:
            return self._reverse(merchant_order_no)
        finally:
            self._type(merchant_order_no, "after")

    def deliver_late(self) -> None:
        """Let every charge and reversal that is still on its way arrive now; charges too old are refused."""
        now = self._clock.true_at
        self._late = [one for one in self._late if now - self._asked_at[one.merchant_order_no] <= LATEST_MS]
        before = {number: self.charged_fen(number) for number in self.asked}
        super().deliver_late()
        for number, taken_fen in before.items():
            self._note(number, taken_fen)

        while self._delayed:
            self._reverse(self._delayed.pop())

    def _reverse(self, number: str) -> GatewayAnswer:
        if self.delays:
            self.delays -= 1
            self._delayed.append(number)
            raise Unavailable(f"no answer to the reversal of {number}; query and try again")
        before = self.charged_fen(number)
        try:
            return super().reverse(number)
        finally:
            self._note(number, before)

    def open_order(self, payment: CodePayment) -> None:
        """Make an order that waits for a phone."""
        self.asked.setdefault(payment.merchant_order_no, payment)
        self._asked_at.setdefault(payment.merchant_order_no, self._clock.true_at)
        super().open_order(payment)

    def noted(self, act: Callable[[], bool]) -> bool:
        """Do something and list the money that it moved."""
        before = {number: self.charged_fen(number) for number in self.asked}
        try:
            return act()
        finally:
            for number, taken_fen in before.items():
                self._note(number, taken_fen)

    def _type(self, number: str, when: str) -> None:
        if self.types == when and number in self._orders:
            before = self.charged_fen(number)
            self.finish(number, pays=True)
            self._note(number, before)

    def _note(self, number: str, before_fen: int) -> None:
        moved_fen = self.charged_fen(number) - before_fen
        if moved_fen:
            kind = BillKind.PAYMENT if moved_fen > 0 else BillKind.REFUND
            self.moves.append(Movement(kind, number, "", abs(moved_fen), self._clock.now().wall_at))


class LedgerPhones(FakePrepayGateway):
    """Orders that phones pay by themselves, whose movements the gateway lists."""

    def __init__(self, orders: LedgerGateway) -> None:
        super().__init__(orders)
        self._ledger = orders

    def pay(self, code_url: str) -> bool:
        """Have a phone pay what it has opened."""
        return self._ledger.noted(lambda: FakePrepayGateway.pay(self, code_url))


class LedgerRefunds(FakeRefundGateway):
    """The refunding side. ends: how the next refunds end that are on their way or stuck, when asked."""

    def __init__(self, orders: LedgerGateway, clock: FakeClock) -> None:
        super().__init__(orders)
        self.ends: deque[RefundState] = deque()
        self._clock = clock

    def query_refund(
        self, merchant_order_no: str, merchant_refund_no: str, merchant: str = ""
    ) -> RefundAnswer:
        """Return a refund's state."""
        known = self._refunds.get(merchant_refund_no)
        waits = known is not None and known.state in (RefundState.PROCESSING, RefundState.ABNORMAL)
        if waits and self.ends:
            self.finish(merchant_refund_no, self.ends.popleft())
        return super().query_refund(merchant_order_no, merchant_refund_no, merchant)

    def settle_abnormal(self) -> None:
        """Have what could not reach a shopper arrive by another way."""
        for number, one in tuple(self._refunds.items()):
            if one.state is RefundState.ABNORMAL:
                self.finish(number, RefundState.DONE)

    def movements(self) -> list[Movement]:
        """Return what was given back so far."""
        now = self._clock.now().wall_at
        return [
            Movement(BillKind.REFUND, one.request.merchant_order_no, number, one.request.amount_fen, now)
            for number, one in self._refunds.items()
            if one.state is RefundState.DONE
        ]


class LedgerBill:
    """Implements BillSource over what moved, with mistakes where it is told to make some.

    plants: whether the first payment is a fen too high, the second is missing and a stranger's is there.
    planted: the differences that a comparison must find, as (order number, kind). breaks: how many of the
    next readings are cut off in the middle. read: how many were read to their end. day: of the last bill.
    """

    name = GATEWAY
    merchant = "merchant-1"

    def __init__(self, gateway: LedgerGateway, refunds: LedgerRefunds) -> None:
        self.plants = False
        self.planted: set[tuple[str, DifferenceKind]] = set()
        self.breaks = 0
        self.read = 0
        self.day = ""
        self._gateway = gateway
        self._refunds = refunds

    def trade_bill(self, day: date) -> Iterator[BillRow]:
        """Yield the rows of the bill."""
        self.day = day.isoformat()
        rows = self.rows()
        broken, self.breaks = self.breaks > 0, max(0, self.breaks - 1)
        yield from rows[: len(rows) // 2] if broken else rows
        if broken:
            raise Unavailable("the bill broke off in the middle; fetch it again")
        self.read += 1

    def rows(self) -> list[BillRow]:
        """Return the rows of the whole bill."""
        rows = [self._row(at, one) for at, one in enumerate(self._movements())]
        return self._with_mistakes(rows) if self.plants else rows

    def _movements(self) -> list[Movement]:
        return [*self._gateway.moves, *self._refunds.movements()]

    def _row(self, at: int, move: Movement) -> BillRow:
        refund_id = f"r-{at}" if move.kind is BillKind.REFUND else ""
        return BillRow(
            kind=move.kind,
            merchant_order_no=move.order_no,
            merchant_refund_no=move.refund_no,
            transaction_id=f"t-{move.order_no}",
            refund_id=refund_id,
            amount_fen=move.amount_fen,
            fee_fen=0,
            happened_at=move.happened_at,
            state="REFUND" if refund_id else "SUCCESS",
            attach=self._gateway.asked[move.order_no].attach,
        )

    def _with_mistakes(self, rows: list[BillRow]) -> list[BillRow]:
        payments = [row for row in rows if row.kind is BillKind.PAYMENT]
        self.planted = {(STRANGER, DifferenceKind.CHANNEL_ONLY)}
        stranger = BillRow(BillKind.PAYMENT, STRANGER, "", "t-x", "", 77, 0, START_AT, "SUCCESS")
        wrong, missing = payments[:1], payments[1:2]
        self.planted |= {(row.merchant_order_no, DifferenceKind.AMOUNT) for row in wrong}
        self.planted |= {(row.merchant_order_no, DifferenceKind.LOCAL_ONLY) for row in missing}
        kept = (row for row in rows if row not in missing)
        return [
            *(replace(row, amount_fen=row.amount_fen + 1) if row in wrong else row for row in kept),
            stranger,
        ]
