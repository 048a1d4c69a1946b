"""Sample values and a tiny in-memory outbox, for the tests of the link to HQ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, TypeVar

from edge.clock import Instant
from edge.members.landing import BlockKind, LandingBlock, LandingPage
from edge.retail.attempt import AttemptState, PaymentAttempt
from edge.retail.basket import LineItem
from edge.retail.order import Order, OrderState, Tender
from edge.retail.receipt import Receipt
from edge.retail.refund import LegState, Refund, RefundLeg, RefundLine, RefundPhase
from edge.services import events
from edge.services.clock_events import clock_stepped
from edge.services.command_records import CommandRecord, CommandState
from edge.services.events import EventKind, Origin
from edge.services.outbox_records import OutboxMessage
from sim.fakes.outbox import FakeOutbox, OutboxRows
from tests.unit.cart_samples import cart_data
from tests.unit.lane_samples import lane_data
from tests.unit.member_samples import member_data
from tests.unit.right_samples import right_data
from tests.unit.shift_samples import shift_data
from tests.unit.split_samples import split_data
from tests.unit.stay_money_samples import stay_money_data
from tests.unit.ticket_samples import ticket_data
from tests.unit.touch_samples import touch_samples
from tests.unit.validation_samples import validation_data

T = TypeVar("T")

ORIGIN = Origin("demo-mall", "till-1")
AT = 1_795_300_000_123
BOOT = "6d5c8a3e-0f3f-4a53-9a54-6a5d5c9f0a11"


class ManualClock:
    """A clock that moves when told to."""

    def __init__(self, wall_at: int = AT, boottime_ns: int = 1_000_000_000) -> None:
        self._now = Instant(wall_at, BOOT, boottime_ns, True)

    def now(self) -> Instant:
        return self._now

    def advance(self, milliseconds: int) -> None:
        self._now = replace(
            self._now,
            wall_at=self._now.wall_at + milliseconds,
            boottime_ns=self._now.boottime_ns + milliseconds * 1_000_000,
        )


class CountingIds:
    """Ids that count."""

    def __init__(self) -> None:
        self._count = 0

    def new_id(self) -> str:
        self._count += 1
        return f"01890a5d-ac96-774b-bcce-{self._count:012d}"

    def new_token(self) -> str:
        self._count += 1
        return f"token-{self._count:016d}"


class MemoryOutbox(FakeOutbox):
    """The outbox in memory, whose rows a test may look at."""

    def __init__(self) -> None:
        self.state = OutboxRows()
        super().__init__(self.state)

    @property
    def rows(self) -> dict[int, OutboxMessage]:
        return self.state.waiting

    @property
    def last_sequence(self) -> int:
        return self.state.last_sequence


@dataclass
class MemoryStore:
    """ports.Store over a lone outbox, one thread."""

    outbox: MemoryOutbox = field(default_factory=MemoryOutbox)
    writes: int = 0

    def write(self, work: Callable[[Any], T]) -> T:
        self.writes += 1
        return work(SimpleNamespace(outbox=self.outbox))

    def read(self, query: Callable[[Any], T]) -> T:
        return query(SimpleNamespace(outbox=self.outbox))


def line(number: int = 1, tenant: str = "t-coffee", amount_fen: int = 1_250, name: str = "拿铁") -> LineItem:
    return LineItem(
        f"line-{number}", f"sku-{number}", tenant, name, "Latte", "6901234567892", 1, amount_fen, amount_fen
    )


def paid_order(*lines: LineItem, order_id: str = "order-1") -> Order:
    goods = lines or (line(1), line(2, "t-bakery", 800, "可颂"))
    total = sum(item.amount_fen for item in goods)
    tender = Tender("tender-1", "wechat_pay", total, AT + 2_000, attempt_id="attempt-1")
    return Order(
        order_id,
        "0042",
        "basket-1",
        "kiosk-1",
        "2026-11-22",
        AT,
        goods,
        OrderState.PAID,
        (tender,),
        AT + 2_000,
    )


def attempt(state: AttemptState) -> PaymentAttempt:
    closed = None if state in (AttemptState.UNKNOWN, AttemptState.SUBMITTED) else AT + 5
    return PaymentAttempt(
        "attempt-1",
        "order-1",
        "kiosk-1",
        "wechat_pay",
        "M20261122000001",
        2_050,
        "1234",
        AT,
        AT + 45_000,
        AT + 5_000,
        state,
        payer="openid-secret",
        closed_at=closed,
    )


def command(state: CommandState) -> CommandRecord:
    return CommandRecord(
        "cmd-1", "open_gate", "Ms Li", AT, AT + 30_000, "{}", AT, True, state, finished_at=AT + 5
    )


PAGE = LandingPage("landing-1", "t-coffee", "谢谢", blocks=(LandingBlock(BlockKind.JOIN, "入会"),))
RECEIPT = Receipt("receipt-1", "order-1", "kiosk-1", "token-that-opens-the-page", AT + 2_000)


def refund(order: Order, phase: RefundPhase) -> Refund:
    """One line of the order goes back: in cash where it could not go back by the gateway."""
    decided = None if phase is RefundPhase.REQUESTED else AT + 5
    first, amount_fen = order.lines[0], order.lines[0].amount_fen
    gone = RefundLeg("leg-1", "tender-1", "wechat_pay", amount_fen, "leg000001", AT, AT, LegState.REPLACED)
    cash = RefundLeg(
        "leg-2", "tender-1", "cash", amount_fen, "leg000002", AT, AT, LegState.DONE, closed_at=AT
    )
    legs = () if phase in (RefundPhase.REQUESTED, RefundPhase.REJECTED) else (gone, cash)
    lines = (RefundLine(first.line_id, 1, amount_fen),)
    number, day = f"{order.number}-R1", "2026-11-22"
    asked = Refund(
        "refund-1", order.order_id, number, "till-1", day, amount_fen, "破损", "小李", AT, lines, legs
    )
    closed = decided if phase is RefundPhase.DONE else None
    by = "" if decided is None else "王主管"
    return replace(asked, phase=phase, decided_by=by, decided_at=decided, closed_at=closed)


REFUND_KINDS = {
    EventKind.REFUND_REQUESTED: RefundPhase.REQUESTED,
    EventKind.REFUND_APPROVED: RefundPhase.APPROVED,
    EventKind.REFUND_REJECTED: RefundPhase.REJECTED,
    EventKind.REFUND_STUCK: RefundPhase.APPROVED,
    EventKind.REFUND_DONE: RefundPhase.DONE,
}


def samples() -> dict[EventKind, events.Data]:
    """One example of every kind's data."""
    order = paid_order()
    cancelled = replace(order, state=OrderState.CANCELLED, tenders=())
    steps = {state: events.payment_step(attempt(state)) for state in events.PAYMENT_KINDS}
    return {
        **touch_samples(),
        EventKind.ORDER_PAID: events.order_paid(order),
        EventKind.ORDER_CANCELLED: events.order_cancelled(cancelled),
        **{events.PAYMENT_KINDS[state]: data for state, data in steps.items()},
        **{kind: events.refund_step(refund(order, phase), order) for kind, phase in REFUND_KINDS.items()},
        EventKind.RECEIPT_ISSUED: events.receipt_issued(RECEIPT, order),
        EventKind.LANDING_SHOWN: events.landing_step(PAGE, order, "kiosk"),
        EventKind.LANDING_OPENED: events.landing_step(PAGE, order, "phone"),
        EventKind.LANDING_JOIN: events.landing_step(PAGE, order, "phone", BlockKind.JOIN),
        EventKind.LANDING_FOLLOW: events.landing_step(PAGE, order, "phone", BlockKind.FOLLOW),
        EventKind.HELP_CALLED: events.help_called("kiosk-1", "basket-1"),
        EventKind.ALARM_RAISED: events.alarm("disk", "scarce", "9 % of the disk is free"),
        EventKind.ALARM_CLEARED: events.alarm("disk", "ample", "31 % of the disk is free"),
        EventKind.CLOCK_STEPPED: clock_stepped(1_795_336_000_000, 1_795_325_200_000, True, False),
        EventKind.SNAPSHOT_APPLIED: events.snapshot_applied("catalogue", 7, 6, "ab" * 32, False),
        EventKind.SNAPSHOT_REFUSED: events.snapshot_refused("catalogue", 8, "older", "version 9 is here"),
        **{kind: events.command_ended(command(state)) for state, kind in events.COMMAND_KINDS.items()},
        **shift_data(),
        **lane_data(),
        **right_data(),
        **stay_money_data(),
        **validation_data(),
        **member_data(),
        **cart_data(),
        **ticket_data(),
        **split_data(),
    }


def record(outbox: MemoryOutbox, ids: CountingIds, count: int, clock: ManualClock | None = None) -> None:
    """Append `count` paid orders of 20.50 yuan each."""
    instant = (clock or ManualClock()).now()
    unit: Any = SimpleNamespace(outbox=outbox)
    for _ in range(count):
        order = paid_order(order_id=f"order-{outbox.next_sequence()}")
        events.record_event(
            unit, ids, instant, ORIGIN, EventKind.ORDER_PAID, order.order_id, events.order_paid(order)
        )


def call_for_help(outbox: MemoryOutbox, ids: CountingIds, clock: ManualClock | None = None) -> int:
    """Append one urgent event; return its sequence."""
    unit: Any = SimpleNamespace(outbox=outbox)
    instant, data = (clock or ManualClock()).now(), events.help_called("kiosk-1")
    told = events.record_event(unit, ids, instant, ORIGIN, EventKind.HELP_CALLED, "kiosk-1", data)
    return told.sequence
